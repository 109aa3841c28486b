"""One round of a drone over what a post is to see: its points, and how long it takes."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatcher.air.air_pace import AirPace
from dispatcher.air.area_lines import FOOTPRINT_M_PER_M, lines_over
from dispatcher.air.site_air import BESIDE_M, SiteAir
from dispatcher.missions.posts import Post, least_round_s
from fleet.vehicle import VehicleSpec
from routing.air.airspace import FreeSpace
from routing.air.drawn import DrawnArea
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import Airspace, AirspaceId, Site

SEEN_M_PER_M = 1.2
"""Width of all that a camera sees per metre of height, the overlap of lines included."""
HOVER_S = 60.0
"""A round over what one look covers."""

Way = Callable[[Point, Point], Sequence[Point]]


class AirRounds:
    """Lays rounds for the drones of one site."""

    def __init__(self, site: Site, air: SiteAir) -> None:
        self._site, self._air = site, air

    def ring(
        self,
        post: Post,
        spec: VehicleSpec,
        over: frozenset[AirspaceId],
        keep_off: tuple[Airspace, ...] = (),
    ) -> tuple[tuple[Point, ...], float]:
        """The points of one round over a post, and how long each is looked at.

        Args:
            over: no-fly volumes that are not in force.

        Raises:
            Unreachable: nothing of it can be flown over.
        """
        free = self._air.space(spec, over, keep_off)
        if post.area is None:
            spots = [self._site.nodes[self._site.places[p].node].point for p in post.points]
            return _closed(spots, free.way), post.dwell_s
        shape = post.area.shape
        parts = _parts(shape.intersection(free.shape))
        if len(parts) == 1 and _span_m(parts[0]) <= self._look_m(shape, free, spec):
            spot = parts[0].representative_point() if parts[0].interiors else parts[0].centroid
            return (Point(spot.x, spot.y),), HOVER_S
        lines = lines_over(self._site, shape, free.shape, over, spec, self._air.middle)
        return _closed(lines, free.way), 0.0

    def least_s(self, area: DrawnArea, spec: VehicleSpec) -> float:
        """No round over an area is quicker; takes no time to say."""
        width_m = FOOTPRINT_M_PER_M * self._air.sees_from_m(spec)
        return least_round_s(area, width_m, spec.speed_m_s)

    def unseen_s(self, area: DrawnArea, spec: VehicleSpec) -> float:
        """How long a part of an area is unseen between two rounds of a drone, at its own height.

        All of it, as while no volume with hours is in force.
        What one look covers is never unseen.
        """
        volumes = self._site.airspaces.values()
        at_some_hours = frozenset(volume.id for volume in volumes if volume.hours)
        ring, look_s = self.ring(Post(number=0, area=area), spec, at_some_hours)
        if len(ring) == 1:
            return 0.0
        return ring_s(ring, look_s, self._air.pace(spec))

    def shut(self, post: Post, spec: VehicleSpec) -> bool:
        """Whether a post may not be flown over at all now, so that nobody need see to it."""
        if post.area is None:
            return False
        free = self._air.space(spec, self._air.over(0.0))
        return post.area.shape.intersection(free.shape).area <= 1.0

    def _look_m(self, shape: BaseGeometry, free: FreeSpace, spec: VehicleSpec) -> float:
        """How wide a shape one look covers; less where drones keep off its border."""
        height_m = self._air.sees_from_m(spec)
        width_m = FOOTPRINT_M_PER_M * height_m
        if free.shape.covers(shape):
            return width_m
        return max(width_m / 2, min(width_m, SEEN_M_PER_M * height_m - 2 * BESIDE_M))


def ring_s(ring: Sequence[Point], look_s: float, pace: AirPace) -> float:
    """How long a round takes, with all looks."""
    if len(ring) == 1:
        return look_s
    return pace.way_s([*ring, ring[0]]) + look_s * len(ring)


def turned(ring: tuple[Point, ...], begin: Sequence[Point]) -> tuple[Point, ...]:
    """A round that begins where another did, and goes the same way round."""
    if not begin or len(ring) < 2:
        return ring
    first = min(range(len(ring)), key=lambda n: (ring[n].distance_m(begin[0]), n))
    onward = (*ring[first:], *ring[:first])
    back = (onward[0], *reversed(onward[1:]))
    if len(begin) < 2 or onward[1].distance_m(begin[1]) <= back[1].distance_m(begin[1]):
        return onward
    return back


def _closed(points: Sequence[Point], way: Way) -> tuple[Point, ...]:
    """A round through points with the corners between them; it ends where it began."""
    ring = list(points[:1])
    for goal in [*points[1:], points[0]]:
        ring += way(ring[-1], goal)[1:]
    found = [a for a, b in pairwise(ring) if a != b]
    return tuple(found) or tuple(points[:1])


def _parts(shape: BaseGeometry) -> list[Polygon]:
    """The parts of what may be flown over; raises Unreachable where there are none."""
    parts = [p for p in shapely.get_parts(shape) if isinstance(p, Polygon) and p.area > 1.0]
    if not parts:
        raise Unreachable("a dock", "a part of the area that may be flown over")
    return parts


def _span_m(shape: Polygon) -> float:
    """How wide a look must be to cover a shape from its middle."""
    x, y = shape.centroid.coords[0]
    low_x, low_y, high_x, high_y = shape.bounds
    return 2 * max(x - low_x, high_x - x, y - low_y, high_y - y)
