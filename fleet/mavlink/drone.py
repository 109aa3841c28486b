"""One drone as it is on the wire: what it says, what it is told, how often it speaks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import CommandFailed, LinkError, LinkTimeout
from fleet.mavlink.commands import Commander, CommandRefused
from fleet.mavlink.config import MavlinkConfig
from fleet.mavlink.dialects import NAMES
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.missions import HOME, Item
from fleet.mavlink.parameters import ParameterClient
from fleet.mavlink.parser import Message
from fleet.mavlink.streams import Streams
from fleet.mavlink.telemetry import Telemetry
from fleet.mavlink.transfer import Transfer
from fleet.mavlink.wind import EACH_S as WIND_EACH_S
from routing.geometry import GeoPoint
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class Drone:
    """The wire to one drone; `adapter.MavlinkVehicle` makes a vehicle of it."""

    def __init__(self, link: MavlinkLink, config: MavlinkConfig) -> None:
        self.config = config
        self.timeouts = link.timeouts
        self.line = link.line(config.system_id, config.component_id)
        self.telemetry = said = Telemetry(NAMES[config.autopilot])
        self.transfer = Transfer(link, self.line, at_once=lambda: said.dialect.at_once)
        self.parameters = ParameterClient(link, self.line, int_bytes=lambda: said.dialect.int_bytes)
        self._link = link
        self._commander = Commander(link, self.line, self.telemetry.texts, retries=config.retries)
        self._streams = Streams(config.rates)
        self._listeners: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._held = False
        self.called_back = False
        """It comes home because it was told to, not by itself."""
        self.starting = False
        """It is told to take off, and may not have said yet that its motors turn."""
        self.loading = False
        """It is to fly a mission that is not on board yet, or not wholly."""
        self.line.listen(self._hear)

    def watch(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each message that says something new."""
        self._listeners.append(listener)

    @property
    def now_s(self) -> float:
        """This moment in loop seconds."""
        return asyncio.get_running_loop().time()

    @property
    def online(self) -> bool:
        """Whether it was heard just now."""
        return self.line.age_s(self.now_s) <= self.timeouts.stale_s

    @property
    def held(self) -> bool:
        """A person has it stand still, on the ground or in the air, so its mode is no news."""
        return self._held

    @held.setter
    def held(self, held: bool) -> None:
        self._held = held
        self.nudge()

    async def do(self, command: int, *params: float) -> None:
        """Give a command; CommandRefused or LinkTimeout where it isn't carried out."""
        await self._commander.do(command, *params)

    async def fresh_mode(self) -> None:
        """Have it say its mode now: our last word of it may be a second old."""
        asked_s, said = self.now_s, self.telemetry
        self._commander.ask_mode()
        await self.until(lambda: said.beat_at_s >= asked_s, self.timeouts.stale_s)

    @contextmanager
    def returned(self) -> Generator[Callable[[], int | None]]:
        """Look whether commands that are given meanwhile find it on its way home by itself.

        The function says in which mode; None = in none that it had chosen.
        """
        said = self.telemetry
        with self._commander.telling_mode() as beats:
            yield lambda: next(
                (b.custom_mode for b in beats.so_far if b.custom_mode in said.dialect.returning),
                None,
            )

    async def unless_it_returns(self, act: Callable[[], Awaitable[None]]) -> None:
        """Tell it something, and give its mode back if it has just turned home by itself.

        Raises:
            CommandFailed: it comes home, and goes on with that.
        """
        if self.telemetry.returning:
            await self.fresh_mode()
        if self.telemetry.returning:
            raise _comes_home()
        with self.returned() as returned:
            await act()
            mode = returned()
        if mode is not None:
            await self.set_mode(mode)
            self.held = False
            raise _comes_home()

    async def set_mode(self, mode: int) -> None:
        """Change its flight mode (its own number)."""
        command, params = self.telemetry.dialect.mode(mode)
        await self.do(command, *params)

    async def disarm(self) -> None:
        """Stop its motors on the ground, as far as it listens."""
        try:
            await self.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
        except (CommandRefused, LinkTimeout) as error:
            log.warning("system id %d: %s", self.line.system_id, error)

    async def take_off(self, height_m: float) -> None:
        """Climb straight up, to a height above home."""
        said = self.telemetry
        command, params = said.dialect.take_off(height_m, said.home_amsl_m)
        await self.do(command, *params)

    async def reposition(self, geo: GeoPoint, height_m: float) -> None:
        """Fly there at once, without a mission; CommandRefused or LinkTimeout where it doesn't.

        Args:
            height_m: above home.
        """
        said, frame = self.telemetry, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
        if said.dialect.above_sea:
            frame, height_m = mav.MAV_FRAME_GLOBAL_INT, said.home_amsl_m + height_m
        await self._commander.do_at(
            mav.MAV_CMD_DO_REPOSITION,
            geo,
            height_m,
            -1.0,
            mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE,
            frame=frame,
        )

    async def upload_mission(self, items: Sequence[Item]) -> None:
        """Put a mission on board whose item 0 stands for home; errors as of `Transfer.upload`."""
        await self.transfer.upload(items if self.telemetry.dialect.home_item else items[1:])

    async def held_mission(self, limit: int) -> tuple[Item, ...]:
        """What it has on board, at most ``limit`` items of it; item 0 stands for home."""
        held = await self.transfer.download(limit=limit)
        return held if self.telemetry.dialect.home_item or not held else (HOME, *held)

    def begin_with(self, item: int) -> None:
        """Have it fly this item of its mission next."""
        to = self.line.system_id, self.line.component_id
        seq = item if self.telemetry.dialect.home_item else item - 1
        self._link.send(self.line, mav.MAVLink_mission_set_current_message(*to, seq))

    async def until(self, told: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Wait until the drone's words make ``told()`` true.

        Raises:
            LinkTimeout: they did not in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not told():
                    await self.next_word()
        except TimeoutError:
            raise LinkTimeout(f"drone {self.config.system_id}: waited {timeout_s} s") from None

    async def next_word(self) -> None:
        """Wait for the next message that says something new, or a nudge."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def nudge(self) -> None:
        """Wake all who wait for a word: something they look at has changed."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def ask_for_streams(self) -> None:
        """Ask for every stream that does not flow as it should; once refused, try again later.

        Rates are lost at each reboot, and any other ground station may change them.
        """
        for message_id in self._streams.slow(self.telemetry, self.now_s):
            interval_us = self._streams.intervals_s[message_id] * 1e6
            try:
                await self.do(mav.MAV_CMD_SET_MESSAGE_INTERVAL, message_id, interval_us)
            except (CommandRefused, LinkError) as error:
                log.info("system id %d: no stream %d: %s", self.line.system_id, message_id, error)
                return

    async def ask_for_wind(self) -> None:
        """Ask for the wind, in flight; who has no estimate of it doesn't tell, and that is well."""
        said = self.telemetry
        if not said.dialect.tells_wind or not said.wind.wants(self.now_s):
            return
        try:
            await self.do(
                mav.MAV_CMD_SET_MESSAGE_INTERVAL, mav.MAVLINK_MSG_ID_WIND, WIND_EACH_S * 1e6
            )
        except (CommandRefused, LinkError) as error:
            log.debug("system id %d: no wind: %s", self.line.system_id, error)

    def _hear(self, message: Message) -> None:
        if self.telemetry.take(message, self.line.heard_at_s or 0.0):
            self.nudge()
            for listener in self._listeners:
                listener()


def _comes_home() -> CommandFailed:
    return CommandFailed(Refusal("drone_turned_back", {"text": "returns by itself"}))
