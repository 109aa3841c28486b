"""What an Open-RMF building map says: its shape, and its drawings' ways to metres."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pyproj import Transformer

from routing.errors import Fault, SiteError
from routing.geometry import GeoPoint, LocalFrame, Point

_UNMEASURED_M = 0.05
"""Metres per pixel of a drawing that nobody has measured: the editor's own default."""


class _Foreign(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False
    )


def _untyped(value: object) -> object:
    """Typed pairs ``[type, value]`` as values."""
    if not isinstance(value, dict):
        return value
    return {
        key: pair[1] if isinstance(pair, list) and len(pair) == 2 else pair
        for key, pair in value.items()
    }


def _keyed(*keys: str) -> BeforeValidator:
    def name_parts(value: object) -> object:
        if not isinstance(value, list):
            return value
        return dict(zip(keys, value, strict=False))

    return BeforeValidator(name_parts)


Properties = Annotated[dict[str, Any], BeforeValidator(_untyped)]


class Vertex(_Foreign):
    """A corner, or a spot on a lane."""

    x: float
    y: float
    name: str = ""
    properties: Properties = {}

    def says(self, key: str) -> bool:
        """Whether a property is there and not false."""
        return bool(self.properties.get(key))


class Segment(_Foreign):
    """A lane, door or measurement between two vertices."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    properties: Properties = {}


class Fiducial(_Foreign):
    """A spot that several levels share."""

    x: float
    y: float
    name: str


class Floor(_Foreign):
    """A polygon of vertices."""

    vertices: list[int] = []


Stroke = Annotated[Segment, _keyed("start", "end", "properties")]


class DrawnLevel(_Foreign):
    """One level, in the units of its drawing."""

    elevation: float = 0.0
    vertices: list[Annotated[Vertex, _keyed("x", "y", "z", "name", "properties")]] = []
    lanes: list[Stroke] = []
    doors: list[Stroke] = []
    measurements: list[Stroke] = []
    fiducials: list[Annotated[Fiducial, _keyed("x", "y", "name")]] = []
    floors: list[Floor] = []


class Building(_Foreign):
    """A whole map."""

    name: str = "building"
    coordinate_system: str = "reference_image"
    reference_level_name: str | None = None
    levels: Annotated[dict[str, DrawnLevel], Field(min_length=1)]
    lifts: dict[str, Any] = {}


def positive(value: object) -> float | None:
    """A number above zero; None for everything else."""
    return float(value) if isinstance(value, int | float) and value > 0 else None


# -- from the drawing to metres ------------------------------------------------------------

ToPoint = Callable[[float, float], Point]


def frames(building: Building, source: str) -> tuple[LocalFrame, bool, Mapping[str, ToPoint]]:
    """The site's frame, whether it is outdoors, and each level's way from drawing to metres."""
    system = building.coordinate_system
    if system in ("wgs84", "web_mercator"):
        return _earth_frame(building, mercator=system == "web_mercator")
    nowhere = LocalFrame(GeoPoint(0.0, 0.0))
    if system == "cartesian_meters":
        return nowhere, False, dict.fromkeys(building.levels, Point)
    if system != "reference_image":
        what = f"coordinate_system {system!r} is not known"
        remedy = "known are reference_image, wgs84, web_mercator and cartesian_meters"
        raise SiteError(source, [Fault(0, what, remedy)])
    return nowhere, False, _drawn(building)


def _earth_frame(
    building: Building, *, mercator: bool
) -> tuple[LocalFrame, bool, Mapping[str, ToPoint]]:
    to_degrees = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True)

    def geo(x: float, y: float) -> GeoPoint:
        lon, lat = to_degrees.transform(x, y) if mercator else (x, y)
        return GeoPoint(lat, lon)

    used = [
        geo(level.vertices[end].x, level.vertices[end].y)
        for level in building.levels.values()
        for lane in level.lanes
        for end in (lane.start, lane.end)
    ] or [GeoPoint(0.0, 0.0)]
    lats, lons = [spot.lat_deg for spot in used], [spot.lon_deg for spot in used]
    middle = GeoPoint(round((min(lats) + max(lats)) / 2, 6), round((min(lons) + max(lons)) / 2, 6))
    frame = LocalFrame(middle)
    return frame, True, {key: lambda x, y: frame.to_point(geo(x, y)) for key in building.levels}


def _drawn(building: Building) -> Mapping[str, ToPoint]:
    reference = building.reference_level_name
    if reference not in building.levels:
        reference = next(iter(building.levels))
    base = building.levels[reference]
    base_scale = _metres_per_pixel(base) or _UNMEASURED_M
    targets = {f.name: (f.x * base_scale, -f.y * base_scale) for f in base.fiducials}
    return {
        key: _laid_over(level, _metres_per_pixel(level) or base_scale, targets)
        for key, level in building.levels.items()
    }


def _metres_per_pixel(level: DrawnLevel) -> float | None:
    scales: list[float] = []
    for measured in level.measurements:
        a, b = level.vertices[measured.start], level.vertices[measured.end]
        pixels = math.hypot(a.x - b.x, a.y - b.y)
        metres = positive(measured.properties.get("distance"))
        if pixels > 0 and metres:
            scales.append(metres / pixels)
    return sum(scales) / len(scales) if scales else None


def _laid_over(
    level: DrawnLevel, scale: float, targets: Mapping[str, tuple[float, float]]
) -> ToPoint:
    """Pixels to metres, turned and moved so that its fiducials come to lie on ``targets``.

    Lengths keep the level's own scale: the best rigid motion in the plane (Kabsch).
    """
    pairs = [
        (complex(f.x * scale, -f.y * scale), complex(*targets[f.name]))
        for f in level.fiducials
        if f.name in targets
    ]
    here = sum((a for a, _ in pairs), 0j) / (len(pairs) or 1)
    there = sum((b for _, b in pairs), 0j) / (len(pairs) or 1)
    turn = sum(((a - here).conjugate() * (b - there) for a, b in pairs), 0j)
    turn = turn / abs(turn) if abs(turn) > 1e-9 else 1 + 0j

    def to_point(x: float, y: float) -> Point:
        spot = (complex(x * scale, -y * scale) - here) * turn + there
        return Point(spot.real, spot.imag)

    return to_point
