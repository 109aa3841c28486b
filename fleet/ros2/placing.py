"""Between a site's level and the map that a robot has made of it."""

import math

from fleet.ros2.config import Ros2Config
from fleet.ros2.port import MapPose
from fleet.vehicle import Position
from routing.geometry import Point
from routing.site import LevelId, Node, Site


class Placing:
    """Turns points of the site into the robot's poses and back; finds the node it stands at."""

    def __init__(self, config: Ros2Config, site: Site) -> None:
        self.level = LevelId(config.level)
        self._frame, self._origin = config.frame, config.map
        self._turn_rad = math.radians(config.map.yaw_deg)
        self._nodes = [node for node in site.nodes.values() if node.level == self.level]

    def to_map(self, point: Point, yaw_rad: float) -> MapPose:
        """A point of the level, and a heading there, in the robot's map."""
        dx, dy = point.x_m - self._origin.x_m, point.y_m - self._origin.y_m
        cos, sin = math.cos(self._turn_rad), math.sin(self._turn_rad)
        return MapPose(
            x_m=dx * cos + dy * sin,
            y_m=dy * cos - dx * sin,
            yaw_rad=_wrapped(yaw_rad - self._turn_rad),
            frame=self._frame,
        )

    def to_site(self, pose: MapPose | None) -> Position | None:
        """Where a pose of the robot is; None where it has none, or one in another frame."""
        if pose is None or pose.frame != self._frame:
            return None
        cos, sin = math.cos(self._turn_rad), math.sin(self._turn_rad)
        x_m = self._origin.x_m + pose.x_m * cos - pose.y_m * sin
        y_m = self._origin.y_m + pose.x_m * sin + pose.y_m * cos
        yaw_rad = _wrapped(pose.yaw_rad + self._turn_rad)
        return Position(level=self.level, point=Point(x_m, y_m), yaw_rad=yaw_rad)

    def nearest(self, position: Position) -> tuple[Node, float] | None:
        """The node that is nearest to a position, and how many metres it is away."""
        found = (
            (node.point.distance_m(position.point), number)
            for number, node in enumerate(self._nodes)
        )
        away = min(found, default=None)
        return None if away is None else (self._nodes[away[1]], away[0])


def heading(a: Point, b: Point) -> float | None:
    """The direction from ``a`` to ``b`` in radians; None where they are one point."""
    if a == b:
        return None
    return math.atan2(b.y_m - a.y_m, b.x_m - a.x_m)


def _wrapped(angle_rad: float) -> float:
    return math.remainder(angle_rad, math.tau)
