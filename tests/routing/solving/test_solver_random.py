"""Properties of the front door, on problems with every rule in them, solvable or not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problems.plan import Plan, check
from routing.problems.problem import Problem, Request
from routing.solving.solver import Budget, Stage, insert, solve
from tests.routing.boards import judged_price
from tests.routing.random_problems import FEW, rich_problems
from tests.routing.solving.test_reasons import believe

MANY = settings(FEW, max_examples=2000)
ROUNDS = Budget(iterations=5, stages=frozenset({Stage.RUIN_RECREATE}))
ALL_STAGES = Budget(iterations=10)


def hold(problem: Problem, seed: int, budget: Budget) -> tuple[Plan, Plan]:
    """What must be true of every answer; the first one, and the one after some thought."""
    first, better = insert(problem), solve(problem, budget=budget, seed=seed)
    for plan in (first, better):
        assert check(problem, plan) is None
        for request, refusal in plan.unplanned.items():
            believe(problem, plan, request, refusal)
    assert better.cost <= first.cost
    assert solve(problem, budget=budget, seed=seed) == better
    return first, better


@pytest.mark.long
@settings(FEW, max_examples=80)
@given(rich_problems(), st.integers(0, 3))
def test_every_plan_is_valid_repeatable_and_tells_the_truth(problem: Problem, seed: int) -> None:
    hold(problem, seed, ROUNDS)


@settings(FEW, max_examples=15)
@given(rich_problems(max_slots=3, max_requests=5), st.integers(0, 3))
def test_so_it_is_with_all_stages(problem: Problem, seed: int) -> None:
    hold(problem, seed, ALL_STAGES)


@pytest.mark.long
@MANY
@given(rich_problems(), st.integers(0, 1000))
def test_so_it_is_in_thousands_of_problems(problem: Problem, seed: int) -> None:
    hold(problem, seed, ROUNDS)


def with_idle_slot(problem: Problem, plan: Plan) -> tuple[Problem, Plan]:
    """One more vehicle like the first one, that was told nothing and has nothing on board."""
    spare = replace(problem.slots[0], id="spare", committed=())
    number = len(problem.slots)
    requests = tuple(allow(request, number) for request in problem.requests)
    wider = replace(problem, slots=(*problem.slots, spare), requests=requests)
    charges = (*plan.charges, ()) if plan.charges else ()
    return wider, replace(plan, routes=(*plan.routes, ()), charges=charges)


def allow(request: Request, number: int) -> Request:
    allowed = None if request.allowed is None else (*request.allowed, number)
    return replace(request, allowed=allowed)


@pytest.mark.long
@settings(FEW, max_examples=60)
@given(rich_problems(max_slots=3), st.integers(0, 3))
def test_one_more_vehicle_never_makes_it_dearer(problem: Problem, seed: int) -> None:
    plan = solve(problem, budget=ROUNDS, seed=seed)
    wider, start = with_idle_slot(problem, plan)
    assert check(wider, start) is None
    wider_plan = solve(wider, start=start, budget=ROUNDS, seed=seed)
    assert check(wider, wider_plan) is None
    assert wider_plan.cost <= plan.cost


@pytest.mark.long
@settings(FEW, max_examples=60)
@given(rich_problems(max_slots=3))
def test_a_plan_goes_on_from_itself(problem: Problem) -> None:
    plan = insert(problem)
    assert insert(problem, plan).cost <= plan.cost


@pytest.mark.long
@settings(FEW, max_examples=60)
@given(rich_problems(max_slots=3))
def test_a_plan_costs_what_its_routes_cost(problem: Problem) -> None:
    plan = insert(problem)
    rows = plan.charges or ((),) * len(plan.routes)
    driven = sum(
        judged_price(problem, slot, route, row)
        for slot, (route, row) in enumerate(zip(plan.routes, rows, strict=True))
    )
    dropped = sum(problem.drop_price(r) for r in problem.requests if r.id in plan.unplanned)
    assert plan.cost == driven + dropped
