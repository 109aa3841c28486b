"""Messages by topic: over a real MQTT broker, or within this process with the same rules.

Handlers are plain functions that never raise: whoever subscribes logs and counts what it cannot
read. Each message reaches its handlers in a later step of the loop, first in, first out.
"""

import asyncio
import itertools
import logging
import math
import random
import socket
import ssl
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiomqtt

from fleet.routes import Handler, Routes, Subscription, matches

log = logging.getLogger(__name__)

PROTOCOLS: Final = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}
_AT_ONCE = 200
"""Filters in one packet."""
_REFUSED = 0x80
"""Answers to a subscription from here on mean no; both versions of MQTT."""


class Bus(Protocol):
    """Where vehicles, machines and we publish and subscribe."""

    @property
    def online(self) -> bool:
        """Whether messages come and go now."""
        ...

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message; with ``retain``, later subscribers get it too. Empty = forget it."""
        ...

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Have ``handler(topic, payload)`` called for each message; retained ones come first.

        A message may come twice; a handler must bear that.
        """
        ...

    async def run(self) -> None:
        """Keep the connection; runs until cancelled."""
        ...


class MemoryBus:
    """A bus within this process: no broker, no loss, and the same order in every run."""

    def __init__(self) -> None:
        self._routes = Routes()
        self._retained: dict[str, bytes] = {}

    @property
    def online(self) -> bool:
        """Always."""
        return True

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,  # noqa: ARG002
        retain: bool = False,
    ) -> None:
        """Deliver to all who are subscribed now, in the loop's next step."""
        if retain:
            if payload:
                self._retained[topic] = payload
            else:
                self._retained.pop(topic, None)
        self._routes.dispatch(topic, payload)

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Subscribe; outside a running loop only while nothing is retained under ``pattern``."""
        subscription = self._routes.add(pattern, handler)
        for topic, payload in self._retained.items():
            if matches(pattern, topic):
                asyncio.get_running_loop().call_soon(subscription.deliver, topic, payload)
        return subscription

    async def run(self) -> None:
        """Wait for ever: there is no connection to keep."""
        await asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says in our name when our connection breaks."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    topic: str
    payload: bytes
    qos: int
    retain: bool


class MqttBus:
    """A bus over an MQTT broker, which comes back by itself when the broker does.

    While the broker is away up to ``queue_limit`` messages wait; after that the oldest are
    dropped and counted in ``dropped``.

    Args:
        rng: jitter of the waiting times between attempts to connect.
        backoff_s: first and longest such waiting time.
        tls: context for a broker that wants TLS.
        protocol: version of MQTT, ``3.1.1`` or ``5``.
    """

    def __init__(
        self,
        host: str,
        port: int = 1883,
        *,
        client_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        protocol: str = "3.1.1",
        will: Will | None = None,
        keepalive_s: int = 20,
        timeout_s: float = 10.0,
        backoff_s: tuple[float, float] = (0.5, 30.0),
        queue_limit: int = 10_000,
        rng: random.Random | None = None,
    ) -> None:
        self._where = f"{host}:{port}"
        self._host, self._port = host, port
        self._client_id = client_id
        self._username, self._password, self._tls = username, password, tls
        self._protocol = PROTOCOLS[protocol]
        self._will = will
        self._keepalive_s, self._timeout_s, self._backoff_s = keepalive_s, timeout_s, backoff_s
        self._queue_limit = queue_limit
        self._rng = rng or random.Random(f"{host}:{port}:{client_id}")
        self._routes = Routes(self._drop)
        self._outgoing: deque[_Letter] = deque()
        self._to_subscribe: dict[str, None] = {}
        self._to_drop: dict[str, None] = {}
        self._retained: dict[str, _Letter] = {}
        self._work = asyncio.Event()
        self._online = asyncio.Event()
        self.dropped = 0
        self.connects = 0

    @property
    def online(self) -> bool:
        """Whether the broker answers now."""
        return self._online.is_set()

    @property
    def waiting(self) -> int:
        """How many messages have not been sent yet."""
        return len(self._outgoing)

    async def connected(self) -> None:
        """Wait until the broker has been reached and knows all subscriptions."""
        await self._online.wait()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Put a message in line; returns before it is sent."""
        letter = _Letter(topic=topic, payload=payload, qos=qos, retain=retain)
        if retain:
            self._retained[topic] = letter
        if len(self._outgoing) >= self._queue_limit:
            self._outgoing.popleft()
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                log.warning("%s: %d messages dropped, line is full", self._where, self.dropped)
        self._outgoing.append(letter)
        self._work.set()

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Subscribe now, or as soon as the broker is there, and again after each reconnection."""
        subscription = self._routes.add(pattern, handler)
        self._to_subscribe[pattern] = None
        self._to_drop.pop(pattern, None)
        self._work.set()
        return subscription

    def _drop(self, pattern: str) -> None:
        self._to_subscribe.pop(pattern, None)
        self._to_drop[pattern] = None
        self._work.set()

    async def run(self) -> None:
        """Connect, and connect again after each loss, with growing waits in between."""
        failures = 0
        while True:
            connects = self.connects
            try:
                await self._session()
            except aiomqtt.MqttError as lost:
                log.warning("%s: no connection: %s", self._where, str(lost))
            finally:
                self._online.clear()
            _heed_cancel()
            failures = 0 if self.connects > connects else failures + 1
            await asyncio.sleep(self._wait_s(failures))

    def _wait_s(self, failures: int) -> float:
        first_s, longest_s = self._backoff_s
        return min(longest_s, first_s * 2 ** min(failures, 20)) * self._rng.uniform(0.5, 1.0)

    async def _session(self) -> None:
        async with self._client() as client:
            self.connects += 1
            self._to_subscribe, self._to_drop = dict.fromkeys(self._routes.patterns), {}
            await self._settle(client)
            await self._remind(client)
            _heed_cancel()
            self._online.set()
            log.info("%s: connected", self._where)
            await self._either(_watch(client), self._write(client))

    async def _either(self, *works: Coroutine[Any, Any, None]) -> None:
        """Do both until one of them fails, and raise what it raises."""
        tasks = [asyncio.create_task(work, name=f"mqtt[{self._where}]") for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            errors = [task.exception() for task in tasks if not task.cancelled()]
        for error in filter(None, errors):
            raise error

    async def _remind(self, client: aiomqtt.Client) -> None:
        """After a reconnection: our retained messages once more.

        The broker may have lost them in its own restart, or put our last will in their place.
        """
        if self.connects == 1:
            return
        waiting = {letter.topic for letter in self._outgoing if letter.retain}
        for letter in [kept for kept in self._retained.values() if kept.topic not in waiting]:
            await _send(client, letter)

    def _client(self) -> aiomqtt.Client:
        will = self._will
        return aiomqtt.Client(
            self._host,
            self._port,
            identifier=self._client_id,
            username=self._username,
            password=self._password,
            tls_context=self._tls,
            protocol=self._protocol,
            will=will and aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            keepalive=self._keepalive_s,
            timeout=self._timeout_s,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            queue_type=_straight_to(self._routes.dispatch),
        )

    async def _write(self, client: aiomqtt.Client) -> None:
        while True:
            _heed_cancel()
            await self._work.wait()
            self._work.clear()
            await self._settle(client)
            while self._outgoing:
                letter = self._outgoing.popleft()
                try:
                    await _send(client, letter)
                except (aiomqtt.MqttError, asyncio.CancelledError):
                    self._outgoing.appendleft(letter)
                    raise

    async def _settle(self, client: aiomqtt.Client) -> None:
        """Tell the broker what we now want to hear, and what no longer.

        A filter that is wanted once more is asked for again: that brings its retained messages.
        """
        while self._to_subscribe:
            some = list(itertools.islice(self._to_subscribe, _AT_ONCE))
            for pattern in some:
                del self._to_subscribe[pattern]
            answers = await client.subscribe([(pattern, 1) for pattern in some])
            refused = [p for p, code in zip(some, answers, strict=True) if _refuses(code)]
            if refused:
                what = f"{refused[0]} and {len(refused) - 1} more" if refused[1:] else refused[0]
                log.warning("%s: may not hear %s; see the broker's ACL", self._where, what)
        while self._to_drop:
            some = list(itertools.islice(self._to_drop, _AT_ONCE))
            for pattern in some:
                del self._to_drop[pattern]
            await client.unsubscribe(some)


def _heed_cancel() -> None:
    """End a task that was cancelled while the client waited for an answer that came just then.

    Before Python 3.12 ``asyncio.wait_for`` forgets such a cancellation.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _straight_to(handler: Handler) -> type[asyncio.Queue[aiomqtt.Message]]:
    """A queue that nothing stays in: what is put there goes to ``handler``.

    The client would start a task for each message that is taken from a queue, which costs more
    than all the rest of its way. A message is read from its socket in a step of the loop of its
    own, so what waits to be handled is bounded: the rest waits at the broker.
    """

    class Straight(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            handler(item.topic.value, item.payload)

    return Straight


def _refuses(answer: Any) -> bool:
    """Whether a broker's answer to a subscription means no; in both versions of MQTT."""
    return getattr(answer, "value", answer) >= _REFUSED


async def _send(client: aiomqtt.Client, letter: _Letter) -> None:
    """Send one message. Of QoS 0, it waits until it has left, however long; `_watch` ends that."""
    timeout_s = None if letter.qos else math.inf
    await client.publish(letter.topic, letter.payload, letter.qos, letter.retain, timeout=timeout_s)


async def _watch(client: aiomqtt.Client) -> None:
    """Wait for the end of the connection, which it raises; messages go another way."""
    async for message in client.messages:
        raise AssertionError(f"{message.topic} has gone into a queue")
