"""Where emergencies are raised and ended: told, kept over a restart, and what waits let go on."""

import asyncio
from collections.abc import Callable, Sequence

from dispatcher.air.wind_limits import EACH_S as WIND_EACH_S
from dispatcher.air.wind_limits import WindLimits
from dispatcher.desks.emergencies_in import EmergencyIn, EmergencyReader
from dispatcher.domain.emergencies import (
    HELD,
    Emergencies,
    Emergency,
    EmergencyId,
    EmergencyKind,
    held_by,
)
from dispatcher.domain.stops import Handling, TaskStop, stops_of
from dispatcher.domain.task import Task
from dispatcher.errors import NotFound
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.traffic.traffic import Traffic
from fleet.clock import Clock
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.refusal import Refusal
from routing.site import NodeId, Site


class EmergencyDesk:
    """All emergencies of a site; each change is on disk before anybody acts on it.

    Args:
        kept: why an emergency, or the weather, keeps a vehicle where it is.
        limits: whom the wind alone keeps on the ground.
        able: whether a vehicle could ever do a task.
        changed: called when others are in force.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        emergencies: Emergencies,
        traffic: Traffic,
        book: TaskBook,
        alerts: Alerts,
        handling: Handling,
        *,
        specs: Sequence[VehicleSpec],
        kept: Callable[[VehicleId], Refusal | None],
        limits: WindLimits,
        able: Callable[[Task, VehicleSpec], bool],
        changed: Callable[[], None],
    ) -> None:
        self._site, self._clock = site, clock
        self._emergencies = emergencies
        self._traffic = traffic
        self._book = book
        self._alerts = alerts
        self._handling = handling
        self._specs, self._kept, self._limits = specs, kept, limits
        self._able, self._changed = able, changed
        self._number = 0
        self._one_at_a_time = asyncio.Lock()
        """What is in force changes after a wait for the disk: nobody may look meanwhile."""

    @property
    def in_force(self) -> list[Emergency]:
        """All emergencies, the oldest first."""
        return self._emergencies.all

    async def begin(self, asked: EmergencyIn) -> Emergency:
        """Raise one; a second one of the same kind and place is the first one. Raises Refused."""
        async with self._one_at_a_time:
            id_ = EmergencyId(f"E-{self._number + 1:05d}")
            emergency = EmergencyReader(self._site).read(asked, id_, self._clock.now_s())
            for known in self.in_force:
                if (known.kind, _place(known)) == (emergency.kind, _place(emergency)):
                    return known
            self._number += 1
            await self._book.note("emergency_raised", **emergency.facts())
            self._emergencies.begin(emergency)
            self._tell(emergency)
            self._apply()
            return emergency

    async def end(self, emergency: EmergencyId, by: str) -> Emergency:
        """It is over: all goes on where it was broken off; NotFound."""
        if emergency not in self._emergencies:
            raise NotFound("emergency", emergency)
        ended = self._emergencies.end(emergency)
        await self._book.note("emergency_ended", emergency=emergency, by=by)
        self._alerts.clear(ended.kind.value, thing=emergency)
        await self._let_go_on()
        self._apply()
        return ended

    async def follow_wind(self) -> None:
        """Keep drones on the ground while it is too windy for them; ends where none has a limit."""
        while self._limits.told:
            await asyncio.sleep(WIND_EACH_S)
            if self._limits.look():
                await self._let_go_on()
                self._apply()

    def restore(self, emergencies: Sequence[Emergency], number: int) -> None:
        """Take up what was in force before a restart; ``number`` of them there ever were."""
        self._number = number
        for emergency in emergencies:
            self._emergencies.begin(emergency)
            self._tell(emergency)
        if emergencies:
            self._traffic.detours.set_emergency(self._emergencies.lanes)

    def _apply(self) -> None:
        self._traffic.detours.set_emergency(self._emergencies.lanes)
        self._changed()

    def _tell(self, emergency: Emergency) -> None:
        id_, where, by = emergency.id, emergency.where, emergency.by
        if emergency.kind is EmergencyKind.WEATHER:
            why = emergency.reason
            self._alerts.open("weather", Severity.HIGH, emergency=id_, why=why, where="", by=by)
        elif emergency.kind is EmergencyKind.FIRE:
            self._alerts.open("fire", Severity.CRITICAL, emergency=id_, where=where, by=by)
        else:
            self._alerts.open("code_blue", Severity.CRITICAL, emergency=id_, where=where, by=by)

    # --- tasks ---

    def holds(self, task: Task) -> Refusal | None:
        """Why a task that nobody has begun must wait; None = no emergency, no weather is why."""
        if not self._emergencies.any and not self._limits.any:
            return None
        stops = stops_of(task, self._handling)
        places = self._site.places
        for stop in stops:
            found = None if stop.place is None else self._emergencies.at(places[stop.place].node)
            if found is not None:
                return held_by(found)
        able = [spec for spec in self._specs if self._able(task, spec)]
        reasons = {spec.id: self._kept(spec.id) for spec in able}
        free = (spec for spec in able if reasons[spec.id] is None)
        if not able or any(self._gets_there(spec, stops) for spec in free):
            return None
        weather = next((why for why in reasons.values() if why and why.code != "emergency"), None)
        return weather or held_by(self._emergencies.all[0])

    def _gets_there(self, spec: VehicleSpec, stops: Sequence[TaskStop]) -> bool:
        """Whether a vehicle gets to these stops, as far as emergencies are concerned."""
        lanes = self._emergencies.lanes
        if spec.medium is Medium.AIR or not lanes:
            return True
        roads, here = self._traffic.roads.apart_from(lanes, spec), self._traffic.stand(spec.id)
        for stop in stops:
            if stop.place is not None:
                there: NodeId = self._site.places[stop.place].node
                if not roads.reaches(here, there):
                    return False
                here = there
        return True

    async def _let_go_on(self) -> None:
        """Whatever is under way waits for no emergency any more, or for another one."""
        tasks: list[Task] = []
        for task in self._book.open():
            held = task.reason is not None and task.reason.code in HELD
            if held and task.state.begun:
                tasks.append(self._book.move(task.id, reason=None))
        events = [
            self._book.journal.event("task_resumed", task=task.id, vehicle=task.vehicle)
            for task in tasks
        ]
        if tasks:
            await self._book.commit(tasks=tasks, events=events)


def _place(emergency: Emergency) -> tuple[object, ...]:
    return emergency.building, emergency.level, emergency.zone, emergency.lanes
