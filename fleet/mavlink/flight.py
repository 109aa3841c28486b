"""One flight: followed from waypoint to waypoint to its landing."""

import asyncio
import logging
import math
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkLost, LinkTimeout, MissionFailed, SafetyStop
from fleet.mavlink.drone import Drone
from fleet.mavlink.missions import FlightPlan
from fleet.mission import Clearance
from routing.geometry import Point
from routing.refusal import Refusal

log = logging.getLogger(__name__)

_LEAST_S = 0.001
"""A wait that is shorter may be lost in rounding, so that a clock which jumps stands still."""


class Flight:
    """Follows one flight plan.

    Args:
        clearance: holds the whole route, and is told of each waypoint reached.
        stands_at: whether the drone stands on the ground at a point.
    """

    def __init__(
        self,
        drone: Drone,
        plan: FlightPlan,
        clearance: Clearance,
        stands_at: Callable[[Point], bool],
    ) -> None:
        self._drone, self._plan, self._clearance = drone, plan, clearance
        self._stands_at = stands_at
        self._said = drone.telemetry
        self._times = drone.timeouts
        self._skipped_s = -math.inf

    async def follow(self) -> None:
        """Pass on the waypoints reached, until the drone has landed at the end.

        While the link is gone the drone flies on, and we wait for it.

        Raises:
            MissionFailed: it came down elsewhere by itself, or a pilot has taken over.
            SafetyStop: it stands still with its motors off where it should not.
            LinkLost: not heard for `Timeouts.lost_s`.
        """
        turned_back = ""
        while self._said.armed:
            self._pass_on()
            self._skip()
            if self._drone.online and not self._drone.held:
                off_course = self._why_off_course()
                turned_back = turned_back or off_course
            await self._next_word()
            if self._at_rest():
                await self._settle()
        await self._until_position_is_fresh()
        if turned_back:
            raise MissionFailed(Refusal("drone_turned_back", {"text": turned_back}))
        self.conclude()

    def conclude(self) -> None:
        """The drone has its motors off: well, if it stands where the flight ends.

        Raises:
            MissionFailed: it is back at the start, and nobody saw it fly the route.
            SafetyStop: it is neither here nor there.
        """
        self._pass_on()
        route = self._clearance.route
        last = len(route) - 1
        if not self._stands_at(route[last].point):
            text = self._said.texts.reason_since(self._drone.now_s - self._times.disarm_s)
            if self._stands_at(route[0].point):
                raise MissionFailed(Refusal("drone_turned_back", {"text": text}))
            raise SafetyStop(Refusal("landed_on_the_way", {"text": text}))
        if self._stands_at(route[0].point) and self._clearance.passed < last - 1:
            text = f"{self._clearance.passed} of {last}"
            raise MissionFailed(Refusal("flight_not_seen", {"text": text}))
        self._clearance.reached(last)

    def _pass_on(self) -> None:
        behind = max(self._said.reached_item, (self._said.mission_item or 0) - 1)
        self._clearance.reached(self._plan.reached(behind))

    def _skip(self) -> None:
        """Send it on to a later waypoint, if it is to leave some out; again until it is heard."""
        wanted, said = self._clearance.skips_to, self._said
        if wanted <= self._clearance.passed or not said.in_auto or not self._drone.online:
            return
        item, now_s = self._plan.item_of(wanted), self._drone.now_s
        if (said.mission_item or 0) < item and now_s >= self._skipped_s + self._times.ack_s:
            self._skipped_s = now_s
            self._drone.begin_with(item)

    def _why_off_course(self) -> str:
        """What the drone says of coming down by itself; "" while it flies the mission."""
        if self._said.in_auto or not self._said.airborne:
            return ""
        if self._said.returning:
            text = self._said.texts.reason_since(self._drone.now_s - self._times.stale_s)
            return text or "returns by itself"
        raise taken_over(self._said.mode)

    def _at_rest(self) -> bool:
        on_ground = self._said.landed_state == mav.MAV_LANDED_STATE_ON_GROUND
        return self._said.armed and on_ground and self._said.height_agl_m < 1.0

    async def _settle(self) -> None:
        """Landed: it disarms by itself, and if not, we do it."""
        try:
            await self._drone.until(lambda: not self._at_rest(), self._times.disarm_s)
        except LinkTimeout:
            if self._drone.online:
                await self._drone.disarm()

    async def _next_word(self) -> None:
        heard_s = self._drone.line.age_s(self._drone.now_s)
        patience_s = max(_LEAST_S, self._times.lost_s - heard_s)
        try:
            async with asyncio.timeout(patience_s):
                await self._drone.next_word()
        except TimeoutError:
            if self._drone.line.age_s(self._drone.now_s) >= self._times.lost_s:
                raise LinkLost(f"drone {self._drone.line.system_id} not heard in flight") from None

    async def _until_position_is_fresh(self) -> None:
        """The position may be older than the landing."""
        asked_s = self._drone.now_s
        try:
            await self._drone.until(
                lambda: self._said.positioned_at_s > asked_s, self._times.stale_s
            )
        except LinkTimeout:
            log.warning("system id %d: no position after landing", self._drone.line.system_id)


def taken_over(mode: int | None) -> MissionFailed:
    """A pilot has changed its mode, and flies it."""
    return MissionFailed(Refusal("taken_over", {"mode": -1 if mode is None else mode}))
