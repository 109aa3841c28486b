"""Async tests run in virtual time, unless they touch real parts; none may leave a task behind.

What a test cost is measured, so that those that ought to be marked ``long`` are named.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Generator, Mapping

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from sim.loops import VirtualLoop

DEAR_S = 2.0
"""A test that takes more processor time belongs among the ``long`` ones."""
BEGAN_S = pytest.StashKey[float]()

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
    parser.addoption(
        "--tally", metavar="FILE", help="add the id of each test that had its turn to FILE"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Count in the process that hears of all tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally(config.getoption("--tally")), "tally")


class Tally:
    """Which tests had their turn, and which of them are dear without being marked ``long``.

    Args:
        file: gets the ids, one a line, after those that it has; None = nobody wants them.
    """

    def __init__(self, file: str | None) -> None:
        self._file = file
        self._ran: list[str] = []
        self._dear: list[tuple[float, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the last report of each test."""
        if report.when != "teardown":
            return
        test = re.sub(r"@\w+$", "", report.nodeid)  # pytest-xdist adds the group
        self._ran.append(test)
        spent_s = next(value for name, value in report.user_properties if name == "cpu_s")
        assert isinstance(spent_s, float)
        if spent_s > DEAR_S and not {"long", "real", "browser"} & set(report.keywords):
            self._dear.append((spent_s, test))

    def pytest_sessionfinish(self) -> None:
        """Hand on the ids."""
        if self._file is not None:
            with open(self._file, "a", encoding="utf-8") as file:
                file.writelines(f"{test}\n" for test in self._ran)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the dear ones; a busy machine may add some, so this is no failure."""
        if self._dear:
            terminalreporter.section(f"more than {DEAR_S} s of processor time, and not marked long")
        for spent_s, test in sorted(self._dear, reverse=True):
            terminalreporter.line(f"{spent_s:6.1f} s  {test}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to count what the test costs."""
    item.stash[BEGAN_S] = _spent_s()


def _spent_s() -> float:
    """Processor time of this process and of those that it started and saw end."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what a test cost, and make the skip of a real part a failure, if that is wanted.

    ROS 2 can't be had from a package registry: its tests may be skipped, and are named then.
    """
    report = yield
    if report.when == "teardown":
        report.user_properties.append(("cpu_s", _spent_s() - item.stash[BEGAN_S]))
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
