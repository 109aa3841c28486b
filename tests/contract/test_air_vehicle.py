"""What every drone promises to the rest of the program, with a dock or without."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fleet.errors import MissionCancelled, MissionFailed
from fleet.mission import Action, ActionKind, Clearance
from fleet.vehicle import Mode, Vehicle, VehicleState
from tests.fleet.mavlink.scene import Kind, Meadow, meadow

UNLOAD = Action(id="M1.1", kind=ActionKind.UNLOAD, duration_s=20, facts={"load_id": "T-000001"})


KINDS: list[tuple[bool, Kind]] = [
    (True, "ardupilot"),
    (False, "ardupilot"),
    (True, "px4"),
    (False, "px4"),
]
NAMES = ["mavlink-docked", "mavlink-without-dock", "px4-docked", "px4-without-dock"]


@pytest_asyncio.fixture(params=KINDS, ids=NAMES)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Meadow]:
    docked, autopilot = request.param
    async with meadow(docked=docked, autopilot=autopilot) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        yield scene


async def test_its_state_is_a_snapshot_with_an_age(scene: Meadow) -> None:
    vehicle: Vehicle = scene.drone
    before = vehicle.state()
    assert isinstance(before, VehicleState)
    assert before.fit
    assert before.mode is Mode.AUTOMATIC
    assert before.last_node == "dock-1"
    assert before.position is not None
    assert before.position.level == "L0"
    assert before.mission is None
    assert before.heard_at_s is not None
    await scene.fly("dock-1", "clinic")
    after = vehicle.state()
    assert (before.last_node, after.last_node) == ("dock-1", "clinic")
    assert after.heard_at_s is not None
    assert after.heard_at_s > before.heard_at_s


async def test_each_new_word_is_told_at_once(scene: Meadow) -> None:
    seen: list[float] = []
    scene.drone.watch(lambda: seen.append(scene.drone.state().heard_at_s or 0.0))
    await scene.fly("dock-1", "clinic")
    assert len(seen) > 60
    assert seen == sorted(seen)


async def test_a_mission_ends_at_its_last_waypoint_with_its_work_done(scene: Meadow) -> None:
    mission = scene.flight("dock-1", "field", "clinic", actions=(UNLOAD,))
    outcome = await scene.drone.execute(mission, Clearance.whole(mission))
    assert outcome.mission == mission.id
    assert outcome.finished_at_s == asyncio.get_running_loop().time()
    assert outcome.results == {"M1.1": "done"}
    assert scene.stands_at("clinic")


async def test_it_does_not_fly_before_all_is_released(scene: Meadow) -> None:
    mission = scene.flight("dock-1", "field", "clinic")
    clearance = Clearance(mission.route, released=2)
    flying = asyncio.create_task(scene.drone.execute(mission, clearance))
    await asyncio.sleep(200)
    assert scene.stands_at("dock-1")
    assert scene.drone.state().mission == "M1"
    clearance.release(3)
    await flying
    assert scene.stands_at("clinic")


async def test_what_is_not_released_can_be_replaced(scene: Meadow) -> None:
    mission = scene.flight("dock-1", "field", "clinic")
    clearance = Clearance(mission.route, released=1)
    flying = asyncio.create_task(scene.drone.execute(mission, clearance))
    await asyncio.sleep(5)
    clearance.reroute(scene.route("dock-1", "field")[1:])
    clearance.release(2)
    await flying
    assert scene.stands_at("field")


async def test_progress_is_told_once_for_each_waypoint_in_order(scene: Meadow) -> None:
    mission = scene.flight("dock-1", "field", "clinic")
    clearance = Clearance.whole(mission)
    reached: list[int] = []
    clearance.on_reached(reached.append)
    await scene.drone.execute(mission, clearance)
    assert reached == [1, 2]


async def test_a_mission_told_twice_is_done_once(scene: Meadow) -> None:
    first = await scene.fly("dock-1", "clinic")
    again = await scene.fly("dock-1", "clinic")
    assert first == again


async def test_a_cancel_returns_when_it_stands_still_and_ends_the_mission(scene: Meadow) -> None:
    flying = scene.begin(scene.flight("dock-1", "clinic"))
    await scene.until(lambda: scene.body.airborne)
    await scene.drone.cancel()
    assert not scene.body.airborne
    assert not scene.drone.state().driving
    with pytest.raises(MissionCancelled):
        await flying
    await scene.fly("dock-1", "clinic", name="M2")
    assert scene.stands_at("clinic")


async def test_a_cancel_without_a_mission_is_nothing(scene: Meadow) -> None:
    await scene.drone.cancel()
    await scene.fly("dock-1", "clinic")


async def test_it_says_why_it_could_not_and_then_does_not(scene: Meadow) -> None:
    lamp = Action(id="M1.1", kind=ActionKind.DISINFECT)
    mission = scene.flight("dock-1", "clinic", actions=(lamp,))
    assert scene.drone.why_not(scene.flight("dock-1", "clinic")) is None
    assert scene.drone.why_not(mission) is not None
    with pytest.raises(MissionFailed):
        await scene.drone.execute(mission, Clearance.whole(mission))
    assert scene.stands_at("dock-1")


async def test_two_runs_send_the_same_bytes() -> None:
    async def flown() -> list[str]:
        async with meadow() as scene:
            began_s = asyncio.get_running_loop().time()
            await scene.fly("dock-1", "field")
            took_s = asyncio.get_running_loop().time() - began_s
            words = [*scene.told, *scene.heard]
            return [f"{took_s:.6f}", *(bytes(m.get_msgbuf()).hex() for m in words)]

    assert await flown() == await flown()
