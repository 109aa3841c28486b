"""Carrying out the shifts of one vehicle: a drone's as one flight, a robot's look by look."""

import logging
from collections.abc import Callable
from typing import Protocol

from dispatcher.domain.duties import Duties, Flown
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.shifts import SHIFT, Shift, ShiftState
from dispatcher.domain.task import TaskId
from dispatcher.domain.urgency import RANKS
from dispatcher.domain.views import Activity
from dispatcher.errors import reason_of
from dispatcher.missions.execution import Errand, Mover
from dispatcher.planning.planner import Planner
from dispatcher.records.book import TaskBook
from dispatcher.work.hand import Hand, Trip
from fleet.errors import LinkError, MissionFailed, SafetyStop
from fleet.mission import Clearance
from fleet.vehicle import VehicleId
from routing.errors import Unreachable
from routing.refusal import Refusal

log = logging.getLogger(__name__)

Follow = Callable[[Clearance], None]


class Flyer(Protocol):
    """A mover that can make a shift in one flight."""

    async def fly_shift(self, station: Flown, errand: Errand, follow: Follow) -> None:
        """Out, round after round, and home; ``follow`` is told when it begins."""
        ...

    async def resume_shift(self, record: MissionRecord, errand: Errand, follow: Follow) -> None:
        """Go on with the flight that a former process sent."""
        ...


class ShiftWork:
    """What one vehicle does for watches, and for areas in parts.

    Args:
        flyer: a drone's mover; None = it drives.
    """

    def __init__(
        self,
        vehicle: VehicleId,
        mover: Mover,
        flyer: Flyer | None,
        duties: Duties,
        hand: Hand,
        book: TaskBook,
        planner: Planner,
    ) -> None:
        self._vehicle, self._mover, self._flyer = vehicle, mover, flyer
        self._duties, self._hand = duties, hand
        self._book, self._planner = book, planner

    def due(self) -> Shift | None:
        """The shift that it is to begin now."""
        shift = self._duties.shift_of(self._vehicle)
        return shift if shift is not None and shift.state is ShiftState.GIVEN else None

    @property
    def engaged(self) -> bool:
        """Whether it has a shift, so that it isn't free for anything else."""
        return self._duties.shift_of(self._vehicle) is not None

    async def stand(self, shift: Shift) -> None:
        """Make a shift, from here to being home again."""
        self._hand.activity = Activity.WORKING
        try:
            await self._stand(shift, None)
        finally:
            self._planner.poke()

    async def resume(self, record: MissionRecord) -> None:
        """Go on with what a former process sent."""
        self._hand.activity = Activity.WORKING
        shift = self._duties.shift_of(self._vehicle)
        if shift is None:
            await self._mover.resume(record, self._trip(record.task, record.stop_index))
        else:
            await self._stand(shift, record)

    async def _stand(self, shift: Shift, record: MissionRecord | None) -> None:
        why: Refusal | None = None
        self._hand.watch = shift.task
        try:
            if self._flyer is not None:
                await self._fly(self._flyer, shift, record)
            else:
                await self._walk(shift, record)
        except SafetyStop as stop:
            await self._duties.end(shift, stop.reason)
            raise
        except LinkError:
            await self._duties.end(shift, Refusal("link_lost"))
            raise
        except (MissionFailed, Unreachable) as error:
            why = reason_of(error)
        finally:
            self._hand.watch = None
        if why is not None:
            log.warning("shift %s: %s", shift.id, why, extra={"vehicle": self._vehicle})
        await self._duties.end(shift, why)

    async def _fly(self, flyer: Flyer, shift: Shift, record: MissionRecord | None) -> None:
        trip = self._trip(shift.task, shift.post)

        def follow(clearance: Clearance) -> None:
            self._duties.follow(shift, clearance)

        if record is not None:
            await flyer.resume_shift(record, trip, follow)
            return
        station = await self._duties.begin(shift)
        if station is not None:
            await flyer.fly_shift(station, trip, follow)

    async def _walk(self, shift: Shift, record: MissionRecord | None) -> None:
        if record is not None:
            await self._mover.resume(record, self._trip(shift.task, shift.post))
            await self._duties.looked(shift)
        else:
            await self._duties.begin(shift)
        while (look := self._duties.next_look(shift)) is not None:
            await self._mover.go(look, self._trip(shift.task, shift.post))
            await self._duties.looked(shift)

    def _trip(self, task: TaskId | None, post: int) -> Trip:
        found = self._book.find(task)
        rank = 0 if found is None else RANKS[found.priority]
        return Trip(
            purpose=SHIFT,
            rank=(rank, self._book.now_s()),
            task=None if found is None else found.id,
            stop_index=post,
        )
