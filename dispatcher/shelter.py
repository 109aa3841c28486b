"""Where one vehicle keeps while an emergency lasts, and what it breaks off for it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from dispatcher.alerts import Alerts, Severity
from dispatcher.book import TaskBook
from dispatcher.emergencies import HELD, Emergencies, Emergency, held_by, stands_aside
from dispatcher.execution import Mover
from dispatcher.stops import TaskStop
from dispatcher.task import TaskId
from dispatcher.traffic import Traffic
from fleet.mission import Clearance, Mission
from fleet.vehicle import Medium, Vehicle, VehicleSpec
from routing.refusal import Refusal
from routing.site import NodeId, Role, Site

AGAIN_S = 20.0
"""After which it is tried once more to get out of the way."""


class Shelter:
    """Answers of one vehicle; traffic says where the others are."""

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        emergencies: Emergencies,
        traffic: Traffic,
        book: TaskBook,
        alerts: Alerts,
    ) -> None:
        self._vehicle = vehicle
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
        if self._emergencies.all:
            self.awaited.set()

    @property
    def any(self) -> bool:
        """Whether any emergency is in force."""
        return bool(self._emergencies.all)

    def covers(self) -> Emergency | None:
        """The emergency that keeps it from going where it wants; a fire keeps all drones down."""
        if not self._emergencies.all:
            return None
        if self._flies:
            return self._emergencies.fire
        if not self._traffic.knows(self._spec.id):
            return None
        return self._emergencies.at(self._traffic.stand(self._spec.id))

    def reason(self, stop: TaskStop) -> Refusal | None:
        """Why a stop can't be made while an emergency lasts; None = none is why."""
        here = self.covers()
        if here is not None:
            return held_by(here)
        if not self._emergencies.all or self._flies or stop.place is None:
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
        if not self._emergencies.all:
            return False
        if not self._flies:
            return current is not None and self._traffic.strays(self._spec.id)
        if self._emergencies.fire is None:
            return False
        if current is None:  # it may wait for its turn to take off
            alarmed, self._alarmed = self._alarmed, False
            return alarmed
        goes_home = current[0].route[-1].node == mover.home and len(current[0].actions) == 0
        return self._vehicle.state().airborne and not goes_home

    async def hold(self, task_id: TaskId, reason: Refusal) -> None:
        """Note that a task waits for an emergency to end; once is enough."""
        task = self._book[task_id]
        if task.state.ended or (task.reason is not None and task.reason.code == HELD):
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
