"""Outlines on a site: around nodes, along lanes, and clear of ways that they must not touch.

All are in metres of the site's frame. Lanes between levels, and very short ones, have none.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from shapely.geometry import Polygon

from routing.geometry import Point
from routing.site import Lane, LaneId, LevelId, NodeId, Site

_CABIN_M: Final = 1.0
"""Half of what a cabin takes up at the most."""
_CLEAR_M: Final = 1.0
"""How much of a lane's ends a zone along it leaves free for who only crosses there."""
_LEAST_M2: Final = 0.25
"""Pieces that are smaller are left out."""
_SHORT_M: Final = 0.2

Outline = tuple[Point, ...]
Box = tuple[float, float, float, float]


def square(site: Site, node: NodeId) -> Outline:
    """Around a node, clear of its neighbours."""
    here = site.nodes[node]
    away_m = [
        edge.lane.length_m
        for edge in site.edges_from[node]
        if site.nodes[edge.end].level == here.level
    ]
    half = min([_CABIN_M, *(0.4 * length_m for length_m in away_m)])
    x, y = here.point.x_m, here.point.y_m
    return (
        Point(x - half, y - half),
        Point(x + half, y - half),
        Point(x + half, y + half),
        Point(x - half, y + half),
    )


def along(site: Site, lane: Lane) -> Outline:
    """A lane without its ends."""
    start, end = ends_of(site, lane)
    free_m = min(max(_CLEAR_M, lane.width_m / 2), start.distance_m(end) / 3)
    return strip(start, end, lane.width_m, free_m)


def apart(outline: Outline, ways: Iterable[Polygon]) -> Outline | None:
    """What is left of an outline without ways that it must not touch: its largest piece."""
    left = polygon(outline)
    for way in ways:
        rest = left.difference(way)
        pieces = [p for p in getattr(rest, "geoms", [rest]) if isinstance(p, Polygon)]
        left = max(pieces, key=lambda piece: piece.area, default=Polygon())
        if left.area < _LEAST_M2 or left.interiors:
            return None
    return tuple(Point(x, y) for x, y in list(left.exterior.coords)[:-1])


class Ways:
    """What is driven over along lanes, kept by where it is, so that little geometry is needed.

    Args:
        half_m: how wide to each side; None = as the lane is.
    """

    def __init__(self, site: Site, lanes: Iterable[Lane], half_m: float | None = None) -> None:
        self._ways: dict[LevelId, list[tuple[Box, Lane, Outline]]] = {}
        self._shapes: dict[LaneId, Polygon] = {}
        for lane in lanes:
            if is_flat(site, lane):
                wide_m = lane.width_m if half_m is None else 2 * half_m
                outline = strip(*ends_of(site, lane), wide_m, 0.0)
                level = self._ways.setdefault(site.nodes[lane.start].level, [])
                level.append((box_of(outline), lane, outline))

    def near(self, level: LevelId, outline: Outline) -> Iterable[tuple[Lane, Polygon]]:
        """All that may touch an outline."""
        west, south, east, north = box_of(outline)
        for box, lane, way in self._ways.get(level, ()):
            if west <= box[2] and box[0] <= east and south <= box[3] and box[1] <= north:
                shape = self._shapes.get(lane.id)
                if shape is None:
                    shape = self._shapes[lane.id] = polygon(way)
                yield lane, shape


def polygon(outline: Outline) -> Polygon:
    """The same as a shape."""
    return Polygon([(p.x_m, p.y_m) for p in outline])


def box_of(points: Sequence[Point]) -> Box:
    """What a shape covers at the most: west, south, east, north."""
    xs, ys = [p.x_m for p in points], [p.y_m for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def strip(start: Point, end: Point, width_m: float, free_m: float) -> Outline:
    """A rectangle along a straight way, that leaves so much of both ends free."""
    dx, dy = end.x_m - start.x_m, end.y_m - start.y_m
    length_m = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length_m, dy / length_m
    free_m = min(free_m, length_m / 2 - 0.05)
    half = width_m / 2
    near = Point(start.x_m + ux * free_m, start.y_m + uy * free_m)
    far = Point(end.x_m - ux * free_m, end.y_m - uy * free_m)
    return (
        Point(near.x_m + uy * half, near.y_m - ux * half),
        Point(far.x_m + uy * half, far.y_m - ux * half),
        Point(far.x_m - uy * half, far.y_m + ux * half),
        Point(near.x_m - uy * half, near.y_m + ux * half),
    )


def is_flat(site: Site, lane: Lane) -> bool:
    """Whether a lane has an outline: it stays on its level, and is long enough."""
    start, end = site.nodes[lane.start], site.nodes[lane.end]
    return start.level == end.level and start.point.distance_m(end.point) > _SHORT_M


def ends_of(site: Site, lane: Lane) -> tuple[Point, Point]:
    """Where a lane begins and ends."""
    return site.nodes[lane.start].point, site.nodes[lane.end].point


def opposed(heading: float, direction: float) -> bool:
    """Whether two directions, in radians, are more than a right angle apart."""
    return abs(math.remainder(heading - direction, 2 * math.pi)) > math.pi / 2


def heading_of(site: Site, lane: Lane) -> float:
    """Direction from a lane's start to its end, in radians from the east."""
    start, end = ends_of(site, lane)
    return math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)
