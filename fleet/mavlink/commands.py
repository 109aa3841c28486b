"""Commands to one drone, each with its answer and, where it is no, the drone's own words."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import FleetError, LinkTimeout
from fleet.mavlink.link import Answers, Line, MavlinkLink
from fleet.mavlink.parser import Message
from routing.geometry import GeoPoint

log = logging.getLogger(__name__)

_Ack = mav.MAVLink_command_ack_message
Beat = mav.MAVLink_heartbeat_message

_TEXTS_KEPT = 32
_WORST_KEPT = mav.MAV_SEVERITY_INFO


def result_name(result: int) -> str:
    """The name of a MAV_RESULT in lower case, such as ``failed``."""
    found = mav.enums["MAV_RESULT"].get(result)
    return str(result) if found is None else found.name.removeprefix("MAV_RESULT_").lower()


def command_name(command: int) -> str:
    """The name of a MAV_CMD, such as ``NAV_TAKEOFF``."""
    found = mav.enums["MAV_CMD"].get(command)
    return str(command) if found is None else found.name.removeprefix("MAV_CMD_")


class CommandRefused(FleetError):
    """The drone has answered no.

    Args:
        result: its MAV_RESULT.
        text: what it said of the reason, or "".
    """

    def __init__(self, command: int, result: int, text: str) -> None:
        self.command, self.result, self.text = command, result, text
        why = f": {text}" if text else ""
        super().__init__(f"{command_name(command)} {result_name(result)}{why}")


@dataclass(frozen=True, slots=True)
class Text:
    """Something that a drone said in plain words."""

    at_s: float
    severity: int
    text: str


class Texts:
    """A drone's latest STATUSTEXTs; ArduPilot gives the reason of a refusal in no other way."""

    def __init__(self) -> None:
        self._heard: deque[Text] = deque(maxlen=_TEXTS_KEPT)
        self._parts: dict[int, str] = {}

    def hear(self, message: mav.MAVLink_statustext_message, now_s: float) -> Text | None:
        """Take in one STATUSTEXT; returns the text if it is complete.

        Long texts come in pieces of 50 bytes; a piece that is shorter is the last one.
        """
        text = mav_text(message.text)
        if message.id:
            start = self._parts.pop(message.id, "") if message.chunk_seq else ""
            text = start + text
            if len(mav_text(message.text)) == 50:
                self._parts[message.id] = text
                return None
        found = Text(now_s, message.severity, text)
        self._heard.append(found)
        return found

    def reason_since(self, at_s: float) -> str:
        """The gravest text since a moment, the latest of equals; "" where nothing was said."""
        said = [text for text in self._heard if text.at_s >= at_s and text.severity < _WORST_KEPT]
        return min(reversed(said), key=lambda text: text.severity).text if said else ""


def mav_text(raw: str | bytes) -> str:
    """A text field of a message as str, whatever bytes it holds."""
    if isinstance(raw, bytes):
        raw = raw.split(b"\0", 1)[0].decode("utf-8", errors="replace")
    return raw.rstrip("\0 ")


class Commander:
    """Gives commands to one drone, one at a time: an answer names only the command.

    What it is to say is asked beside what it is to do, so that neither waits for the other.

    Args:
        retries: how often a command without answer is repeated.
    """

    def __init__(self, link: MavlinkLink, line: Line, texts: Texts, *, retries: int = 3) -> None:
        self._link, self._line, self._texts = link, line, texts
        self._timeouts = link.timeouts
        self._retries = retries
        self._deeds, self._words = asyncio.Lock(), asyncio.Lock()
        self._tells_mode = False

    @contextmanager
    def telling_mode(self) -> Generator[Answers[Beat]]:
        """Have the drone say its mode right before it hears each command that is given meanwhile.

        What it says is what a command has found it at, however old our last word of it was.
        """
        self._tells_mode = True
        try:
            with self._line.expect(Beat) as beats:
                yield beats
        finally:
            self._tells_mode = False

    def ask_mode(self) -> None:
        """Ask for a heartbeat at once; whether it comes is to be seen."""
        ask = mav.MAV_CMD_REQUEST_MESSAGE
        self._link.send(self._line, self._message(ask, (mav.MAVLINK_MSG_ID_HEARTBEAT,), 0))

    async def do(self, command: int, *params: float) -> None:
        """Give a command and wait until the drone has accepted it.

        Raises:
            CommandRefused: it said no, and why.
            LinkTimeout: it said nothing, however often asked.
        """
        loop = asyncio.get_running_loop()
        words = command == mav.MAV_CMD_SET_MESSAGE_INTERVAL
        async with self._words if words else self._deeds:
            asked_s = loop.time()
            result = await self._answer(command, lambda n: self._message(command, params, n))
        await self._check(command, result, asked_s)

    async def do_at(
        self,
        command: int,
        geo: GeoPoint,
        height_m: float,
        *params: float,
        frame: int = mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
    ) -> None:
        """Give a command about a place, its height as ``frame`` says; errors as of `do`."""
        first, second, third, fourth = (*params, *[0.0] * (4 - len(params)))
        message = mav.MAVLink_command_int_message(
            self._line.system_id,
            self._line.component_id,
            frame,
            command,
            0,
            0,
            first,
            second,
            third,
            fourth,
            round(geo.lat_deg * 1e7),
            round(geo.lon_deg * 1e7),
            height_m,
        )
        async with self._deeds:
            asked_s = asyncio.get_running_loop().time()
            result = await self._answer(command, lambda _: message)
        await self._check(command, result, asked_s)

    async def _check(self, command: int, result: int, asked_s: float) -> None:
        if result != mav.MAV_RESULT_ACCEPTED:
            await asyncio.sleep(self._timeouts.reason_s)
            raise CommandRefused(command, result, self._texts.reason_since(asked_s))

    async def _answer(self, command: int, message: Callable[[int], Message]) -> int:
        with self._line.expect(_Ack, command=command) as answers:
            for attempt in range(self._retries + 1):
                if self._tells_mode:
                    self.ask_mode()
                self._link.send(self._line, message(attempt))
                try:
                    return await self._final(answers.within)
                except LinkTimeout:
                    log.debug("%s: no answer", command_name(command))
        raise LinkTimeout(
            f"drone with system id {self._line.system_id} does not answer {command_name(command)}"
        )

    async def _final(self, within: Callable[[float], Awaitable[_Ack]]) -> int:
        """The first answer to us that is not "in progress"."""
        timeout_s = self._timeouts.ack_s
        while True:
            ack = await within(timeout_s)
            if (ack.target_system, ack.target_component) not in ((0, 0), self._line.ours):
                continue
            if ack.result != mav.MAV_RESULT_IN_PROGRESS:
                return ack.result
            timeout_s = self._timeouts.progress_s

    def _message(self, command: int, params: tuple[float, ...], attempt: int) -> Message:
        values = (*params, *[0.0] * (7 - len(params)))
        return mav.MAVLink_command_long_message(
            self._line.system_id, self._line.component_id, command, attempt, *values
        )
