"""How to reach one robot by ROS 2, and what is to know of its maps and its work."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fleet.mission import ActionKind

Seconds = Annotated[float, Field(gt=0)]
Metres = Annotated[float, Field(gt=0)]
_WORDS = r"[A-Za-z_]\w*(/[A-Za-z_]\w*)*"


def _name(text: str) -> str:
    if not re.fullmatch(f"/?{_WORDS}", text, re.ASCII):
        raise ValueError("names in ROS have letters, digits and _, with / between: battery_state")
    return text


def _namespace(text: str) -> str:
    if text and not re.fullmatch(f"/{_WORDS}", text, re.ASCII):
        raise ValueError(
            f"a namespace in ROS is empty or begins with / and has letters, digits and _, not "
            f"{text!r}; give each vehicle one with namespaces: [/r1, ...]"
        )
    return text


Topic = Annotated[str, AfterValidator(_name)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ActionConfig(_Frozen):
    """How one kind of work is done.

    Nav2 knows no work. Either people do it while the robot waits, or the robot offers a
    ``std_srvs/srv/Trigger`` service that answers when it is done.
    """

    wait: bool = False
    """Wait for as long as it is expected to take."""
    service: Topic | None = None
    """Call this, within the robot's namespace, or absolute with a slash."""
    timeout_s: Seconds | None = None
    """How long the service may take; absent = twice the expected time and 120 s."""

    @model_validator(mode="after")
    def _one(self) -> "ActionConfig":
        if self.wait == (self.service is not None):
            raise ValueError("say either 'wait: true' or 'service: NAME'")
        return self


class MapConfig(_Frozen):
    """Where the robot's map lies on the site's level: its origin, and its turn to the left."""

    x_m: float = 0.0
    y_m: float = 0.0
    yaw_deg: float = 0.0


WAITS = {
    kind: ActionConfig(wait=True)
    for kind in (
        ActionKind.LOAD,
        ActionKind.UNLOAD,
        ActionKind.DECONTAMINATE,
        ActionKind.OBSERVE,
        ActionKind.CHARGE,
        ActionKind.STOP_CHARGING,
    )
}
"""Work for which a robot has only to stand still, so it need not be configured."""


class Ros2Config(_Frozen):
    """One robot's wire."""

    namespace: Annotated[str, AfterValidator(_namespace)]
    """The robot's own, with a leading slash: ``/r1``; empty = none."""
    domain_id: Annotated[int, Field(ge=0, le=232)] = 0
    """The robot's ``ROS_DOMAIN_ID``."""
    distribution: Literal["humble", "jazzy", "kilted"] = "jazzy"
    backend: Literal["auto", "rclpy", "dds"] = "auto"
    """``rclpy`` needs a ROS installation, and speaks to all robots; ``dds`` needs only
    cyclonedds, and speaks to robots on rmw_cyclonedds_cpp. ``auto`` = the first that is there."""

    level: str
    """The level of the site that the robot's map shows; it never leaves it."""
    frame: str = "map"
    """The frame of its poses."""
    map: MapConfig = MapConfig()
    pose_topic: Topic = "amcl_pose"
    pose_type: Literal["amcl", "stamped"] = "amcl"
    """``amcl``: geometry_msgs/PoseWithCovarianceStamped, kept for late comers; ``stamped``:
    geometry_msgs/PoseStamped."""
    battery_topic: Topic | None = "battery_state"
    """sensor_msgs/BatteryState; null = it has none, and its energy is not known."""
    battery_full: Literal[1, 100] = 1
    """What ``percentage`` is when full: 1 as the message's definition has it, or 100."""

    drive: Literal["poses", "nodes"] = "poses"
    """``poses``: all released nodes as one goal for navigate_through_poses, replaced when more
    are released; ``nodes``: node by node with navigate_to_pose, stopping at each."""
    reached_m: Metres = 0.5
    """So near to a node, it has reached it."""
    actions: Mapping[ActionKind, ActionConfig] = {}
    """How work is done that is not just waited for; ``disinfect`` has no default."""

    answer_s: Seconds = 5.0
    """For the answer to a goal or a cancel."""
    silence_s: Seconds = 3.0
    """Without feedback for so long, a robot is asked what became of its goal."""
    fresh_s: Seconds = 10.0
    """Age at which its last word is stale."""
    patience_s: Seconds = 120.0
    """How long a mission waits for a robot that is no longer heard."""
    stop_s: Seconds = 60.0
    """How long a cancelled robot may take to the next node, before it is stopped where it is."""
    goal_tries: Annotated[int, Field(ge=1)] = 3
    """How often a drive is tried that the robot aborts or rejects."""
    retry_s: Seconds = 5.0
    """Between two tries."""
    look_s: Seconds = 0.5
    """How often it is looked whether its navigation is there."""

    def does(self, kind: ActionKind) -> ActionConfig | None:
        """How work of a kind is done; None = it is not."""
        return self.actions.get(kind, WAITS.get(kind))

    def full(self, name: str) -> str:
        """A topic or service with its namespace: ``/r1/battery_state``."""
        return name if name.startswith("/") else f"{self.namespace}/{name}"
