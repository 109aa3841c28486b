"""One instance, one solver, one process: what is measured is its own."""

import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from dispatcher.bench.files import load
from dispatcher.bench.peer import OURS, PEERS, why_not
from routing.errors import RoutingError
from routing.instances.instance import Figures, Instance, Objective, Routes
from routing.problems.plan import Plan
from routing.problems.problem import Problem
from routing.solving.solver import Budget, solve

STATUS = Path("/proc/self/status")
PEER_ERRORS = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What libraries raise; then this row has no figures, and the others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to solve, with whom, and for how long.

    Args:
        budget_s: processor time.
    """

    file: Path
    solver: str
    objective: Objective
    budget_s: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a job.

    Args:
        routes: the answer in the form of its benchmark; None = there is none.
        cpu_s: user and system time of the solver alone: reading, loading and warming up excluded.
        peak_rss_mb: of all the process.
    """

    figures: Figures
    routes: Routes | None = None
    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0


def hush() -> None:
    """In a new process: what solvers print goes to stderr, and Ctrl-C ends it without a word."""
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def work(job: Job) -> Outcome:
    """Solve, and count again what the answer is worth."""
    instance = load(job.file)
    try:
        problem = instance.problem(job.objective)
        plan, cpu_s = _ours(problem, job) if job.solver == OURS else _theirs(problem, job)
    except RoutingError as error:
        return Outcome(figures=Figures(why=str(error)), peak_rss_mb=_peak_rss_mb())
    if isinstance(plan, str):
        return Outcome(figures=Figures(why=plan), peak_rss_mb=_peak_rss_mb())
    return _judged(instance, plan, cpu_s)


def _judged(instance: Instance, plan: Plan, cpu_s: float) -> Outcome:
    peak_rss_mb = _peak_rss_mb()
    routes = instance.routes_of(plan)
    return Outcome(
        figures=instance.figures(routes), routes=routes, cpu_s=cpu_s, peak_rss_mb=peak_rss_mb
    )


def _ours(problem: Problem, job: Job) -> tuple[Plan, float]:
    _warm_up()
    since_s = time.process_time()
    plan = solve(problem, budget=Budget(cpu_s=job.budget_s), seed=job.seed)
    return plan, time.process_time() - since_s


def _warm_up() -> None:
    try:
        from routing.solving.solver import warm_up  # pyright: ignore
    except ImportError:
        return
    warm_up()  # pyright: ignore


def _theirs(problem: Problem, job: Job) -> tuple[Plan | str, float]:
    """A peer's plan, or why there is none."""
    if reason := why_not(problem):
        return reason, 0.0
    peer = PEERS[job.solver].load()
    peer.prepare()
    try:
        routes, cpu_s = peer.solve(problem, job.budget_s, job.seed)
    except PEER_ERRORS as error:
        return f"{type(error).__name__}: {error}", 0.0
    return Plan(routes=tuple(map(tuple, routes))), cpu_s


def _peak_rss_mb() -> float:
    """Of this process; unlike `resource`, the kernel's status leaves out what was before exec."""
    try:
        words = STATUS.read_text().split()
        peak_kb = int(words[words.index("VmHWM:") + 1])
    except (OSError, ValueError):
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kb / 1024
