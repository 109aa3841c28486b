"""A meadow with a dock and a clinic, one simulated drone, and us on the other end of the wire."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.bus import MemoryBus
from fleet.connect import needs_on
from fleet.dock import Dock
from fleet.energy import EnergySpec
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.commands import mav_text
from fleet.mavlink.config import MavlinkConfig, Safety
from fleet.mavlink.datagrams import MemoryDatagrams, MemoryEther, Peer
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Message, Parser
from fleet.mission import Action, Clearance, Mission, MissionId, Outcome, Waypoint
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import NodeId, PlaceId, Site
from routing.sites.site_yaml import loads
from sim.mavlink.autopilot import AutopilotConfig, MavlinkAutopilot
from sim.mavlink.dock import DockMachine
from sim.world.multirotor import Multirotor
from sim.world.world import World

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
      field: {name: {en: Field, zh: 田野}, kind: pad, at: [100, 700], roles: [pad]}
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


def meadow_site() -> Site:
    return loads(SITE)


Kind = Literal["ardupilot", "px4"]
"""Which autopilot flies."""
Lost = Callable[[Message, Peer], bool]
"""Whether a message gets lost, by its receiver."""


@dataclass
class Meadow:
    """One drone in its dock, and us."""

    site: Site
    world: World
    ether: MemoryEther
    bus: MemoryBus
    group: asyncio.TaskGroup
    docked: bool
    body: Multirotor
    autopilot: MavlinkAutopilot
    our_port: MemoryDatagrams
    safety: Safety | None
    link: MavlinkLink
    drone: MavlinkVehicle
    lost: Lost | None = None
    heard: list[Message] = field(default_factory=list[Message])
    """All that the drone has sent."""
    told: list[Message] = field(default_factory=list[Message])
    """All that has been sent to the drone."""
    ours: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    theirs: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def route(self, *places: str, height_m: float = 50.0) -> tuple[Waypoint, ...]:
        """From place to place; in between at a height of its own layer."""
        nodes = [self.site.nodes[NodeId(place)] for place in places]
        heights = [0.0, *[height_m] * (len(nodes) - 2), 0.0]
        return tuple(
            Waypoint(node=node.id, level=node.level, point=node.point, height_agl_m=height)
            for node, height in zip(nodes, heights, strict=True)
        )

    def flight(self, *places: str, name: str = "M1", actions: tuple[Action, ...] = ()) -> Mission:
        return Mission(id=MissionId(name), route=self.route(*places), actions=actions)

    async def fly(self, *places: str, name: str = "M1") -> Outcome:
        mission = self.flight(*places, name=name)
        return await self.drone.execute(mission, Clearance.whole(mission))

    def begin(self, mission: Mission) -> asyncio.Task[Outcome]:
        return asyncio.create_task(self.drone.execute(mission, Clearance.whole(mission)))

    def stands_at(self, place: str) -> bool:
        point = self.site.nodes[NodeId(place)].point
        return not self.body.airborne and self.body.position().point.distance_m(point) < 1.0

    def commands(self) -> list[int]:
        """All commands that were sent, in order."""
        return [m.command for m in self.told if isinstance(m, mav.MAVLink_command_long_message)]

    def said(self) -> list[str]:
        """All texts that the drone has put out."""
        return [
            mav_text(m.text) for m in self.heard if isinstance(m, mav.MAVLink_statustext_message)
        ]

    async def until(self, true: Callable[[], bool], within_s: float = 600.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - bodies tell nobody
                await asyncio.sleep(0.1)

    async def we_restart(self) -> None:
        """Our program dies and comes back: a new link and a new adapter on the old port."""
        for task in self.ours:
            task.cancel()
        await asyncio.wait(self.ours)
        self.link = MavlinkLink(self.our_port)
        self.drone = new_adapter(
            self.site, self.link, self.bus, docked=self.docked, safety=self.safety
        )
        self.start_us()

    def start_us(self) -> None:
        self.ours = [
            self.group.create_task(self.link.run(), name="link"),
            self.group.create_task(self.drone.run(), name="drone"),
        ]


@asynccontextmanager
async def meadow(
    *,
    docked: bool = True,
    charge_ratio: float = 1.0,
    lost: Lost | None = None,
    params: dict[str, float] | None = None,
    position_s: float = 8.0,
    safety: Safety | None = None,
    standby: bool = False,
    autopilot: Kind = "ardupilot",
) -> AsyncGenerator[Meadow, None]:
    site = meadow_site()
    world, bus, ether = World(site, seed=1), MemoryBus(), MemoryEther()
    body = Multirotor(world, SPEC, NodeId("dock-1"), charge_ratio=charge_ratio)
    config = AutopilotConfig(
        system_id=7,
        ground=(GROUND,),
        params=params or {},
        position_s=position_s,
        autopilot=autopilot,
    )
    pilot = MavlinkAutopilot(body, ether.port(DRONE), config, site.frame, powered=not docked)
    our_port = ether.port(GROUND)
    link = MavlinkLink(our_port)
    dock = DockMachine(bus, "dock-1", pilot, site.nodes[NodeId("dock-1")].point)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    async with asyncio.TaskGroup() as group:
        scene = Meadow(
            site=site,
            world=world,
            ether=ether,
            bus=bus,
            group=group,
            docked=docked,
            body=body,
            autopilot=pilot,
            our_port=our_port,
            safety=safety,
            link=link,
            drone=new_adapter(site, link, bus, docked=docked, safety=safety, standby=standby),
            lost=lost,
        )
        listen_in(scene)
        scene.start_us()
        scene.theirs = [group.create_task(pilot.run(), name="autopilot")]
        if docked:
            scene.theirs.append(group.create_task(dock.run(), name="dock"))
        await asyncio.sleep(0)
        yield scene
        for task in (*scene.ours, *scene.theirs):
            task.cancel()
    assert faults == []


def new_adapter(
    site: Site,
    link: MavlinkLink,
    bus: MemoryBus,
    *,
    docked: bool,
    safety: Safety | None,
    standby: bool = False,
) -> MavlinkVehicle:
    home, spare = site.nodes[NodeId("dock-1")], [site.nodes[NodeId("field")]]
    return MavlinkVehicle(
        SPEC,
        link,
        MavlinkConfig(system_id=7, safety=safety, standby=standby),
        site.frame,
        home=home,
        pads=list(site.nodes.values()),
        dock=Dock(bus, "dock-1") if docked else None,
        needs=needs_on(site, SPEC, safety, home, spare),
    )


def listen_in(scene: Meadow) -> None:
    """Note down what passes on the ether, and lose what is to be lost."""
    parsers = {GROUND: Parser(), DRONE: Parser()}

    def tap(data: bytes, sender: Peer, receiver: Peer) -> bool:
        if receiver not in parsers:
            return False
        messages = parsers[receiver].messages(data)
        if sender == DRONE:
            scene.heard.extend(messages)
        elif receiver == DRONE:
            scene.told.extend(messages)
        return scene.lost is not None and any(scene.lost(m, receiver) for m in messages)

    scene.ether.lost = tap
