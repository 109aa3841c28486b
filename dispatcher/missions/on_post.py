"""A shift that is followed: how far it has come, and until when its vehicle can stay."""

import math
import random
from collections.abc import Sequence

from dispatcher.domain.shifts import MARGIN, Shift, ShiftState
from fleet.mission import Clearance
from fleet.vehicle import VehicleSpec, VehicleState
from routing.geometry import Point

STALL_S = 60.0
"""Whoever passes no point for so much longer than planned does not make its rounds any more."""
AHEAD = 2
"""So many points say how rounds go on."""
PACE_LEAST, PACE_MOST = 0.7, 2.0
"""Measured rounds count within these limits, as a share of the planned time."""


class OnPost:
    """One open shift, from the vehicle's own words.

    All times are loop seconds.
    """

    def __init__(self, shift: Shift, spec: VehicleSpec) -> None:
        self.shift, self.spec = shift, spec
        self.clearance: Clearance | None = None
        self.points = 0
        """How many points of its rounds it has seen."""
        self.moved_s = shift.station_s or shift.begun_s or shift.given_s
        self.most_s = math.inf
        """How long it is to be on station at the most."""
        self.by_s = math.inf
        """When it must be on its way home, for the air is closed to it."""
        self.begin: tuple[Point, ...] = ()
        """How its rounds begin; none = anyhow."""
        self.lost = False
        """Nothing is heard of it: somebody else has been sent."""
        self.seen_s: dict[int, float] = {}
        """When each point of the round was seen last."""
        self.next = 0
        """Which point of its round a robot goes to."""
        self.last = 0
        self.chance = random.Random(shift.id)
        """For orders that nobody can foresee."""

    def saw(self, count: int, now_s: float) -> None:
        """It has seen so many points of its rounds until now."""
        for number in range(self.points + bool(self.seen_s), count + 1):
            self.seen_s[number % self.shift.plan.each] = now_s
        self.points, self.moved_s = count, now_s

    @property
    def left_off(self) -> tuple[Point, ...]:
        """How a drone's rounds would go on: over what it has not seen for the longest."""
        clearance, plan = self.clearance, self.shift.plan
        if clearance is None or not plan.last or clearance.passed < plan.first:
            return ()
        on = min(clearance.passed + 1, plan.last)
        return tuple(waypoint.point for waypoint in clearance.route[on : on + AHEAD])

    @property
    def exits(self) -> Sequence[int]:
        """Where its flight leaves the rounds; () = it has none, or has left them."""
        clearance, last = self.clearance, self.shift.plan.last
        return () if clearance is None or clearance.passed >= last else (last,)

    def leave_out(self, until: int) -> None:
        """It flies straight to the last point of its rounds."""
        assert self.clearance is not None, "it flies"
        self.clearance.skip_to(until)

    def looked(self, now_s: float) -> None:
        """A robot has seen the point that it went to."""
        self.seen_s[self.next], self.last = now_s, self.next
        self.points, self.moved_s = self.points + 1, now_s
        self.next = (self.next + 1) % self.shift.plan.each

    def idle_s(self, now_s: float) -> float | None:
        """How long the point that was seen the longest ago has not been; None = none was yet."""
        if len(self.seen_s) < self.shift.plan.each:
            return None if self.shift.station_s is None else now_s - self.shift.station_s
        return now_s - min(self.seen_s.values())

    def arrives_s(self, now_s: float, launch_s: float) -> float:
        """When it comes on station, or came."""
        shift = self.shift
        if shift.station_s is not None:
            return shift.station_s
        begun_s = now_s if shift.begun_s is None else shift.begun_s
        return max(now_s, begun_s + launch_s + shift.plan.out_s)

    def leaves_s(self, now_s: float, launch_s: float, state: VehicleState) -> float:
        """When it leaves the post, by how far its rounds have come and what its battery holds."""
        plan, station_s = self.shift.plan, self.shift.station_s
        if station_s is None:
            arrives_s = self.arrives_s(now_s, launch_s)
            by_battery_s = now_s + self.lasts_s(state)
            stretch_s = plan.stretch_s if plan.rounds else math.inf
            by_plan_s = min(self.by_s, arrives_s + min(stretch_s, self.most_s))
            return max(arrives_s, min(by_plan_s, by_battery_s))
        by_battery_s = min(self.by_s, now_s + self.lasts_s(state))
        if not plan.rounds:
            return by_battery_s
        left = plan.rounds * plan.each - self.points
        point_s = plan.round_s / plan.each * self._pace()
        return min(by_battery_s, max(now_s, self.moved_s + left * point_s))

    def lasts_s(self, state: VehicleState) -> float:
        """How much longer it can stay and still come home with its reserve; 0 = it must go."""
        plan, energy = self.shift.plan, self.spec.energy
        ratio = state.charge_ratio
        if ratio is None or plan.round_wh <= 0:
            return math.inf
        usable_wh = (ratio - energy.reserve_ratio) * energy.capacity_wh - MARGIN * plan.back_wh
        return max(0.0, usable_wh) * plan.round_s / plan.round_wh

    def stalled(self, now_s: float) -> bool:
        """Whether it has not come on for too long while on station."""
        plan = self.shift.plan
        on_station = self.shift.state is ShiftState.ON_STATION
        point_s = plan.round_s / plan.each
        return on_station and now_s - self.moved_s > 2 * PACE_MOST * point_s + STALL_S

    def _pace(self) -> float:
        """How long a round took so far, as a share of what was planned; 1 before the first."""
        plan, station_s = self.shift.plan, self.shift.station_s
        if station_s is None or self.points < plan.each:
            return 1.0
        measured_s = (self.moved_s - station_s) / self.points
        return min(PACE_MOST, max(PACE_LEAST, measured_s * plan.each / plan.round_s))
