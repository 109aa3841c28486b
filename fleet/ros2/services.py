"""ROS services and actions over DDS, as rmw_cyclonedds carries them.

A request begins with the client's number and its own, and the reply repeats both. Endpoints say
in USER_DATA whose they are, which other middlewares don't: that is how those are told apart.

Source: rmw_cyclonedds_cpp, ``rmw_node.cpp``: ``cdds_request_header_t``, ``rmw_init_cs``.
"""

import asyncio
import itertools
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from cyclonedds.core import Policy, Qos

from fleet.errors import LinkError, LinkTimeout
from fleet.ros2.dds import LATCHED, VOLATILE, DdsNode, marked
from fleet.ros2.messages import CancelReply, CancelRequest, GoalStatusArray
from fleet.ros2.nav2_messages import ActionTypes


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


class Client:
    """Asks one service of a full name; heard by no one, it asks nothing."""

    def __init__(self, node: DdsNode, name: str, request: type[Any], reply: type[Any]) -> None:
        self._name = name
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        qos = marked(VOLATILE, f"clientid={_unique_id()};")
        node.on_close(self.give_up)
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
        """There will be no more answers: who waits for one gets a LinkError."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkError(f"{self._name} is closed"))

    def _on_reply(self, reply: Asked) -> None:
        """All clients of a service hear all replies."""
        answer = self._waiting.get(reply.seq) if reply.guid == self._guid else None
        if answer is not None and not answer.done():
            answer.set_result(reply)


class Service:
    """Answers requests: calls ``asked`` with each, and with a function that answers it some day."""

    def __init__(
        self,
        node: DdsNode,
        name: str,
        request: type[Any],
        reply: type[Any],
        asked: Callable[[Any, Callable[[Any], None]], None],
    ) -> None:
        qos = marked(VOLATILE, f"serviceid={_unique_id()};")
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
        node: DdsNode,
        namespace: str,
        types: ActionTypes,
        *,
        on_feedback: Callable[[Any], None],
        on_status: Callable[[GoalStatusArray], None],
    ) -> None:
        name = f"{namespace}/{types.name}/_action"
        self.types = types
        self.send_goal = Client(node, f"{name}/send_goal", types.goal_request, types.goal_reply)
        self.get_result = Client(
            node, f"{name}/get_result", types.result_request, types.result_reply
        )
        self.cancel_goal = Client(node, f"{name}/cancel_goal", CancelRequest, CancelReply)
        node.hear(f"rt{name}/feedback", types.feedback, on_feedback, qos=VOLATILE)
        node.hear(f"rt{name}/status", GoalStatusArray, on_status, qos=LATCHED)

    def served(self) -> Served:
        """Whether all three of its services are there."""
        found = {c.served() for c in (self.send_goal, self.get_result, self.cancel_goal)}
        for word in (Served.FOREIGN, Served.NO, Served.TWICE):
            if word in found:
                return word
        return Served.YES


def _unique_id() -> str:
    """As rmw_cyclonedds writes the ids of clients and services: 16 bytes in hex, with dots."""
    return ".".join(f"{byte:x}" for byte in uuid.uuid4().bytes)


def _key_of(qos: Qos, key: str) -> str | None:
    """One value of ``key=value;...`` in USER_DATA."""
    said = qos[Policy.Userdata]
    if said is None:
        return None
    text = bytes(said.data).decode("ascii", errors="replace")
    pairs = (part.partition("=") for part in text.split(";"))
    return next((value for name, _, value in pairs if name == key), None)
