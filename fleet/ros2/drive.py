"""One mission's drive: the nodes that are released, as goals, and no node more."""

import asyncio
import logging
import math

from fleet.errors import LinkError, LinkLost, MissionCancelled, MissionFailed
from fleet.mission import Clearance
from fleet.ros2.config import Ros2Config
from fleet.ros2.placing import Placing, heading
from fleet.ros2.port import (
    OURS,
    Ended,
    Goal,
    GoalEnd,
    GoalRejected,
    MapPose,
    Nav2Port,
    Navigation,
)
from fleet.vda5050.bell import Bell
from routing.refusal import Refusal

log = logging.getLogger(__name__)


def is_online(port: Nav2Port, config: Ros2Config, now_s: float) -> bool:
    """Whether the robot's last word is fresh."""
    heard_at_s = port.senses.heard_at_s
    return heard_at_s is not None and now_s < heard_at_s + config.fresh_s


class Drive:
    """Leads one robot along a clearance.

    A goal's last pose is the last released node. When more are released, a new goal takes its
    place, as Nav2 allows at any time; when the robot comes to the end of what is released, its
    goal has ended and it stands.

    Args:
        resumed: it was on this way before, and may be between two nodes of it.
    """

    def __init__(
        self,
        port: Nav2Port,
        config: Ros2Config,
        placing: Placing,
        clearance: Clearance,
        *,
        resumed: bool = False,
    ) -> None:
        self._port, self._config, self._placing = port, config, placing
        self.clearance = clearance
        self._goal: Goal | None = None
        self._ending: asyncio.Task[GoalEnd] | None = None
        self._endings: set[asyncio.Task[GoalEnd]] = set()
        self._upto = clearance.passed
        """Index of the last node that the goal in hand leads to."""
        self._astray: bool | None = False if resumed else None
        """It is not where the route begins, so that has to be driven to first."""
        self._tries = 0
        self._try_again_at_s = 0.0
        self._lost_at_s: float | None = None
        self._stop_at: int | None = None
        self._stop_by_s = math.inf
        self._stopped_hard = False

    @property
    def driving(self) -> bool:
        """Whether it is at a goal."""
        return self._goal is not None

    @property
    def base(self) -> range:
        """Indices of the nodes ahead that it has been sent to."""
        return range(self.clearance.passed + 1, self._upto + 1 if self._goal else 0)

    def stop(self) -> None:
        """Have it end at the next node, so that it stands where traffic knows it."""
        if self._stop_at is None:
            passed = self.clearance.passed
            stays = self._astray or self._near(passed)
            self._stop_at = passed if stays else min(passed + 1, self._upto)
            self._stop_by_s = _now_s() + self._config.stop_s
            self._news.ring()

    async def run(self) -> None:
        """Drive to the end of the route.

        Raises:
            MissionFailed: the robot does not get there; MissionCancelled after `stop`.
            LinkLost: it is not heard any more.
        """
        watch = asyncio.create_task(self._watch_clearance(), name="ros2.drive.clearance")
        try:
            await self._follow()
        finally:
            watch.cancel()
            self._forget_goal()
            await asyncio.gather(watch, *self._endings, return_exceptions=True)

    @property
    def _news(self) -> Bell:
        return self._port.senses.news

    async def _watch_clearance(self) -> None:
        version = self.clearance.version
        while True:
            version = await self.clearance.changed(version)
            self._news.ring()

    async def _follow(self) -> None:
        while True:
            rung = self._news.rung
            self._progress()
            if self._ending is not None and self._ending.done():
                self._judge(self._ending.result())
                continue
            if self._goal is None and self._is_over():
                return
            until_s = self._look_at_link()
            if until_s is None:
                until_s = await self._speak()
            await self._news.wait(rung, until_s if until_s < math.inf else None)

    def _is_over(self) -> bool:
        if self._stop_at is not None:
            raise MissionCancelled
        if self._astray is None and self._placing.to_site(self._port.senses.pose) is not None:
            self._astray = not self._near(self.clearance.passed)
        at_end = self.clearance.passed == len(self.clearance.route) - 1
        return at_end and self._astray is False

    def _look_at_link(self) -> float | None:
        """When to give it up for lost; None while it is heard.

        Raises:
            LinkLost: that time has come.
        """
        now_s, ready = _now_s(), self._port.senses.navigation is Navigation.READY
        if ready and is_online(self._port, self._config, now_s):
            self._lost_at_s = None
            return None
        if self._lost_at_s is None:
            self._lost_at_s = now_s
        give_up_s = self._lost_at_s + self._config.patience_s
        if now_s >= give_up_s:
            raise LinkLost(f"{self._config.namespace} is not heard")
        return give_up_s

    async def _speak(self) -> float:
        """Send a goal, if one is due; returns when to look again at the latest."""
        stale_s = (self._port.senses.heard_at_s or 0.0) + self._config.fresh_s
        if self._goal is not None and _now_s() >= self._stop_by_s:
            await self._stop_hard(self._goal)
            return stale_s
        want = self._wanted()
        if want is None:
            return min(stale_s, self._stop_by_s if not self._stopped_hard else math.inf)
        if _now_s() < self._try_again_at_s:
            return min(stale_s, self._try_again_at_s)
        await self._send(want)
        return _now_s()

    def _wanted(self) -> int | None:
        """Index of the node that it should be sent to now; None = it is on its way, or waits."""
        if self._stop_at is not None:
            return self._stop_at if self._goal and self._upto > self._stop_at else None
        if self._astray is None:
            return None
        passed, want = self.clearance.passed, self.clearance.released - 1
        if self._config.drive == "nodes":
            if self._goal is not None:
                return None
            want = min(want, passed if self._astray else passed + 1)
        if self._goal is not None:
            return want if want > self._upto else None
        return want if want > passed or self._astray else None

    async def _send(self, upto: int) -> None:
        first = upto if self._stop_at is not None else self.clearance.passed + (not self._astray)
        poses = [self._pose(index) for index in range(first, upto + 1)]
        try:
            if self._config.drive == "nodes":
                goal = await self._port.go_to(poses[-1])
            else:
                goal = await self._port.go_through(poses)
        except GoalRejected as rejected:
            self._fail(Refusal("order_refused", {"error": "rejected", "text": str(rejected)}))
        except LinkError as error:
            log.warning("%s: %s", self._config.namespace, error)
            self._try_again_at_s = _now_s() + self._config.retry_s
        else:
            self._forget_goal()
            self._goal, self._upto, self._try_again_at_s = goal, upto, 0.0
            self._ending = asyncio.create_task(
                goal.ended(self._config.silence_s), name="ros2.drive.goal"
            )
            self._endings.add(self._ending)
            self._ending.add_done_callback(self._on_end)
            self._port.senses.tell()

    def _on_end(self, ending: asyncio.Task[GoalEnd]) -> None:
        self._endings.discard(ending)
        self._news.ring()

    async def _stop_hard(self, goal: Goal) -> None:
        """It does not come to the next node: stop it where it is."""
        self._stop_by_s = _now_s() + self._config.retry_s
        self._stopped_hard = True
        try:
            await goal.cancel()
        except LinkError as error:
            log.warning("%s: %s", self._config.namespace, error)

    def _judge(self, end: GoalEnd) -> None:
        """A goal has ended."""
        self._forget_goal()
        if end.how is Ended.SUCCEEDED:
            self._astray = False
            self._reached(self._upto)
            return
        if self._stop_at is not None:
            raise MissionCancelled
        if end.how is Ended.FORGOTTEN:
            raise MissionFailed(Refusal("vehicle_restarted", {"order": ""}))
        if any(not goal.startswith(OURS) for goal in self._port.senses.goals):
            raise MissionFailed(Refusal("order_replaced", {"order": ""}))
        if end.how is Ended.CANCELED:
            raise MissionFailed(Refusal("order_dropped", {"order": ""}))
        self._fail(Refusal("drive_failed", {"code": end.code, "text": end.text}))

    def _fail(self, reason: Refusal) -> None:
        """Try again a little later, unless that has been tried often enough."""
        self._tries += 1
        self._try_again_at_s = _now_s() + self._config.retry_s
        if self._tries >= self._config.goal_tries:
            raise MissionFailed(reason)
        log.info("%s: %s; tries again", self._config.namespace, reason)

    def _forget_goal(self) -> None:
        if self._goal is not None and (self._ending is None or self._ending.done()):
            self._port.senses.end_goal(self._goal.id)
        if self._ending is not None:
            self._ending.cancel()
        self._goal = self._ending = None

    # --- where it is ---

    def _progress(self) -> None:
        """Tell what it has passed, as its pose or its feedback says.

        A goal's last node is reached when the goal has succeeded, so that work is done there only.
        """
        goal = self._goal
        if goal is None or self._astray is None:
            return
        if goal.poses_left < goal.poses:
            self._reached(self._upto - goal.poses_left)
        while self.clearance.passed + 1 < self._upto and self._near(self.clearance.passed + 1):
            self._reached(self.clearance.passed + 1)

    def _reached(self, index: int) -> None:
        if index > self.clearance.passed:
            self._tries, self._astray = 0, False
            self.clearance.reached(index)

    def _near(self, index: int) -> bool:
        position = self._placing.to_site(self._port.senses.pose)
        if position is None:
            return False
        away_m = position.point.distance_m(self.clearance.route[index].point)
        return away_m <= self._config.reached_m

    def _pose(self, index: int) -> MapPose:
        """A node's pose: headed on to the next node, or as it comes to the last."""
        route = self.clearance.route
        yaw_rad = None
        if index + 1 < min(self.clearance.released, len(route)):
            yaw_rad = heading(route[index].point, route[index + 1].point)
        if yaw_rad is None and index > 0:
            yaw_rad = heading(route[index - 1].point, route[index].point)
        return self._placing.to_map(route[index].point, yaw_rad or 0.0)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
