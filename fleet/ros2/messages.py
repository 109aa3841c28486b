"""The ROS messages that are spoken, as CDR types for the `dds` backend.

ROS types are final structures under mangled names; requests and replies begin with who asks and
the number of the question, as rmw_cyclonedds writes them. Where distributions differ, each has
its own classes, and `types_of` picks them.

Source: common_interfaces, rcl_interfaces and nav2_msgs of Humble, Jazzy and Kilted;
rmw_cyclonedds_cpp, ``cdds_request_header_t``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.annotations import final
from cyclonedds.idl.types import (
    array,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    sequence,
    uint8,
    uint16,
    uint32,
    uint64,
)

if TYPE_CHECKING:
    many = list
    Id16 = Sequence[int]
    Covariance = Sequence[float]
else:
    many = sequence
    Id16 = array[uint8, 16]
    Covariance = array[float64, 36]

NO_ID = (0,) * 16


@dataclass
@final
class Time(IdlStruct, typename="builtin_interfaces::msg::dds_::Time_"):
    """A moment; zero = no matter when."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
@final
class Duration(IdlStruct, typename="builtin_interfaces::msg::dds_::Duration_"):
    """A length of time."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
@final
class Header(IdlStruct, typename="std_msgs::msg::dds_::Header_"):
    """When, and in which frame."""

    stamp: Time = field(default_factory=Time)
    frame_id: str = ""


@dataclass
@final
class Empty(IdlStruct, typename="std_msgs::msg::dds_::Empty_"):
    """Nothing, which is a byte on the wire."""

    structure_needs_at_least_one_member: uint8 = 0


@dataclass
@final
class Point(IdlStruct, typename="geometry_msgs::msg::dds_::Point_"):
    """Metres."""

    x: float64 = 0.0
    y: float64 = 0.0
    z: float64 = 0.0


@dataclass
@final
class Quaternion(IdlStruct, typename="geometry_msgs::msg::dds_::Quaternion_"):
    """A rotation."""

    x: float64 = 0.0
    y: float64 = 0.0
    z: float64 = 0.0
    w: float64 = 1.0


@dataclass
@final
class Pose(IdlStruct, typename="geometry_msgs::msg::dds_::Pose_"):
    """Where, and which way round."""

    position: Point = field(default_factory=Point)
    orientation: Quaternion = field(default_factory=Quaternion)


@dataclass
@final
class PoseStamped(IdlStruct, typename="geometry_msgs::msg::dds_::PoseStamped_"):
    """A pose in a frame."""

    header: Header = field(default_factory=Header)
    pose: Pose = field(default_factory=Pose)


@dataclass
@final
class PoseWithCovariance(IdlStruct, typename="geometry_msgs::msg::dds_::PoseWithCovariance_"):
    """A pose, and how sure it is."""

    pose: Pose = field(default_factory=Pose)
    covariance: Covariance = (0.0,) * 36


@dataclass
@final
class PoseWithCovarianceStamped(
    IdlStruct, typename="geometry_msgs::msg::dds_::PoseWithCovarianceStamped_"
):
    """What AMCL says."""

    header: Header = field(default_factory=Header)
    pose: PoseWithCovariance = field(default_factory=PoseWithCovariance)


@dataclass
@final
class BatteryState(IdlStruct, typename="sensor_msgs::msg::dds_::BatteryState_"):
    """What a battery says; ``percentage`` is a ratio, unless its driver is wrong."""

    header: Header = field(default_factory=Header)
    voltage: float32 = 0.0
    temperature: float32 = 0.0
    current: float32 = 0.0
    charge: float32 = 0.0
    capacity: float32 = 0.0
    design_capacity: float32 = 0.0
    percentage: float32 = 0.0
    power_supply_status: uint8 = 0
    power_supply_health: uint8 = 0
    power_supply_technology: uint8 = 0
    present: bool = True
    cell_voltage: many[float32] = field(default_factory=list[float])
    cell_temperature: many[float32] = field(default_factory=list[float])
    location: str = ""
    serial_number: str = ""


# --- requests that all robots know -------------------------------------------------------------


@dataclass
@final
class TriggerRequest(IdlStruct, typename="std_srvs::srv::dds_::Trigger_Request_"):
    """Do what you do."""

    guid: uint64 = 0
    seq: int64 = 0
    structure_needs_at_least_one_member: uint8 = 0


@dataclass
@final
class TriggerReply(IdlStruct, typename="std_srvs::srv::dds_::Trigger_Response_"):
    """Whether it was done."""

    guid: uint64 = 0
    seq: int64 = 0
    success: bool = False
    message: str = ""


@dataclass
@final
class GoalId(IdlStruct, typename="unique_identifier_msgs::msg::dds_::UUID_"):
    """Which goal."""

    uuid: Id16 = NO_ID


@dataclass
@final
class GoalInfo(IdlStruct, typename="action_msgs::msg::dds_::GoalInfo_"):
    """A goal, and when it was accepted."""

    goal_id: GoalId = field(default_factory=GoalId)
    stamp: Time = field(default_factory=Time)


@dataclass
@final
class GoalStatus(IdlStruct, typename="action_msgs::msg::dds_::GoalStatus_"):
    """How a goal fares."""

    goal_info: GoalInfo = field(default_factory=GoalInfo)
    status: int8 = 0


@dataclass
@final
class GoalStatusArray(IdlStruct, typename="action_msgs::msg::dds_::GoalStatusArray_"):
    """How all goals fare that an action server remembers."""

    status_list: many[GoalStatus] = field(default_factory=list[GoalStatus])


@dataclass
@final
class CancelRequest(IdlStruct, typename="action_msgs::srv::dds_::CancelGoal_Request_"):
    """Which goals to give up."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_info: GoalInfo = field(default_factory=GoalInfo)


@dataclass
@final
class CancelReply(IdlStruct, typename="action_msgs::srv::dds_::CancelGoal_Response_"):
    """Which goals are being given up."""

    guid: uint64 = 0
    seq: int64 = 0
    return_code: int8 = 0
    goals_canceling: many[GoalInfo] = field(default_factory=list[GoalInfo])


class Status:
    """The states of a goal, as in action_msgs/GoalStatus."""

    UNKNOWN = 0
    ACCEPTED = 1
    EXECUTING = 2
    CANCELING = 3
    SUCCEEDED = 4
    CANCELED = 5
    ABORTED = 6


# --- navigate_to_pose --------------------------------------------------------------------------


@dataclass
@final
class ToPoseGoal(IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_Goal_"):
    """Go to a pose."""

    pose: PoseStamped = field(default_factory=PoseStamped)
    behavior_tree: str = ""


@dataclass
@final
class ToPoseRequest(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_SendGoal_Request_"
):
    """The same, with its id."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_id: GoalId = field(default_factory=GoalId)
    goal: ToPoseGoal = field(default_factory=ToPoseGoal)


@dataclass
@final
class ToPoseReply(IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_SendGoal_Response_"):
    """Whether it will try."""

    guid: uint64 = 0
    seq: int64 = 0
    accepted: bool = False
    stamp: Time = field(default_factory=Time)


@dataclass
@final
class ToPoseResultRequest(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_GetResult_Request_"
):
    """How did it end? Answered when it has ended."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_id: GoalId = field(default_factory=GoalId)


@dataclass
@final
class ToPoseResultHumble(IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_Result_"):
    """Humble says no more than the status."""

    result: Empty = field(default_factory=Empty)


@dataclass
@final
class ToPoseResult(IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_Result_"):
    """Why it failed, from Jazzy on."""

    error_code: uint16 = 0
    error_msg: str = ""


@dataclass
@final
class ToPoseResultReplyHumble(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_GetResult_Response_"
):
    """How it ended."""

    guid: uint64 = 0
    seq: int64 = 0
    status: int8 = 0
    result: ToPoseResultHumble = field(default_factory=ToPoseResultHumble)


@dataclass
@final
class ToPoseResultReply(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_GetResult_Response_"
):
    """How it ended."""

    guid: uint64 = 0
    seq: int64 = 0
    status: int8 = 0
    result: ToPoseResult = field(default_factory=ToPoseResult)


@dataclass
@final
class ToPoseFeedback(IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_Feedback_"):
    """How far it is."""

    current_pose: PoseStamped = field(default_factory=PoseStamped)
    navigation_time: Duration = field(default_factory=Duration)
    estimated_time_remaining: Duration = field(default_factory=Duration)
    number_of_recoveries: int16 = 0
    distance_remaining: float32 = 0.0


@dataclass
@final
class ToPoseFeedbackMessage(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateToPose_FeedbackMessage_"
):
    """The same, of one goal."""

    goal_id: GoalId = field(default_factory=GoalId)
    feedback: ToPoseFeedback = field(default_factory=ToPoseFeedback)


# --- navigate_through_poses --------------------------------------------------------------------


@dataclass
@final
class Goals(IdlStruct, typename="nav_msgs::msg::dds_::Goals_"):
    """Poses, since Kilted."""

    header: Header = field(default_factory=Header)
    goals: many[PoseStamped] = field(default_factory=list[PoseStamped])


@dataclass
@final
class WaypointStatus(IdlStruct, typename="nav2_msgs::msg::dds_::WaypointStatus_"):
    """How one pose fared, since Kilted."""

    waypoint_status: uint8 = 0
    waypoint_index: uint32 = 0
    waypoint_pose: PoseStamped = field(default_factory=PoseStamped)
    error_code: uint16 = 0
    error_msg: str = ""


@dataclass
@final
class ThroughPosesGoal(IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Goal_"):
    """Go through poses to the last of them, in Humble and Jazzy."""

    poses: many[PoseStamped] = field(default_factory=list[PoseStamped])
    behavior_tree: str = ""


@dataclass
@final
class ThroughPosesGoalKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Goal_"
):
    """The same in Kilted."""

    poses: Goals = field(default_factory=Goals)
    behavior_tree: str = ""


@dataclass
@final
class ThroughPosesRequest(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_SendGoal_Request_"
):
    """The same, with its id."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_id: GoalId = field(default_factory=GoalId)
    goal: ThroughPosesGoal = field(default_factory=ThroughPosesGoal)


@dataclass
@final
class ThroughPosesRequestKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_SendGoal_Request_"
):
    """The same, with its id."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_id: GoalId = field(default_factory=GoalId)
    goal: ThroughPosesGoalKilted = field(default_factory=ThroughPosesGoalKilted)


@dataclass
@final
class ThroughPosesReply(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_SendGoal_Response_"
):
    """Whether it will try."""

    guid: uint64 = 0
    seq: int64 = 0
    accepted: bool = False
    stamp: Time = field(default_factory=Time)


@dataclass
@final
class ThroughPosesResultRequest(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_GetResult_Request_"
):
    """How did it end? Answered when it has ended."""

    guid: uint64 = 0
    seq: int64 = 0
    goal_id: GoalId = field(default_factory=GoalId)


@dataclass
@final
class ThroughPosesResultHumble(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Result_"
):
    """Humble says no more than the status."""

    result: Empty = field(default_factory=Empty)


@dataclass
@final
class ThroughPosesResult(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Result_"
):
    """Why it failed, in Jazzy."""

    error_code: uint16 = 0
    error_msg: str = ""


@dataclass
@final
class ThroughPosesResultKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Result_"
):
    """Why it failed, and what became of each pose."""

    error_code: uint16 = 0
    error_msg: str = ""
    waypoint_statuses: many[WaypointStatus] = field(default_factory=list[WaypointStatus])


@dataclass
@final
class ThroughPosesResultReplyHumble(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_GetResult_Response_"
):
    """How it ended."""

    guid: uint64 = 0
    seq: int64 = 0
    status: int8 = 0
    result: ThroughPosesResultHumble = field(default_factory=ThroughPosesResultHumble)


@dataclass
@final
class ThroughPosesResultReply(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_GetResult_Response_"
):
    """How it ended."""

    guid: uint64 = 0
    seq: int64 = 0
    status: int8 = 0
    result: ThroughPosesResult = field(default_factory=ThroughPosesResult)


@dataclass
@final
class ThroughPosesResultReplyKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_GetResult_Response_"
):
    """How it ended."""

    guid: uint64 = 0
    seq: int64 = 0
    status: int8 = 0
    result: ThroughPosesResultKilted = field(default_factory=ThroughPosesResultKilted)


@dataclass
@final
class ThroughPosesFeedback(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Feedback_"
):
    """How far it is."""

    current_pose: PoseStamped = field(default_factory=PoseStamped)
    navigation_time: Duration = field(default_factory=Duration)
    estimated_time_remaining: Duration = field(default_factory=Duration)
    number_of_recoveries: int16 = 0
    distance_remaining: float32 = 0.0
    number_of_poses_remaining: int16 = 0


@dataclass
@final
class ThroughPosesFeedbackKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_Feedback_"
):
    """The same in Kilted."""

    current_pose: PoseStamped = field(default_factory=PoseStamped)
    navigation_time: Duration = field(default_factory=Duration)
    estimated_time_remaining: Duration = field(default_factory=Duration)
    number_of_recoveries: int16 = 0
    distance_remaining: float32 = 0.0
    number_of_poses_remaining: int16 = 0
    waypoint_statuses: many[WaypointStatus] = field(default_factory=list[WaypointStatus])


@dataclass
@final
class ThroughPosesFeedbackMessage(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_FeedbackMessage_"
):
    """The same, of one goal."""

    goal_id: GoalId = field(default_factory=GoalId)
    feedback: ThroughPosesFeedback = field(default_factory=ThroughPosesFeedback)


@dataclass
@final
class ThroughPosesFeedbackMessageKilted(
    IdlStruct, typename="nav2_msgs::action::dds_::NavigateThroughPoses_FeedbackMessage_"
):
    """The same, of one goal."""

    goal_id: GoalId = field(default_factory=GoalId)
    feedback: ThroughPosesFeedbackKilted = field(default_factory=ThroughPosesFeedbackKilted)


# --- which of them a robot speaks --------------------------------------------------------------


class Distribution(StrEnum):
    """The ROS distribution of a robot."""

    HUMBLE = "humble"
    JAZZY = "jazzy"
    KILTED = "kilted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTypes:
    """One action's name and the types of its three services and its feedback."""

    name: str
    goal_request: type[Any]
    goal_reply: type[Any]
    result_request: type[Any]
    result_reply: type[Any]
    feedback: type[Any]
    kilted: bool = False

    def request(self, goal_id: GoalId, poses: Sequence[PoseStamped]) -> Any:
        """The request that sends a goal."""
        goal = self.goal_request.__annotations__["goal"]
        if self.goal_request is ToPoseRequest:
            return ToPoseRequest(goal_id=goal_id, goal=ToPoseGoal(pose=poses[-1]))
        told = Goals(header=poses[-1].header, goals=list(poses)) if self.kilted else list(poses)
        return self.goal_request(goal_id=goal_id, goal=goal(poses=told))

    def poses(self, request: Any) -> list[PoseStamped]:
        """The poses that such a request asks for."""
        if self.goal_request is ToPoseRequest:
            return [request.goal.pose]
        return list(request.goal.poses.goals if self.kilted else request.goal.poses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nav2Types:
    """Both actions of one distribution."""

    to_pose: ActionTypes
    through_poses: ActionTypes


def types_of(distribution: Distribution) -> Nav2Types:
    """What robots of a distribution speak."""
    humble, kilted = distribution is Distribution.HUMBLE, distribution is Distribution.KILTED
    to_pose = ActionTypes(
        name="navigate_to_pose",
        goal_request=ToPoseRequest,
        goal_reply=ToPoseReply,
        result_request=ToPoseResultRequest,
        result_reply=ToPoseResultReplyHumble if humble else ToPoseResultReply,
        feedback=ToPoseFeedbackMessage,
    )
    result: type[Any] = ThroughPosesResultReply
    if humble:
        result = ThroughPosesResultReplyHumble
    if kilted:
        result = ThroughPosesResultReplyKilted
    through_poses = ActionTypes(
        name="navigate_through_poses",
        goal_request=ThroughPosesRequestKilted if kilted else ThroughPosesRequest,
        goal_reply=ThroughPosesReply,
        result_request=ThroughPosesResultRequest,
        result_reply=result,
        feedback=ThroughPosesFeedbackMessageKilted if kilted else ThroughPosesFeedbackMessage,
        kilted=kilted,
    )
    return Nav2Types(to_pose=to_pose, through_poses=through_poses)
