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

from dispatcher.rounds import rings
from routing.drawn import DrawnArea
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


def area_posts(
    area: DrawnArea, round_s: Callable[[DrawnArea], float], revisit_s: float
) -> tuple[Post, ...]:
    """As few parts of an area as can each be seen within ``revisit_s``.

    Args:
        round_s: how long a round over a part takes the slowest of those who may fly it.

    Returns:
        The posts; none where even `MOST_POSTS` would not do.
    """
    many = 1
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
    """An area cut across its length into so many parts of one size."""
    shape = area.shape
    if many <= 1:
        return [area]
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape)).tolist()
    (ax, ay), (bx, by) = max(pairwise(corners), key=lambda side: math.dist(*side))
    angle = math.atan2(by - ay, bx - ax)
    flat = rotate(shape, -angle, origin=(0, 0), use_radians=True)
    cuts = _cuts(flat, many)
    _, low, _, high = flat.bounds
    slabs = [flat.intersection(shapely.box(a, low - 1, b, high + 1)) for a, b in pairwise(cuts)]
    back = [rotate(slab, angle, origin=(0, 0), use_radians=True) for slab in slabs]
    return [area_of(part) for slab in back for part in _polygons(slab)]


def area_of(shape: Polygon) -> DrawnArea:
    """A polygon as an area."""
    return DrawnArea(
        outline=_ring(shape.exterior), holes=tuple(_ring(ring) for ring in shape.interiors)
    )


def _cuts(flat: BaseGeometry, many: int) -> list[float]:
    """Where to cut along x so that all parts are of one size, by halving."""
    low_x, low_y, high_x, high_y = flat.bounds
    cuts = [low_x - 1]
    for n in range(1, many):
        a, b = low_x, high_x
        for _ in range(40):
            middle = (a + b) / 2
            left = flat.intersection(shapely.box(low_x - 1, low_y - 1, middle, high_y + 1)).area
            a, b = (middle, b) if left < flat.area * n / many else (a, middle)
        cuts.append(a)
    return [*cuts, high_x + 1]


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return [p for p in shapely.get_parts(shape) if isinstance(p, Polygon) and p.area > 1e-6]


def _ring(border: LinearRing) -> tuple[Point, ...]:
    return tuple(Point(x, y) for x, y in shapely.get_coordinates(border)[:-1].tolist())
