import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.energy import EnergySpec
from fleet.vda5050.config import Vda5050Config
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.site import DoorId, LaneId, LiftId, NodeId, PlaceId
from routing.sites import site_yaml
from sim.running.effects import Targets
from sim.running.faults import Faults
from sim.scenario.fault_plan import PlannedFault
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.machines import DoorMachine, LiftMachine
from sim.world.radio import Radio
from sim.world.world import World
from tests.folders import SMALL_SITES


class Stage:
    """One cart, its robot, a door and a lift."""

    def __init__(self) -> None:
        path = SMALL_SITES / "two_levels.yaml"
        site = site_yaml.loads(path.read_text(), path.name)
        self.world = World(site, seed=1)
        self.body: GroundBody = self.world.add_ground(CART, NodeId("a1"))
        config = Vda5050Config(manufacturer="Test", serial="C1")
        clock = Clock.starting(START)
        self.robot = Vda5050Robot(self.body, MemoryBus(), config, clock, site)
        self.door = DoorMachine(self.world, MemoryBus(), site.doors[DoorId("d1")])
        self.lift = LiftMachine(self.world, MemoryBus(), site.lifts[LiftId("lift-1")])
        self.radio = Radio(random.Random(1))
        self.said: list[str] = []

    def faults(self, *rows: dict[str, Any]) -> Faults:
        targets = Targets(
            world=self.world,
            robots={CART.id: self.robot},
            radios={CART.id: self.radio},
            doors={self.door.door.id: self.door},
            lifts={self.lift.lift.id: self.lift},
        )
        usual: dict[str, Any] = {"target": "vehicle", "id": "C1"}
        planned = [PlannedFault(**(usual | row)) for row in rows]
        return Faults(planned, targets, said=self.said.append)


START = datetime(2026, 2, 3, 8, tzinfo=UTC)
CART = VehicleSpec(
    id=VehicleId("C1"),
    name="C1",
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


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_a_stop_begins_and_ends_in_time(stage: Stage) -> None:
    faults = stage.faults({"at_s": 60.0, "fault": "stop", "lasts_s": 600.0})
    running = asyncio.create_task(faults.run())
    driving = asyncio.create_task(
        stage.body.drive(stage.world.site.edge(NodeId("a1"), NodeId("a2")), onward=False)
    )
    await driving
    await asyncio.sleep(60.0)
    assert stage.body.failure == "stopped"
    await running
    assert asyncio.get_running_loop().time() == pytest.approx(660.0)
    assert stage.body.failure is None
    assert stage.said == ["vehicle C1: stop", "vehicle C1: stop is over"]


async def test_each_fault_breaks_what_it_names(stage: Stage) -> None:
    faults = stage.faults(
        {"at_s": 10.0, "fault": "slow", "share": 0.5, "lasts_s": 20.0},
        {"at_s": 10.0, "fault": "silent", "lasts_s": 20.0},
        {"at_s": 10.0, "fault": "battery", "share": 0.15},
        {"at_s": 10.0, "fault": "jam", "target": "door", "id": "d1", "lasts_s": 20.0},
        {"at_s": 10.0, "fault": "stop", "target": "lift", "id": "lift-1", "lasts_s": 20.0},
    )
    running = asyncio.create_task(faults.run())
    await asyncio.sleep(11.0)
    assert stage.body.slow == 0.5
    assert stage.robot.link_down
    assert "vehicle C1: silent" in stage.world.troubles
    assert stage.body.charge_ratio() == pytest.approx(0.15, abs=0.001)
    assert not stage.door.in_service
    assert not stage.lift.in_service
    await running
    assert stage.body.slow == 1.0
    assert not stage.robot.link_down
    assert not stage.world.troubles
    assert stage.door.in_service
    assert stage.lift.in_service


async def test_a_fault_without_end_stays(stage: Stage) -> None:
    await stage.faults({"at_s": 1.0, "fault": "stop"}).run()
    await asyncio.sleep(10_000.0)
    assert stage.body.failure == "stopped"


async def test_a_fault_of_something_unknown_is_refused_at_once(stage: Stage) -> None:
    with pytest.raises(ValueError, match="vehicle D9 can't have the fault slow"):
        stage.faults({"at_s": 1.0, "fault": "slow", "id": "D9", "share": 0.5})


async def test_the_end_of_one_fault_is_not_the_end_of_another(stage: Stage) -> None:
    faults = stage.faults(
        {"at_s": 10.0, "fault": "stop", "lasts_s": 20.0},
        {"at_s": 20.0, "fault": "stop", "lasts_s": 50.0},
        {"at_s": 10.0, "fault": "slow", "share": 0.5, "lasts_s": 40.0},
        {"at_s": 20.0, "fault": "stuck_wheel", "lasts_s": 10.0},
    )
    running = asyncio.create_task(faults.run())
    await asyncio.sleep(25.0)
    assert stage.body.slow == pytest.approx(0.2)
    await asyncio.sleep(10.0)
    assert stage.body.failure == "stopped", "the second one goes on"
    assert stage.body.slow == 0.5
    await running
    assert stage.body.failure is None
    assert stage.body.slow == 1.0


async def test_without_its_place_a_robot_stands_even_after_another_repair(stage: Stage) -> None:
    faults = stage.faults(
        {"at_s": 10.0, "fault": "stop", "lasts_s": 20.0},
        {"at_s": 20.0, "fault": "lost_pose", "lasts_s": 20.0},
    )
    running = asyncio.create_task(faults.run())
    await asyncio.sleep(35.0)
    assert stage.body.failure == "localizationLost"
    assert not stage.robot.senses.localized
    await running
    assert stage.body.failure is None
    assert stage.robot.senses.localized


async def test_a_robot_stops_in_front_of_an_obstacle_and_goes_on_when_it_is_gone(
    stage: Stage,
) -> None:
    edge = stage.world.site.edge(NodeId("a1"), NodeId("a2"))
    lane: dict[str, Any] = {"target": "lane", "id": edge.lane.id, "fault": "blocked"}
    running = asyncio.create_task(stage.faults({**lane, "at_s": 1.0, "lasts_s": 100.0}).run())
    await asyncio.sleep(2.0)
    driving = asyncio.create_task(stage.body.drive(edge, onward=True))
    await asyncio.sleep(60.0)
    stops_at_m = edge.lane.length_m / 2 - CART.length_m / 2 - 0.5
    assert stage.body.distance_m == pytest.approx(stops_at_m)
    assert stage.body.halted_for is not None
    assert not stage.body.driving
    await running
    await driving
    assert asyncio.get_running_loop().time() == pytest.approx(101.0, abs=10)
    assert stage.body.node == "a2"
    assert stage.body.halted_for is None


async def test_an_obstacle_behind_a_robot_holds_nobody_up(stage: Stage) -> None:
    edge = stage.world.site.edge(NodeId("a1"), NodeId("a2"))
    driving = asyncio.create_task(stage.body.drive(edge, onward=False))
    while stage.body.distance_m < 0.6 * edge.lane.length_m:  # noqa: ASYNC110 - bodies tell nobody
        await asyncio.sleep(0.1)
    stage.world.block(LaneId(edge.lane.id))
    async with asyncio.timeout(30):
        await driving


async def test_a_link_that_is_slow_and_leaks_is_both(stage: Stage) -> None:
    link = {"at_s": 1.0, "target": "link", "lasts_s": 20.0}
    faults = stage.faults(
        link | {"fault": "delay", "delay_s": 0.3}, link | {"fault": "loss", "share": 0.1}
    )
    running = asyncio.create_task(faults.run())
    await asyncio.sleep(2.0)
    assert stage.radio.delay_s == pytest.approx(0.3)
    assert stage.radio.loss == pytest.approx(0.1)
    await running
    assert (stage.radio.delay_s, stage.radio.loss) == (0, 0)
