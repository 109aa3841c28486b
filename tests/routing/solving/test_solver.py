"""Random problems: every plan passes the judge, and none that was tampered with does."""

import importlib
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import routing.search
from routing.problems.plan import Plan, check
from routing.problems.problem import Problem, Profile, Request, Slot, Stop, Visit
from routing.refusal import Refusal
from routing.roads.paths import UNREACHABLE_S
from routing.search.compiled import COMPILED
from routing.solving.solver import Budget, explain, insert, solve, warm_up
from tests.routing.rich_day import rich_day

NODES = 8
EASY = [HealthCheck.too_slow, HealthCheck.filter_too_much]
FEW = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=EASY)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Points on a plane, one of which may be cut off; with goods on board all is slower."""
    spots = draw(
        st.lists(
            st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=NODES, max_size=NODES
        )
    )
    at = np.array(spots, dtype=np.int64)
    metres = np.abs(at[:, None, :] - at[None, :, :]).sum(axis=2)
    if draw(st.integers(0, 4)) == 0:
        metres[NODES - 1, :-1] = metres[:-1, NODES - 1] = UNREACHABLE_S
    loaded_s = np.minimum(metres + metres // 2, UNREACHABLE_S) if draw(st.booleans()) else None
    return Profile.of(metres, metres, loaded_s)


@st.composite
def stops(draw: st.DrawFn, load: int) -> Stop:
    earliest_s = draw(st.sampled_from([0, 0, 0, 200]))
    return Stop(
        node=draw(st.integers(0, NODES - 1)),
        service_s=draw(st.integers(0, 60)),
        load=(load,),
        earliest_s=earliest_s,
        latest_s=draw(st.sampled_from([None, None, earliest_s + 400, 2000])),
    )


@st.composite
def requests(draw: st.DrawFn, number: int, slots: int) -> Request:
    drops = draw(st.integers(0, 3))
    aboard = draw(st.sampled_from([None, None, None, 0, slots - 1])) if drops else None
    pickup = [draw(stops(drops * 3))] if aboard is None else []
    everyone = list(range(slots))
    return Request(
        id=f"r{number}",
        stops=tuple(pickup + [draw(stops(-3)) for _ in range(drops)]),
        fixed_order=draw(st.booleans()),
        release_s=draw(st.sampled_from([0, 0, 300])),
        due_s=draw(st.sampled_from([None, 300, 900])),
        late_weight=draw(st.integers(0, 20)),
        drop_penalty=draw(st.sampled_from([500, 100_000, 1_000_000])),
        allowed=draw(st.none() | st.lists(st.sampled_from(everyone), unique=True).map(tuple)),
        aboard=aboard,
        last_slot=draw(st.none() | st.sampled_from(everyone)),
    )


@st.composite
def slot(draw: st.DrawFn, number: int) -> Slot:
    return Slot(
        id=f"v{number}",
        profile=0,
        start=draw(st.integers(0, NODES - 2)),
        ready_s=draw(st.integers(0, 300)),
        end=draw(st.none() | st.integers(0, NODES - 2)),
        capacity=(draw(st.integers(3, 10)),),
        shift_end_s=draw(st.none() | st.integers(500, 3000)),
        range_m=draw(st.none() | st.integers(500, 4000)),
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    count = draw(st.integers(1, 3))
    asked = [draw(requests(n, count)) for n in range(draw(st.integers(1, 7)))]
    slots = [draw(slot(n)) for n in range(count)]
    free = [request for request in asked if request.aboard is None]
    if free and draw(st.booleans()):
        slots[0] = replace(slots[0], committed=(Visit(free[0].id, 0),))
    return Problem(
        profiles=(draw(profiles()),), requests=tuple(asked), slots=tuple(slots), now_s=300
    )


@FEW
@given(problems())
def test_an_inserted_plan_passes_the_judge(problem: Problem) -> None:
    assert check(problem, insert(problem)) is None


@FEW
@given(problems(), st.integers(0, 3))
def test_thinking_never_makes_it_worse(problem: Problem, seed: int) -> None:
    first = insert(problem)
    better = solve(problem, budget=Budget(iterations=5), seed=seed)
    assert check(problem, better) is None
    assert better.cost <= first.cost
    again = solve(problem, budget=Budget(iterations=5), seed=seed)
    assert again == better


@pytest.mark.long
@FEW
@given(problems(), problems())
def test_a_plan_of_another_problem_is_a_valid_start(problem: Problem, other: Problem) -> None:
    assume(len(problem.slots) == len(other.slots))
    plan = solve(problem, start=insert(other), budget=Budget(iterations=2))
    assert check(problem, plan) is None


@FEW
@given(problems(), st.data())
def test_a_tampered_plan_fails(problem: Problem, data: st.DataObject) -> None:
    plan = insert(problem)
    full = [number for number, route in enumerate(plan.routes) if route]
    assume(full)
    number = data.draw(st.sampled_from(full))
    route = plan.routes[number]
    spot = data.draw(st.integers(0, len(route) - 1))
    shorter = (*route[:spot], *route[spot + 1 :])
    doubled = (*route, route[spot])
    for tampered in (shorter, doubled):
        routes = (*plan.routes[:number], tampered, *plan.routes[number + 1 :])
        assert check(problem, replace(plan, routes=routes)) is not None
    assert check(problem, replace(plan, cost=plan.cost - 1)) is not None
    assert check(problem, replace(plan, routes=plan.routes[:-1])) is not None


@FEW
@given(problems())
def test_whatever_is_left_out_has_a_reason_for_each_vehicle(problem: Problem) -> None:
    plan = insert(problem)
    for id_, refusal in plan.unplanned.items():
        assert refusal.code
        answers = explain(problem, id_, plan)
        assert [who for who, _ in answers] == [slot.id for slot in problem.slots]


def small() -> Problem:
    metres = np.array([[0, 10, 20], [10, 0, 10], [20, 10, 0]])
    carry = (Stop(node=1, service_s=5, load=(2,)), Stop(node=2, service_s=5, load=(-2,)))
    return Problem(
        profiles=(Profile.of(metres),),
        requests=tuple(Request(id=f"r{n}", stops=carry) for n in range(3)),
        slots=(
            Slot(id="near", profile=0, start=1, ready_s=0, capacity=(4,)),
            Slot(id="weak", profile=0, start=0, ready_s=0, capacity=(1,)),
        ),
    )


def test_nobody_is_no_vehicle() -> None:
    plan = insert(replace(small(), slots=()))
    assert plan.unplanned["r0"] == Refusal("no_vehicle")


def test_without_vehicles_everything_is_left_out_with_its_reason() -> None:
    waiting = tuple(Request(id=f"r{n}", stops=(Stop(node=0),)) for n in range(3))
    plan = solve(Problem(profiles=(), requests=waiting, slots=()), budget=Budget(iterations=5))
    assert plan.routes == ()
    assert {reason.code for reason in plan.unplanned.values()} == {"no_vehicle"}


def test_explain_says_what_each_vehicle_would_cost_or_why_not() -> None:
    near, weak = explain(small(), "r1")
    assert near == ("near", 5 + 10 + 5 + 10)
    assert isinstance(weak[1], Refusal)
    assert weak[1].code == "over_capacity"
    assert weak[1].facts["vehicle"] == "weak"


def test_processor_time_ends_the_search() -> None:
    plan = solve(small(), budget=Budget(iterations=10**9, cpu_s=0.05))
    assert check(small(), plan) is None


@pytest.mark.long
def test_problem_and_plan_travel_to_a_worker_process() -> None:
    problem = small()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        plan: Plan = pool.submit(solve, problem, budget=Budget(iterations=3), seed=1).result()
    assert plan == solve(problem, budget=Budget(iterations=3), seed=1)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_request_that_names_no_slot_is_a_bug() -> None:
    with pytest.raises(ValueError, match="r0"):
        replace(small(), requests=(replace(small().requests[0], allowed=(7,)),))


def test_behind_the_warm_up_nothing_is_left_to_compile() -> None:
    if not COMPILED:
        pytest.skip("numba is not there: nothing is compiled")
    warm_up()
    before = compiled()
    assert before
    problem = rich_day()
    explain(problem, problem.requests[-1].id, solve(problem, budget=Budget(iterations=20)))
    assert compiled() == before


def compiled() -> dict[str, int]:
    """How many versions of each kernel there are."""
    found: dict[str, int] = {}
    for module in pkgutil.iter_modules(routing.search.__path__, "routing.search."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if hasattr(value, "nopython_signatures"):
                found[f"{module.name}.{name}"] = len(value.nopython_signatures)
    return found
