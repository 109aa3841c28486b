"""A foreign client flies our simulated autopilot over a real UDP port: MAVSDK, and MAVProxy."""

import asyncio
import contextlib
import importlib
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
import pytest_asyncio

from fleet.energy import EnergySpec
from fleet.mavlink.datagrams import UdpDatagrams
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import NodeId, PlaceId
from routing.sites.site_yaml import loads
from sim.loops import ScaledLoop, run
from sim.mavlink.autopilot import AutopilotConfig, MavlinkAutopilot
from sim.world.multirotor import Multirotor
from sim.world.world import World

pytestmark = pytest.mark.real

T = TypeVar("T")
Kind = Literal["ardupilot", "px4"]

HOLD = 3
"""MAVSDK's number of the mode."""
WAYPOINT, LAND, TAKEOFF, RELATIVE = 16, 21, 22, 6
"""Mission commands, and the frame of heights above home."""

SPEED = 6.0
"""The autopilot's clock against the client's."""

SITE = loads(
    """
site: meadow
name: {en: Meadow, zh: 草地}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055, bearing_deg: 0}
levels:
  L0:
    name: {en: Outdoors, zh: 室外}
    elevation_m: 0.0
    outdoors: true
    places:
      dock-1: {name: {en: Dock, zh: 机库}, kind: dock, at: [0, 0], roles: [pad, charger]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-500, -500], [500, -500], [500, 500], [-500, 500]]
"""
)

SPEC = VehicleSpec(
    id=VehicleId("D1"),
    name="Swift",
    medium=Medium.AIR,
    kind="multirotor",
    make="test",
    home=PlaceId("dock-1"),
    speed_m_s=12.0,
    acceleration_m_s2=2.5,
    width_m=1.0,
    length_m=1.0,
    payload_g=3000,
    payload_ml=8000,
    load_types=frozenset({"general"}),
    skills=frozenset({"carry"}),
    energy=EnergySpec(capacity_wh=400.0, idle_w=10.0, move_w=600.0),
)


class Drone(threading.Thread):
    """Simulated drones in a loop of their own, whose clock runs faster than the client's.

    Each speaks from a port of its own; ``autopilot`` is the first.
    """

    def __init__(
        self,
        ground_port: int,
        *,
        count: int = 1,
        kind: Kind = "ardupilot",
    ) -> None:
        super().__init__(name="drone")
        self.autopilots: list[MavlinkAutopilot] = []
        self._ground_port, self._count = ground_port, count
        self._kind: Kind = kind
        self._loop = ScaledLoop(SPEED)
        self._ending: asyncio.Event | None = None
        self._up = threading.Event()

    def run(self) -> None:
        run(self._fly(), self._loop)

    def point(self) -> Point:
        return self.ask(lambda autopilot: autopilot.body.position().point)

    def airborne(self) -> bool:
        return self.ask(lambda autopilot: autopilot.body.airborne)

    def ask(self, question: Callable[[MavlinkAutopilot], T], number: int = 0) -> T:
        """What is true of one of them."""

        async def answer() -> T:
            return question(self.autopilots[number])

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(5)

    def end(self) -> None:
        self._up.wait(10)
        assert self._ending is not None
        self._loop.call_soon_threadsafe(self._ending.set)
        self.join(10)

    async def _fly(self) -> None:
        self._ending = asyncio.Event()
        world, flying = World(SITE, seed=1), list[asyncio.Task[None]]()
        for number in range(1, self._count + 1):
            body = Multirotor(world, replace(SPEC, id=VehicleId(f"D{number}")), NodeId("dock-1"))
            config = AutopilotConfig(
                system_id=number,
                ground=(("127.0.0.1", self._ground_port),),
                autopilot=self._kind,
            )
            port = UdpDatagrams("127.0.0.1", 0)
            self.autopilots.append(MavlinkAutopilot(body, port, config, SITE.frame))
            flying.append(asyncio.create_task(self.autopilots[-1].run()))
        self._up.set()
        await self._ending.wait()
        for task in flying:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def ground_port() -> int:
    return free_port()


@pytest.fixture
def drone(ground_port: int) -> Iterator[Drone]:
    thread = Drone(ground_port)
    thread.start()
    try:
        yield thread
    finally:
        thread.end()


def part(name: str) -> Any:
    """A module of MAVSDK's asyncio binding."""
    try:
        return importlib.import_module(f"mavsdk.asyncio.{name}")
    except ImportError:
        pytest.skip("needs MAVSDK 4: pip install 'mavsdk>=4.1,<5'")


@pytest_asyncio.fixture
async def system(drone: Drone, ground_port: int) -> AsyncIterator[Any]:
    async for found in connected(ground_port):
        yield found


async def connected(ground_port: int) -> AsyncIterator[Any]:
    """The first autopilot that MAVSDK sees."""
    mavsdk = part("mavsdk")
    kind = importlib.import_module("mavsdk.component_type").ComponentType.GROUND_STATION
    config = mavsdk.Configuration.create_with_component_type(kind)
    async with mavsdk.Mavsdk(config) as library:
        await library.add_any_connection(f"udpin://127.0.0.1:{ground_port}")
        found = await library.first_autopilot(timeout_s=15.0)
        assert found is not None, "MAVSDK sees no autopilot"
        yield found


async def first(stream: Any, true: Callable[[Any], bool], within_s: float = 40.0) -> Any:
    """The first value of a telemetry stream that is as wanted."""
    async with asyncio.timeout(within_s):
        async for value in stream:
            if true(value):
                return value
    raise AssertionError("the stream ended")


async def ready(telemetry: Any) -> None:
    """Ask for the streams, as every client of ArduPilot must, and wait for a healthy drone."""
    await telemetry.set_rate_position(4.0)
    await telemetry.set_rate_health(2.0)
    await telemetry.set_rate_home(1.0)
    await telemetry.set_rate_landed_state(2.0)
    assert await first(telemetry.subscribe_health_all_ok(), bool)


async def retried(step: Callable[[], Coroutine[Any, Any, None]], error: type[Exception]) -> None:
    """Do something that the drone refuses until it is ready."""
    for _ in range(20):
        try:
            return await step()
        except error:
            await asyncio.sleep(0.5)
    return await step()


async def test_mavsdk_connects_arms_takes_off_goes_and_lands(system: Any, drone: Drone) -> None:
    telemetry = part("plugins.telemetry").TelemetryAsync(system)
    actions = part("plugins.action")
    action = actions.ActionAsync(system)
    await ready(telemetry)
    home = await first(telemetry.subscribe_home(), lambda h: h.latitude_deg != 0)
    await action.set_takeoff_altitude(15.0)
    await retried(action.arm, actions.ActionError)
    await action.takeoff()
    await first(telemetry.subscribe_position(), lambda p: p.relative_altitude_m > 14)
    await action.goto_location(
        home.latitude_deg + 0.0005, home.longitude_deg, home.absolute_altitude_m + 20, 0
    )
    await first(
        telemetry.subscribe_position(), lambda p: p.latitude_deg > home.latitude_deg + 0.00049
    )
    await action.land()
    await first(telemetry.subscribe_armed(), lambda armed: not armed)
    assert not drone.airborne()
    assert drone.point().y_m == pytest.approx(55.5, abs=1.5)


async def test_mavsdk_reads_and_sets_parameters(system: Any, drone: Drone) -> None:
    params = part("plugins.param").ParamAsync(system)
    assert await params.get_param_float("FS_GCS_TIMEOUT") == 5.0
    assert await params.get_param_int("RTL_ALT") == 1500
    await params.set_param_int("RTL_ALT", 3000)
    assert await params.get_param_int("RTL_ALT") == 3000
    assert drone.ask(lambda autopilot: autopilot.params["RTL_ALT"]) == 3000
    listed = await params.get_all_params()
    assert {"FENCE_ENABLE", "BATT_FS_LOW_ACT"} <= {one.name for one in listed.int_params}


async def test_mavsdk_sets_a_fence_is_refused_beyond_it_and_returns(
    system: Any, drone: Drone
) -> None:
    telemetry = part("plugins.telemetry").TelemetryAsync(system)
    actions, fences = part("plugins.action"), part("plugins.geofence")
    action, fence = actions.ActionAsync(system), fences.GeofenceAsync(system)
    await ready(telemetry)
    home = await first(telemetry.subscribe_home(), lambda h: h.latitude_deg != 0)
    lat, lon, side = home.latitude_deg, home.longitude_deg, 0.001
    around = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    corners = [fences.Point(lat + a * side, lon + b * side) for a, b in around]
    polygon = fences.Polygon(corners, fences.FenceType.INCLUSION)
    await fence.upload_geofence(fences.GeofenceData([polygon], []))
    assert drone.ask(lambda autopilot: len(autopilot.copter.fence.items())) == 4
    held = await fence.download_geofence()
    assert len(held.polygons[0].points) == 4
    await action.set_takeoff_altitude(15.0)
    await retried(action.arm, actions.ActionError)
    await action.takeoff()
    await first(telemetry.subscribe_position(), lambda p: p.relative_altitude_m > 14)
    height_m = home.absolute_altitude_m + 20
    with pytest.raises(actions.ActionError):
        await action.goto_location(lat + 2 * side, lon, height_m, 0)
    await action.goto_location(lat + side / 2, lon, height_m, 0)
    await first(telemetry.subscribe_position(), lambda p: p.latitude_deg > lat + 0.49 * side)
    await action.return_to_launch()
    await first(telemetry.subscribe_armed(), lambda armed: not armed, 60)
    assert drone.point().distance_m(Point(0, 0)) < 2


SWARM = 20


@pytest.fixture
def swarm(ground_port: int) -> Iterator[Drone]:
    thread = Drone(ground_port, count=SWARM)
    thread.start()
    try:
        yield thread
    finally:
        thread.end()


async def test_mavsdk_finds_twenty_drones_on_one_port_and_flies_one(
    swarm: Drone, ground_port: int
) -> None:
    """It sends each message to all of them; only who is meant obeys."""
    mavsdk, actions = part("mavsdk"), part("plugins.action")
    kind = importlib.import_module("mavsdk.component_type").ComponentType.GROUND_STATION
    config = mavsdk.Configuration.create_with_component_type(kind)
    async with mavsdk.Mavsdk(config) as library:
        await library.add_any_connection(f"udpin://127.0.0.1:{ground_port}")
        async with asyncio.timeout(20):
            while len(await library.get_systems()) < SWARM:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        systems = {await one.get_system_id(): one for one in await library.get_systems()}
        assert sorted(systems) == list(range(1, SWARM + 1))
        telemetry = part("plugins.telemetry").TelemetryAsync(systems[7])
        action = actions.ActionAsync(systems[7])
        await ready(telemetry)
        await action.set_takeoff_altitude(15.0)
        await retried(action.arm, actions.ActionError)
        await action.takeoff()
        await first(telemetry.subscribe_position(), lambda p: p.relative_altitude_m > 14)
        flying = [n + 1 for n in range(SWARM) if swarm.ask(lambda a: a.body.airborne, n)]
        assert flying == [7]
        await action.land()
        await first(telemetry.subscribe_armed(), lambda armed: not armed)


async def test_mavsdk_uploads_reads_back_and_flies_a_mission(system: Any, drone: Drone) -> None:
    telemetry = part("plugins.telemetry").TelemetryAsync(system)
    actions, missions = part("plugins.action"), part("plugins.mission_raw")
    action, mission = actions.ActionAsync(system), missions.MissionRawAsync(system)
    await ready(telemetry)
    home = await first(telemetry.subscribe_home(), lambda h: h.latitude_deg != 0)

    def item(command: int, north_e7: int, east_e7: int, z: float) -> Any:
        return missions.MissionItem(
            seq=len(items),
            frame=RELATIVE,
            command=command,
            current=int(not items),
            autocontinue=1,
            x=round(home.latitude_deg * 1e7) + north_e7,
            y=round(home.longitude_deg * 1e7) + east_e7,
            z=z,
        )

    items: list[Any] = []
    for command, north, east, height in (
        (WAYPOINT, 0, 0, 0),
        (TAKEOFF, 0, 0, 20),
        (WAYPOINT, 4000, 0, 20),
        (WAYPOINT, 4000, 4000, 20),
        (LAND, 4000, 4000, 0),
    ):
        items.append(item(command, north, east, height))
    await mission.upload_mission(items)
    held = await mission.download_mission()
    assert [item.command for item in held] == [WAYPOINT, TAKEOFF, WAYPOINT, WAYPOINT, LAND]
    await retried(lambda: fly(action, mission), actions.ActionError)
    await first(mission.subscribe_mission_progress(), lambda p: p.current >= 3, 60)
    await first(telemetry.subscribe_armed(), lambda armed: not armed, 60)
    assert drone.point().distance_m(Point(38.3, 44.4)) < 2


async def fly(action: Any, mission: Any) -> None:
    """Off the ground in GUIDED, then on with the mission."""
    await action.arm()
    await action.takeoff()
    await mission.start_mission()


@pytest.fixture
def px4(ground_port: int) -> Iterator[Drone]:
    """A drone that speaks as a PX4; MAVSDK was made for those."""
    thread = Drone(ground_port, kind="px4")
    thread.start()
    try:
        yield thread
    finally:
        thread.end()


@pytest_asyncio.fixture
async def px4_system(px4: Drone, ground_port: int) -> AsyncIterator[Any]:
    async for found in connected(ground_port):
        yield found


async def test_mavsdk_flies_a_px4_holds_goes_and_returns(px4_system: Any, px4: Drone) -> None:
    telemetry = part("plugins.telemetry").TelemetryAsync(px4_system)
    actions = part("plugins.action")
    action = actions.ActionAsync(px4_system)
    await ready(telemetry)
    home = await first(telemetry.subscribe_home(), lambda h: h.latitude_deg != 0)
    await action.set_takeoff_altitude(15.0)
    await retried(action.arm, actions.ActionError)
    await action.takeoff()
    await first(telemetry.subscribe_position(), lambda p: p.relative_altitude_m > 14)
    north = home.latitude_deg + 0.0009
    await action.goto_location(north, home.longitude_deg, home.absolute_altitude_m + 30, 0)
    await first(telemetry.subscribe_position(), lambda p: p.relative_altitude_m > 29)
    await first(telemetry.subscribe_position(), lambda p: p.latitude_deg > north - 0.00001)
    await action.hold()
    await first(telemetry.subscribe_flight_mode(), lambda mode: int(mode) == HOLD)
    await action.return_to_launch()
    await first(telemetry.subscribe_armed(), lambda armed: not armed, 60)
    assert px4.point().distance_m(Point(0, 0)) < 2


async def test_mavsdk_reads_and_sets_the_parameters_of_a_px4(px4_system: Any, px4: Drone) -> None:
    params = part("plugins.param").ParamAsync(px4_system)
    assert await params.get_param_int("NAV_RCL_ACT") == 2
    assert await params.get_param_float("RTL_RETURN_ALT") == 60.0
    await params.set_param_int("NAV_DLL_ACT", 2)
    assert await params.get_param_int("NAV_DLL_ACT") == 2
    assert px4.ask(lambda autopilot: autopilot.params["NAV_DLL_ACT"]) == 2


async def test_mavsdk_uploads_a_mission_to_a_px4_and_flies_it(px4_system: Any, px4: Drone) -> None:
    """Without a home item, and paused on the way."""
    telemetry = part("plugins.telemetry").TelemetryAsync(px4_system)
    actions, missions = part("plugins.action"), part("plugins.mission_raw")
    action, mission = actions.ActionAsync(px4_system), missions.MissionRawAsync(px4_system)
    await ready(telemetry)
    home = await first(telemetry.subscribe_home(), lambda h: h.latitude_deg != 0)
    rows = ((TAKEOFF, 0, 0, 20), (WAYPOINT, 4000, 0, 20), (WAYPOINT, 4000, 4000, 20))
    items = [
        missions.MissionItem(
            seq=seq,
            frame=RELATIVE,
            command=command,
            current=int(not seq),
            autocontinue=1,
            x=round(home.latitude_deg * 1e7) + north_e7,
            y=round(home.longitude_deg * 1e7) + east_e7,
            z=height_m,
        )
        for seq, (command, north_e7, east_e7, height_m) in enumerate((*rows, (LAND, 4000, 4000, 0)))
    ]
    await mission.upload_mission(items)
    held = await mission.download_mission()
    assert [item.command for item in held] == [TAKEOFF, WAYPOINT, WAYPOINT, LAND]
    await retried(action.arm, actions.ActionError)
    await mission.start_mission()
    await first(mission.subscribe_mission_progress(), lambda p: p.current >= 1, 60)
    await mission.pause_mission()
    await becomes(px4, lambda autopilot: autopilot.body.velocity() == (0, 0, 0))
    await mission.start_mission()
    await first(telemetry.subscribe_armed(), lambda armed: not armed, 60)
    assert px4.point().distance_m(Point(38.3, 44.4)) < 2


class MavProxy:
    """MAVProxy at its prompt."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said = ""

    async def told(self, command: str, answer: str) -> None:
        """Type a command, if there is any, and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        async with asyncio.timeout(30):
            while answer not in self._said:
                piece = await self._process.stdout.read(4096)
                assert piece, f"MAVProxy has ended: {self._said}"
                self._said += piece.decode(errors="replace")
        self._said = self._said.split(answer, 1)[1]


@pytest_asyncio.fixture
async def mavproxy(drone: Drone, ground_port: int, tmp_path: Path) -> AsyncIterator[MavProxy]:
    program = Path(sys.executable).parent / "mavproxy.py"
    if not program.exists():
        pytest.skip("needs MAVProxy: pip install mavproxy")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        f"--master=udpin:127.0.0.1:{ground_port}",
        "--no-state",
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield MavProxy(process)
    finally:
        process.kill()
        await process.wait()


async def becomes(drone: Drone, true: Callable[[MavlinkAutopilot], bool]) -> None:
    """Wait until something is true of the drone, which tells nobody."""
    async with asyncio.timeout(30):
        while not drone.ask(true):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_mavproxy_flies_it_from_its_prompt(mavproxy: MavProxy, drone: Drone) -> None:
    await mavproxy.told("", "online system 1")
    await becomes(drone, lambda autopilot: autopilot.copter.estimate.known)
    await mavproxy.told("mode GUIDED", "Mode GUIDED")
    await mavproxy.told("arm throttle", "ARMED")
    await mavproxy.told("takeoff 15", "NAV_TAKEOFF: ACCEPTED")
    await asyncio.sleep(15 / SPEED)
    assert drone.airborne()
    await mavproxy.told("mode RTL", "Mode RTL")
    await mavproxy.told("", "DISARMED")
    assert not drone.airborne()


async def test_mavproxy_brings_a_mission_and_a_fence_up_and_down(
    mavproxy: MavProxy, drone: Drone, tmp_path: Path
) -> None:
    anchor = SITE.frame.to_geo(Point(0, 0))
    lat, lon = anchor.lat_deg, anchor.lon_deg
    rows = (
        (0, WAYPOINT, 0, 0, 0),
        (3, TAKEOFF, 0, 0, 20),
        (3, WAYPOINT, 0.0004, 0, 20),
        (3, LAND, 0.0004, 0, 0),
    )
    zeros = "0\t0\t0\t0"
    lines = [
        f"{seq}\t{int(not seq)}\t{frame}\t{command}\t{zeros}\t{lat + north}\t{lon + east}\t{up}\t1"
        for seq, (frame, command, north, east, up) in enumerate(rows)
    ]
    plan, back = tmp_path / "plan.txt", tmp_path / "back.txt"
    plan.write_text("\n".join(["QGC WPL 110", *lines]) + "\n")
    await mavproxy.told("", "online system 1")
    await becomes(drone, lambda autopilot: autopilot.copter.estimate.known)
    await mavproxy.told(f"wp load {plan}", "Loaded 4 waypoints in")
    await mavproxy.told("wp list", f"{LAND} 3 30.")
    await mavproxy.told(f"wp save {back}", "Saved 4 waypoints")
    assert [line.split()[3] for line in back.read_text().splitlines()[1:]] == [
        str(command) for _, command, *_ in rows
    ]
    around = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    corners = [
        f"{seq}\t0\t0\t5001\t4\t0\t0\t0\t{lat + a * 0.001}\t{lon + b * 0.001}\t0\t1"
        for seq, (a, b) in enumerate(around)
    ]
    plan.write_text("\n".join(["QGC WPL 110", *corners]) + "\n")
    await mavproxy.told(f"fence load {plan}", "Loaded 4 fence")
    await mavproxy.told("", "Loaded 4 fence items in")
    await becomes(drone, lambda autopilot: len(autopilot.copter.fence.items()) == 4)
    await mavproxy.told("param set FENCE_ENABLE 1", "FENCE_ENABLE")
    await mavproxy.told("mode GUIDED", "Mode GUIDED")
    await mavproxy.told("arm throttle", "ARMED")
    await mavproxy.told("long MISSION_START", "MISSION_START: ACCEPTED")
    await mavproxy.told("", "DISARMED")
    assert drone.point().y_m == pytest.approx(44.4, abs=1.5)
