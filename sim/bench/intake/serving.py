"""From a request to the order that a robot hears: all of a serving dispatcher, and fast robots.

The caller and the robots of the in-memory bus share the dispatcher's process and its processor.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dispatcher.commands.serve import serve_app
from dispatcher.config import Installation, load
from dispatcher.installed import running
from dispatcher.service import Service
from fleet.bus import Bus, MemoryBus, MqttBus
from fleet.clock import Clock
from fleet.errors import LinkError
from fleet.roster import Roster
from fleet.vehicle import VehicleId
from routing.site import Site
from sim.bench.intake.site import written
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World

PATIENCE_S = 60.0
"""Longest wait for an answer, an order, or a robot that has time."""
LOOK_S = 0.002
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured.

    Args:
        p50_ms: from the request's last byte on its socket to the order with its task on the bus.
        per_s: tasks asked for, one after the other by each caller, for each second.
    """

    p50_ms: float
    p99_ms: float
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many tasks, of how many robots, by how many callers at once.

    Args:
        pause_s: how long a caller waits between two tasks.
        broker: host and port; None = all in this process.
    """

    tasks: int
    vehicles: int
    callers: int
    pause_s: float
    broker: tuple[str, int] | None = None


def measure(asked: Asked) -> Figures:
    """Ask for so many deliveries, each when a robot has time, and watch for their orders.

    Raises:
        LinkError: robots or orders did not come.
    """
    with TemporaryDirectory(prefix="wardline-bench-") as folder:
        return asyncio.run(_measure(written(Path(folder), asked.vehicles, asked.broker), asked))


async def _measure(file: Path, asked: Asked) -> Figures:
    installation = load(file)
    bus: Bus = MemoryBus() if asked.broker is None else MqttBus(*asked.broker)
    witness: Bus = bus if asked.broker is None else MqttBus(*asked.broker)
    orders = _Orders()
    witness.subscribe("uagv/v2/+/+/order", orders.hear)
    async with asyncio.TaskGroup() as group:
        works: list[asyncio.Task[None]] = []
        if asked.broker is not None and isinstance(witness, MqttBus):
            works.append(group.create_task(witness.run(), name="witness.run"))
            await witness.connected()
            works.append(group.create_task(_bodies_elsewhere(file, asked.broker), name="bodies"))
        else:
            works += [group.create_task(robot.run()) for robot in _bodies(installation, bus)]
        async with running(installation, bus=bus) as service, _door(service) as port:
            lags_s, wall_s = await _ask(service, port, orders, asked)
        for work in works[1:] if asked.broker else works:
            work.cancel()
            await asyncio.wait([work])
        if isinstance(witness, MqttBus):
            await _leave_nothing(installation, witness)
            works[0].cancel()
    return Figures(
        p50_ms=_ms(lags_s, 50), p99_ms=_ms(lags_s, 99), per_s=round(len(lags_s) / wall_s, 1)
    )


def _ms(lags_s: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(lags_s, percent)) * 1000, 2)


# --- asking


class _Orders:
    """When the first order for each task was heard; its pick names the task."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._news = asyncio.Event()

    def hear(self, topic: str, payload: bytes) -> None:  # noqa: ARG002
        now_s = time.perf_counter()
        order = json.loads(payload)
        for node in order["nodes"]:
            for action in node["actions"]:
                for parameter in action.get("actionParameters") or ():
                    if parameter["key"] == "loadId":
                        self._heard.setdefault(parameter["value"], now_s)
        self._news.set()

    async def of(self, task: str) -> float:
        """When it was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while task not in self._heard:
                self._news.clear()
                await self._news.wait()
        return self._heard[task]


async def _ask(
    service: Service, port: int, orders: _Orders, asked: Asked
) -> tuple[list[float], float]:
    wings = _Wings(service.roster, service.site, asked.vehicles)
    numbers, lags_s = count(), list[float]()

    async def call() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while next(numbers) < asked.tasks:
            await asyncio.sleep(asked.pause_s)
            wing = await wings.free()
            sent_s = time.perf_counter()
            task = await _post(reader, writer, _delivery(wing))
            lags_s.append(await orders.of(task) - sent_s)
        writer.close()

    began_s = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(asked.callers):
                group.create_task(call(), name=f"caller[{number}]")
    except* TimeoutError:
        pass
    if len(lags_s) < asked.tasks:
        heard = f"{len(lags_s)} of {asked.tasks} orders were heard"
        raise LinkError(f"{heard}, then none for {PATIENCE_S:g} s")
    return lags_s, time.perf_counter() - began_s


class _Wings:
    """Which robot has time, each in its turn: it stands at home with nothing to do."""

    def __init__(self, roster: Roster, site: Site, wings: int) -> None:
        self._roster, self._site, self._wings = roster, site, wings
        self._next = 0

    async def free(self) -> int:
        """The wing of a robot that has time, and hasn't been asked for just now."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._is_free(self._next):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
        found, self._next = self._next, (self._next + 1) % self._wings
        return found

    def _is_free(self, wing: int) -> bool:
        vehicle = self._roster[VehicleId(f"C{wing}")]
        state, home = vehicle.state(), self._site.places[vehicle.spec.home].node
        return state.mission is None and state.last_node == home and state.fit


def _delivery(wing: int) -> dict[str, Any]:
    return {
        "kind": "delivery",
        "item": "Box",
        "from": f"east-{wing}",
        "to": f"north-{wing}",
        "mass_kg": 1,
    }


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[str, Any]
) -> str:
    """Ask for a task; returns its id."""
    body = json.dumps(asked).encode()
    writer.write(
        b"POST /api/v1/tasks HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        answer = await reader.readexactly(int(fields["content-length"]))
    if " 201 " not in head[0]:
        raise LinkError(f"{head[0]}: {answer.decode()}")
    return json.loads(answer)["id"]


@asynccontextmanager
async def _door(service: Service) -> AsyncGenerator[int]:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        web = group.create_task(serve_app(service, HOST, port, ready=ready), name="web")
        await ready.wait()
        try:
            yield port
        finally:
            web.cancel()


# --- robots


def _bodies(installation: Installation, bus: Bus) -> Iterator[Vda5050Robot]:
    site, clock = installation.site, Clock.starting()
    world = World(site, seed=0)
    for vehicle in installation.vehicles:
        if vehicle.link.vda5050 is not None:
            spec = vehicle.to_spec()
            body = world.add_ground(spec, site.places[spec.home].node)
            yield Vda5050Robot(body, bus, vehicle.link.vda5050, clock, site)


async def _bodies_elsewhere(file: Path, broker: tuple[str, int]) -> None:
    """The same in a process of their own, on the broker, until cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sim.bench.intake.serving",
        str(file),
        broker[0],
        str(broker[1]),
    )
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _live(file: Path, host: str, port: int) -> None:
    bus = MqttBus(host, port)
    async with asyncio.TaskGroup() as group:
        group.create_task(bus.run(), name="bus.run")
        for robot in _bodies(load(file), bus):
            group.create_task(robot.run(), name=f"robot[{robot.body.spec.id}]")


async def _leave_nothing(installation: Installation, bus: MqttBus) -> None:
    """Have the broker forget that there ever were such robots."""
    for vehicle in installation.vehicles:
        if vehicle.link.vda5050 is not None:
            topic = vehicle.link.vda5050.topic("connection")
            await bus.publish(topic, b"", qos=1, retain=True)
    while bus.waiting:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
