"""A real site's dispatcher with all its parts: database, bus, drones' port, vehicles, solver."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from zoneinfo import ZoneInfo

from dispatcher.broker import bus_of, split_address
from dispatcher.config import Installation
from dispatcher.records.executors import Executors, solver_process, warm_up
from dispatcher.records.heap import settled
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from dispatcher.service import Service
from fleet.bus import Bus, MemoryBus
from fleet.clock import Clock
from fleet.connect import connect
from fleet.errors import ConfigError
from fleet.mavlink.datagrams import Datagrams, UdpDatagrams
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.signing import Signing
from fleet.mavlink.stream import JoinedDatagrams, TcpDatagrams

log = logging.getLogger(__name__)

MAVLINK_PASSPHRASE = "WARDLINE_MAVLINK_PASSPHRASE"


@asynccontextmanager
async def running(installation: Installation, *, bus: Bus | None = None) -> AsyncGenerator[Service]:
    """The dispatcher of one site while it runs; it begins where the last one ended.

    Args:
        bus: instead of the configured one; the caller shares it with robots.

    Raises:
        StoreFault: the database can't be used.
        ConfigError: a vehicle can't be reached the way it is configured.
    """
    with ExitStack() as stack:
        disk = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="store"))
        solver = stack.enter_context(solver_process())
        clock = Clock.starting()
        store = await Store.open(installation.database, clock, disk)
        try:
            await asyncio.to_thread(warm_up, log.info, solver)
            bus = bus or _bus(installation)
            async with _live(installation, clock, store, solver, bus) as service:
                yield service
        finally:
            await store.close()


@asynccontextmanager
async def _live(
    installation: Installation, clock: Clock, store: Store, solver: Executor, bus: Bus
) -> AsyncGenerator[Service]:
    link = _link(installation, clock)
    service = Service(
        installation.site,
        clock,
        connect(installation.vehicles, installation.site, clock, bus=bus, mavlink=link),
        bus,
        store,
        Journal(clock, first_seq=(await store.next_numbers()).event),
        installation.config.dispatch,
        Executors(solver=solver),
        planner=installation.config.planner,
        zone=ZoneInfo(installation.config.timezone),
    )
    async with asyncio.TaskGroup() as group:
        works = [group.create_task(bus.run(), name="bus.run")]
        if link is not None:
            works.append(group.create_task(link.run(), name="mavlink.run"))
        works.append(group.create_task(service.run(), name="service.run"))
        await service.ready.wait()
        with settled():
            yield service
        for work in works:
            work.cancel()


def _bus(installation: Installation) -> Bus:
    broker = installation.config.broker
    return MemoryBus() if broker is None else bus_of(broker, installation.folder)


def _link(installation: Installation, clock: Clock) -> MavlinkLink | None:
    door = installation.config.mavlink
    if door is None:
        return None
    doors: list[Datagrams] = [TcpDatagrams(*split_address(address)) for address in door.connect]
    if door.listen is not None:
        doors.append(UdpDatagrams(*split_address(door.listen)))
    signing = Signing.of_passphrase(_passphrase(), clock.now) if door.signed else None
    return MavlinkLink(JoinedDatagrams(doors), signing=signing)


def _passphrase() -> str:
    found = os.environ.get(MAVLINK_PASSPHRASE, "")
    if not found:
        raise ConfigError(
            f"mavlink.signed is true, but {MAVLINK_PASSPHRASE} is empty; put the drones' "
            "passphrase there"
        )
    return found
