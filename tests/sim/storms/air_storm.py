"""Stories of bad air: two drones at work while links leak, break and are shared with strangers.

A story is drawn from its seed alone. It goes through all of a dispatcher and the real adapter,
in virtual time, and is judged by what the bodies did.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mav

from dispatcher.domain.task import TaskId, TaskState
from fleet.mavlink.datagrams import Datagrams, MemoryDatagrams, Peer, Receiver
from fleet.vehicle import VehicleId
from routing.site import Site
from sim.mavlink.autopilot import MavlinkAutopilot
from sim.running.wires import MemoryWires
from tests.sim.drone_field import SITE
from tests.sim.hospital import MODELS, Hospital, hospital

D1, D2 = VehicleId("D1"), VehicleId("D2")
SYSTEM_ID = {D1: 1, D2: 2}
FLIGHTS_S = 4 * 3600.0
"""The longest that the work of a story may take."""
TROUBLES = (
    "cut_in_guided",
    "cut_in_auto",
    "cut_on_landing",
    "reboot",
    "twin",
    "twin_while_asleep",
    "second_station",
    "dry_streams",
)
VEHICLES = """
vehicles:
  - model: drone
    ids: [D1, D2]
    homes: [dock-1, dock-2]
    docks: [dock-1, dock-2]
    system_ids: [1, 2]
    cruise_agl_m: [40, 60]
"""
BEAT = mav.MAVLink_heartbeat_message(
    mav.MAV_TYPE_QUADROTOR, mav.MAV_AUTOPILOT_ARDUPILOTMEGA, 81, 0, mav.MAV_STATE_STANDBY, 3
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is the matter, and for how long.

    Args:
        ways: which of ``up`` (its words) and ``down`` (ours) a cut link loses.
    """

    seed: int
    loss: float
    delay_s: float
    trouble: str
    lasts_s: float
    ways: frozenset[str]
    tasks: int = 2


def story(seed: int) -> Story:
    """The story of a seed; troubles take turns, the rest is drawn."""
    luck = random.Random(f"air storm:{seed}")
    ways = luck.choice((("up", "down"), ("up", "down"), ("up",), ("down",)))
    return Story(
        seed=seed,
        loss=luck.choice((0.0, 0.1, 0.25)),
        delay_s=luck.choice((0.0, 0.3)),
        trouble=TROUBLES[seed % len(TROUBLES)],
        lasts_s=luck.choice((4.0, 12.0, 40.0, 90.0, 200.0)),
        ways=frozenset(ways),
    )


@dataclass
class Ending:
    """What came of a story, as the bodies and the dispatcher say."""

    story: Story
    flights: int = 0
    struck: bool = False
    """Whether the trouble found its moment."""
    tasks: list[TaskState] = field(default_factory=list[TaskState])
    alerts: set[str] = field(default_factory=set[str])
    """All that were opened: code, and what for."""
    left_open: set[str] = field(default_factory=set[str])
    not_home: list[str] = field(default_factory=list[str])
    took_s: float = 0.0


class StormyWires(MemoryWires):
    """Wires whose air can be cut in one direction, and that strangers share."""

    def __init__(self) -> None:
        super().__init__()
        self.cut: dict[int, frozenset[str]] = {}
        """Which directions are lost, by system id."""
        self.receivers: dict[int, Receiver] = {}
        """What each drone hears with, past all that may be lost."""
        self.before_upload: Callable[[int], None] = _nothing
        """Called with a system id as our upload to it begins."""

    def drone(self, system_id: int) -> Datagrams:
        """A drone's port behind the storm."""
        return _Port(self, super().drone(system_id), system_id)

    def stranger(self, number: int) -> MemoryDatagrams:
        """A port of somebody else."""
        return self._ether.port(("stranger", number))


def _nothing(_: int) -> None:
    pass


class _Port:
    def __init__(self, wires: StormyWires, port: Datagrams, system_id: int) -> None:
        self._wires, self._port, self._system_id = wires, port, system_id

    def receive(self, receiver: Receiver) -> None:
        self._wires.receivers[self._system_id] = receiver

        def take(data: bytes, peer: Peer) -> None:
            if "down" in self._wires.cut.get(self._system_id, ()):
                return
            if data[7] == mav.MAVLINK_MSG_ID_MISSION_COUNT and data[5] == 255:
                self._wires.before_upload(self._system_id)
            receiver(data, peer)

        self._port.receive(take)

    def send(self, data: bytes, peer: Peer) -> None:
        if "up" not in self._wires.cut.get(self._system_id, ()):
            self._port.send(data, peer)

    async def run(self) -> None:
        await self._port.run()


def scenario(folder: Path, autopilot: str = "ardupilot") -> Path:
    """The scenario that all stories play in.

    Args:
        autopilot: of both drones.
    """
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "field.yaml"
    head = "# two drones\nscenario: field\nsite: site.yaml\nduration: 24h\n"
    models = MODELS.replace("{mavlink: {}}", f"{{mavlink: {{autopilot: {autopilot}}}}}")
    path.write_text(head + models + VEHICLES, encoding="utf-8")
    return path


async def play(path: Path, told: Story) -> Ending:
    """Play one story to its end."""
    wires, ending = StormyWires(), Ending(told)
    async with hospital(path, seed=told.seed, wires=wires) as place:
        stage = place.simulation.stage
        for radio in stage.radios.values():
            radio.loss, radio.delay_s = told.loss, told.delay_s
        tasks = [await _task(place, told, number) for number in range(told.tasks)]
        storm = asyncio.create_task(_Storm(place, wires, ending).strike(), name="storm")
        watching = asyncio.create_task(_watch(place, ending), name="watch")
        began_s = asyncio.get_running_loop().time()
        try:
            await place.until(lambda: all(place.task(t).state.ended for t in tasks), FLIGHTS_S)
            await place.until(lambda: storm.done() or not ending.struck, FLIGHTS_S)
            await place.until(lambda: _all_home(place), 3600)
            await asyncio.sleep(60)
        except AssertionError:
            ending.not_home.append("the story did not end")
        ending.took_s = asyncio.get_running_loop().time() - began_s
        for task in (storm, watching):
            task.cancel()
        await asyncio.wait((storm, watching))
        ending.tasks = [place.task(task).state for task in tasks]
        ending.left_open = _open_alerts(place)
        ending.not_home += _away(place)
        wires.cut.clear()
    return ending


async def _task(place: Hospital, told: Story, number: int) -> TaskId:
    origin, to = ("depot", "clinic") if (told.seed + number) % 2 else ("clinic", "depot")
    return await place.deliver(origin, to, item="kit", goods="general", mass_kg=1.0)


async def _watch(place: Hospital, ending: Ending) -> None:
    """Note all alerts, and count the flights."""
    flying: dict[VehicleId, bool] = {}
    while True:
        ending.alerts |= _open_alerts(place)
        for id_, pilot in place.simulation.stage.autopilots.items():
            airborne = pilot.body.airborne
            ending.flights += airborne and not flying.get(id_, False)
            flying[id_] = airborne
        await asyncio.sleep(1)


def _open_alerts(place: Hospital) -> set[str]:
    return {
        f"{alert.code} {alert.facts.get('why', '')}".strip()
        for alert in place.service.alerts()
        if alert.cleared_s is None
    }


def _all_home(place: Hospital) -> bool:
    return not _away(place)


def _away(place: Hospital) -> list[str]:
    pilots, site = place.simulation.stage.autopilots, place.service.site
    return [id_ for id_, pilot in pilots.items() if not _home(pilot, site)]


def _home(pilot: MavlinkAutopilot, site: Site) -> bool:
    """Whether a drone stands on its own pad with its motors off."""
    pad = site.nodes[site.places[pilot.body.spec.home].node].point
    still = not pilot.body.airborne and not pilot.copter.armed
    return still and pad.distance_m(pilot.body.position().point) < 5


class _Storm:
    """Waits for the moment of a story's trouble, and brings it on."""

    def __init__(self, place: Hospital, wires: StormyWires, ending: Ending) -> None:
        self._pilots = place.simulation.stage.autopilots
        self._wires, self._ending, self._story = wires, ending, ending.story

    async def strike(self) -> None:
        """Bring the trouble on, once."""
        await getattr(self, f"_{self._story.trouble}")()

    async def _moment(self, true: Callable[[MavlinkAutopilot], bool]) -> VehicleId:
        while True:
            for id_, pilot in self._pilots.items():
                if true(pilot):
                    self._ending.struck = True
                    return id_
            await asyncio.sleep(0.05)

    async def _cut(self, id_: VehicleId) -> None:
        self._wires.cut[SYSTEM_ID[id_]] = self._story.ways
        await asyncio.sleep(self._story.lasts_s)
        self._wires.cut.pop(SYSTEM_ID[id_], None)

    async def _cut_in_guided(self) -> None:
        guided = mav.COPTER_MODE_GUIDED
        await self._cut(await self._moment(lambda p: p.copter.armed and p.copter.mode == guided))

    async def _cut_in_auto(self) -> None:
        await self._cut(await self._moment(_cruises))

    async def _cut_on_landing(self) -> None:
        landing = mav.MAV_LANDED_STATE_LANDING
        await self._cut(await self._moment(lambda p: p.copter.flight.landed_state == landing))

    async def _reboot(self) -> None:
        self._pilots[await self._moment(_cruises)].reboot()

    async def _twin(self) -> None:
        await self._claim(await self._moment(_cruises))

    async def _twin_while_asleep(self) -> None:
        await asyncio.sleep(1)
        self._ending.struck = True
        await self._claim(D1 if not self._pilots[D1].powered else D2)

    async def _claim(self, id_: VehicleId) -> None:
        """Another drone says that it is this one."""
        port, packer = self._wires.stranger(1), mav.MAVLink(None, SYSTEM_ID[id_], 1)
        for _ in range(int(max(20.0, self._story.lasts_s))):
            port.send(BEAT.pack(packer), self._wires.ground_station)
            await asyncio.sleep(1)

    async def _second_station(self) -> None:
        """Begins an upload of its own in the moment before ours, and does not go on with it."""
        packer = mav.MAVLink(None, 245, 190)
        ports = {1: self._wires.stranger(2), 2: self._wires.stranger(3)}
        came = asyncio.Event()

        def begin(system_id: int) -> None:
            if not came.is_set():
                came.set()
                self._ending.struck = True
                count = mav.MAVLink_mission_count_message(system_id, 1, 3, 0)
                self._wires.receivers[system_id](count.pack(packer), ports[system_id].address)

        self._wires.before_upload = begin
        await came.wait()

    async def _dry_streams(self) -> None:
        """Another station switches all streams off, as often as MAVProxy asks for its own."""
        id_ = await self._moment(_cruises)
        port, packer = self._wires.stranger(4), mav.MAVLink(None, 255, 230)
        stop = mav.MAVLink_request_data_stream_message(SYSTEM_ID[id_], 1, 0, 0, 0)
        for _ in range(6):
            port.send(stop.pack(packer), ("127.0.0.1", 14600 + SYSTEM_ID[id_]))
            await asyncio.sleep(15)


def _cruises(pilot: MavlinkAutopilot) -> bool:
    return pilot.copter.mode == mav.COPTER_MODE_AUTO and pilot.body.velocity()[1] > 5
