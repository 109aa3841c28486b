"""The posts of a watch: what each vehicle on station sees to, round after round.

A watch needs as many posts as it takes for a round of each to end within the revisit time. An
area is cut across its length into parts of one size; points are shared out among rings.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import shapely
from shapely import LinearRing, Polygon
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry

from dispatcher.missions.rounds import rings
from routing.air.drawn import DrawnArea
from routing.geometry import Point
from routing.site import PlaceId

MOST_POSTS = 60
"""A watch that would need more is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What one vehicle on station sees to: a part of an area, or some of the points in turn."""

    number: int
    area: DrawnArea | None = None
    points: tuple[PlaceId, ...] = ()
    dwell_s: float = 0.0


def least_round_s(area: DrawnArea, width_m: float, speed_m_s: float) -> float:
    """No round over an area is quicker, whatever its lines."""
    return area.shape.area / (width_m * speed_m_s)


def area_posts(
    area: DrawnArea,
    round_s: Callable[[DrawnArea], float],
    revisit_s: float,
    *,
    least_s: float = 0.0,
) -> tuple[Post, ...]:
    """As few parts of an area as can each be seen within ``revisit_s``.

    Args:
        round_s: how long a round over a part takes the slowest of those who may fly it.
        least_s: no single round over all of it could be quicker.

    Returns:
        The posts; none where even `MOST_POSTS` would not do.
    """
    many = max(1, math.ceil(least_s / revisit_s))
    while many <= MOST_POSTS:
        parts = parts_of(area, many)
        worst_s = max(round_s(part) for part in parts)
        if worst_s <= revisit_s:
            return tuple(Post(number=n, area=part) for n, part in enumerate(parts))
        many += max(1, math.ceil(many * (worst_s / revisit_s - 1) / 2))
    return ()


def point_posts(
    points: Sequence[PlaceId],
    times_s: Sequence[Sequence[float]],
    dwell_s: float,
    revisit_s: float,
) -> tuple[Post, ...]:
    """As few rings through points as can each be driven within ``revisit_s``.

    Args:
        times_s: between all pairs of points, row = from, column = to.
    """
    for many in range(1, min(len(points), MOST_POSTS) + 1):
        found = rings(times_s, dwell_s, many)
        if max(ring.round_s for ring in found) <= revisit_s:
            return tuple(
                Post(number=n, points=tuple(points[p] for p in ring.points), dwell_s=dwell_s)
                for n, ring in enumerate(found)
            )
    return ()


def parts_of(area: DrawnArea, many: int) -> list[DrawnArea]:
    """An area cut across its length, and its parts again, into so many of one size."""
    return [area] if many <= 1 else [area_of(part) for part in _halved(area.shape, many)]


def _halved(shape: BaseGeometry, many: int) -> list[Polygon]:
    if many <= 1:
        return _polygons(shape)
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape)).tolist()
    (ax, ay), (bx, by) = max(pairwise(corners), key=lambda side: math.dist(*side))
    angle = math.atan2(by - ay, bx - ax)
    flat = rotate(shape, -angle, origin=(0, 0), use_radians=True)
    low_x, low_y, high_x, high_y = flat.bounds
    x = _cut(flat, many // 2 / many)
    halves = (
        flat.intersection(shapely.box(low_x - 1, low_y - 1, x, high_y + 1)),
        flat.intersection(shapely.box(x, low_y - 1, high_x + 1, high_y + 1)),
    )
    back = [rotate(half, angle, origin=(0, 0), use_radians=True) for half in halves]
    return [*_halved(back[0], many // 2), *_halved(back[1], many - many // 2)]


def _cut(flat: BaseGeometry, share: float) -> float:
    """Where so much of a shape lies to the left, by halving."""
    low_x, low_y, high_x, high_y = flat.bounds
    a, b = low_x, high_x
    for _ in range(40):
        middle = (a + b) / 2
        left = flat.intersection(shapely.box(low_x - 1, low_y - 1, middle, high_y + 1)).area
        a, b = (middle, b) if left < flat.area * share else (a, middle)
    return a


def area_of(shape: Polygon) -> DrawnArea:
    """A polygon as an area."""
    return DrawnArea(
        outline=_ring(shape.exterior), holes=tuple(_ring(ring) for ring in shape.interiors)
    )


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return [p for p in shapely.get_parts(shape) if isinstance(p, Polygon) and p.area > 1e-6]


def _ring(border: LinearRing) -> tuple[Point, ...]:
    return tuple(Point(x, y) for x, y in shapely.get_coordinates(border)[:-1].tolist())
