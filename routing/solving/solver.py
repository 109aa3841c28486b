"""The one front door: a problem in, a plan out, valid at every moment.

Insertion answers at once; OR-Tools, ruin and recreate, and set partitioning make the answer
better as long as they may. Arguments and result are plain values, so `solve` can run in a worker
process.
"""

import time
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.problems.plan import Plan, check
from routing.problems.problem import Battery, Problem, Profile, Request, Slot, Stop, Weights
from routing.refusal import Refusal
from routing.search.board import Board, Route
from routing.solving import fleet_size, insertion, ortools_model, reasons, ruin_recreate
from routing.solving.finish import finish
from routing.solving.recombine import recombine
from routing.solving.ruin_recreate import Effort, Pool
from routing.survey import planner as survey
from routing.watch import rings as watch

MODEL_STOPS = 40
"""OR-Tools' routing model gets its turn up to so many stops; behind it ruin and recreate is far
ahead in the same time."""
MODEL_SHARE = 0.1
"""Its share of processor time."""
PARTITION_SHARE = 0.08
"""Share of processor time that set partitioning gets, of what is left for ruin and recreate."""
PARTITION_S = 0.02
"""What it gets where rounds are counted, in deterministic seconds of CP-SAT."""
FLEET_SHARE = 0.9
"""Share of the effort that goes into using fewer vehicles, where using one has a price."""


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
        cpu_s: processor seconds in all, instead of ``iterations``.
        stages: those that may have their turn.
    """

    iterations: int = 500
    cpu_s: float | None = None
    stages: frozenset[Stage] = ALL_STAGES


def insert(problem: Problem, start: Plan | None = None) -> Plan:
    """The immediate answer: what still holds of ``start``, everything else put in cheaply.

    Raises:
        NoPlan: the insertion made a faulty plan, which is a bug; the caller keeps the last one.
    """
    if not problem.slots:
        return _nobody(problem)
    board = Board(problem)
    insertion.build(board, start)
    return finish(board)


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
    if not problem.slots:
        return _nobody(problem)
    clock = _Clock(budget or Budget())
    board = Board(problem)
    insertion.build(board, start)
    first = finish(board)
    if not problem.requests:
        return first
    routes = board.routes()
    if Stage.ORTOOLS in clock.budget.stages:
        routes = _with_model(board, first, clock) or routes
        board.lay(routes)
    if Stage.RUIN_RECREATE in clock.budget.stages:
        if any(slot.price for slot in problem.slots):
            routes = fleet_size.fewer(board, clock.effort(FLEET_SHARE), seed)
            board.lay(routes)
        partition = Stage.PARTITION in clock.budget.stages
        share, pool = (1 - PARTITION_SHARE, Pool()) if partition else (1.0, None)
        board.lay(ruin_recreate.improve(board, clock.effort(share), seed, pool))
        if pool is not None:
            board.lay(_recombined(board, pool, clock, seed) or board.routes())
        insertion.fill_up(board)
    plan = finish(board)
    return plan if plan.cost < first.cost else first


def explain(
    problem: Problem, request: str, plan: Plan | None = None
) -> list[tuple[str, Refusal | int]]:
    """For each slot, what a request would cost there on top of ``plan``, or why it can't.

    Without a plan, slots have nothing to do but what is bound to them.
    """
    if not problem.slots:
        return []
    board = Board(problem)
    insertion.lay_standing(board, plan)
    number = problem.request_numbers[request]
    for slot, route in enumerate(board.routes()):
        rest = [stop for stop in route if board.request(stop) != number]
        if len(rest) < len(route):
            board.set(slot, rest)
    found: list[tuple[str, Refusal | int]] = []
    for answer in reasons.answers(board, number):
        told = answer.refusal if answer.extra is None else answer.extra
        assert told is not None
        found.append((answer.vehicle, told))
    return found


def warm_up() -> None:
    """Have everything compiled, or read from the compiler's cache, before it is needed.

    Takes a minute at the first start on a machine, and less than a second later.
    """
    table = ((0, 5, 9), (5, 0, 4), (9, 4, 0))
    profile = Profile(seconds=table, metres=table)
    carry = (Stop(node=1, load=(1,)), Stop(node=2, load=(-1,)))
    sweep = (Stop(node=0, load=(0,)), Stop(node=1, load=(0,)), Stop(node=2, load=(0,)))
    problem = Problem(
        profiles=(profile,),
        requests=(
            *(Request(id=f"carry {n}", stops=carry) for n in range(3)),
            Request(id="sweep", stops=sweep),
            Request(id="look", stops=sweep[:1]),
            Request(id="aboard", stops=carry[1:], aboard=0),
            Request(id="never", stops=(Stop(node=1, load=(9,)),)),
        ),
        slots=tuple(
            Slot(id=f"{n}", profile=0, start=0, ready_s=0, capacity=(2,), price=1) for n in range(3)
        ),
        weights=Weights(),
    )
    budget = Budget(iterations=20, stages=frozenset({Stage.RUIN_RECREATE}))
    battery = Battery(capacity_j=900, now_j=900, reserve_j=0, per_m_j=1, per_s_j=0, charge_j_s=9)
    powered = tuple(replace(slot, battery=battery, price=0) for slot in problem.slots)
    fewer = replace(problem, requests=problem.requests[:-1])
    for asked in (problem, fewer, replace(fewer, slots=powered)):
        solve(asked, budget=budget)
    survey.warm_up()
    watch.warm_up()


class _Clock:
    """What is left of a budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._since_s = time.process_time()

    def left_s(self) -> float | None:
        """Processor seconds; None = rounds are counted."""
        if self.budget.cpu_s is None:
            return None
        return self.budget.cpu_s - (time.process_time() - self._since_s)

    def effort(self, share: float) -> Effort:
        """A share of what is left."""
        left_s = self.left_s()
        if left_s is None:
            return Effort(rounds=int(self.budget.iterations * share))
        return Effort(cpu_s=left_s * share)


def _with_model(board: Board, first: Plan, clock: _Clock) -> list[Route] | None:
    """What OR-Tools makes of the first plan; None = nothing better."""
    left_s = clock.left_s()
    if len(board.visits) > MODEL_STOPS:
        return None
    seconds = None if left_s is None else left_s * MODEL_SHARE
    proposed = ortools_model.propose(board.problem, first, cpu_s=seconds)
    if proposed is None:
        return None
    routes = [[board.number[visit] for visit in route] for route in proposed]
    return routes if board.lay(routes) and board.price() < first.cost else None


def _recombined(board: Board, pool: Pool, clock: _Clock, seed: int) -> list[Route] | None:
    """The best plan out of all routes that the search has seen; None = nothing better."""
    left_s = clock.left_s()
    if left_s is not None and left_s <= 0:
        return None
    seconds = PARTITION_S if left_s is None else left_s
    return recombine(board, pool, deterministic_s=seconds, cpu_limit_s=left_s, seed=seed)


def _nobody(problem: Problem) -> Plan:
    """Without a vehicle, everything is left out."""
    unplanned = {request.id: Refusal("no_vehicle") for request in problem.requests}
    dropped = sum(problem.drop_price(request) for request in problem.requests)
    plan = Plan(routes=(), unplanned=unplanned, cost=dropped)
    assert check(problem, plan) is None
    return plan
