"""A vehicle's radio link: slow, leaky and out of order while a fault makes it so."""

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal

from fleet.bus import Bus, Handler, Subscription
from fleet.mavlink.datagrams import Datagrams, Peer, Receiver
from sim.world.signal import Signal

log = logging.getLogger(__name__)

HELD_BACK_S = 2.0
"""How long a message is held back that others overtake."""
LINE_MOST = 10_000
"""So many messages may be under way; any more get lost."""
_SOON_S = 1e-6

Way = Literal["up", "down"]
Delivery = Callable[[], Awaitable[None]]


class Radio:
    """Carries one vehicle's messages both ways; without a fault it hands them on at once.

    Args:
        chance: of this link alone.
    """

    def __init__(self, chance: random.Random) -> None:
        self.loss = 0.0
        """Share of the messages that get lost, but for those that the protocol repeats."""
        self.delay_s = 0.0
        """Of each message."""
        self.reorder = 0.0
        """Share of the messages that others overtake."""
        self.lost = 0
        self._chance = chance
        self._line: list[tuple[float, int, Way, Delivery]] = []
        self._last_s: dict[Way, float] = {"up": 0.0, "down": 0.0}
        self._sent = 0
        self._news = Signal()

    def clear(self, way: Way) -> bool:
        """Whether messages pass at once: nothing is wrong, and none is under way before them."""
        if self.loss or self.delay_s or self.reorder:
            return False
        return not self._line or all(one[2] != way for one in self._line)

    def send(self, way: Way, delivery: Delivery, *, sure: bool = False) -> None:
        """Take a message on its way.

        Args:
            sure: the protocol repeats it until it has come through, so it can't get lost.
        """
        lost, held_back = self._chance.random(), self._chance.random()
        if (lost < self.loss and not sure) or len(self._line) >= LINE_MOST:
            self.lost += 1
            return
        due_s = asyncio.get_running_loop().time() + self.delay_s
        if held_back < self.reorder:
            due_s += HELD_BACK_S
        else:
            due_s = self._last_s[way] = max(due_s, self._last_s[way])
        self._sent += 1
        heapq.heappush(self._line, (due_s, self._sent, way, delivery))
        self._news.fire()

    async def run(self) -> None:
        """Deliver what is due; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            wait_s = self._line[0][0] - loop.time() if self._line else None
            if wait_s is None or wait_s > _SOON_S:
                await self._news.wait(wait_s)
            else:
                await heapq.heappop(self._line)[3]()


class RadioBus:
    """A robot's end of the bus, over its radio.

    MQTT runs over TCP: what is sent with quality of service 1 comes late, but comes.
    """

    def __init__(self, bus: Bus, radio: Radio) -> None:
        self._bus, self._radio = bus, radio

    @property
    def online(self) -> bool:
        """Whether the bus is; the radio is another matter."""
        return self._bus.online

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send a message up."""
        if self._radio.clear("up"):
            await self._bus.publish(topic, payload, qos=qos, retain=retain)
        else:
            send = partial(self._bus.publish, topic, payload, qos=qos, retain=retain)
            self._radio.send("up", send, sure=qos > 0)

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Have ``handler(topic, payload)`` called for each message that comes down."""

        def take(topic: str, payload: bytes) -> None:
            if self._radio.clear("down"):
                handler(topic, payload)
            else:
                self._radio.send("down", partial(hand_over, topic, payload))

        async def hand_over(topic: str, payload: bytes) -> None:
            if not subscription.closed:
                handler(topic, payload)

        subscription = self._bus.subscribe(pattern, take)
        return subscription

    async def run(self) -> None:
        """Wait for ever: the connection is kept by whoever owns the bus."""
        await asyncio.get_running_loop().create_future()


class RadioDatagrams:
    """A drone's port, over its radio."""

    def __init__(self, port: Datagrams, radio: Radio) -> None:
        self._port, self._radio = port, radio

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each datagram that comes through."""

        def take(data: bytes, peer: Peer) -> None:
            if self._radio.clear("down"):
                receiver(data, peer)
            else:
                self._radio.send("down", partial(hand_over, data, peer))

        async def hand_over(data: bytes, peer: Peer) -> None:
            receiver(data, peer)

        self._port.receive(take)

    def send(self, data: bytes, peer: Peer) -> None:
        """Send a datagram up."""

        async def pass_on() -> None:
            self._port.send(data, peer)

        if self._radio.clear("up"):
            self._port.send(data, peer)
        else:
            self._radio.send("up", pass_on)

    async def run(self) -> None:
        """Keep the port open; runs until cancelled."""
        await self._port.run()
