"""A change that others listen to, or wait for."""

import asyncio
from collections.abc import Callable


class Signal:
    """Says that something has changed."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called at each change."""
        self._listeners.append(listener)

    def fire(self) -> None:
        """Say that something has changed."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            resolve(waiter)
        for listener in self._listeners:
            listener()

    async def wait(self, at_most_s: float | None = None) -> None:
        """Return at the next change, or after ``at_most_s`` at the latest."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(at_most_s, resolve, waiter) if at_most_s else None
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)


def resolve(future: asyncio.Future[None]) -> None:
    """Let go on whoever awaits ``future``, unless that was done before."""
    if not future.done():
        future.set_result(None)
