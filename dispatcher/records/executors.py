"""Where work goes that must not run in the event loop: a thread, or in line under a fast clock."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any, ParamSpec, TypeVar

from routing.solving import solver
from routing.survey import planner

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_S = 2.0
"""Who waits longer than this is told what for."""
COMPILING = "compiling the planner, once on this machine; takes about a minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """Where work goes that must not hold up the loop."""

    solver: Executor
    """A process: the solver keeps the interpreter busy."""


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


def solver_process() -> ProcessPoolExecutor:
    """A process of its own for the solver, which keeps the interpreter busy.

    It shares none of our sockets, and it ends when we do, even when we are killed.
    """
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


async def offload(executor: Executor, work: Callable[..., T], *args: Any) -> T:
    """Have ``work(*args)`` done by ``executor``; returns or raises what it does.

    Work done in line costs no turn of the loop.
    """
    future = executor.submit(work, *args)
    if future.done():
        return future.result()
    return await asyncio.wrap_future(future)


def warm_up(
    tell: Callable[[str], None], *elsewhere: Executor, patience_s: float = PATIENCE_S
) -> None:
    """Have the planner compiled, or read from the cache, before it is needed; blocks so long.

    Args:
        tell: called with a word to the user, from another thread, if it takes long.
        elsewhere: where it is needed besides this process: these come first, and fill the cache.
    """
    word = threading.Timer(patience_s, tell, (COMPILING,))
    word.daemon = True
    word.start()
    try:
        for executor in elsewhere:
            executor.submit(solver.warm_up).result()
            executor.submit(planner.warm_up).result()
        solver.warm_up()
        planner.warm_up()
    finally:
        word.cancel()
