"""Strips: an area cut into parallel bands no wider than the footprint, a line along each.

A line spans the whole extent of its band, not just what lies under its middle, so that slanted
borders are seen without overlap; it ends half a footprint before both ends. Whatever the bands
together are wider than the area is spread over all of them.
"""

import math
from itertools import pairwise

import numpy as np
import shapely
from shapely import LineString
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from routing.survey.air import polygons
from routing.survey.case import Flight, Spot

Line = tuple[Spot, Spot]

ANGLES = 12
"""Directions tried beside those of the area's own borders."""
_SHORTEST_M = 1.0
_NUDGE_M = 0.05


def angles(shape: BaseGeometry) -> list[float]:
    """Directions worth trying, in radians: those of the borders, and some all around."""
    found = [math.pi * n / ANGLES for n in range(ANGLES)]
    for part in polygons(shape):
        corners = shapely.get_coordinates(part.exterior).tolist()
        found += [
            math.atan2(b[1] - a[1], b[0] - a[0]) % math.pi
            for a, b in pairwise(corners)
            if math.dist(a, b) > 1.0
        ]
    return sorted({round(angle, 2) for angle in found})


def strips(
    target: BaseGeometry,
    free: BaseGeometry,
    angle_rad: float,
    width_m: float,
    length_m: float,
    skip: float = 0.0,
) -> list[Line]:
    """The lines that see ``target`` in one direction; slanted or torn bits may stay unseen.

    Args:
        free: where lines may lie.
        skip: share of the target that may be left out at its two tips, to save a band.
    """
    flat = rotate(target, -angle_rad, origin=(0, 0), use_radians=True)
    open_ = rotate(free, -angle_rad, origin=(0, 0), use_radians=True)
    low_x, _, high_x, _ = flat.bounds
    low_y, high_y = _without_tips(flat, skip)
    bands = max(1, math.ceil((high_y - low_y) / width_m - 1e-6))
    height_m = (high_y - low_y) / bands
    lines: list[BaseGeometry] = []
    for n in range(bands):
        bottom = low_y + n * height_m
        band = shapely.clip_by_rect(flat, low_x - 1, bottom, high_x + 1, bottom + height_m)
        middle = bottom + height_m / 2
        lines += [_along(piece, open_, middle, length_m) for piece in polygons(band)]
    turned = rotate(
        shapely.MultiLineString(_segments(lines)), angle_rad, origin=(0, 0), use_radians=True
    )
    return [_ends(line) for line in shapely.get_parts(turned)]


def estimate_s(lines: list[Line], width_m: float, flight: Flight) -> float:
    """About how long a drone flies along lines, with a turn to the next one after each."""
    if not lines:
        return 0.0
    ends = np.array(lines)
    there = flight.leg_s(ends[:, 0], ends[:, 1])
    back = flight.leg_s(ends[:, 1], ends[:, 0])
    turn_s = width_m / flight.speed_m_s + flight.speed_m_s / flight.accel_m_s2
    return float(((there + back) / 2).sum()) + len(lines) * turn_s


def along_gap(gap: BaseGeometry, free: BaseGeometry, length_m: float) -> Line | None:
    """A line that sees a small shape, lengthwise; None if it would lie outside ``free``."""
    corners = [(x, y) for x, y in shapely.get_coordinates(shapely.oriented_envelope(gap))]
    if len(corners) < 4:
        return None
    (ax, ay), (bx, by) = max(pairwise(corners), key=lambda side: math.dist(*side))
    size = math.dist((ax, ay), (bx, by))
    keep = max(0.0, size - length_m) / 2 + _SHORTEST_M
    ux, uy = (bx - ax) / size, (by - ay) / size
    middle = shapely.oriented_envelope(gap).centroid
    line = LineString(
        [
            (middle.x - ux * keep, middle.y - uy * keep),
            (middle.x + ux * keep, middle.y + uy * keep),
        ]
    )
    for each in (line, _moved_into(free, line)):
        inside = _segments([each.intersection(free)])
        if inside:
            return max(inside, key=lambda segment: math.dist(*segment))
    spot = gap.intersection(free).representative_point()
    if spot.is_empty:
        return None
    return (spot.x, spot.y), (spot.x + ux * 1e-3, spot.y + uy * 1e-3)


def _moved_into(free: BaseGeometry, line: LineString) -> BaseGeometry:
    """A line beside itself, as far as its middle lies outside ``free``, and a little more."""
    middle = line.centroid
    spot = nearest_points(free, middle)[0]
    far_m = middle.distance(spot)
    if far_m == 0.0:
        return line
    more = 1 + _NUDGE_M / far_m
    return translate(line, (spot.x - middle.x) * more, (spot.y - middle.y) * more)


def _along(piece: BaseGeometry, free: BaseGeometry, y: float, length_m: float) -> BaseGeometry:
    low_x, _, high_x, _ = piece.bounds
    inset = min(length_m / 2, (high_x - low_x) / 2 - _SHORTEST_M / 2)
    line = LineString([(low_x + inset, y), (high_x - inset, y)])
    found = line.intersection(free)
    if found.is_empty and piece.intersects(free):
        found = _moved_into(free.intersection(piece), line).intersection(free)
    return found


def _without_tips(flat: BaseGeometry, skip: float) -> tuple[float, float]:
    """The extent across, less a tip at both ends that together hold ``skip`` of the area."""
    low_x, low_y, high_x, high_y = flat.bounds
    if skip <= 0.0:
        return low_y, high_y
    wanted = skip / 2 * flat.area

    def cut(up: bool) -> float:
        near, far = (low_y, high_y) if up else (high_y, low_y)
        inner, outer = near, far
        for _ in range(20):
            middle = (inner + outer) / 2
            tip = shapely.clip_by_rect(
                flat, low_x - 1, min(near, middle), high_x + 1, max(near, middle)
            )
            inner, outer = (middle, outer) if tip.area < wanted else (inner, middle)
        return inner

    return cut(up=True), cut(up=False)


def _segments(lines: list[BaseGeometry]) -> list[Line]:
    parts = [part for line in lines for part in shapely.get_parts(line)]
    straight = [part for part in parts if isinstance(part, LineString) and part.length > 0]
    return [_ends(part) for part in straight]


def _ends(line: BaseGeometry) -> Line:
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    return (ax, ay), (bx, by)
