"""One port, many drones: who speaks, from where, and who waits for which answer."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkLost, LinkTimeout
from fleet.mavlink.config import LinkConfig, Timeouts
from fleet.mavlink.datagrams import Datagrams, Peer
from fleet.mavlink.parser import Message, Parser
from fleet.mavlink.signing import Signing

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

_PEERS_KEPT = 512
_ANSWERS_KEPT = 64


class Answers(Generic[M]):
    """What has come in for someone who listens; see `Line.expect`."""

    def __init__(self, types: tuple[type[M], ...], fields: dict[str, object]) -> None:
        self._types, self._fields = types, fields
        self._heard: deque[M] = deque(maxlen=_ANSWERS_KEPT)
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, message: Message) -> None:
        """Keep ``message`` if it is of the kind that is waited for."""
        if not isinstance(message, self._types):
            return
        if any(getattr(message, name) != value for name, value in self._fields.items()):
            return
        self._heard.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def so_far(self) -> tuple[M, ...]:
        """All that have come and that nobody has taken yet."""
        return tuple(self._heard)

    async def within(self, timeout_s: float) -> M:
        """The next answer.

        Raises:
            LinkTimeout: none came in time; the caller may ask again and wait once more.
        """
        if not self._heard:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._waiter
            except TimeoutError:
                names = " or ".join(kind.msgname for kind in self._types)
                raise LinkTimeout(f"no {names} in {timeout_s:g} s") from None
            finally:
                self._waiter = None
        return self._heard.popleft()


class Line:
    """One drone's line on a link that it shares with others."""

    def __init__(
        self,
        system_id: int,
        component_id: int,
        config: LinkConfig,
        signing: Signing | None = None,
    ) -> None:
        self.system_id, self.component_id = system_id, component_id
        self.ours = (config.system_id, config.component_id)
        self.timeouts = config.timeouts
        self.heard_at_s: float | None = None
        """When it was last heard."""
        self.peer: Peer | None = None
        """Where it was last heard from."""
        self.wanted = True
        """Whether our heartbeats go to it; False while it sleeps."""
        self.mute = False
        """Whether it has no power, so that whoever speaks in its name is another."""
        self._packer, self._signing = mav.MAVLink(None, *self.ours), signing
        self._listeners: list[Callable[[Message], None]] = []
        self._expected: list[Answers[Any]] = []
        self._rival: Peer | None = None
        self._rival_at_s = 0.0
        self._rival_spoke = False
        self._collided_at_s: float | None = None

    def listen(self, listener: Callable[[Message], None]) -> None:
        """Have ``listener`` called with each message of this drone."""
        self._listeners.append(listener)

    @contextmanager
    def expect(self, *types: type[M], **fields: object) -> Generator[Answers[M], None, None]:
        """Listen for messages of these types whose fields have these values, before speaking."""
        answers = Answers(types, fields)
        self._expected.append(answers)
        try:
            yield answers
        finally:
            self._expected.remove(answers)

    def pack(self, message: Message) -> bytes:
        """A message as the bytes of our next frame."""
        packer, signing = self._packer, self._signing
        data = signing.pack(message, packer) if signing else message.pack(packer)
        self._packer.seq = (self._packer.seq + 1) % 256
        return data

    def age_s(self, now_s: float) -> float:
        """Seconds since it was last heard; infinite if never."""
        return float("inf") if self.heard_at_s is None else now_s - self.heard_at_s

    def collides(self, now_s: float) -> bool:
        """Whether another peer uses this system id at the same time."""
        at_s = self._collided_at_s
        return at_s is not None and now_s - at_s < 2 * self.timeouts.stale_s

    def take(self, message: Message, peer: Peer, now_s: float) -> None:
        """One message with this drone's system id has come from ``peer``."""
        if self.component_id not in (0, message.get_srcComponent()):
            return
        if self.mute:
            if peer != self.peer:  # otherwise its last words, come late
                self._expose(peer, now_s)
            return
        if peer != self.peer and not self._moves_to(peer, message, now_s):
            return
        self._look_for_rival(now_s)
        self.heard_at_s = now_s
        for answers in self._expected:
            answers.offer(message)
        for listener in self._listeners:
            listener(message)

    def _moves_to(self, peer: Peer, message: Message, now_s: float) -> bool:
        """Accept a new address, unless the old one is still alive."""
        if self.age_s(now_s) <= self.timeouts.stale_s:
            self._rival, self._rival_at_s, self._rival_spoke = peer, now_s, True
            return False
        if message.get_msgId() != mav.MAVLINK_MSG_ID_HEARTBEAT:
            return False
        log.info("drone %d speaks from %s:%d", self.system_id, *peer)
        self.peer, self._rival, self._rival_spoke = peer, None, False
        return True

    def _look_for_rival(self, now_s: float) -> None:
        """Two addresses that take turns are two drones, not one whose port has changed."""
        spoke, self._rival_spoke = self._rival_spoke, False
        if self._rival is None or not spoke or now_s - self._rival_at_s > self.timeouts.stale_s:
            return
        self._expose(self._rival, now_s)

    def _expose(self, rival: Peer, now_s: float) -> None:
        """Say loudly that somebody else uses this drone's id."""
        if not self.collides(now_s):
            log.error(
                "two drones use system id %d: %s is heard, %s is not; "
                "give one of them another SYSID_THISMAV",
                self.system_id,
                "none, for it sleeps" if self.mute else self.peer,
                rival,
            )
        self._collided_at_s = now_s


class MavlinkLink:
    """One port for many drones: a parser for each peer, a line for each system id.

    The drones speak first; their addresses are learnt from what they send. Our heartbeat comes
    from the loop that plans, so that a dispatcher that hangs trips the drones' own failsafes.

    Args:
        signing: None = frames are neither signed nor need to be.
    """

    def __init__(
        self,
        datagrams: Datagrams,
        config: LinkConfig | None = None,
        *,
        signing: Signing | None = None,
    ) -> None:
        self._datagrams = datagrams
        self._config = config or LinkConfig()
        self._signing = signing
        self._parsers: dict[Peer, Parser] = {}
        self._lines: dict[int, Line] = {}
        self._strangers: set[int] = set()
        self._someone = asyncio.Event()
        datagrams.receive(self._received)

    @property
    def timeouts(self) -> Timeouts:
        """All timeouts of this link."""
        return self._config.timeouts

    @property
    def garbage(self) -> int:
        """How many pieces of bytes were not MAVLink."""
        return sum(parser.garbage for parser in self._parsers.values())

    def line(self, system_id: int, component_id: int = 1) -> Line:
        """The line of a drone that is ours; ValueError where the system id is taken."""
        if system_id in self._lines or system_id == self._config.system_id:
            raise ValueError(f"system id {system_id} is already in use on this link")
        self._lines[system_id] = Line(system_id, component_id, self._config, self._signing)
        return self._lines[system_id]

    def send(self, line: Line, message: Message) -> None:
        """Send a message to one drone.

        Raises:
            LinkLost: it has never been heard, so nobody knows where it is.
        """
        if line.peer is None:
            raise LinkLost(f"drone with system id {line.system_id} has not been heard yet")
        self._datagrams.send(line.pack(message), line.peer)

    async def run(self) -> None:
        """Keep the port and send our heartbeats; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._datagrams.run(), name="mavlink.port")
            group.create_task(self._beat(), name="mavlink.heartbeat")

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            awake = [line for line in self._lines.values() if self._awake(line, loop.time())]
            for line in awake:
                self.send(line, _heartbeat())
            if not awake:
                self._someone.clear()
                await self._someone.wait()
                continue
            await asyncio.sleep(self.timeouts.heartbeat_s)

    def _awake(self, line: Line, now_s: float) -> bool:
        return line.wanted and line.age_s(now_s) < self.timeouts.lost_s

    def _received(self, data: bytes, peer: Peer) -> None:
        now_s = asyncio.get_running_loop().time()
        parser = self._parsers.get(peer) or self._parser(peer)
        for message in parser.messages(data):
            line = self._lines.get(message.get_srcSystem())
            if line is not None:
                line.take(message, peer, now_s)
                self._someone.set()
            elif message.get_msgId() == mav.MAVLINK_MSG_ID_HEARTBEAT:
                self._stranger(message, peer)

    def _parser(self, peer: Peer) -> Parser:
        parser = self._parsers.get(peer)
        if parser is None:
            if len(self._parsers) >= _PEERS_KEPT:
                self._parsers.pop(next(iter(self._parsers)))
            parser = self._parsers[peer] = Parser(self._signing.admits if self._signing else None)
        return parser

    def _stranger(self, heartbeat: Message, peer: Peer) -> None:
        system_id = heartbeat.get_srcSystem()
        if system_id not in self._strangers:
            self._strangers.add(system_id)
            log.info("system id %d at %s:%d is none of our drones", system_id, *peer)


def _heartbeat() -> Message:
    return mav.MAVLink_heartbeat_message(
        type=mav.MAV_TYPE_GCS,
        autopilot=mav.MAV_AUTOPILOT_INVALID,
        base_mode=0,
        custom_mode=0,
        system_status=mav.MAV_STATE_ACTIVE,
        mavlink_version=3,
    )
