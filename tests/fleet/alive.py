"""Whatever runs until it is cancelled, for the length of a test."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol


class Life(Protocol):
    """A door, a lift, their owner."""

    async def run(self) -> None:
        """Until cancelled."""
        ...


@asynccontextmanager
async def alive(*lives: Life) -> AsyncGenerator[None]:
    """Run all of these, and cancel them in the end."""
    tasks = [asyncio.create_task(life.run()) for life in lives]
    await asyncio.sleep(0.001)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
