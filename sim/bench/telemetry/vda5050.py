"""Many VDA 5050 robots heard at once: our bus, inboxes, adapters and roster; they speak elsewhere.

A robot drives one metre a second, so where it says that it is tells when it said so: on Linux all
processes share the monotonic clock.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict

from dispatcher.records.heap import settled
from fleet.bus import Bus, MemoryBus, MqttBus
from fleet.clock import Clock
from fleet.energy import EnergySpec
from fleet.errors import LinkError
from fleet.roster import Roster
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.config import Vda5050Config
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import PlaceId, Site
from routing.sites.site_yaml import loads
from sim.bench.telemetry.figures import Asked, Figures, figures

MANUFACTURER, LEVEL, NODES = "bench", "L1", 12
HEADER = struct.Struct(">HI")
"""Before each message on the speakers' pipe: length of the topic and of the payload."""
ALL_THERE_S, LAST_S = 60.0, 5.0
"""How long to wait for all robots' first words, and for the last ones after the end."""
CHUNK_BYTES = 1 << 16


def measure(asked: Asked) -> Figures:
    """Hear so many robots, and say what that takes.

    Raises:
        LinkError: they could not all be heard.
    """
    found = asyncio.run(_measure(asked))
    if isinstance(found, int):
        raise LinkError(f"only {found} of {asked.vehicles} robots were heard in {ALL_THERE_S:g} s")
    return found


async def _measure(asked: Asked) -> Figures | int:
    """The figures; or how many robots were heard, if that is not all of them."""
    bus = MemoryBus() if asked.broker is None else MqttBus(*asked.broker)
    site, clock = _site(), Clock.starting()
    vehicles = [
        Vda5050Vehicle(_spec(n), bus, config_of(n), site, clock) for n in range(asked.vehicles)
    ]
    roster = Roster(vehicles)
    ear = _Ear(roster)
    async with _running(bus, roster), _speakers(asked, bus) as speakers:
        await speakers.tell("hello")
        await _until(lambda: len(ear.heard) == asked.vehicles and not _waiting(bus), ALL_THERE_S)
        if len(ear.heard) < asked.vehicles:
            return len(ear.heard)
        ear.lags_s.clear()
        with settled():
            began_s, cpu_s = time.perf_counter(), time.process_time()
            await speakers.tell("speak")
            said = await speakers.said
            wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
            await _until(lambda: len(ear.lags_s) >= said, LAST_S)
        return figures(ear.lags_s, said=said, cpu_s=cpu_s, wall_s=wall_s)


class _Ear:
    """Looks at each vehicle that has said something, as the fleet's watch does."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.heard: set[VehicleId] = set()
        self.lags_s: list[float] = []
        roster.watch(self._hear)

    def _hear(self, vehicle: VehicleId) -> None:
        state = self._roster[vehicle].state()
        if state.online and state.position is not None:
            self.heard.add(vehicle)
            self.lags_s.append(time.monotonic() - state.position.point.x_m)


@asynccontextmanager
async def _running(bus: Bus, roster: Roster) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as group:
        works = [
            group.create_task(bus.run(), name="bus.run"),
            group.create_task(roster.run(), name="roster.run"),
        ]
        yield
        for work in works:
            work.cancel()


class _Speakers:
    """The other process: what it is told, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, bus: Bus) -> None:
        self._process, self._bus = process, bus
        self.said: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """How many messages were said in the time that is measured."""

    async def tell(self, word: str) -> None:
        """``hello``: all connect and say how they are; ``speak``: as often as asked."""
        if self._process.stdin is not None:
            self._process.stdin.write(word.encode() + b"\n")
            await self._process.stdin.drain()

    async def run(self) -> None:
        """Take in what it says; what has no topic is for us."""
        rest = b""
        while self._process.stdout is not None:
            read = await self._process.stdout.read(CHUNK_BYTES)
            if not read:
                if not self.said.done():
                    self.said.set_result(0)
                return
            rest = await self._take(rest + read)

    async def _take(self, data: bytes) -> bytes:
        at, length = 0, len(data)
        while length - at >= HEADER.size:
            topic_bytes, payload_bytes = HEADER.unpack_from(data, at)
            middle = at + HEADER.size + topic_bytes
            if length < middle + payload_bytes:
                break
            topic, payload = data[at + HEADER.size : middle], data[middle : middle + payload_bytes]
            if topic:
                await self._bus.publish(topic.decode(), payload)
            else:
                self.said.set_result(int(payload))
            at = middle + payload_bytes
        return data[at:]


@asynccontextmanager
async def _speakers(asked: Asked, bus: Bus) -> AsyncGenerator[_Speakers]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sim.bench.telemetry.vda5050_robots",
        json.dumps(asdict(asked)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    speakers = _Speakers(process, bus)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(speakers.run(), name="speakers.run")
        try:
            yield speakers
        finally:
            work.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _waiting(bus: Bus) -> bool:
    """Whether we have not yet asked all robots how they are."""
    return isinstance(bus, MqttBus) and bus.waiting > 0


async def _until(there: Callable[[], bool], at_most_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            while not there():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def config_of(number: int) -> Vda5050Config:
    """One robot's wire; the same on both of its ends."""
    return Vda5050Config(version="2.1", manufacturer=MANUFACTURER, serial=f"R{number}")


def _site() -> Site:
    nodes = ", ".join(f"n{n}: [{10 * n}, 0]" for n in range(NODES))
    lane = ", ".join(f"n{n}" for n in range(NODES))
    return loads(
        f"""
site: bench
name: {{en: Bench, zh: 基准}}
anchor: {{lat_deg: 30.5, lon_deg: 114.3}}
levels:
  {LEVEL}:
    name: {{en: Level, zh: 层}}
    elevation_m: 0
    nodes: {{{nodes}}}
    places: {{home: {{name: {{en: Home, zh: 家}}, at: [0, 5], joins: [n0], roles: [parking]}}}}
    lanes: [[{lane}]]
""",
        "bench",
    )


def _spec(number: int) -> VehicleSpec:
    return VehicleSpec(
        id=VehicleId(f"R{number}"),
        name=f"Robot {number}",
        medium=Medium.GROUND,
        kind="cart",
        make=MANUFACTURER,
        home=PlaceId("home"),
        speed_m_s=1.0,
        acceleration_m_s2=0.5,
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"general"}),
        skills=frozenset({"carry"}),
        energy=EnergySpec(capacity_wh=500, idle_w=20, move_w=120),
    )
