"""The policies that the online replay compares: each answers every event from its last plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dispatcher.bench.fair import fairly
from routing import ortools_model
from routing.plan import Plan
from routing.problem import Problem
from routing.solver import Budget, Stage, insert, solve

ORTOOLS_S = 0.2
"""Of OR-Tools for each event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """How long the policies think about each event.

    Args:
        budget_s: processor seconds of ours; OR-Tools has `ORTOOLS_S`.
        iterations: rounds of ours instead, with OR-Tools descending without a clock: then the
            same seed gives the same replay on any machine.
    """

    budget_s: float = 0.05
    iterations: int | None = None


Policy = Callable[[Problem, Plan, int], tuple[Plan, float]]
"""From a problem, the last plan and the number of the event: a plan, and its processor time."""


def _insertion(_: Thought) -> Policy:
    """What is new is put into the last plan; nothing is ever moved for it."""

    def plan(problem: Problem, last: Plan, event: int) -> tuple[Plan, float]:  # noqa: ARG001
        since_s = time.process_time()
        return insert(problem, last), time.process_time() - since_s

    return plan


def _ortools(thought: Thought) -> Policy:
    """The same, and OR-Tools started from there; its answer is kept if it is better."""
    seconds = ORTOOLS_S if thought.iterations is None else None

    def plan(problem: Problem, last: Plan, event: int) -> tuple[Plan, float]:  # noqa: ARG001
        since_s = time.process_time()
        first = insert(problem, last)
        first_s = time.process_time() - since_s
        if seconds is None:
            better = ortools_model.improve(problem, first)
            better_s = time.process_time() - since_s - first_s
        else:
            better, better_s = fairly(
                seconds, lambda limit_s: ortools_model.improve(problem, first, cpu_s=limit_s)
            )
        kept = better if better is not None and better.cost < first.cost else first
        return kept, first_s + better_s

    return plan


def _wardline(thought: Thought) -> Policy:
    """Insertion, then ruin and recreate."""

    def plan(problem: Problem, last: Plan, event: int) -> tuple[Plan, float]:
        since_s = time.process_time()
        stages = frozenset({Stage.RUIN_RECREATE})
        if thought.iterations is None:
            budget = Budget(cpu_s=thought.budget_s, stages=stages)
        else:
            budget = Budget(iterations=thought.iterations, stages=stages)
        answer = solve(problem, start=last, budget=budget, seed=event)
        return answer, time.process_time() - since_s

    return plan


POLICIES: Mapping[str, Callable[[Thought], Policy]] = {
    "insertion": _insertion,
    "ortools": _ortools,
    "wardline": _wardline,
}
