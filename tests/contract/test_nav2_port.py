"""What every backend promises of a robot with Nav2; the robot is a process, the wire is real."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from fleet.errors import LinkError
from fleet.ros2.backends import NO_RCLPY, Backends, has
from fleet.ros2.config import Ros2Config
from fleet.ros2.dds import LATCHED, DdsNode
from fleet.ros2.messages import GoalStatusArray
from fleet.ros2.port import OURS, Ended, Goal, GoalEnd, MapPose, Nav2Port, Navigation
from fleet.ros2.said import Status
from tests.fleet.vda5050.scene import SITE, running
from tests.real.nav2 import end, free_domain, on_loopback, robots, start_robots

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("dds")]

SPEED_M_S = 10.0
CART = {
    "make": "test",
    "kind": "cart",
    "speed_m_s": SPEED_M_S,
    "acceleration_m_s2": 20.0,
    "width_m": 0.6,
    "length_m": 0.8,
    "skills": ["carry"],
    "energy": {"capacity_wh": 500, "idle_w": 36, "move_w": 360},
}
BACKENDS = [
    pytest.param(("dds", "jazzy"), id="dds"),
    pytest.param(("rclpy", "jazzy"), id="rclpy", marks=pytest.mark.ros),
]


@dataclass
class Place:
    """A port, and the robot's file to start it again."""

    port: Nav2Port
    config: Ros2Config
    file: Path
    process: asyncio.subprocess.Process

    async def until(self, true: Callable[[], bool], at_most_s: float = 30.0) -> None:
        async with asyncio.timeout(at_most_s):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def ended(self, goal: Goal) -> GoalEnd:
        async with asyncio.timeout(30):
            return await goal.ended(self.config.silence_s)


def pose(x_m: float, y_m: float = 0.0, yaw_rad: float = 0.0) -> MapPose:
    return MapPose(x_m=x_m, y_m=y_m, yaw_rad=yaw_rad, frame="map")


@asynccontextmanager
async def placed(folder: Path, backend: str, distribution: str) -> AsyncGenerator[Place]:
    domain = free_domain()
    link = {
        "level": "L1",
        "distribution": distribution,
        "backend": backend,
        "silence_s": 1.0,
        "actions": {"load": {"service": "conveyor"}},
    }
    serve = {
        "site": "loop.yaml",
        "models": {"cart": {**CART, "link": {"ros2": link}}},
        "vehicles": [{"model": "cart", "ids": ["C1"], "homes": ["park"], "domain_ids": [domain]}],
    }
    (folder / "loop.yaml").write_text(SITE)
    file = folder / "serve.yaml"
    file.write_text(yaml.safe_dump(serve))
    config = Ros2Config.model_validate({**link, "namespace": "/C1", "domain_id": domain})
    port = Backends().port("C1", config)
    with on_loopback():
        async with robots(file, "C1") as process, running(port.run()):
            place = Place(port, config, file, process)
            await place.until(lambda: port.senses.navigation is Navigation.READY)
            await place.until(lambda: port.senses.pose is not None)
            try:
                yield place
            finally:
                await end(place.process)


@pytest_asyncio.fixture(params=BACKENDS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    backend, distribution = request.param
    if backend == "rclpy" and not has("rclpy"):
        pytest.skip(f"the rclpy backend is NOT tested here: {NO_RCLPY}")
    async with placed(tmp_path, backend, distribution) as place:
        yield place


async def test_it_goes_to_a_pose_and_tells_of_it_ten_times_a_second(place: Place) -> None:
    senses, loop = place.port.senses, asyncio.get_running_loop()
    began_s = loop.time()
    goal = await place.port.go_to(pose(40.0))
    assert (await place.ended(goal)).how is Ended.SUCCEEDED
    lasted_s = loop.time() - began_s
    assert goal.feedbacks / lasted_s == pytest.approx(10, rel=0.3)
    assert senses.pose is not None
    assert senses.battery is not None
    assert senses.battery.percentage == pytest.approx(1.0, abs=0.05)
    await place.until(lambda: senses.pose is not None and abs(senses.pose.x_m - 40.0) < 0.01)
    await place.until(lambda: not senses.goals)


async def test_it_goes_through_poses_and_counts_them(place: Place) -> None:
    goal = await place.port.go_through([pose(10.0), pose(20.0, 10.0), pose(30.0)])
    seen = [goal.poses_left]
    place.port.senses.watch(lambda: seen.append(goal.poses_left))
    assert goal.id.startswith(OURS)
    await place.until(lambda: goal.id in place.port.senses.goals)
    assert (await place.ended(goal)).how is Ended.SUCCEEDED
    assert sorted(set(seen), reverse=True) == [3, 2, 1]


async def test_a_newer_goal_ends_the_older_one_which_is_aborted(place: Place) -> None:
    first = await place.port.go_through([pose(10.0), pose(20.0)])
    second = await place.port.go_through([pose(10.0), pose(20.0), pose(30.0)])
    assert (await place.ended(first)).how is Ended.ABORTED
    assert (await place.ended(second)).how is Ended.SUCCEEDED


async def test_a_goal_of_the_other_action_is_aborted_while_it_is_at_one(place: Place) -> None:
    first = await place.port.go_to(pose(40.0))
    second = await place.port.go_through([pose(10.0), pose(20.0)])
    assert (await place.ended(second)).how is Ended.ABORTED
    assert (await place.ended(first)).how is Ended.SUCCEEDED


async def test_a_cancelled_goal_ends_as_cancelled_and_the_robot_stands(place: Place) -> None:
    goal = await place.port.go_to(pose(40.0))
    await place.until(lambda: goal.feedbacks > 3)
    await goal.cancel()
    assert (await place.ended(goal)).how is Ended.CANCELED
    await place.until(lambda: not place.port.senses.goals)
    before = place.port.senses.pose
    await asyncio.sleep(1.0)
    assert before is not None
    assert place.port.senses.pose is not None
    assert place.port.senses.pose.x_m == pytest.approx(before.x_m, abs=2.0)
    assert place.port.senses.pose.x_m < 39.0


async def test_a_goal_that_can_not_be_reached_is_aborted_with_a_reason(place: Place) -> None:
    end = await place.ended(await place.port.go_to(pose(15.0, -30.0)))
    assert end.how is Ended.ABORTED
    assert end.code == 308
    assert "no way" in end.text


async def test_a_service_is_called_and_answers(place: Place) -> None:
    assert await place.port.trigger("conveyor") == (True, "1 times")
    assert await place.port.trigger("conveyor") == (True, "2 times")
    with pytest.raises(LinkError):
        await place.port.trigger("nobody")


async def test_a_killed_robot_is_gone_and_one_that_is_back_has_forgotten_its_goal(
    place: Place,
) -> None:
    goal = await place.port.go_to(pose(40.0))
    ended = asyncio.ensure_future(place.ended(goal))
    place.process.kill()
    await place.process.wait()
    place.process = await start_robots(place.file, "C1")
    assert (await ended).how is Ended.FORGOTTEN
    again = await place.port.go_to(pose(10.0))
    assert (await place.ended(again)).how is Ended.SUCCEEDED


@pytest.mark.parametrize("distribution", ["humble", "kilted"])
async def test_other_distributions_have_other_messages(distribution: str, tmp_path: Path) -> None:
    async with placed(tmp_path, "dds", distribution) as place:
        assert (await place.ended(await place.port.go_to(pose(10.0)))).how is Ended.SUCCEEDED
        goal = await place.port.go_through([pose(20.0), pose(30.0)])
        assert (await place.ended(goal)).how is Ended.SUCCEEDED
        lost = await place.ended(await place.port.go_through([pose(20.0), pose(15.0, -30.0)]))
        assert lost.how is Ended.ABORTED
        assert lost.code == (0 if distribution == "humble" else 308)


async def test_a_simulated_robot_lists_its_goals_as_seldom_as_a_real_one(tmp_path: Path) -> None:
    """A real action server says how its own goals fare when that changes, and nothing before."""
    heard: dict[str, list[int]] = {"navigate_to_pose": [], "navigate_through_poses": []}
    async with placed(tmp_path, "dds", "jazzy") as place:
        node = await DdsNode.open(place.config.domain_id)
        for action, statuses in heard.items():

            def hear(message: GoalStatusArray, statuses: list[int] = statuses) -> None:
                statuses.append(message.status_list[-1].status if message.status_list else -1)

            node.hear(f"rt/C1/{action}/_action/status", GoalStatusArray, hear, qos=LATCHED)
        try:
            await asyncio.sleep(1.0)
            assert heard == {"navigate_to_pose": [], "navigate_through_poses": []}
            assert (await place.ended(await place.port.go_to(pose(10.0)))).how is Ended.SUCCEEDED
            told = [Status.EXECUTING, Status.SUCCEEDED]
            await place.until(lambda: heard["navigate_to_pose"] == told)
            assert heard["navigate_through_poses"] == []
        finally:
            await node.close()
