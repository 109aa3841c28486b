"""The same processor time for solvers that only know the clock on the wall."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

ATTEMPTS = 3
ENOUGH = 0.9
LONGEST = 10.0
"""A limit is never made longer than by this factor at a time."""


def fairly(budget_s: float, run: Callable[[float], T]) -> tuple[T, float]:
    """What ``run`` answers within about ``budget_s`` of processor time, and how much it took.

    On a busy machine a solver gets less of that than its limit on the wall's clock. Then it runs
    once more from the start, with a limit that makes up for it; only the last run counts.

    Args:
        run: takes its limit on the wall's clock, in seconds; it may end earlier by itself.
    """
    limit_s = budget_s
    answer, cpu_s, gone_s = _timed(run, limit_s)
    for _ in range(ATTEMPTS - 1):
        if cpu_s >= ENOUGH * budget_s or gone_s < ENOUGH * limit_s:
            break
        limit_s *= min(LONGEST, budget_s / max(cpu_s, 1e-3))
        answer, cpu_s, gone_s = _timed(run, limit_s)
    return answer, cpu_s


def _timed(run: Callable[[float], T], limit_s: float) -> tuple[T, float, float]:
    wall_s, cpu_s = time.monotonic(), time.process_time()
    answer = run(limit_s)
    return answer, time.process_time() - cpu_s, time.monotonic() - wall_s
