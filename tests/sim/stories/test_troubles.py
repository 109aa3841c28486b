"""Stories of what goes wrong: a person is called where one is needed, and nothing is lost."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from fleet.vda5050.terms import EStop, OperatingMode
from fleet.vehicle import VehicleId
from routing.site import LaneId, NodeId
from tests.sim.hospital import Hospital, hospital, scenario_file

C1 = VehicleId("C1")


async def silent(place: Hospital, vehicle: VehicleId, lasts_s: float) -> None:
    """A vehicle's radio is cut for a while, and the judges of the world know it."""
    robot = place.simulation.stage.robots[vehicle]
    robot.link_down = True
    place.world.troubles["link"] = None
    await asyncio.sleep(lasts_s)
    robot.link_down = False
    del place.world.troubles["link"]


async def loaded_in_the_corridor(place: Hospital, at: str = "a3") -> TaskId:
    """C1 has meals on board and is about to leave a node of the corridor."""
    task = await place.deliver("pharmacy", "ward")
    body = place.world.ground[C1]
    await place.until(lambda: bool(body.loads) and body.node == at)
    return task


async def test_after_an_emergency_stop_a_person_lets_it_go_on(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await loaded_in_the_corridor(place)
        robot = place.simulation.stage.robots[C1]
        robot.e_stop = EStop.MANUAL
        await asyncio.sleep(120)
        assert "safety_stop" in place.open_codes()
        robot.e_stop = EStop.NONE
        await asyncio.sleep(600)
        assert place.task(task).state is TaskState.UNDERWAY, "not before a person says so"
        await place.service.fleet_desk.set_in_service(C1, on=True)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == set()
        assert place.deeds.loaded == [task]


async def test_what_a_robot_was_taking_when_it_stopped_is_given_to_nobody_else(
    tmp_path: Path,
) -> None:
    """It takes the goods after all once it goes on: until then nobody knows who has them."""
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as place:
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: any(body.working for body in place.world.ground.values()))
        body = next(body for body in place.world.ground.values() if body.working)
        body.fail("stopped")
        await asyncio.sleep(1800)
        assert "vehicle_fault" in place.open_codes()
        assert place.task(task).state is TaskState.UNDERWAY
        assert place.deeds.loaded == []
        body.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.deeds.loaded == [task]
        assert place.open_codes() == set()


async def test_what_a_stopped_robot_was_told_stays_its_own(tmp_path: Path) -> None:
    """Let go, it drives on to the end of what it was told: nobody else may be there."""
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as place:
        task = await loaded_in_the_corridor(place, at="a1")
        robot = place.simulation.stage.robots[C1]
        robot.e_stop = EStop.MANUAL
        await asyncio.sleep(30)
        crossing = [await place.deliver("pharmacy", "laboratory") for _ in range(3)]
        await asyncio.sleep(200)
        robot.e_stop = EStop.NONE
        await asyncio.sleep(60)
        await place.service.fleet_desk.set_in_service(C1, on=True)
        await place.until_ended(task, *crossing)
        assert place.task(task).state is TaskState.DONE


async def test_a_robot_that_a_person_has_moved_goes_on_from_there(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        robot, body = place.simulation.stage.robots[C1], place.world.ground[C1]
        site = place.service.site
        robot.mode = OperatingMode.MANUAL
        await asyncio.sleep(5)
        assert "vehicle_manual" in place.open_codes()
        for a, b in (("park-1", "a1"), ("a1", "a2"), ("a2", "a3")):
            await body.drive(site.edge(NodeId(a), NodeId(b)), onward=False)
        robot.reboot()
        robot.mode = OperatingMode.AUTOMATIC
        await asyncio.sleep(1)
        task = await place.deliver("laboratory", "ward")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == set()


@pytest.mark.parametrize("silent_s", [20.0, 300.0, 1500.0])
async def test_work_comes_while_the_link_of_one_on_its_way_home_is_down(
    tmp_path: Path, silent_s: float
) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        first = await place.deliver("laboratory", "ward")
        await place.until_ended(first)
        body = place.world.ground[C1]
        await place.until(lambda: body.node == "a4" and body.driving)
        silence = asyncio.create_task(silent(place, C1, silent_s), name="silence")
        await asyncio.sleep(2)
        second = await place.deliver("laboratory", "ward")
        await silence
        await place.until_ended(second)
        assert place.task(second).state is TaskState.DONE


@pytest.mark.parametrize("silent_s", [20.0, 1500.0])
async def test_cancelled_while_its_robot_is_silent(tmp_path: Path, silent_s: float) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("ward", "laboratory")
        body = place.world.ground[C1]
        await place.until(lambda: body.node == "a2")
        silence = asyncio.create_task(silent(place, C1, silent_s), name="silence")
        await asyncio.sleep(2)
        await place.service.task_desk.cancel(task)
        assert place.task(task).state is TaskState.CANCELLING
        await silence
        await place.until_ended(task)
        assert place.task(task).state is TaskState.CANCELLED
        other = await place.deliver("laboratory", "ward")
        await place.until_ended(other)
        assert place.task(other).state is TaskState.DONE


async def test_cancelled_inside_a_lift_it_comes_out_first(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("ward", "laboratory")
        body = place.world.ground[C1]
        await place.until(lambda: body.node == "lift-1@L1")
        await place.service.task_desk.cancel(task)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.CANCELLED
        assert body.node not in place.service.site.lift_at
        assert place.deeds.loaded == []


async def test_one_trouble_after_the_other_is_told_apart(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        robot, body = place.simulation.stage.robots[C1], place.world.ground[C1]
        body.fail("wheel_stuck")
        await asyncio.sleep(5)
        assert place.open_codes() == {"vehicle_fault"}
        robot.link_down = True
        await asyncio.sleep(120)
        assert place.open_codes() == {"vehicle_offline"}
        robot.mode = OperatingMode.MANUAL
        body.repair()
        robot.link_down = False
        await asyncio.sleep(60)
        assert place.open_codes() == {"vehicle_manual"}
        robot.mode = OperatingMode.AUTOMATIC
        await asyncio.sleep(5)
        assert place.open_codes() == set()


async def test_each_closed_lane_has_an_alert_of_its_own(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        service = place.service
        await service.lane_desk.close_lane(LaneId("a2~a3"), until_s=None)
        await service.lane_desk.close_lane(LaneId("a3~a4"), until_s=None)
        await service.lane_desk.open_lane(LaneId("a3~a4"))
        left = [alert.facts["lane"] for alert in service.alerts() if alert.cleared_s is None]
        assert left == ["a2~a3"]
        await service.lane_desk.open_lane(LaneId("a2~a3"))
        assert place.open_codes() == set()
