"""How a drone leaves the ground: made ready, armed, and in the air before anything counts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkLost, LinkTimeout, MissionFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mavlink.missions import FlightPlan
from routing.refusal import Refusal

log = logging.getLogger(__name__)

_STARTS = 3


class TakeOff:
    """Has one drone take off for one flight plan."""

    def __init__(self, drone: Drone, plan: FlightPlan) -> None:
        self._drone, self._plan = drone, plan
        self._said, self._times = drone.telemetry, drone.timeouts

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

    async def _give_up(self, error: Exception) -> NoReturn:
        """It did not leave the ground."""
        if not self._drone.online:
            raise LinkLost(f"lost on taking off: {error}") from error
        log.warning("system id %d did not take off: %s", self._drone.line.system_id, error)
        await self._drone.disarm()
        raise MissionFailed(Refusal("takeoff_failed", {"text": str(error)})) from error

    async def _make_ready(self) -> None:
        """GUIDED and armed, with nobody who holds it; what a hold may have undone is done again."""
        while True:
            await self._patiently(lambda: self._drone.set_mode(self._said.dialect.guided))
            await self._patiently(lambda: self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1))
            if not self._drone.held:
                return

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
                    reason = Refusal("arming_refused", {"text": str(refused)})
                    raise MissionFailed(reason) from refused
                log.info("system id %d: %s", self._drone.line.system_id, refused)
            await asyncio.sleep(self._times.arm_pause_s)
        return None

    async def _until_let_go(self) -> None:
        """Wait as long as a person holds it."""
        await self._drone.until(lambda: not self._drone.held)

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
