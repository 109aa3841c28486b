"""Which requests can't share a route: found for all pairs at once, shown order by order."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.problems.problem import Problem
from routing.search.board import Board
from routing.search.clash import told
from tests.routing.boards import cart, look, on_line
from tests.routing.random_problems import FEW, rich_problems


def orders(one: list[int], other: list[int]) -> list[list[int]]:
    """The stops of both requests in every order that keeps each one's own."""
    return [
        list(order)
        for order in permutations(one + other)
        if [stop for stop in order if stop in one] == one
        and [stop for stop in order if stop in other] == other
    ]


def clashes(problem: Problem) -> set[tuple[int, int]]:
    """The pairs that are said to clash."""
    board = Board(problem)
    board.find_clashes()
    everyone = range(len(problem.requests))
    return {(a, b) for a in everyone for b in everyone if told(board.tour.clash[a], b)}


@given(rich_problems(max_slots=2))
@FEW
def test_who_clashes_has_no_common_route_in_any_order(problem: Problem) -> None:
    board = Board(problem)
    for a, b in clashes(problem):
        assert a != b
        for order in orders(board.stops(a), board.stops(b)):
            assert not any(board.set(slot, order) for slot in range(len(problem.slots)))


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 120)), min_size=2, max_size=5))
@FEW
def test_of_single_stops_all_that_clash_are_found(stops: list[tuple[int, int]]) -> None:
    problem = on_line(*(look(f"r{n}", at, until) for n, (at, until) in enumerate(stops)))
    board = Board(problem)
    alone = [a for a in range(len(stops)) if board.set(0, [a])]
    assert {(a, b) for a, b in clashes(problem) if a in alone and b in alone} == {
        (a, b)
        for a, b in permutations(alone, 2)
        if not board.set(0, [a, b]) and not board.set(0, [b, a])
    }


def test_a_route_knows_who_can_not_join_it() -> None:
    """Who has been at one end of the row comes too late to where else somebody waits."""
    problem = on_line(
        look("here", 0, 20), look("near", 2, 20), look("far", 10, 105), slots=[cart("v", start=1)]
    )
    board = Board(problem)
    board.find_clashes()
    for route, barred in [([], []), ([0], [1, 2]), ([1], [0]), ([2], [0])]:
        assert board.set(0, route)
        assert [n for n in range(3) if told(board.tour.barred[0], n)] == barred


def test_without_any_window_nothing_is_looked_at() -> None:
    problem = on_line(*(look(f"r{n}", n % 11) for n in range(40)))
    board = Board(problem)
    board.find_clashes()
    assert board.tour.clash.shape == (40, 2)
    assert not np.any(board.tour.clash)
