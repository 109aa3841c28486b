"""Points on a site, points on the earth, and the one frame that joins them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pyproj import Transformer


@dataclass(frozen=True, slots=True)
class Point:
    """A spot in the site's metric frame: x to the east, y to the north, in metres."""

    x_m: float
    y_m: float

    def distance_m(self, other: "Point") -> float:
        """Straight-line distance in metres."""
        return math.hypot(self.x_m - other.x_m, self.y_m - other.y_m)


def middle(points: Sequence[Point]) -> Point:
    """The mean of one or more points."""
    many = len(points)
    return Point(sum(p.x_m for p in points) / many, sum(p.y_m for p in points) / many)


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A spot on the WGS 84 ellipsoid, in degrees."""

    lat_deg: float
    lon_deg: float


@dataclass(frozen=True)
class LocalFrame:
    """The site's metric frame, laid on the earth at ``anchor``.

    Azimuthal equidistant around the anchor: distances from it are true, and within a city the
    others are right to a few centimetres.

    Args:
        anchor: where the frame's origin (0, 0) lies.
        bearing_deg: compass bearing of the frame's y axis; 0 = y points to true north.
    """

    anchor: GeoPoint
    bearing_deg: float = 0.0

    @cached_property
    def _to_metres(self) -> Transformer:
        plane = f"+proj=aeqd +lat_0={self.anchor.lat_deg} +lon_0={self.anchor.lon_deg} +datum=WGS84"
        return Transformer.from_crs("EPSG:4326", plane, always_xy=True)

    @cached_property
    def _turn(self) -> tuple[float, float]:
        angle = math.radians(self.bearing_deg)
        return math.cos(angle), math.sin(angle)

    def to_point(self, geo: GeoPoint) -> Point:
        """Where a spot on the earth lies in the site's frame."""
        east, north = self._to_metres.transform(geo.lon_deg, geo.lat_deg)
        cos, sin = self._turn
        return Point(east * cos - north * sin, east * sin + north * cos)

    def to_geo(self, point: Point) -> GeoPoint:
        """Where a spot of the site lies on the earth."""
        cos, sin = self._turn
        east, north = point.x_m * cos + point.y_m * sin, point.y_m * cos - point.x_m * sin
        lon, lat = self._to_metres.transform(east, north, direction="INVERSE")
        return GeoPoint(lat, lon)
