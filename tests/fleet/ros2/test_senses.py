"""What a robot with Nav2 says that it is at, and when that is forgotten."""

from fleet.ros2.port import Navigation, Senses, new_goal_id
from fleet.ros2.rclpy_port import RclpyPort
from tests.fleet.ros2.scene import config_for

POSE, POSES = "navigate_to_pose", "navigate_through_poses"


async def test_what_a_robot_was_at_before_it_went_is_not_listed_when_it_is_back() -> None:
    port, old, new = RclpyPort(config_for()), new_goal_id(), new_goal_id()
    senses = port.senses
    senses.see(Navigation.READY)
    port.on_status(POSES, frozenset({old}))
    assert senses.goals == {old}
    senses.see(Navigation.ABSENT)
    assert senses.goals == frozenset()
    senses.see(Navigation.READY)
    port.on_status(POSE, frozenset({new}))
    assert senses.goals == {new}


async def test_both_actions_list_goals_and_one_that_is_over_is_listed_no_more() -> None:
    senses, first, second = Senses(), new_goal_id(), new_goal_id()
    senses.list_goals(POSE, frozenset({first}))
    senses.list_goals(POSES, frozenset({second}))
    assert senses.goals == {first, second}
    assert senses.listed_by(second) == (POSES,)
    senses.end_goal(first)
    senses.list_goals(POSE, frozenset({first}))
    assert senses.goals == {second}
