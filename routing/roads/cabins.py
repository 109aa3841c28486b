"""Lifts whose cabins have room for several vehicles: who fits, and where each of them stands.

The places in a cabin lie side by side along its door, so each can be left without the others
moving. Whoever comes in drives straight from the node before the door to its place, turns however
it likes there, and drives straight out again. A vehicle turned any way lies within a circle round
its middle; it fits if two such circles never meet on these ways, nor touch a wall.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from routing.geometry import Point
from routing.site import Lane, Lift, NodeId, Room, Site

SPARE_M = 0.05
"""How far from its place in a cabin a vehicle may be; so much is left round it on each side."""
STRAIGHT_RAD = math.radians(10.0)
"""So far may the ways to a cabin be off one straight line through it."""
_SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cabin:
    """The places of one lift with room.

    Args:
        along: x and y of a step of one metre along the door.
        largest_m: the greatest diagonal of a vehicle that fits; 0 or less = none does.
    """

    lift: Lift
    room: Room
    along: tuple[float, float]
    largest_m: float

    def fits(self, width_m: float, length_m: float) -> bool:
        """Whether one place is enough for a vehicle of this size."""
        return math.hypot(width_m, length_m) <= self.largest_m + _SAME

    def spot(self, middle: Point, place: int) -> Point:
        """Where a place is.

        Args:
            middle: of the cabin, where its node is.
            place: its number, from 0.
        """
        return _spot(self.room, self.along, middle, place)

    def place_at(self, middle: Point, point: Point) -> int | None:
        """The place at which a vehicle is found; None = at none: it is in the way of several."""
        for place in range(self.room.robots):
            spot = self.spot(middle, place)
            if spot.distance_m(point) <= self.room.width_m / self.room.robots / 4:
                return place
        return None


def cabins(site: Site) -> Mapping[NodeId, Cabin]:
    """The cabin at each node that is in a lift with room."""
    found: dict[NodeId, Cabin] = {}
    for lift in site.lifts.values():
        ways = list(_ways(site, lift))
        if lift.room is not None and ways and why_none(site, lift) is None:
            along = _along(*ways[0])
            cabin = Cabin(
                lift=lift,
                room=lift.room,
                along=along,
                largest_m=_largest_m(lift.room, along, ways),
            )
            found |= dict.fromkeys(lift.cabins.values(), cabin)
    return found


def why_none(site: Site, lift: Lift) -> str | None:
    """Why nobody can share the cabin of a lift that has room, whoever it is; None = some can."""
    room, ways = lift.room, list(_ways(site, lift))
    if room is None or not ways:
        return None
    x, y = _along(*ways[0])
    for middle, before in ways:
        length_m = middle.distance_m(before)
        if length_m <= room.depth_m / 2:
            return f"a node before its door lies {length_m:.2f} m from the middle of the cabin"
        aside_m = abs((before.x_m - middle.x_m) * x + (before.y_m - middle.y_m) * y)
        if math.asin(min(1.0, aside_m / length_m)) > STRAIGHT_RAD:
            return "the ways to it are not on one straight line"
    for lane in _lanes(site, lift):
        straight_m = site.nodes[lane.start].point.distance_m(site.nodes[lane.end].point)
        if lane.length_m > straight_m + 2 * SPARE_M:
            return f"lane {lane.id!r} to it is bent"
    if _largest_m(room, (x, y), ways) <= 0:
        return f"its places would be {room.width_m / room.robots:.2f} m wide"
    return None


def _lanes(site: Site, lift: Lift) -> Iterator[Lane]:
    """The lanes through its doors."""
    nodes = set(lift.cabins.values())
    return (
        lane
        for lane in site.lanes.values()
        if lane.lift is None and (lane.start in nodes or lane.end in nodes)
    )


def _ways(site: Site, lift: Lift) -> Iterator[tuple[Point, Point]]:
    """From the middle of its cabin to each node before a door."""
    nodes = set(lift.cabins.values())
    for lane in _lanes(site, lift):
        ends = (lane.start, lane.end) if lane.start in nodes else (lane.end, lane.start)
        yield site.nodes[ends[0]].point, site.nodes[ends[1]].point


def _along(middle: Point, before: Point) -> tuple[float, float]:
    length_m = middle.distance_m(before)
    return -(before.y_m - middle.y_m) / length_m, (before.x_m - middle.x_m) / length_m


def _spot(room: Room, along: tuple[float, float], middle: Point, place: int) -> Point:
    aside_m = (place - (room.robots - 1) / 2) * room.width_m / room.robots
    return Point(middle.x_m + along[0] * aside_m, middle.y_m + along[1] * aside_m)


def _largest_m(room: Room, along: tuple[float, float], ways: list[tuple[Point, Point]]) -> float:
    """The greatest diagonal with which two never meet, nor touch a wall."""
    free_m = min(room.depth_m, room.width_m / room.robots)
    for middle, before in ways:
        spots = [_spot(room, along, middle, place) for place in range(room.robots)]
        for own, other in permutations(spots, 2):
            free_m = min(free_m, _distance_m(other, before, own))
    return free_m - 2 * SPARE_M


def _distance_m(point: Point, a: Point, b: Point) -> float:
    """From a point to the straight line between two others, as far as they are."""
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    share = ((point.x_m - a.x_m) * dx + (point.y_m - a.y_m) * dy) / (dx * dx + dy * dy)
    share = min(1.0, max(0.0, share))
    return point.distance_m(Point(a.x_m + dx * share, a.y_m + dy * share))
