"""ROS topics, services and actions over DDS, as rmw_cyclonedds speaks them, for one event loop.

DDS calls from threads of its own. They only ring; what came is taken in the loop, from the
reader's own history, which is the bounded queue. Writing to a reliable topic may hold the loop for
`LONGEST_WRITE_S`, if a reader does not keep up.

Source: rmw_cyclonedds_cpp, ``rmw_node.cpp``: names, request header, ``clientid`` and
``serviceid`` in USER_DATA. Listeners that are attached when Python ends crash it (observed with
cyclonedds 11.0.1), so `DdsNode.close` takes them off first.
"""

import asyncio
import itertools
import logging
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from cyclonedds.core import DDSException, Listener, Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from fleet.errors import LinkError, LinkTimeout
from fleet.ros2.messages import ActionTypes, CancelReply, CancelRequest, GoalStatusArray
from fleet.ros2.type_hash import type_hash

log = logging.getLogger(__name__)

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


class Served(StrEnum):
    """Whether somebody serves a service."""

    NO = "no"
    YES = "yes"
    FOREIGN = "foreign"
    """By another middleware, which would not understand our requests, or choke on them."""
    TWICE = "twice"
    """By two at once; or by one who has died lately, and by who came in its place."""


class Asked(Protocol):
    """Every request and reply begins so."""

    guid: int
    seq: int


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


class Client:
    """Asks one service; see `DdsNode.client`."""

    def __init__(self, node: "DdsNode", name: str, request: type[Any], reply: type[Any]) -> None:
        self._name = name
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        qos = _marked(VOLATILE, f"clientid={_unique_id()};")
        self._ear = node.hear(f"rr{name}Reply", reply, self._on_reply, qos=qos)
        self._mouth = node.say(f"rq{name}Request", request, qos=qos)
        self._guid = self._mouth.writer.get_instance_handle() % 2**64  # it comes signed
        self._marks: dict[int, str | None] = {}

    def served(self) -> Served:
        """Whether somebody serves it, and whether it speaks as we do.

        A pair of endpoints without ``serviceid`` is no rmw_cyclonedds.
        """
        reader, writer = self._ear.reader, self._mouth.writer
        replies = {
            self._mark(handle, reader.get_matched_publication_data)
            for handle in reader.get_matched_publications()
        }
        requests = {
            self._mark(handle, writer.get_matched_subscription_data)
            for handle in writer.get_matched_subscriptions()
        }
        if None in replies or None in requests:
            return Served.FOREIGN
        served_by = replies & requests
        if len(served_by) > 1:
            return Served.TWICE
        return Served.YES if served_by else Served.NO

    def _mark(self, handle: int, look: Callable[[int], Any]) -> str | None:
        """The ``serviceid`` of a matched endpoint; None = it has none. Looked up once."""
        if handle not in self._marks:
            if len(self._marks) > 100:
                self._marks.clear()
            endpoint = look(handle)
            if endpoint is None:
                return ""
            self._marks[handle] = _key_of(endpoint.qos, "serviceid")
        return self._marks[handle]

    async def ask(self, request: Any, timeout_s: float | None) -> Any:
        """Ask, and wait for the answer.

        Raises:
            LinkTimeout: there was none in time; None = wait for ever.
            LinkError: nobody could be asked, or only a middleware that would not understand.
        """
        served = self.served()
        if served in (Served.NO, Served.FOREIGN):
            what = "is not served" if served is Served.NO else "is not served by rmw_cyclonedds"
            raise LinkError(f"{self._name} {what}")
        number = next(self._numbers)
        request.guid, request.seq = self._guid, number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._mouth.say(request)
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise LinkTimeout(f"{self._name} does not answer") from None
        finally:
            del self._waiting[number]

    def give_up(self) -> None:
        """The node closes: there will be no more answers."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkError(f"{self._name} is closed"))

    def _on_reply(self, reply: Asked) -> None:
        """All clients of a service hear all replies."""
        answer = self._waiting.get(reply.seq) if reply.guid == self._guid else None
        if answer is not None and not answer.done():
            answer.set_result(reply)


class Service:
    """Answers requests; see `DdsNode.serve`. Request and answer may lie far apart."""

    def __init__(
        self,
        node: "DdsNode",
        name: str,
        request: type[Any],
        reply: type[Any],
        asked: Callable[[Any, Callable[[Any], None]], None],
    ) -> None:
        qos = _marked(VOLATILE, f"serviceid={_unique_id()};")
        self._asked = asked
        self._mouth = node.say(f"rr{name}Reply", reply, qos=qos)
        self._ear = node.hear(f"rq{name}Request", request, self._on_request, qos=qos)

    def _on_request(self, request: Asked) -> None:
        guid, number = request.guid, request.seq

        def answer(reply: Asked) -> None:
            reply.guid, reply.seq = guid, number
            self._mouth.say(reply)

        self._asked(request, answer)


class ActionClient:
    """The five topics of one action, from the side of who sends goals."""

    def __init__(
        self,
        node: "DdsNode",
        namespace: str,
        types: ActionTypes,
        *,
        on_feedback: Callable[[Any], None],
        on_status: Callable[[GoalStatusArray], None],
    ) -> None:
        name = f"{namespace}/{types.name}/_action"
        self.types = types
        self.send_goal = node.client(f"{name}/send_goal", types.goal_request, types.goal_reply)
        self.get_result = node.client(
            f"{name}/get_result", types.result_request, types.result_reply
        )
        self.cancel_goal = node.client(f"{name}/cancel_goal", CancelRequest, CancelReply)
        node.hear(f"rt{name}/feedback", types.feedback, on_feedback, qos=VOLATILE)
        node.hear(f"rt{name}/status", GoalStatusArray, on_status, qos=LATCHED)

    def served(self) -> Served:
        """Whether all three of its services are there."""
        found = {c.served() for c in (self.send_goal, self.get_result, self.cancel_goal)}
        for word in (Served.FOREIGN, Served.NO, Served.TWICE):
            if word in found:
                return word
        return Served.YES


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
        self._clients: list[Client] = []

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

    def client(self, name: str, request: type[Any], reply: type[Any]) -> Client:
        """A client of the service of that full name."""
        client = Client(self, name, request, reply)
        self._clients.append(client)
        return client

    def serve(
        self,
        name: str,
        request: type[Any],
        reply: type[Any],
        asked: Callable[[Any, Callable[[Any], None]], None],
    ) -> Service:
        """Have ``asked`` called with each request, and with a function that answers it."""
        return Service(self, name, request, reply, asked)

    async def close(self) -> None:
        """Leave, listeners first; who still waits for an answer gets a LinkError."""
        for client in self._clients:
            client.give_up()
        for ear in self._ears:
            ear.close()
        held = [*self._ears, *self._mouths]
        self._ears, self._mouths, self._clients = [], [], []
        del self._participant
        await asyncio.to_thread(_release, held)
        await self._participants.leave(self._domain_id)


def _release(held: list[Ear | Mouth]) -> None:
    """Let go of readers and writers in this thread: DDS says goodbye for each, which takes time."""
    for one in held:
        one.release()


def _unique_id() -> str:
    """As rmw_cyclonedds writes the ids of clients and services: 16 bytes in hex, with dots."""
    return ".".join(f"{byte:x}" for byte in uuid.uuid4().bytes)


def _marked(qos: Qos, user_data: str) -> Qos:
    return Qos(*(p for p in qos if not isinstance(p, Policy.Userdata)), _data(user_data))


def _hashed(qos: Qos, kind: type[Any]) -> Qos:
    """With the hash of a topic's type; services keep what marks them."""
    if Policy.Userdata in qos or hasattr(kind, "guid"):
        return qos
    return _marked(qos, f"typehash={type_hash(kind)};")


def _data(text: str) -> Policy.Userdata:
    return Policy.Userdata(text.encode())


def _key_of(qos: Qos, key: str) -> str | None:
    """One value of ``key=value;...`` in USER_DATA."""
    said = qos[Policy.Userdata]
    if said is None:
        return None
    text = bytes(said.data).decode("ascii", errors="replace")
    pairs = (part.partition("=") for part in text.split(";"))
    return next((value for name, _, value in pairs if name == key), None)
