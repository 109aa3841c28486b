"""Event loops whose clock jumps to the next timer, or runs N times as fast as the wall's.

Production code asks its loop for the time and never learns which loop it is in.
"""

import asyncio
import heapq
import math
import selectors
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

ROUNDS_BETWEEN_LOOKS = 51
"""How often a virtual loop looks at its sockets."""
MOST_CANCELLED = 100
"""More cancelled timers than that are thrown away once they are the half of all."""


class VirtualDeadlock(RuntimeError):
    """Every task waits for another, and no timer is left that could bring anything about."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock starts at 0 and jumps from timer to timer.

    An hour passes as fast as the processor allows. Timers of one moment run first in, first out,
    and moments are whole microseconds, rounded up, so that equal ones are equal. Sockets are looked
    at now and then, never waited for. Work for threads would be leapt over: hand in executors that
    run in line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        """When, and as which of all; tuples are compared without any of our code."""
        self._made = self._cancelled = 0
        self._debug: bool
        self._closed: bool
        self._stopping: bool
        self._ready: deque[asyncio.Handle]
        self._selector: selectors.BaseSelector
        self._process_events: Callable[[list[tuple[selectors.SelectorKey, int]]], None]

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule ``callback`` for the next round."""
        if self._debug or self._closed:
            return super().call_soon(callback, *args, context=context)  # which finds faults
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule ``callback`` for a virtual moment."""
        when = math.ceil(when * 1e6 - 1e-3) / 1e6
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._made += 1
        heapq.heappush(self._timers, (when, self._made, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle._when <= self._now_s:
            return  # it has gone off, or is about to
        self._cancelled += 1
        if self._cancelled > MOST_CANCELLED and 2 * self._cancelled > len(self._timers):
            self._timers[:] = [entry for entry in self._timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def _run_once(self) -> None:
        """Some rounds; each is all that is due, and nothing that this brings about."""
        self._look_at_sockets()
        ready, timers = self._ready, self._timers
        for _ in range(ROUNDS_BETWEEN_LOOKS):
            if not ready:
                self._jump()
            now_s = self._now_s
            while timers and timers[0][0] <= now_s:
                ready.append(heapq.heappop(timers)[2])
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
            if self._stopping:
                return

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if timers:
            self._now_s = max(self._now_s, timers[0][0])
            return
        self._look_at_sockets()
        if not self._ready:
            raise VirtualDeadlock("nothing is left to happen: every task waits for another")

    def _look_at_sockets(self) -> None:
        self._process_events(self._selector.select(0))


class _ScaledSelector(selectors.SelectSelector):
    """Waits for sockets ``speed`` times as short as it is told."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._speed)


class ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs ``speed`` times as fast as the wall's."""

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._speed = speed
        self._start_s = time.monotonic()
        super().__init__(_ScaledSelector(speed))

    def time(self) -> float:
        """Scaled seconds since the loop was made."""
        return (time.monotonic() - self._start_s) * self._speed


def run(main: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop | None = None) -> T:
    """Run ``main`` to its end in ``loop`` (default: a new `VirtualLoop`), then close the loop."""
    with asyncio.Runner(loop_factory=lambda: loop or VirtualLoop()) as runner:
        return runner.run(main)


def stuck_tasks(loop: asyncio.AbstractEventLoop) -> Mapping[str, str]:
    """What each unfinished task of ``loop`` waits at, by task name: for a deadlock's report."""
    found: dict[str, str] = {}
    for task in asyncio.all_tasks(loop):
        frames = task.get_stack(limit=1)
        place = f"{frames[0].f_code.co_qualname}:{frames[0].f_lineno}" if frames else "?"
        found[task.get_name()] = place
    return dict(sorted(found.items()))


class SteppedLoop:
    """A `VirtualLoop` that plain code moves on; between two calls of `run` it stands still.

    It lives in a thread of its own, so the caller may itself be run by another loop, which waits.
    """

    def __init__(self) -> None:
        self._loop: VirtualLoop | None = None
        self._runner = asyncio.Runner(loop_factory=self._make)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stepped-loop")
        self._task: asyncio.Task[Any] | None = None

    def time(self) -> float:
        """Virtual seconds since the first call of `run`."""
        return 0.0 if self._loop is None else self._loop.time()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Let time pass until ``main`` ends; returns or raises what it does."""
        job = self._thread.submit(self._runner.run, self._noted(main))
        try:
            return job.result()
        except KeyboardInterrupt:
            if self._loop is not None and self._task is not None and not job.done():
                self._loop.call_soon_threadsafe(self._task.cancel)
            raise

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        try:
            self._thread.submit(self._runner.close).result()
        finally:
            self._thread.shutdown()

    def _make(self) -> VirtualLoop:
        self._loop = VirtualLoop()
        return self._loop

    async def _noted(self, main: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        return await main
