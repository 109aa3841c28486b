"""A meadow with a dock and a clinic, one simulated drone, and us on the other end of the wire."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.bus import MemoryBus
from fleet.dock import Dock
from fleet.energy import EnergySpec
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.config import MavlinkConfig
from fleet.mavlink.datagrams import MemoryEther, Peer
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Message, Parser
from fleet.mission import Action, Mission, MissionId, Waypoint
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import NodeId, PlaceId, Site
from routing.site_yaml import loads
from sim.dock import DockMachine
from sim.mavlink_autopilot import AutopilotConfig, MavlinkAutopilot
from sim.multirotor import Multirotor
from sim.world import World

GROUND: Peer = ("ground", 14550)
DRONE: Peer = ("drone", 14551)

SITE = """
site: meadow
name: {en: Meadow, zh: 草地}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055, bearing_deg: 20}
levels:
  L0:
    name: {en: Outdoors, zh: 室外}
    elevation_m: 0.0
    outdoors: true
    places:
      dock-1: {name: {en: Dock, zh: 机库}, kind: dock, at: [0, 0], roles: [pad, charger]}
      clinic: {name: {en: Clinic, zh: 诊所}, kind: pad, at: [900, 400], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-500, -500], [2000, -500], [2000, 2000], [-500, 2000]]
"""

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
    energy=EnergySpec(
        capacity_wh=400.0, idle_w=10.0, move_w=600.0, climb_w=800.0, hover_w=650.0, charge_w=800.0
    ),
)


@dataclass
class Meadow:
    """One drone in its dock, and us."""

    site: Site
    world: World
    ether: MemoryEther
    bus: MemoryBus
    link: MavlinkLink
    body: Multirotor
    autopilot: MavlinkAutopilot
    drone: MavlinkVehicle
    heard: list[Message] = field(default_factory=list[Message])
    """All that the drone has sent to us."""
    told: list[Message] = field(default_factory=list[Message])
    """All that we have sent to the drone."""

    def route(self, *places: str, height_m: float = 50.0) -> tuple[Waypoint, ...]:
        nodes = [self.site.nodes[NodeId(place)] for place in places]
        heights = [0.0, *[height_m] * (len(nodes) - 1)]
        return tuple(
            Waypoint(node=node.id, level=node.level, point=node.point, height_agl_m=height)
            for node, height in zip(nodes, heights, strict=True)
        )

    def flight(self, *places: str, name: str = "M1", actions: tuple[Action, ...] = ()) -> Mission:
        return Mission(id=MissionId(name), route=self.route(*places), actions=actions)

    def commands(self) -> list[int]:
        return [m.command for m in self.told if isinstance(m, mav.MAVLink_command_long_message)]

    async def until(self, true: Callable[[], bool], within_s: float = 600.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - bodies tell nobody
                await asyncio.sleep(0.1)


@asynccontextmanager
async def meadow(
    *,
    docked: bool = True,
    charge_ratio: float = 1.0,
    lost: Callable[[bytes, Peer, Peer], bool] | None = None,
    params: dict[str, float] | None = None,
) -> AsyncGenerator[Meadow, None]:
    site = loads(SITE)
    world, bus, ether = World(site, seed=1), MemoryBus(), MemoryEther(lost)
    body = Multirotor(world, SPEC, NodeId("dock-1"), charge_ratio=charge_ratio)
    config = AutopilotConfig(system_id=7, ground=(GROUND,), params=params or {})
    autopilot = MavlinkAutopilot(body, ether.port(DRONE), config, site.frame, powered=not docked)
    link = MavlinkLink(ether.port(GROUND))
    scene = Meadow(
        site, world, ether, bus, link, body, autopilot, new_adapter(site, link, bus, docked)
    )
    listen_in(scene, lost)
    dock = DockMachine(bus, "dock-1", autopilot, site.nodes[NodeId("dock-1")].point)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(autopilot.run(), name="autopilot"),
            group.create_task(link.run(), name="link"),
            group.create_task(scene.drone.run(), name="drone"),
        ]
        if docked:
            tasks.append(group.create_task(dock.run(), name="dock"))
        await asyncio.sleep(0)
        yield scene
        for task in tasks:
            task.cancel()


def new_adapter(site: Site, link: MavlinkLink, bus: MemoryBus, docked: bool) -> MavlinkVehicle:
    return MavlinkVehicle(
        SPEC,
        link,
        MavlinkConfig(system_id=7),
        site.frame,
        home=site.nodes[NodeId("dock-1")],
        pads=list(site.nodes.values()),
        dock=Dock(bus, "dock-1") if docked else None,
    )


def listen_in(scene: Meadow, lost: Callable[[bytes, Peer, Peer], bool] | None) -> None:
    up, down = Parser(), Parser()

    def tap(data: bytes, sender: Peer, receiver: Peer) -> bool:
        heard = up if sender == DRONE else down
        (scene.heard if sender == DRONE else scene.told).extend(heard.messages(data))
        return lost is not None and lost(data, sender, receiver)

    scene.ether.lost = tap
