"""Bad input: a `BadProblem`, or a plan with reasons; never a wrong plan, and in time."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from routing.errors import BadProblem
from routing.problems.plan import Plan, check
from routing.problems.problem import (
    Battery,
    Charger,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Weights,
)
from routing.roads.paths import UNREACHABLE_S
from routing.solving.solver import Budget, Stage, insert, solve, warm_up
from tests.routing.boards import carry, cart, look, on_line

LARGEST = 1_000_000_000
SMALL = on_line(carry("r", 1, 2))
ROUNDS = Budget(iterations=3)


def with_request(request: Request) -> Problem:
    return replace(SMALL, requests=(request,))


def with_slot(slot: Slot) -> Problem:
    return replace(SMALL, slots=(slot,))


def answer(problem: Problem) -> Plan:
    """A plan that is right, with a reason for whatever is left out."""
    first = insert(problem)
    assert check(problem, first) is None
    plan = solve(problem, budget=ROUNDS)
    assert check(problem, plan) is None
    assert all(refusal.code for refusal in plan.unplanned.values())
    return plan


@pytest.mark.parametrize(
    "bad",
    [
        lambda: with_request(replace(SMALL.requests[0], release_s=-1)),
        lambda: with_request(replace(SMALL.requests[0], due_s=-5)),
        lambda: with_request(Request(id="r", stops=(Stop(node=1, load=(0,), latest_s=-1),))),
        lambda: with_request(Request(id="r", stops=(Stop(node=1, load=(0,), service_s=-1),))),
        lambda: with_slot(replace(cart("v"), ready_s=-1)),
        lambda: with_slot(replace(cart("v"), range_m=-1)),
        lambda: replace(SMALL, profiles=(Profile(seconds=((-1,),), metres=((0,),)),)),
        lambda: replace(SMALL, profiles=(Profile(seconds=((0,),), metres=((0, 1),)),)),
        lambda: replace(SMALL, weights=Weights(flow_s=-1)),
        lambda: with_request(Request(id="r", stops=())),
        lambda: with_request(look("r", 11)),
        lambda: with_request(Request(id="r", stops=(Stop(node=-1, load=(0,)),))),
        lambda: with_request(replace(SMALL.requests[0], late_weight=10**18)),
        lambda: with_request(replace(SMALL.requests[0], drop_penalty=2**63)),
        lambda: with_request(carry("r", 1, 2, mass=2**62)),
        lambda: with_slot(replace(cart("v"), capacity=(2**63,))),
        lambda: with_slot(replace(cart("v"), ready_s=2**40)),
        lambda: with_slot(replace(cart("v"), capacity=(1, 1))),
        lambda: replace(SMALL, requests=SMALL.requests * 2),
        lambda: replace(SMALL, profiles=()),
        lambda: with_slot(replace(cart("v"), battery=Battery(capacity_j=1, now_j=2))),
        lambda: replace(SMALL, chargers=(Charger(node=0, places=0),)),
    ],
)
def test_what_contradicts_itself_is_refused(bad: Callable[[], Problem]) -> None:
    with pytest.raises(BadProblem):
        bad()


def test_no_requests() -> None:
    assert answer(replace(SMALL, requests=())) == Plan(routes=((),))


def test_no_vehicles() -> None:
    plan = answer(replace(SMALL, slots=()))
    assert plan.unplanned["r"].code == "no_vehicle"


def test_neither() -> None:
    assert answer(replace(SMALL, requests=(), slots=())) == Plan(routes=())


def test_no_dimension_of_capacity() -> None:
    stops = (Stop(node=1), Stop(node=2))
    slots = (Slot(id="v", profile=0, start=0, ready_s=0),)
    problem = replace(SMALL, slots=slots, requests=(Request(id="r", stops=stops),))
    assert answer(problem).routes[0]


def test_a_single_node() -> None:
    here = Profile(seconds=((0,),), metres=((0,),))
    problem = replace(on_line(carry("r", 0, 0), look("s", 0)), profiles=(here,))
    assert not answer(problem).unplanned


def test_a_drop_off_without_its_pickup() -> None:
    """Who has nothing of it aboard can only do its one stop: what is taken off is not there."""
    lonely = Request(id="r", stops=(Stop(node=1, load=(-1,)),))
    assert answer(with_request(lonely)).routes[0]
    elsewhere = replace(lonely, aboard=0)
    plan = answer(with_request(elsewhere))
    assert plan.routes[0]


def test_places_without_a_way() -> None:
    cut = np.full((3, 3), UNREACHABLE_S)
    np.fill_diagonal(cut, 0)
    problem = replace(on_line(carry("r", 1, 2), look("here", 0)), profiles=(Profile.of(cut),))
    plan = answer(problem)
    assert plan.unplanned["r"].code == "unreachable"
    assert plan.routes[0]


def test_a_way_there_and_none_back() -> None:
    cut = np.array([[0, 5], [UNREACHABLE_S, 0]])
    problem = on_line(look("r", 1), slots=[replace(cart("v"), end=0)])
    assert (
        answer(replace(problem, profiles=(Profile.of(cut),))).unplanned["r"].code == "unreachable"
    )


@pytest.mark.parametrize("number", [LARGEST, LARGEST - 1])
def test_the_largest_numbers_of_all(number: int) -> None:
    """Far, slow, heavy, late and dear: whatever comes out passes the judge."""
    far = Profile.of(np.array([[0, number - 1, 7], [number - 1, 0, number // 2], [7, 3, 0]]))
    stops = tuple(
        Stop(node=n, service_s=number, load=(m,)) for n, m in ((1, 10**15), (2, -(10**15)))
    )
    heavy = Request(
        id="heavy", stops=stops, due_s=1, late_weight=number, drop_penalty=10**15, release_s=5
    )
    easy = replace(heavy, id="easy", stops=(Stop(node=2, load=(0,), latest_s=number),))
    slot = replace(cart("v", capacity=10**15), range_m=number, shift_end_s=number, price=number)
    weights = Weights(flow_s=number, metre=number, change=number, imbalance=number, waiting_s=1)
    problem = Problem(
        profiles=(far,), requests=(heavy, easy), slots=(slot,), weights=weights, now_s=number
    )
    answer(problem)
    electric = replace(slot, battery=Battery(capacity_j=10**15, now_j=10**15, per_m_j=1000))
    answer(replace(problem, slots=(electric,), chargers=(Charger(node=2),)))


@pytest.mark.long
def test_a_crowd_of_a_thousand_is_answered_within_the_budget() -> None:
    """Compared by a generous ratio, in processor time: machines differ."""
    warm_up()
    rng = np.random.default_rng(1)
    spots = rng.integers(0, 2000, (200, 2))
    ways = np.abs(spots[:, None] - spots[None, :]).sum(axis=2)
    requests = tuple(
        replace(carry(f"r{n}", int(a), int(b)), due_s=int(due_s))
        for n, (a, b, due_s) in enumerate(rng.integers(0, [200, 200, 40_000], (1000, 3)))
    )
    slots = tuple(cart(f"v{n}", int(rng.integers(200))) for n in range(100))
    problem = Problem(profiles=(Profile.of(ways),), requests=requests, slots=slots)
    budget = Budget(cpu_s=0.2, stages=frozenset({Stage.RUIN_RECREATE}))
    times: list[float] = []
    for work in (lambda: insert(problem), lambda: solve(problem, budget=budget)):
        since_s = time.process_time()
        assert not work().unplanned
        times.append(time.process_time() - since_s)
    inserted_s, solved_s = times
    assert solved_s < 2 * (inserted_s + 0.2) + 0.5
