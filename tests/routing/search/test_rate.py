"""The price of a route, and what stops it: the same as the judge finds with other code."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from routing.problems.plan import Plan
from routing.problems.problem import (
    Break,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Stop,
    Visit,
    Weights,
)
from routing.search.board import Board
from routing.search.rate import rate
from routing.search.work import CODES
from tests.routing.boards import LINE, carry, cart, faults, judged_price, look, numbers, on_line
from tests.routing.problems.test_judge_random import Case, cases
from tests.routing.random_problems import FEW

PAUSE = Break(earliest_s=10, latest_s=20, duration_s=5)


def agree(problem: Problem, plan: Plan) -> None:
    """Board and judge say the same of each of a plan's routes."""
    board = Board(problem)
    for slot, visits in enumerate(plan.routes):
        fits = board.set(slot, numbers(board, visits))
        charges = board.charges()[slot] if fits and board.charges() else ()
        assert fits == (not faults(problem, slot, visits, charges)), (slot, visits)
        if fits:
            assert board.tour.cost[slot] == judged_price(problem, slot, visits, charges)
        board.set(slot, ())


@pytest.mark.long
@settings(FEW, max_examples=200)
@given(cases())
def test_board_and_judge_agree_on_every_route(case: Case) -> None:
    agree(*case)


def missed(problem: Problem, *visits: tuple[str, int]) -> dict[str, int]:
    """By how much the first slot's route breaks each rule."""
    board = Board(problem)
    board.set(0, numbers(board, [Visit(request, stop) for request, stop in visits]))
    tour = board.tour
    rate(board.flat, 0, tour.route[0], int(tour.size[0]), tour.work)
    amounts = tour.work.missed.tolist()
    return {CODES[code]: n for code, n in enumerate(amounts) if n}


def test_an_idle_slot_costs_nothing() -> None:
    board = Board(on_line(slots=[replace(cart("v"), price=9, end=5)]))
    assert board.tour.cost.tolist() == [0]


def test_metres_time_and_the_slot_have_their_prices() -> None:
    weights = Weights(flow_s=3, metre=2, imbalance=7)
    slow = Request(id="a", stops=(Stop(node=4, service_s=5, load=(0,)),), due_s=15, late_weight=1)
    problem = on_line(slow, slots=[replace(cart("v"), price=100, end=0)])
    board = Board(replace(problem, weights=weights))
    assert board.set(0, [0])
    flow, late, metres, imbalance = 3 * 45, 30, 2 * 80, 7
    assert board.tour.cost[0] == flow + late + metres + imbalance + 100


@pytest.mark.parametrize(
    ("problem", "visits", "broken"),
    [
        (on_line(carry("a", 1, 2, mass=9)), [("a", 0), ("a", 1)], {"over_capacity": 5}),
        (on_line(look("a", 9, latest_s=50)), [("a", 0)], {"window_missed": 40}),
        (
            on_line(look("a", 9), slots=[replace(cart("v"), shift_end_s=80, range_m=60)]),
            [("a", 0)],
            {"shift_over": 10, "battery_range": 30},
        ),
        (
            on_line(
                look("a", 5),
                slots=[replace(cart("v"), ready_s=60, breaks=(PAUSE,))],
            ),
            [("a", 0)],
            {"break_missed": 40},
        ),
    ],
)
def test_what_is_broken_is_measured(
    problem: Problem, visits: list[tuple[str, int]], broken: dict[str, int]
) -> None:
    assert missed(problem, *visits) == broken


def test_without_a_way_there_is_no_price() -> None:
    cut = LINE.copy()
    cut[:9, 9] = 1_000_000_000
    problem = replace(on_line(look("a", 9)), profiles=(Profile.of(cut),))
    assert missed(problem, ("a", 0)) == {"unreachable": 1}


def test_goods_that_may_not_meet_or_follow() -> None:
    apart = ((True, False), (False, True))
    yes = ((True, True), (True, True))
    dirty, clean = replace(carry("dirty", 1, 2), goods=0), replace(carry("clean", 1, 2), goods=1)
    meet = [("dirty", 0), ("clean", 0), ("dirty", 1), ("clean", 1)]
    follow = [("dirty", 0), ("dirty", 1), ("clean", 0), ("clean", 1)]
    sharing = on_line(dirty, clean, goods=GoodsRules(follow=yes, share=apart))
    assert missed(sharing, *meet) == {"may_not_share": 1}
    assert missed(sharing, *follow) == {}
    following = on_line(dirty, clean, goods=GoodsRules(follow=apart, share=yes))
    assert missed(following, *follow) == {"unwashed": 1}
    washed = LINE + 50
    station = Profile.of(LINE, LINE, washed_s=washed, washed_m=washed)
    assert missed(replace(following, profiles=(station,)), *follow) == {}


def test_what_is_promised_may_be_late_heavy_and_far() -> None:
    tired = replace(
        cart("v", capacity=1), shift_end_s=5, range_m=5, committed=(Visit("a", 0), Visit("a", 1))
    )
    heavy = carry("a", 4, 9, mass=3)
    late = replace(heavy, stops=tuple(replace(stop, latest_s=1) for stop in heavy.stops))
    assert missed(on_line(late, slots=[tired]), ("a", 0), ("a", 1)) == {}
    both = missed(on_line(late, look("b", 9), slots=[tired]), ("a", 0), ("a", 1), ("b", 0))
    assert both == {"shift_over": 85, "battery_range": 85}
