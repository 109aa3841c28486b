"""What a person has a drone do past its mission: stop in the air, go on, come home, come down."""

import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, suppress

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkTimeout
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from routing.geometry import GeoPoint

log = logging.getLogger(__name__)


class Hands:
    """Modes for one drone; each call returns once the drone has accepted it."""

    def __init__(self, drone: Drone) -> None:
        self._drone = drone
        self._said = drone.telemetry

    async def hold(self) -> None:
        """Stop and stay, in the first way that it knows; on the ground, stay there.

        Raises:
            CommandRefused, LinkError: it flies on.
        """
        async with self._held():
            if self._moves:
                await self._stand_still()

    async def go_on(self, *, follows: bool) -> None:
        """Fly on with the mission on board.

        Args:
            follows: whether anybody follows a mission; if not, it stays in the air for the next.
        """
        if self._drone.held and self._said.armed and not self._said.airborne:
            await self._landed_state()
        flies_on = follows and self._said.airborne and not self._drone.loading
        dialect = self._said.dialect
        mode = dialect.auto if flies_on else dialect.guided
        if self._drone.held and self._said.armed:
            await self._drone.set_mode(mode)
        await self._let_go(frozenset({mode}))

    async def recall(self) -> None:
        """Return to launch."""
        await self._bring_down(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)

    async def land(self) -> None:
        """Come straight down."""
        await self._bring_down(mav.MAV_CMD_NAV_LAND)

    async def _bring_down(self, command: int) -> None:
        """On the ground it stays there, on hold; so does who is just told to take off."""
        if self._said.airborne:
            await self._drone.do(command)
            await self._let_go(self._said.dialect.returning)
            return
        async with self._held():
            if self._moves:
                await self._drone.do(command)

    @asynccontextmanager
    async def _held(self) -> AsyncGenerator[None]:
        """On hold, unless what is said to it meanwhile fails; then it is as it was before.

        It is so before its mode changes, or the flight would take that for a takeover.
        """
        was, self._drone.held = self._drone.held, True
        try:
            yield
        except BaseException:
            self._drone.held = was
            raise

    @property
    def _moves(self) -> bool:
        """Whether it flies or may be about to; that it does is said every other second only."""
        return self._said.armed or self._drone.starting

    async def _landed_state(self) -> None:
        """Wait until it has said once more whether it is on the ground."""
        asked_s, heard_at_s = self._drone.now_s, self._said.heard_at_s
        with suppress(LinkTimeout):
            await self._drone.until(
                lambda: heard_at_s.get(mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE, asked_s) > asked_s,
                self._drone.timeouts.stale_s,
            )

    async def _let_go(self, modes: Collection[int]) -> None:
        """From here on its mode is news again: once it has told the one that it is in now."""
        if self._drone.held:
            with suppress(LinkTimeout):
                await self._drone.until(
                    lambda: self._said.mode in modes or not self._said.armed,
                    self._drone.timeouts.stale_s,
                )
        self._drone.held = False

    async def wait_in_the_air(
        self, geo: GeoPoint | None = None, height_m: float = 0.0, *, called_back: bool = False
    ) -> None:
        """Stay in the mode in which it can be sent on: where it is, or on its way to a place.

        A place that it does not take keeps it where it is.

        Args:
            called_back: whether it comes home because it was told to.

        Raises:
            CommandFailed: it comes home by itself, and goes on with that.
        """
        if not self._said.airborne:
            return
        if called_back:
            await self._wait(geo, height_m)
        else:
            await self._drone.unless_it_returns(lambda: self._wait(geo, height_m))

    async def _wait(self, geo: GeoPoint | None, height_m: float) -> None:
        if geo is not None:
            try:
                await self._drone.reposition(geo, height_m)
            except CommandRefused as refused:
                log.info("system id %d: %s", self._drone.line.system_id, refused)
            else:
                return
        await self._drone.set_mode(self._said.dialect.guided)

    async def _stand_still(self) -> None:
        *ways, last = self._said.dialect.holds
        for command, params in ways:
            try:
                return await self._drone.do(command, *params)
            except CommandRefused as refused:
                log.info("system id %d: %s", self._drone.line.system_id, refused)
        return await self._drone.do(last[0], *last[1])
