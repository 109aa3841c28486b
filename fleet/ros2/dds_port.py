"""The `dds` backend: a robot on rmw_cyclonedds_cpp, reached with cyclonedds alone, without ROS.

Services and actions of ROS do not cross middlewares: Fast DDS, the default, carries the number
of a request elsewhere, so such robots are recognised by what they don't say of themselves, and
are not asked anything.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from fleet.errors import LinkError
from fleet.ros2 import messages as ros
from fleet.ros2.config import Ros2Config
from fleet.ros2.dds import BEST_EFFORT, LATCHED, DdsNode, Participants
from fleet.ros2.nav2_messages import ActionTypes, Distribution, types_of
from fleet.ros2.port import (
    Goal,
    GoalEnd,
    GoalId,
    GoalRejected,
    MapPose,
    Navigation,
    Senses,
    new_goal_id,
)
from fleet.ros2.said import (
    OVER,
    read_active,
    read_battery,
    read_end,
    read_id,
    read_pose,
    read_poses_left,
    write_pose,
)
from fleet.ros2.services import ActionClient, Client, Served

log = logging.getLogger(__name__)

_NAVIGATION = {
    Served.NO: Navigation.ABSENT,
    Served.YES: Navigation.READY,
    Served.TWICE: Navigation.READY,
    Served.FOREIGN: Navigation.FOREIGN,
}


class DdsPort:
    """One robot over DDS; see `fleet.ros2.port.Nav2Port`."""

    def __init__(self, config: Ros2Config, participants: Participants) -> None:
        self._config, self._participants = config, participants
        self._types = types_of(Distribution(config.distribution))
        self._senses = Senses()
        self._node: DdsNode | None = None
        self._actions: dict[str, ActionClient] = {}
        self._triggers: dict[str, Client] = {}
        self._goals: dict[GoalId, Goal] = {}

    @property
    def senses(self) -> Senses:
        """What it last said."""
        return self._senses

    async def run(self) -> None:
        """Join the robot's domain, listen, and look whether its navigation is there."""
        node = await DdsNode.open(self._config.domain_id, self._participants)
        try:
            self._listen(node)
            while True:
                self._look()
                await asyncio.sleep(self._config.look_s)
        finally:
            self._node = None
            self._actions, self._triggers = {}, {}
            self._senses.see(Navigation.ABSENT)
            await node.close()

    def _listen(self, node: DdsNode) -> None:
        config = self._config
        pose = f"rt{config.full(config.pose_topic)}"
        if config.pose_type == "amcl":
            node.hear(pose, ros.PoseWithCovarianceStamped, self._on_amcl_pose, qos=LATCHED)
        else:
            node.hear(pose, ros.PoseStamped, self._on_pose, qos=BEST_EFFORT)
        if config.battery_topic is not None:
            topic = f"rt{config.full(config.battery_topic)}"
            node.hear(topic, ros.BatteryState, self._on_battery, qos=BEST_EFFORT)
        for types in (self._types.to_pose, self._types.through_poses):
            self._actions[types.name] = ActionClient(
                node,
                config.namespace,
                types,
                on_feedback=self._on_feedback,
                on_status=partial(self._on_status, types.name),
            )
        for action in config.actions.values():
            if action.service is not None:
                name = config.full(action.service)
                self._triggers[name] = Client(node, name, ros.TriggerRequest, ros.TriggerReply)
        self._node = node

    def _look(self) -> None:
        before = self._senses.navigation
        wanted = self._types.to_pose if self._config.drive == "nodes" else self._types.through_poses
        served = self._actions[wanted.name].served()
        now = _NAVIGATION[served]
        self._senses.see_twice(served is Served.TWICE)
        if now is Navigation.FOREIGN and before is not now:
            log.warning(
                "%s is not on rmw_cyclonedds_cpp; it needs the rclpy backend",
                self._config.namespace,
            )
        self._senses.see(now)

    # --- goals ---

    async def go_to(self, pose: MapPose) -> Goal:
        """Send it to a pose."""
        return await self._send(self._types.to_pose, [pose])

    async def go_through(self, poses: Sequence[MapPose]) -> Goal:
        """Send it through poses."""
        return await self._send(self._types.through_poses, poses)

    async def _send(self, types: ActionTypes, poses: Sequence[MapPose]) -> Goal:
        action, id_ = self._action(types.name), new_goal_id()
        told = ros.GoalId(uuid=list(id_))
        goal = Goal(
            id_,
            len(poses),
            ask=partial(self._result, types, told),
            cancel=partial(self.cancel, id_),
        )
        self._goals = {id_: goal}  # listen before speaking; a newer goal ends the older ones
        request = types.request(told, [stamped(pose) for pose in poses])
        reply = await action.send_goal.ask(request, self._config.answer_s)
        if not reply.accepted:
            raise GoalRejected(f"{types.name} rejected the goal")
        return goal

    async def _result(self, types: ActionTypes, id_: ros.GoalId) -> GoalEnd:
        while True:
            try:
                client = self._action(types.name).get_result
                reply = await client.ask(types.result_request(goal_id=id_), None)
            except LinkError:
                await asyncio.sleep(self._config.look_s)
                continue
            return read_end(reply)

    async def cancel(self, goal: GoalId) -> None:
        """Have it give up a goal, whichever action it is of."""
        info = ros.GoalInfo(goal_id=ros.GoalId(uuid=list(goal)))
        names = self._senses.listed_by(goal)
        for name in names or self._actions:
            client = self._action(name).cancel_goal
            if client.served() in (Served.YES, Served.TWICE):
                reply = await client.ask(ros.CancelRequest(goal_info=info), self._config.answer_s)
                if reply.return_code in OVER and names:
                    self._senses.end_goal(goal)

    async def trigger(self, service: str) -> tuple[bool, str]:
        """Call one of its Trigger services."""
        client = self._triggers.get(self._config.full(service))
        if client is None:
            raise LinkError(f"{service} is not connected")
        reply = await client.ask(ros.TriggerRequest(), None)
        return reply.success, reply.message

    def _action(self, name: str) -> ActionClient:
        if name not in self._actions:
            raise LinkError(f"{self._config.namespace} is not connected")
        return self._actions[name]

    # --- what it says ---

    def _on_feedback(self, message: Any) -> None:
        said = message.feedback
        goal = self._goals.get(read_id(message.goal_id))
        if goal is not None:
            goal.feed(read_poses_left(said))
        self._senses.hear_pose(read_pose(said.current_pose.header, said.current_pose.pose))

    def _on_status(self, action: str, message: ros.GoalStatusArray) -> None:
        self._senses.list_goals(action, read_active(message))

    def _on_amcl_pose(self, message: ros.PoseWithCovarianceStamped) -> None:
        self._senses.hear_pose(read_pose(message.header, message.pose.pose))

    def _on_pose(self, message: ros.PoseStamped) -> None:
        self._senses.hear_pose(read_pose(message.header, message.pose))

    def _on_battery(self, message: ros.BatteryState) -> None:
        self._senses.hear_battery(read_battery(message))


def stamped(pose: MapPose) -> ros.PoseStamped:
    """A pose as ROS writes it."""
    return write_pose(ros.PoseStamped(), pose)
