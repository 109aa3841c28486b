"""What of an area has to be seen by whom, and the lines along which one drone sees it."""

from collections.abc import Iterable
from dataclasses import replace

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from fleet.vehicle import VehicleSpec
from routing.air.airspace import polygon
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import AirKind, AirspaceId, Site
from routing.survey.alone import plan_alone
from routing.survey.case import Flight, Survey

FOOTPRINT_M_PER_M = 1.0
"""Width that a camera sees per metre of height, with the overlap already taken off."""
LENGTH_M_PER_M = 0.75
"""What it sees along its flight per metre of height: a picture of 4 : 3."""
BESIDE_SHARE = 0.4
"""So many footprints beside free air are seen from it; what is farther need not be."""
MANY_CORNERS = 40
"""Borders with more are made plainer, by a twentieth of a footprint."""
INSET_M = 0.5
"""Flights over an area begin and end so far within free air."""
NEAR_WIDTHS = 2.0
"""Ways between lines are looked for so many footprints around an area first."""
LONG_S = 1e6
"""No battery is asked: whether one lasts for the lines is said by their length."""


def lines_over(
    site: Site,
    area: BaseGeometry,
    free: BaseGeometry,
    over: frozenset[AirspaceId],
    spec: VehicleSpec,
    start: Point,
) -> tuple[Point, ...]:
    """The lines along which a drone sees an area, those near to ``start`` first and last.

    Args:
        free: where it may fly.
        over: no-fly volumes that are not in force.

    Raises:
        Unreachable: nothing of the area may be flown over, or it lies in several airs.
    """
    height_m = sees_from_m(site, spec)
    width_m = FOOTPRINT_M_PER_M * height_m
    shape = plainer(shapely.make_valid(area), width_m / 20)
    air = _air_over(shape, free)
    near = air.intersection(shape.convex_hull.buffer(NEAR_WIDTHS * width_m, join_style="mitre"))
    survey = Survey(
        area=shape,
        no_fly=unseen(shape, air, closed_air(site, spec.cruise_agl_m, over), width_m),
        fence=near,
        docks=(within(near, start),),
        flight=Flight(
            speed_m_s=spec.speed_m_s,
            accel_m_s2=spec.acceleration_m_s2,
            airspeed_m_s=spec.speed_m_s,
            usable_s=LONG_S,
        ),
        width_m=width_m,
        length_m=LENGTH_M_PER_M * height_m,
    )
    try:
        line = plan_alone(survey)
    except Unreachable:  # there may be a way round, farther off
        line = plan_alone(replace(survey, fence=air, docks=(within(air, start),)))
    return tuple(Point(x, y) for x, y in line)


def sees_from_m(site: Site, spec: VehicleSpec) -> float:
    """How high above ground a drone's camera is at least, wherever it flies."""
    home = site.nodes[site.places[spec.home].node].point
    return site.least_agl_m(home, spec.cruise_agl_m)


def closed_air(site: Site, height_m: float, over: Iterable[AirspaceId]) -> BaseGeometry:
    """What may not be flown over at a height.

    Args:
        over: volumes that are not in force.
    """
    return shapely.union_all(
        [
            polygon(volume.outline, volume.holes)
            for volume in site.airspaces.values()
            if volume.kind is AirKind.NO_FLY
            and volume.id not in over
            and volume.floor_agl_m <= height_m <= volume.ceiling_agl_m
        ]
    )


def unseen(
    shape: BaseGeometry, free: BaseGeometry, closed: BaseGeometry, width_m: float
) -> BaseGeometry:
    """What of an area need not be seen, with all that is closed.

    Raises:
        Unreachable: that is all of it.
    """
    seen = free.buffer(BESIDE_SHARE * width_m, join_style="mitre")
    found = shapely.union_all([closed, shape.difference(seen)])
    if shape.difference(found).area <= 1.0:
        raise Unreachable("a dock", "a part of the area that may be flown over")
    return found


def plainer(shape: BaseGeometry, by_m: float) -> BaseGeometry:
    """A shape of many corners with fewer, a little wider; others as they are."""
    if len(shapely.get_coordinates(shape)) <= MANY_CORNERS:
        return shape
    return shape.buffer(by_m, join_style="mitre", mitre_limit=2.0).simplify(by_m)


def within(free: BaseGeometry, spot: Point) -> tuple[float, float]:
    """The spot of free air that is the nearest to another."""
    inner = free.buffer(-INSET_M)
    found, _ = nearest_points(
        inner if not inner.is_empty else free, shapely.Point(spot.x_m, spot.y_m)
    )
    return found.x, found.y


def _air_over(shape: BaseGeometry, free: BaseGeometry) -> BaseGeometry:
    """The one part of free air that lies over an area."""
    parts = [p for p in shapely.get_parts(free) if isinstance(p, Polygon)]
    over = [part for part in parts if part.intersection(shape).area > 1.0]
    if len(over) != 1:
        where = "all of the area" if over else "a part of the area that may be flown over"
        raise Unreachable("a dock", where)
    return over[0]
