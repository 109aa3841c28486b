"""The site's air as fence and rally points that a drone holds itself.

What is on board acts even when we don't. A polygon on board holds at all heights and at all times,
so only what is never to be flown through goes there; the rest is up to our plans.
"""

from collections.abc import Iterator, Sequence

import shapely
from pymavlink.dialects.v20 import ardupilotmega as mav
from shapely import LinearRing, Polygon
from shapely.geometry.base import BaseGeometry

from fleet.errors import ConfigError
from fleet.mavlink.missions import Item, to_e7
from routing.air.airspace import highest_m
from routing.geometry import LocalFrame, Point
from routing.site import AirKind, Airspace, Node, Site

_MOST_CORNERS = 255
"""Of one polygon; their number is a byte on board."""
_KEEP_IN = mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION
_KEEP_OUT = mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION


def fence_items(site: Site, home: Point) -> tuple[Item, ...]:
    """The fence for a drone that lives at ``home``; empty where the site has none.

    ArduCopter wants to be inside each polygon to stay in, so overlapping fences become one, and
    of fences that lie apart only the one around ``home`` is taken: no way leads to the others.

    Raises:
        ConfigError: a polygon has more corners than fit on board.
    """
    fences = [v for v in site.airspaces.values() if v.kind is AirKind.GEOFENCE]
    items: list[Item] = []
    around = _around(fences, home)
    if around is not None:
        items += _polygon(_KEEP_IN, around.exterior, site.frame)
        for hole in around.interiors:
            items += _polygon(_KEEP_OUT, hole, site.frame)
    top_m = highest_m(site)
    for volume in site.airspaces.values():
        if volume.kind is AirKind.NO_FLY and _always_shut(volume, top_m):
            for part in _parts(_shape(volume)):
                items += _polygon(_KEEP_OUT, part.exterior, site.frame)
    return tuple(items)


def rally_items(pads: Sequence[Node], frame: LocalFrame, height_m: float) -> tuple[Item, ...]:
    """Pads to which a drone in need may return instead of to its home, if they are nearer."""
    items: list[Item] = []
    for pad in pads:
        lat_e7, lon_e7 = to_e7(frame.to_geo(pad.point))
        items.append(
            Item(
                command=mav.MAV_CMD_NAV_RALLY_POINT,
                frame=mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
                lat_e7=lat_e7,
                lon_e7=lon_e7,
                z_m=height_m,
            )
        )
    return tuple(items)


def _always_shut(volume: Airspace, top_m: float) -> bool:
    """Whether no height and no hour lets a drone through; what has holes is left to our plans."""
    high = volume.floor_agl_m <= 0 and volume.ceiling_agl_m >= top_m
    return high and not volume.holes and not volume.hours


def _around(fences: Sequence[Airspace], home: Point) -> Polygon | None:
    if not fences:
        return None
    whole = shapely.union_all([_shape(fence) for fence in fences])
    spot = shapely.Point(home.x_m, home.y_m)
    return min(_parts(whole), key=lambda part: part.distance(spot))


def _parts(shape: BaseGeometry) -> Iterator[Polygon]:
    for part in getattr(shape, "geoms", [shape]):
        if isinstance(part, Polygon):
            yield part


def _shape(volume: Airspace) -> Polygon:
    return Polygon(
        [(p.x_m, p.y_m) for p in volume.outline],
        [[(p.x_m, p.y_m) for p in hole] for hole in volume.holes],
    )


def _polygon(command: int, ring: LinearRing, frame: LocalFrame) -> Iterator[Item]:
    corners = list(ring.coords)[:-1]
    if len(corners) > _MOST_CORNERS:
        raise ConfigError(
            f"a fence of {len(corners)} corners does not fit on board; draw it with at most "
            f"{_MOST_CORNERS}, or write 'safety: {{fence: false}}'"
        )
    for x_m, y_m, *_ in corners:
        lat_e7, lon_e7 = to_e7(frame.to_geo(Point(x_m, y_m)))
        yield Item(
            command=command,
            frame=mav.MAV_FRAME_GLOBAL,
            params=(float(len(corners)), 0.0, 0.0, 0.0),
            lat_e7=lat_e7,
            lon_e7=lon_e7,
        )
