"""ROS topics over DDS, for one event loop; `fleet.ros2.services` builds on them.

DDS calls from threads of its own. They only ring; what came is taken in the loop, from the
reader's own history, which is the bounded queue. Writing to a reliable topic may hold the loop for
`LONGEST_WRITE_S`, if a reader does not keep up. Listeners that are attached when Python ends crash
it (observed with cyclonedds 11.0.1), so `DdsNode.close` takes them off first.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from cyclonedds.core import DDSException, Listener, Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from fleet.errors import LinkError
from fleet.ros2.type_hash import type_hash

LONGEST_WRITE_S = 0.05
_DEPTH = 64
_CDR = Policy.DataRepresentation(use_cdrv0_representation=True)
_RELIABLE = Policy.Reliability.Reliable(duration(seconds=LONGEST_WRITE_S))

VOLATILE = Qos(_RELIABLE, Policy.Durability.Volatile, Policy.History.KeepLast(_DEPTH), _CDR)
"""Reliable, for those who are there: feedback, requests and replies."""
LATCHED = Qos(_RELIABLE, Policy.Durability.TransientLocal, Policy.History.KeepLast(1), _CDR)
"""The last word, also for those who come later: AMCL's pose, the status of goals."""
BEST_EFFORT = Qos(
    Policy.Reliability.BestEffort, Policy.Durability.Volatile, Policy.History.KeepLast(8), _CDR
)
"""What fits every publisher, as for batteries."""

M = TypeVar("M")


class Ear:
    """One subscription; see `DdsNode.hear`."""

    def __init__(
        self,
        participant: DomainParticipant,
        topic: Topic[Any],
        qos: Qos,
        heard: Callable[[Any], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard = heard
        self._rung = self._closed = False
        self._listener = Listener(on_data_available=self._ring)
        self.reader = DataReader(participant, topic, qos=qos, listener=self._listener)

    def close(self) -> None:
        """Hear no more."""
        if not self._closed:
            self._closed = True
            self.reader.set_listener(None)

    def release(self) -> None:
        """Delete the reader, once closed."""
        del self.reader

    def _ring(self, _reader: object) -> None:
        """In a thread of DDS."""
        if self._rung or self._closed:
            return
        self._rung = True
        try:
            self._loop.call_soon_threadsafe(self._take)
        except RuntimeError:  # the loop has been closed meanwhile
            self._closed = True

    def _take(self) -> None:
        self._rung = False  # before taking: what comes now rings again
        if self._closed:
            return
        samples = self.reader.take(N=_DEPTH)
        if len(samples) == _DEPTH:
            self._loop.call_soon(self._take)
        for sample in samples:
            if type(sample).__name__ != "InvalidSample" and not self._closed:
                self._heard(sample)


class Mouth:
    """One publisher; see `DdsNode.say`."""

    def __init__(self, participant: DomainParticipant, topic: Topic[Any], qos: Qos) -> None:
        self.writer = DataWriter(participant, topic, qos=qos)

    def say(self, message: Any) -> None:
        """Publish.

        Raises:
            LinkError: DDS would not take it.
        """
        try:
            self.writer.write(message)
        except DDSException as error:
            raise LinkError(f"DDS: {error}") from error

    def release(self) -> None:
        """Delete the writer."""
        del self.writer


class Participants:
    """One participant for each DDS domain, shared by all who are in it; it leaves with the last.

    Interfaces, peers and ports are set by ``CYCLONEDDS_URI``.
    """

    def __init__(self) -> None:
        self._joined: dict[int, tuple[DomainParticipant, int]] = {}
        self._turn = asyncio.Lock()

    async def join(self, domain_id: int) -> DomainParticipant:
        """The participant of a domain, to be left again.

        Raises:
            LinkError: DDS could not be started.
        """
        async with self._turn:
            participant, users = self._joined.get(domain_id, (None, 0))
            if participant is None:
                try:
                    participant = await asyncio.to_thread(DomainParticipant, domain_id)
                except DDSException as error:
                    text = f"DDS domain {domain_id} can't be joined: {error}"
                    raise LinkError(text) from error
            self._joined[domain_id] = participant, users + 1
            return participant

    async def leave(self, domain_id: int) -> None:
        """One of its users is done."""
        async with self._turn:
            participant, users = self._joined.pop(domain_id)
            if users > 1:
                self._joined[domain_id] = participant, users - 1
                return
            last = [participant]
            del participant
            await asyncio.to_thread(last.clear)


class DdsNode:
    """All that one robot's link, or one robot, says and hears in a DDS domain."""

    def __init__(
        self, participants: Participants, domain_id: int, participant: DomainParticipant
    ) -> None:
        self._participants, self._domain_id = participants, domain_id
        self._participant = participant
        self._ears: list[Ear] = []
        self._mouths: list[Mouth] = []
        self._closing: list[Callable[[], None]] = []

    @classmethod
    async def open(cls, domain_id: int, participants: Participants | None = None) -> "DdsNode":
        """Join a domain.

        Raises:
            LinkError: DDS could not be started.
        """
        participants = participants or Participants()
        return cls(participants, domain_id, await participants.join(domain_id))

    def hear(self, topic: str, kind: type[M], heard: Callable[[M], None], *, qos: Qos) -> Ear:
        """Have ``heard`` called in the loop with each message of a mangled topic."""
        ear = Ear(
            self._participant, Topic(self._participant, topic, kind), _hashed(qos, kind), heard
        )
        self._ears.append(ear)
        return ear

    def say(self, topic: str, kind: type[Any], *, qos: Qos) -> Mouth:
        """Open a mangled topic to write to."""
        mouth = Mouth(self._participant, Topic(self._participant, topic, kind), _hashed(qos, kind))
        self._mouths.append(mouth)
        return mouth

    def on_close(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called before all is closed."""
        self._closing.append(listener)

    async def close(self) -> None:
        """Leave the domain, listeners first."""
        for listener in self._closing:
            listener()
        for ear in self._ears:
            ear.close()
        held = [*self._ears, *self._mouths]
        self._ears, self._mouths, self._closing = [], [], []
        del self._participant
        await asyncio.to_thread(_release, held)
        await self._participants.leave(self._domain_id)


def _release(held: list[Ear | Mouth]) -> None:
    """Let go of readers and writers in this thread: DDS says goodbye for each, which takes time."""
    for one in held:
        one.release()


def _hashed(qos: Qos, kind: type[Any]) -> Qos:
    """With the hash of a topic's type; services keep what marks them."""
    if Policy.Userdata in qos or hasattr(kind, "guid"):
        return qos
    return marked(qos, f"typehash={type_hash(kind)};")


def _data(text: str) -> Policy.Userdata:
    return Policy.Userdata(text.encode())


def marked(qos: Qos, user_data: str) -> Qos:
    """With a text in USER_DATA, which all who discover an endpoint can read."""
    return Qos(*(p for p in qos if not isinstance(p, Policy.Userdata)), _data(user_data))
