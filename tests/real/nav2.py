"""Robots with Nav2 as processes, in DDS domains of their own, on the loopback interface alone."""

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

MOST_PARTICIPANTS = 16
LOOPBACK = f"""<CycloneDDS><Domain>
  <General>
    <Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>
    <AllowMulticast>false</AllowMulticast>
  </General>
  <Discovery>
    <Peers><Peer address="127.0.0.1"/></Peers>
    <ParticipantIndex>auto</ParticipantIndex>
    <MaxAutoParticipantIndex>{MOST_PARTICIPANTS - 1}</MaxAutoParticipantIndex>
  </Discovery>
</Domain></CycloneDDS>"""
START_S = 60.0
"""How long a start may take on a busy machine."""
_domains = itertools.cycle(range(1, 100))
_leases: list[socket.socket] = []


def free_domain() -> int:
    """A DDS domain whose ports nobody has: each test has one of its own.

    One port of it is held until the next call, so that no test in another process takes the same
    domain before this one has joined it.
    """
    while _leases:
        _leases.pop().close()
    for domain in _domains:
        if (lease := _lease(domain)) is not None:
            _leases.append(lease)
            return domain
    raise AssertionError("unreachable: the domains go round")


def _lease(domain: int) -> socket.socket | None:
    """Source: RTPS 2.2, 9.6.1.1: ports 7410 + 250 for each domain, + 2 for each participant."""
    first = 7410 + 250 * domain
    lease = _bound(first + 249)
    if lease is None:
        return None
    for port in range(first, first + 2 * MOST_PARTICIPANTS):
        if (probe := _bound(port)) is None:
            lease.close()
            return None
        probe.close()
    return lease


def _bound(port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        return None
    return bound


@contextmanager
def on_loopback() -> Generator[None]:
    """Domains that are joined inside, here and in processes, keep to the loopback interface."""
    before = os.environ.get("CYCLONEDDS_URI")
    os.environ["CYCLONEDDS_URI"] = LOOPBACK
    try:
        yield
    finally:
        del os.environ["CYCLONEDDS_URI"]
        if before is not None:
            os.environ["CYCLONEDDS_URI"] = before


async def start_robots(file: Path, *ids: str) -> asyncio.subprocess.Process:
    """A process that is these robots; returns when they are up."""
    command = [sys.executable, "-m", "sim.ros2.nav2_peer", str(file), *ids]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        line = await process.stdout.readline()
    assert line.endswith(b": up\n"), line
    return process


async def end(process: asyncio.subprocess.Process, how: signal.Signals = signal.SIGTERM) -> int:
    """End a process of robots; returns its return code."""
    if process.returncode is None:
        process.send_signal(how)
    async with asyncio.timeout(START_S):
        return await process.wait()


@asynccontextmanager
async def robots(file: Path, *ids: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that is these robots, for the length of the block; it must end in order."""
    process = await start_robots(file, *ids)
    try:
        yield process
    finally:
        code = await end(process)
    assert code in (0, -signal.SIGKILL), code
