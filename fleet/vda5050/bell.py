"""Something to wait for: it rings, and all who wait at that moment go on."""

import asyncio
import math


class Bell:
    """Wakes its waiters; ringing while nobody waits is remembered by no one but `Bell.rung`."""

    def __init__(self) -> None:
        self.rung = 0
        """How often it has rung."""
        self._waiters: dict[asyncio.Future[None], float] = {}
        """Each with the loop second when it goes on in any case."""
        self._alarm: asyncio.TimerHandle | None = None
        """One for all of them: that it goes off too early costs less than to set it each time."""
        self._alarm_s = math.inf

    def ring(self) -> None:
        """Wake all waiters."""
        self.rung += 1
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            _settle(waiter)

    async def wait(self, since: int, until_s: float | None = None) -> None:
        """Return once it has rung more than ``since`` times, or just after loop second ``until_s``.

        Loops round their timers; the next whole millisecond is surely not before ``until_s``.
        """
        if self.rung > since:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due_s = math.inf if until_s is None else (math.floor(until_s * 1000) + 1) / 1000
        self._waiters[waiter] = due_s
        if due_s < self._alarm_s:
            self._set_alarm(due_s)
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)

    def _set_alarm(self, at_s: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_s = at_s
        self._alarm = asyncio.get_running_loop().call_at(at_s, self._go_off)

    def _go_off(self) -> None:
        """Wake who is due, and set it for who will be next."""
        now_s, next_s = self._alarm_s, math.inf
        self._alarm, self._alarm_s = None, math.inf
        for waiter, due_s in self._waiters.items():
            if due_s <= now_s:
                _settle(waiter)
            else:
                next_s = min(next_s, due_s)
        if next_s < math.inf:
            self._set_alarm(next_s)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
