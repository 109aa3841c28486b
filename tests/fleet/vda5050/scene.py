"""One robot on a small site, its master, and a scribe who checks every message on the bus."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jsonschema.validators import validator_for
from msgspec import structs

from fleet.bus import Bus, MemoryBus
from fleet.clock import Clock
from fleet.energy import EnergySpec
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId, Outcome, Waypoint
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import encode_instant_actions
from fleet.vda5050.headers import Headers
from fleet.vda5050.order_messages import ActionParameter, InstantActions
from fleet.vda5050.orders import instant
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import NodeId, PlaceId, Site
from routing.sites import site_yaml
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.world import World
from tests.folders import SHARED

SCHEMAS = SHARED / "vda5050"

FOLDERS = {"2.0": "2.0.0", "2.1": "2.1.0", "3.0": "3.0.0-main-20260702"}
"""Of the published 3.0.0, three schemas are no JSON; the later ones are the same, mended."""

SITE = """
# A road of five nodes with a way round n3, and a charger
site: loop
name: {en: Loop, zh: 环路}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0.0
    nodes:
      n1: [0.0, 0.0]
      n2: [10.0, 0.0]
      n3: [20.0, 0.0]
      n4: [30.0, 0.0]
      n5: [40.0, 0.0]
      m3: [20.0, 10.0]
    places:
      park: {name: {en: Parking, zh: 停车位}, kind: parking, node: n1, roles: [parking, charger]}
    lanes:
      - [n1, n2, n3, n4, n5]
      - [n2, m3, n4]
"""

SPEC = VehicleSpec(
    id=VehicleId("C1"),
    name="Cart 1",
    medium=Medium.GROUND,
    kind="cart",
    make="test",
    home=PlaceId("park"),
    speed_m_s=1.0,
    acceleration_m_s2=0.5,
    width_m=0.6,
    length_m=0.8,
    payload_g=50_000,
    payload_ml=100_000,
    load_types=frozenset({"food"}),
    skills=frozenset({"carry"}),
    energy=EnergySpec(capacity_wh=500.0, idle_w=36.0, move_w=360.0),
)

EPOCH = datetime(2026, 3, 1, 8, tzinfo=UTC)

Json = dict[str, Any]


@cache
def loop_site() -> Site:
    return site_yaml.loads(SITE, "loop.yaml")


def config_for(version: str = "2.1", **changes: object) -> Vda5050Config:
    return Vda5050Config.model_validate(
        {"version": version, "manufacturer": "acme", "serial": "C1", **changes}
    )


def waypoints(*nodes: str) -> tuple[Waypoint, ...]:
    site = loop_site()
    found: list[Waypoint] = []
    for before, name in zip((None, *nodes), nodes, strict=False):
        node = site.nodes[NodeId(name)]
        lane = site.edge(NodeId(before), node.id).lane.id if before else None
        found.append(Waypoint(node=node.id, level=node.level, point=node.point, lane=lane))
    return tuple(found)


def mission(name: str, nodes: str, *actions: Action) -> Mission:
    return Mission(id=MissionId(name), route=waypoints(*nodes.split()), actions=actions)


def load(name: str = "load-1", duration_s: float = 20.0) -> Action:
    return Action(
        id=name, kind=ActionKind.LOAD, duration_s=duration_s, facts={"load_id": "T-000001"}
    )


def unload(name: str = "unload-1", duration_s: float = 20.0) -> Action:
    return Action(
        id=name, kind=ActionKind.UNLOAD, duration_s=duration_s, facts={"load_id": "T-000001"}
    )


@dataclass
class Scribe:
    """Writes down every message, and holds it against the standard's schema.

    What has no header is junk that a test has thrown in.
    """

    version: str
    messages: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    faults: list[str] = field(default_factory=list[str])

    def note(self, topic: str, payload: bytes) -> None:
        name = topic.rpartition("/")[2]
        try:
            message: Json = json.loads(payload)
        except ValueError:
            return
        if "timestamp" not in message:
            return
        self.messages.append((name, message))
        self.faults += [f"{name}: {fault}" for fault in faults_of(name, message, self.version)]

    def of(self, name: str) -> list[Json]:
        return [message for kind, message in self.messages if kind == name]


def faults_of(name: str, message: Mapping[str, Any], version: str) -> list[str]:
    """What the standard's schema has against a message, and what no schema says of its header."""
    found = [
        f"{error.json_path}: {error.message}"
        for error in _validator(name, version).iter_errors(_mended(name, message, version))
    ]
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(message["timestamp"])):
        found.append(f"timestamp: {message['timestamp']}")
    return found


def _mended(name: str, message: Mapping[str, Any], version: str) -> Json:
    """Around a known fault of the 2.0.0 schema: it wants ``actionName`` for ``actionType``."""
    mended: Json = json.loads(json.dumps(message))
    if name == "instantActions" and version == "2.0":
        actions = mended.pop("instantActions", None) or mended["actions"]
        mended["actions"] = [{**action, "actionName": action["actionType"]} for action in actions]
    return mended


@cache
def _validator(name: str, version: str) -> Any:
    folder = SCHEMAS / FOLDERS[version]
    file = next(
        (f for f in (folder / f"{name}.schema", folder / f"{name}.json") if f.exists()), None
    )
    schema: Json = json.loads(file.read_text("utf-8")) if file else {}
    return validator_for(schema)(schema)


class LossyBus(MemoryBus):
    """A bus that loses the next messages on topics of certain names."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: dict[str, int] = {}

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        name = topic.rpartition("/")[2]
        left = self.lose.get(name, 0)
        if left:
            self.lose[name] = left - 1
        else:
            await super().publish(topic, payload, qos=qos, retain=retain)


@dataclass
class Scene:
    """All that is on the stage."""

    bus: Bus
    config: Vda5050Config
    clock: Clock
    world: World
    body: GroundBody
    robot: Vda5050Robot
    vehicle: Vda5050Vehicle
    scribe: Scribe
    _sent: int = 0

    async def hear(self) -> None:
        """Wait until the robot has been heard."""
        await self.until(lambda: self.vehicle.state().online)

    async def until(self, happened: Callable[[], bool], *, at_most_s: float = 600.0) -> None:
        async with asyncio.timeout(at_most_s):
            while not happened():  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def drive(self, told: Mission) -> Outcome:
        return await self.vehicle.execute(told, Clearance.whole(told))

    async def at_once(self, action_type: str, **parameters: str) -> None:
        """Send an instant action past the master, as a person's tool would."""
        self._sent += 1
        action = instant(action_type, f"by-hand-{self._sent}")
        told = [ActionParameter(key=key, value=value) for key, value in parameters.items()]
        message = InstantActions(
            **Headers(self.config, self.clock).next("instantActions"),
            actions=(structs.replace(action, action_parameters=tuple(told) or None),),
        )
        payload = encode_instant_actions(message, self.config)
        await self.bus.publish(self.config.topic("instantActions"), payload)
        await asyncio.sleep(0.1)

    def orders(self) -> list[Json]:
        return self.scribe.of("order")


@asynccontextmanager
async def staged(
    config: Vda5050Config | None = None,
    *,
    bus: Bus | None = None,
    robot_bus: Bus | None = None,
    node: str = "n1",
    site: Site | None = None,
) -> AsyncGenerator[Scene]:
    """A robot at ``node`` and its master, both running; afterwards every message is judged."""
    config, bus = config or config_for(), bus or MemoryBus()
    site, clock = site or loop_site(), Clock.starting(EPOCH)
    world = World(site, seed=1)
    body = world.add_ground(SPEC, NodeId(node))
    robot = Vda5050Robot(body, robot_bus or bus, config, clock, site)
    vehicle = Vda5050Vehicle(SPEC, bus, config, site, clock)
    scribe = Scribe(config.version)
    subscription = bus.subscribe(config.topic("+"), scribe.note)
    async with running(robot.run(), vehicle.run()):
        scene = Scene(bus, config, clock, world, body, robot, vehicle, scribe)
        await scene.hear()
        yield scene
    await asyncio.sleep(0)
    subscription.close()
    assert scribe.faults == []


@asynccontextmanager
async def running(*jobs: Any) -> AsyncGenerator[Sequence[asyncio.Task[None]]]:
    """Run ``jobs`` beside the block; a job that fails makes the block fail."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield tasks
        for task in tasks:
            assert not task.done() or task.cancelled(), task.exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
