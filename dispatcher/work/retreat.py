"""How one vehicle gets out of people's way and waits there until an emergency is over."""

import logging
from collections.abc import Sequence

from dispatcher.domain.stops import Handling, TaskStop, stops_of
from dispatcher.domain.task import TaskId
from dispatcher.domain.views import Activity
from dispatcher.missions.execution import REFUGE, Mover
from dispatcher.records.book import TaskBook
from dispatcher.work.hand import Hand, urgent_trip
from dispatcher.work.shelter import Shelter
from fleet.errors import LinkError, MissionFailed
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import NodeId

log = logging.getLogger(__name__)


class Retreat:
    """Has one vehicle do what its `Shelter` says."""

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        handling: Handling,
        shelter: Shelter,
    ) -> None:
        self._vehicle, self._mover, self._hand = vehicle, mover, hand
        self._book, self._handling, self._shelter = book, handling, shelter
        self.fleeing = False
        """Whether it is on its way out of people's way, which nothing breaks off."""

    @property
    def waits_out(self) -> Refusal | None:
        """The emergency, or the weather, that keeps it where it is."""
        return self._shelter.covers()

    @property
    def wanted(self) -> bool:
        """Whether it has to keep out of people's way now."""
        return self._shelter.covers() is not None

    # --- tasks that wait ---

    def reason(self, stop: TaskStop) -> Refusal | None:
        """Why a stop can't be made while an emergency lasts; None = none is why."""
        return self._shelter.reason(stop)

    async def hold(self, task: TaskId, stop: TaskStop) -> None:
        """Note that a task waits for an emergency to end, if its next stop has to."""
        held = self._shelter.reason(stop)
        if held is not None:
            await self._shelter.hold(task, held)

    def held_aboard(self) -> dict[TaskId, Refusal]:
        """The tasks on board that an emergency holds: with those it takes on nothing else."""
        found: dict[TaskId, Refusal] = {}
        for id_ in self._hand.aboard if self._shelter.any else ():
            task = self._book[id_]
            stops = stops_of(task, self._handling)[task.stops_done :]
            reasons = (self._shelter.reason(stop) for stop in stops)
            if reason := next(filter(None, reasons), None):
                found[id_] = reason
        return found

    async def hold_aboard(self) -> None:
        """Note which tasks on board wait for an emergency to end."""
        for task, reason in self.held_aboard().items():
            await self._shelter.hold(task, reason)

    # --- out of the way ---

    async def sit_out(self) -> None:
        """Keep out of people's way for as long as an emergency covers where it is."""
        while True:
            self._shelter.hear()
            if self._shelter.covers() is None:
                break
            refuges = self._shelter.refuges()
            settled = refuges is None or await self._flee(refuges)
            if settled:
                self._shelter.found_one()
            else:
                self._shelter.found_none()
            await self._shelter.until_news(settled=settled)
        self._shelter.found_one()

    async def _flee(self, refuges: Sequence[NodeId]) -> bool:
        """Get to a refuge; False = it could not, or not yet."""
        if not self._vehicle.state().fit:
            return False
        self._hand.activity, self.fleeing = Activity.RETURNING, True
        trip = urgent_trip(REFUGE, self._book.now_s())
        try:
            return await self._mover.take_refuge(refuges, trip)
        except (MissionFailed, Unreachable, LinkError) as error:
            log.warning("found no refuge: %s", error, extra={"vehicle": self._vehicle.spec.id})
            return False
        finally:
            self.fleeing = False
