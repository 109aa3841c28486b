"""A dispatcher as one process would have it, which can be killed; robots and store live on."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dispatcher.desks.intake import parse
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.records.executors import Executors, InlineExecutor
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from dispatcher.service import Service
from fleet.clock import Clock
from fleet.connect import connect
from fleet.mavlink.link import MavlinkLink
from sim.judges.monitors import Monitors
from sim.running.stage import Stage
from sim.running.wires import MemoryWires
from sim.scenario.config import Scenario
from tests.sim.hospital import Deeds, story_of


class Process:
    """One process's worth of dispatcher after the other, on the same wires and store file."""

    def __init__(self, scenario: Scenario, wires: MemoryWires, clock: Clock, database: str) -> None:
        self._scenario, self._wires, self._clock = scenario, wires, clock
        self._database = database
        self._port = wires.station()
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> Service:
        """Open the store, connect, and wait until the doors are open."""
        self._store = await Store.open(self._database, self._clock, InlineExecutor())
        numbers = await self._store.next_numbers()
        station = MavlinkLink(self._port)
        links = connect(
            self._scenario.vehicles,
            self._scenario.site,
            self._clock,
            bus=self._wires.bus,
            mavlink=station,
        )
        self.service = Service(
            self._scenario.site,
            self._clock,
            links,
            self._wires.bus,
            self._store,
            Journal(self._clock, first_seq=numbers.event),
            self._scenario.dispatch,
            Executors(solver=InlineExecutor()),
            planner=self._scenario.planner,
        )
        self._running = [
            asyncio.create_task(self.service.run(), name="dispatcher"),
            asyncio.create_task(station.run(), name="station"),
        ]
        await self.service.ready.wait()
        return self.service

    async def kill(self) -> None:
        """End at once: nothing is tidied up, nobody is told; the file is only let go of."""
        if not self._running:
            return
        for task in self._running:
            task.cancel()
        await asyncio.wait(self._running)
        died = [task.exception() for task in self._running if not task.cancelled()]
        self._running = []
        await self._store.close()
        assert not died, f"it had died before: {died}"


class Place:
    """The stage of a story with restarts, and what is asked there."""

    def __init__(self, scenario: Scenario, clock: Clock, wires: MemoryWires, store: Path) -> None:
        self.wires = wires
        self.stage = Stage(scenario, clock, wires, seed=0)
        self.world = self.stage.world
        self.monitors, self.deeds = Monitors(self.world), Deeds()
        self.world.observe(self.deeds)
        self.process = Process(scenario, wires, clock, f"sqlite:///{store}")
        self.accepted: list[TaskId] = []

    @property
    def service(self) -> Service:
        """The dispatcher that lives now."""
        return self.process.service

    async def submit(self, **request: Any) -> TaskId:
        """Ask for a task; the request must be right."""
        asked = parse(request)
        assert not isinstance(asked, list), asked
        self.accepted.append((await self.service.task_desk.submit(asked)).id)
        return self.accepted[-1]

    async def restart(self) -> None:
        """Kill the dispatcher, and start another one."""
        await self.process.kill()
        await self.process.start()

    async def until(self, true: Callable[[], bool], at_most_s: float = 7200.0) -> None:
        """Let time pass until something is so; fails when it never is."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + at_most_s
        while not true():
            assert loop.time() < ends_s, self.service.open_tasks()
            await asyncio.sleep(1)

    async def until_all_ended(self) -> dict[TaskId, TaskState]:
        """Let time pass until no task is open; each has then ended just once."""
        await self.until(lambda: not self.service.open_tasks())
        ended: dict[TaskId, TaskState] = {}
        for id_ in self.accepted:
            task = await self.service.store.task(id_)
            assert task is not None
            ended[id_] = task.state
            kinds = [event.kind for event in await self.service.store.timeline(id_)]
            assert kinds.count("task_accepted") == 1
            ends = ("task_done", "task_cancelled", "task_failed")
            assert sum(kinds.count(kind) for kind in ends) == 1, kinds
        return ended


@asynccontextmanager
async def place(scenario: Path, store: Path) -> AsyncGenerator[Place]:
    """A stage and a first dispatcher, for as long as the block runs; no rule may be broken."""
    loaded = story_of(scenario)
    clock, wires = Clock.starting(loaded.start), MemoryWires()
    here = Place(loaded, clock, wires, store)
    living = [
        asyncio.create_task(here.stage.run(), name="stage"),
        asyncio.create_task(here.monitors.run(), name="monitors"),
    ]
    try:
        await here.process.start()
        yield here
        assert not any(here.world.violations.values()), list(here.world.incidents)
    finally:
        await here.process.kill()
        for task in living:
            task.cancel()
        await asyncio.wait(living)
