"""The DDS door of a simulated robot with Nav2: what bt_navigator, AMCL and a battery would say."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from fleet.ros2 import messages as ros
from fleet.ros2.config import Ros2Config
from fleet.ros2.dds import LATCHED, VOLATILE, DdsNode, Participants
from fleet.ros2.dds_port import stamped
from fleet.ros2.nav2_messages import ActionTypes, Distribution, types_of
from fleet.ros2.port import Ended, GoalEnd, GoalId, MapPose
from fleet.ros2.said import (
    CHARGING,
    DISCHARGING,
    HAS_ENDED,
    NO_SUCH_GOAL,
    Status,
    read_id,
    read_pose,
)
from fleet.ros2.services import Service
from sim.ros2.nav2_robot import Nav2Robot

_STATUS = {
    Ended.SUCCEEDED: Status.SUCCEEDED,
    Ended.CANCELED: Status.CANCELED,
    Ended.ABORTED: Status.ABORTED,
    Ended.FORGOTTEN: Status.UNKNOWN,
}
SPEAKS_EVERY_S = 0.5
"""How often its battery, and its pose while it stands, are told."""


class Nav2Door:
    """Serves both actions of one robot in its DDS domain."""

    def __init__(self, robot: Nav2Robot, config: Ros2Config) -> None:
        self.robot = robot
        self.triggered: dict[str, int] = {}
        """How often each Trigger service has been called."""
        self._config = config
        self._types = types_of(Distribution(config.distribution))

    async def run(self) -> None:
        """Serve until cancelled."""
        node = await DdsNode.open(self._config.domain_id, Participants())
        try:
            for types in (self._types.to_pose, self._types.through_poses):
                _ActionServer(node, self._config.namespace, types, self.robot)
            self._offer_services(node)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.robot.run(), name="nav2.robot")
                group.create_task(self._speak(node), name="nav2.door.speak")
        finally:
            await node.close()

    def _offer_services(self, node: DdsNode) -> None:
        for action in self._config.actions.values():
            if action.service is not None:
                name = self._config.full(action.service)
                Service(
                    node, name, ros.TriggerRequest, ros.TriggerReply, partial(self._trigger, name)
                )

    def _trigger(self, name: str, _: Any, answer: Callable[[Any], None]) -> None:
        self.triggered[name] = self.triggered.get(name, 0) + 1
        answer(ros.TriggerReply(success=True, message=f"{self.triggered[name]} times"))

    async def _speak(self, node: DdsNode) -> None:
        config, body = self._config, self.robot.body
        pose = node.say(
            f"rt{config.full(config.pose_topic)}", ros.PoseWithCovarianceStamped, qos=LATCHED
        )
        battery = node.say(
            f"rt{config.full(config.battery_topic or 'battery_state')}",
            ros.BatteryState,
            qos=VOLATILE,
        )
        while True:
            at = stamped(self.robot.pose())
            covered = ros.PoseWithCovariance(pose=at.pose)
            pose.say(ros.PoseWithCovarianceStamped(header=at.header, pose=covered))
            status = CHARGING if body.charging else DISCHARGING
            ratio = body.charge_ratio() * config.battery_full
            battery.say(ros.BatteryState(percentage=ratio, power_supply_status=status))
            await asyncio.sleep(SPEAKS_EVERY_S)


class _ActionServer:
    """The five topics of one action, from the side of who carries goals out."""

    def __init__(self, node: DdsNode, namespace: str, types: ActionTypes, robot: Nav2Robot) -> None:
        name = f"{namespace}/{types.name}/_action"
        self._types, self._robot = types, robot
        self._known: dict[GoalId, int] = {}
        self._told: list[ros.GoalStatus] = []
        self._feedback = node.say(f"rt{name}/feedback", types.feedback, qos=VOLATILE)
        self._status = node.say(f"rt{name}/status", ros.GoalStatusArray, qos=LATCHED)
        Service(node, f"{name}/send_goal", types.goal_request, types.goal_reply, self._on_goal)
        Service(
            node, f"{name}/get_result", types.result_request, types.result_reply, self._on_result
        )
        Service(node, f"{name}/cancel_goal", ros.CancelRequest, ros.CancelReply, self._on_cancel)
        robot.on_feedback(self._tell_progress)
        robot.on_goals(self._tell_status)

    def _on_goal(self, request: Any, answer: Callable[[Any], None]) -> None:
        id_ = read_id(request.goal_id)
        poses = [read_pose(pose.header, pose.pose) for pose in self._types.poses(request)]
        now = self._robot.goal
        busy = now is not None and now.id not in self._known
        self._known[id_] = Status.EXECUTING
        accepted = self._robot.turn_down(id_) if busy else self._robot.accept(id_, poses)
        if accepted:
            self._robot.when_over(id_, partial(self._over, id_))
        else:
            del self._known[id_]
        answer(self._types.goal_reply(accepted=accepted))

    def _over(self, id_: GoalId, end: GoalEnd) -> None:
        if id_ in self._known:
            self._known[id_] = _STATUS[end.how]
        while len(self._known) > 20:
            del self._known[next(iter(self._known))]

    def _on_result(self, request: Any, answer: Callable[[Any], None]) -> None:
        def told(end: GoalEnd) -> None:
            reply = self._types.result_reply(status=_STATUS[end.how])
            if hasattr(reply.result, "error_code"):
                reply.result.error_code, reply.result.error_msg = end.code, end.text
            answer(reply)

        self._robot.when_over(read_id(request.goal_id), told)

    def _on_cancel(self, request: ros.CancelRequest, answer: Callable[[Any], None]) -> None:
        id_ = read_id(request.goal_info.goal_id)
        if id_ in self._known and self._robot.cancel(id_):
            answer(ros.CancelReply(goals_canceling=[request.goal_info]))
        else:
            code = HAS_ENDED if id_ in self._known else NO_SUCH_GOAL
            answer(ros.CancelReply(return_code=code))

    def _tell_progress(self, id_: GoalId, pose: MapPose, left: int, left_m: float) -> None:
        if id_ not in self._known:
            return
        message = self._types.feedback(goal_id=ros.GoalId(uuid=list(id_)))
        message.feedback.current_pose = stamped(pose)
        message.feedback.distance_remaining = left_m
        if hasattr(message.feedback, "number_of_poses_remaining"):
            message.feedback.number_of_poses_remaining = left
        self._feedback.say(message)

    def _tell_status(self) -> None:
        """How its own goals fare, if that is news; a real one says nothing else, nor at first."""
        now = self._robot.goal.id if self._robot.goal else None
        listed = [
            ros.GoalStatus(
                goal_info=ros.GoalInfo(goal_id=ros.GoalId(uuid=list(id_))), status=status
            )
            for id_, status in self._known.items()
            if id_ == now or status != Status.EXECUTING
        ]
        if listed != self._told:
            self._told = listed
            self._status.say(ros.GoalStatusArray(status_list=listed))
