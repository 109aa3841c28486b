"""One run of a scenario: the dispatcher on its wires, simulated things at the other end.

This and `dispatcher.service` are the only modules that put all the parts together.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from dispatcher.executors import InlineExecutor
from dispatcher.intake import parse
from dispatcher.journal import Journal
from dispatcher.service import Executors, Service
from dispatcher.store import Store
from fleet.bus import Bus
from fleet.clock import Clock
from fleet.connect import connect
from fleet.mavlink.datagrams import Datagrams
from fleet.mavlink.link import MavlinkLink
from sim.config import PlannedClosure, Scenario
from sim.demand import demand
from sim.stage import Stage
from sim.wires import CountedBus, CountedEther

GROUND_STATION = ("127.0.0.1", 14550)


class Refusals(Exception):
    """The scenario asks for what its own site refuses: a mistake in the scenario."""


class Simulation:
    """A scenario in one process: stage, dispatcher and demand in one event loop.

    Args:
        sink: gets each line of the journal.
        database: where the store is; in memory by default.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int,
        sink: Callable[[str], None] | None = None,
        database: str = "sqlite://",
        speed: float | None = None,
        executors: Executors | None = None,
        store_executor: Executor | None = None,
        bus: Bus | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.clock = Clock.starting(scenario.start)
        self.bus = bus or CountedBus()
        self.ether = CountedEther()
        self._database = database
        self._sink = sink
        self._speed = speed
        self._executors = executors or Executors(solver=InlineExecutor())
        self._store_executor = store_executor or InlineExecutor()
        self.stage = Stage(
            scenario,
            self.clock,
            seed=seed,
            bus=self.bus,
            port=self._drone_port,
            ground_station=GROUND_STATION,
        )
        self.service: Service
        self.store: Store
        self.submitted = 0
        self.refused: list[str] = []

    def _drone_port(self, system_id: int) -> Datagrams:
        return self.ether.port(("127.0.0.1", 14600 + system_id))

    async def open(self) -> None:
        """Open the store and connect the vehicles; nothing moves yet."""
        scenario = self.scenario
        self.store = await Store.open(self._database, self.clock, self._store_executor)
        numbers = await self.store.next_numbers()
        journal = Journal(self.clock, first_seq=numbers.event, sink=self._sink)
        mavlink = MavlinkLink(self.ether.port(GROUND_STATION))
        self._mavlink = mavlink
        vehicles = connect(
            scenario.vehicles, scenario.site, self.clock, bus=self.bus, mavlink=mavlink
        )
        self.service = Service(
            scenario.site,
            self.clock,
            vehicles,
            self.bus,
            self.store,
            journal,
            scenario.dispatch,
            self._executors,
            simulation=True,
            speed=self._speed,
            seed=self.seed,
        )

    async def run(self, until_s: float | None = None) -> None:
        """Run for ``until_s`` seconds of the clock (default: the scenario's own duration)."""
        lasts_s = self.scenario.duration_s if until_s is None else until_s
        async with asyncio.TaskGroup() as group:
            living = [
                group.create_task(self.bus.run(), name="sim.bus"),
                group.create_task(self._mavlink.run(), name="mavlink.run"),
                group.create_task(self.stage.run(), name="sim.stage"),
                group.create_task(self.service.run(), name="service.run"),
            ]
            await self.service.ready.wait()
            living.append(group.create_task(self._ask(), name="sim.demand"))
            living += [
                group.create_task(self._close(closure), name=f"sim.closure[{closure.lanes[0]}]")
                for closure in self.scenario.closures
            ]
            await asyncio.sleep(max(0.0, lasts_s - self._elapsed_s()))
            for task in living:
                task.cancel()

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    def _elapsed_s(self) -> float:
        return self.clock.now_s() - self.clock.loop_s

    async def _ask(self) -> None:
        """Ask for what the scenario says people ask for, when they ask for it."""
        for order in demand(self.scenario, self.scenario.site, seed=self.seed):
            await asyncio.sleep(max(0.0, order.at_s - self._elapsed_s()))
            request = parse(order.request)
            if isinstance(request, list):
                raise Refusals(f"{order.stream}: {order.request}: {request[0]}")
            await self.service.submit(request)
            self.submitted += 1

    async def _close(self, closure: PlannedClosure) -> None:
        await asyncio.sleep(max(0.0, closure.at_s - self._elapsed_s()))
        until_s = None if closure.lasts_s is None else self.clock.now_s() + closure.lasts_s
        for lane in closure.lanes:
            await self.service.close_lane(lane, until_s=until_s)


@contextmanager
def journal_file(path: str) -> Iterator[Callable[[str], None]]:
    """A sink that writes the journal's lines to a file."""
    with open(path, "w", encoding="utf-8") as file:
        yield lambda line: print(line, file=file)
