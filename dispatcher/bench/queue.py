"""A long queue and a large fleet: how quick the planner answers, and whether the loop feels it."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dispatcher.records.executors import offload, solver_process
from routing.problems.plan import Plan
from routing.problems.problem import Problem, Profile, Request, Slot, Stop
from routing.search.board import Board
from routing.solving import insertion
from routing.solving.solver import Budget, Stage, insert, solve, warm_up

PLACES, LEVELS, WIDTH_M = 150, 4, 120.0
SPEED_M_S, LIFT_S = 1.0, 40
CAPACITY = (100_000, 300_000, 4)
"""Grams, millilitres, compartments."""
ONE_MORE, ANEW = 300, 40
"""How often a request is put into the standing board, and into a plan from its problem on."""
SEARCH_S, PROBED_S, TICK_S = 1.0, 5.0, 0.005
"""Processor time of each search in the worker; how long the loop is watched, and how closely."""

PARTS = 4
"""Of the measurement, for whoever shows how far it is."""

Due = tuple[int, int, int]
DUES: tuple[Due, ...] = ((15, 60, 1), (30, 10, 3), (60, 6, 8), (120, 6, 8))
"""Minutes until due, price of a second's delay, and how common it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured.

    Args:
        first_answer_s: insertion of all requests into empty routes, on the wall's clock.
        insert_p50_ms: one more request into a board that stands; processor time.
        replan_p50_ms: the same from a problem and the last plan: flattening, laying out, judging;
            processor time.
        lag_max_ms: how late the event loop was at most while the worker searched; wall's clock.
    """

    requests: int
    vehicles: int
    first_answer_s: float
    first_answer_cpu_s: float
    insert_p50_ms: float
    insert_p99_ms: float
    replan_p50_ms: float
    replan_p99_ms: float
    lag_p99_ms: float
    lag_max_ms: float


def measure(
    requests: int, vehicles: int, seed: int, done: Callable[[], object] = lambda: None
) -> Figures:
    """All figures for one random problem.

    Args:
        done: is called after each of the `PARTS`.
    """
    warm_up()
    problem = queue(requests, vehicles, seed)
    since_s, cpu_s = time.perf_counter(), time.process_time()
    plan = insert(problem)
    first_s, first_cpu_s = time.perf_counter() - since_s, time.process_time() - cpu_s
    done()
    one_more_s = sorted(_one_more(problem, plan, seed))
    done()
    anew_s = sorted(_anew(problem, plan, seed))
    done()
    lags_s = asyncio.run(_lags(problem, plan))
    done()
    return Figures(
        requests=requests,
        vehicles=vehicles,
        first_answer_s=round(first_s, 3),
        first_answer_cpu_s=round(first_cpu_s, 3),
        insert_p50_ms=_ms(one_more_s, 50),
        insert_p99_ms=_ms(one_more_s, 99),
        replan_p50_ms=_ms(anew_s, 50),
        replan_p99_ms=_ms(anew_s, 99),
        lag_p99_ms=_ms(lags_s, 99),
        lag_max_ms=_ms(lags_s, 100),
    )


# --- the problem


def queue(requests: int, vehicles: int, seed: int) -> Problem:
    """A random problem of a hospital's kind: deliveries to one place or several, and services."""
    chance = random.Random(f"{seed}:queue")
    return Problem(
        profiles=(_profile(chance),),
        requests=tuple(_request(chance, f"task-{n}") for n in range(requests)),
        slots=tuple(
            Slot(
                id=f"robot-{n}",
                profile=0,
                start=chance.randrange(PLACES),
                ready_s=chance.randrange(300),
                capacity=CAPACITY,
            )
            for n in range(vehicles)
        ),
    )


def _profile(chance: random.Random) -> Profile:
    """Corridors at right angles, and a lift between levels."""
    spots = np.array(
        [
            (chance.uniform(0, WIDTH_M), chance.uniform(0, WIDTH_M), chance.randrange(LEVELS))
            for _ in range(PLACES)
        ]
    )
    apart = np.abs(spots[:, None, :] - spots[None, :, :])
    metres = apart[..., 0] + apart[..., 1]
    seconds = metres / SPEED_M_S + LIFT_S * (apart[..., 2] > 0) + 4 * apart[..., 2]
    return Profile.of(np.ceil(seconds).astype(np.int64), np.ceil(metres).astype(np.int64))


def _request(chance: random.Random, id_: str) -> Request:
    due_min, late_weight, _ = chance.choices(DUES, weights=[common for *_, common in DUES])[0]
    drops = chance.choice((0, 1, 1, 1, 1, 1, 1, 1, 2, 3))
    where = chance.sample(range(PLACES), drops + 1)
    if not drops:
        stops = (Stop(node=where[0], service_s=600, load=(0, 0, 0)),)
    else:
        mass_g, volume_ml = chance.randint(500, 20_000), chance.randint(1_000, 70_000)
        load = (drops * mass_g, drops * volume_ml, drops)
        each = (-mass_g, -volume_ml, -1)
        stops = (
            Stop(node=where[0], service_s=60, load=load),
            *(Stop(node=node, service_s=60, load=each) for node in where[1:]),
        )
    return Request(id=id_, stops=stops, due_s=60 * due_min, late_weight=late_weight)


# --- one request more


def _one_more(problem: Problem, plan: Plan, seed: int) -> Iterator[float]:
    """Seconds to put each of some requests into the standing plan; it is taken out again."""
    chance = random.Random(f"{seed}:more")
    more = tuple(_request(chance, f"more-{n}") for n in range(ONE_MORE))
    board = Board(replace(problem, requests=(*problem.requests, *more)))
    insertion.lay_standing(board, plan)
    standing = board.routes()
    for number in range(len(problem.requests), len(problem.requests) + ONE_MORE):
        since_s = time.thread_time()
        insertion.fill(board, [number])
        yield time.thread_time() - since_s
        for slot, route in enumerate(board.routes()):
            if len(route) > len(standing[slot]):
                board.set(slot, standing[slot])


def _anew(problem: Problem, plan: Plan, seed: int) -> Iterator[float]:
    """The same, each from its problem and the plan on, to a plan that has passed its judge."""
    chance = random.Random(f"{seed}:anew")
    for number in range(ANEW):
        asked = replace(problem, requests=(*problem.requests, _request(chance, f"anew-{number}")))
        since_s = time.thread_time()
        insert(asked, plan)
        yield time.thread_time() - since_s


# --- the loop


async def _lags(problem: Problem, plan: Plan) -> list[float]:
    """How late each tick of a loop was, in seconds, while a worker improved the plan."""
    with solver_process() as worker:
        await offload(worker, warm_up)
        search = partial(
            solve,
            problem,
            start=plan,
            budget=Budget(cpu_s=SEARCH_S, stages=frozenset({Stage.RUIN_RECREATE})),
        )
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(_ticks(PROBED_S), name="bench.probe")
            while not probe.done():
                await offload(worker, search)
    return sorted(probe.result())


async def _ticks(lasts_s: float) -> list[float]:
    loop = asyncio.get_running_loop()
    lags_s: list[float] = []
    end_s = loop.time() + lasts_s
    while (now_s := loop.time()) < end_s:
        await asyncio.sleep(TICK_S)
        lags_s.append(loop.time() - now_s - TICK_S)
    return lags_s


def _ms(seconds: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(seconds, percent)) * 1000, 3)
