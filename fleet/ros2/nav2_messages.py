"""The messages of Nav2's two actions, as each ROS distribution has them.

Services and feedback of an action wrap its goal, result and feedback in ever the same way, so the
types are made from their fields, by `types_of`.

Source: nav2_msgs of Humble, Jazzy and Kilted; rosidl, ``action`` to ``msg`` and ``srv``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Final

from cyclonedds.idl import IdlStruct, make_idl_struct
from cyclonedds.idl.annotations import final
from cyclonedds.idl.types import (
    float32,
    int8,
    int16,
    int64,
    sequence,
    uint8,
    uint16,
    uint32,
    uint64,
)

from fleet.ros2.messages import Duration, Empty, GoalId, Header, PoseStamped, Time

Fields = Mapping[str, Any]
"""The type of each field, by its name."""

_ASKED: Final[Fields] = {"guid": uint64, "seq": int64}
"""Who asks, and the number of the question."""


class Distribution(StrEnum):
    """The ROS distribution of a robot."""

    HUMBLE = "humble"
    JAZZY = "jazzy"
    KILTED = "kilted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTypes:
    """One action's name and the types of its goal, its three services and its feedback."""

    name: str
    goal: type[Any]
    goal_request: type[Any]
    goal_reply: type[Any]
    result_request: type[Any]
    result_reply: type[Any]
    feedback: type[Any]

    def request(self, goal_id: GoalId, poses: Sequence[PoseStamped]) -> Any:
        """The request that sends a goal."""
        goal = self.goal()
        if hasattr(goal, "pose"):
            goal.pose = poses[-1]
        elif isinstance(goal.poses, list):
            goal.poses = list(poses)
        else:
            goal.poses.header, goal.poses.goals = poses[-1].header, list(poses)
        return self.goal_request(goal_id=goal_id, goal=goal)

    def poses(self, request: Any) -> list[PoseStamped]:
        """The poses that such a request asks for."""
        goal = request.goal
        if hasattr(goal, "pose"):
            return [goal.pose]
        return list(goal.poses if isinstance(goal.poses, list) else goal.poses.goals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nav2Types:
    """Both actions of one distribution."""

    to_pose: ActionTypes
    through_poses: ActionTypes


@cache
def types_of(distribution: Distribution) -> Nav2Types:
    """What robots of a distribution speak."""
    kilted = distribution is Distribution.KILTED
    fared: Fields = {"waypoint_statuses": sequence[_waypoint_status()]} if kilted else {}
    result: Fields = {"error_code": uint16, "error_msg": str}
    if distribution is Distribution.HUMBLE:
        result = {"result": Empty}
    feedback: Fields = {
        "current_pose": PoseStamped,
        "navigation_time": Duration,
        "estimated_time_remaining": Duration,
        "number_of_recoveries": int16,
        "distance_remaining": float32,
    }
    to_pose = _action(
        "navigate_to_pose",
        "NavigateToPose",
        goal={"pose": PoseStamped, "behavior_tree": str},
        result=result,
        feedback=feedback,
    )
    through_poses = _action(
        "navigate_through_poses",
        "NavigateThroughPoses",
        goal={"poses": _goals() if kilted else sequence[PoseStamped], "behavior_tree": str},
        result={**result, **fared},
        feedback={**feedback, "number_of_poses_remaining": int16, **fared},
    )
    return Nav2Types(to_pose=to_pose, through_poses=through_poses)


def _action(
    name: str, ros_name: str, *, goal: Fields, result: Fields, feedback: Fields
) -> ActionTypes:
    def made(part: str, fields: Fields) -> type[Any]:
        return _struct(f"nav2_msgs::action::dds_::{ros_name}_{part}_", fields)

    goal_type = made("Goal", goal)
    answer: Fields = {"status": int8, "result": made("Result", result)}
    told: Fields = {"goal_id": GoalId, "feedback": made("Feedback", feedback)}
    return ActionTypes(
        name=name,
        goal=goal_type,
        goal_request=made("SendGoal_Request", {**_ASKED, "goal_id": GoalId, "goal": goal_type}),
        goal_reply=made("SendGoal_Response", {**_ASKED, "accepted": bool, "stamp": Time}),
        result_request=made("GetResult_Request", {**_ASKED, "goal_id": GoalId}),
        result_reply=made("GetResult_Response", {**_ASKED, **answer}),
        feedback=made("FeedbackMessage", told),
    )


def _goals() -> type[Any]:
    """Poses, since Kilted."""
    return _struct(
        "nav_msgs::msg::dds_::Goals_", {"header": Header, "goals": sequence[PoseStamped]}
    )


def _waypoint_status() -> type[Any]:
    """How one pose fared, since Kilted."""
    fields = {
        "waypoint_status": uint8,
        "waypoint_index": uint32,
        "waypoint_pose": PoseStamped,
        "error_code": uint16,
        "error_msg": str,
    }
    return _struct("nav2_msgs::msg::dds_::WaypointStatus_", fields)


def _struct(typename: str, fields: Fields) -> type[Any]:
    """A final structure whose fields are empty unless given."""
    name = typename.rpartition("::")[2]
    made = make_idl_struct(name, typename, dict(fields), dataclassify=False)
    made.__module__ = __name__
    for key, kind in fields.items():
        setattr(made, key, _empty(kind))
    return dataclass(final(made))


def _empty(kind: Any) -> Any:
    """What a field holds that nobody has set: zero, "", no elements, or a structure of such."""
    if isinstance(kind, type):
        return field(default_factory=kind) if issubclass(kind, IdlStruct) else kind()
    plain = kind.__origin__
    return plain() if plain in (int, float) else field(default_factory=list[Any])
