"""Where incidents are reported: the first drone that can help is sent, and all of it is kept."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dispatcher.desks.incident_choice import IncidentChoice, Sent
from dispatcher.desks.incident_store import IncidentStore
from dispatcher.desks.incidents_in import IncidentIn, new_incident
from dispatcher.domain.incidents import NEXT, Incident, IncidentId, IncidentState
from dispatcher.errors import IllegalMove, NotFound
from dispatcher.missions.help_flights import Call, incident_of
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.journal import Event, Journal
from dispatcher.work.worker import Worker
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import Site

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often somebody is looked for whom nobody could help yet."""
SHOWN = 100
"""How many are shown, the closed ones included."""

Happening = tuple[IncidentId, VehicleId, str, Refusal | None]


class IncidentDesk:
    """All incidents; each change is on disk before a drone is told of it.

    Args:
        workers: of all vehicles; those that can't fly are never sent.
        release: called before a vehicle is sent, so that others see to what it has not begun.
        changed: called when an incident is another now.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        journal: Journal,
        store: IncidentStore,
        alerts: Alerts,
        workers: Mapping[VehicleId, Worker],
        choice: IncidentChoice,
        release: Callable[[VehicleId, Refusal], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._site, self._clock, self._journal = site, clock, journal
        self.store = store
        self._alerts = alerts
        self._workers = workers
        self._choice, self._release = choice, release
        self._changed = changed
        self._known: dict[IncidentId, Incident] = {}
        """The open ones, and those that were closed lately."""
        self._number = 0
        self._one_at_a_time = asyncio.Lock()
        self._happened: deque[Happening] = deque()  # a few for each flight
        self._news = asyncio.Event()
        for id_, worker in workers.items():
            if worker.helper is not None:
                worker.on_begin(self._begun(id_))
                worker.on_help_ended(self._flight_ended(id_))

    @property
    def shown(self) -> list[Incident]:
        """The open ones and the latest of the others, the oldest first."""
        return list(self._known.values())

    def others(self, incident: IncidentId) -> Sequence[Sent]:
        """Who else could have come, and when, as of the last choice."""
        return self._choice.others.get(incident, ())

    async def find(self, incident: IncidentId) -> Incident:
        """One of them, also an old one; NotFound."""
        found = self._known.get(incident) or await self.store.find(incident)
        if found is None:
            raise NotFound("incident", incident)
        return found

    async def restore(self) -> None:
        """Take up what was open before a restart; who had not left yet is looked for anew."""
        self._number = await self.store.count()
        for incident in await self.store.open():
            self._known[incident.id] = incident
            self._tell(incident)

    def resume(self, on_their_way: Mapping[VehicleId, IncidentId]) -> None:
        """After a restart: which drones hold a flight to which incident."""
        for incident in self._open():
            drone = incident.engages
            if drone is not None and on_their_way.get(drone) != incident.id:
                self._note(incident.id, drone, "lost", Refusal("restarted"))
        self._news.set()

    # --- what people do ---

    async def report(self, asked: IncidentIn) -> Incident:
        """Take a call and send the first drone that can help; the same external id is the same.

        Raises:
            Refused: with every reason; nothing is kept.
        """
        async with self._one_at_a_time:
            if asked.external_id is not None:
                known = await self.store.by_external_id(asked.external_id)
                if known is not None:
                    return self._known.get(known.id, known)
            id_ = IncidentId(f"I-{self._number + 1:05d}")
            incident = new_incident(self._site, asked, id_, self._clock.now_s())
            self._number += 1
            spot = self._site.frame.to_geo(incident.at)
            reported = self._event(
                incident,
                "incident_reported",
                external_id=incident.external_id,
                source=incident.source,
                priority=incident.priority,
                text=incident.text,
                place=incident.place,
                x_m=incident.at.x_m,
                y_m=incident.at.y_m,
                lat_deg=f"{spot.lat_deg:.7f}",
                lon_deg=f"{spot.lon_deg:.7f}",
                by=incident.by,
            )
            self._news.set()
            return await self._send(incident, reported)

    async def note(self, incident: IncidentId, text: str, by: str) -> Incident:
        """Keep a remark on its timeline; NotFound."""
        async with self._one_at_a_time:
            found = await self.find(incident)
            noted = self._event(found, "incident_noted", text=text, by=by)
            await self._put(found, noted)
            return found

    async def close(self, incident: IncidentId, notes: str, by: str) -> Incident:
        """It is over: a drone on its way, or there, comes home. NotFound, IllegalMove."""
        async with self._one_at_a_time:
            found = await self.find(incident)
            if not found.open:
                raise IllegalMove(incident, found.state, IncidentState.CLOSED)
            drone = found.engages
            closed = replace(
                found,
                state=IncidentState.CLOSED,
                closed_s=self._clock.now_s(),
                closed_by=by,
                notes=notes,
                promised=None,
            )
            await self._put(closed, self._event(closed, "incident_closed", notes=notes, by=by))
            self._alerts.clear("incident_without_drone", thing=incident)
            self._alerts.clear("incident", thing=incident)
        if drone is not None:
            await self._workers[drone].call_off()
        return closed

    # --- what drones do ---

    async def run(self) -> None:
        """Follow the drones, and look again for whom nobody could help, until cancelled."""
        while True:
            waits = any(one.state is IncidentState.WAITING for one in self._open())
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if waits else None):
                    await self._news.wait()
            self._news.clear()
            async with self._one_at_a_time:
                while self._happened:
                    await self._take(*self._happened.popleft())
                for incident in self._open():
                    if incident.state is IncidentState.WAITING:
                        await self._send(incident)

    async def _send(self, incident: Incident, *events: Event) -> Incident:
        """Send the first who can help, and write down why the others can't."""
        bound = {one.engages: one.id for one in self._open() if one.engages is not None}
        found = self._choice.of(incident, bound)
        best = found.best
        if best is None:
            return await self._keep_waiting(incident, found.promised, found.reasons, *events)
        now_s = self._clock.now_s()
        sent = replace(
            incident,
            state=IncidentState.SENT,
            vehicle=best.vehicle,
            sent_s=now_s,
            expected_s=now_s + best.arrives_s,
            promised=None,
            reasons=found.reasons,
        )
        event = self._event(
            sent,
            "incident_drone_sent",
            in_flight=best.in_flight,
            arrives_in_s=best.arrives_s,
            on_scene_s=best.on_scene_s,
            others=[[other.vehicle, round(other.arrives_s)] for other in found.others[:5]],
        )
        await self._put(sent, *events, event)
        await self._release(best.vehicle, Refusal("answers_incident", {"incident": sent.id}))
        call = Call(incident=sent.id, at=sent.at, on_scene_s=best.on_scene_s)
        self._workers[best.vehicle].call_out(call)
        self._alerts.clear("incident_without_drone", thing=sent.id)
        self._tell(sent)
        return sent

    async def _keep_waiting(
        self,
        incident: Incident,
        promised: VehicleId | None,
        reasons: tuple[tuple[VehicleId, Refusal], ...],
        *events: Event,
    ) -> Incident:
        waiting = replace(incident, promised=promised, reasons=reasons)
        codes = [(id_, reason.code) for id_, reason in incident.reasons]
        news = [(id_, reason.code) for id_, reason in reasons] != codes
        if not events and not news and promised == incident.promised:
            return incident
        told = self._event(
            waiting,
            "incident_waits",
            promised=promised,
            reasons=[[id_, reason.code] for id_, reason in reasons],
        )
        await self._put(waiting, *events, told)
        self._tell(waiting)
        if promised is None and not self._alerts.is_open_for("incident_without_drone", incident.id):
            self._alerts.open("incident_without_drone", Severity.CRITICAL, incident=incident.id)
        return waiting

    async def _take(
        self, id_: IncidentId, drone: VehicleId, what: str, reason: Refusal | None
    ) -> None:
        """One thing that a drone has done for an incident."""
        incident, now_s = self._known.get(id_), self._clock.now_s()
        if incident is None or incident.vehicle != drone:
            return
        match what:
            case "arrived" if IncidentState.ON_SCENE in NEXT[incident.state]:
                there = replace(incident, state=IncidentState.ON_SCENE, arrived_s=now_s)
                await self._put(there, self._event(there, "incident_drone_arrived"))
            case "left" if IncidentState.OBSERVED in NEXT[incident.state]:
                left = replace(incident, state=IncidentState.OBSERVED, left_s=now_s)
                await self._put(left, self._event(left, "incident_drone_left"))
            case "ended" if incident.engages is None:
                if reason is not None:
                    return  # it has turned elsewhere
                await self._put(incident, self._event(incident, "incident_drone_home"))
            case "ended" | "lost" if incident.state is IncidentState.SENT:
                event = self._event(incident, "incident_drone_lost", reason=reason)
                none = replace(
                    incident,
                    state=IncidentState.WAITING,
                    vehicle=None,
                    sent_s=None,
                    expected_s=None,
                )
                await self._send(none, event)
            case "ended" | "lost" if incident.state is IncidentState.ON_SCENE:
                left = replace(incident, state=IncidentState.OBSERVED, left_s=now_s)
                await self._put(left, self._event(left, "incident_drone_left", reason=reason))
            case _:
                pass

    def _begun(self, drone: VehicleId) -> Callable[[], None]:
        """Has a drone's way to a scene followed, once it begins."""

        def begun() -> None:
            current = self._workers[drone].current
            helps = None if current is None else incident_of(current[0])
            if current is None or helps is None:
                return
            incident, looks_at = helps

            def reached(number: int) -> None:
                if number == looks_at - 1:
                    self._note(incident, drone, "arrived", None)
                elif number == looks_at:
                    self._note(incident, drone, "left", None)

            current[1].on_reached(reached)

        return begun

    def _flight_ended(self, drone: VehicleId) -> Callable[[IncidentId, Refusal | None], None]:
        return lambda incident, reason: self._note(incident, drone, "ended", reason)

    def _note(
        self, incident: IncidentId, drone: VehicleId, what: str, reason: Refusal | None
    ) -> None:
        self._happened.append((incident, drone, what, reason))
        self._news.set()

    # --- keeping ---

    def _open(self) -> list[Incident]:
        return [incident for incident in self._known.values() if incident.open]

    def _event(self, incident: Incident, kind: str, **facts: Any) -> Event:
        return self._journal.event(kind, vehicle=incident.vehicle, incident=incident.id, **facts)

    async def _put(self, incident: Incident, *events: Event) -> None:
        await self.store.put(incident, events)
        self._known[incident.id] = incident
        closed = [one.id for one in self._known.values() if not one.open]
        for old in closed[: max(0, len(self._known) - SHOWN)]:
            del self._known[old]
        self._changed()

    def _tell(self, incident: Incident) -> None:
        if self._alerts.is_open_for("incident", incident.id):
            return
        self._alerts.open(
            "incident",
            Severity.HIGH,
            incident=incident.id,
            place=incident.place or "",
            text=incident.text,
        )
