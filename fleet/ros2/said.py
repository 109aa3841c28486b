"""What a robot with Nav2 says and is told, in ROS messages of either backend.

The classes of rclpy's messages and of ours have fields of the same names, so it is read alike.

Source: geometry_msgs, sensor_msgs/BatteryState, action_msgs.
"""

import math
from typing import Any, Final

from fleet.ros2.port import Battery, Ended, GoalEnd, GoalId, MapPose


class Status:
    """The states of a goal, as in action_msgs/GoalStatus."""

    UNKNOWN = 0
    ACCEPTED = 1
    EXECUTING = 2
    CANCELING = 3
    SUCCEEDED = 4
    CANCELED = 5
    ABORTED = 6


NO_SUCH_GOAL, HAS_ENDED = 2, 3
"""Return codes of a cancel."""
OVER: Final = (NO_SUCH_GOAL, HAS_ENDED)

CHARGING, DISCHARGING, NOT_CHARGING, FULL = 1, 2, 3, 4
"""What a battery's ``power_supply_status`` may be."""
_CHARGES = {CHARGING: True, FULL: True, DISCHARGING: False, NOT_CHARGING: False}
_ENDS = {
    Status.SUCCEEDED: Ended.SUCCEEDED,
    Status.CANCELED: Ended.CANCELED,
    Status.ABORTED: Ended.ABORTED,
}
_ACTIVE = (Status.ACCEPTED, Status.EXECUTING, Status.CANCELING)


def write_pose(told: Any, pose: MapPose) -> Any:
    """Fill in a PoseStamped, and return it."""
    told.header.frame_id = pose.frame
    told.pose.position.x, told.pose.position.y = pose.x_m, pose.y_m
    told.pose.orientation.z = math.sin(pose.yaw_rad / 2)
    told.pose.orientation.w = math.cos(pose.yaw_rad / 2)
    return told


def read_pose(header: Any, pose: Any) -> MapPose:
    """A pose that ROS has written, flat."""
    turn = pose.orientation
    yaw_rad = math.atan2(
        2 * (turn.w * turn.z + turn.x * turn.y), 1 - 2 * (turn.y * turn.y + turn.z * turn.z)
    )
    frame = str(header.frame_id).removeprefix("/")
    return MapPose(x_m=pose.position.x, y_m=pose.position.y, yaw_rad=yaw_rad, frame=frame)


def read_battery(message: Any) -> Battery:
    """A BatteryState."""
    ratio = float(message.percentage)
    return Battery(
        percentage=ratio if math.isfinite(ratio) and ratio >= 0 else None,
        charging=_CHARGES.get(int(message.power_supply_status)),
    )


def read_id(goal_id: Any) -> GoalId:
    """A goal's id."""
    return bytes(bytearray(goal_id.uuid))


def read_active(message: Any) -> frozenset[GoalId]:
    """The goals of a GoalStatusArray that are not over."""
    return frozenset(
        read_id(one.goal_info.goal_id) for one in message.status_list if one.status in _ACTIVE
    )


def read_end(reply: Any) -> GoalEnd:
    """How a goal ended, as the answer to the question for its result has it."""
    return GoalEnd(
        how=_ENDS.get(reply.status, Ended.FORGOTTEN),
        code=getattr(reply.result, "error_code", 0),
        text=getattr(reply.result, "error_msg", ""),
    )


def read_poses_left(feedback: Any) -> int:
    """How many poses are ahead; 0 = it does not say."""
    return int(getattr(feedback, "number_of_poses_remaining", 0))
