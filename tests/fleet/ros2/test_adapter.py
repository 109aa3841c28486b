"""A robot with Nav2 behind the adapter: what goes wrong, and what becomes of the mission."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet.errors import LinkLost, MissionCancelled, MissionFailed
from fleet.mission import Action, ActionKind, Clearance
from fleet.ros2.config import Ros2Config
from fleet.ros2.placing import Placing
from fleet.ros2.port import OURS, MapPose
from fleet.vehicle import Mode, Severity
from routing.geometry import Point
from routing.site import NodeId
from tests.fleet.ros2.scene import Scene, config_for, staged
from tests.fleet.vda5050.scene import load, loop_site, mission, unload, waypoints

THERE = mission("M1", "n1 n2 n3", load())


async def test_all_that_is_released_is_one_goal_and_nothing_else_is_told() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4 n5")
        clearance = Clearance(told.route, released=3)
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await asyncio.sleep(1)
        assert [[pose.x_m for pose in goal] for goal in scene.port.sent] == [[10.0, 20.0]]
        assert scene.vehicle.state().base == ("n2", "n3")
        await asyncio.sleep(200)
        assert scene.body.node == "n3"
        assert not scene.vehicle.state().driving
        clearance.release(5)
        await driving
        assert [pose.x_m for pose in scene.port.sent[-1]] == [30.0, 40.0]


async def test_what_is_released_under_way_is_added_without_a_stop() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4 n5")
        clearance = Clearance(told.route, released=2)
        began_s = scene.clock.now_s()
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await asyncio.sleep(3)
        clearance.release(5)
        await driving
        in_parts_s = scene.clock.now_s() - began_s
        assert [len(goal) for goal in scene.port.sent] == [1, 4]
    async with staged() as scene:
        began_s = scene.clock.now_s()
        await scene.drive(told)
        assert in_parts_s == pytest.approx(scene.clock.now_s() - began_s, abs=2.0)


async def test_poses_look_along_the_way() -> None:
    async with staged() as scene:
        await scene.drive(mission("M1", "n1 n2 m3 n4"))
        (goal,) = scene.port.sent
        assert [round(math.degrees(pose.yaw_rad)) for pose in goal] == [45, -45, -45]


async def test_node_by_node_it_gets_one_pose_at_a_time() -> None:
    async with staged(config_for(drive="nodes")) as scene:
        await scene.drive(mission("M1", "n1 n2 n3"))
        assert [len(goal) for goal in scene.port.sent] == [1, 1]


async def test_a_robot_beside_its_node_first_drives_to_it() -> None:
    async with staged() as scene:
        driving = asyncio.ensure_future(scene.drive(mission("M0", "n1 n2")))
        await asyncio.sleep(5)
        scene.robot.restart()
        with pytest.raises(MissionFailed):
            await driving
        assert scene.body.edge is not None
        await scene.drive(mission("M1", "n2 n3"))
        assert [pose.x_m for pose in scene.port.sent[-1]] == [10.0, 20.0]
        assert scene.body.node == "n3"


async def test_a_drive_that_is_aborted_is_tried_again() -> None:
    async with staged() as scene:
        scene.robot.aborts = 2
        await scene.drive(mission("M1", "n1 n2 n3"))
        assert scene.body.node == "n3"
        assert len(scene.port.sent) == 3


async def test_a_robot_that_rejects_each_goal_fails_the_mission() -> None:
    async with staged() as scene:
        scene.robot.rejects = True
        with pytest.raises(MissionFailed) as failed:
            await scene.drive(THERE)
        assert failed.value.reason.code == "order_refused"
        assert len(scene.port.sent) == scene.config.goal_tries


async def test_a_goal_without_a_way_fails_with_what_the_robot_says() -> None:
    async with staged() as scene:
        scene.robot.closed.add(NodeId("n3"))
        with pytest.raises(MissionFailed) as failed:
            await scene.drive(THERE)
        assert failed.value.reason.code == "drive_failed"
        assert failed.value.reason.facts["text"] == "no way to n3"


async def test_a_robot_that_is_restarted_is_found_out_by_its_silence() -> None:
    async with staged() as scene:
        driving = asyncio.ensure_future(scene.drive(THERE))
        await asyncio.sleep(5)
        began_s = scene.clock.now_s()
        scene.robot.restart()
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "vehicle_restarted"
        assert scene.clock.now_s() - began_s <= 2 * scene.config.silence_s


async def test_silence_is_a_lost_link_after_a_while_and_the_mission_goes_on_where_it_was() -> None:
    async with staged(config_for(patience_s=30.0)) as scene:
        told = mission("M1", "n1 n2 n3 n4 n5", load())
        clearance = Clearance(told.route, released=2)
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await asyncio.sleep(2)
        scene.port.cut = True
        with pytest.raises(LinkLost):
            await driving
        assert not scene.vehicle.state().online
        assert scene.vehicle.state().mission == "M1"
        assert scene.body.node == "n2"
        scene.port.cut = False
        await scene.until(lambda: scene.vehicle.state().online)
        clearance.release(5)
        await scene.vehicle.execute(told, clearance)
        assert scene.body.node == "n5"
        assert scene.vehicle.state().loads == ("T-000001",)


async def test_silence_is_told_when_it_begins() -> None:
    async with staged() as scene:
        scene.port.cut = True
        seen: list[bool] = []
        scene.vehicle.watch(lambda: seen.append(scene.vehicle.state().online))
        await asyncio.sleep(scene.config.fresh_s + 1)
        assert seen == [False]


async def test_a_cancel_of_a_robot_that_is_not_heard_says_so() -> None:
    async with staged(config_for(patience_s=20.0)) as scene:
        driving = asyncio.ensure_future(scene.drive(THERE))
        await asyncio.sleep(2)
        scene.port.cut = True
        with pytest.raises(LinkLost):
            await scene.vehicle.cancel()
        with pytest.raises(LinkLost):
            await driving
        with pytest.raises(LinkLost):
            await scene.vehicle.cancel()
        scene.port.cut = False
        await scene.until(lambda: scene.vehicle.state().online)
        await scene.vehicle.cancel()
        assert scene.vehicle.state().mission is None


async def test_a_cancelled_robot_drives_to_the_next_node_and_no_further() -> None:
    async with staged() as scene:
        driving = asyncio.ensure_future(scene.drive(mission("M1", "n1 n2 n3 n4 n5")))
        await asyncio.sleep(5)
        await scene.vehicle.cancel()
        assert scene.body.node == "n2"
        assert scene.vehicle.state().last_node == "n2"
        with pytest.raises(MissionCancelled):
            await driving


async def test_a_cancelled_robot_that_does_not_get_there_is_stopped_where_it_is() -> None:
    async with staged(config_for(stop_s=10.0)) as scene:
        driving = asyncio.ensure_future(scene.drive(mission("M1", "n1 n2 n3")))
        await asyncio.sleep(5)
        scene.body.fail("stuck")
        await scene.vehicle.cancel()
        assert scene.robot.goal is None
        assert len(scene.port.cancelled) == 1
        with pytest.raises(MissionCancelled):
            await driving


async def test_a_cancel_ends_the_wait_for_people() -> None:
    async with staged() as scene:
        there = mission("M1", "n1 n2", load(duration_s=10_000.0))
        driving = asyncio.ensure_future(scene.drive(there))
        await asyncio.sleep(60)
        await scene.vehicle.cancel()
        with pytest.raises(MissionCancelled):
            await driving
        assert scene.vehicle.state().loads == ()


async def test_goals_that_a_former_process_left_are_given_up() -> None:
    async with staged() as scene:
        scene.robot.accept(OURS + b"12345678", [scene.robot.pose(), *_poses(scene, "n5")])
        await scene.until(lambda: scene.robot.goal is None, at_most_s=10.0)
        assert scene.port.cancelled == [OURS + b"12345678"]


async def test_a_goal_of_somebody_else_is_left_alone_and_means_that_a_person_leads() -> None:
    async with staged() as scene:
        scene.robot.accept(b"rviz" + bytes(12), _poses(scene, "n3"))
        await scene.until(lambda: scene.vehicle.state().mode is Mode.MANUAL, at_most_s=2.0)
        assert not scene.vehicle.state().fit
        await scene.until(lambda: scene.vehicle.state().fit)
        assert scene.body.node == "n3"
        driving = asyncio.ensure_future(scene.drive(mission("M1", "n3 n4 n5")))
        await asyncio.sleep(2)
        scene.robot.accept(b"rviz" + bytes(12), _poses(scene, "n1"))
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "order_replaced"


async def test_work_by_a_service_is_asked_for_once_and_must_succeed() -> None:
    actions = {"load": {"service": "conveyor"}, "unload": {"service": "conveyor"}}
    async with staged(config_for(actions=actions)) as scene:
        outcome = await scene.drive(mission("M1", "n1 n2", load("L1"), unload("U1")))
        assert outcome.results == {"L1": "done", "U1": "done"}
        assert scene.port.services == {"conveyor": 2}
        scene.port.refuses = "belt jammed"
        with pytest.raises(MissionFailed) as failed:
            await scene.drive(mission("M2", "n2 n3", load("L2")))
        assert failed.value.reason.facts == {"action": "load", "text": "belt jammed"}
        assert scene.vehicle.state().loads == ()


async def test_a_robot_disinfects_only_if_it_is_said_how() -> None:
    work = mission("M1", "n1 n2", Action(id="D", kind=ActionKind.DISINFECT, duration_s=60))
    async with staged() as scene:
        refused = scene.vehicle.why_not(work)
        assert refused is not None
        assert refused.code == "unsupported_action"
    async with staged(config_for(actions={"disinfect": {"service": "lamp"}})) as scene:
        await scene.drive(work)
        assert scene.port.services == {"lamp": 1}


async def test_charging_has_begun_when_the_battery_says_so() -> None:
    async with staged() as scene:
        charge = Action(id="C", kind=ActionKind.CHARGE)
        scene.body.disconnect_charger()
        await scene.drive(mission("M1", "n1 n2"))
        with pytest.raises(MissionFailed) as failed:
            await scene.drive(mission("M2", "n2 n3", charge))
        assert failed.value.reason.code == "action_failed"
        await scene.drive(mission("M3", "n3 n2 n1", charge))
        assert scene.vehicle.state().charging


async def test_another_middleware_is_a_fault_of_the_vehicle_and_gets_no_goal() -> None:
    async with staged() as scene:
        scene.port.foreign = True
        await asyncio.sleep(2)
        state = scene.vehicle.state()
        assert [error.code for error in state.errors] == ["foreign_middleware"]
        assert state.errors[0].severity is Severity.FATAL
        assert not state.fit


async def test_two_robots_with_one_namespace_are_a_fault_once_it_is_no_restart() -> None:
    async with staged() as scene:
        scene.port.senses.see_twice(True)
        await asyncio.sleep(10)
        assert scene.vehicle.state().fit
        await asyncio.sleep(15)
        assert [e.code for e in scene.vehicle.state().errors] == ["namespace_collision"]
        scene.port.senses.see_twice(False)
        assert scene.vehicle.state().fit


async def test_a_pose_in_another_frame_places_it_nowhere() -> None:
    async with staged() as scene:
        scene.port.senses.hear_pose(MapPose(x_m=1.0, y_m=0.0, yaw_rad=0.0, frame="odom"))
        state = scene.vehicle.state()
        assert state.position is None
        assert [error.code for error in state.errors] == ["unknown_map"]


async def test_a_waypoint_on_another_level_is_refused() -> None:
    async with staged(config_for(level="L9")) as scene:
        refused = scene.vehicle.why_not(THERE)
        assert refused is not None
        assert refused.code == "other_level"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"namespace": "c1"}, "begins with /"),
        ({"namespace": "/c-1"}, "letters, digits and _"),
        ({"battery_topic": "battery state"}, "letters, digits and _"),
        ({"actions": {"load": {"wait": True, "service": "x"}}}, "either"),
        ({"domain_id": 233}, "232"),
        ({"distribution": "foxy"}, "humble"),
    ],
)
def test_bad_configurations_say_what_is_wrong(change: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        config_for(**change)


@given(
    x_m=st.floats(-1e3, 1e3),
    y_m=st.floats(-1e3, 1e3),
    yaw_rad=st.floats(-3.14, 3.14),
    at=st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-360, 360)),
)
def test_a_point_taken_to_the_robots_map_and_back_is_the_same(
    x_m: float, y_m: float, yaw_rad: float, at: tuple[float, float, float]
) -> None:
    config: Ros2Config = config_for(map={"x_m": at[0], "y_m": at[1], "yaw_deg": at[2]})
    placing = Placing(config, loop_site())
    back = placing.to_site(placing.to_map(Point(x_m, y_m), yaw_rad))
    assert back is not None
    assert back.point.distance_m(Point(x_m, y_m)) < 1e-6
    assert abs(math.remainder(back.yaw_rad - yaw_rad, math.tau)) < 1e-9


def test_a_map_is_placed_as_configured() -> None:
    """Its origin lies at (5, 2), and its x axis points north."""
    placing = Placing(config_for(map={"x_m": 5.0, "y_m": 2.0, "yaw_deg": 90.0}), loop_site())
    pose = placing.to_map(Point(5.0, 12.0), math.pi / 2)
    assert (pose.x_m, pose.y_m, pose.yaw_rad) == pytest.approx((10.0, 0.0, 0.0))
    pose = placing.to_map(Point(4.0, 2.0), math.pi)
    assert (pose.x_m, pose.y_m, pose.yaw_rad) == pytest.approx((0.0, 1.0, math.pi / 2))


def _poses(scene: Scene, *nodes: str) -> list[MapPose]:
    placing = Placing(scene.config, loop_site())
    return [placing.to_map(point.point, 0.0) for point in waypoints(*nodes)]
