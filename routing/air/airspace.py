"""Ways through the air: inside the fence, around whatever may not be flown over.

The shortest way around corners bends at corners only, so it is a way in the graph of all corners
that see one another (visibility graph: Lozano-Pérez & Wesley, Communications of the ACM 22(10),
1979).
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import AirKind, Airspace, AirspaceId, Site

_TOUCH_M = 1e-6
"""Ways may touch borders; they are compared with so much tolerance."""
HIGHEST_M = 120.0
"""For a site that has no fence of its own."""
_EVERYWHERE = shapely.box(-1e6, -1e6, 1e6, 1e6)
"""Free air of a site without a fence."""

Spot = tuple[float, float]


def air_way(
    site: Site,
    start: Point,
    goal: Point,
    *,
    height_agl_m: float,
    margin_m: float = 10.0,
    over: frozenset[AirspaceId] = frozenset(),
) -> tuple[Point, ...]:
    """The shortest polyline from ``start`` to ``goal`` at one height.

    It keeps ``margin_m`` from fence and no-fly volumes, save where ``start`` or ``goal`` is
    nearer to them itself: there it leaves or comes by the shortest leg.

    Args:
        over: no-fly volumes that may be flown over, for they are not in force: see `not_shut`.

    Raises:
        Unreachable: one of the two lies outside the fence or in a no-fly volume at this height,
            or there is no way between them.
    """
    return free_air(site, height_agl_m, margin_m, over).way(start, goal)


def highest_m(site: Site) -> float:
    """How high above ground a drone may be anywhere within the site's fences."""
    fences = [v.ceiling_agl_m for v in site.airspaces.values() if v.kind is AirKind.GEOFENCE]
    return max(fences, default=HIGHEST_M)


def not_shut(site: Site, clock_s: float, ahead_s: float) -> frozenset[AirspaceId]:
    """The no-fly volumes that are not in force at any time of a flight.

    Args:
        clock_s: when it begins, in seconds since midnight.
        ahead_s: until it has landed, at the latest.
    """
    closed = (v for v in site.airspaces.values() if v.kind is AirKind.NO_FLY)
    return frozenset(v.id for v in closed if not v.in_force(clock_s, ahead_s))


def free_air(
    site: Site,
    height_agl_m: float,
    margin_m: float = 10.0,
    over: frozenset[AirspaceId] = frozenset(),
    also: tuple[Airspace, ...] = (),
) -> "FreeSpace":
    """Where a drone may be at one height; cached.

    Args:
        over: as in `air_way`.
        also: more volumes that it may not enter.
    """
    volumes = (v for v in site.airspaces.values() if v.kind in (AirKind.GEOFENCE, AirKind.NO_FLY))
    here = tuple(v for v in volumes if v.id not in over and _holds(v, height_agl_m))
    fenced = any(volume.kind is AirKind.GEOFENCE for volume in site.airspaces.values())
    return _free_space(here + also, fenced, margin_m)


def breaches(site: Site, points: Sequence[Point], height_agl_m: float) -> list[AirspaceId]:
    """All volumes that a polyline at one height breaks: no-fly ones it enters, fences it leaves.

    Shares no code with `air_way`: it asks each volume by itself, without margins or graphs.
    """
    if not points:
        return []
    spots = [(point.x_m, point.y_m) for point in points]
    flown: BaseGeometry = LineString(spots) if len(spots) > 1 else shapely.Point(spots[0])
    found: list[AirspaceId] = []
    fences = [v for v in site.airspaces.values() if v.kind is AirKind.GEOFENCE]
    inside = [_shape(v) for v in fences if v.floor_agl_m <= height_agl_m <= v.ceiling_agl_m]
    outside = flown.difference(shapely.union_all([s.buffer(_TOUCH_M) for s in inside]))
    if not outside.is_empty:
        found += [fence.id for fence in fences]
    for volume in site.airspaces.values():
        here = volume.floor_agl_m <= height_agl_m <= volume.ceiling_agl_m
        entered = here and flown.intersects(_shape(volume).buffer(-_TOUCH_M))
        if volume.kind is AirKind.NO_FLY and entered:
            found.append(volume.id)
    return found


class FreeSpace:
    """A region of the plane, and the shortest ways in it.

    Args:
        shape: where ways may go; holes and several parts allowed.
        wider: where a start or goal may lie too, next to ``shape``; default the same.
    """

    def __init__(self, shape: BaseGeometry, wider: BaseGeometry | None = None) -> None:
        self.shape = shape
        self._near = shape.buffer(_TOUCH_M)
        self._wider = (wider or shape).buffer(_TOUCH_M)
        shapely.prepare(self._near)
        shapely.prepare(self._wider)
        self._corners = bends(shape)
        self._graph = self._visible_pairs()

    def way(self, start: Point, goal: Point) -> tuple[Point, ...]:
        """The shortest polyline; raises Unreachable."""
        first, last = (start.x_m, start.y_m), (goal.x_m, goal.y_m)
        entry, leave = self._entry(first), self._entry(last)
        if entry is None or leave is None:
            raise Unreachable(_words(start), _words(goal))
        middle = [entry, leave] if self._sees(entry, [leave])[0] else self._around(entry, leave)
        if middle is None:
            raise Unreachable(_words(start), _words(goal))
        spots = [first, *middle, last]
        distinct = [a for a, b in pairwise(spots) if math.dist(a, b) > _TOUCH_M] + [last]
        return tuple(Point(x, y) for x, y in distinct)

    def _entry(self, spot: Spot) -> Spot | None:
        """Where a way from ``spot`` enters the shape; None = it may not even be there."""
        if shapely.covers(self._near, shapely.Point(spot)):
            return spot
        if self.shape.is_empty:
            return None
        nearest = shapely.shortest_line(shapely.Point(spot), self.shape)
        if not shapely.covers(self._wider, nearest):
            return None
        x, y = nearest.coords[-1]
        return x, y

    def _around(self, start: Spot, goal: Spot) -> list[Spot] | None:
        graph = self._graph.copy()
        for end in (start, goal):
            seen = self._sees(end, self._corners)
            graph.add_node(end)
            for corner, visible in zip(self._corners, seen, strict=True):
                if visible and corner != end:
                    graph.add_edge(end, corner, weight=math.dist(end, corner))
        try:
            return nx.dijkstra_path(graph, start, goal)
        except nx.NetworkXNoPath:
            return None

    def _sees(self, spot: Spot, others: Sequence[Spot]) -> Sequence[bool]:
        if not others:
            return []
        lines = shapely.linestrings([(spot, other) for other in others])
        return [bool(seen) for seen in np.atleast_1d(shapely.covers(self._near, lines))]

    def _visible_pairs(self) -> "nx.Graph[Spot]":
        graph: nx.Graph[Spot] = nx.Graph()
        graph.add_nodes_from(self._corners)
        pairs = list(combinations(self._corners, 2))
        if pairs:
            seen = shapely.covers(self._near, shapely.linestrings(pairs))
            for (a, b), visible in zip(pairs, seen, strict=True):
                if visible:
                    graph.add_edge(a, b, weight=math.dist(a, b))
        return graph


@lru_cache(maxsize=64)
def _free_space(volumes: tuple[Airspace, ...], fenced: bool, margin_m: float) -> FreeSpace:
    fence = _union(v for v in volumes if v.kind is AirKind.GEOFENCE) if fenced else _EVERYWHERE
    no_fly = _union(volume for volume in volumes if volume.kind is AirKind.NO_FLY)
    inner = fence.buffer(-margin_m, join_style="mitre")
    outer = no_fly.buffer(margin_m, join_style="mitre", mitre_limit=1.5)
    return FreeSpace(inner.difference(outer), fence.difference(no_fly))


@lru_cache(maxsize=256)
def _shape(volume: Airspace) -> BaseGeometry:
    return polygon(volume.outline, volume.holes)


def polygon(outline: Sequence[Point], holes: Iterable[Sequence[Point]] = ()) -> BaseGeometry:
    """An outline with holes as a valid shape of shapely's; holes may overlap or reach out."""
    whole = shapely.make_valid(Polygon([(p.x_m, p.y_m) for p in outline]))
    cut = [shapely.make_valid(Polygon([(p.x_m, p.y_m) for p in hole])) for hole in holes]
    return whole.difference(shapely.union_all(cut))


def _union(volumes: Iterable[Airspace]) -> BaseGeometry:
    return shapely.union_all([_shape(volume) for volume in volumes])


def _holds(volume: Airspace, height_agl_m: float) -> bool:
    return volume.floor_agl_m <= height_agl_m <= volume.ceiling_agl_m


def bends(shape: BaseGeometry) -> list[Spot]:
    """The corners that bulge into the shape: the only ones where a shortest way can bend."""
    found: dict[Spot, None] = {}
    for part in shapely.get_parts(shape):
        if not isinstance(part, Polygon) or part.is_empty:
            continue
        part = orient(part)
        for ring in (part.exterior, *part.interiors):
            spots = [(x, y) for x, y in ring.coords[:-1]]
            for n, here in enumerate(spots):
                if _turns_right(spots[n - 1], here, spots[(n + 1) % len(spots)]):
                    found[here] = None
    return list(found)


def _turns_right(before: Spot, here: Spot, after: Spot) -> bool:
    ahead = (here[0] - before[0], here[1] - before[1])
    then = (after[0] - here[0], after[1] - here[1])
    return ahead[0] * then[1] - ahead[1] * then[0] < 0


def _words(point: Point) -> str:
    return f"({point.x_m:.1f}, {point.y_m:.1f})"
