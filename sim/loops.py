"""Event loops whose clock jumps to the next timer, or runs N times as fast as the wall's.

Production code asks its loop for the time and never learns which loop it is in.
"""

import asyncio
import heapq
import math
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualDeadlock(RuntimeError):
    """Every task waits for another, and no timer is left that could bring anything about."""


class _Selector(selectors.SelectSelector):
    """Asks its loop how to spend the time until the next timer."""

    sleep: Callable[[float | None], float | None]

    skip = 0
    """How many looks at the sockets may be left out between two."""
    _left_out = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        sleep_s = self.sleep(timeout)
        if self._left_out < self.skip:
            self._left_out += 1
            return []
        self._left_out = 0
        return super().select(sleep_s)


class _Timer(asyncio.TimerHandle):
    """A timer that comes after all older ones of the same moment."""

    turn: tuple[float, int]
    """When, and as which of that moment."""

    def __lt__(self, other: "_Timer") -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.turn < other.turn


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock starts at 0 and jumps from timer to timer.

    An hour passes as fast as the processor allows. Timers of one moment run first in, first out,
    and moments are whole microseconds, rounded up, so that equal ones are equal. Sockets are looked
    at now and then, never waited for. Work for threads would be leapt over: hand in executors that
    run in line.
    """

    def __init__(self) -> None:
        selector = _Selector()
        selector.sleep = self._jump
        selector.skip = 50
        super().__init__(selector)
        self._now_s = 0.0
        self._timers = 0
        self._scheduled: list[asyncio.TimerHandle]

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule ``callback`` for a virtual moment."""
        when = math.ceil(when * 1e6 - 1e-3) / 1e6
        timer = _Timer(when, callback, args, self, context)
        self._timers += 1
        timer.turn = when, self._timers
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # pyright: ignore[reportAttributeAccessIssue]
        return timer

    def _jump(self, timeout: float | None) -> float:
        if timeout is None:
            raise VirtualDeadlock("nothing is left to happen: every task waits for another")
        if timeout > 0:
            self._now_s = max(self._now_s, self._scheduled[0].when())
        return 0


class ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs ``speed`` times as fast as the wall's."""

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._speed = speed
        self._start_s = time.monotonic()
        selector = _Selector()
        selector.sleep = lambda timeout: timeout if timeout is None else timeout / speed
        super().__init__(selector)

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
