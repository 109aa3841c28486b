"""Relay: who launches when, so that a place never goes unwatched though batteries end.

A drone is on station from the moment it is there until it leaves. Its relief is there ``overlap_s``
before, and launches by the timetable, not when the battery calls: who waits for that comes late by
the way out. Where several stations share drones, hand-overs are staggered, because those at the
same moment set how many drones are needed.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

LEAST_S = 1.0
"""Turns shorter than this are none."""
SLACK_S = 1e-6
"""Moments so close together are the same."""
TRIED = 40
"""So many intervals between hand-overs are tried for a ring."""


class CannotRelay(ValueError):
    """No number of drones is enough: the way there and back leaves too little of a battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sortie:
    """One drone's turn: seconds from the moment at which the watch begins; launches may precede it.

    Args:
        drone: its number, 0 and on; who lands flies again after its turnaround.
        station: the station, or the place on the ring, that it holds.
        on_station_s: when it is there; from then on it may be counted on.
        leave_s: when it leaves, ``overlap_s`` after its relief has come.
    """

    drone: int
    station: int
    launch_s: float
    on_station_s: float
    leave_s: float
    land_s: float


def on_station_s(usable_s: float, out_s: float, back_s: float, overlap_s: float) -> float:
    """From one hand-over to the next: what a battery leaves, less the overlap.

    Args:
        usable_s: in the air, from take-off to landing.
        out_s: take-off and the way there; ``back_s``: the way home and landing.

    Raises:
        CannotRelay: nothing is left.
        ValueError: a time is negative, or no number.
    """
    if not all(0.0 <= time_s < math.inf for time_s in (usable_s, out_s, back_s, overlap_s)):
        raise ValueError("times of a relay are 0 s or more")
    left_s = usable_s - out_s - back_s - overlap_s
    if left_s < LEAST_S:
        raise CannotRelay(
            f"of {usable_s:g} s in the air {out_s:g} s go to the way out, {back_s:g} s to the way "
            f"back and {overlap_s:g} s to the hand-over; choose a nearer dock or a larger battery"
        )
    return left_s


def fleet_for_station(
    usable_s: float, out_s: float, back_s: float, overlap_s: float, turnaround_s: float
) -> int:
    """How many drones keep one station watched without a gap.

    Args:
        turnaround_s: from landing to ready again: a swap, or a recharge.

    Raises:
        CannotRelay: no number is enough.
    """
    return fleet_for_stations(1, usable_s, out_s, back_s, overlap_s, turnaround_s)


def fleet_for_stations(
    stations: int,
    usable_s: float,
    out_s: float,
    back_s: float,
    overlap_s: float,
    turnaround_s: float,
) -> int:
    """The same for stations that share their drones, with hand-overs staggered.

    Raises:
        CannotRelay: no number is enough.
    """
    each_s = on_station_s(usable_s, out_s, back_s, overlap_s)
    return math.ceil(stations * (usable_s + turnaround_s) / each_s - 1e-9)


def relay_times(
    usable_s: float,
    out_s: float,
    back_s: float,
    overlap_s: float,
    turnaround_s: float,
    *,
    until_s: float,
    stations: int = 1,
) -> tuple[Sortie, ...]:
    """A timetable without a gap from 0 to ``until_s``, in the order of launches.

    Its drones are as many as `fleet_for_stations` says, or fewer if the watch is too short for
    all of them. All stations are as far; first turns are cut, so that hand-overs never meet.

    Raises:
        CannotRelay: no number of drones is enough.
    """
    each_s = on_station_s(usable_s, out_s, back_s, overlap_s)
    turns: list[Sortie] = []
    for station in range(stations):
        from_s, next_s = 0.0, each_s * (station + 1) / stations
        while from_s < until_s:
            turns.append(
                Sortie(
                    drone=-1,
                    station=station,
                    launch_s=from_s - overlap_s - out_s,
                    on_station_s=from_s - overlap_s,
                    leave_s=next_s,
                    land_s=next_s + back_s,
                )
            )
            from_s, next_s = next_s, next_s + each_s
    return manned(turns, turnaround_s)


def manned(turns: Iterable[Sortie], turnaround_s: float) -> tuple[Sortie, ...]:
    """Turns with drones, as few as can fly them: who has been ready longest goes next."""
    ready, drones = list[tuple[float, int]](), 0
    found: list[Sortie] = []
    for turn in sorted(turns, key=lambda turn: (turn.launch_s, turn.station)):
        if ready and ready[0][0] <= turn.launch_s + SLACK_S:
            drone = heapq.heappop(ready)[1]
        else:
            drone, drones = drones, drones + 1
        heapq.heappush(ready, (turn.land_s + turnaround_s, drone))
        found.append(replace(turn, drone=drone))
    return tuple(found)


def fleet_of(timetable: Iterable[Sortie]) -> int:
    """How many drones a timetable has."""
    return len({turn.drone for turn in timetable})


# --- rings


@dataclass(frozen=True, slots=True, kw_only=True)
class FlownRing:
    """A ring and its dock.

    Args:
        at_s: for each point, when a vehicle that began at the first one is there; from 0 on.
        round_s: one time round.
        vehicles: places on the ring, evenly spaced; each is one station of the timetable.
        out_s, back_s: for each point, from the dock to it and from it to the dock, with take-off
            and landing.
    """

    at_s: Sequence[float]
    round_s: float
    vehicles: int
    out_s: Sequence[float]
    back_s: Sequence[float]


def ring_relay_times(
    ring: FlownRing,
    usable_s: float,
    overlap_s: float,
    turnaround_s: float,
    *,
    until_s: float,
) -> tuple[Sortie, ...]:
    """A timetable in which every place on a ring is held from 0 to ``until_s``.

    Reliefs wait at a point of the ring and take over there, so each turn is from a point to a
    point. Of several intervals between hand-overs that with the fewest drones is taken; the first
    turns are cut to different lengths.

    Raises:
        CannotRelay: from some point on no drone gets as far as the next one and home.
    """
    spare_s = usable_s - overlap_s
    longest_s = on_station_s(usable_s, min(ring.out_s), min(ring.back_s), overlap_s)
    shortest_s = spare_s - max(ring.out_s) - max(ring.back_s)
    fewest = math.ceil(ring.vehicles * (usable_s + turnaround_s) / longest_s - 1e-9)
    best: tuple[Sortie, ...] = ()
    for k in range(TRIED):
        every_s = longest_s + (max(shortest_s, longest_s / 4) - longest_s) * k / (TRIED - 1)
        turns = _ring_turns(ring, spare_s, overlap_s, every_s, until_s)
        found = manned(turns, turnaround_s)
        if not best or fleet_of(found) < fleet_of(best):
            best = found
        if fleet_of(best) <= fewest:
            break
    return best


def _ring_turns(
    ring: FlownRing, spare_s: float, overlap_s: float, every_s: float, until_s: float
) -> list[Sortie]:
    """Turns of all places; hand-overs at the last point before each multiple of an interval."""
    turns: list[Sortie] = []
    for place in range(ring.vehicles):
        passes = _passes(ring, place, until_s + 2 * spare_s)
        here, number = 0, 0
        while passes[here][0] < until_s:
            at_s, point = passes[here]
            due_s = every_s * (number + (place + 1) / ring.vehicles)
            there = _last_before(ring, passes, here, spare_s, due_s)
            turns.append(
                Sortie(
                    drone=-1,
                    station=place,
                    launch_s=at_s - overlap_s - ring.out_s[point],
                    on_station_s=at_s - overlap_s,
                    leave_s=passes[there][0],
                    land_s=passes[there][0] + ring.back_s[passes[there][1]],
                )
            )
            number = max(number + 1, math.floor(passes[there][0] / every_s))
            here = there
    return turns


def _passes(ring: FlownRing, place: int, until_s: float) -> list[tuple[float, int]]:
    """When a place on the ring is at which point; the first time is at or before 0."""
    ahead_s = ring.round_s * place / ring.vehicles
    lap_s = max(ring.round_s, LEAST_S)
    rounds = range(-1, math.ceil((until_s + ahead_s) / lap_s) + 1)
    all_ = sorted(
        (at_s + number * lap_s - ahead_s, point)
        for number in rounds
        for point, at_s in enumerate(ring.at_s)
    )
    first = max(k for k, (at_s, _) in enumerate(all_) if at_s <= SLACK_S)
    return all_[first:]


def _last_before(
    ring: FlownRing,
    passes: Sequence[tuple[float, int]],
    here: int,
    spare_s: float,
    due_s: float,
) -> int:
    """The last point that a turn may end at, by its battery and not after the moment due."""
    start_s, point = passes[here]
    found = None
    for there in range(here + 1, len(passes)):
        at_s, end = passes[there]
        if at_s - start_s + ring.out_s[point] > spare_s or (found is not None and at_s > due_s):
            break
        if at_s - start_s + ring.out_s[point] + ring.back_s[end] <= spare_s + SLACK_S:
            found = there
    if found is None:
        raise CannotRelay(
            f"from point {point} of the ring on, {spare_s:g} s of battery don't last to another "
            "point and home; choose a nearer dock or a larger battery"
        )
    return found
