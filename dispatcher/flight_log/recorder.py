"""Writes the log of flights: listens to every drone, and thins out what it says."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

from dispatcher.domain.incidents import IncidentId
from dispatcher.flight_log.log import Fix, Flight, FlightId, FlightStore, Told
from dispatcher.missions.help_flights import incident_of
from dispatcher.work.worker import Worker
from fleet.clock import Clock
from fleet.vehicle import Medium, VehicleId, VehicleSpec, VehicleState
from routing.air.airspace import breaches
from routing.geometry import Point
from routing.site import Site

WRITE_S = 60.0
"""How often a flight under way is written down, so that little of it is lost."""
AGO_S = 6 * 3600.0
"""A drone that turned to an incident took off within this before the call."""
STEP_M, STEP_S = 25.0, 10.0
"""A drone that flies on as it did is noted so often."""
TURN_M = 3.0
"""Who is farther from where it was heading has turned, and is noted at once."""
TRACK_MOST = 5000
TOLD_MOST = 500
JUDGED_AT_ONCE = 100
"""Stretches of a track; so long a commit may wait for the judgement."""


@dataclass(slots=True)
class _Open:
    """A flight under way."""

    flight: Flight
    track: list[Fix]
    told: list[Told] = field(default_factory=list[Told])
    last: Fix | None = None
    """What was heard after the last fix that was kept."""
    judged: int = 0
    """So many stretches of the track were asked for breaches."""

    def as_it_is(self) -> Flight:
        track = [*self.track, self.last] if self.last is not None else self.track
        return replace(self.flight, track=tuple(track), told=tuple(self.told))


class FlightRecorder:
    """Keeps the log.

    Args:
        commander: who has the control token of a vehicle; empty = nobody.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        store: FlightStore,
        workers: Mapping[VehicleId, Worker],
        commander: Callable[[VehicleId], str],
    ) -> None:
        self._site, self._clock = site, clock
        self.store = store
        self._commander = commander
        self._open: dict[VehicleId, _Open] = {}
        self._landed: list[_Open] = []  # until they are written, a moment later
        self._number = 0
        self._news = asyncio.Event()
        self._workers = workers
        for id_, worker in workers.items():
            if worker.helper is not None:
                worker.on_begin(self._begun(id_))

    async def restore(self) -> None:
        """Go on with the flights that a former process saw begin."""
        self._number = await self.store.count()
        for flight in await self.store.unended():
            cut = replace(flight, cut=True)
            self._open[flight.vehicle] = _Open(cut, list(flight.track), list(flight.told))

    def hear(self, spec: VehicleSpec, state: VehicleState) -> None:
        """One word of a vehicle."""
        if spec.medium is not Medium.AIR or state.position is None or not state.online:
            return
        known = self._open.get(spec.id)
        if state.airborne and known is None:
            known = self._begin(spec, state)
        if known is None:
            return
        position = state.position
        fix = Fix(
            round(self._clock.now_s() - known.flight.began_s, 1),
            round(position.point.x_m, 1),
            round(position.point.y_m, 1),
            round(position.height_agl_m, 1),
        )
        _note(known, fix)
        if not state.airborne:
            self._end(spec, state)

    def told(self, vehicle: VehicleId, what: str, by: str) -> None:
        """A drone is told something."""
        known = self._open.get(vehicle)
        if known is not None and len(known.told) < TOLD_MOST:
            at_s = round(self._clock.now_s() - known.flight.began_s, 1)
            known.told.append(Told(at_s, what, by))

    async def of_incident(self, incident: IncidentId, reported_s: float) -> list[Flight]:
        """All flights for an incident, those under way as they are now."""
        since, until = self._clock.to_utc(reported_s - AGO_S), self._clock.now()
        known = {one.id: one for one in await self.store.of_incident(incident, since, until)}
        for one in self._open.values():
            if incident in one.flight.incidents:
                known[one.flight.id] = one.as_it_is()
        return list(known.values())

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_S if self._open else None):
                    await self._news.wait()
            self._news.clear()
            landed, self._landed = self._landed, []
            for one in (*landed, *self._open.values()):
                await self._judge(one)
            await self.store.put([one.as_it_is() for one in (*landed, *self._open.values())])

    def _begin(self, spec: VehicleSpec, state: VehicleState) -> _Open:
        self._number += 1
        flight = Flight(
            id=FlightId(f"F-{self._number:06d}"),
            vehicle=spec.id,
            began_s=self._clock.now_s(),
            commanded_by=self._commander(spec.id),
            charge_at_start=state.charge_ratio,
        )
        self._open[spec.id] = known = _Open(flight, [])
        self._about(spec.id)
        self._news.set()
        return known

    def _end(self, spec: VehicleSpec, state: VehicleState) -> None:
        known = self._open.pop(spec.id)
        if known.last is not None:
            known.track.append(known.last)
            known.last = None
        known.flight = replace(
            known.flight, ended_s=self._clock.now_s(), charge_at_end=state.charge_ratio
        )
        self._landed.append(known)
        self._news.set()

    def _begun(self, vehicle: VehicleId) -> Callable[[], None]:
        def begun() -> None:
            self._about(vehicle)

        return begun

    def _about(self, vehicle: VehicleId) -> None:
        """Note which task or incident the mission in hand is for."""
        known, current = self._open.get(vehicle), self._workers[vehicle].current
        if known is None or current is None:
            return
        mission, task = current[0], self._workers[vehicle].hand.task
        helps, flight = incident_of(mission), known.flight
        if helps is not None and helps[0] not in flight.incidents:
            flight = replace(flight, incidents=(*flight.incidents, helps[0]))
        elif helps is None and task is not None and task not in flight.tasks:
            flight = replace(flight, tasks=(*flight.tasks, task))
        known.flight = flight
        self.told(vehicle, f"mission {mission.id}", self._commander(vehicle) or "dispatcher")

    async def _judge(self, one: _Open) -> None:
        """Ask of the stretches since the last time which volumes they break, off the loop."""
        while one.judged < len(one.track) - 1:
            piece = one.track[one.judged : one.judged + JUDGED_AT_ONCE + 1]
            found = await self.store.aside(_breaches, self._site, piece)
            one.judged += len(piece) - 1
            known = dict.fromkeys((*one.flight.breaches, *found))
            one.flight = replace(one.flight, breaches=tuple(known))


def _breaches(site: Site, track: Sequence[Fix]) -> list[str]:
    """By height: each stretch of the track is asked at the height of its higher end."""
    found: dict[str, None] = {}
    for a, b in pairwise(track):
        height_m = max(a.height_agl_m, b.height_agl_m)
        if height_m > 2.0:
            found |= dict.fromkeys(breaches(site, [a.point, b.point], height_m))
    return list(found)


def _note(known: _Open, fix: Fix) -> None:
    """Keep a fix if the line between those that are kept would not tell it."""
    track, before = known.track, known.last
    if not track:
        track.append(fix)
        return
    kept = track[-1]
    far = kept.point.distance_m(fix.point) >= STEP_M or fix.at_s - kept.at_s >= STEP_S
    turned = before is not None and _off_line_m(kept, fix, before.point) > TURN_M
    if before is not None and turned and len(track) < TRACK_MOST:
        track.append(before)
    if far and len(track) < TRACK_MOST:
        track.append(fix)
        known.last = None
    else:
        known.last = fix


def _off_line_m(a: Fix, b: Fix, point: Point) -> float:
    """How far a point is from the straight line between two fixes."""
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    length = (dx * dx + dy * dy) ** 0.5
    if length < 0.1:
        return point.distance_m(a.point)
    return abs((point.x_m - a.x_m) * dy - (point.y_m - a.y_m) * dx) / length
