"""Insertions by hand: where a request goes, who comes first, and why something is left out."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from routing.problems.plan import Plan, check, timetable
from routing.problems.problem import Problem, Profile, Request, Slot, Stop, Visit
from routing.refusal import Fact
from routing.roads.paths import UNREACHABLE_S
from routing.search.board import Board
from routing.solving.finish import finish
from routing.solving.insertion import build

LINE = np.abs(np.arange(0, 110, 10)[:, None] - np.arange(0, 110, 10)[None, :])
"""Eleven nodes in a row, 10 m and 10 s apart."""


def carry(key: str, start: int, *goals: int, mass: int = 1) -> Request:
    drops = tuple(Stop(node=goal, load=(-mass,)) for goal in goals)
    return Request(id=key, stops=(Stop(node=start, load=(mass * len(goals),)), *drops))


def cart(key: str, start: int, capacity: int = 4) -> Slot:
    return Slot(id=key, profile=0, start=start, ready_s=0, capacity=(capacity,))


def problem(requests: tuple[Request, ...], *slots: Slot) -> Problem:
    return Problem(profiles=(Profile.of(LINE),), requests=requests, slots=slots)


def planned(asked: Problem, start: Plan | None = None) -> Plan:
    board = Board(asked)
    build(board, start)
    plan = finish(board)
    assert check(asked, plan) is None
    return plan


def test_a_request_on_the_way_is_taken_along() -> None:
    asked = problem((carry("far", 1, 9), carry("near", 3, 5)), cart("v", 0))
    (route,) = planned(asked).routes
    assert route == (Visit("far", 0), Visit("near", 0), Visit("near", 1), Visit("far", 1))


def test_a_full_cart_goes_twice() -> None:
    asked = problem((carry("far", 1, 9), carry("near", 3, 5)), cart("v", 0, capacity=1))
    (route,) = planned(asked).routes
    assert [visit.request for visit in route] in (
        ["near"] * 2 + ["far"] * 2,
        ["far"] * 2 + ["near"] * 2,
    )


def test_who_is_not_worth_a_vehicle_comes_along_with_who_is() -> None:
    ask = Request(id="cheap", stops=(Stop(node=0, load=(0,)),), drop_penalty=500)
    dear = replace(ask, id="dear", drop_penalty=100_000)
    carts = tuple(replace(cart(key, 0), price=500) for key in ("a", "b"))
    assert planned(problem((ask, dear), *carts)).unplanned == {}


def test_drop_offs_are_made_in_the_best_order() -> None:
    (route,) = planned(problem((carry("meals", 0, 9, 2, 5),), cart("v", 0))).routes
    assert [visit.stop for visit in route] == [0, 2, 3, 1]
    fixed = replace(carry("meals", 0, 9, 2, 5), fixed_order=True)
    (route,) = planned(problem((fixed,), cart("v", 0))).routes
    assert [visit.stop for visit in route] == [0, 1, 2, 3]


def test_who_has_only_one_vehicle_gets_it_first() -> None:
    """Both want the near cart; only the picky one has no other, and a cart takes one in time."""
    stops = (Stop(node=1, service_s=100, load=(0,), latest_s=50),)
    easy, picky = Request(id="easy", stops=stops), Request(id="picky", stops=stops, allowed=(0,))
    plan = planned(problem((easy, picky), cart("near", 1), cart("far", 4)))
    assert plan.routes == ((Visit("picky", 0),), (Visit("easy", 0),))


def test_the_urgent_one_goes_first() -> None:
    slow = Stop(node=5, service_s=300, load=(0,))
    calm = Request(id="calm", stops=(slow,), due_s=5000)
    stat = Request(id="stat", stops=(slow,), due_s=400, late_weight=100)
    (route,) = planned(problem((calm, stat), cart("v", 5))).routes
    assert route[0].request == "stat"


@pytest.mark.parametrize(
    ("request_", "code", "facts"),
    [
        (carry("r", 1, 2, mass=9), "over_capacity", {"over": 5, "dimension": 0}),
        (carry("r", 1, 10), "unreachable", {}),
        (replace(carry("r", 1, 2), allowed=()), "not_allowed", {}),
        (
            Request(id="r", stops=(Stop(node=9, load=(0,), latest_s=30),)),
            "window_missed",
            {"late_s": 20, "vehicle": "near"},
        ),
        (replace(carry("r", 1, 2), drop_penalty=5), "too_costly", {"price": 5}),
    ],
)
def test_whatever_is_left_out_says_why(
    request_: Request, code: str, facts: Mapping[str, Fact]
) -> None:
    cut = LINE.copy()
    cut[:10, 10] = UNREACHABLE_S
    asked = replace(
        problem((request_,), cart("far", 0), cart("near", 4)), profiles=(Profile.of(cut),)
    )
    reason = planned(asked).unplanned["r"]
    assert reason.code == code
    assert facts.items() <= reason.facts.items()


def test_a_short_shift_and_a_short_range_are_reasons() -> None:
    ask = (carry("r", 5, 9),)
    tired = replace(cart("v", 0), shift_end_s=80)
    assert planned(problem(ask, tired)).unplanned["r"].code == "shift_over"
    empty = replace(cart("v", 0), range_m=60)
    reason = planned(problem(ask, empty)).unplanned["r"]
    assert (reason.code, reason.facts["missing_m"]) == ("battery_range", 30)


def test_a_plan_is_continued_not_made_anew() -> None:
    old = problem((carry("a", 1, 9), carry("b", 3, 5)), cart("v", 0), cart("w", 10))
    before = planned(old)
    new = replace(old, requests=(*old.requests, carry("c", 9, 10)))
    after = planned(new, before)
    for route, longer in zip(before.routes, after.routes, strict=True):
        assert [visit for visit in longer if visit.request != "c"] == list(route)


def test_what_no_longer_fits_is_put_elsewhere() -> None:
    asked = problem((carry("a", 1, 9),), cart("v", 0), cart("w", 10))
    before = planned(asked)
    assert before.routes[0]
    broken = replace(asked, requests=(replace(asked.requests[0], allowed=(1,)),))
    assert planned(broken, before).routes[1]


def test_a_committed_vehicle_begins_as_told_and_keeps_its_goods() -> None:
    told = replace(cart("v", 0), committed=(Visit("far", 0),))
    aboard = Request(id="aboard", stops=(Stop(node=10, load=(-1,)),), aboard=0)
    asked = problem((carry("far", 8, 9), carry("near", 1, 2), aboard), told, cart("w", 10))
    plan = planned(asked)
    assert plan.routes[0][0] == Visit("far", 0)
    assert Visit("aboard", 0) in plan.routes[0]
    assert timetable(asked, plan)[0][0].load == (2,)


def test_goods_on_board_of_a_vehicle_that_cannot_get_there_are_left_out_with_the_reason() -> None:
    cut = LINE.copy()
    cut[:10, 10] = UNREACHABLE_S
    aboard = Request(id="aboard", stops=(Stop(node=10, load=(-1,)),), aboard=0)
    asked = replace(problem((aboard, carry("r", 1, 2)), cart("v", 0)), profiles=(Profile.of(cut),))
    plan = planned(asked)
    assert plan.unplanned["aboard"].code == "promise_broken"
    assert plan.routes == ((Visit("r", 0), Visit("r", 1)),)


def test_a_great_crowd_is_put_in_by_urgency() -> None:
    crowd = tuple(
        replace(carry(f"r{n:02}", n % 11, (n * 7 + 3) % 11), due_s=5000 - n) for n in range(60)
    )
    slots = tuple(cart(f"v{n:02}", n % 11) for n in range(70))
    plan = planned(problem(crowd, *slots))
    assert not plan.unplanned
