"""What every ground vehicle promises to the rest of the program, whatever its wire."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from fleet.errors import MissionCancelled, MissionFailed
from fleet.mission import Clearance, Mission
from fleet.ros2.config import Ros2Config
from fleet.vda5050.config import Vda5050Config
from fleet.vehicle import Mode, Vehicle, VehicleState
from tests.fleet.ros2 import scene as ros2_scene
from tests.fleet.vda5050.scene import Scene, config_for, load, mission, staged, waypoints

THERE = mission("M1", "n1 n2 n3", load())

WIRES = {
    "vda5050-2.1": config_for("2.1"),
    "vda5050-2.0": config_for("2.0"),
    "vda5050-2.0-other-spellings": config_for(
        "2.0",
        instant_actions_key="instantActions",
        deviation_key="allowedDeviationXy",
        deviation_m=0.5,
    ),
    "vda5050-2.1-short-orders": config_for("2.1", max_order_nodes=2, horizon_nodes=0),
    "vda5050-2.1-other-maps": config_for("2.1", maps={"L1": "floor-1"}, prefix="acme/agv"),
    "ros2": ros2_scene.config_for(),
    "ros2-node-by-node": ros2_scene.config_for(drive="nodes"),
    "ros2-other-map": ros2_scene.config_for(
        frame="floor", map={"x_m": 5.0, "y_m": -3.0, "yaw_deg": 90.0}
    ),
}

AnyScene = Scene | ros2_scene.Scene


@pytest_asyncio.fixture(params=list(WIRES.values()), ids=list(WIRES))
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[AnyScene]:
    config: Vda5050Config | Ros2Config = request.param
    if isinstance(config, Ros2Config):
        async with ros2_scene.staged(config) as robot:
            yield robot
    else:
        async with staged(config) as scene:
            yield scene


async def test_its_state_is_a_snapshot_with_an_age(scene: AnyScene) -> None:
    vehicle: Vehicle = scene.vehicle
    before = vehicle.state()
    assert isinstance(before, VehicleState)
    assert before.online
    assert before.fit
    assert before.mode is Mode.AUTOMATIC
    assert before.last_node == "n1"
    assert before.position is not None
    assert before.position.level == "L1"
    assert before.mission is None
    assert before.heard_at_s is not None
    await vehicle.execute(THERE, Clearance.whole(THERE))
    after = vehicle.state()
    assert before.last_node == "n1"
    assert after.last_node == "n3"
    assert after.heard_at_s is not None
    assert after.heard_at_s > before.heard_at_s


async def test_each_new_word_is_told_at_once(scene: AnyScene) -> None:
    seen: list[float | None] = []
    scene.vehicle.watch(lambda: seen.append(scene.vehicle.state().heard_at_s))
    await scene.vehicle.execute(THERE, Clearance.whole(THERE))
    assert len(seen) >= 3
    assert seen == sorted(seen, key=lambda at_s: at_s or 0.0)


async def test_a_mission_ends_at_its_last_waypoint_with_its_work_done(scene: AnyScene) -> None:
    outcome = await scene.vehicle.execute(THERE, Clearance.whole(THERE))
    assert outcome.mission == "M1"
    assert outcome.finished_at_s == scene.clock.now_s()
    assert scene.body.node == "n3"
    assert scene.vehicle.state().loads == ("T-000001",)


async def test_it_never_passes_what_is_released(scene: AnyScene) -> None:
    clearance = Clearance(THERE.route, released=2)
    driving = asyncio.ensure_future(scene.vehicle.execute(THERE, clearance))
    await asyncio.sleep(200)
    assert scene.body.node == "n2"
    assert clearance.passed == 1
    clearance.release(3)
    await driving
    assert clearance.passed == 2


async def test_progress_is_told_once_for_each_waypoint_in_order(scene: AnyScene) -> None:
    clearance = Clearance.whole(THERE)
    reached: list[int] = []
    clearance.on_reached(reached.append)
    await scene.vehicle.execute(THERE, clearance)
    assert reached == [1, 2]


async def test_what_is_not_released_can_be_replaced(scene: AnyScene) -> None:
    told = mission("M1", "n1 n2 n3 n4", load())
    clearance = Clearance(told.route, released=2)
    driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
    await asyncio.sleep(5)
    clearance.reroute(waypoints("n2", "m3", "n4")[1:])
    clearance.release(4)
    await driving
    assert scene.body.node == "n4"
    assert scene.vehicle.state().loads == ("T-000001",)


async def test_a_mission_told_twice_is_done_once(scene: AnyScene) -> None:
    first = await scene.vehicle.execute(THERE, Clearance.whole(THERE))
    again = await scene.vehicle.execute(THERE, Clearance.whole(THERE))
    assert first.mission == again.mission
    assert scene.vehicle.state().loads == ("T-000001",)


async def test_a_cancel_returns_when_it_stands_still_and_ends_the_mission(scene: AnyScene) -> None:
    driving = asyncio.ensure_future(scene.vehicle.execute(THERE, Clearance.whole(THERE)))
    await scene.until(lambda: scene.body.driving)
    await scene.vehicle.cancel()
    assert not scene.body.driving
    assert not scene.vehicle.state().driving
    with pytest.raises(MissionCancelled):
        await driving
    goal = "n1" if scene.body.node != "n1" else "n2"
    next_one = mission("M2", f"{scene.body.node} {goal}")
    await scene.vehicle.execute(next_one, Clearance.whole(next_one))
    assert scene.body.node == goal


async def test_a_cancel_without_a_mission_is_nothing(scene: AnyScene) -> None:
    await scene.vehicle.cancel()
    await scene.vehicle.execute(THERE, Clearance.whole(THERE))


async def test_it_says_why_it_could_not_and_then_does_not(scene: AnyScene) -> None:
    flight = Mission(
        id=THERE.id,
        route=tuple(replace(waypoint, height_agl_m=30.0) for waypoint in THERE.route),
    )
    assert scene.vehicle.why_not(THERE) is None
    assert scene.vehicle.why_not(flight) is not None
    with pytest.raises(MissionFailed):
        await scene.vehicle.execute(flight, Clearance.whole(flight))
