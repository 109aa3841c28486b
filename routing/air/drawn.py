"""Areas that people draw: what can be wrong with one, said before anything flies.

An area comes as corners in the site's metres or as GeoJSON (RFC 7946: longitude first). The
commonest slips are recognised by name: latitude and longitude the wrong way round, degrees where
metres are meant, a border that crosses itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from routing.air.airspace import free_air
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.refusal import Fact
from routing.site import AirKind, Airspace, Site

LARGEST_KM2 = 25.0
"""More than this is no patrol of one site's drones."""
SMALLEST_M2 = 1.0
NEAR_M = 50_000.0
"""A point that is farther from the site than this was not meant."""
OUTSIDE_M2 = 1.0
"""So much of an area may lie outside the fence by rounding."""

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnArea:
    """An area without a name: corners in the site's frame, and parts that need not be seen."""

    outline: tuple[Point, ...]
    holes: tuple[tuple[Point, ...], ...] = ()

    @property
    def shape(self) -> BaseGeometry:
        """The same as a polygon, valid or not."""
        return Polygon(_spots(self.outline), [_spots(hole) for hole in self.holes])


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFault:
    """One thing that is wrong with an area."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    remedy: str


def from_metres(
    rings: Sequence[Sequence[Corner]], frame: LocalFrame
) -> tuple[DrawnArea | None, list[AreaFault]]:
    """An area whose corners are metres east and north of the site's origin."""
    if _are_degrees(rings, frame):
        remedy = "send degrees as geojson, or the corners in metres from the site's origin"
        return None, [AreaFault(code="area_in_degrees", remedy=remedy)]
    return _area([[Point(x, y) for x, y in ring] for ring in rings]), []


def from_geojson(
    rings: Sequence[Sequence[Corner]], frame: LocalFrame
) -> tuple[DrawnArea | None, list[AreaFault]]:
    """An area whose corners are longitude and latitude; the other order is recognised."""
    as_said = [[_near(frame, lat, lon) for lon, lat in ring] for ring in rings]
    if not _all_near(as_said):
        swapped = [[_near(frame, lat, lon) for lat, lon in ring] for ring in rings]
        lon, lat = rings[0][0]
        facts: dict[str, Fact] = {"value": f"{lon:g}, {lat:g}"}
        if _all_near(swapped):
            remedy = f"GeoJSON has longitude first: send [{lat:g}, {lon:g}] and so on"
            return None, [AreaFault(code="area_axes_swapped", facts=facts, remedy=remedy)]
        remedy = "send an area near this site, as [longitude, latitude] in degrees"
        return None, [AreaFault(code="area_far_away", facts=facts, remedy=remedy)]
    return _area([[p for p in ring if p is not None] for ring in as_said]), []


def area_faults(area: DrawnArea, site: Site, height_agl_m: float | None = None) -> list[AreaFault]:
    """Everything that keeps drones from patrolling an area, as far as the site can tell.

    Args:
        height_agl_m: at which the lowest drone would fly; None = no drone is known.
    """
    if len(set(area.outline)) < 3:
        remedy = "send three corners or more"
        return [AreaFault(code="area_few_corners", remedy=remedy)]
    shape = area.shape
    if not shape.is_valid:
        why = shapely.is_valid_reason(shape)
        x, y = _spot_of(why) or _spots(area.outline)[0]
        facts: dict[str, Fact] = {"x_m": round(x, 1), "y_m": round(y, 1)}
        remedy = f"send the corners in their order around the area: it is wrong at {x:.0f}, {y:.0f}"
        return [AreaFault(code="area_crosses_itself", facts=facts, remedy=remedy)]
    if shape.area < SMALLEST_M2:
        return [AreaFault(code="area_without_size", remedy="send an area of some width")]
    found: list[AreaFault] = []
    if shape.area > LARGEST_KM2 * 1e6:
        facts = {"km2": round(shape.area / 1e6, 1), "limit_km2": LARGEST_KM2}
        remedy = f"send at most {LARGEST_KM2:g} km2, or several areas"
        found.append(AreaFault(code="area_too_large", facts=facts, remedy=remedy))
    found += _outside(shape, site)
    if not found and height_agl_m is not None:
        free = shape.intersection(free_air(site, height_agl_m).shape)
        if free.area < SMALLEST_M2:
            remedy = "send an area that drones may fly over: all of this one is closed to them"
            found.append(AreaFault(code="area_closed", remedy=remedy))
    return found


def named_area(space: Airspace) -> DrawnArea:
    """A volume of the site as an area."""
    return DrawnArea(outline=space.outline, holes=space.holes)


def _outside(shape: BaseGeometry, site: Site) -> list[AreaFault]:
    fences = [named_area(s).shape for s in site.airspaces.values() if s.kind is AirKind.GEOFENCE]
    if not fences:
        return []
    outside_m2 = shape.difference(shapely.union_all(fences)).area
    if outside_m2 <= OUTSIDE_M2:
        return []
    percent = max(1, round(100 * outside_m2 / shape.area))
    remedy = "draw it inside the site's geofence"
    return [AreaFault(code="area_outside_fence", facts={"percent": percent}, remedy=remedy)]


def _are_degrees(rings: Sequence[Sequence[Corner]], frame: LocalFrame) -> bool:
    """Whether corners that should be metres are the degrees of somewhere near the site."""
    one_way = [[_near(frame, a, b) for a, b in ring] for ring in rings]
    other = [[_near(frame, b, a) for a, b in ring] for ring in rings]
    return _all_near(one_way) or _all_near(other)


def _near(frame: LocalFrame, lat_deg: float, lon_deg: float) -> Point | None:
    """Where a spot on the earth lies on the site; None = it is far away, or none."""
    if abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return None
    point = frame.to_point(GeoPoint(lat_deg, lon_deg))
    return point if math.hypot(point.x_m, point.y_m) <= NEAR_M else None


def _all_near(rings: Sequence[Sequence[Point | None]]) -> bool:
    return all(point is not None for ring in rings for point in ring)


def _area(rings: Sequence[Sequence[Point]]) -> DrawnArea:
    """Rings without their closing corner, which GeoJSON repeats."""
    opened = [ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring for ring in rings]
    outline, *holes = (tuple(ring) for ring in opened)
    return DrawnArea(outline=outline, holes=tuple(hole for hole in holes if len(hole) > 2))


def _spots(ring: Sequence[Point]) -> list[Corner]:
    return [(point.x_m, point.y_m) for point in ring]


def _spot_of(reason: str) -> Corner | None:
    """The spot in a word of shapely's such as ``Self-intersection[3 4]``."""
    words = reason.partition("[")[2].rstrip("]").split()
    return (float(words[0]), float(words[1])) if len(words) == 2 else None
