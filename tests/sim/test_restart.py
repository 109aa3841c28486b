"""The dispatcher dies at any moment; robots and store live on, and a new one takes over."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.executors import InlineExecutor
from dispatcher.intake import parse
from dispatcher.journal import Journal
from dispatcher.service import Executors, Service
from dispatcher.store import Store
from dispatcher.task import TaskId, TaskState
from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.connect import connect
from fleet.vehicle import VehicleId
from routing.site import LaneId
from sim.config import Scenario, load_scenario
from sim.monitors import Monitors
from sim.stage import Stage
from sim.wires import MemoryWires
from tests.sim.hospital import Deeds, scenario_file

REQUESTS = [
    {
        "kind": "delivery",
        "item": "meals",
        "goods": "food",
        "from": "laboratory",
        "to": ["ward"],
        "mass_kg": 5.0,
    },
    {"kind": "medicine", "item": "insulin", "to": "ward"},
    {"kind": "disinfection", "room": "isolation"},
    {"kind": "patrol", "points": ["ward", "laboratory"], "rounds": 1},
]


class Dispatcher:
    """One process's worth of dispatcher, which can be killed."""

    def __init__(self, scenario: Scenario, wires: MemoryWires, clock: Clock, database: str) -> None:
        self._scenario, self._wires, self._clock = scenario, wires, clock
        self._database = database

    async def start(self) -> Service:
        self._store = await Store.open(self._database, self._clock, InlineExecutor())
        numbers = await self._store.next_numbers()
        self._links = connect(
            self._scenario.vehicles,
            self._scenario.site,
            self._clock,
            bus=self._wires.bus,
            mavlink=None,
        )
        self.service = Service(
            self._scenario.site,
            self._clock,
            self._links,
            self._wires.bus,
            self._store,
            Journal(self._clock, first_seq=numbers.event),
            self._scenario.dispatch,
            Executors(solver=InlineExecutor()),
        )
        self._running = asyncio.create_task(self.service.run(), name="dispatcher")
        await self.service.ready.wait()
        return self.service

    async def kill(self) -> None:
        """End at once: nothing is tidied up, nobody is told; the file is only let go of."""
        self._running.cancel()
        await asyncio.wait([self._running])
        await self._store.close()


@pytest.mark.parametrize("pause_s", [5.0, 7.0, 11.0, 17.0, 23.0, 31.0, 41.0, 53.0, 67.0, 97.0])
async def test_killed_again_and_again_every_task_is_done_once(
    tmp_path: Path, pause_s: float
) -> None:
    scenario = load_scenario(scenario_file(tmp_path))
    clock, wires = Clock.starting(scenario.start), MemoryWires()
    stage = Stage(scenario, clock, wires, seed=0)
    monitors, deeds = Monitors(stage.world), Deeds()
    stage.world.observe(deeds)
    assert isinstance(wires.bus, MemoryBus)
    dispatcher = Dispatcher(scenario, wires, clock, f"sqlite:///{tmp_path / 'story.sqlite'}")
    things = asyncio.create_task(stage.run(), name="stage")
    watching = asyncio.create_task(monitors.run(), name="monitors")
    try:
        service = await dispatcher.start()
        accepted: list[TaskId] = []
        for data in REQUESTS:
            request = parse(data)
            assert not isinstance(request, list), request
            accepted.append((await service.submit(request)).id)
        for _ in range(12):
            await asyncio.sleep(pause_s)
            await dispatcher.kill()
            service = await dispatcher.start()
        for _ in range(3600):
            await asyncio.sleep(1)
            if not service.open_tasks():
                break
        ended = [await service.store.task(task) for task in accepted]
        assert [task.state for task in ended if task] == [TaskState.DONE] * len(REQUESTS)
        for task in accepted:
            events = [event.kind for event in await service.store.timeline(task)]
            assert events.count("task_done") == 1
            assert events.count("task_accepted") == 1
        assert sorted(deeds.loaded) == sorted(accepted[:2])
        assert sorted(load for load, _ in deeds.unloaded) == sorted(accepted[:2])
        assert not any(stage.world.violations.values()), list(stage.world.incidents)
        assert VehicleId("C1") in stage.world.ground
    finally:
        await dispatcher.kill()
        for task in (things, watching):
            task.cancel()
        await asyncio.wait([things, watching])


async def test_what_people_ordered_holds_over_a_restart(tmp_path: Path) -> None:
    scenario = load_scenario(scenario_file(tmp_path))
    clock, wires = Clock.starting(scenario.start), MemoryWires()
    stage = Stage(scenario, clock, wires, seed=0)
    dispatcher = Dispatcher(scenario, wires, clock, f"sqlite:///{tmp_path / 'story.sqlite'}")
    things = asyncio.create_task(stage.run(), name="stage")
    try:
        service = await dispatcher.start()
        await service.close_lane(LaneId("a3~a4"), until_s=clock.now_s() + 600)
        await service.set_in_service(VehicleId("C2"), on=False)
        await dispatcher.kill()
        service = await dispatcher.start()
        out = [view.spec.id for view in service.vehicles() if not view.in_service]
        assert out == ["C2"]
        assert [alert.facts["lane"] for alert in service.alerts()] == ["a3~a4"]
        await asyncio.sleep(700)
        assert all(alert.cleared_s for alert in service.alerts())
    finally:
        await dispatcher.kill()
        things.cancel()
        await asyncio.wait([things])
