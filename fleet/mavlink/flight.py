"""One flight: put the mission on the drone, arm, take off, follow it to its landing."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import NoReturn

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import CommandFailed, LinkLost, LinkTimeout, MissionFailed, SafetyStop
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mavlink.missions import FlightPlan, from_e7
from fleet.mavlink.transfer import TransferRefused
from fleet.mission import Clearance
from routing.geometry import Point
from routing.refusal import Refusal

log = logging.getLogger(__name__)

_UPLOADS = 4
_STARTS = 3
_LEAST_S = 0.001
"""A wait that is shorter may be lost in rounding, so that a clock which jumps stands still."""


class Flight:
    """Carries out one flight plan.

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

    async def is_on_board(self) -> bool:
        """Whether the drone already holds this very flight."""
        held = await self._drone.held_mission(limit=len(self._plan.items) + 1)
        return self._plan.same_flight(held)

    async def load(self) -> None:
        """Put the mission onto the drone, and read back what it has made of it.

        Raises:
            MissionFailed: it won't take it.
            LinkError: it stopped answering.
        """
        for attempt in range(1, _UPLOADS + 1):
            try:
                await self._drone.upload_mission(self._plan.items)
            except TransferRefused as refused:
                passing = refused.result in self._said.dialect.busy
                if not passing or attempt == _UPLOADS:
                    raise MissionFailed(_refusal("mission_refused", refused.name)) from refused
                await asyncio.sleep(self._times.denied_s)
            except LinkTimeout:
                if attempt == _UPLOADS:
                    raise
            if await self.is_on_board():
                self._said.forget_flight()
                return
        raise MissionFailed(_refusal("mission_refused", "read back differs from what was sent"))

    async def start(self, *, ahead: bool = False) -> None:
        """GUIDED, arm, take off: in this order, each until the drone is ready for it.

        Args:
            ahead: to climb to its first height and hover there, before it has the mission.

        Raises:
            MissionFailed: it would not arm or did not leave the ground; its words are the reason.
            LinkError: it stopped answering.
        """
        attempt = 1
        while True:
            last = attempt == _STARTS
            try:
                await self._make_ready()
            except LinkTimeout:
                if last or not self._drone.online:
                    raise
                attempt += 1
                continue
            try:
                if await (self._climb() if ahead else self._go()):
                    return
            except (CommandRefused, LinkTimeout) as error:
                unheard = isinstance(error, LinkTimeout) and not self._said.airborne
                if last or not unheard or not self._drone.online:
                    await self._give_up(error)
                attempt += 1

    async def _make_ready(self) -> None:
        """GUIDED and armed, with nobody who holds it; what a hold may have undone is done again."""
        while True:
            await self._patiently(lambda: self._drone.set_mode(self._said.dialect.guided))
            await self._patiently(lambda: self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1))
            if not self._drone.held:
                return

    async def _until_let_go(self) -> None:
        """Wait as long as a person holds it."""
        await self._drone.until(lambda: not self._drone.held)

    async def _give_up(self, error: Exception) -> NoReturn:
        """It did not leave the ground."""
        if not self._drone.online:
            raise LinkLost(f"lost on taking off: {error}") from error
        log.warning("system id %d did not take off: %s", self._drone.line.system_id, error)
        await self.disarm()
        raise MissionFailed(_refusal("takeoff_failed", str(error))) from error

    async def join(self) -> None:
        """Fly the mission from where it is in the air: turn first, then load it, then follow it.

        Raises:
            MissionFailed: it won't take it, or won't fly it.
            LinkError: it stopped answering.
        """
        first = self._plan.items[1]
        here = from_e7(first.lat_e7, first.lon_e7)
        try:
            await self._unless_it_returns(lambda: self._drone.reposition(here, first.z_m))
            await self._load_in_the_air()
        except CommandRefused as refused:
            raise MissionFailed(_refusal("turn_refused", str(refused))) from refused

    async def catch_up(self) -> None:
        """Give the mission to a drone that has taken off ahead of it, and have it fly it.

        Raises:
            MissionFailed: it won't take it or fly it; it has come down where it took off.
            LinkError: it stopped answering; it hovers, or comes home by itself.
        """
        try:
            await self._load_in_the_air()
        except CommandRefused as refused:
            await self._bring_back()
            raise MissionFailed(_refusal("mission_refused", str(refused))) from refused
        except MissionFailed:
            await self._bring_back()
            raise
        if not self._said.armed:
            text = self._said.texts.reason_since(self._drone.now_s - self._times.disarm_s)
            raise MissionFailed(_refusal("drone_turned_back", text))

    async def _load_in_the_air(self) -> None:
        """Load the mission, and change to AUTO unless it comes home by itself."""
        self._drone.loading = True
        await self.load()
        self._drone.loading = False
        await self._until_let_go()
        if self._said.returning or not self._said.armed:
            return
        if not self._said.in_hand:
            raise self._taken_over()
        self._drone.begin_with(1)
        await self._unless_it_returns(lambda: self._drone.set_mode(self._said.dialect.auto))
        await self._drone.until(
            lambda: (
                self._said.in_auto
                or self._said.returning
                or self._drone.held
                or not self._said.armed
            ),
            self._times.takeoff_s,
        )

    async def _unless_it_returns(self, act: Callable[[], Awaitable[None]]) -> None:
        """Tell it something; what it does by itself goes before, and is known of then."""
        try:
            await self._drone.unless_it_returns(act)
        except CommandFailed:
            await self._drone.fresh_mode()

    async def _bring_back(self) -> None:
        """Call it home from above its pad, and wait until it is down; not what a pilot flies."""
        if not (self._said.in_hand or self._said.returning):
            return
        if not self._said.returning:
            await self._drone.do(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)
        await self._drone.until(lambda: not self._said.armed, self._times.landing_s)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Try a step again while the drone, still waking up, says no; not while it is on hold."""
        await self._until_let_go()
        give_up_s = self._drone.now_s + self._times.ready_s
        for attempt in range(1, self._drone.config.arm_attempts + 1):
            await self._until_let_go()
            try:
                return await step()
            except CommandRefused as refused:
                if attempt == self._drone.config.arm_attempts or self._drone.now_s > give_up_s:
                    raise MissionFailed(_refusal("arming_refused", str(refused))) from refused
                log.info("system id %d: %s", self._drone.line.system_id, refused)
            await asyncio.sleep(self._times.arm_pause_s)
        return None

    async def _go(self) -> bool:
        """Start the mission; what counts is that it flies, for an answer may get lost.

        Returns:
            Whether it is in the air; if not, a person has held it on the ground meanwhile.
        """
        said, drone = self._said, self._drone
        drone.starting = True
        try:
            try:
                await drone.do(mav.MAV_CMD_MISSION_START)
            except CommandRefused:
                await self._take_off_first()
            except LinkTimeout as error:
                log.info("system id %d: %s", drone.line.system_id, error)
            said.forget_flight()
            await drone.until(
                lambda: (said.airborne and said.in_auto) or drone.held, self._times.takeoff_s
            )
            await drone.until(lambda: said.airborne or not drone.held)
            return said.airborne
        finally:
            drone.starting = False

    async def _take_off_first(self) -> None:
        """For autopilots that do not start a mission from the ground."""
        if self._drone.held:
            return
        await self._leave_the_ground()
        if not self._drone.held:
            await self._drone.set_mode(self._said.dialect.auto)

    async def _climb(self) -> bool:
        """Take off without a mission; returns what `_go` does."""
        said, drone = self._said, self._drone
        drone.starting = drone.loading = True
        try:
            await self._leave_the_ground()
            await drone.until(lambda: said.airborne or not drone.held)
            return said.airborne
        finally:
            drone.starting = False

    async def _leave_the_ground(self) -> None:
        """Climb in GUIDED; what counts is that it flies, and one that flies says no to it."""
        height_m, patience_s = self._plan.items[1].z_m, self._times.takeoff_s
        unsure: CommandRefused | LinkTimeout | None = None
        try:
            await self._drone.take_off(height_m)
        except (CommandRefused, LinkTimeout) as error:
            unsure, patience_s = error, self._times.stale_s
        try:
            await self._drone.until(lambda: self._said.airborne or self._drone.held, patience_s)
        except LinkTimeout as silence:
            raise unsure or silence from None

    async def disarm(self) -> None:
        """Stop the motors on the ground, as far as the drone listens."""
        try:
            await self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
        except (CommandRefused, LinkTimeout) as error:
            log.warning("system id %d: %s", self._drone.line.system_id, error)

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
            raise MissionFailed(_refusal("drone_turned_back", turned_back))
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
                raise MissionFailed(_refusal("drone_turned_back", text))
            raise SafetyStop(_refusal("landed_on_the_way", text))
        if self._stands_at(route[0].point) and self._clearance.passed < last - 1:
            raise MissionFailed(_refusal("flight_not_seen", f"{self._clearance.passed} of {last}"))
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
        raise self._taken_over()

    def _taken_over(self) -> MissionFailed:
        mode = self._said.mode
        return MissionFailed(Refusal("taken_over", {"mode": -1 if mode is None else mode}))

    def _at_rest(self) -> bool:
        on_ground = self._said.landed_state == mav.MAV_LANDED_STATE_ON_GROUND
        return self._said.armed and on_ground and self._said.height_agl_m < 1.0

    async def _settle(self) -> None:
        """Landed: it disarms by itself, and if not, we do it."""
        try:
            await self._drone.until(lambda: not self._at_rest(), self._times.disarm_s)
        except LinkTimeout:
            if self._drone.online:
                await self.disarm()

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


def _refusal(code: str, text: str) -> Refusal:
    return Refusal(code, {"text": text})
