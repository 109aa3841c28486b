"""All shifts of one site: those of watches, and those over parts of an area."""

from collections.abc import Mapping, Sequence

from dispatcher.domain.duties import Flown
from dispatcher.domain.shifts import PART, Shift
from dispatcher.domain.stops import TaskStop
from dispatcher.domain.task import TaskId
from dispatcher.patrols.patrols import Watches
from dispatcher.patrols.surveys import Surveys
from dispatcher.patrols.watch_duty import WatchDuty
from fleet.mission import Clearance
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


class ShiftDesks:
    """Asks whichever desk has given a shift; to vehicles both are one."""

    def __init__(self, watches: Watches, surveys: Surveys) -> None:
        self._watches, self._surveys = watches, surveys

    def restore(self, shifts: Sequence[Shift], in_hand: Mapping[VehicleId, TaskId | None]) -> None:
        """Take up the shifts of a former process; as `Watches.restore`."""
        self._watches.restore([one for one in shifts if one.why != PART], in_hand)
        self._surveys.restore([one for one in shifts if one.why == PART], in_hand)

    async def release(self, vehicle: VehicleId, why: Refusal) -> None:
        """It is needed elsewhere: somebody else takes what it has not begun."""
        await self._watches.release(vehicle, why)
        await self._surveys.release(vehicle, why)

    # --- what vehicles ask: see `Duties` ---

    def shift_of(self, vehicle: VehicleId) -> Shift | None:
        """The shift that a vehicle has, or is to begin."""
        return self._watches.duty.shift_of(vehicle) or self._surveys.shift_of(vehicle)

    async def begin(self, shift: Shift) -> Flown | None:
        """Its vehicle sets out now. Raises Unreachable."""
        if shift.why == PART:
            return await self._surveys.begin(shift)
        return await self._watches.duty.begin(shift)

    def follow(self, shift: Shift, clearance: Clearance) -> None:
        """Its flight has begun."""
        self._of(shift).follow(shift, clearance)

    def next_look(self, shift: Shift) -> TaskStop | None:
        """Where a robot is to go next; None = it is over."""
        return None if shift.why == PART else self._watches.duty.next_look(shift)

    async def looked(self, shift: Shift) -> None:
        """A robot has been there."""
        if shift.why != PART:
            await self._watches.duty.looked(shift)

    async def end(self, shift: Shift, why: Refusal | None) -> None:
        """Its vehicle is free again."""
        await self._of(shift).end(shift, why)

    def _of(self, shift: Shift) -> WatchDuty | Surveys:
        return self._surveys if shift.why == PART else self._watches.duty
