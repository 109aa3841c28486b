"""Where work goes that must not run in the event loop: a thread, or in line under a fast clock."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(Executor):
    """Does the work at once, in the caller's thread.

    For event loops whose clock jumps: they would leap over a thread's work.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call ``fn`` now; the future is done when this returns."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands errors on, whatever they are
            future.set_exception(error)
        return future


async def offload(executor: Executor, work: Callable[..., T], *args: Any) -> T:
    """Have ``work(*args)`` done by ``executor``; returns or raises what it does.

    Work done in line costs no turn of the loop.
    """
    future = executor.submit(work, *args)
    if future.done():
        return future.result()
    return await asyncio.wrap_future(future)
