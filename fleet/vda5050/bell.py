"""Something to wait for: it rings, and all who wait at that moment go on."""

import asyncio
import math


class Bell:
    """Wakes its waiters; ringing while nobody waits is remembered by no one but `Bell.rung`."""

    def __init__(self) -> None:
        self.rung = 0
        """How often it has rung."""
        self._waiters: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Wake all waiters."""
        self.rung += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            _settle(waiter)

    async def wait(self, since: int, until_s: float | None = None) -> None:
        """Return once it has rung more than ``since`` times, or just after loop second ``until_s``.

        Loops round their timers; the next whole millisecond is surely not before ``until_s``.
        """
        if self.rung > since:
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        timer = None
        if until_s is not None:
            timer = loop.call_at((math.floor(until_s * 1000) + 1) / 1000, _settle, waiter)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
