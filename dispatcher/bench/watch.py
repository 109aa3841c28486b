"""Plans of watching without end, as visits of each vehicle, and what these are worth."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from dispatcher.bench.case_files import write_answer
from dispatcher.bench.files import WrongUse
from dispatcher.bench.watch_case import WatchCase
from routing.watch.fleet import lower_bound_s
from routing.watch.measures import Secrecy, Visit, secrecy, worst_idle_s
from routing.watch.rings import Ring, rings_within
from routing.watch.rings import worst_idle_s as planned_s
from routing.watch.unpredictable import visits, wander

ROUNDS = 4
"""So many times round the longest ring are written down."""
STAND_S = 1.0
"""Who stands at its only point sees it anew so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case and a number of vehicles.

    Args:
        worst_idle_s: recomputed from the visits that are written down.
        bound_s: no plan of any kind is below.
        cpu_s: of planning.
        secret: of random patrols, counting stops; ``seen``: counting points that are passed, too.
        tour_s: of random patrols: the longest tour of a vehicle.
    """

    case: str
    k: int
    worst_idle_s: float
    bound_s: float
    cpu_s: float
    tour_s: float | None = None
    secret: Secrecy | None = None
    seen: Secrecy | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        found = asdict(self)
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """All visits of all vehicles, points by their numbers.

    Args:
        stops: those visits that are stops; none of the points that are passed.
        steady_from_s, horizon_s: between these every point's idleness counts.
    """

    vehicles: Sequence[Sequence[Visit]]
    stops: Sequence[Visit]
    steady_from_s: float
    horizon_s: float
    tour_s: float
    cpu_s: float


def evenly(case: WatchCase, vehicles: int, budget_s: float, seed: int) -> Watched:
    """The best rings, and vehicles going round them."""
    since_s = time.process_time()
    plan = rings_within(case.times_s, case.look_s, vehicles, cpu_s=budget_s, seed=seed)
    cpu_s = time.process_time() - since_s
    longest_s = max(STAND_S, *(ring.round_s for ring in plan))
    steady_s = max(planned_s(plan), STAND_S)
    horizon_s = steady_s + ROUNDS * longest_s
    driven = [visits for ring in plan for visits in _round_and_round(case, ring, horizon_s)]
    return Watched(
        vehicles=driven,
        stops=(),
        steady_from_s=steady_s,
        horizon_s=horizon_s,
        tour_s=longest_s,
        cpu_s=cpu_s,
    )


def unpredictably(
    case: WatchCase, vehicles: int, budget_s: float, seed: int, tours: float, many: int
) -> Watched:
    """A part of its own for each vehicle, in random order.

    Args:
        tours: no point is unseen for longer than so many of the longest tours, >= 1.
        many: stops of each vehicle.
    """
    since_s = time.process_time()
    parts = rings_within(case.times_s, case.look_s, vehicles, cpu_s=budget_s, seed=seed, alone=True)
    tour_s = max(STAND_S, *(part.round_s for part in parts))
    driven: list[list[Visit]] = []
    stops: list[Visit] = []
    for number, part in enumerate(parts):
        stopped = list(islice(_at_random(case, part, tours * tour_s, seed, number), many))
        stops += stopped
        driven.append(list(_with_passed(case, stopped)))
    return Watched(
        vehicles=driven,
        stops=stops,
        steady_from_s=tours * tour_s,
        horizon_s=min(visits[-1][0] for visits in driven),
        tour_s=tour_s,
        cpu_s=time.process_time() - since_s,
    )


def row_of(case: WatchCase, vehicles: int, watched: Watched) -> Row:
    """What a plan is worth.

    Raises:
        WrongUse: it is too short to say how random it is.
    """
    points, all_ = len(case.names), [visit for own in watched.vehicles for visit in own]
    secret = seen = None
    if watched.stops:
        try:
            secret = secrecy(watched.stops, points, watched.tour_s)
            seen = secrecy(all_, points, watched.tour_s)
        except ValueError as error:
            raise WrongUse(f"{case.name}: {error}; raise --visits") from error
    idle_s = worst_idle_s(all_, points, watched.steady_from_s, watched.horizon_s)
    return Row(
        case=case.name,
        k=vehicles,
        worst_idle_s=round(idle_s, 3),
        bound_s=round(lower_bound_s(case.times_s, case.look_s, vehicles), 3),
        cpu_s=round(watched.cpu_s, 3),
        tour_s=round(watched.tour_s, 3) if watched.stops else None,
        secret=secret,
        seen=seen,
    )


def write(folder: Path, case: WatchCase, vehicles: int, watched: Watched) -> None:
    """`FOLDER/CASE-K.json`, with the points named as the case does.

    Raises:
        WrongUse: it can't be written.
    """
    answer = {
        "case": case.name,
        "k": vehicles,
        "vehicles": [
            [[round(at_s, 6), case.names[point]] for at_s, point in own] for own in watched.vehicles
        ],
        "steady_from": round(watched.steady_from_s, 6),
        "horizon": round(watched.horizon_s, 6),
    }
    write_answer(folder / f"{case.name}-{vehicles}.json", answer)


# --- visits


def _round_and_round(case: WatchCase, ring: Ring, until_s: float) -> Iterator[list[Visit]]:
    """The visits of each vehicle of a ring; at 0 they are evenly spaced on it."""
    stops, at_s = [(0.0, ring.points[0])], 0.0
    for here, there in pairwise((*ring.points, ring.points[0])):
        at_s += (case.times_s[here][there] if here != there else 0.0) + case.look_s[there]
        stops.append((at_s, there))
    lap, lap_s = list(_with_passed(case, stops))[:-1], max(ring.round_s, STAND_S)
    for vehicle in range(ring.vehicles):
        ahead_s = lap_s * vehicle / ring.vehicles
        begun = sorted(((at_s - ahead_s) % lap_s, point) for at_s, point in lap)
        rounds = range(int(until_s / lap_s) + 1)
        times = ((at_s + number * lap_s, point) for number in rounds for at_s, point in begun)
        yield [(at_s, point) for at_s, point in times if at_s <= until_s]


def _at_random(
    case: WatchCase, part: Ring, revisit_s: float, seed: int, number: int
) -> Iterator[Visit]:
    """Stops in one part, by the case's numbers of points."""
    times = [[case.times_s[a][b] for b in part.points] for a in part.points]
    looks = [case.look_s[a] for a in part.points]
    if len(part.points) == 1:
        looks = [max(STAND_S, looks[0])]
    plan = wander(times, looks, range(len(part.points)), revisit_s)
    for at_s, point in visits(plan, random.Random(f"{seed}:{case.name}:{number}")):
        yield at_s, part.points[point]


def _with_passed(case: WatchCase, stops: Sequence[Visit]) -> Iterator[Visit]:
    """Stops, and the points that are passed between them."""
    yield stops[0]
    for (left_s, here), (reached_s, there) in pairwise(stops):
        for point, after_s in case.passed.get((here, there), ()):
            yield left_s + after_s, point
        yield reached_s, there
