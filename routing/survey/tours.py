"""Who flies which lines in which order: simulated annealing over the sorties of all drones.

A line is flown in one of two directions. Point ``2 * line`` is one end of it, ``2 * line + 1`` the
other; a route holds the points where its lines are entered. The price is the time of the drone
that lands last, and a little of everybody's, so that the others' time isn't wasted; sorties longer
than a drone's energy lasts cost extra.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.dice import below, make_dice, uniform
from routing.search.flat import Real, Whole
from routing.survey.case import Flight, Seconds

SHARED = 0.1
"""What a second of everybody's mean time costs, beside one of the last one's."""
TOO_LONG = 5.0
"""What a second beyond the usable time costs; beside it, that a sortie is too long at all costs
more than one more sortie."""
WARM_S, COOL_S = 12.0, 0.15
"""Temperatures at the start and at the end."""
NEAR = 10
"""So many neighbours of a line are tried first."""
LONGEST_STRING = 8

# entries of Tours.facts
TAKEOFF_AND_LANDING, SWAP, USABLE = range(3)


class Tours(NamedTuple):
    """Routes under search. P points, of which the first 2 n are ends of lines; R routes.

    route (R, L): entered points; size (R); drone (R): whose sortie it is; dock (R): its point;
    seconds (R): of each route; at (n): route of each line; between (P, P), along (2 n): seconds
    from point to point, and of a line entered there; near (2 n, K): points that can be entered
    soon after this one was left; facts: see above; best (R, L), best_size (R): the best routes;
    one, other (L): two routes on trial; clock (D): when drones have landed; dice.
    """

    route: Whole
    size: Whole
    drone: Whole
    dock: Whole
    seconds: Real
    at: Whole
    between: Real
    along: Real
    near: Whole
    facts: Real
    best: Whole
    best_size: Whole
    one: Whole
    other: Whole
    clock: Real
    dice: Whole

    def now(self) -> list[list[int]]:
        """The routes as lists of entered points."""
        pairs = zip(self.route, self.size, strict=True)
        return [[int(point) for point in row[:size]] for row, size in pairs]

    def lay(self, routes: Sequence[Sequence[int]]) -> None:
        """Begin with these routes."""
        for r, points in enumerate(routes):
            self.best[r, : len(points)] = points
            self.best_size[r] = len(points)
        restore(self)


def make_tours(
    between: Seconds, along: Seconds, drones: int, sorties: int, flight: Flight, seed: int
) -> Tours:
    """Routes without any line yet.

    Args:
        between: (P, P) seconds, P = 2 lines + drones: ends of lines, then the drones' docks.
        along: (2 lines,) seconds of each line, entered at each of its ends.
        sorties: how many a drone may fly.
    """
    lines, routes = len(along) // 2, drones * sorties
    longest = lines + 1
    reached = between[: 2 * lines, : 2 * lines].copy()
    reached = reached[np.arange(2 * lines) ^ 1]
    for line in range(lines):
        reached[2 * line : 2 * line + 2, 2 * line : 2 * line + 2] = np.inf
    few = min(NEAR, max(1, 2 * lines - 2))
    near = np.argsort(reached, axis=1, kind="stable")[:, :few]
    finite = np.where(np.isfinite(between), between, 1e6)
    return Tours(
        route=np.zeros((routes, longest), dtype=np.int64),
        size=np.zeros(routes, dtype=np.int64),
        drone=np.repeat(np.arange(drones), sorties).astype(np.int64),
        dock=np.repeat(2 * lines + np.arange(drones), sorties).astype(np.int64),
        seconds=np.zeros(routes),
        at=np.full(lines, -1, dtype=np.int64),
        between=np.ascontiguousarray(finite),
        along=np.where(np.isfinite(along), along, 1e6),
        near=np.ascontiguousarray(near.astype(np.int64)),
        facts=np.array([flight.takeoff_s + flight.landing_s, flight.swap_s, flight.usable_s]),
        best=np.zeros((routes, longest), dtype=np.int64),
        best_size=np.zeros(routes, dtype=np.int64),
        one=np.zeros(longest, dtype=np.int64),
        other=np.zeros(longest, dtype=np.int64),
        clock=np.zeros(drones),
        dice=make_dice(seed),
    )


@leaf
def route_s(tours: Tours, row: Whole, size: int, dock: int) -> float:
    """Seconds of a sortie from its dock along its lines and back; 0 if it has none."""
    if size == 0:
        return 0.0
    total = tours.facts[TAKEOFF_AND_LANDING] + tours.between[dock, row[0]]
    for k in range(size):
        total += tours.along[row[k]]
        if k + 1 < size:
            total += tours.between[row[k] ^ 1, row[k + 1]]
    return total + tours.between[row[size - 1] ^ 1, dock]


@kernel
def price(tours: Tours, first: int, first_s: float, second: int, second_s: float) -> float:
    """The price of all routes, if two of them took other times than they do."""
    tours.clock[:] = 0.0
    late = 0.0
    for r in range(len(tours.size)):
        took = tours.seconds[r]
        if r == first:
            took = first_s
        if r == second:
            took = second_s
        if took > 0.0:
            drone = tours.drone[r]
            if tours.clock[drone] > 0.0:
                tours.clock[drone] += tours.facts[SWAP]
            tours.clock[drone] += took
            if took > tours.facts[USABLE]:
                late += TOO_LONG * (took - tours.facts[USABLE])
                late += 2.0 * (tours.facts[SWAP] + tours.facts[TAKEOFF_AND_LANDING])
    last, total = 0.0, 0.0
    for drone in range(len(tours.clock)):
        last = max(last, tours.clock[drone])
        total += tours.clock[drone]
    return last + SHARED * total / len(tours.clock) + late


@kernel
def insert(tours: Tours, line: int) -> bool:
    """Put a line where it costs least; whether it was put anywhere."""
    best, best_route, best_at, best_point, best_s = math.inf, -1, 0, 0, 0.0
    for r in range(len(tours.size)):
        size, dock = tours.size[r], tours.dock[r]
        if size == 0 and r > 0 and tours.size[r - 1] == 0 and tours.dock[r - 1] == dock:
            continue
        for at in range(size + 1):
            before = dock if at == 0 else tours.route[r, at - 1] ^ 1
            after = dock if at == size else tours.route[r, at]
            for point in range(2 * line, 2 * line + 2):
                more = tours.between[before, point] + tours.along[point]
                more += tours.between[point ^ 1, after]
                took = tours.seconds[r] + more
                if size == 0:
                    took += tours.facts[TAKEOFF_AND_LANDING]
                else:
                    took -= tours.between[before, after]
                asked = price(tours, r, took, -1, 0.0)
                if asked < best:
                    best, best_route, best_at = asked, r, at
                    best_point, best_s = point, took
    if best_route < 0:
        return False
    r = best_route
    for k in range(tours.size[r], best_at, -1):
        tours.route[r, k] = tours.route[r, k - 1]
    tours.route[r, best_at] = best_point
    tours.size[r] += 1
    tours.seconds[r] = best_s
    tours.at[line] = r
    return True


@kernel
def remove(tours: Tours, line: int) -> None:
    """Take a line out of its route."""
    r: int = tours.at[line]
    kept = 0
    for k in range(tours.size[r]):
        if tours.route[r, k] >> 1 != line:
            tours.route[r, kept] = tours.route[r, k]
            kept += 1
    tours.size[r] = kept
    tours.at[line] = -1
    tours.seconds[r] = route_s(tours, tours.route[r], kept, tours.dock[r])


@kernel
def keep(tours: Tours) -> None:
    """Remember the routes as the best ones."""
    for r in range(len(tours.size)):
        tours.best_size[r] = tours.size[r]
        for k in range(tours.size[r]):
            tours.best[r, k] = tours.route[r, k]


@kernel
def restore(tours: Tours) -> None:
    """Go back to the best routes."""
    for r in range(len(tours.size)):
        tours.size[r] = tours.best_size[r]
        for k in range(tours.size[r]):
            tours.route[r, k] = tours.best[r, k]
            tours.at[tours.route[r, k] >> 1] = r
        tours.seconds[r] = route_s(tours, tours.route[r], tours.size[r], tours.dock[r])


@leaf
def place_of(tours: Tours, line: int) -> int:
    """Where in its route a line is flown."""
    row = tours.route[tours.at[line]]
    k = 0
    while row[k] >> 1 != line:
        k += 1
    return k


@kernel
def move_string(tours: Tours, r: int, at: int, long: int, turned: bool, q: int, to: int) -> int:
    """Try ``long`` lines of route r, perhaps the other way round, before place ``to`` of route q.

    Returns the size of the first trial; the second, for another route, is that of q and more.
    """
    size = tours.size[r]
    kept = 0
    if r != q:
        for k in range(size):
            if k < at or k >= at + long:
                tours.one[kept] = tours.route[r, k]
                kept += 1
        put = 0
        for k in range(tours.size[q] + 1):
            if k == to:
                for n in range(long):
                    tours.other[put] = (
                        tours.route[r, at + long - 1 - n] ^ 1 if turned else tours.route[r, at + n]
                    )
                    put += 1
            if k < tours.size[q]:
                tours.other[put] = tours.route[q, k]
                put += 1
        return kept
    for k in range(size + 1):
        if k == to:
            for n in range(long):
                tours.one[kept] = (
                    tours.route[r, at + long - 1 - n] ^ 1 if turned else tours.route[r, at + n]
                )
                kept += 1
        if k < size and (k < at or k >= at + long):
            tours.one[kept] = tours.route[r, k]
            kept += 1
    return kept


@kernel
def swap_tails(tours: Tours, r: int, at: int, q: int, to: int) -> int:
    """Try routes r and q with their tails exchanged; returns the size of the first trial."""
    for k in range(at):
        tours.one[k] = tours.route[r, k]
    first = at
    for k in range(to, tours.size[q]):
        tours.one[first] = tours.route[q, k]
        first += 1
    for k in range(to):
        tours.other[k] = tours.route[q, k]
    second = to
    for k in range(at, tours.size[r]):
        tours.other[second] = tours.route[r, k]
        second += 1
    return first


@kernel
def swap_strings(
    tours: Tours, r: int, at: int, long: int, q: int, to: int, wide: int, turns: int
) -> int:
    """Try two strings of routes r and q in each other's place; returns the first trial's size."""
    first = 0
    for k in range(at):
        tours.one[first] = tours.route[r, k]
        first += 1
    for n in range(wide):
        tours.one[first] = (
            tours.route[q, to + wide - 1 - n] ^ 1 if turns & 1 else tours.route[q, to + n]
        )
        first += 1
    for k in range(at + long, tours.size[r]):
        tours.one[first] = tours.route[r, k]
        first += 1
    second = 0
    for k in range(to):
        tours.other[second] = tours.route[q, k]
        second += 1
    for n in range(long):
        tours.other[second] = (
            tours.route[r, at + long - 1 - n] ^ 1 if turns & 2 else tours.route[r, at + n]
        )
        second += 1
    for k in range(to + wide, tours.size[q]):
        tours.other[second] = tours.route[q, k]
        second += 1
    return first


@kernel
def take(tours: Tours, r: int, size: int, row: Whole, took: float) -> None:
    """Adopt a trial as route r."""
    tours.size[r] = size
    tours.seconds[r] = took
    for k in range(size):
        tours.route[r, k] = row[k]
        tours.at[row[k] >> 1] = r


@kernel
def anneal(tours: Tours, rounds: int, warm_s: float, cool_s: float) -> float:
    """So many rounds of chance from the routes as they are; the best ones are kept.

    Returns the best price.
    """
    lines, routes, dice = len(tours.at), len(tours.size), tours.dice
    now = price(tours, -1, 0.0, -1, 0.0)
    best = now
    keep(tours)
    for n in range(rounds):
        heat = warm_s * math.exp(n / rounds * math.log(cool_s / warm_s))
        line = below(dice, lines)
        r: int = tours.at[line]
        at = place_of(tours, line)
        kind = below(dice, 100)
        q: int = r
        first, second = 0, 0
        if kind < 45:
            long = 1 + below(dice, min(LONGEST_STRING if kind < 15 else 2, tours.size[r] - at))
            if below(dice, 12) == 0:
                q = below(dice, routes)
                to = below(dice, tours.size[q] + 1)
            else:
                last = tours.route[r, at + long - 1]
                after: int = tours.near[last, below(dice, tours.near.shape[1])]
                q = tours.at[after >> 1]
                to = place_of(tours, after >> 1) + below(dice, 2)
            if q == r and at <= to <= at + long:
                continue
            first = move_string(tours, r, at, long, below(dice, 2) == 0, q, to)
            second = tours.size[q] + long
        elif kind < 65:
            end = at + 1 + below(dice, tours.size[r] - at)
            first = move_string(tours, r, at, end - at, True, r, at)
        elif kind < 82:
            q = below(dice, routes)
            if below(dice, 3) > 0:
                beside: int = tours.near[tours.route[r, at], below(dice, tours.near.shape[1])]
                q = tours.at[beside >> 1]
                to = place_of(tours, beside >> 1)
            else:
                to = below(dice, tours.size[q] + 1)
            if q == r:
                continue
            first = swap_tails(tours, r, at, q, to)
            second = tours.size[r] + tours.size[q] - first
        else:
            target = below(dice, lines)
            q = tours.at[target]
            if q == r:
                continue
            to = place_of(tours, target)
            long = 1 + below(dice, min(3, tours.size[r] - at))
            wide = 1 + below(dice, min(3, tours.size[q] - to))
            first = swap_strings(tours, r, at, long, q, to, wide, below(dice, 4))
            second = tours.size[r] + tours.size[q] - first
        one_s = route_s(tours, tours.one, first, tours.dock[r])
        other_s = 0.0
        if q != r:
            other_s = route_s(tours, tours.other, second, tours.dock[q])
        asked = price(tours, r, one_s, -1 if q == r else q, other_s)
        if asked <= now or uniform(dice) < math.exp((now - asked) / heat):
            take(tours, r, first, tours.one, one_s)
            if q != r:
                take(tours, q, second, tours.other, other_s)
            now = asked
            if now < best - 1e-9:
                best = now
                keep(tours)
    restore(tours)
    return best
