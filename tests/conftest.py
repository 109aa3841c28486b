"""Async tests run in virtual time, unless they touch real parts; none may leave a task behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio

from sim.loops import VirtualLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time, except for tests of real parts, which need the wall's."""
    if item.get_closest_marker("real") or item.get_closest_marker("browser"):
        return {"wall": asyncio.SelectorEventLoop}
    return {"virtual": VirtualLoop}


@pytest_asyncio.fixture(autouse=True)
async def no_task_left() -> AsyncIterator[None]:
    """Fail a test that leaves tasks running."""
    yield
    left = [t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    assert not left, f"tasks left running: {sorted(left)}"
