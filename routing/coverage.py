"""Back-and-forth flights that see all of an area.

The area is cut into strips, each no wider than the footprint, and every strip gets a line along
its middle. Lines keep inside the area; what holes and slanted borders leave unseen gets legs of
its own. The order is the nearest line next, then repaired by turning parts of the tour round.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import shapely
from shapely import LineString, MultiLineString
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry

from routing.airspace import FreeSpace, polygon
from routing.errors import Unreachable
from routing.geometry import Point

Spot = tuple[float, float]
Leg = tuple[Spot, Spot]
Way = Callable[[Point, Point], Sequence[Point]]

SEEN_SHARE = 0.995
"""Extra legs are added until this share of the area lies under the footprints."""
ANGLES = 12
"""Directions tried beside those of the area's own borders."""
TURN_WIDTHS = 1.0
"""What one more line costs, in footprints flown, when directions are compared."""


def sweep(
    outline: Sequence[Point],
    holes: Sequence[Sequence[Point]],
    width_m: float,
    *,
    start: Point,
    way: Way | None = None,
) -> tuple[Point, ...]:
    """A polyline along which a footprint of ``width_m`` sees an area.

    Args:
        holes: where the drone may not fly; they need not be seen.
        start: where the drone comes from; the sweep begins at the end of a line near to it.
        way: how to get from one line to the next; default the shortest way inside the area.

    Raises:
        Unreachable: nothing of the area can be flown over, or it falls into parts and ``way``
            is not given.
    """
    shape = polygon(outline, holes)
    if shape.area <= 0.0:
        raise Unreachable(f"({start.x_m:.0f}, {start.y_m:.0f})", "an area without free air")
    if width_m <= 0.0:
        raise ValueError(f"the footprint must be wider than 0 m, not {width_m}")
    go, first = way or FreeSpace(shape).way, (start.x_m, start.y_m)
    legs = min(
        (_legs(shape, width_m, angle_rad) for angle_rad in _angles(shape)),
        key=lambda found: _estimate_m(found, width_m, first),
    )
    legs += _beside(shape, legs, width_m)
    return _joined(_in_order(legs, first), go)


def _angles(shape: BaseGeometry) -> list[float]:
    """Directions worth trying: those of the area's borders, and some all around."""
    corners = shapely.get_coordinates(shape.convex_hull).tolist()
    borders = [math.atan2(b[1] - a[1], b[0] - a[0]) % math.pi for a, b in pairwise(corners)]
    around = [math.pi * n / ANGLES for n in range(ANGLES)]
    return list(dict.fromkeys(round(angle, 3) for angle in (*borders, *around)))


def _legs(shape: BaseGeometry, width_m: float, angle_rad: float) -> list[Leg]:
    """The lines in one direction, each in the middle of its strip."""
    flat = rotate(shape, -angle_rad, origin=(0, 0), use_radians=True)
    low_x, low_y, high_x, high_y = flat.bounds
    strips = max(1, math.ceil((high_y - low_y) / width_m - 1e-9))
    height_m = (high_y - low_y) / strips
    lines: list[BaseGeometry] = []
    for n in range(strips):
        bottom = low_y + n * height_m
        strip = flat.intersection(shapely.box(low_x - 1, bottom, high_x + 1, bottom + height_m))
        lines += [_middle(piece, bottom + height_m / 2, width_m) for piece in _polygons(strip)]
    turned = rotate(MultiLineString(_segments(lines)), angle_rad, origin=(0, 0), use_radians=True)
    return [_ends(line) for line in shapely.get_parts(turned)]


def _middle(piece: BaseGeometry, y: float, width_m: float) -> BaseGeometry:
    """The line through a piece of a strip, a quarter footprint short of its ends."""
    low_x, _, high_x, _ = piece.bounds
    inset = min(width_m / 4, (high_x - low_x) / 2.5)
    line = LineString([(low_x + inset, y), (high_x - inset, y)]).intersection(piece)
    return line if line.length > 0 else _longest_inside(piece)


def _beside(shape: BaseGeometry, legs: Sequence[Leg], width_m: float) -> list[Leg]:
    """Legs over what ``legs`` alone leave unseen, the largest gaps first."""
    seen = shapely.union_all([LineString(leg).buffer(width_m / 2) for leg in legs])
    found: list[Leg] = []
    for _ in range(10 * len(legs)):
        gaps = _polygons(shape.difference(seen))
        if sum(gap.area for gap in gaps) <= (1 - SEEN_SHARE) * shape.area:
            break
        found.append(_ends(_longest_inside(max(gaps, key=lambda gap: (gap.area, gap.bounds)))))
        seen = seen.union(LineString(found[-1]).buffer(width_m / 2))
    return found


def _longest_inside(gap: BaseGeometry) -> BaseGeometry:
    """A line along a small shape, within it; a mere point where it is too small for one."""
    corners = [(x, y) for x, y in shapely.get_coordinates(shapely.oriented_envelope(gap))]
    (ax, ay), (bx, by) = max(pairwise(corners), key=_length_m)
    dx, dy = (bx - ax) / 2, (by - ay) / 2
    spot = gap.representative_point()
    line = LineString([(spot.x - dx, spot.y - dy), (spot.x + dx, spot.y + dy)])
    inside = _segments([line.intersection(gap)])
    return LineString(max(inside, key=_length_m) if inside else [spot, spot])


def _in_order(legs: Sequence[Leg], start: Spot) -> list[Leg]:
    """The nearest leg next, then as many better turns of the tour as there are."""
    tour = _nearest_next(legs, start)
    while _turn_round_one_part(tour, start):
        pass
    return tour


def _nearest_next(legs: Sequence[Leg], start: Spot) -> list[Leg]:
    here, left, tour = start, list(legs), list[Leg]()
    while left:
        distance = [min(math.dist(here, leg[0]), math.dist(here, leg[1])) for leg in left]
        leg = left.pop(distance.index(min(distance)))
        tour.append(leg if math.dist(here, leg[0]) <= math.dist(here, leg[1]) else _back(leg))
        here = tour[-1][1]
    return tour


def _back(leg: Leg) -> Leg:
    return leg[1], leg[0]


def _turn_round_one_part(tour: list[Leg], start: Spot) -> bool:
    """Fly one part of the tour backwards if that is shorter; whether there was such a part."""
    for first in range(len(tour)):
        before = tour[first - 1][1] if first else start
        for last in range(first, len(tour)):
            after = tour[last + 1][0] if last + 1 < len(tour) else None
            old_m = math.dist(before, tour[first][0])
            new_m = math.dist(before, tour[last][1])
            if after is not None:
                old_m += math.dist(tour[last][1], after)
                new_m += math.dist(tour[first][0], after)
            if new_m < old_m - 1e-6:
                tour[first : last + 1] = [_back(leg) for leg in reversed(tour[first : last + 1])]
                return True
    return False


def _joined(tour: Sequence[Leg], go: Way) -> tuple[Point, ...]:
    points: list[Point] = []
    for leg in tour:
        a, b = (Point(x, y) for x, y in leg)
        points += go(points[-1], a)[1:-1] if points else ()
        points += [a] if a == b else [a, b]
    return tuple(points)


def _estimate_m(legs: Sequence[Leg], width_m: float, start: Spot) -> float:
    """About how long it takes to fly legs, in metres; turns count as such."""
    tour = _nearest_next(legs, start)
    between_m = sum(math.dist(a[1], b[0]) for a, b in pairwise(tour))
    return between_m + sum(_length_m(leg) + TURN_WIDTHS * width_m for leg in tour)


def _length_m(leg: tuple[Spot, Spot]) -> float:
    return math.dist(leg[0], leg[1])


def _polygons(shape: BaseGeometry) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(shape) if part.area > 0]


def _segments(lines: Sequence[BaseGeometry]) -> list[Leg]:
    """The straight parts of lines, by their ends."""
    parts = [part for line in lines for part in shapely.get_parts(line)]
    return [_ends(part) for part in parts if isinstance(part, LineString) and not part.is_empty]


def _ends(line: BaseGeometry) -> Leg:
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    return (ax, ay), (bx, by)
