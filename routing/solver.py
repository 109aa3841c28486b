"""The one front door: a problem in, a plan out, valid at every moment.

Arguments and result are plain values, so `solve` can run in a worker process.
"""

import random
import time
from dataclasses import dataclass
from enum import StrEnum

from routing import insertion, ortools_model
from routing.errors import NoPlan
from routing.plan import Plan, check
from routing.pricing import Obstacle, Rater
from routing.problem import Problem
from routing.refusal import Refusal

RUIN = 8
"""Most requests that one round takes out and puts back."""
MODEL_STOPS = 40
"""OR-Tools gets its turn up to so many stops, unless the budget is processor time."""


class Stage(StrEnum):
    """What a search is made of, behind the insertion that always comes first."""

    ORTOOLS = "ortools"
    RUIN_RECREATE = "ruin_recreate"
    PARTITION = "partition"


ALL_STAGES = frozenset(Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to think: a number of rounds, or processor time.

    Rounds give the same plan for the same seed on any machine; seconds don't.

    Args:
        iterations: rounds of taking requests out and putting them back.
        cpu_s: processor seconds in all; None = as long as the rounds take.
        stages: those that may have their turn.
    """

    iterations: int = 50
    cpu_s: float | None = None
    stages: frozenset[Stage] = ALL_STAGES


def insert(problem: Problem, start: Plan | None = None) -> Plan:
    """The immediate answer: what still holds of ``start``, everything else put in cheaply.

    Raises:
        NoPlan: the insertion made a faulty plan, which is a bug; the caller keeps the last one.
    """
    plan = insertion.build(Rater(problem), start)
    if fault := check(problem, plan):
        raise NoPlan(str(fault))
    return plan


def solve(
    problem: Problem, *, start: Plan | None = None, budget: Budget | None = None, seed: int = 0
) -> Plan:
    """The best plan within the budget; never worse than `insert`.

    Args:
        start: the plan in force, also of an older problem: what still holds of it is kept.
        seed: for the rounds; the same one gives the same plan.

    Raises:
        NoPlan: like `insert`.
    """
    budget = budget or Budget()
    since_s = time.process_time()
    best = insert(problem, start)
    if not problem.slots:
        return best
    stops = sum(len(request.stops) for request in problem.requests)
    if Stage.ORTOOLS in budget.stages and (budget.cpu_s is not None or stops <= MODEL_STOPS):
        seconds = None if budget.cpu_s is None else budget.cpu_s / 2
        best = _cheaper(problem, best, ortools_model.improve(problem, best, cpu_s=seconds))
    rater, rng = Rater(problem), random.Random(f"{seed}:solve")
    for _ in range(budget.iterations if Stage.RUIN_RECREATE in budget.stages else 0):
        if budget.cpu_s is not None and time.process_time() - since_s > budget.cpu_s:
            break
        best = _cheaper(problem, best, _another(rater, best, rng))
    return best


def explain(
    problem: Problem, request: str, plan: Plan | None = None
) -> list[tuple[str, Refusal | int]]:
    """For each slot, what a request would cost there on top of ``plan``, or why it can't.

    Without a plan, slots have nothing to do but what is bound to them.
    """
    rater = Rater(problem)
    routes, _ = insertion.standing(rater, plan)
    number = problem.request_numbers[request]
    routes = [[stop for stop in route if rater.request[stop] != number] for route in routes]
    found: list[tuple[str, Refusal | int]] = []
    for slot, route in enumerate(routes):
        option = insertion.place(rater, slot, route, number)
        free = option if isinstance(option, Obstacle) else option.extra
        refused = isinstance(free, Obstacle)
        answer = insertion.refusal(rater, slot, number, option) if refused else free
        found.append((problem.slots[slot].id, answer))
    return found


def _cheaper(problem: Problem, best: Plan, other: Plan | None) -> Plan:
    """``other`` if it costs less and the judge accepts it."""
    if other is None or other.cost >= best.cost or check(problem, other) is not None:
        return best
    return other


def _another(rater: Rater, plan: Plan, rng: random.Random) -> Plan | None:
    """The plan with some requests taken out, those around a random one, and put back."""
    problem = rater.problem
    free = [n for n, request in enumerate(problem.requests) if request.id not in problem.bound]
    if not free:
        return None
    centre = rng.choice(free)
    seconds = problem.profiles[0].seconds
    row = seconds[rater.node[rater.stops[centre][0]]]
    near = sorted(free, key=lambda n: (row[rater.node[rater.stops[n][0]]] * rng.uniform(0.5, 1), n))
    out = set(near[: rng.randint(1, RUIN)]) | {centre}
    routes = [
        [
            stop
            for stop in (rater.number[visit] for visit in route)
            if rater.request[stop] not in out
        ]
        for route in plan.routes
    ]
    if any(isinstance(rater.rate(slot, route), Obstacle) for slot, route in enumerate(routes)):
        return None
    placed = {rater.request[stop] for route in routes for stop in route}
    insertion.fill(rater, routes, [n for n in free if n not in placed])
    return insertion.finish(rater, routes)
