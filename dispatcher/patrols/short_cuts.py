"""Ways home over what a drone would else have flown first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from dispatcher.air.site_air import SiteAir
from dispatcher.patrols.reliefs import Member
from fleet.mission import Clearance
from fleet.vehicle import VehicleId, VehicleSpec
from routing.geometry import Point


class Flown(Protocol):
    """One whose flight is followed."""

    spec: VehicleSpec
    clearance: Clearance | None

    @property
    def exits(self) -> Sequence[int]:
        """Points of its flight at which it may go on, the one to be had first; () = none."""
        ...

    def leave_out(self, until: int) -> None:
        """It goes straight to a point of its flight."""
        ...


class ShortCuts:
    """Finds them.

    Args:
        crew: all vehicles.
        cut_short: whether a drone in flight may leave out what lies between two points.
    """

    def __init__(
        self,
        air: SiteAir,
        crew: Callable[[], Mapping[VehicleId, Member]],
        cut_short: Callable[[VehicleId, Point, Point], bool],
    ) -> None:
        self._air, self._crew, self._cut_short = air, crew, cut_short

    def send_home(self, one: Flown) -> None:
        """Have a drone leave out the rest of its work, as soon as the way is clear."""
        exits, clearance = one.exits, one.clearance
        if clearance is None or not exits:
            return
        position = self._crew()[one.spec.id].state().position
        if position is None:
            return
        for index in exits:
            here, goal = position.point, clearance.route[index].point
            if self._air.clear(one.spec, here, goal) and self._cut_short(one.spec.id, here, goal):
                one.leave_out(index)
                return
