"""A flight over a part of an area that is followed: how far it is, and whether it can go on."""

from collections.abc import Sequence

from dispatcher.air.air_pace import AirPace
from dispatcher.domain.shifts import MARGIN, Shift, ShiftState
from dispatcher.domain.task import AreaPart
from dispatcher.patrols.sorties import longest_leg_m
from fleet.mission import Clearance
from fleet.vehicle import VehicleSpec, VehicleState
from routing.geometry import Point

STALL_S = 120.0
"""Whoever takes so much longer than twice the longest leg's time does not come on any more."""
SILENT_S = 60.0
"""Whoever is not heard for so long has its part given to somebody else."""


class OnPart:
    """One open shift over a part, from the vehicle's own words; all times are loop seconds."""

    def __init__(self, shift: Shift, spec: VehicleSpec, now_s: float) -> None:
        self.shift, self.spec = shift, spec
        self.clearance: Clearance | None = None
        self.moved_s = self.heard_s = now_s
        self.sent_home = shift.state is ShiftState.LEAVING
        """It may leave out the rest, so that what it passes from now on says nothing."""

    def left_of(self, part: AreaPart) -> tuple[Point, ...]:
        """What of its part it has not seen yet; () = nothing."""
        clearance, plan = self.clearance, self.shift.plan
        if clearance is None or self.sent_home or clearance.passed <= plan.first:
            return part.line
        if clearance.passed >= plan.last:
            return ()
        return tuple(w.point for w in clearance.route[clearance.passed : plan.last + 1])

    @property
    def exits(self) -> Sequence[int]:
        """From which points on it may come home, the nearest to home first; () = none yet."""
        clearance, last = self.clearance, self.shift.plan.last
        if clearance is None or clearance.passed >= last or self.sent_home:
            return ()
        return range(len(clearance.route) - 1, last, -1)

    def leave_out(self, until: int) -> None:
        """It flies straight to a point on its way home."""
        assert self.clearance is not None, "it flies"
        self.sent_home = True
        self.clearance.skip_to(until)

    def stalled(self, part: AreaPart, now_s: float) -> bool:
        """Whether it has passed no point for too long while on its part."""
        leg_s = longest_leg_m(part.line) / self.spec.speed_m_s
        on = self.shift.state is ShiftState.ON_STATION
        return on and now_s - self.moved_s > 2 * leg_s + STALL_S

    def silent(self, state: VehicleState, now_s: float) -> bool:
        """Whether nothing has been heard of it for too long."""
        if state.online:
            self.heard_s = now_s
        return now_s - self.heard_s > SILENT_S

    def spent(self, state: VehicleState, home_wh: float, pace: AirPace, within_s: float) -> bool:
        """Whether it must come home within so many seconds, to land with its reserve."""
        energy, ratio = self.spec.energy, state.charge_ratio
        if ratio is None or not state.airborne:
            return False
        usable_wh = (ratio - energy.reserve_ratio) * energy.capacity_wh - MARGIN * home_wh
        return usable_wh <= pace.way_wh(within_s)
