"""When and where to charge on a route: found if need be, and as little as will do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from routing.problems.problem import Battery, Charger, Problem, Slot, Visit, Weights
from routing.search.board import Board
from routing.search.rate import rate
from tests.routing.boards import carry, cart, faults, judged_price, look, numbers, on_line
from tests.routing.random_problems import FEW
from tests.routing.solving.test_finish import crowds

SOME = Battery(capacity_j=100, now_j=45, per_m_j=1)


def electric(battery: Battery = SOME, start: int = 0) -> Slot:
    return replace(cart("v", start), battery=battery)


def laid(problem: Problem, *visits: tuple[str, int]) -> Board | None:
    """A board with the first slot's route; None = it can't be driven."""
    board = Board(problem)
    fits = board.set(0, numbers(board, [Visit(*visit) for visit in visits]))
    return board if fits else None


def charges(problem: Problem, *visits: tuple[str, int]) -> list[tuple[int, int, int]] | None:
    """Before which visit, at which charger and how long; None = the route can't be driven."""
    board = laid(problem, *visits)
    if board is None:
        return None
    rows = board.charges()
    return [(c.before, c.charger, c.charge_s) for c in rows[0]] if rows else []


AT_FIVE = (Charger(node=5),)


def test_who_has_enough_does_not_charge() -> None:
    full = replace(SOME, now_j=100)
    problem = replace(on_line(look("a", 5), slots=[electric(full)]), chargers=AT_FIVE)
    assert charges(problem, ("a", 0)) == []


def test_a_low_battery_gets_what_the_rest_of_the_route_needs() -> None:
    """15 J are left at the charger; 20 are needed to the visit and 20 back to a charger."""
    problem = replace(on_line(look("a", 7), slots=[electric(start=2)]), chargers=AT_FIVE)
    assert charges(replace(problem, weights=Weights(flow_s=1)), ("a", 0)) == [(0, 0, 25)]


def test_at_some_chargers_one_stays_until_full() -> None:
    chargers = (replace(AT_FIVE[0], full=True),)
    problem = replace(on_line(look("a", 7), slots=[electric(start=2)]), chargers=chargers)
    assert charges(problem, ("a", 0)) == [(0, 0, 85)]


def test_the_nearer_charger_is_taken_unless_it_is_for_others() -> None:
    near_and_far = (Charger(node=5, slots=(1,)), Charger(node=4))
    slots = [electric(start=2), cart("w")]
    problem = replace(on_line(look("a", 7), slots=slots), chargers=near_and_far)
    made = charges(problem, ("a", 0))
    assert made is not None
    assert [charger for _, charger, _ in made] == [1]


def test_goods_wait_for_no_charger_unless_they_may() -> None:
    asked = on_line(carry("a", 3, 8), slots=[electric(start=2)])
    strict = replace(asked, chargers=AT_FIVE, weights=Weights(flow_s=1))
    assert charges(strict, ("a", 0), ("a", 1)) == [(0, 0, 85)]
    small = replace(SOME, capacity_j=90)
    strict = replace(strict, slots=(electric(small, start=2),))
    assert charges(strict, ("a", 0), ("a", 1)) is None
    assert charges(replace(strict, charge_loaded=True), ("a", 0), ("a", 1)) == [(1, 0, 45)]


def test_charging_that_makes_it_late_is_no_way_out() -> None:
    late = on_line(look("a", 7, latest_s=60), slots=[electric(start=2)])
    assert charges(replace(late, chargers=AT_FIVE), ("a", 0)) is None


def test_twice_if_once_is_not_enough() -> None:
    problem = on_line(look("a", 10), look("b", 0), slots=[electric(start=2)])
    problem = replace(problem, chargers=(Charger(node=5), Charger(node=1)))
    made = charges(problem, ("a", 0), ("b", 0))
    assert made is not None
    assert [before for before, _, _ in made] == [0, 1]


@settings(FEW, max_examples=80)
@given(crowds())
def test_the_judge_counts_the_same_for_routes_with_charges(problem: Problem) -> None:
    board = Board(problem)
    everything = [stop for n in range(len(problem.requests)) for stop in board.stops(n)]
    for size in range(1, len(everything) + 1):
        if size < len(everything) and board.request(everything[size]) == board.request(
            everything[size - 1]
        ):
            continue
        visits = [board.visits[stop] for stop in everything[:size]]
        if board.set(0, everything[:size]):
            row = board.charges()[0] if board.charges() else ()
            assert faults(problem, 0, visits, row) == []
            assert board.tour.cost[0] == judged_price(problem, 0, visits, row)


@pytest.mark.xfail(strict=True, reason="need[size + 1] is left over from another route")
def test_a_route_is_rated_alike_whatever_was_rated_before() -> None:
    """It charges on its last leg, to the slot's end, and what is needed behind that is nothing."""
    slot = replace(electric(start=2), end=9, shift_end_s=95)
    board = Board(replace(on_line(look("a", 4), slots=[slot]), chargers=AT_FIVE))
    route = np.zeros(2, dtype=np.int64)
    prices = set[float]()
    for left_over in (0, 77):
        board.tour.work.need[:] = left_over
        prices.add(rate(board.flat, 0, route, 1, board.tour.work))
    assert prices == {70.0}
