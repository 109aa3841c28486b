"""Where a request fits best: what the quick look says is what the full rating says."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problems.problem import Problem, Request, Stop, Visit
from routing.search.board import Board, Route
from routing.search.place import place, put
from routing.solving.insertion import build
from tests.routing.boards import carry, cart, look, on_line, plain
from tests.routing.random_problems import FEW, rich_problems


def quick(board: Board, slot: int, request: int) -> float:
    """What a slot asks for a request; the place is in ``board.spot``."""
    board.spot.extra[0] = np.inf
    board.spot.at[0] = -1
    place(board.flat, board.tour, slot, request, board.spot, board.sure)
    return float(board.spot.extra[0])


def positions(route: Route, head: int, stops: list[int]) -> Iterator[Route]:
    """The route with one or two stops, in their order, wherever they could go behind its head."""
    for i in range(head, len(route) + 1):
        if len(stops) == 1:
            yield [*route[:i], *stops, *route[i:]]
            continue
        for j in range(i, len(route) + 1):
            yield [*route[:i], stops[0], *route[i:j], stops[1], *route[j:]]


def full(board: Board, slot: int, request: int) -> float:
    """The same by rating every position in full."""
    route, before = board.routes()[slot], float(board.tour.cost[slot])
    stops, head = board.stops(request), int(board.tour.head[slot])
    extra = math.inf
    for longer in positions(route, head, stops):
        if board.flat.allowed[request, slot] and board.set(slot, longer):
            extra = min(extra, float(board.tour.cost[slot]) - before)
    board.set(slot, route)
    return extra


def laid_out(problem: Problem, out: int) -> Board | None:
    """A board with all in it that fits, less one request; None = that one can't be taken out."""
    board = Board(problem)
    build(board)
    if problem.requests[out].id in problem.bound:
        return None
    for slot, route in enumerate(board.routes()):
        board.set(slot, [stop for stop in route if board.request(stop) != out])
    return board


@pytest.mark.long
@settings(FEW, max_examples=150)
@given(rich_problems(max_slots=2).map(plain), st.data())
def test_the_quick_price_is_the_full_one_where_nothing_is_rich(
    problem: Problem, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(problem.requests) - 1))
    board = laid_out(problem, number)
    if board is None:
        return
    for slot, route in enumerate(board.routes()):
        before = float(board.tour.cost[slot])
        extra = quick(board, slot, number)
        if len(board.stops(number)) <= 2:
            assert extra == full(board, slot, number)
        if extra < math.inf:
            put(board.flat, board.tour, number, board.spot)
            assert board.tour.cost[slot] - before == extra
            board.set(slot, route)


@pytest.mark.long
@settings(FEW, max_examples=150)
@given(rich_problems(max_slots=2), st.data())
def test_what_is_put_into_a_rich_route_costs_what_was_said(
    problem: Problem, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(problem.requests) - 1))
    board = laid_out(problem, number)
    if board is None:
        return
    for slot, route in enumerate(board.routes()):
        before = float(board.tour.cost[slot])
        extra = quick(board, slot, number)
        if extra < math.inf:
            put(board.flat, board.tour, number, board.spot)
            assert board.tour.cost[slot] - before == extra
            board.set(slot, route)


def best(problem: Problem, *route: tuple[str, int]) -> list[tuple[str, int]]:
    """Where the last request of a problem goes in the first slot's route."""
    board = Board(problem)
    assert board.set(0, [board.number[Visit(*visit)] for visit in route])
    request = len(problem.requests) - 1
    assert quick(board, 0, request) < math.inf
    put(board.flat, board.tour, request, board.spot)
    return [(board.visits[stop].request, board.visits[stop].stop) for stop in board.routes()[0]]


def test_both_ends_go_where_the_way_leads_along() -> None:
    problem = on_line(carry("far", 1, 9), carry("near", 3, 5))
    assert best(problem, ("far", 0), ("far", 1)) == [
        ("far", 0),
        ("near", 0),
        ("near", 1),
        ("far", 1),
    ]


def test_a_full_cart_takes_the_next_one_afterwards() -> None:
    problem = on_line(carry("a", 1, 5), carry("b", 4, 3), slots=[cart("v", capacity=1)])
    assert [request for request, _ in best(problem, ("a", 0), ("a", 1))] == ["a", "a", "b", "b"]


def test_an_early_window_comes_first() -> None:
    problem = on_line(look("late", 5), look("early", 8, latest_s=80))
    assert best(problem, ("late", 0))[-1] == ("early", 0)
    tight = on_line(replace(look("late", 5), stops=(Stop(node=5, load=(0,), service_s=10),)))
    tight = replace(tight, requests=(*tight.requests, look("early", 8, latest_s=80)))
    assert best(tight, ("late", 0))[0] == ("early", 0)


def test_nothing_goes_before_what_has_been_told() -> None:
    told = replace(cart("v"), committed=(Visit("far", 0),))
    problem = on_line(look("far", 9), look("near", 1), slots=[told])
    board = Board(problem)
    build(board)
    assert [board.visits[stop].request for stop in board.routes()[0]] == ["far", "near"]


def test_drop_offs_find_their_best_order_unless_it_is_fixed() -> None:
    meals = carry("meals", 0, 9, 2, 5)
    assert [stop for _, stop in best(on_line(meals))] == [0, 2, 3, 1]
    assert [stop for _, stop in best(on_line(replace(meals, fixed_order=True)))] == [0, 1, 2, 3]


def test_who_may_not_is_not_asked() -> None:
    board = Board(on_line(replace(look("a", 1), allowed=())))
    assert quick(board, 0, 0) == math.inf


@pytest.mark.parametrize("loads", [(1, 2), (3, -1)])
def test_what_a_pair_leaves_on_board_must_fit_behind_it(loads: tuple[int, int]) -> None:
    """The cart holds 3; whoever carries 2 later can't have more than 1 on board until then."""
    stops = tuple(Stop(node=3 + n, load=(load,)) for n, load in enumerate(loads))
    problem = on_line(carry("a", 8, 9, mass=2), Request(id="r", stops=stops))
    board = Board(replace(problem, slots=(cart("v", capacity=3),)))
    board.set(0, [0, 1])
    extra = quick(board, 0, 1)
    assert extra == full(board, 0, 1)


@st.composite
def windowed(draw: st.DrawFn) -> Problem:
    """Jobs with narrow windows on a line, where no stop on the way makes any way shorter."""
    node, early = st.integers(0, 10), st.integers(0, 150)
    requests: list[Request] = []
    for n in range(draw(st.integers(2, 6))):
        request = carry(f"r{n}", draw(node), draw(node))
        if draw(st.booleans()):
            request = look(f"r{n}", draw(node))
        stops: list[Stop] = []
        for stop in request.stops:
            earliest_s, service_s = draw(early), draw(st.integers(0, 20))
            latest_s = earliest_s + draw(st.integers(0, 80))
            stops.append(
                replace(stop, earliest_s=earliest_s, latest_s=latest_s, service_s=service_s)
            )
        requests.append(replace(request, stops=tuple(stops)))
    return on_line(*requests, slots=[cart("v", draw(node), draw(st.integers(1, 3)))])


@settings(FEW, max_examples=150)
@given(windowed(), st.data())
def test_what_a_hurried_search_passes_over_is_no_place(
    problem: Problem, data: st.DataObject
) -> None:
    """Where stops on the way never make it shorter, hurry alone costs nothing."""
    number = data.draw(st.integers(0, len(problem.requests) - 1))
    board = laid_out(problem, number)
    assert board is not None
    board.find_clashes()
    calm = quick(board, 0, number)
    board.sure[1] = 1 << 40
    assert quick(board, 0, number) == calm
