"""Reasons are true: whoever does away with what is named gets the request into the route."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from routing.problems.plan import Plan
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
    Table,
    Visit,
)
from routing.refusal import Refusal
from routing.roads.paths import UNREACHABLE_S
from routing.search.board import Board
from routing.solving.solver import Budget, Stage, explain, insert, solve
from tests.routing.boards import LINE, carry, cart, look, numbers, on_line
from tests.routing.random_problems import FEW, rich_problems

PLENTY = 10**8
SMALL = Battery(capacity_j=50, now_j=50, per_m_j=1)


def lifted(problem: Problem, request: str, vehicle: str, code: str, amount: int) -> Problem:
    """The problem with one rule lifted for a slot, by ``amount`` where it has one."""
    number = slot_number(problem, vehicle)
    old = problem.slots[number]

    def with_slot(new: Slot) -> Problem:
        return replace(problem, slots=(*problem.slots[:number], new, *problem.slots[number + 1 :]))

    def yes(rule: tuple[tuple[bool, ...], ...]) -> tuple[tuple[bool, ...], ...]:
        return ((True,) * len(rule),) * len(rule)

    match code:
        case "over_capacity":
            return with_slot(replace(old, capacity=tuple(n + amount for n in old.capacity)))
        case "battery_range":
            return with_slot(replace(old, range_m=(old.range_m or 0) + amount))
        case "shift_over":
            return with_slot(replace(old, shift_end_s=(old.shift_end_s or 0) + amount))
        case "break_missed":
            return with_slot(replace(old, breaks=()))
        case "battery_low":
            b = old.battery
            assert b is not None
            more = replace(b, now_j=b.now_j + amount, capacity_j=b.capacity_j + amount)
            return with_slot(replace(old, battery=more))
        case "window_missed":
            return replace(problem, requests=tuple(later(r, amount) for r in problem.requests))
        case "not_allowed":
            free = [replace(r, allowed=None) if r.id == request else r for r in problem.requests]
            return replace(problem, requests=tuple(free))
        case "unreachable":
            return replace(problem, profiles=tuple(map(opened, problem.profiles)))
        case _:
            goods = problem.goods
            assert goods is not None
            if code == "unwashed":
                return replace(problem, goods=replace(goods, follow=yes(goods.follow)))
            assert code == "may_not_share"
            return replace(problem, goods=replace(goods, share=yes(goods.share)))


def later(request: Request, amount: int) -> Request:
    stops = tuple(
        stop if stop.latest_s is None else replace(stop, latest_s=stop.latest_s + amount)
        for stop in request.stops
    )
    return replace(request, stops=stops)


def opened(profile: Profile) -> Profile:
    """Ways everywhere, of no length where there was none."""

    def made(table: Table) -> Table:
        return tuple(tuple(0 if n >= UNREACHABLE_S else n for n in row) for row in table)

    return Profile(
        seconds=made(profile.seconds),
        metres=made(profile.metres),
        loaded_s=profile.loaded_s and made(profile.loaded_s),
        washed_s=profile.washed_s and made(profile.washed_s),
        washed_m=profile.washed_m and made(profile.washed_m),
    )


def slot_number(problem: Problem, vehicle: str) -> int:
    return [slot.id for slot in problem.slots].index(vehicle)


def extra(problem: Problem, plan: Plan, vehicle: str, request: str) -> float:
    """The least price of a request's stops together anywhere in a slot's route."""
    board, number = Board(problem), slot_number(problem, vehicle)
    route = numbers(board, plan.routes[number])
    board.set(number, route)
    before, least = float(board.tour.cost[number]), math.inf
    told = sum(visit in plan.routes[number] for visit in problem.slots[number].committed)
    stops = board.stops(problem.request_numbers[request])
    for i in range(told, len(route) + 1):
        if board.set(number, [*route[:i], *stops, *route[i:]]):
            least = min(least, float(board.tour.cost[number]) - before)
    return least


def amount_of(refusal: Refusal) -> int:
    named = ("over", "missing_m", "late_s", "over_s", "missing_j")
    return next((int(refusal.facts[name]) for name in named if name in refusal.facts), 0)


def believe(problem: Problem, plan: Plan, request: str, refusal: Refusal) -> None:
    """Fail unless a refusal tells the truth."""
    vehicle = str(refusal.facts["vehicle"])
    if refusal.code == "too_costly":
        assert refusal.facts["extra"] == extra(problem, plan, vehicle, request)
        assert int(refusal.facts["extra"]) >= int(refusal.facts["price"])
        return
    if refusal.code == "promise_broken":
        assert problem.bound[request] == slot_number(problem, vehicle)
        return
    if refusal.code == "charger_taken":
        return
    assert extra(problem, plan, vehicle, request) == math.inf or refusal.code == "not_allowed"
    easier = lifted(problem, request, vehicle, refusal.code, amount_of(refusal))
    for code in filter(None, str(refusal.facts.get("also", "")).split(", ")):
        easier = lifted(easier, request, vehicle, code, PLENTY)
    assert extra(easier, plan, vehicle, request) < math.inf, (request, str(refusal))


@pytest.mark.long
@settings(FEW, max_examples=120)
@given(rich_problems())
def test_reasons_of_the_first_answer_are_true(problem: Problem) -> None:
    plan = insert(problem)
    for request, refusal in plan.unplanned.items():
        believe(problem, plan, request, refusal)


@pytest.mark.long
@settings(FEW, max_examples=40)
@given(rich_problems())
def test_reasons_after_a_search_are_true(problem: Problem) -> None:
    rounds = Budget(iterations=10, stages=frozenset({Stage.RUIN_RECREATE}))
    plan = solve(problem, budget=rounds)
    for request, refusal in plan.unplanned.items():
        believe(problem, plan, request, refusal)


@pytest.mark.long
@settings(FEW, max_examples=40)
@given(rich_problems())
def test_each_vehicle_explains_itself_truly(problem: Problem) -> None:
    plan = insert(problem)
    for request in plan.unplanned.keys() - problem.bound.keys():
        for vehicle, told in explain(problem, request, plan):
            if isinstance(told, Refusal):
                believe(problem, plan, request, told)
            else:
                assert told == extra(problem, plan, vehicle, request)


def reason(problem: Problem) -> Refusal:
    """Why the only request is left out."""
    (refusal,) = insert(problem).unplanned.values()
    return refusal


def test_who_may_not_also_says_what_else_would_be_in_the_way() -> None:
    nobody = replace(carry("r", 1, 2, mass=9), allowed=())
    told = reason(on_line(nobody))
    assert (told.code, told.facts["also"]) == ("not_allowed", "over_capacity")
    assert "also" not in reason(on_line(replace(nobody, stops=carry("r", 1, 2).stops))).facts


def test_what_lies_behind_a_way_that_is_not_there_is_told() -> None:
    cut = LINE.copy()
    cut[:10, 10] = UNREACHABLE_S
    problem = on_line(carry("r", 1, 10, mass=9), slots=[replace(cart("v"), shift_end_s=5)])
    told = reason(replace(problem, profiles=(Profile.of(cut),)))
    assert told.code == "unreachable"
    assert told.facts["also"] == "over_capacity, shift_over"


def test_two_dimensions_may_be_short() -> None:
    big = Request(id="r", stops=(Stop(node=1, load=(9, 7)),))
    told = reason(on_line(big, slots=[replace(cart("v"), capacity=(8, 4))]))
    assert told.code == "over_capacity"
    assert (told.facts["dimension"], told.facts["over"]) == (1, 3)
    assert told.facts["also"] == "over_capacity"


def test_no_charge_is_enough_where_no_way_leads_to_a_charger() -> None:
    cut = LINE.copy()
    cut[:10, 10] = UNREACHABLE_S
    electric = replace(cart("v"), battery=Battery(capacity_j=500, now_j=500, per_m_j=1))
    problem = replace(
        on_line(look("r", 5), slots=[electric]),
        profiles=(Profile.of(cut),),
        chargers=(Charger(node=10),),
    )
    assert reason(problem).code == "unreachable"


def test_the_nearest_of_several_vehicles_is_named() -> None:
    problem = on_line(
        look("r", 9, latest_s=30), slots=[cart("far"), cart("near", 5), cart("late", 3)]
    )
    assert reason(problem) == Refusal("window_missed", {"vehicle": "near", "late_s": 10})


@pytest.mark.parametrize(
    ("slot", "code", "amount"),
    [
        (
            replace(cart("v"), battery=Battery(capacity_j=50, now_j=50, per_m_j=1)),
            "battery_low",
            40,
        ),
        (
            replace(
                cart("v"), ready_s=30, breaks=(Break(earliest_s=0, latest_s=20, duration_s=5),)
            ),
            "break_missed",
            10,
        ),
        (replace(cart("v"), shift_end_s=80), "shift_over", 10),
        (replace(cart("v"), range_m=80), "battery_range", 10),
    ],
)
def test_amounts(slot: Slot, code: str, amount: int) -> None:
    told = reason(on_line(look("r", 9), slots=[slot]))
    assert (told.code, amount_of(told)) == (code, amount)


def test_goods_that_may_not_follow_need_a_wash() -> None:
    apart = GoodsRules(follow=((True, False), (True, True)), share=((True, True), (True, True)))
    clean = replace(carry("r", 1, 2), goods=1)
    dirty = replace(cart("v"), carried=(0,))
    assert reason(on_line(clean, slots=[dirty], goods=apart)).code == "unwashed"


def test_a_promise_that_cannot_be_kept_does_not_break_the_next() -> None:
    cut = LINE.copy()
    cut[:10, 10] = cut[10, :10] = UNREACHABLE_S
    told = (Visit("lost", 0), Visit("kept", 0))
    problem = on_line(look("lost", 10), look("kept", 5), slots=[replace(cart("v"), committed=told)])
    plan = insert(replace(problem, profiles=(Profile.of(cut),)))
    assert plan.routes == ((Visit("kept", 0),),)
    assert plan.unplanned["lost"] == Refusal("promise_broken", {"vehicle": "v"})
