"""The judge names what is wrong: one good plan, and every way to spoil it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from routing.problems.plan import Plan, check, cost, timetable
from routing.problems.problem import Problem, Profile, Request, Slot, Stop, Visit
from routing.refusal import Refusal
from routing.roads.paths import UNREACHABLE_S

APART = np.array([[0, 10, 20, 90], [10, 0, 10, 90], [20, 10, 0, 90], [90, 90, 90, 0]])
PICK, DROP = Visit("food", 0), Visit("food", 1)
LOOK = Visit("look", 0)

FOOD = Request(
    id="food",
    stops=(
        Stop(node=1, service_s=5, load=(3,)),
        Stop(node=2, service_s=5, load=(-3,), latest_s=100),
    ),
    due_s=30,
    late_weight=7,
)
LOOK_ROUND = Request(id="look", stops=(Stop(node=2, service_s=60, load=(0,), earliest_s=50),))
CART = Slot(id="cart", profile=0, start=0, ready_s=0, capacity=(4,))
OTHER = Slot(id="other", profile=0, start=0, ready_s=0, capacity=(4,))
PROBLEM = Problem(profiles=(Profile.of(APART),), requests=(FOOD, LOOK_ROUND), slots=(CART, OTHER))


def plan(
    *routes: tuple[Visit, ...],
    unplanned: Mapping[str, Refusal] | None = None,
    problem: Problem = PROBLEM,
) -> Plan:
    made = Plan(routes=routes, unplanned=unplanned or {})
    return replace(made, cost=cost(problem, made)) if len(routes) == 2 else made


GOOD = plan((PICK, DROP), (LOOK,))


def verdict(made: Plan, problem: Problem = PROBLEM) -> str | None:
    fault = check(problem, made)
    return fault.code if fault else None


def with_slot(**changes: int) -> Problem:
    return replace(PROBLEM, slots=(replace(CART, **changes), OTHER))  # pyright: ignore[reportArgumentType]


def with_food(request: Request) -> Problem:
    return replace(PROBLEM, requests=(request, LOOK_ROUND))


def test_a_good_plan_passes_and_its_times_are_known() -> None:
    assert verdict(GOOD) is None
    (pick, drop), (look,) = timetable(PROBLEM, GOOD)
    assert (pick.arrive_s, pick.start_s, pick.end_s, pick.load) == (10, 10, 15, (3,))
    assert (drop.arrive_s, drop.end_s, drop.load, drop.driven_m) == (25, 30, (0,), 20)
    assert (look.arrive_s, look.start_s, look.end_s) == (20, 50, 110)


def test_the_price_is_flow_and_metres_lateness_and_change() -> None:
    assert GOOD.cost == (30 + 110) + (20 + 20)
    hurried = with_food(replace(FOOD, due_s=20, last_slot=1))
    assert cost(hurried, GOOD) == GOOD.cost + 10 * 7 + 60
    long_waiting = replace(hurried, now_s=1800)
    assert cost(long_waiting, GOOD) == GOOD.cost + 10 * 14 + 60


def test_flow_counts_from_the_release() -> None:
    later = with_food(replace(FOOD, release_s=4))
    assert cost(later, GOOD) == GOOD.cost - 4


def test_each_slot_that_does_something_has_its_price() -> None:
    dear = replace(PROBLEM, slots=(replace(CART, price=500), replace(OTHER, price=7)))
    assert cost(dear, GOOD) == GOOD.cost + 507
    alone = plan((), (LOOK,), unplanned={"food": Refusal("over_capacity")}, problem=dear)
    assert alone.cost == 1_000_000 + 110 + 20 + 7


def test_requests_not_stops_are_shared_out_evenly() -> None:
    fair = replace(PROBLEM, weights=replace(PROBLEM.weights, imbalance=1000))
    assert cost(fair, GOOD) == GOOD.cost + 1000 * (1 + 1)
    both = (PICK, DROP, LOOK), ()
    assert plan(*both, problem=fair).cost == plan(*both).cost + 1000 * 4


def test_nobody_has_a_battery_here() -> None:
    assert {row.energy_j for rows in timetable(PROBLEM, GOOD) for row in rows} == {None}


def test_leaving_out_costs_the_drop_penalty() -> None:
    left_out = plan((), (LOOK,), unplanned={"food": Refusal("over_capacity")})
    assert verdict(left_out) is None
    assert left_out.cost == 1_000_000 + 110 + 20


def test_a_route_home_is_driven_too() -> None:
    problem = with_slot(end=0)
    assert cost(problem, GOOD) == GOOD.cost + 20


@pytest.mark.parametrize(
    ("code", "spoilt"),
    [
        ("routes", plan((PICK, DROP, LOOK))),
        ("lost", plan((PICK, DROP), ())),
        ("lost", plan((PICK, DROP), (LOOK,), unplanned={"look": Refusal("x")})),
        ("torn", plan((PICK,), (LOOK, DROP))),
        ("torn", plan((PICK,), (LOOK,))),
        ("torn", plan((PICK, DROP, DROP), (LOOK,))),
        ("order", plan((DROP, PICK), (LOOK,))),
        ("window", plan((PICK, LOOK, DROP), ())),
        ("cost", replace(GOOD, cost=GOOD.cost + 1)),
    ],
)
def test_a_spoilt_plan_is_named(code: str, spoilt: Plan) -> None:
    assert verdict(spoilt) == code


def test_unknown_requests_are_found() -> None:
    ghost = replace(GOOD, routes=((PICK, DROP), (LOOK, Visit("ghost", 0))))
    assert verdict(ghost) == "unknown"
    assert verdict(replace(GOOD, unplanned={"ghost": Refusal("x")})) == "unknown"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("capacity", replace(PROBLEM, slots=(replace(CART, capacity=(2,)), OTHER))),
        ("shift", with_slot(shift_end_s=29)),
        ("range", with_slot(range_m=19)),
        ("not_allowed", with_food(replace(FOOD, allowed=(1,)))),
        ("order", with_food(replace(FOOD, stops=(FOOD.stops[1], FOOD.stops[0])))),
    ],
)
def test_the_same_plan_may_be_wrong_for_another_problem(code: str, problem: Problem) -> None:
    backwards = code == "order"
    made = plan((DROP, PICK) if backwards else (PICK, DROP), (LOOK,), problem=problem)
    assert verdict(made, problem) == code


def test_drop_offs_come_in_any_order_unless_it_is_fixed() -> None:
    round_ = Request(id="food", stops=(FOOD.stops[0], *(Stop(node=2, load=(0,)),) * 2))
    route = (PICK, Visit("food", 2), DROP)
    for fixed, code in ((False, None), (True, "order")):
        problem = with_food(replace(round_, fixed_order=fixed))
        assert verdict(plan(route, (LOOK,), problem=problem), problem) == code
        in_turn = plan((PICK, DROP, Visit("food", 2)), (LOOK,), problem=problem)
        assert verdict(in_turn, problem) is None


@pytest.mark.parametrize(("room", "code"), [(3, None), (2, "capacity")])
def test_a_vehicle_is_filled_to_the_last_gram(room: int, code: str | None) -> None:
    problem = replace(PROBLEM, slots=(replace(CART, capacity=(room,)), OTHER))
    assert verdict(plan((PICK, DROP), (LOOK,), problem=problem), problem) == code


def test_who_is_too_full_from_the_start_may_do_what_adds_nothing() -> None:
    heavy = Request(id="heavy", stops=(Stop(node=2, load=(-9,)),), aboard=0)
    problem = replace(PROBLEM, requests=(FOOD, LOOK_ROUND, heavy))
    left = Visit("heavy", 0)
    assert verdict(plan((LOOK, left), (PICK, DROP), problem=problem), problem) is None
    one_more = with_food(replace(FOOD, stops=(Stop(node=1, load=(1,)), Stop(node=2, load=(-1,)))))
    one_more = replace(one_more, requests=(*one_more.requests, heavy))
    assert verdict(plan((PICK, DROP, left), (LOOK,), problem=one_more), one_more) == "capacity"


def test_a_leg_without_a_way_is_found() -> None:
    cut = APART.copy()
    cut[1, 2] = UNREACHABLE_S
    problem = replace(PROBLEM, profiles=(Profile.of(cut),))
    assert verdict(plan((PICK, DROP), (LOOK,), problem=problem), problem) == "unreachable"


def test_with_goods_on_board_other_ways_count() -> None:
    cut = APART.copy()
    cut[1, 2] = UNREACHABLE_S
    problem = replace(PROBLEM, profiles=(Profile.of(APART, APART, cut),))
    assert verdict(plan((PICK, DROP), (LOOK,), problem=problem), problem) == "unreachable"


def test_a_vehicle_begins_as_it_was_told() -> None:
    told = replace(PROBLEM, slots=(replace(CART, committed=(PICK,)), OTHER))
    assert verdict(GOOD, told) is None
    late = plan((LOOK, PICK, DROP), (), problem=told)
    assert verdict(late, told) == "committed"
    elsewhere = plan((LOOK,), (PICK, DROP), problem=told)
    assert verdict(elsewhere, told) == "not_allowed"


def test_goods_on_board_stay_with_their_vehicle_and_outlast_their_window() -> None:
    aboard = replace(FOOD, stops=(replace(FOOD.stops[1], latest_s=5),), aboard=0)
    problem = with_food(aboard)
    drop = Visit("food", 0)
    made = plan((drop,), (LOOK,), problem=problem)
    assert verdict(made, problem) is None
    assert timetable(problem, made)[0][0].load == (0,)
    swapped = plan((LOOK,), (drop,), problem=problem)
    assert verdict(swapped, problem) == "not_allowed"
