"""Timers whose crash ends their owner, instead of being lost in the loop."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


class Alarms:
    """Callbacks at moments of the loop; a fault in one of them comes out of `run`."""

    def __init__(self) -> None:
        self._crash: asyncio.Future[None] | None = None
        self._fault: Exception | None = None

    def after(
        self, delay_s: float, callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.TimerHandle:
        """Call back in ``delay_s`` seconds; cancel the handle to prevent it."""

        def ring() -> None:
            try:
                callback(*args, **kwargs)
            except Exception as fault:  # noqa: BLE001 - handed to whoever runs us
                self._fault = fault
                if self._crash is not None and not self._crash.done():
                    self._crash.set_exception(fault)

        return asyncio.get_running_loop().call_later(delay_s, ring)

    async def run(self) -> None:
        """Wait for ever, or for the first fault, and raise it."""
        if self._fault is not None:
            raise self._fault
        self._crash = asyncio.get_running_loop().create_future()
        await self._crash
