"""A dispatcher, and robots with Nav2 in other processes, over real RTPS."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatcher.config import Installation, PlannerConfig, load
from dispatcher.desks.intake import parse
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.records.executors import Executors, InlineExecutor
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from dispatcher.service import Service
from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.connect import connect
from fleet.ros2.dds import VOLATILE, DdsNode
from fleet.ros2.nav2_messages import Distribution, types_of
from fleet.ros2.port import OURS
from fleet.vehicle import VehicleId
from tests.real.nav2 import end, free_domain, on_loopback, robots

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("dds")]

ENDS = {"task_done", "task_cancelled", "task_failed"}
IDS = ["R1", "R2", "R3"]
DELIVERIES = 30
CANCELS = 6


def name(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def ward(folder: Path, domain: int) -> Installation:
    """A corridor of wings, each with two rooms and the bay of one fast robot around its hub."""
    nodes = {f"hub-{n}": [30 * n, 0] for n in range(len(IDS))}
    places: dict[str, Any] = {}
    for n, id_ in enumerate(IDS):
        x, joins = 30 * n, [f"hub-{n}"]
        for word, at in (("east", [x + 8, 6]), ("north", [x, 10])):
            places[f"{word}-{n}"] = {"name": name(f"{word} {n}"), "at": at, "joins": joins}
        bay = {"name": name(f"bay {n}"), "at": [x, -8], "joins": joins}
        places[f"bay-{id_}"] = {**bay, "roles": ["parking", "charger"]}
    level = {
        "name": name("Level 1"),
        "elevation_m": 0,
        "nodes": nodes,
        "places": places,
        "lanes": [list(nodes)],
    }
    site = {
        "site": "ward",
        "name": name("Ward"),
        "anchor": {"lat_deg": 30.5, "lon_deg": 114.3},
        "levels": {"L1": level},
    }
    link = {
        "level": "L1",
        "backend": "dds",
        "domain_id": domain,
        "fresh_s": 3.0,
        "silence_s": 1.0,
        "patience_s": 4.0,
        "retry_s": 1.0,
        "map": {"x_m": -3.0, "y_m": 7.0, "yaw_deg": 30.0},
        "actions": {"unload": {"service": "unload"}},
    }
    cart = {
        "make": "Acme",
        "kind": "cart",
        "speed_m_s": 10,
        "acceleration_m_s2": 10,
        "width_m": 0.5,
        "length_m": 0.5,
        "payload_kg": 100,
        "payload_l": 100,
        "load_types": ["general"],
        "skills": ["carry"],
        "energy": {"capacity_wh": 100_000, "idle_w": 1, "move_w": 1},
        "link": {"ros2": link},
    }
    serve = {
        "site": "ward.yaml",
        "models": {"cart": cart},
        "vehicles": [{"model": "cart", "ids": IDS, "homes": [f"bay-{id_}" for id_ in IDS]}],
        "dispatch": {"load_s": 0.1, "unload_s": 0.1},
    }
    (folder / "ward.yaml").write_text(yaml.safe_dump(site, sort_keys=False))
    (folder / "serve.yaml").write_text(yaml.safe_dump(serve, sort_keys=False))
    return load(folder / "serve.yaml")


@dataclass
class Listener:
    """Hears what the robots say, with no part of the adapter."""

    goals: dict[bytes, list[float]] = field(default_factory=dict[bytes, list[float]])
    """When feedback of each goal came, in loop seconds."""

    def feedback(self, message: Any) -> None:
        times = self.goals.setdefault(bytes(message.goal_id.uuid), [])
        times.append(asyncio.get_running_loop().time())

    def gaps_s(self) -> list[float]:
        return sorted(b - a for times in self.goals.values() for a, b in pairwise(times))


@dataclass
class Ward:
    """The dispatcher, and who listens."""

    service: Service
    file: Path
    listener: Listener

    async def submit(self, number: int) -> TaskId:
        wing = number % len(IDS)
        rooms = [f"east-{wing}", f"north-{wing}"]
        start, goal = rooms if number % 2 else reversed(rooms)
        asked = parse({"kind": "delivery", "item": "Box", "from": start, "to": goal, "mass_kg": 1})
        assert not isinstance(asked, list), asked
        return (await self.service.task_desk.submit(asked)).id

    async def until(self, true: Callable[[], bool], at_most_s: float = 60.0) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + at_most_s
        while not true():
            said = [self.service.open_tasks(), self.service.alerts(), self.service.vehicles()]
            assert loop.time() < until_s, "\n".join(str(one) for part in said for one in part)
            await asyncio.sleep(0.05)

    def alerts(self, code: str, vehicle: str) -> bool:
        return any(
            a.code == code and a.vehicle == vehicle and a.cleared_s is None
            for a in self.service.alerts()
        )

    async def ends(self, tasks: list[TaskId]) -> Counter[TaskState]:
        """How the tasks ended, each once."""
        found = Counter[TaskState]()
        for id_ in tasks:
            task = await self.service.store.task(id_)
            assert task is not None
            found[task.state] += 1
            kinds = [event.kind for event in await self.service.store.timeline(id_)]
            ends = [kind for kind in kinds if kind in ENDS]
            assert ends in ([f"task_{task.state}"], []), (task, kinds)
            assert ends or task.state is TaskState.CANCELLED, (task, kinds)
        return found


@asynccontextmanager
async def dispatching(installation: Installation, folder: Path) -> AsyncGenerator[Ward]:
    """The dispatcher of the ward, with all robots heard."""
    clock = Clock.starting()
    store = await Store.open(installation.database, clock, InlineExecutor())
    bus, listener = MemoryBus(), Listener()
    service = Service(
        installation.site,
        clock,
        connect(installation.vehicles, installation.site, clock, bus=bus, mavlink=None),
        bus,
        store,
        Journal(clock, first_seq=(await store.next_numbers()).event),
        installation.config.dispatch,
        Executors(solver=InlineExecutor()),
        planner=PlannerConfig(stages=()),
    )
    ros2 = installation.vehicles[0].link.ros2
    assert ros2 is not None
    ear = await DdsNode.open(ros2.domain_id)
    for id_ in IDS:
        topic = f"rt/{id_}/navigate_through_poses/_action/feedback"
        ear.hear(
            topic,
            types_of(Distribution.JAZZY).through_poses.feedback,
            listener.feedback,
            qos=VOLATILE,
        )
    running = asyncio.create_task(service.run(), name="dispatcher")
    try:
        await service.ready.wait()
        ward = Ward(service, folder / "serve.yaml", listener)
        await ward.until(lambda: all(v.state.fit for v in service.vehicles()))
        yield ward
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await ear.close()
        await store.close()


async def test_thirty_deliveries_with_cancels_and_feedback_at_ten_hertz(tmp_path: Path) -> None:
    luck = random.Random("deliveries")
    with on_loopback():
        installation = ward(tmp_path, free_domain())
        async with robots(tmp_path / "serve.yaml", *IDS), dispatching(installation, tmp_path) as w:
            doomed = [await w.submit(number) for number in range(CANCELS)]
            tasks = [await w.submit(number) for number in range(DELIVERIES)]
            for number, id_ in enumerate(doomed):
                if number % 2:
                    await w.until(lambda id_=id_: w.service.task(id_).state is not TaskState.QUEUED)
                    await asyncio.sleep(luck.uniform(0.0, 2.0))
                if not w.service.task(id_).state.ended:
                    await w.service.task_desk.cancel(id_)
            await w.until(lambda: not w.service.open_tasks(), at_most_s=100)
            assert await w.ends(tasks) == {TaskState.DONE: DELIVERIES}
            assert set(await w.ends(doomed)) <= {TaskState.CANCELLED, TaskState.DONE}
            assert (await w.ends(doomed))[TaskState.CANCELLED] >= CANCELS // 2
            gaps_s = w.listener.gaps_s()
            assert len(w.listener.goals) >= DELIVERIES
            assert all(goal.startswith(OURS) for goal in w.listener.goals)
            assert gaps_s[len(gaps_s) // 2] == pytest.approx(0.1, abs=0.03)


async def test_a_killed_robot_is_noticed_and_its_work_is_done_once_by_whoever_can(
    tmp_path: Path,
) -> None:
    with on_loopback():
        installation = ward(tmp_path, free_domain())
        file = tmp_path / "serve.yaml"
        async with (
            robots(file, "R1", "R2"),
            robots(file, "R3") as process,
            dispatching(installation, tmp_path) as w,
        ):
            killed = VehicleId("R3")
            doomed = await w.submit(2)  # in the wing of R3
            await w.until(lambda: w.service.task(doomed).state.begun)
            assert w.service.task(doomed).vehicle == killed
            await end(process, signal.SIGKILL)
            died_s = asyncio.get_running_loop().time()
            await w.until(lambda: w.alerts("vehicle_offline", killed), at_most_s=15)
            noticed_s = asyncio.get_running_loop().time() - died_s
            assert noticed_s < 2 * 3.0, "fresh_s is 3 s"

            others = [await w.submit(number) for number in (0, 1)]
            await w.until(lambda: all(w.service.task(id_).state.ended for id_ in others))
            assert await w.ends(others) == {TaskState.DONE: 2}
            await w.until(lambda: w.alerts("link_lost", killed))
            assert not w.service.task(doomed).state.ended

            async with robots(file, "R3"):
                await w.until(lambda: not w.alerts("vehicle_offline", killed))
                await w.until(lambda: w.service.task(doomed).state.ended)
                assert await w.ends([doomed]) == {TaskState.DONE: 1}
