"""Many drones heard at once over real UDP: our ports, parsers, adapters and roster.

The drones speak from another process, each from a port of its own, in networks of at most 250:
a network has no more system ids. A drone's height tells when it said so, for on Linux all
processes share the monotonic clock.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

from dispatcher.records.heap import settled
from fleet.energy import EnergySpec
from fleet.errors import LinkError
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.config import MavlinkConfig, Rates
from fleet.mavlink.datagrams import UdpDatagrams
from fleet.mavlink.link import MavlinkLink
from fleet.roster import Roster
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import NodeId, PlaceId
from routing.sites.site_yaml import loads
from sim.bench.telemetry.figures import Asked, Figures, figures
from sim.bench.telemetry.mavlink_drones import PER_NETWORK, STAMPS_PER_S, Speech, speak

ALL_THERE_S, LAST_S = 120.0, 1.0
"""How long to wait for all drones' first words; how long a silence after the end is the end."""
SETTLED_S = 3.0
"""From the last drone's first word to the measurement: they are asked for their streams."""

_SITE = """
site: bench
name: {en: Bench, zh: 基准}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055, bearing_deg: 0}
levels:
  L0:
    name: {en: Outdoors, zh: 室外}
    elevation_m: 0.0
    outdoors: true
    places:
      pad: {name: {en: Pad, zh: 起降点}, kind: pad, at: [0, 0], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-5000, -5000], [5000, -5000], [5000, 5000], [-5000, 5000]]
"""


def measure(asked: Asked) -> Figures:
    """Hear so many drones, and say what that takes.

    Raises:
        LinkError: they could not all be heard.
    """
    return asyncio.run(_measure(asked))


async def _measure(asked: Asked) -> Figures:
    networks = -(-asked.vehicles // PER_NETWORK)
    ports = [UdpDatagrams(port=0) for _ in range(networks)]
    links = [MavlinkLink(port) for port in ports]
    ear = _Ear(Roster(_drones(asked, links)))
    tasks = [asyncio.create_task(link.run(), name="bench.link") for link in links]
    tasks.append(asyncio.create_task(ear.roster.run(), name="bench.roster"))
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            return await _listen(asked, ear, [await port.opened() for port in ports], process)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _listen(
    asked: Asked, ear: "_Ear", ports: Sequence[int], process: ProcessPoolExecutor
) -> Figures:
    """Tell the drones to speak a fixed time, and measure while they all do."""
    speech = Speech(
        ports=tuple(ports),
        drones=asked.vehicles,
        hz=asked.hz,
        lasts_s=2 * SETTLED_S + asked.seconds + asked.vehicles / 500,
        epoch_s=ear.epoch_s,
    )
    speaking = asyncio.get_running_loop().run_in_executor(process, speak, speech)
    give_up_s = time.monotonic() + ALL_THERE_S
    while len(ear.heard) < asked.vehicles:
        if speaking.done() or time.monotonic() > give_up_s:
            raise LinkError(f"only {len(ear.heard)} of {asked.vehicles} drones were heard")
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLED_S)
    with settled():
        ear.from_s = time.monotonic()
        began_s, cpu_s = time.perf_counter(), time.process_time()
        await asyncio.sleep(asked.seconds)
        wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    until_s = ear.from_s + asked.seconds
    said = await speaking
    await ear.silence(LAST_S)
    wanted = [one for one in said if ear.from_s <= one < until_s]
    return figures(ear.lags_until(until_s), said=len(wanted), cpu_s=cpu_s, wall_s=wall_s)


class _Ear:
    """Reads each drone's new state as soon as its adapter tells of one."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.epoch_s = time.monotonic()
        self.from_s = float("inf")
        self.heard: dict[VehicleId, float] = {}
        self._lags: list[tuple[float, float]] = []
        roster.watch(self._hear)

    def lags_until(self, until_s: float) -> list[float]:
        """Of all that was said from the beginning of the measurement until a moment."""
        return [lag_s for said_s, lag_s in self._lags if self.from_s <= said_s < until_s]

    async def silence(self, seconds: float) -> None:
        """Wait until nothing more has come in for so long."""
        heard = -1
        while heard != len(self._lags):
            heard = len(self._lags)
            await asyncio.sleep(seconds)

    def _hear(self, vehicle: VehicleId) -> None:
        position = self.roster[vehicle].state().position
        if position is None or self.heard.get(vehicle) == position.height_agl_m:
            return
        self.heard[vehicle] = position.height_agl_m
        said_s = self.epoch_s + position.height_agl_m * 1000 / STAMPS_PER_S
        self._lags.append((said_s, time.monotonic() - said_s))


def _drones(asked: Asked, links: Sequence[MavlinkLink]) -> list[MavlinkVehicle]:
    site = loads(_SITE)
    home = site.nodes[NodeId("pad")]
    return [
        MavlinkVehicle(
            _spec(number),
            links[number // PER_NETWORK],
            MavlinkConfig(system_id=number % PER_NETWORK + 1, rates=rates_of(asked.hz)),
            site.frame,
            home=home,
        )
        for number in range(asked.vehicles)
    ]


def rates_of(hz: float) -> Rates:
    """How often a drone is asked for what, if its position is wanted ``hz`` times a second."""
    return Rates(position_hz=hz, landed_state_hz=hz / 2, status_hz=hz / 5, mission_hz=hz / 5)


def _spec(number: int) -> VehicleSpec:
    return VehicleSpec(
        id=VehicleId(f"D{number}"),
        name=f"D{number}",
        medium=Medium.AIR,
        kind="multirotor",
        make="bench",
        home=PlaceId("pad"),
        speed_m_s=12.0,
        acceleration_m_s2=2.5,
        width_m=1.0,
        length_m=1.0,
        payload_g=0,
        payload_ml=0,
        load_types=frozenset(),
        skills=frozenset(),
        energy=EnergySpec(capacity_wh=400.0, idle_w=10.0, move_w=600.0),
    )
