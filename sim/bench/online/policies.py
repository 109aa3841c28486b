"""The policies that the online replay compares: each answers every event from its last plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing.problems.plan import Plan
from routing.problems.problem import Problem
from routing.solving import ortools_model
from routing.solving.solver import Budget, Stage, insert, solve

ORTOOLS_S = 0.2
"""Processor seconds of OR-Tools for each event."""
ENOUGH, MOST_STRETCH, LEARNING = 0.9, 10.0, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """How long the policies think about each event.

    Args:
        budget_s: processor seconds of ours; OR-Tools has `ORTOOLS_S`.
        iterations: rounds of ours instead, and most improvements of OR-Tools, which then only
            descends: the same seed gives the same replay on any machine.
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
    pace = _Pace(ORTOOLS_S)

    def plan(problem: Problem, last: Plan, event: int) -> tuple[Plan, float]:  # noqa: ARG001
        since_s = time.process_time()
        first = insert(problem, last)
        with pace:
            if thought.iterations is None:
                better = ortools_model.improve(problem, first, cpu_s=pace.limit_s)
            else:
                better = ortools_model.improve(problem, first, solutions=thought.iterations)
        kept = better if better is not None and better.cost < first.cost else first
        return kept, time.process_time() - since_s

    return plan


class _Pace:
    """A limit on the wall's clock that comes to so much processor time, at the mean.

    OR-Tools knows no other clock; on a busy machine it would get less than its share.
    """

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self._stretch = 1.0

    @property
    def limit_s(self) -> float:
        """What to ask for now."""
        return self._budget_s * self._stretch

    def __enter__(self) -> None:
        self._since_s = time.monotonic(), time.process_time()

    def __exit__(self, *_: object) -> None:
        gone_s = time.monotonic() - self._since_s[0]
        cpu_s = time.process_time() - self._since_s[1]
        if gone_s >= ENOUGH * self.limit_s:  # else it has ended by itself
            found = min(MOST_STRETCH, max(1.0, gone_s / max(cpu_s, 1e-3)))
            self._stretch += LEARNING * (found - self._stretch)


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
