"""Watching without end: rings on which vehicles go round, so that no point waits long to be seen.

A ring is a closed tour with its vehicles evenly spaced, so each of its points is seen every
``round_s / vehicles``. Among all plans that see every point at even intervals none is better than
the best rings (docs/explanation/watching.md), so the search is for tours, for which points share
one, and for how many vehicles each has.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from routing.errors import Unreachable
from routing.tours.anneal import Laid, Walk, anneal, best_of, lay, make_walk

HOT, COLD = 2.0, 0.01
"""First and last temperature, in ways from a point to one that is near."""
HEATS = 4
"""A search heats up so often: from one tour for all, its parts, clusters, and the best so far."""
LONG_ROUNDS, LONG_S, LONG_HEATS = 4_000_000, 1.0, 12
"""Longer searches go through all of that three times."""
LOWER = (400, 20, 8, 400)
"""By which parts the targets of the heats are below what is known: much tears up what is stuck."""
SHORT_ROUNDS = 40_000
"""A search with fewer rounds heats up once."""
STEPS = 50
"""Temperatures in one cooling, when rounds are counted."""
CHUNK = 5_000
"""Rounds between two looks at the clock."""
CLOSE = 4
"""How many neighbours of a point are near, when temperatures are set."""

Times = Sequence[Sequence[float]] | NDArray[np.float64]
Looks = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ring:
    """A closed tour, and how many vehicles go round it, evenly spaced.

    Args:
        points: numbers of points, each once, in the order in which they are seen.
        round_s: one time round, looks included.
    """

    points: tuple[int, ...]
    vehicles: int
    round_s: float

    @property
    def idle_s(self) -> float:
        """The longest time that a point of it is unseen."""
        return self.round_s / self.vehicles


def worst_idle_s(plan: Sequence[Ring]) -> float:
    """The longest time that any point is unseen."""
    return max(ring.idle_s for ring in plan)


def rings(
    times_s: Times,
    look_s: Looks,
    vehicles: int,
    *,
    rounds: int,
    seed: int = 0,
    alone: bool = False,
) -> tuple[Ring, ...]:
    """The rings with the least worst idleness that were found in so many rounds.

    The same rounds and seed give the same rings on any machine.

    Args:
        times_s: (n, n) seconds from point to point, row = from; need not be symmetric. What is on
            the diagonal does not matter.
        look_s: (n) seconds that a vehicle stays at each point.
        rounds: changes tried, >= 1; a processor second has some millions of them.
        alone: no two vehicles share a ring, so each has an area of its own.

    Returns:
        Each point is in one ring. Vehicles are all used, unless ``alone`` and more than points.

    Raises:
        Unreachable: there is no way between two points (an infinite time).
        ValueError: no points, no vehicles, no rounds, or times that are no times.
    """
    if rounds < 1:
        raise ValueError(f"a search needs at least 1 round, not {rounds}")
    return _search(checked_cost(times_s, look_s), vehicles, seed, alone, rounds, None)


def rings_within(
    times_s: Times,
    look_s: Looks,
    vehicles: int,
    *,
    cpu_s: float,
    seed: int = 0,
    alone: bool = False,
) -> tuple[Ring, ...]:
    """`rings` within so many processor seconds, > 0; not repeatable to the last second.

    Raises:
        Unreachable, ValueError: as in `rings`.
    """
    if not cpu_s > 0.0:
        raise ValueError(f"a search needs more than 0 processor seconds, not {cpu_s}")
    return _search(checked_cost(times_s, look_s), vehicles, seed, alone, 0, cpu_s)


def warm_up() -> None:
    """Have the search compiled, or read from the compiler's cache, before it is needed.

    Takes a quarter of a minute at the first start on a machine, and a moment later.
    """
    rings([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0], 1, rounds=10)


def checked_cost(times_s: Times, look_s: Looks) -> NDArray[np.float64]:
    """(n, n) seconds from point to point with the look at the second; diagonal = a look alone.

    Raises:
        Unreachable, ValueError: as in `rings`.
    """
    times, looks = np.array(times_s, dtype=np.float64), np.array(look_s, dtype=np.float64)
    if not looks.size:
        raise ValueError("there is no point to watch; name at least one")
    if looks.ndim != 1 or times.shape != (looks.size, looks.size):
        raise ValueError(f"{looks.size} points need {looks.size} x {looks.size} times")
    np.fill_diagonal(times, 0.0)
    if np.isnan(times).any() or (times < 0).any():
        raise ValueError("times between points must be 0 or more")
    if not (np.isfinite(looks).all() and (looks >= 0).all()):
        raise ValueError("looks must take 0 seconds or more")
    for start, goal in np.argwhere(np.isinf(times)).tolist():
        raise Unreachable(f"point {start}", f"point {goal}")
    return times + looks[None, :]


# --- the search


def _search(
    cost_s: NDArray[np.float64],
    vehicles: int,
    seed: int,
    alone: bool,
    rounds: int,
    cpu_s: float | None,
) -> tuple[Ring, ...]:
    if vehicles < 1:
        raise ValueError(f"watching needs at least 1 vehicle, not {vehicles}")
    cost = np.ceil(cost_s * 1000 - 1e-6).astype(np.int64)
    vehicles = min(vehicles, len(cost)) if alone else vehicles
    since_s = time.process_time()
    walk = make_walk(cost, vehicles, seed, alone=alone)
    near = [cost[p, walk.near[p, :CLOSE]].mean() for p in range(len(cost))]
    unit = max(1.0, float(np.mean(near)))
    heats = _heats(rounds, cpu_s)
    for heat, start in enumerate(islice(_starts(walk, vehicles, alone), heats)):
        lay(walk, start, LOWER[heat % HEATS])
        if cpu_s is None:
            _cool(walk, unit, (rounds - 1) // heats + 1)
        else:
            _cool_until(walk, unit, since_s + cpu_s * heat / heats, cpu_s / heats)
    return tuple(_ring(points, cars, cost_s) for points, cars in best_of(walk))


def _heats(rounds: int, cpu_s: float | None) -> int:
    if cpu_s is not None:
        return LONG_HEATS if cpu_s > LONG_S else HEATS
    return LONG_HEATS if rounds > LONG_ROUNDS else HEATS if rounds >= SHORT_ROUNDS else 1


def _cool(walk: Walk, unit: float, rounds: int) -> None:
    """From hot to cold in so many rounds."""
    steps = min(STEPS, rounds)
    for k in range(steps):
        heat = unit * HOT * (COLD / HOT) ** (k / max(1, steps - 1))
        anneal(walk, rounds * (k + 1) // steps - rounds * k // steps, heat)


def _cool_until(walk: Walk, unit: float, since_s: float, lasts_s: float) -> None:
    """From hot to cold in so much processor time."""
    while (done := (time.process_time() - since_s) / lasts_s) < 1.0:
        anneal(walk, CHUNK, unit * HOT * (COLD / HOT) ** max(0.0, done))


def _ring(points: list[int], vehicles: int, cost_s: NDArray[np.float64]) -> Ring:
    """A ring as the world sees it, from its lowest point on."""
    start = points.index(min(points))
    order = (*points[start:], *points[:start])
    round_s = sum(float(cost_s[a, b]) for a, b in pairwise((*order, order[0])))
    return Ring(points=order, vehicles=vehicles, round_s=round_s)


# --- where the search starts


def _starts(walk: Walk, vehicles: int, alone: bool) -> Iterator[list[Laid]]:
    """Rings to start from; later ones are made of the best that was found until then."""
    cost = walk.cost
    first = _nearest_next(cost, list(range(len(cost))))
    parts = min(len(cost), vehicles)
    yield _cut(cost, first, parts, vehicles) if alone else [(first, vehicles)]
    while True:
        yield _cut(cost, [p for points, _ in best_of(walk) for p in points], parts, vehicles)
        yield _clusters(cost, parts, vehicles)
        yield best_of(walk)
        yield best_of(walk)


def _nearest_next(cost: NDArray[np.int64], points: list[int]) -> list[int]:
    tour, left = [points[0]], points[1:]
    while left:
        here = tour[-1]
        tour.append(min(left, key=lambda p: (cost[here, p], p)))
        left.remove(tour[-1])
    return tour


def _cut(cost: NDArray[np.int64], tour: list[int], parts: int, vehicles: int) -> list[Laid]:
    """A tour in parts that take about as long, each with a vehicle."""
    way = np.cumsum([0, *(cost[a, b] for a, b in pairwise(tour))])
    share = np.minimum(parts - 1, way * parts // max(1, int(way[-1]) + 1))
    groups = [[p for p, k in zip(tour, share, strict=True) if k == part] for part in range(parts)]
    return _manned([group for group in groups if group], vehicles, parts)


def _clusters(cost: NDArray[np.int64], parts: int, vehicles: int) -> list[Laid]:
    """Points with the nearest of some that are far apart."""
    apart = np.minimum(cost, cost.T)
    middles = [int(apart.sum(axis=1).argmax())]
    while len(middles) < parts:
        far = apart[middles].min(axis=0)
        far[middles] = -1
        middles.append(int(far.argmax()))
    nearest = apart[middles].argmin(axis=0)
    nearest[middles] = range(parts)
    groups = [np.flatnonzero(nearest == part).tolist() for part in range(parts)]
    return _manned([_nearest_next(cost, group) for group in groups], vehicles, parts)


def _manned(groups: list[list[int]], vehicles: int, parts: int) -> list[Laid]:
    """A vehicle for each group, those left over to the largest; missing groups are split off."""
    while len(groups) < parts:
        largest = max(groups, key=len)
        groups.append([largest.pop()])
    cars = [1] * parts
    for _ in range(vehicles - parts):
        cars[max(range(parts), key=lambda k: (len(groups[k]) / cars[k], -k))] += 1
    return list(zip(groups, cars, strict=True))
