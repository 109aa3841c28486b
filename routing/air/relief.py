"""The ground below a site's air: how low and how high it lies, if a raster tells all of it."""

import math
from collections.abc import Sequence

import shapely
from shapely import Polygon

from routing.errors import RasterError
from routing.geometry import Point
from routing.site import AirKind, Airspace
from routing.terrain import Terrain

AROUND_PADS_M = 50.0
"""So far around pads the ground must be known, where there is no fence."""


def relief_m(
    terrain: Terrain, volumes: Sequence[Airspace], pads: Sequence[Point]
) -> tuple[float, float]:
    """The lowest and the highest ground within the fences, and around the pads.

    Raises:
        RasterError: not all of it is told, or a no-fly volume is bound to a height.
    """
    fences = [_shape(v) for v in volumes if v.kind is AirKind.GEOFENCE]
    around = [shapely.Point(pad.x_m, pad.y_m).buffer(AROUND_PADS_M) for pad in pads]
    below = shapely.union_all([*fences, *(around if not fences else [])])
    if below.is_empty:
        raise RasterError("there is ground, but no air above it", "add a geofence or a pad")
    if not terrain.covers(below):
        west, south, east, north = (f"{edge:.0f}" for edge in below.bounds)
        what = f"the raster does not cover the air from ({west}, {south}) to ({east}, {north})"
        raise RasterError(what, "export a larger one; its x and y are metres of the site's frame")
    low_m, high_m = terrain.extremes_m(below)
    if math.isnan(low_m):
        remedy = "fill the gaps, or draw the geofence around them"
        raise RasterError("the raster has cells without data below the site's air", remedy)
    top_m = max((v.ceiling_agl_m for v in volumes if v.kind is AirKind.GEOFENCE), default=0.0)
    for volume in volumes:
        bound = volume.floor_agl_m > 0 or volume.ceiling_agl_m < top_m
        if volume.kind is AirKind.NO_FLY and bound:
            what = f"no-fly volume {volume.id!r} is bound to a height above ground that is not flat"
            remedy = "with a terrain it reaches from 0 to the ceiling of the fence: write that"
            raise RasterError(what, remedy)
    return low_m, high_m


def _shape(volume: Airspace) -> Polygon:
    return Polygon([(point.x_m, point.y_m) for point in volume.outline])
