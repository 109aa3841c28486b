"""ROS messages as bytes and names: what a robot would see on the wire."""

import struct
from typing import Any

import pytest

from fleet.ros2 import messages as ros
from fleet.ros2.dds_port import stamped
from fleet.ros2.messages import GoalId
from fleet.ros2.nav2_messages import Distribution, types_of
from fleet.ros2.port import MapPose
from fleet.ros2.said import read_pose
from fleet.ros2.type_hash import ros_name, type_hash

POSES = [MapPose(x_m=1.5, y_m=-2.0, yaw_rad=0.7, frame="map")] * 3

# computed with rosbags 0.11.9 from its Jazzy type store
HASHES = {
    "builtin_interfaces/msg/Time": (
        ros.Time,
        "RIHS01_b106235e25a4c5ed35098aa0a61a3ee9c9b18d197f398b0e4206cea9acf9c197",
    ),
    "geometry_msgs/msg/PoseStamped": (
        ros.PoseStamped,
        "RIHS01_10f3786d7d40fd2b54367835614bff85d4ad3b5dab62bf8bca0cc232d73b4cd8",
    ),
    "geometry_msgs/msg/PoseWithCovarianceStamped": (
        ros.PoseWithCovarianceStamped,
        "RIHS01_26432f9803e43727d3c8f668d1fdb3c630f548af631e2f4e31382371bfea3b6e",
    ),
    "sensor_msgs/msg/BatteryState": (
        ros.BatteryState,
        "RIHS01_4bee5dfce981c98faa6828b868307a0a73f992ed0789f374ee96c8f840e69741",
    ),
    "action_msgs/msg/GoalStatusArray": (
        ros.GoalStatusArray,
        "RIHS01_6c1684b00f177d37438febe6e709fc4e2b0d4248dca4854946f9ed8b30cda83e",
    ),
    "nav2_msgs/action/NavigateToPose_FeedbackMessage": (
        types_of(Distribution.JAZZY).to_pose.feedback,
        "RIHS01_9d1f6fa2eb975ce733b419ac2e97b134d8ff92b6478b6559feed9a50bdfd82b3",
    ),
}


@pytest.mark.parametrize("name", HASHES)
def test_types_have_the_names_and_hashes_of_ros(name: str) -> None:
    kind, wanted = HASHES[name]
    assert ros_name(kind) == name
    assert type_hash(kind) == wanted


def test_a_request_begins_with_who_asks_and_the_number_of_the_question() -> None:
    request = types_of(Distribution.JAZZY).to_pose.request(
        GoalId(uuid=list(range(16))), [stamped(pose) for pose in POSES]
    )
    request.guid, request.seq = 2**64 - 2, 7
    data = request.serialize()
    assert data[:4] == bytes([0, 1, 0, 0])  # little-endian XCDR1
    assert struct.unpack_from("<Qq", data, 4) == (2**64 - 2, 7)
    assert data[20:36] == bytes(range(16))


@pytest.mark.parametrize("distribution", Distribution)
def test_goals_come_back_from_bytes_as_they_were(distribution: Distribution) -> None:
    types = types_of(distribution)
    for action in (types.to_pose, types.through_poses):
        sent = action.request(GoalId(uuid=list(range(16))), [stamped(pose) for pose in POSES])
        read: Any = action.goal_request.deserialize(sent.serialize())
        poses = [read_pose(pose.header, pose.pose) for pose in action.poses(read)]
        assert len(poses) == (1 if action is types.to_pose else 3)
        assert all(pose.frame == "map" for pose in poses)
        assert [(p.x_m, p.y_m, p.yaw_rad) for p in poses] == [
            pytest.approx((1.5, -2.0, 0.7)) for _ in poses
        ]
        assert bytes(read.goal_id.uuid) == bytes(range(16))


def test_distributions_differ_where_ros_does() -> None:
    humble, jazzy, kilted = (types_of(one).through_poses for one in Distribution)
    assert not hasattr(humble.result_reply().result, "error_code")
    assert jazzy.result_reply().result.error_code == 0
    assert hasattr(kilted.feedback().feedback, "waypoint_statuses")
    assert not hasattr(jazzy.feedback().feedback, "waypoint_statuses")
