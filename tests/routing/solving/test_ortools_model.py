"""OR-Tools on the same problems: it mends bad plans, keeps every promise, and repeats itself."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.problems.plan import Charge, Plan, check, timetable
from routing.problems.problem import (
    Battery,
    Break,
    Charger,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
    Weights,
)
from routing.solving.ortools_model import improve, propose
from tests.routing.random_problems import FEW, plans, priced, rich_problems, verdict

LINE = np.abs(np.arange(0, 110, 10)[:, None] - np.arange(0, 110, 10)[None, :])
ROAD = Profile.of(LINE)
WASH_AT_5 = Profile.of(LINE, washed_s=LINE[:, 5, None] + LINE[None, 5, :] + 300)


def carry(key: str, start: int, goal: int, goods: int | None = None) -> Request:
    stops = (Stop(node=start, load=(1,)), Stop(node=goal, load=(-1,)))
    return Request(id=key, stops=stops, goods=goods)


def look(key: str, node: int, latest_s: int | None = None, service_s: int = 0) -> Request:
    stop = Stop(node=node, load=(0,), latest_s=latest_s, service_s=service_s)
    return Request(id=key, stops=(stop,))


def cart(key: str, start: int) -> Slot:
    return Slot(id=key, profile=0, start=start, ready_s=100, capacity=(2,))


def asked(
    *requests: Request,
    profile: Profile = ROAD,
    slots: tuple[Slot, ...] = (),
    goods: GoodsRules | None = None,
) -> Problem:
    slots = slots or SLOTS
    return Problem(profiles=(profile,), requests=requests, slots=slots, now_s=100, goods=goods)


def both(*keys: str) -> tuple[Visit, ...]:
    return tuple(Visit(key, n) for key in keys for n in (0, 1))


def one(*keys: str) -> tuple[Visit, ...]:
    return tuple(Visit(key, 0) for key in keys)


def improved(problem: Problem, *routes: tuple[Visit, ...], cpu_s: float | None = None) -> Plan:
    """What becomes of a plan that may be carried out."""
    start = priced(problem, *routes)
    assert check(problem, start) is None
    plan = improve(problem, start, cpu_s=cpu_s)
    assert plan is not None
    assert plan.cost <= start.cost
    return plan


SLOTS = (cart("left", 0), cart("right", 10))
CROSSED = asked(carry("a", 1, 2), carry("b", 9, 8), carry("c", 2, 3))


# -- what it makes of plans


def test_a_bad_plan_is_mended() -> None:
    plan = improved(CROSSED, both("b"), both("a", "c"))
    assert set(plan.routes[0]) == set(both("a", "c"))
    assert plan.routes[1] == both("b")


def test_with_time_it_searches_on() -> None:
    assert improved(CROSSED, both("b"), both("a", "c"), cpu_s=0.1).routes[1] == both("b")


def test_with_time_it_keeps_a_plan_that_can_not_be_better() -> None:
    best = improved(CROSSED, both("b"), both("a", "c"))
    assert improved(CROSSED, *best.routes, cpu_s=0.05) == best


def test_what_was_left_out_is_taken_in() -> None:
    assert not improved(CROSSED, both("a"), both("b")).unplanned


def test_it_can_begin_with_nothing() -> None:
    assert not improved(CROSSED, (), ()).unplanned


def test_what_costs_more_than_leaving_it_out_is_left_out() -> None:
    a = replace(CROSSED.requests[0], drop_penalty=1)
    problem = asked(a, *CROSSED.requests[1:])
    assert improved(problem, both("a", "c"), both("b")).unplanned.keys() == {"a"}


def test_plain_descent_ends_and_repeats_itself() -> None:
    problem = scattered(20, 4)
    start = priced(problem, *(both(*(f"r{n}" for n in range(v, 20, 4))) for v in range(4)))
    first = improve(problem, start)
    assert first is not None
    assert first.cost < start.cost
    assert first == improve(problem, start)


def scattered(count: int, vehicles: int) -> Problem:
    rng = random.Random("scattered")
    at = np.array([[rng.randint(0, 300), rng.randint(0, 300)] for _ in range(30)])
    apart = np.abs(at[:, None, :] - at[None, :, :]).sum(axis=2)
    requests = (carry(f"r{n}", *rng.sample(range(30), 2)) for n in range(count))
    slots = tuple(cart(f"v{n}", n) for n in range(vehicles))
    return asked(*requests, profile=Profile.of(apart), slots=slots)


# -- promises


def test_allowed_vehicles_are_kept_to() -> None:
    b = replace(CROSSED.requests[1], allowed=(0,))
    problem = replace(CROSSED, requests=(CROSSED.requests[0], b, CROSSED.requests[2]))
    assert set(both("b")) <= set(improved(problem, both("b"), both("a", "c")).routes[0])


def test_a_vehicle_still_begins_as_it_was_told() -> None:
    told = replace(SLOTS[0], committed=one("b"))
    problem = replace(CROSSED, slots=(told, SLOTS[1]))
    assert improved(problem, both("b"), both("a", "c")).routes[0][0] == Visit("b", 0)


def test_goods_on_board_are_brought_by_who_has_them() -> None:
    aboard = Request(id="d", stops=(Stop(node=10, load=(-1,)),), aboard=0)
    problem = replace(CROSSED, requests=(*CROSSED.requests, aboard))
    plan = improved(problem, (*one("d"), *both("b")), both("a", "c"))
    assert Visit("d", 0) in plan.routes[0]


def test_a_vehicle_that_holds_more_than_it_may_keeps_its_route() -> None:
    aboard = Request(id="d", stops=(Stop(node=10, load=(-3,)),), aboard=0)
    problem = replace(CROSSED, requests=(*CROSSED.requests, aboard))
    assert improved(problem, one("d"), both("a", "b", "c")).routes[0] == one("d")


def test_who_charges_keeps_its_route() -> None:
    battery = Battery(capacity_j=100, now_j=10, per_m_j=1)
    slots = (replace(SLOTS[0], battery=battery), SLOTS[1])
    problem = replace(CROSSED, slots=slots, chargers=(Charger(node=0),))
    charges = ((Charge(before=0, charger=0, charge_s=90),), ())
    start = priced(problem, both("c"), both("b", "a"), charges=charges)
    assert check(problem, start) is None
    plan = improve(problem, start)
    assert plan is not None
    assert plan.charges == charges
    assert plan.routes[0] == both("c")


# -- prices


def test_a_vehicle_with_a_price_stays_at_home() -> None:
    slots = (SLOTS[0], replace(SLOTS[1], price=1000))
    problem = replace(CROSSED, slots=slots)
    assert improved(problem, both("a", "c"), both("b")).routes[1] == ()


def test_a_request_stays_where_it_was_if_changes_are_dear() -> None:
    b = replace(CROSSED.requests[1], last_slot=0)
    problem = asked(CROSSED.requests[0], b)
    routes = both("a", "b"), ()
    assert improved(problem, *routes).routes[1] == both("b")
    dear = replace(problem, weights=Weights(change=5000))
    assert improved(dear, *routes).routes[0] == both("a", "b")


def test_work_is_shared_if_that_has_a_price() -> None:
    problem = asked(*(look(f"l{n}", 0) for n in range(4)), slots=(cart("one", 0), cart("two", 1)))
    routes = one("l0", "l1", "l2", "l3"), ()
    assert len(improved(problem, *routes).routes[1]) == 0
    fair = replace(problem, weights=Weights(imbalance=100))
    assert len(improved(fair, *routes).routes[1]) == 2


def test_who_is_late_at_a_price_goes_first() -> None:
    late = replace(look("late", 5, service_s=100), due_s=300, late_weight=100)
    problem = asked(look("early", 5, service_s=100), late, slots=SLOTS[:1])
    assert improved(problem, one("early", "late")).routes[0] == one("late", "early")


def test_the_largest_prices_do_not_overflow() -> None:
    dear = [
        replace(request, late_weight=10**9, drop_penalty=10**15, due_s=0)
        for request in CROSSED.requests
    ]
    weights = Weights(flow_s=10**9, metre=10**9, change=10**9, imbalance=10**9, waiting_s=1)
    problem = replace(CROSSED, requests=tuple(dear), weights=weights)
    plan = improved(problem, both("b"), both("a", "c"))
    assert plan.routes[1] == both("b")
    assert not plan.unplanned


# -- times


def test_an_impossible_window_stays_out() -> None:
    never = Request(id="n", stops=(Stop(node=1, load=(0,), earliest_s=500, latest_s=400),))
    problem = replace(CROSSED, requests=(*CROSSED.requests, never))
    assert improved(problem, both("b"), both("a", "c")).unplanned.keys() == {"n"}


def test_a_stop_that_is_closed_for_long_comes_later() -> None:
    shut = Request(id="shut", stops=(Stop(node=1, load=(0,), closed=((0, 110), (115, 900))),))
    problem = asked(look("open", 8), shut, slots=(cart("left", 3),))
    assert improved(problem, one("shut", "open")).routes[0] == one("open", "shut")


def test_always_closed_is_never() -> None:
    stop = Stop(node=1, load=(0,), latest_s=800, closed=((0, 900),))
    problem = replace(CROSSED, requests=(*CROSSED.requests, Request(id="n", stops=(stop,))))
    assert "n" in improved(problem, both("b"), both("a", "c")).unplanned


def test_who_has_a_break_is_not_given_what_can_not_wait() -> None:
    lunch = Break(earliest_s=100, latest_s=100, duration_s=600)
    slots = (replace(SLOTS[0], breaks=(lunch,)), SLOTS[1])
    urgent = replace(look("urgent", 1), due_s=300)
    problem = asked(urgent, look("soon", 2, latest_s=400), slots=slots)
    assert set(improved(problem, (), one("urgent")).routes[1]) == set(one("urgent", "soon"))


def test_a_break_lies_between_two_visits() -> None:
    lunch = Break(earliest_s=150, latest_s=180, duration_s=60)
    problem = asked(look("a", 1), look("b", 9), slots=(replace(SLOTS[0], breaks=(lunch,)),))
    plan = improved(problem, one("b", "a"))
    assert plan.routes[0] == one("a", "b")
    assert timetable(problem, plan)[0][1].start_s >= 190 + 60


def test_a_shift_ends_with_the_way_home() -> None:
    slots = (replace(SLOTS[0], end=0, shift_end_s=150), SLOTS[1])
    problem = asked(look("near", 2), look("far", 3), slots=slots)
    assert improved(problem, (), one("far", "near")).routes[0] == one("near")


def test_who_may_not_drive_far_stays_near() -> None:
    slots = (replace(SLOTS[0], range_m=25), SLOTS[1])
    problem = asked(look("near", 2), look("far", 3), slots=slots)
    assert improved(problem, (), one("far", "near")).routes[0] == one("near")


# -- batteries


def powered(now_j: int, per_m_j: int = 1, per_s_j: int = 0) -> tuple[Slot, ...]:
    battery = Battery(capacity_j=10**15, now_j=now_j, per_m_j=per_m_j, per_s_j=per_s_j)
    return (replace(SLOTS[0], battery=battery), SLOTS[1])


def test_a_battery_lasts_for_the_way_to_a_charger_too() -> None:
    problem = asked(look("near", 2), look("far", 3), slots=powered(now_j=59))
    assert len(improved(problem, (), one("far", "near")).routes[0]) == 2
    problem = replace(problem, chargers=(Charger(node=0),))
    assert improved(problem, (), one("far", "near")).routes[0] == one("near")


def test_waiting_takes_from_a_battery() -> None:
    stop = Stop(node=1, load=(0,), earliest_s=1000)
    problem = asked(Request(id="later", stops=(stop,)), slots=powered(now_j=500, per_s_j=1))
    assert improved(problem, (), one("later")).routes[1] == one("later")
    problem = replace(problem, slots=powered(now_j=900, per_s_j=1))
    assert improved(problem, (), one("later")).routes[0] == one("later")


def test_a_huge_battery_is_counted_in_parts() -> None:
    problem = asked(look("near", 2), look("far", 3), slots=powered(10**15, per_m_j=40 * 10**12))
    assert improved(problem, (), one("far", "near")).routes[0] == one("near")


# -- goods

ONLY_CLEAN_FIRST = GoodsRules(follow=((True, True), (False, True)), share=((True,) * 2,) * 2)
"""Clean is 0, dirty is 1."""
ONLY_SHARED = GoodsRules(follow=((True, True),) * 2, share=((True, True),) * 2)
APART = GoodsRules(follow=((True, True),) * 2, share=((True, False), (False, True)))


def test_goods_that_may_not_share_are_carried_one_after_the_other() -> None:
    requests = carry("a", 1, 9, goods=0), carry("b", 2, 8, goods=1)
    mixed = Visit("a", 0), Visit("b", 0), Visit("b", 1), Visit("a", 1)
    friends = asked(*requests, slots=SLOTS[:1], goods=ONLY_SHARED)
    assert improved(friends, both("b", "a")).routes[0] == mixed
    apart = asked(*requests, slots=SLOTS[:1], goods=APART)
    assert improved(apart, both("b", "a")).routes[0] == both("a", "b")


def test_what_is_on_board_may_not_share_either() -> None:
    aboard = Request(id="d", stops=(Stop(node=3, load=(-1,)),), aboard=0, goods=0)
    problem = asked(aboard, carry("b", 2, 1, goods=1), slots=SLOTS[:1], goods=APART)
    assert improved(problem, one("d")).routes[0] == (*one("d"), *both("b"))


def clean_and_dirty(**dirty: int) -> Problem:
    requests = replace(carry("dirty", 1, 2, goods=1), **dirty), carry("clean", 3, 4, goods=0)
    return asked(*requests, profile=WASH_AT_5, slots=SLOTS[:1], goods=ONLY_CLEAN_FIRST)


def test_clean_goods_go_before_dirty_ones_rather_than_after_a_wash() -> None:
    routes = improved(clean_and_dirty(), both("dirty", "clean")).routes
    assert routes[0] == both("clean", "dirty")


def test_a_wash_is_worth_it_if_dirty_goods_are_urgent() -> None:
    problem = clean_and_dirty(due_s=140, late_weight=1000)
    assert improved(problem, both("clean", "dirty")).routes[0] == both("dirty", "clean")


def test_without_a_station_dirty_vehicles_get_no_clean_goods() -> None:
    slots = (replace(SLOTS[0], carried=(1,)), SLOTS[1])
    problem = replace(CROSSED, slots=slots, goods=ONLY_CLEAN_FIRST)
    problem = replace(problem, requests=tuple(replace(r, goods=0) for r in problem.requests))
    assert improved(problem, (), both("b")).routes[0] == ()


def test_ways_that_are_closed_to_goods_are_not_driven_with_goods() -> None:
    loaded_s = LINE.copy()
    loaded_s[1, 9] = loaded_s[9, 1] = 1_000_000_000
    closed = Profile.of(LINE, loaded_s=loaded_s)
    problem = asked(carry("a", 1, 9), carry("b", 2, 3), profile=closed, slots=SLOTS[:1])
    assert improved(problem, both("b")).routes[0] == (Visit("a", 0), *both("b"), Visit("a", 1))


# -- requests of more stops


def round_trip(*, fixed: bool, goods: int | None = None) -> Request:
    drops = (Stop(node=node, load=(-1,)) for node in (8, 4))
    stops = (Stop(node=2, load=(2,)), *drops)
    return Request(id="m", stops=stops, fixed_order=fixed, goods=goods)


def test_drop_offs_are_put_in_order_unless_it_is_fixed() -> None:
    visits = tuple(Visit("m", n) for n in range(3))
    shorter = (Visit("m", 0), Visit("m", 2), Visit("m", 1))
    free = asked(round_trip(fixed=False), slots=SLOTS[:1])
    assert improved(free, visits).routes[0] == shorter
    assert improved(asked(round_trip(fixed=True), slots=SLOTS[:1]), visits).routes[0] == visits


def test_goods_for_several_drop_offs_are_on_board_until_the_last() -> None:
    visits = tuple(Visit("m", n) for n in range(3))
    requests = round_trip(fixed=False, goods=0), carry("b", 5, 6, goods=1)
    problem = asked(*requests, slots=SLOTS[:1], goods=APART)
    assert improved(problem, visits).routes[0] in ((*visits, *both("b")), (*both("b"), *visits))


# -- weird questions


def test_nothing_to_do_and_nobody_to_do_it_have_no_answer() -> None:
    assert improve(Problem(profiles=(), requests=(), slots=()), Plan(routes=())) is None
    assert improve(asked(), Plan(routes=((), ()))) is None
    assert improve(CROSSED, Plan(routes=())) is None
    assert improve(CROSSED, Plan(routes=(both("unknown"), ()))) is None


def test_no_time_has_no_answer() -> None:
    start = priced(CROSSED, both("b"), both("a", "c"))
    assert improve(CROSSED, start, cpu_s=0) is None
    assert improve(CROSSED, start, cpu_s=-1) is None


def test_who_is_ready_years_later_keeps_its_route() -> None:
    problem = replace(CROSSED, slots=(SLOTS[0], replace(SLOTS[1], ready_s=10**9)))
    plan = improved(problem, both("c", "a"), both("b"))
    assert plan.routes == (both("a", "c"), both("b"))


@pytest.mark.long
@FEW
@given(st.data())
def test_whatever_is_asked_the_answer_is_whole_and_repeats_itself(data: st.DataObject) -> None:
    problem = data.draw(rich_problems())
    start = data.draw(plans(problem))
    routes = propose(problem, start)
    assert propose(problem, start) == routes
    if routes is not None and verdict(problem, start) is None:
        answer = priced(problem, *map(tuple, routes), charges=start.charges)
        assert verdict(problem, answer) not in WRONG


WRONG = {"torn", "not_allowed", "committed", "order", "capacity", "share", "charges", "loaded"}
"""Faults that a proposal never has. Breaks and ways that depend on the load are guessed."""
