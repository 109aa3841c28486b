"""How long a robot of version 3.0 takes to the end of its mission, by what it says of its way.

``intermediatePath`` tells when it will be at the points that it can see; what lies beyond the last
of them is reckoned at the lanes' speeds. ``plannedPath`` tells no times, but how long the way is,
as around something that stands in it. Pure functions.

Source: VDA 5050 3.0.0, state schema.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from fleet.mission import Waypoint
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import read_stamp
from fleet.vda5050.state_messages import PlannedPath, State

LONGEST_S: Final = 6 * 3600.0
"""What lies further ahead is not believed."""
_BESIDE_M: Final = 5.0
"""How far from its route the end of what it says may lie."""

Spot = tuple[float, float]


class Line:
    """A line of straight pieces, measured in metres from its start."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self.spots = spots
        self.at_m = [0.0]
        for a, b in pairwise(spots):
            self.at_m.append(self.at_m[-1] + math.dist(a, b))

    @property
    def length_m(self) -> float:
        """All of it."""
        return self.at_m[-1]

    def nearest(self, spot: Spot, after_m: float = 0.0) -> tuple[float, float]:
        """Where on the line a spot is, no earlier than ``after_m``, and how far beside it."""
        best = math.inf, self.length_m
        for (a, b), start_m, end_m in zip(
            pairwise(self.spots), self.at_m, self.at_m[1:], strict=False
        ):
            if end_m < after_m:
                continue
            at_m = max(after_m, start_m + (end_m - start_m) * _share(spot, a, b))
            share = (at_m - start_m) / (end_m - start_m) if end_m > start_m else 0.0
            foot = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
            best = min(best, (math.dist(spot, foot), at_m))
        beside_m, at_m = best
        return at_m, beside_m if beside_m < math.inf else math.dist(spot, self.spots[-1])


class Course(Line):
    """The rest of a route, with its lanes' speeds."""

    def __init__(self, route: Sequence[Waypoint], speed_m_s: float) -> None:
        super().__init__([(w.point.x_m, w.point.y_m) for w in route])
        self._m_s = [min(speed_m_s, w.speed_limit_m_s or math.inf) for w in route[1:]]

    def seconds(self, start_m: float, end_m: float | None = None) -> float:
        """How long the way from one spot to another takes, or to the end."""
        end_m = self.length_m if end_m is None else end_m
        pieces = zip(self.at_m, self.at_m[1:], self._m_s, strict=False)
        return sum(max(0.0, min(b, end_m) - max(a, start_m)) / m_s for a, b, m_s in pieces)


def seconds_left(
    state: State, route: Sequence[Waypoint], config: Vda5050Config, speed_m_s: float
) -> float | None:
    """Seconds from a state's own moment to the arrival at the route's end.

    None where the robot says nothing of its way, or nothing that fits it, and where the route leads
    to other levels: how long it waits for a lift no robot knows.

    Args:
        route: from the waypoint that it has reached.
        speed_m_s: its own speed, where no lane is slower.
    """
    pose, levels = state.agv_position, {waypoint.level for waypoint in route}
    said = state.intermediate_path is not None or state.planned_path is not None
    if not said or pose is None or pose.x is None or pose.y is None or len(levels) != 1:
        return None
    level = route[0].level
    here = pose.x, pose.y
    if pose.map_id != config.maps.get(level, level) or not _real(here):
        return None
    course = Course(route, speed_m_s)
    found_s = _by_times(state, course, here)
    if found_s is None and state.planned_path is not None:
        found_s = _by_length(state.planned_path, course, here, speed_m_s)
    return found_s if found_s is not None and 0 <= found_s <= LONGEST_S else None


def _by_times(state: State, course: Course, here: Spot) -> float | None:
    seen = state.intermediate_path.polyline if state.intermediate_path is not None else ()
    if not seen or not _real(last := (seen[-1].x, seen[-1].y)):
        return None
    then, now = read_stamp(seen[-1].eta), read_stamp(state.timestamp)
    if then is None or now is None:
        return None
    at_m, beside_m = course.nearest(last, course.nearest(here)[0])
    if beside_m > _BESIDE_M:
        return None
    return max(0.0, (then - now).total_seconds()) + course.seconds(at_m)


def _by_length(path: PlannedPath, course: Course, here: Spot, speed_m_s: float) -> float | None:
    spots = [(point.x, point.y) for point in path.trajectory.control_points]
    if len(spots) < 2 or not all(map(_real, spots)):
        return None
    planned = Line(spots)
    from_m, beside_m = course.nearest(here)
    to_m, off_m = course.nearest(spots[-1], from_m)
    if max(beside_m, off_m) > _BESIDE_M:
        return None
    pace_s_m = course.seconds(from_m, to_m) / (to_m - from_m) if to_m > from_m else 1 / speed_m_s
    left_m = planned.length_m - planned.nearest(here)[0]
    return left_m * pace_s_m + course.seconds(to_m)


def _share(spot: Spot, a: Spot, b: Spot) -> float:
    """How far along from ``a`` to ``b`` a spot is, 0 to 1."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    if square == 0:
        return 0.0
    return min(1.0, max(0.0, ((spot[0] - a[0]) * dx + (spot[1] - a[1]) * dy) / square))


def _real(spot: Spot) -> bool:
    return math.isfinite(spot[0]) and math.isfinite(spot[1])
