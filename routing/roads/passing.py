"""Lanes in which two vehicles pass each other: who fits, and where each of them drives.

A passing lane has two halves, one for each direction, and everybody keeps right: in the middle of
its half. A node at which two such lanes meet in a straight line has halves, too, if nothing else
is there: no place, no lift. All else, such as ends, rooms and corners, is for one vehicle alone,
in its middle; whoever turns off at a node needs all of that node.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from itertools import combinations

from routing.geometry import Point
from routing.site import Edge, Lane, NodeId, Site

CLEARANCE_M = 0.3
"""What is left between two vehicles of the greatest width that may pass each other; half of it is
left between one of them and the lane's edge."""
SLACK_M = CLEARANCE_M / 3
"""How far from the middle of its half a vehicle may be where it passes a node."""
STRAIGHT_RAD = math.radians(10.0)
"""Two lanes that meet at less than this go straight on."""
LEAN = CLEARANCE_M / 2
"""How much of the clearance a vehicle may use up at a node by coming to its half, or leaving it,
at an angle: metres aside over its own length."""
_SAME = 1e-6


class Half(IntFlag):
    """Which halves of a lane or a node."""

    NONE = 0
    AHEAD = 1
    """The right one of those who go as the lane is written, or along the node's axis."""
    BACK = 2
    BOTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A node's straight line, along which vehicles pass each other.

    Args:
        before, after: the nodes at the other ends of its two lanes.
        ahead: x and y of a step of one metre from ``before`` to ``after``.
        width_m: of the narrower one of the two lanes.
    """

    before: NodeId
    after: NodeId
    ahead: tuple[float, float]
    width_m: float


def widest_m(width_m: float) -> float:
    """How wide a vehicle may be for half of a lane of this width."""
    return width_m / 2 - CLEARANCE_M


def fits(lane: Lane, width_m: float) -> bool:
    """Whether half of a lane is enough for a vehicle of this width."""
    return lane.passing and width_m <= widest_m(lane.width_m) + _SAME


def axes(site: Site) -> Mapping[NodeId, Axis]:
    """The axis of each node that has halves: the widest, and of several the straightest."""
    lanes: dict[NodeId, list[Lane]] = {}
    for lane in site.lanes.values():
        if lane.passing:
            for node in (lane.start, lane.end):
                lanes.setdefault(node, []).append(lane)
    found: dict[NodeId, Axis] = {}
    for node, those in lanes.items():
        if node in site.places_at or node in site.lift_at or node in site.lock_at:
            continue
        pairs = [(_turn_rad(site, node, *pair), pair) for pair in combinations(those, 2)]
        straight = [(turn_rad, _axis(site, node, *pair)) for turn_rad, pair in pairs]
        straight = [(turn, axis) for turn, axis in straight if turn <= STRAIGHT_RAD]
        if straight:
            found[node] = min(straight, key=lambda one: (-one[1].width_m, one[0]))[1]
    return found


def _axis(site: Site, node: NodeId, one: Lane, other: Lane) -> Axis:
    before, after = _far(one, node), _far(other, node)
    return Axis(
        before=before,
        after=after,
        ahead=_step(site.nodes[before].point, site.nodes[after].point),
        width_m=min(one.width_m, other.width_m),
    )


def _turn_rad(site: Site, node: NodeId, one: Lane, other: Lane) -> float:
    here = site.nodes[node].point
    x0, y0 = _step(site.nodes[_far(one, node)].point, here)
    x1, y1 = _step(here, site.nodes[_far(other, node)].point)
    return abs(math.atan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1))


def _far(lane: Lane, node: NodeId) -> NodeId:
    return lane.end if lane.start == node else lane.start


def _step(a: Point, b: Point) -> tuple[float, float]:
    length_m = max(a.distance_m(b), 1e-9)
    return (b.x_m - a.x_m) / length_m, (b.y_m - a.y_m) / length_m


@dataclass(frozen=True, slots=True)
class Step:
    """What a vehicle takes to drive one edge.

    Args:
        start: halves of the node that it leaves, on top of where it stands.
        lane: halves of the lane.
        end: halves of the node that it comes to.
    """

    start: Half
    lane: Half
    end: Half


class KeepRight:
    """Where one size of vehicle drives, and of what it needs but a half.

    Args:
        length_m: how long the vehicle is; short lanes bring long ones too near to others where
            they come to their half at an angle.
    """

    def __init__(self, site: Site, width_m: float, length_m: float) -> None:
        self._site, self._width_m, self._length_m = site, width_m, length_m
        widest = width_m - _SAME
        self._axes = {
            node: axis for node, axis in axes(site).items() if widest <= widest_m(axis.width_m)
        }

    @property
    def passes(self) -> bool:
        """Whether it passes anybody anywhere."""
        return bool(self._axes)

    def arrived(self, edge: Edge) -> Half:
        """The half of its end in which it stands at the end of an edge."""
        axis = self._axes.get(edge.end)
        if axis is not None and fits(edge.lane, self._width_m):
            if edge.start == axis.before:
                return Half.AHEAD
            if edge.start == axis.after:
                return Half.BACK
        return Half.BOTH

    def spot(self, node: NodeId, half: Half) -> Point | None:
        """Where it stands in a half of a node; None = on the node itself."""
        axis = self._axes.get(node)
        if axis is None or half not in (Half.AHEAD, Half.BACK):
            return None
        here, (x, y) = self._site.nodes[node].point, axis.ahead
        right_m = axis.width_m / 4 if half is Half.AHEAD else -axis.width_m / 4
        return Point(here.x_m + y * right_m, here.y_m - x * right_m)

    def half_at(self, node: NodeId, point: Point) -> Half:
        """The half of a node, or of the lanes of its axis, in which a vehicle is found."""
        axis = self._axes.get(node)
        if axis is None:
            return Half.BOTH
        here, (x, y) = self._site.nodes[node].point, axis.ahead
        right_m = (point.x_m - here.x_m) * y - (point.y_m - here.y_m) * x
        if abs(right_m) < axis.width_m / 8:
            return Half.BOTH
        return Half.AHEAD if right_m > 0 else Half.BACK

    def step(self, edge: Edge, stands: Half) -> Step:
        """What it takes to drive an edge.

        Args:
            stands: the half of its start in which it stands.
        """
        lane = Half.BOTH
        if fits(edge.lane, self._width_m):
            lane = Half.AHEAD if edge.start == edge.lane.start else Half.BACK
        end = self.arrived(edge)
        a, b = self._point(edge.start, stands), self._point(edge.end, end)
        goes_on = self._goes_on(edge, stands) and self._upright(edge.start, a, b)
        return Step(
            Half.NONE if goes_on else Half.BOTH,
            lane,
            end if end is not Half.BOTH and self._upright(edge.end, a, b) else Half.BOTH,
        )

    def _goes_on(self, edge: Edge, stands: Half) -> bool:
        """Whether it leaves a node straight on, in the half in which it stands."""
        axis = self._axes.get(edge.start)
        if axis is None or stands is Half.BOTH:
            return False
        return edge.end == (axis.after if stands is Half.AHEAD else axis.before)

    def _upright(self, node: NodeId, a: Point, b: Point) -> bool:
        """Whether the line from ``a`` to ``b`` hardly leans against a node's axis."""
        x, y = self._axes[node].ahead
        run_m = abs((b.x_m - a.x_m) * x + (b.y_m - a.y_m) * y)
        aside_m = abs((b.x_m - a.x_m) * y - (b.y_m - a.y_m) * x)
        return aside_m * self._length_m <= LEAN * run_m

    def _point(self, node: NodeId, half: Half) -> Point:
        return self.spot(node, half) or self._site.nodes[node].point
