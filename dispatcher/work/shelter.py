"""Where one vehicle keeps while an emergency lasts, and what it breaks off for it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from dispatcher.domain.emergencies import Emergencies, held_by, stands_aside
from dispatcher.domain.stops import TaskStop
from dispatcher.domain.task import TaskId
from dispatcher.missions.execution import Mover
from dispatcher.missions.help_flights import incident_of
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.traffic.traffic import Traffic
from fleet.mission import Clearance, Mission
from fleet.vehicle import Medium, Vehicle, VehicleSpec
from routing.refusal import Refusal
from routing.site import NodeId, Role, Site

AGAIN_S = 20.0
"""After which it is tried once more to get out of the way."""


class Shelter:
    """Answers of one vehicle; traffic says where the others are.

    Args:
        too_windy: the reason why the wind keeps it on the ground; None = it does not.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        emergencies: Emergencies,
        traffic: Traffic,
        book: TaskBook,
        alerts: Alerts,
        too_windy: Callable[[], Refusal | None] = lambda: None,
    ) -> None:
        self._vehicle, self._too_windy = vehicle, too_windy
        self._spec = vehicle.spec
        self._site = site
        self._emergencies = emergencies
        self._traffic = traffic
        self._book = book
        self._alerts = alerts
        self._flies = self._spec.medium is Medium.AIR
        self._alarmed = False
        self._news = asyncio.Event()
        self.awaited = asyncio.Event()
        """Set whenever it may have to break off what it is at."""

    def tell(self) -> None:
        """Other emergencies are in force now."""
        self._news.set()
        self._alarmed = True
        self.awaited.set()

    def hear(self) -> None:
        """From here on, news is news."""
        self._news.clear()

    def look(self) -> None:
        """The vehicle has begun something, or said something."""
        if self.any:
            self.awaited.set()

    @property
    def any(self) -> bool:
        """Whether any emergency is in force, or weather that concerns it."""
        return self._emergencies.any or (self._flies and self._too_windy() is not None)

    def covers(self) -> Refusal | None:
        """What keeps it from going where it wants; fire and weather keep drones on the ground."""
        if self._flies:
            down = self._emergencies.grounds
            return self._too_windy() if down is None else held_by(down)
        if not self._emergencies.any or not self._traffic.knows(self._spec.id):
            return None
        here = self._emergencies.at(self._traffic.stand(self._spec.id))
        return None if here is None else held_by(here)

    def reason(self, stop: TaskStop) -> Refusal | None:
        """Why a stop can't be made while an emergency lasts; None = none is why."""
        here = self.covers()
        if here is not None:
            return here
        if not self._emergencies.any or self._flies or stop.place is None:
            return None
        node = self._site.places[stop.place].node
        there = self._emergencies.at(node)
        stand, roads = self._traffic.stand(self._spec.id), self._traffic.roads
        if there is None and roads.of(self._spec).reaches(stand, node):
            return None
        if there is None and not roads.when_open(self._spec).reaches(stand, node):
            return None
        return held_by(there or self._emergencies.all[0])

    def calls_off(self, current: tuple[Mission, Clearance] | None, mover: Mover) -> bool:
        """Whether it must stop what it is at: it is under way where nobody may be."""
        if not self.any:
            return False
        if not self._flies:
            return current is not None and self._traffic.strays(self._spec.id)
        if self.covers() is None:
            return False
        if current is None:  # it may wait for its turn to take off
            alarmed, self._alarmed = self._alarmed, False
            return alarmed
        mission = current[0]
        if self._emergencies.fire is None and incident_of(mission) is not None:
            return False  # who helps already goes on
        start, end = mission.route[0].node, mission.route[-1].node
        goes_home = end == mover.home != start and not mission.actions  # a sweep begins there, too
        return self._vehicle.state().airborne and not goes_home

    async def hold(self, task_id: TaskId, reason: Refusal) -> None:
        """Note that a task waits for an emergency to end; once is enough."""
        task = self._book[task_id]
        if task.state.ended or (task.reason is not None and task.reason.code == reason.code):
            return
        event = self._book.journal.event(
            "task_held", task=task.id, vehicle=self._spec.id, reason=reason
        )
        await self._book.commit(tasks=[self._book.move(task.id, reason=reason)], events=[event])

    # --- refuges ---

    def refuges(self) -> Sequence[NodeId] | None:
        """Where it may stand out of everybody's way, in its own zone; None = where it is."""
        if self._flies:
            return ()
        stand, home = self._traffic.stand(self._spec.id), self._home(self._spec)
        if stand == home or stands_aside(self._site, stand):
            return None
        zone = self._site.nodes[stand].zone
        named = [place.node for place in self._site.with_role(Role.REFUGE)]
        found = named or [
            place.node
            for place in self._site.with_role(Role.PARKING)
            if Role.PAD not in place.roles and stands_aside(self._site, place.node)
        ]
        homes = self._traffic.roads.homes
        free = [node for node in found if node not in homes]
        return [node for node in dict.fromkeys((home, *free)) if self._zone(node) == zone]

    def found_none(self) -> None:
        """It can't get to any refuge: it stays where it is, and a person is told."""
        node = self._site.nodes[self._traffic.stand(self._spec.id)]
        self._alerts.open(
            "no_refuge", Severity.HIGH, vehicle=self._spec.id, node=node.id, level=node.level
        )

    def found_one(self) -> None:
        """It is out of the way, or need not be any more."""
        self._alerts.clear("no_refuge", vehicle=self._spec.id)

    async def until_news(self, *, settled: bool) -> None:
        """Until other emergencies are in force; not for long, if it still stands in the way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if settled else AGAIN_S):
                await self._news.wait()

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self._site.places[spec.home].node

    def _zone(self, node: NodeId) -> int:
        return self._site.nodes[node].zone
