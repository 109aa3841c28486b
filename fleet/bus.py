"""Messages by topic: over a real MQTT broker, or within this process with the same rules.

Handlers are plain functions that never raise: whoever subscribes logs and counts what it cannot
read. Each message reaches its handlers in a later step of the loop, first in, first out.
"""

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import aiomqtt

log = logging.getLogger(__name__)

Handler = Callable[[str, bytes], None]

_ROUTES_KEPT = 50_000


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter with ``+`` and ``#`` covers ``topic``.

    Source: MQTT 3.1.1, section 4.7.
    """
    if "+" not in pattern and "#" not in pattern:
        return pattern == topic
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for index, word in enumerate(wanted):
        if word == "#":
            return True
        if index == len(given) or word not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


@dataclass(slots=True, eq=False)
class Subscription:
    """One handler's interest in a topic filter, until `close`."""

    pattern: str
    handler: Handler
    _on_close: Callable[["Subscription"], None]
    closed: bool = False

    def close(self) -> None:
        """End it; nothing is delivered any more, not even what is already under way."""
        if not self.closed:
            self.closed = True
            self._on_close(self)

    def deliver(self, topic: str, payload: bytes) -> None:
        """Hand one message to the handler."""
        if not self.closed:
            self.handler(topic, payload)


class Bus(Protocol):
    """Where vehicles, machines and we publish and subscribe."""

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


@dataclass(slots=True)
class _Routes:
    """All subscriptions of one bus, and which of them each topic goes to."""

    subscriptions: list[Subscription] = field(default_factory=list[Subscription])
    _known: dict[str, tuple[Subscription, ...]] = field(
        default_factory=dict[str, tuple[Subscription, ...]]
    )

    def add(self, pattern: str, handler: Handler) -> Subscription:
        subscription = Subscription(pattern, handler, self._remove)
        self.subscriptions.append(subscription)
        self._known.clear()
        return subscription

    def patterns(self) -> dict[str, None]:
        return dict.fromkeys(subscription.pattern for subscription in self.subscriptions)

    def _remove(self, subscription: Subscription) -> None:
        self.subscriptions.remove(subscription)
        self._known.clear()

    def dispatch(self, topic: str, payload: bytes) -> None:
        loop = asyncio.get_running_loop()
        for subscription in self._to(topic):
            loop.call_soon(subscription.deliver, topic, payload)

    def _to(self, topic: str) -> tuple[Subscription, ...]:
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= _ROUTES_KEPT:
                self._known.clear()
            found = tuple(s for s in self.subscriptions if matches(s.pattern, topic))
            self._known[topic] = found
        return found


class MemoryBus:
    """A bus within this process: no broker, no loss, and the same order in every run."""

    def __init__(self) -> None:
        self._routes = _Routes()
        self._retained: dict[str, bytes] = {}

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
    """A bus over an MQTT 3.1.1 broker, which comes back by itself when the broker does.

    While the broker is away up to ``queue_limit`` messages wait; after that the oldest are
    dropped and counted in ``dropped``.

    Args:
        rng: jitter of the waiting times between attempts to connect.
        backoff_s: first and longest such waiting time.
        tls: context for a broker that wants TLS.
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
        self._will = will
        self._keepalive_s, self._timeout_s, self._backoff_s = keepalive_s, timeout_s, backoff_s
        self._queue_limit = queue_limit
        self._rng = rng or random.Random(f"{host}:{port}:{client_id}")
        self._routes = _Routes()
        self._outgoing: deque[_Letter] = deque()
        self._to_subscribe: dict[str, None] = {}
        self._held: dict[str, None] = {}
        self._retained: dict[str, _Letter] = {}
        self._work = asyncio.Event()
        self._online = asyncio.Event()
        self.dropped = 0
        self.connects = 0

    @property
    def online(self) -> bool:
        """Whether the broker answers now."""
        return self._online.is_set()

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
        self._work.set()
        return subscription

    async def run(self) -> None:
        """Connect, and connect again after each loss, with growing waits in between."""
        failures = 0
        while True:
            connects = self.connects
            try:
                await self._session()
            except* aiomqtt.MqttError as lost:
                log.warning("%s: no connection: %s", self._where, lost.exceptions[0])
            finally:
                self._online.clear()
            failures = 0 if self.connects > connects else failures + 1
            await asyncio.sleep(self._wait_s(failures))

    def _wait_s(self, failures: int) -> float:
        first_s, longest_s = self._backoff_s
        return min(longest_s, first_s * 2 ** min(failures, 20)) * self._rng.uniform(0.5, 1.0)

    async def _session(self) -> None:
        async with self._client() as client:
            self.connects += 1
            self._held.clear()
            self._to_subscribe = self._routes.patterns()
            await self._settle(client)
            await self._remind(client)
            self._online.set()
            log.info("%s: connected", self._where)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(client), name=f"mqtt[{self._where}].read")
                group.create_task(self._write(client), name=f"mqtt[{self._where}].write")

    async def _remind(self, client: aiomqtt.Client) -> None:
        """After a reconnection: our retained messages once more.

        The broker may have lost them in its own restart, or put our last will in their place.
        """
        if self.connects == 1:
            return
        waiting = {letter.topic for letter in self._outgoing if letter.retain}
        for letter in [kept for kept in self._retained.values() if kept.topic not in waiting]:
            await client.publish(letter.topic, letter.payload, letter.qos, letter.retain)

    def _client(self) -> aiomqtt.Client:
        will = self._will
        return aiomqtt.Client(
            self._host,
            self._port,
            identifier=self._client_id,
            username=self._username,
            password=self._password,
            tls_context=self._tls,
            will=will and aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            keepalive=self._keepalive_s,
            timeout=self._timeout_s,
            max_queued_incoming_messages=self._queue_limit,
        )

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self._routes.dispatch(message.topic.value, message.payload)

    async def _write(self, client: aiomqtt.Client) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            await self._settle(client)
            while self._outgoing:
                letter = self._outgoing.popleft()
                try:
                    await client.publish(letter.topic, letter.payload, letter.qos, letter.retain)
                except (aiomqtt.MqttError, asyncio.CancelledError):
                    self._outgoing.appendleft(letter)
                    raise

    async def _settle(self, client: aiomqtt.Client) -> None:
        """Tell the broker what we now want to hear, and what no longer.

        A filter that is wanted once more is asked for again: that brings its retained messages.
        """
        while self._to_subscribe:
            pattern, _ = self._to_subscribe.popitem()
            self._held[pattern] = None
            await client.subscribe(pattern, qos=1)
        wanted = self._routes.patterns()
        for pattern in [held for held in self._held if held not in wanted]:
            del self._held[pattern]
            await client.unsubscribe(pattern)
