"""Robots that somebody else wrote are a fleet of ``wardline serve``, and have a bad day."""

import asyncio
import json
import random
import shutil
import signal
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import httpx
import pytest
import yaml

from tests.real.recorder import Recorder
from tests.real.serving import free_port, in_the_store, insist, start, until_all_ended

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

PEER = Path(__file__).parent / "peer"
ROBOTS = ("F1", "F2")
WING = 4
"""Corridor nodes, and rooms, of each robot."""
STEP_M = 5.0
DELIVERIES = 50
QUICK = {"vehicleSpeed": 5, "timeLapse": 8, "tickRate": 25}
FINISH_S, PATIENCE_S = 180.0, 90.0


def name(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def spots() -> dict[str, list[float]]:
    """Two wings on one corridor; each has a robot's bay at its outer end."""
    corridor = {f"c{n}": [STEP_M * n, 0.0] for n in range(WING * len(ROBOTS))}
    rooms = {f"room-{n}": [STEP_M * n, STEP_M] for n in range(len(corridor))}
    ends = {"bay-F1": [0.0, -STEP_M], "bay-F2": [STEP_M * (len(corridor) - 1), -STEP_M]}
    return {**corridor, **rooms, **ends}


def hospital(folder: Path, broker: int, port: int) -> Path:
    """The serving configuration of the two robots."""
    places: dict[str, Any] = {}
    for spot, (x, y) in spots().items():
        if spot.startswith("c"):
            continue
        places[spot] = {"name": name(spot), "at": [x, y], "joins": [f"c{round(x / STEP_M)}"]}
        if spot.startswith("bay"):
            places[spot]["roles"] = ["parking", "charger"]
    nodes = {spot: at for spot, at in spots().items() if spot.startswith("c")}
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
    tells = {"stationType": "floor", "loadType": "EPAL"}
    wire = {
        "version": "2.0",
        "manufacturer": "acme",
        "instant_actions_key": "instantActions",
        "deviation_key": "allowedDeviationXy",
        "ack_timeout_s": 2,
        "fresh_s": 5,
        "action_parameters": {"pick": tells, "drop": tells},
    }
    model = {
        "make": "Acme",
        "kind": "cart",
        "speed_m_s": 20,
        "acceleration_m_s2": 20,
        "width_m": 0.5,
        "length_m": 0.5,
        "payload_kg": 10,
        "payload_l": 100,
        "load_types": ["general"],
        "skills": ["carry"],
        "energy": {"capacity_wh": 100_000, "idle_w": 1, "move_w": 1},
        "link": {"vda5050": wire},
    }
    serve = {
        "site": "ward.yaml",
        "broker": f"127.0.0.1:{broker}",
        "port": port,
        "models": {"cart": model},
        "vehicles": [
            {"model": "cart", "ids": list(ROBOTS), "homes": [f"bay-{id_}" for id_ in ROBOTS]}
        ],
        "dispatch": {"load_s": 2.0, "unload_s": 2.0},
    }
    (folder / "ward.yaml").write_text(yaml.safe_dump(site, sort_keys=False))
    file = folder / "serve.yaml"
    file.write_text(yaml.safe_dump(serve, sort_keys=False))
    return file


@asynccontextmanager
async def foreign(broker: "Mosquitto", serial: str, node: str) -> AsyncGenerator[Any]:
    """A foreign robot's process, while it stands on a node and then as it likes."""
    x, y = spots()[node]
    program = shutil.which("node")
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program,
        str(PEER / "robot.js"),
        f"mqtt://{broker.host}:{broker.port}",
        "acme",
        serial,
        "L1",
        node,
        json.dumps({"x": x, "y": y, **QUICK}),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def serving(file: Path, log: Path) -> AsyncGenerator[Any]:
    """The dispatcher's process; it does not outlive the test."""
    server = await start(file, log)
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


class Day:
    """What happens to tasks and robots, one trouble after the other."""

    def __init__(self, api: httpx.AsyncClient, heard: Recorder) -> None:
        self.api, self.heard = api, heard
        self.accepted: dict[str, str] = {}
        self._luck = random.Random("deliveries")

    async def ask(self, many: int) -> list[str]:
        """So many deliveries, each within one wing."""
        found: list[str] = []
        for _ in range(many):
            number = len(self.accepted)
            wing = range(WING * (number % 2), WING * (number % 2) + WING)
            rooms = self._luck.sample([f"room-{n}" for n in wing], 2)
            asked = {"kind": "delivery", "item": f"Box {number}", "from": rooms[0], "to": rooms[1]}
            # of more than half a load, so that a robot has one on board at a time
            id_ = await insist(self.api, f"box-{number}", {**asked, "mass_kg": 6})
            self.accepted[f"box-{number}"] = id_
            found.append(id_)
        return found

    async def cancel(self, task: str) -> None:
        answer = await self.api.post(f"/tasks/{task}/cancel")
        assert answer.status_code in (200, 409), answer.text

    async def cancel_in_each_phase(self) -> None:
        """Accepted, on the way to the pick, loading, on the way to the drop, unloading."""
        (task,) = await self.ask(1)
        await self.cancel(task)
        for kind, status in (("pick", ""), ("pick", "RUNNING"), ("drop", ""), ("drop", "RUNNING")):
            (task,) = await self.ask(1)
            await self.reaches(task, kind, status)
            await self.cancel(task)

    async def reaches(self, task: str, kind: str, status: str) -> tuple[str, str]:
        """Wait until a robot has the order for an action, or has it running; who, and which."""
        heard = self.heard

        def there() -> bool:
            action = heard.action_of(task, kind)
            if not action:
                return False
            serial = heard.actions[action][0]
            if status:
                return heard.status(serial, action) in (status, "FINISHED")
            return heard.states[serial]["orderId"] == action.partition(".")[0]

        await heard.until(there, PATIENCE_S)
        action = heard.action_of(task, kind)
        return heard.actions[action][0], action

    async def next_order(self, kind: str) -> str:
        """Wait for the next order with an action of a type; returns who has got it."""
        known = set(self.heard.actions)

        def found() -> list[str]:
            new = ((id_, told) for id_, told in self.heard.actions.items() if id_ not in known)
            return [serial for _, (serial, what, _) in new if what == kind]

        await self.heard.until(lambda: bool(found()), PATIENCE_S)
        return found()[0]

    async def pause(self, broker: "Mosquitto", serial: str) -> None:
        """Somebody presses pause at the robot while it works, and lets it go on later."""
        async with aiomqtt.Client(broker.host, broker.port) as panel:
            for kind in ("startPause", "stopPause"):
                action = {"actionType": kind, "actionId": f"{kind}-panel", "blockingType": "NONE"}
                message = {
                    "headerId": 1,
                    "timestamp": "2026-01-01T00:00:00.000Z",
                    "version": "2.0.0",
                    "manufacturer": "acme",
                    "serialNumber": serial,
                    "instantActions": [action],
                }
                topic = f"uagv/v2/acme/{serial}/instantActions"
                await panel.publish(topic, json.dumps(message))
                await self.says_paused(serial, kind == "startPause")
                await asyncio.sleep(1.0)

    async def says_paused(self, serial: str, paused: bool) -> None:
        await self.heard.until(lambda: self.heard.states[serial]["paused"] is paused)


async def test_fifty_deliveries_on_a_bad_day(mosquitto: "Mosquitto", tmp_path: Path) -> None:
    if shutil.which("node") is None or not (PEER / "node_modules").exists():
        pytest.skip("needs Node and vda-5050-lib: cd tests/real/peer && npm install")
    port = free_port()
    file, log = hospital(tmp_path, mosquitto.port, port), tmp_path / "serve.log"
    url = f"http://127.0.0.1:{port}/api/v1"
    async with (
        Recorder(mosquitto.host, mosquitto.port).running() as heard,
        AsyncExitStack() as robots,
        httpx.AsyncClient(base_url=url, timeout=30) as api,
    ):
        processes = {
            serial: await robots.enter_async_context(foreign(mosquitto, serial, f"bay-{serial}"))
            for serial in ROBOTS
        }
        server = await robots.enter_async_context(serving(file, log))
        day = Day(api, heard)

        await day.cancel_in_each_phase()
        await day.ask(10)
        serial = await day.next_order("pick")
        await day.pause(mosquitto, serial)

        # the robot's process dies with an order and nothing on board, and starts again
        await day.ask(10)
        serial = await day.next_order("pick")
        processes[serial].kill()
        await heard.until(lambda: heard.connections[serial][-1] == "CONNECTIONBROKEN")
        stood = heard.states[serial]["lastNodeId"]
        processes[serial] = await robots.enter_async_context(foreign(mosquitto, serial, stood))

        await day.ask(10)
        await asyncio.sleep(2.0)
        await mosquitto.stop()
        await asyncio.sleep(1.0)
        await mosquitto.start()

        await day.ask(10)
        await day.next_order("drop")
        server.send_signal(signal.SIGKILL)
        await server.wait()
        server = await robots.enter_async_context(serving(file, log))

        await day.ask(DELIVERIES - len(day.accepted))
        left = await until_all_ended(api, FINISH_S)
        alerts = (await api.get("/alerts")).json()
        assert server.returncode is None, log.read_text()
        server.send_signal(signal.SIGTERM)
        assert await server.wait() == 0, log.read_text()

    assert left == [], alerts
    assert "Traceback" not in log.read_text()
    assert heard.contradictions == []
    tasks, endings = in_the_store(tmp_path / "serve.sqlite")
    assert {key: id_ for id_, key, _ in tasks} == day.accepted
    assert len(tasks) == DELIVERIES
    for id_, _, state in tasks:
        ends = {word: endings[id_, f"task_{word}"] for word in ("done", "cancelled", "failed")}
        # one that is cancelled before it has begun has no other end than that it was asked for
        assert ends == {**dict.fromkeys(ends, 0), state: int(state != "cancelled")} or (
            state == "cancelled" and ends == {"done": 0, "cancelled": 1, "failed": 0}
        ), (id_, state, ends)
    states = Counter(state for _, _, state in tasks)
    assert states["cancelled"] <= 5, states
    assert states["done"] >= DELIVERIES - 5, states
    updates = sum(update > 0 for _, _, update in heard.orders)
    assert updates >= DELIVERIES, "ways were extended under way"
    assert heard.instant["cancelOrder"] >= 2, heard.instant
