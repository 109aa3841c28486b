"""Async tests run in virtual time, unless they touch real parts; none may leave a task behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from sim.loops import VirtualLoop

settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")
"""A slow machine is no fault of the code, and a test that failed must fail again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The machine that judges changes must have every real part."""
    parser.addoption(
        "--no-part-missing",
        action="store_true",
        help="fail a test of a real part that would be skipped because the part is not there",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test of a real part into a failure, if that is wanted.

    ROS 2 can't be had from a package registry: its tests may be skipped, and are named then.
    """
    report = yield
    wanted = item.config.getoption("--no-part-missing") and not any(item.iter_markers("ros"))
    if report.skipped and wanted and _touches_real_parts(item):
        report.outcome = "failed"
        report.longrepr = f"skipped, and no part may be missing: {report.longrepr}"
    return report


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time, except for tests of real parts, which need the wall's."""
    if _touches_real_parts(item):
        return {"wall": asyncio.SelectorEventLoop}
    return {"virtual": VirtualLoop}


def _touches_real_parts(item: pytest.Item) -> bool:
    return any(item.iter_markers("real")) or any(item.iter_markers("browser"))


@pytest_asyncio.fixture(autouse=True)
async def no_task_left() -> AsyncIterator[None]:
    """Fail a test that leaves tasks running."""
    yield
    left = [t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    assert not left, f"tasks left running: {sorted(left)}"
