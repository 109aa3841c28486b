import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import pytest

from fleet.bus import MemoryBus
from fleet.energy import EnergySpec
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import DoorId, Edge, LiftId, NodeId, PlaceId, Site
from routing.sites import site_yaml
from sim.world.machines import DoorMachine, LiftMachine, Passengers
from sim.world.world import World
from tests.folders import SMALL_SITES

LIFT = "wardline/v1/facilities/lift/lift-1"
DOOR = "wardline/v1/facilities/door/d1"


class Lives(Protocol):
    async def run(self) -> None: ...


@pytest.fixture
def site() -> Site:
    return site_yaml.loads((SMALL_SITES / "two_levels.yaml").read_text(), "two levels")


@pytest.fixture
async def world(site: Site) -> World:
    return World(site, seed=1)


@pytest.fixture
async def bus() -> MemoryBus:
    return MemoryBus()


@asynccontextmanager
async def running(*machines: Lives) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(machine.run()) for machine in machines]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Ear:
    """What a topic said last, and all of it."""

    def __init__(self, bus: MemoryBus, topic: str) -> None:
        self.said: list[dict[str, Any]] = []
        bus.subscribe(f"{topic}/state", lambda _, payload: self.said.append(json.loads(payload)))

    @property
    def last(self) -> dict[str, Any]:
        return self.said[-1]


async def ask(bus: MemoryBus, topic: str, **request: object) -> None:
    await bus.publish(f"{topic}/request", json.dumps(request).encode())


def cart(name: str) -> VehicleSpec:
    return VehicleSpec(
        id=VehicleId(name),
        name=name,
        medium=Medium.GROUND,
        kind="cart",
        make="test",
        home=PlaceId("park-1"),
        speed_m_s=1.0,
        acceleration_m_s2=1.0,
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"food"}),
        skills=frozenset({"carry"}),
        energy=EnergySpec(capacity_wh=500.0, idle_w=10.0, move_w=100.0),
    )


def edge(world: World, start: str, end: str) -> Edge:
    return world.site.edge(NodeId(start), NodeId(end))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_door_is_open_while_any_session_wants_it(world: World, bus: MemoryBus) -> None:
    door, ear = DoorMachine(world, bus, world.site.doors[DoorId("d1")]), Ear(bus, DOOR)
    async with running(door):
        await ask(bus, DOOR, session="C1", open=True)
        await asyncio.sleep(2.9)
        assert ear.last["moving"]
        assert not ear.last["open"]
        await asyncio.sleep(0.2)
        assert ear.last["open"]
        await ask(bus, DOOR, session="C2", open=True)
        await ask(bus, DOOR, session="C1", open=False)
        await asyncio.sleep(10)
        assert ear.last == {
            "open": True,
            "moving": False,
            "sessions": ["C2"],
            "in_service": True,
        }
        await ask(bus, DOOR, session="C2", open=False)
        await asyncio.sleep(10)
        assert not ear.last["open"]


async def test_a_body_waits_at_a_closed_door(world: World, bus: MemoryBus) -> None:
    door = DoorMachine(world, bus, world.site.doors[DoorId("d1")])
    body = world.add_ground(cart("C1"), NodeId("a1"))
    async with running(door):
        driving = asyncio.create_task(body.drive(edge(world, "a1", "pharmacy"), onward=False))
        await asyncio.sleep(60)
        assert not body.driving
        await ask(bus, DOOR, session="C1", open=True)
        await driving
        assert now() == pytest.approx(60 + 3 + 6)


async def test_a_door_never_closes_on_a_body(world: World, bus: MemoryBus) -> None:
    door = DoorMachine(world, bus, world.site.doors[DoorId("d1")])
    body = world.add_ground(cart("C1"), NodeId("a1"))
    async with running(door):
        await ask(bus, DOOR, session="C1", open=True)
        driving = asyncio.create_task(body.drive(edge(world, "a1", "pharmacy"), onward=False))
        await asyncio.sleep(4)
        await ask(bus, DOOR, session="C1", open=False)
        await asyncio.sleep(1)
        assert door.open
        await driving
        await asyncio.sleep(10)
        assert not door.open


async def test_a_jammed_door_stays_shut_and_says_so(world: World, bus: MemoryBus) -> None:
    door, ear = DoorMachine(world, bus, world.site.doors[DoorId("d1")]), Ear(bus, DOOR)
    async with running(door):
        door.jam()
        await ask(bus, DOOR, session="C1", open=True)
        await asyncio.sleep(100)
        assert not ear.last["open"]
        assert not ear.last["in_service"]
        door.repair()
        await asyncio.sleep(5)
        assert ear.last["open"]


async def test_a_lift_takes_a_body_to_the_other_level(world: World, bus: MemoryBus) -> None:
    lift, ear = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")]), Ear(bus, LIFT)
    body = world.add_ground(cart("C1"), NodeId("a3"))
    async with running(lift):
        entering = asyncio.create_task(body.drive(edge(world, "a3", "lift-1@L1"), onward=False))
        await asyncio.sleep(10)
        assert body.node == "a3", "the doors are shut"
        await ask(bus, LIFT, session="C1", level="L1")
        await entering
        assert now() == pytest.approx(10 + 4 + 6)
        riding = asyncio.create_task(
            body.drive(edge(world, "lift-1@L1", "lift-1@L2"), onward=False)
        )
        await ask(bus, LIFT, session="C1", level="L2")
        await riding
        # doors 4 s, 6 m at 1 m/s, doors 4 s
        assert now() == pytest.approx(20 + 14)
        assert body.position().level == "L2"
        assert ear.last["level"] == "L2"
        assert ear.last["open"]
        await body.drive(edge(world, "lift-1@L2", "b3"), onward=False)
        await ask(bus, LIFT, session="C1", level=None)
        await asyncio.sleep(10)
        assert ear.last["session"] is None
        assert not ear.last["open"]


async def test_who_stands_in_the_cabin_moves_with_it(world: World, bus: MemoryBus) -> None:
    lift = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")])
    body = world.add_ground(cart("C1"), NodeId("lift-1@L1"))
    async with running(lift):
        await ask(bus, LIFT, session="C1", level="L2")
        await asyncio.sleep(60)
        assert body.node == "lift-1@L2"
        before = now()
        await body.drive(edge(world, "lift-1@L1", "lift-1@L2"), onward=False)
        assert now() == before, "it is there already"


async def test_a_lift_serves_sessions_one_after_the_other(world: World, bus: MemoryBus) -> None:
    lift, ear = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")]), Ear(bus, LIFT)
    async with running(lift):
        await ask(bus, LIFT, session="C1", level="L1")
        await ask(bus, LIFT, session="C2", level="L2")
        await asyncio.sleep(100)
        assert (ear.last["session"], ear.last["level"]) == ("C1", "L1")
        await ask(bus, LIFT, session="C1", level=None)
        await asyncio.sleep(100)
        assert (ear.last["session"], ear.last["level"]) == ("C2", "L2")


async def test_a_lift_that_is_out_stays_where_it_is(world: World, bus: MemoryBus) -> None:
    lift, ear = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")]), Ear(bus, LIFT)
    async with running(lift):
        lift.fail()
        await ask(bus, LIFT, session="C1", level="L2")
        await asyncio.sleep(100)
        assert (ear.last["level"], ear.last["in_service"]) == ("L1", False)
        lift.repair()
        await asyncio.sleep(100)
        assert (ear.last["level"], ear.last["in_service"]) == ("L2", True)


async def test_nonsense_is_counted_and_harms_nobody(world: World, bus: MemoryBus) -> None:
    lift = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")])
    async with running(lift):
        await bus.publish(f"{LIFT}/request", b"{not json")
        await ask(bus, LIFT, session="C1", level="L9")
        await asyncio.sleep(1)
        assert lift.faulty == 2
        await ask(bus, LIFT, session="C1", level="L2")
        await asyncio.sleep(30)
        assert lift.level == "L2"


async def test_passengers_ride_when_no_vehicle_does(world: World, bus: MemoryBus) -> None:
    people = Passengers(rides_per_h=30, seed=7)
    lift = LiftMachine(world, bus, world.site.lifts[LiftId("lift-1")], passengers=people)
    async with running(lift):
        await asyncio.sleep(10 * 3600)
        assert 200 < lift.rides < 400
        await ask(bus, LIFT, session="C1", level="L1")
        await asyncio.sleep(60)
        rides = lift.rides
        await asyncio.sleep(3600)
        assert lift.rides == rides, "the session has it alone"
