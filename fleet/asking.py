"""Asking machines for something over the bus, again and again until they have done it."""

import asyncio
import math
from collections.abc import Callable, Sequence

from fleet.bus import Bus

Letter = tuple[str, bytes]
"""A topic and what is said there."""


class Waiters:
    """Those who wait for one machine's next word."""

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []

    def wake(self) -> None:
        """Have all of them look again."""
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], bool], patience_s: float | None) -> bool:
        """Whether ``condition`` came true in time; without ``patience_s``, it will."""
        try:
            async with asyncio.timeout(patience_s):
                while not condition():
                    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._futures.append(future)
                    await future
        except TimeoutError:
            return False
        return True


class Requests:
    """Sends what is wanted when it is new, and again when it has long been without effect.

    Args:
        repeat_s: after so long it is sent again.
    """

    def __init__(self, bus: Bus, repeat_s: float) -> None:
        self._bus, self._repeat_s = bus, repeat_s
        self._sent: dict[Letter, float] = {}

    async def send(self, letters: Sequence[Letter]) -> list[float]:
        """Send those that are due of all that is wanted now; returns in how many seconds each
        is to be looked at again."""
        now_s = asyncio.get_running_loop().time()
        before, self._sent = self._sent, {}
        for letter in letters:
            sent_s = before.get(letter, -math.inf)
            if now_s - sent_s >= self._repeat_s - 0.001:
                sent_s = now_s
            self._sent[letter] = sent_s
        sent = self._sent
        for letter in [letter for letter in letters if before.get(letter) != sent[letter]]:
            await self._bus.publish(*letter, qos=1)
        return [max(0.0, sent_s + self._repeat_s - now_s) for sent_s in sent.values()]
