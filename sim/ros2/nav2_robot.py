"""A simulated robot with Nav2: it drives its body to poses, one goal at a time.

It finds its own way on the site's lanes, takes a newer goal instead of the one in hand, and says
ten times a second how far it is. It knows nothing of missions and rights of way.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fleet.ros2.placing import Placing
from fleet.ros2.port import Ended, GoalEnd, GoalId, MapPose
from fleet.vda5050.bell import Bell
from routing.site import Edge, NodeId, Site
from sim.world.bodies import GroundBody

log = logging.getLogger(__name__)

FEEDBACK_HZ = 10.0
NO_VALID_PATH = 308
"""Nav2's error code of its planner, as the navigator passes it on."""
FAILED_TO_MAKE_PROGRESS = 105
_ON_A_NODE_M = 1.0
"""How far from a node a pose may be that this robot can drive to."""
_PAST_KEPT = 50


@dataclass(slots=True)
class Goal:
    """A goal that it has accepted."""

    id: GoalId
    ahead: deque[NodeId]
    cancelled: bool = False
    waiters: list[Callable[[GoalEnd], None]] = field(
        default_factory=list[Callable[[GoalEnd], None]]
    )


class Nav2Robot:
    """The navigation software of one robot, between a door and its body.

    Args:
        placing: where its map lies on the site.
    """

    def __init__(self, body: GroundBody, site: Site, placing: Placing) -> None:
        self.body = body
        self.rejects = False
        """Whether it accepts no goal; a test sets it."""
        self.aborts = 0
        """How many of the next goals it will abort under way; a test sets it."""
        self.closed: set[NodeId] = set()
        """Nodes to which it finds no way; a test sets it."""
        self.goal: Goal | None = None
        self._site, self._placing = site, placing
        self._past: dict[GoalId, GoalEnd] = {}
        self._work = Bell()
        self._drive: asyncio.Task[None] | None = None
        self._on_feedback: list[Callable[[GoalId, MapPose, int, float], None]] = []
        self._on_goals: list[Callable[[], None]] = []
        body.on_change(self._work.ring)

    def on_feedback(self, listener: Callable[[GoalId, MapPose, int, float], None]) -> None:
        """Have ``listener`` called with goal, pose, poses left and metres left, at 10 Hz."""
        self._on_feedback.append(listener)

    def on_goals(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a goal begins or ends."""
        self._on_goals.append(listener)

    def pose(self) -> MapPose:
        """Where it is, on its own map."""
        position = self.body.position()
        return self._placing.to_map(position.point, position.yaw_rad)

    def accept(self, id_: GoalId, poses: Sequence[MapPose]) -> bool:
        """Take a goal, in the place of the one in hand; False = it will not."""
        if self.rejects or not poses:
            return False
        ahead = deque(node for pose in poses if (node := self._node_of(pose)) is not None)
        if self.goal is not None:
            self._end(self.goal, GoalEnd(how=Ended.ABORTED))
        self.goal = Goal(id_, ahead if len(ahead) == len(poses) else deque())
        if not self.goal.ahead:
            text = "there is no way to the goal"
            self._end(self.goal, GoalEnd(how=Ended.ABORTED, code=NO_VALID_PATH, text=text))
        self._changed()
        return True

    def turn_down(self, id_: GoalId) -> bool:
        """Abort a goal at once that comes while it is at one of its other action; it is accepted.

        Source: Nav2, ``nav2_core/behavior_tree_navigator.hpp``: navigators take turns.
        """
        self._remember(id_, GoalEnd(how=Ended.ABORTED))
        self._changed()
        return True

    def cancel(self, id_: GoalId) -> bool:
        """Stop at once where it is; False = it is at no such goal."""
        if self.goal is None or self.goal.id != id_:
            return False
        self.goal.cancelled = True
        if self._drive is not None:
            self._drive.cancel()
        self._work.ring()
        return True

    def when_over(self, id_: GoalId, told: Callable[[GoalEnd], None]) -> None:
        """Have ``told`` called when a goal is over, which may be at once."""
        if self.goal is not None and self.goal.id == id_:
            self.goal.waiters.append(told)
        else:
            told(self._past.get(id_, GoalEnd(how=Ended.FORGOTTEN)))

    def restart(self) -> None:
        """Its navigation is restarted: it stands, and has forgotten all goals. Nobody is told."""
        self.goal = None
        self._past.clear()
        if self._drive is not None:
            self._drive.cancel()
        self._changed()

    async def run(self) -> None:
        """Drive and report until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(), name=f"nav2[{self.body.id}].serve")
            group.create_task(self._report(), name=f"nav2[{self.body.id}].report")

    async def _serve(self) -> None:
        while True:
            rung, goal = self._work.rung, self.goal
            if goal is None:
                self.body.connect_charger()
                await self._work.wait(rung)
            elif goal.cancelled:
                self._end(goal, GoalEnd(how=Ended.CANCELED))
            else:
                await self._step(goal)

    async def _step(self, goal: Goal) -> None:
        """One edge of the way, or the news that there is none, or no need of one."""
        edge = self.body.edge
        if edge is None:
            while goal.ahead and goal.ahead[0] == self.body.node:
                goal.ahead.popleft()
            if not goal.ahead:
                self._end(goal, GoalEnd(how=Ended.SUCCEEDED))
                return
            edge = self._next_edge(goal.ahead[0])
        if edge is None:
            text = f"no way to {goal.ahead[0]}"
            self._end(goal, GoalEnd(how=Ended.ABORTED, code=NO_VALID_PATH, text=text))
            return
        onward = bool(goal.ahead) and (len(goal.ahead) > 1 or edge.end != goal.ahead[0])
        self._drive = asyncio.create_task(
            self.body.drive(edge, onward=onward and not self.aborts),
            name=f"nav2[{self.body.id}].drive",
        )
        drive = self._drive
        try:
            await asyncio.wait([drive])
        finally:
            drive.cancel()
            self._drive = None
        if not drive.cancelled():
            drive.result()
            if self.aborts and self.goal is not None:
                self.aborts -= 1
                end = GoalEnd(how=Ended.ABORTED, code=FAILED_TO_MAKE_PROGRESS, text="it is stuck")
                self._end(self.goal, end)

    async def _report(self) -> None:
        while True:
            rung, goal = self._work.rung, self.goal
            if goal is None:
                await self._work.wait(rung)
                continue
            pose, left_m = self.pose(), self._left_m(goal)
            for listener in self._on_feedback:
                listener(goal.id, pose, len(goal.ahead), left_m)
            await asyncio.sleep(1 / FEEDBACK_HZ)

    def _end(self, goal: Goal, end: GoalEnd) -> None:
        self._remember(goal.id, end)
        self.goal = None
        for told in goal.waiters:
            told(end)
        self._changed()

    def _remember(self, id_: GoalId, end: GoalEnd) -> None:
        self._past[id_] = end
        if len(self._past) > _PAST_KEPT:
            del self._past[next(iter(self._past))]

    def _changed(self) -> None:
        self._work.ring()
        for listener in self._on_goals:
            listener()

    # --- its map ---

    def _node_of(self, pose: MapPose) -> NodeId | None:
        position = self._placing.to_site(pose)
        found = self._placing.nearest(position) if position is not None else None
        return found[0].id if found is not None and found[1] <= _ON_A_NODE_M else None

    def _next_edge(self, goal: NodeId) -> Edge | None:
        """The first edge of the way with the fewest edges."""
        first: dict[NodeId, Edge | None] = {self.body.node: None}
        queue = deque([self.body.node])
        while queue:
            node = queue.popleft()
            if node == goal:
                return first[node]
            for edge in self._site.edges_from.get(node, ()):
                if edge.end not in first and edge.end not in self.closed:
                    first[edge.end] = first[node] or edge
                    queue.append(edge.end)
        return None

    def _left_m(self, goal: Goal) -> float:
        points = [self.body.position().point, *(self._site.nodes[n].point for n in goal.ahead)]
        return math.fsum(a.distance_m(b) for a, b in pairwise(points))
