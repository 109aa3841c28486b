"""One robot with Nav2 on a small site, and the vehicle that leads it, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fleet.clock import Clock
from fleet.errors import LinkTimeout
from fleet.mission import Clearance, Mission, Outcome
from fleet.ros2.adapter import Ros2Vehicle
from fleet.ros2.config import Ros2Config
from fleet.ros2.placing import Placing
from fleet.ros2.port import (
    Battery,
    Goal,
    GoalEnd,
    GoalId,
    GoalRejected,
    MapPose,
    Navigation,
    Senses,
    new_goal_id,
)
from routing.site import NodeId
from sim.ros2.nav2_robot import Nav2Robot
from sim.world.bodies import GroundBody
from sim.world.world import World
from tests.fleet.vda5050.scene import EPOCH, SPEC, loop_site, running


def config_for(**changes: object) -> Ros2Config:
    return Ros2Config.model_validate({"namespace": "/c1", "level": "L1", **changes})


class DirectPort:
    """A port without a wire, so that time can be virtual; ``cut`` is a wire that is broken."""

    def __init__(self, robot: Nav2Robot, services: Sequence[str] = ()) -> None:
        self.robot = robot
        self.cut = False
        self.foreign = False
        self.services = dict.fromkeys(services, 0)
        self.refuses: str | None = None
        self.sent: list[tuple[MapPose, ...]] = []
        self.cancelled: list[GoalId] = []
        self._senses = Senses()
        self._goals: dict[GoalId, Goal] = {}
        self._pending: list[asyncio.Future[GoalEnd]] = []

    @property
    def senses(self) -> Senses:
        return self._senses

    async def go_to(self, pose: MapPose) -> Goal:
        return await self.go_through([pose])

    async def go_through(self, poses: Sequence[MapPose]) -> Goal:
        id_ = new_goal_id()
        goal = Goal(id_, len(poses), ask=partial(self._ask, id_), cancel=partial(self.cancel, id_))
        self._check()
        self.sent.append(tuple(poses))
        self._goals[id_] = goal
        if not self.robot.accept(id_, poses):
            raise GoalRejected("no")
        return goal

    async def _ask(self, id_: GoalId) -> GoalEnd:
        answer: asyncio.Future[GoalEnd] = asyncio.get_running_loop().create_future()
        if not self.cut:
            self.robot.when_over(id_, partial(self._answer, answer))
        return await answer

    def _answer(self, answer: asyncio.Future[GoalEnd], end: GoalEnd) -> None:
        if not answer.done() and not self.cut:
            answer.set_result(end)

    async def cancel(self, goal: GoalId) -> None:
        self._check()
        self.cancelled.append(goal)
        if not self.robot.cancel(goal):
            self._senses.end_goal(goal)

    async def trigger(self, service: str) -> tuple[bool, str]:
        self._check()
        await asyncio.sleep(5)
        self.services[service] += 1
        return self.refuses is None, self.refuses or "done"

    def _check(self) -> None:
        if self.cut:
            raise LinkTimeout("does not answer")

    async def run(self) -> None:
        self.robot.on_feedback(self._on_feedback)
        self.robot.on_goals(self._list)
        while True:
            if not self.cut:
                self._senses.see(Navigation.FOREIGN if self.foreign else Navigation.READY)
                self._list()
                body = self.robot.body
                self._senses.hear_pose(self.robot.pose())
                self._senses.hear_battery(
                    Battery(percentage=body.charge_ratio(), charging=body.charging)
                )
            await asyncio.sleep(1)

    def _on_feedback(self, id_: GoalId, pose: MapPose, left: int, left_m: float) -> None:
        if not self.cut:
            if id_ in self._goals:
                self._goals[id_].feed(left)
            self._senses.hear_pose(pose)

    def _list(self) -> None:
        if not self.cut:
            goal = self.robot.goal
            self._senses.list_goals("drive", frozenset([goal.id] if goal else []))


@dataclass
class Scene:
    """All that is on the stage."""

    config: Ros2Config
    clock: Clock
    world: World
    body: GroundBody
    robot: Nav2Robot
    port: DirectPort
    vehicle: Ros2Vehicle

    async def until(self, happened: Callable[[], bool], *, at_most_s: float = 600.0) -> None:
        async with asyncio.timeout(at_most_s):
            while not happened():  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def drive(self, told: Mission) -> Outcome:
        return await self.vehicle.execute(told, Clearance.whole(told))


@asynccontextmanager
async def staged(config: Ros2Config | None = None, *, node: str = "n1") -> AsyncGenerator[Scene]:
    """A robot at ``node`` and the vehicle that leads it, both running."""
    config = config or config_for()
    site, clock = loop_site(), Clock.starting(EPOCH)
    world = World(site, seed=1)
    body = world.add_ground(SPEC, NodeId(node))
    robot = Nav2Robot(body, site, Placing(config, site))
    port = DirectPort(robot, [a.service for a in config.actions.values() if a.service])
    vehicle = Ros2Vehicle(SPEC, port, config, site)
    async with running(robot.run(), vehicle.run()):
        scene = Scene(config, clock, world, body, robot, port, vehicle)
        await scene.until(lambda: vehicle.state().online)
        yield scene
    await asyncio.sleep(0)
