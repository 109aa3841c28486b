import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleet.bus import MemoryBus
from fleet.energy import EnergySpec
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing import site_yaml
from routing.site import DoorId, LiftId, NodeId, PlaceId
from sim.bodies import GroundBody
from sim.config import PlannedFault
from sim.faults import Faults, Targets
from sim.machines import DoorMachine, LiftMachine
from sim.world import World


@dataclass
class Robot:
    link_down: bool = False


class Stage:
    """One cart, its robot, a door and a lift."""

    def __init__(self) -> None:
        path = Path(__file__).parent / "two_levels.yaml"
        site = site_yaml.loads(path.read_text(), path.name)
        self.world = World(site, seed=1)
        self.body: GroundBody = self.world.add_ground(CART, NodeId("a1"))
        self.robot = Robot()
        self.door = DoorMachine(self.world, MemoryBus(), site.doors[DoorId("d1")])
        self.lift = LiftMachine(self.world, MemoryBus(), site.lifts[LiftId("lift-1")])
        self.said: list[str] = []

    def faults(self, *rows: dict[str, Any]) -> Faults:
        targets = Targets(
            bodies=self.world.ground,
            robots={CART.id: self.robot},
            doors={self.door.door.id: self.door},
            lifts={self.lift.lift.id: self.lift},
        )
        usual: dict[str, Any] = {"target": "vehicle", "id": "C1"}
        planned = [PlannedFault(**(usual | row)) for row in rows]
        return Faults(self.world, planned, targets, said=self.said.append)


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
    assert stage.world.troubles == {"link C1": None}
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
