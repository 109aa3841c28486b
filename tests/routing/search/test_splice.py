"""What an exchange of segments is said to change is what it does change."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.problems.problem import Problem, Profile, Request, Slot, Weights
from routing.search.board import Board, Route
from routing.search.splice import swap_between, swap_within
from tests.routing.boards import carry, cart, look, on_line
from tests.routing.random_problems import FEW

NODES = 6


@st.composite
def steady_problems(draw: st.DrawFn) -> Problem:
    """Nobody waits for anything, so ends are later by as much as a route is."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    tables = rng.integers(1, 100, (2, NODES, NODES))
    node = st.integers(0, NODES - 1)
    requests = [
        carry(f"r{n}", draw(node), draw(node)) if draw(st.booleans()) else look(f"r{n}", draw(node))
        for n in range(draw(st.integers(2, 7)))
    ]
    slots = [
        Slot(
            id=f"v{n}",
            profile=0,
            start=draw(node),
            end=draw(st.none() | node),
            ready_s=draw(st.integers(0, 50)),
            capacity=(1,),
            price=draw(st.sampled_from([0, 1000])),
        )
        for n in range(2)
    ]
    weights = Weights(flow_s=draw(st.integers(0, 3)), metre=draw(st.integers(0, 3)))
    profile = Profile.of(tables[0], tables[1])
    return Problem(
        profiles=(profile,), requests=tuple(requests), slots=tuple(slots), weights=weights
    )


def laid(problem: Problem, draw: st.DataObject) -> Board:
    """Every request in one of two routes, one after another."""
    board = Board(problem)
    routes: list[Route] = [[], []]
    for number, request in enumerate(problem.requests):
        first = sum(len(r.stops) for r in problem.requests[:number])
        stops = range(first, first + len(request.stops))
        routes[draw.draw(st.integers(0, 1))].extend(stops)
    assert board.lay(routes)
    return board


def cuts(board: Board, slot: int) -> st.SearchStrategy[int]:
    """Where a route may be cut."""
    shut = board.tour.shut[slot, : board.tour.size[slot] + 1]
    return st.sampled_from(np.flatnonzero(shut).tolist())


@pytest.mark.long
@settings(FEW, max_examples=150)
@given(steady_problems(), st.data())
def test_between_two_routes(problem: Problem, data: st.DataObject) -> None:
    board = laid(problem, data)
    (i, end_a), (j, end_b) = (
        sorted((data.draw(cuts(board, slot)), data.draw(cuts(board, slot)))) for slot in (0, 1)
    )
    told = swap_between(board.flat, board.tour, 0, i, end_a, 1, j, end_b)
    before, (a, b) = board.price(), board.routes()
    assert board.lay([a[:i] + b[j:end_b] + a[end_a:], b[:j] + a[i:end_a] + b[end_b:]])
    assert told == board.price() - before


@pytest.mark.long
@settings(FEW, max_examples=150)
@given(steady_problems(), st.data())
def test_within_one_route(problem: Problem, data: st.DataObject) -> None:
    board = laid(problem, data)
    low, middle, high = sorted(data.draw(cuts(board, 0)) for _ in range(3))
    assume(low < middle < high)
    told = swap_within(board.flat, board.tour, 0, low, middle, high)
    before, (a, b) = board.price(), board.routes()
    assert board.lay([a[:low] + a[middle:high] + a[low:middle] + a[high:], b])
    assert told == board.price() - before


def test_it_is_not_told_where_it_would_be_wrong() -> None:
    """Whoever waits for a due time, a window or another vehicle's work: rate it in full."""
    late = replace(look("late", 3), due_s=9)
    later = Request(id="later", stops=(replace(look("w", 3).stops[0], earliest_s=50),))
    moved = replace(look("moved", 3), last_slot=0)
    for request in (late, later, moved):
        problem = on_line(request, look("b", 4), slots=[cart("v"), cart("w")])
        problem = replace(problem, weights=Weights(flow_s=1, metre=1, change=5))
        board = Board(problem)
        assert board.lay([[0], [1]])
        assert swap_between(board.flat, board.tour, 0, 0, 1, 1, 0, 1) == -np.inf
