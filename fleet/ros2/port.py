"""What we need of a robot with Nav2, whatever carries it: goals, pose, battery, connection."""

import asyncio
import math
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from fleet.errors import FleetError
from fleet.vda5050.bell import Bell

GoalId = bytes
"""16 bytes; a robot shows them as a UUID."""

OURS: Final = b"wardline"
"""Goals of ours begin so, also those of a former process."""
_REMEMBERED = 100
_ASKS = 4
"""How many questions for one goal's result may be open at a time."""


class Navigation(StrEnum):
    """Whether a robot's navigation can be given goals."""

    ABSENT = "absent"
    READY = "ready"
    FOREIGN = "foreign"
    """It is there, but behind a middleware that this backend does not speak."""


class Ended(StrEnum):
    """How a goal ended."""

    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    ABORTED = "aborted"
    FORGOTTEN = "forgotten"
    """The robot knows nothing of it: its navigation has been restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPose:
    """Where a robot is or shall go, in a frame of its own."""

    x_m: float
    y_m: float
    yaw_rad: float
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a robot's battery says, as it says it."""

    percentage: float | None
    """1.0 or 100 when full, as the robot's driver has it."""
    charging: bool | None
    """None = it does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalEnd:
    """How a goal ended, and why."""

    how: Ended
    code: int = 0
    """Nav2's error code; 0 = none, or a distribution that has none."""
    text: str = ""


class GoalRejected(FleetError):
    """The robot would not take a goal."""


class Senses:
    """A robot's last words, as one backend fills them in. All in the loop's thread."""

    def __init__(self) -> None:
        self.news = Bell()
        """Rings with each new word."""
        self.pose: MapPose | None = None
        self.battery: Battery | None = None
        self.heard_at_s: float | None = None
        """Loop second of the last word: a pose, a battery, a feedback."""
        self.navigation = Navigation.ABSENT
        self.absent_since_s = 0.0
        """Since when navigation is absent although it is heard; counts only while it is absent."""
        self.twice_since_s: float | None = None
        """Since when two robots answer to its names; one may have died, and is still listed."""
        self.goals: frozenset[GoalId] = frozenset()
        """What it says that it is at, whoever sent it."""
        self._listed: dict[str, frozenset[GoalId]] = {}
        self._ended: deque[GoalId] = deque(maxlen=_REMEMBERED)
        self._listeners: list[Callable[[], None]] = []

    def watch(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each new word."""
        self._listeners.append(listener)

    def hear_pose(self, pose: MapPose) -> None:
        """A new pose has come; one that is not finite is none."""
        if not math.isfinite(pose.x_m + pose.y_m + pose.yaw_rad):
            return
        self.pose = pose
        self.hear()

    def hear_battery(self, battery: Battery) -> None:
        """A new state of the battery has come."""
        self.battery = battery
        self.hear()

    def hear(self) -> None:
        """It has been heard."""
        now_s = asyncio.get_running_loop().time()
        if self.heard_at_s is None:
            self.absent_since_s = now_s
        self.heard_at_s = now_s
        self.tell()

    def see(self, navigation: Navigation) -> None:
        """Navigation has come or gone."""
        if navigation is not self.navigation:
            self.navigation = navigation
            if navigation is Navigation.ABSENT:
                self._listed.clear()
                self.goals = frozenset()
                self.absent_since_s = asyncio.get_running_loop().time()
            self.tell()

    def see_twice(self, twice: bool) -> None:
        """Whether two robots answer to its names."""
        if not twice:
            self.twice_since_s = None
        elif self.twice_since_s is None:
            self.twice_since_s = asyncio.get_running_loop().time()

    def list_goals(self, action: str, goals: frozenset[GoalId]) -> None:
        """One of its actions has said what it is at; that may be older than a goal's end."""
        self._listed[action] = goals
        self._sum_up()

    def listed_by(self, goal: GoalId) -> tuple[str, ...]:
        """The actions that say that they are at this goal, or said so before it ended."""
        return tuple(action for action, goals in self._listed.items() if goal in goals)

    def end_goal(self, goal: GoalId) -> None:
        """A goal is over, whatever the robot's list of goals still says."""
        self._ended.append(goal)
        self._sum_up()

    def _sum_up(self) -> None:
        goals = frozenset[GoalId]().union(*self._listed.values()).difference(self._ended)
        if goals != self.goals:
            self.goals = goals
            self.tell()

    def tell(self) -> None:
        """Something is new."""
        self.news.ring()
        for listener in self._listeners:
            listener()


class Goal:
    """One goal that a robot has accepted.

    Args:
        ask: asks the robot how it ended; answered when it has.
        cancel: asks the robot to give it up.
    """

    def __init__(
        self,
        id_: GoalId,
        poses: int,
        ask: Callable[[], Awaitable[GoalEnd]],
        cancel: Callable[[], Awaitable[None]],
    ) -> None:
        self.id, self.poses = id_, poses
        self.poses_left = poses
        """How many poses are ahead, as far as it says."""
        self.cancel = cancel
        """Ask for its end; `ended` then tells of it. Raises LinkError."""
        self.feedbacks = 0
        self._ask = ask
        self._heard_at_s = asyncio.get_running_loop().time()

    def feed(self, poses_left: int) -> None:
        """Feedback has come; 0 = it does not say how many poses are left."""
        self.feedbacks += 1
        self._heard_at_s = asyncio.get_running_loop().time()
        if 0 < poses_left < self.poses_left:
            self.poses_left = poses_left

    async def ended(self, silence_s: float) -> GoalEnd:
        """Wait for its end.

        A robot whose navigation was restarted answers no question of before, so after a silence
        it is asked anew, and tells then that it knows no such goal.

        Args:
            silence_s: without feedback for so long, it is asked again.
        """
        asks: list[asyncio.Task[GoalEnd]] = []
        try:
            while True:
                asks.append(asyncio.create_task(_asked(self._ask), name="ros2.goal.result"))
                if len(asks) > _ASKS:
                    asks.pop(0).cancel()
                asked_s = asyncio.get_running_loop().time()
                while (end := await self._settled(asks, silence_s)) is None:
                    heard_s = max(asked_s, self._heard_at_s)
                    if asyncio.get_running_loop().time() - heard_s >= silence_s:
                        break
                if end is not None:
                    return end
        finally:
            for ask in asks:
                ask.cancel()
            await asyncio.gather(*asks, return_exceptions=True)

    async def _settled(
        self, asks: Sequence[asyncio.Task[GoalEnd]], at_most_s: float
    ) -> GoalEnd | None:
        done, _ = await asyncio.wait(asks, timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED)
        return next((ask.result() for ask in asks if ask in done), None)


async def _asked(ask: Callable[[], Awaitable[GoalEnd]]) -> GoalEnd:
    return await ask()


def new_goal_id() -> GoalId:
    """An id that no goal ever had, and that shows that it is ours."""
    return OURS + os.urandom(16 - len(OURS))


class Nav2Port(Protocol):
    """One robot. Both backends pass one suite of contract tests."""

    @property
    def senses(self) -> Senses:
        """What it last said."""
        ...

    async def go_to(self, pose: MapPose) -> Goal:
        """Send it to a pose; what it was at before ends, if it was sent there in the same way.

        A robot that is at a goal of its other action aborts this one.

        Raises:
            GoalRejected: it will not.
            LinkError: it can't be asked, or does not answer.
        """
        ...

    async def go_through(self, poses: Sequence[MapPose]) -> Goal:
        """Send it through poses to the last of them; raises what `go_to` raises."""
        ...

    async def cancel(self, goal: GoalId) -> None:
        """Have it give up a goal of either kind, also one of a former process.

        Raises:
            LinkError: it can't be asked, or does not answer.
        """
        ...

    async def trigger(self, service: str) -> tuple[bool, str]:
        """Call a ``std_srvs/srv/Trigger`` service; returns success and message.

        Args:
            service: relative to the robot's namespace, or absolute with a slash.

        Raises:
            LinkError: it can't be asked, or does not answer.
        """
        ...

    async def run(self) -> None:
        """Keep the link; runs until cancelled."""
        ...
