"""`kill -9` under load: what was accepted is there once, is done once, and ends once."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from dispatcher.broker import split_address
from dispatcher.config import Installation, load
from fleet.bus import MqttBus
from fleet.clock import Clock
from fleet.mission import Action, ActionKind
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.world import Observer, World
from tests.real.serving import free_port, in_the_store, insist, start, until_all_ended

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

KILLS = int(os.environ.get("WARDLINE_TEST_KILLS", "20"))
SUBMISSIONS = 500
CALLERS = 8
CARTS = 6
FINISH_S = 120.0
"""How long the carts may go on after the last submission; what is left then is cancelled."""


def name(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def ward(folder: Path, broker: int, port: int) -> Path:
    """Wings far apart, each with two rooms and the bay of one fast cart around one node."""
    nodes, places = {}, {}
    for n in range(CARTS):
        x, joins = 100 * n, [f"hub-{n}"]
        nodes[f"hub-{n}"] = [x, 0]
        for word, at in (("east", [x + 5, 0]), ("north", [x, 5])):
            places[f"{word}-{n}"] = {"name": name(f"{word} {n}"), "at": at, "joins": joins}
        roles = ["parking", "charger"]
        places[f"bay-{n}"] = {
            "name": name(f"bay {n}"),
            "at": [x, -5],
            "joins": joins,
            "roles": roles,
        }
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
        "link": {"vda5050": {"version": "2.1", "manufacturer": "acme"}},
    }
    carts = [f"C{n}" for n in range(CARTS)]
    serve = {
        "site": "ward.yaml",
        "broker": f"127.0.0.1:{broker}",
        "port": port,
        "models": {"cart": cart},
        "vehicles": [{"model": "cart", "ids": carts, "homes": [f"bay-{n}" for n in range(CARTS)]}],
        "dispatch": {"load_s": 0.1, "unload_s": 0.1},
    }
    (folder / "ward.yaml").write_text(yaml.safe_dump(site, sort_keys=False))
    file = folder / "serve.yaml"
    file.write_text(yaml.safe_dump(serve, sort_keys=False))
    return file


class Witness(Observer):
    """Sees what the bodies really do with each load."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[ActionKind, str]] = Counter()

    def acted(self, body: GroundBody, action: Action) -> None:
        if "load_id" in action.facts:
            self.seen[action.kind, str(action.facts["load_id"])] += 1


@asynccontextmanager
async def bodies(installation: Installation, witness: Witness) -> AsyncGenerator[World]:
    """The carts themselves: they live on while their dispatcher dies."""
    site, clock = installation.site, Clock.starting()
    world = World(site, seed=1)
    world.observe(witness)
    assert installation.config.broker is not None
    bus = MqttBus(*split_address(installation.config.broker.address))
    async with asyncio.TaskGroup() as group:
        jobs = [group.create_task(bus.run(), name="bodies.bus")]
        for vehicle in installation.vehicles:
            assert vehicle.link.vda5050 is not None
            spec = vehicle.to_spec()
            body = world.add_ground(spec, site.places[spec.home].node)
            robot = Vda5050Robot(body, bus, vehicle.link.vda5050, clock, site)
            jobs.append(group.create_task(robot.run(), name=f"body[{spec.id}]"))
        yield world
        for job in jobs:
            job.cancel()


async def submit_all(api: httpx.AsyncClient, accepted: dict[str, str]) -> None:
    """Some callers, who repeat each request under its key until it is answered."""
    numbers = iter(range(SUBMISSIONS))
    luck = random.Random("callers")

    async def call() -> None:
        for number in numbers:
            wing = number % CARTS
            rooms = luck.sample([f"east-{wing}", f"north-{wing}"], 2)
            asked = {"kind": "delivery", "item": f"Box {number}", "from": rooms[0], "to": rooms[1]}
            key = f"box-{number}"
            accepted[key] = await insist(api, key, {**asked, "mass_kg": 1})
            await asyncio.sleep(luck.uniform(0.0, 2.0))

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(call())


async def test_nothing_is_lost_and_nothing_done_twice(
    mosquitto: "Mosquitto", tmp_path: Path
) -> None:
    port = free_port()
    file, log = ward(tmp_path, mosquitto.port, port), tmp_path / "serve.log"
    accepted: dict[str, str] = {}
    witness, luck = Witness(), random.Random("killer")
    async with (
        bodies(load(file), witness) as world,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as api,
        asyncio.TaskGroup() as group,
    ):
        callers = group.create_task(submit_all(api, accepted), name="callers")
        for _ in range(KILLS):
            server = await start(file, log)
            await asyncio.sleep(luck.uniform(0.5, 4.0))
            assert server.returncode is None, f"it died by itself: {log.read_text()}"
            server.send_signal(signal.SIGKILL)
            await server.wait()
        server = await start(file, log)
        await callers
        left = await until_all_ended(api, FINISH_S)
        for task in left:
            await api.post(f"/tasks/{task}/cancel")
        still_open = await until_all_ended(api, FINISH_S)
        assert server.returncode is None, f"it died by itself: {log.read_text()}"
        server.send_signal(signal.SIGTERM)
        assert await server.wait() == 0, log.read_text()

    assert still_open == []
    assert len(accepted) == SUBMISSIONS
    assert "Traceback" not in log.read_text()
    tasks, endings = in_the_store(tmp_path / "serve.sqlite")
    assert {key: id_ for id_, key, _ in tasks} == accepted, "each accepted task is there once"
    assert len(tasks) == SUBMISSIONS
    for id_, _, state in tasks:
        unloaded = witness.seen[ActionKind.UNLOAD, id_]
        assert endings[id_, f"task_{state}"] <= 1
        assert unloaded <= 1, f"{id_} was delivered {unloaded} times"
        if state == "done":
            assert (endings[id_, "task_done"], unloaded) == (1, 1), id_
    states = Counter(state for _, _, state in tasks)
    assert states["done"] > 20 * CARTS, states
    assert set(states) <= {"done", "cancelled"}, states
    assert not any(world.violations.values()), world.violations
