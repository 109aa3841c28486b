"""What one vehicle must know of watches: its shift, and how it makes it."""

from typing import Protocol

from dispatcher.domain.shifts import Shift
from dispatcher.domain.stops import TaskStop
from fleet.mission import Clearance
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.refusal import Refusal


class Flown(Protocol):
    """A drone's shift as a flight: the whole way, and where it stays for a look."""

    @property
    def points(self) -> tuple[Point, ...]:
        """From where it stands to its home."""
        ...

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of the points at which it stays."""
        ...

    @property
    def look_s(self) -> float:
        """How long it stays there."""
        ...


class Duties(Protocol):
    """The side of `shift_desks.ShiftDesks` that vehicles see."""

    def shift_of(self, vehicle: VehicleId) -> Shift | None:
        """The shift that a vehicle has, or is to begin; None = it is free of watches."""
        ...

    async def begin(self, shift: Shift) -> Flown | None:
        """Its vehicle sets out now; a drone is told its flight. Raises Unreachable.

        Returns:
            The flight; None for a robot, or if the shift is not wanted any more.
        """
        ...

    def follow(self, shift: Shift, clearance: Clearance) -> None:
        """Its flight has begun, and may be followed."""
        ...

    def next_look(self, shift: Shift) -> TaskStop | None:
        """Where a robot is to go next; None = it is over."""
        ...

    async def looked(self, shift: Shift) -> None:
        """A robot has been there."""
        ...

    async def end(self, shift: Shift, why: Refusal | None) -> None:
        """Its vehicle is free again; ``why`` says what kept it from staying."""
        ...
