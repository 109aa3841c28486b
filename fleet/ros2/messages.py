"""The ROS messages that are spoken, as CDR types for the `dds` backend.

ROS types are final structures under mangled names; requests and replies begin with who asks and
the number of the question, as rmw_cyclonedds writes them. These are the same in all distributions;
`fleet.ros2.nav2_messages` has those of Nav2.

Source: common_interfaces and rcl_interfaces; rmw_cyclonedds_cpp, ``cdds_request_header_t``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.annotations import final
from cyclonedds.idl.types import (
    array,
    float32,
    float64,
    int8,
    int32,
    int64,
    sequence,
    uint8,
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
