"""A round of ruin and recreate: taken if it is cheap enough, given up early or undone if not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problems.problem import Problem
from routing.search.anneal import ABSENT, Search, make_search, one_round
from routing.search.board import Board, Route
from routing.search.clash import told
from routing.search.flat import DROP
from routing.solving.insertion import build
from tests.routing.boards import carry, cart, look, on_line, plain
from tests.routing.random_problems import FEW, rich_problems

HASTY = 1 << 40
"""Positions until the first one is overlooked: may be overlooked, but none is."""


@st.composite
def errands(draw: st.DrawFn) -> Problem:
    """Small jobs with and without windows, on a line, for two carts."""
    node, latest_s = st.integers(0, 10), st.none() | st.integers(20, 250)
    requests = [
        carry(f"r{n}", draw(node), draw(node))
        if draw(st.booleans())
        else look(f"r{n}", draw(node), draw(latest_s))
        for n in range(draw(st.integers(3, 9)))
    ]
    return on_line(*requests, slots=[cart("v", draw(node)), cart("w", draw(node))])


def started(problem: Problem, seed: int) -> tuple[Board, Search]:
    """A search on a board with all in it that fits."""
    board = Board(problem)
    build(board)
    search = make_search(board, seed)
    search.dice[1] = HASTY
    return board, search


def state(board: Board, search: Search) -> tuple[list[Route], float, set[int]]:
    """Routes, price and who is left out."""
    left_out = set(search.absent[: search.counts[ABSENT]].tolist())
    return board.routes(), float(search.price[0]), left_out


def check_books(board: Board, search: Search) -> None:
    """What is kept from round to round is what is found by setting out every route anew."""
    routes, price, left_out = state(board, search)
    placed = {board.request(stop) for route in routes for stop in route}
    assert left_out == set(range(len(board.flat.requests))) - placed
    barred = board.tour.barred.copy()
    assert board.lay(routes)
    assert np.array_equal(barred, board.tour.barred)
    dropped = sum(float(board.flat.prices[n, DROP]) for n in left_out)
    assert price == pytest.approx(float(board.tour.cost.sum()) + dropped, abs=1e-6)
    for slot, route in enumerate(routes):
        assert not any(told(barred[slot], board.request(stop)) for stop in route)


@pytest.mark.long
@settings(FEW, max_examples=60)
@given(rich_problems() | rich_problems().map(plain) | errands(), st.integers(0, 99))
def test_what_is_known_of_routes_stays_true(problem: Problem, seed: int) -> None:
    board, search = started(problem, seed)
    for limit in (np.inf, -np.inf, search.price[0] + 1, np.inf, search.price[0]):
        one_round(board.flat, search, limit)
        check_books(board, search)


@settings(FEW, max_examples=100)
@given(errands(), st.integers(0, 99))
def test_a_round_given_up_early_would_have_been_too_dear(problem: Problem, seed: int) -> None:
    """The same throws of the dice: whatever the limit, the round leads to the same end or none."""
    board, search = started(problem, seed)
    one_round(board.flat, search, np.inf)
    after = state(board, search)
    for over in (-20, -1, 0, 1, 20):
        board, search = started(problem, seed)
        before = state(board, search)
        one_round(board.flat, search, after[1] + over)
        assert state(board, search) == (after if over > 0 else before)
