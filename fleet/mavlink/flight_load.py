"""How a flight's mission gets on board: on the ground, or while the drone is in the air."""

import asyncio
from collections.abc import Awaitable, Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import CommandFailed, LinkTimeout, MissionFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mavlink.flight import taken_over
from fleet.mavlink.missions import FlightPlan, from_e7
from fleet.mavlink.transfer import TransferRefused
from routing.refusal import Refusal

_UPLOADS = 4


class FlightLoad:
    """Puts one flight plan onto a drone."""

    def __init__(self, drone: Drone, plan: FlightPlan) -> None:
        self._drone, self._plan = drone, plan
        self._said, self._times = drone.telemetry, drone.timeouts

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
                    reason = Refusal("mission_refused", {"text": refused.name})
                    raise MissionFailed(reason) from refused
                await asyncio.sleep(self._times.denied_s)
            except LinkTimeout:
                if attempt == _UPLOADS:
                    raise
            if await self.is_on_board():
                self._said.forget_flight()
                return
        text = "read back differs from what was sent"
        raise MissionFailed(Refusal("mission_refused", {"text": text}))

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
            raise MissionFailed(Refusal("turn_refused", {"text": str(refused)})) from refused

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
            raise MissionFailed(Refusal("mission_refused", {"text": str(refused)})) from refused
        except MissionFailed:
            await self._bring_back()
            raise
        if not self._said.armed:
            text = self._said.texts.reason_since(self._drone.now_s - self._times.disarm_s)
            raise MissionFailed(Refusal("drone_turned_back", {"text": text}))

    async def _load_in_the_air(self) -> None:
        """Load the mission, and change to AUTO unless it comes home by itself."""
        self._drone.loading = True
        await self.load()
        self._drone.loading = False
        await self._drone.until(lambda: not self._drone.held)
        if self._said.returning or not self._said.armed:
            return
        if not self._said.in_hand:
            raise taken_over(self._said.mode)
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
