"""The fence that a drone holds: polygons, a circle around home and a greatest height."""

from collections.abc import Callable, Iterator, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from fleet.vehicle import Position
from routing.geometry import Point
from sim.mavlink.datum import Datum
from sim.mavlink.params import Parameters

_KEEP_IN = mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION
_KEEP_OUT = mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION
_MAX_ALT, _CIRCLE, _POLYGONS = 1, 2, 4
"""Bits of FENCE_TYPE."""


class Fence:
    """The fence of one drone.

    Args:
        items: the vertices of its polygons, as they are on board now.
    """

    def __init__(
        self, params: Parameters, datum: Datum, items: Callable[[], Sequence[Item]]
    ) -> None:
        self._params, self._datum = params, datum
        self.items = items

    @property
    def enabled(self) -> bool:
        """Whether it is to be kept to."""
        return bool(self._params["FENCE_ENABLE"])

    def admits(self, goal: Point, height_m: float) -> bool:
        """Whether it may be sent somewhere; polygons count even while nothing is enabled."""
        too_high = self.enabled and height_m > self._params["FENCE_ALT_MAX"]
        return not too_high and inside(self.items(), *self._datum.e7(goal))

    def breaches(self, position: Position, home: Point) -> tuple[str, ...]:
        """Which of the fences in force a position is beyond."""
        kinds = int(self._params["FENCE_TYPE"])
        found: list[str] = []
        if kinds & _MAX_ALT and position.height_agl_m > self._params["FENCE_ALT_MAX"]:
            found.append("Max Alt")
        if kinds & _CIRCLE and home.distance_m(position.point) > self._params["FENCE_RADIUS"]:
            found.append("Circle")
        if kinds & _POLYGONS and not inside(self.items(), *self._datum.e7(position.point)):
            found.append("Polygon")
        return tuple(found)


def inside(fence: Sequence[Item], lat_e7: int, lon_e7: int) -> bool:
    """Whether a spot is in each of the polygons to stay in, and in none to stay out of.

    Source: ArduCopter 4.5, ``AC_PolyFence_loader``: not in any of them, but in each.
    """
    keep_in = [corners for kind, corners in _polygons(fence) if kind == _KEEP_IN]
    keep_out = [corners for kind, corners in _polygons(fence) if kind == _KEEP_OUT]
    allowed = all(_in_polygon(corners, lat_e7, lon_e7) for corners in keep_in)
    return allowed and not any(_in_polygon(corners, lat_e7, lon_e7) for corners in keep_out)


def _polygons(fence: Sequence[Item]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Consecutive vertices, each of which says how many its polygon has."""
    at = 0
    while at < len(fence):
        first = fence[at]
        count = int(first.params[0]) if first.command in (_KEEP_IN, _KEEP_OUT) else 1
        if first.command in (_KEEP_IN, _KEEP_OUT):
            yield first.command, [(item.lat_e7, item.lon_e7) for item in fence[at : at + count]]
        at += max(1, count)


def _in_polygon(corners: Sequence[tuple[int, int]], lat: int, lon: int) -> bool:
    """By the parity of the edges east of the spot."""
    within = False
    for (lat_a, lon_a), (lat_b, lon_b) in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        crosses = (lat_a > lat) != (lat_b > lat)
        if crosses and lon < (lon_b - lon_a) * (lat - lat_a) / (lat_b - lat_a) + lon_a:
            within = not within
    return within
