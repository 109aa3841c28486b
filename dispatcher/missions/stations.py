"""What a drone's shift on a post is as a flight: out, round after round, and home.

The whole shift is one flight that ends by itself, so a drone that nobody can reach any more still
comes home with its reserve; whoever is relieved, or needed elsewhere, leaves out the rest of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatcher.air.air_pace import AirPace
from dispatcher.air.wind import SiteWind
from dispatcher.domain.stops import TaskStop
from dispatcher.missions.area_lines import FOOTPRINT_M_PER_M, lines_over, sees_from_m
from dispatcher.missions.posts import Post, least_round_s
from fleet.vehicle import VehicleSpec
from routing.air.airspace import FreeSpace, air_way, free_air, not_shut
from routing.air.drawn import DrawnArea, named_area
from routing.errors import Unreachable
from routing.geometry import Point, middle
from routing.site import AirKind, Airspace, AirspaceId, Name, NodeId, PlaceId, Role, Site

SEEN_M_PER_M = 1.2
"""Width of all that a camera sees per metre of height, the overlap of lines included."""
BESIDE_M = 10.0
"""How far drones keep from what they may not enter."""
MARGIN = 1.25
"""So much more energy than planned a shift may take."""
HOVER_S = 60.0
"""A round over what one look covers."""
MOST_WAYPOINTS = 500
"""Autopilots hold so many mission items, and some more. Source: ArduCopter 4.5 on small boards."""
KEEP_OFF_M = 2.0
"""Half the side of the square over another's pad that flights keep out of, with the margin."""
CLEAR_S = 45.0
"""So long before a no-fly volume closes a shift that flies over it turns home."""
SET_OUT_S = 40.0
"""From being told to leaving the ground."""
KEPT = 500
"""So many ways are remembered."""
ORDINARY_S = 2 * 3600.0
"""No flight but a shift is longer."""
LONGEST_S = 4 * 3600.0
"""No flight is longer."""

Way = Callable[[Point, Point], Sequence[Point]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Legs:
    """The parts of a shift: where they lead, how long they take, what they cost.

    ``ways_wh`` are for the way out and home, ``back_wh`` from anywhere on the ring.
    """

    out: tuple[Point, ...]
    ring: tuple[Point, ...]
    back: tuple[Point, ...]
    look_s: float
    out_s: float
    round_s: float
    back_s: float
    ways_wh: float
    round_wh: float
    back_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One drone's shift on one post, as it could be flown from now on.

    Args:
        rounds: 0 = its battery is too low.
        usable_wh: energy above the reserve that the shift may use, margin taken off.
        by_s: in how many seconds it must be on its way home, for a no-fly volume closes.
    """

    legs: _Legs
    rounds: int
    usable_wh: float
    by_s: float = math.inf

    @property
    def stretch_s(self) -> float:
        """How long it is on station."""
        return self.rounds * self.legs.round_s

    @property
    def first(self) -> int:
        """Number of the first point of the rounds."""
        return len(self.legs.out) - 1

    @property
    def last(self) -> int:
        """Number of the last point of the rounds."""
        return self.first + len(self.legs.ring) * self.rounds

    @property
    def points(self) -> tuple[Point, ...]:
        """The whole way over ground, from where it stands to its home."""
        ring = self.legs.ring
        return (*self.legs.out, *((*ring[1:], ring[0]) * self.rounds), *self.legs.back[1:])

    @property
    def look_s(self) -> float:
        """How long it stays for each look."""
        return self.legs.look_s

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of the points at which it stays for a look."""
        return tuple(range(self.first, self.last)) if self.legs.look_s else ()


class Stations:
    """Composes shifts for the drones of one site.

    Args:
        clock_s: seconds since midnight, site time.
        wind: default still air.
    """

    def __init__(
        self, site: Site, clock_s: Callable[[], float], wind: SiteWind | None = None
    ) -> None:
        self._site, self._clock_s, self.wind = site, clock_s, wind or SiteWind()
        self._pads = {p.node: site.nodes[p.node].point for p in site.with_role(Role.PAD)}
        self._start = middle(list(self._pads.values()) or [Point(0.0, 0.0)])
        self._tours: dict[tuple[object, ...], tuple[Point, ...]] = {}
        self._known: dict[tuple[object, ...], _Legs] = {}

    def pace(self, spec: VehicleSpec) -> AirPace:
        """How fast a drone flies, and on what."""
        return AirPace(spec, self.wind.careful_m_s, self.wind.known)

    def sees_from_m(self, spec: VehicleSpec) -> float:
        """How high above ground its camera is at least, wherever it flies."""
        return sees_from_m(self._site, spec)

    def ring(
        self,
        post: Post,
        spec: VehicleSpec,
        over: frozenset[AirspaceId],
        keep_off: tuple[Airspace, ...],
    ) -> tuple[tuple[Point, ...], float]:
        """The points of one round over a post, and how long each is looked at.

        Raises:
            Unreachable: nothing of it can be flown over.
        """
        free = free_air(self._site, spec.cruise_agl_m, over=over, also=keep_off)
        if post.area is None:
            spots = [self._site.nodes[self._site.places[p].node].point for p in post.points]
            return _closed(spots, free.way), post.dwell_s
        shape = post.area.shape
        parts = _parts(shape.intersection(free.shape))
        if len(parts) == 1 and _span_m(parts[0]) <= self._look_m(shape, free, spec):
            spot = parts[0].representative_point() if parts[0].interiors else parts[0].centroid
            return (Point(spot.x, spot.y),), HOVER_S
        lines = lines_over(self._site, shape, free.shape, over, spec, self._start)
        return _closed(lines, free.way), 0.0

    def _look_m(self, shape: BaseGeometry, free: FreeSpace, spec: VehicleSpec) -> float:
        """How wide a shape one look covers; less where drones keep off its border."""
        height_m = self.sees_from_m(spec)
        width_m = FOOTPRINT_M_PER_M * height_m
        if free.shape.covers(shape):
            return width_m
        return max(width_m / 2, min(width_m, SEEN_M_PER_M * height_m - 2 * BESIDE_M))

    def least_round_s(self, area: DrawnArea, spec: VehicleSpec) -> float:
        """No round over an area is quicker; takes no time to say."""
        return least_round_s(area, FOOTPRINT_M_PER_M * self.sees_from_m(spec), spec.speed_m_s)

    def round_s(self, area: DrawnArea, spec: VehicleSpec) -> float:
        """How long a part of an area is unseen between two rounds of a drone, at its own height.

        All of it, as while no volume with hours is in force.
        What one look covers is never unseen.
        """
        volumes = self._site.airspaces.values()
        at_some_hours = frozenset(volume.id for volume in volumes if volume.hours)
        ring, look_s = self.ring(Post(number=0, area=area), spec, at_some_hours, ())
        if len(ring) == 1:
            return 0.0
        return self._round_s(ring, look_s, self.pace(spec))

    def compose(
        self,
        post: Post,
        spec: VehicleSpec,
        stand: NodeId,
        charge_ratio: float,
        *,
        until_s: float,
        most_s: float = math.inf,
        begin: tuple[Point, ...] = (),
    ) -> Station:
        """The shift that a drone could begin now.

        Args:
            begin: how its rounds begin, as near as they come to it; none = anyhow.
            until_s: how long from now on somebody is to be on station, at the most.
            most_s: how long this one is to be there, at the most.

        Raises:
            Unreachable: there is no way there or back.
        """
        clock_s = self._clock_s()
        over = not_shut(self._site, clock_s, LONGEST_S)
        for_now, shuts_s = not_shut(self._site, clock_s, 0.0), self._next_shut_s(clock_s)
        closed = self._legs_if_any(post, spec, stand, over, over, begin)
        if for_now != over and shuts_s > CLEAR_S:
            legs, by_s = (
                self._legs_if_any(post, spec, stand, for_now, over, begin),
                shuts_s - CLEAR_S,
            )
            if legs is None:  # its rounds end where it may not be later on
                legs = self._legs_if_any(post, spec, stand, for_now, for_now, begin)
                by_s -= 0.0 if legs is None else legs.back_s
            if legs is not None and (closed is None or legs.ring != closed.ring):
                found = self._compose(legs, spec, charge_ratio, until_s, most_s, by_s)
                if found.rounds:
                    return found
        legs = closed or self._legs(post, spec, stand, over, over, begin)
        return self._compose(legs, spec, charge_ratio, until_s, most_s, math.inf)

    def _legs_if_any(
        self,
        post: Post,
        spec: VehicleSpec,
        stand: NodeId,
        over: frozenset[AirspaceId],
        over_at_end: frozenset[AirspaceId],
        begin: tuple[Point, ...],
    ) -> "_Legs | None":
        """`_legs`; None where there is no way there, or none home from there."""
        try:
            return self._legs(post, spec, stand, over, over_at_end, begin)
        except Unreachable:
            return None

    def _compose(
        self,
        legs: "_Legs",
        spec: VehicleSpec,
        charge_ratio: float,
        until_s: float,
        most_s: float,
        by_s: float,
    ) -> Station:
        energy, round_s = spec.energy, legs.round_s
        usable_wh = max(0.0, charge_ratio - energy.reserve_ratio) * energy.capacity_wh / MARGIN
        stretch_s = min(most_s, until_s - legs.out_s)
        rounds = min(
            math.floor((usable_wh - legs.ways_wh) / legs.round_wh + 1e-9),
            max(1, math.ceil(stretch_s / round_s - 1e-9)),
            (MOST_WAYPOINTS - len(legs.out) - len(legs.back)) // len(legs.ring),
        )
        if by_s < math.inf:
            rounds = min(rounds, math.floor((by_s - legs.out_s - SET_OUT_S) / round_s))
        return Station(legs=legs, rounds=max(0, rounds), usable_wh=usable_wh, by_s=by_s)

    def _legs(
        self,
        post: Post,
        spec: VehicleSpec,
        stand: NodeId,
        over: frozenset[AirspaceId],
        over_at_end: frozenset[AirspaceId],
        begin: tuple[Point, ...],
    ) -> "_Legs":
        keep_off = self._keep_off(spec, stand, post.points)
        flown = spec, stand, over, over_at_end, keep_off
        key = (post, spec.id, stand, over, over_at_end, self.wind.careful_m_s)
        if key not in self._known:
            ring, look_s = self.ring(post, spec, over, keep_off)
            self._keep(key, self._find_legs(ring, look_s, *flown))
        legs = self._known[key]
        ring = turned(legs.ring, begin)
        if ring == legs.ring:
            return legs
        key = (*key, *ring[:2])
        if key not in self._known:
            self._keep(key, self._find_legs(ring, legs.look_s, *flown))
        return self._known[key]

    def _keep(self, key: tuple[object, ...], legs: "_Legs") -> None:
        self._known[key] = legs
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def _find_legs(
        self,
        ring: tuple[Point, ...],
        look_s: float,
        spec: VehicleSpec,
        stand: NodeId,
        over: frozenset[AirspaceId],
        over_at_end: frozenset[AirspaceId],
        keep_off: tuple[Airspace, ...],
    ) -> "_Legs":
        pace = self.pace(spec)
        free = free_air(self._site, spec.cruise_agl_m, over=over, also=keep_off)
        home = self._pads[self._site.places[spec.home].node]
        out = free.way(self._pads[stand], ring[0])
        then = free_air(self._site, spec.cruise_agl_m, over=over_at_end, also=keep_off)
        back = then.way(ring[0], home)
        round_s, hover_s = self._round_s(ring, look_s, pace), look_s * len(ring)
        return _Legs(
            out=tuple(out),
            ring=ring,
            back=tuple(back),
            look_s=look_s,
            out_s=pace.climb_s + pace.way_s(out),
            round_s=round_s,
            back_s=pace.way_s(back) + pace.land_s,
            ways_wh=pace.ends_wh + pace.way_wh(pace.way_s(out) + pace.way_s(back)),
            round_wh=pace.way_wh(round_s - hover_s, hover_s),
            back_wh=pace.way_wh(pace.way_s(back) + round_s / 2 * (len(ring) > 1), pace.land_s),
        )

    def tour(self, stop: TaskStop, spec: VehicleSpec) -> tuple[Point, ...]:
        """A drone's flight from home over what is to be seen, and back; raises Unreachable."""
        over, home = self.over(), self._pads[self._site.places[spec.home].node]
        key = spec.id, stop.area, stop.drawn, stop.over, over
        if key not in self._tours:
            self._tours[key] = self._tour(stop, spec, home, over)
            if len(self._tours) > KEPT:
                del self._tours[next(iter(self._tours))]
        return self._tours[key]

    def _tour(
        self, stop: TaskStop, spec: VehicleSpec, home: Point, over: frozenset[AirspaceId]
    ) -> tuple[Point, ...]:
        site = self._site
        pads = self._keep_off(spec, site.places[spec.home].node, stop.over)
        free = free_air(site, spec.cruise_agl_m, over=over, also=pads)
        seen: Sequence[Point]
        if stop.over:
            seen = [site.nodes[site.places[place].node].point for place in stop.over]
        else:
            area = stop.drawn
            if area is None:
                assert stop.area is not None, "a flight from home and back is over something"
                area = named_area(site.airspaces[stop.area])
            seen = lines_over(site, area.shape, free.shape, over, spec, home)
        points = [home]
        for goal in (*seen, home):
            points += free.way(points[-1], goal)[1:]
        return tuple(points)

    def free(self, spec: VehicleSpec, stand: NodeId) -> FreeSpace:
        """Where a drone that leaves now may fly, around the pads of others."""
        pads = self._keep_off(spec, stand)
        return free_air(self._site, spec.cruise_agl_m, over=self.over(), also=pads)

    def free_of_pads(self, spec: VehicleSpec) -> BaseGeometry:
        """The same around all pads; without the ways in it, so it takes no time."""
        off_m = KEEP_OFF_M + BESIDE_M
        squares = [
            shapely.box(p.x_m - off_m, p.y_m - off_m, p.x_m + off_m, p.y_m + off_m)
            for p in self._pads.values()
        ]
        free = free_air(self._site, spec.cruise_agl_m, over=self.over()).shape
        return free.difference(shapely.union_all(squares))

    def over(self) -> frozenset[AirspaceId]:
        """The no-fly volumes that an ordinary flight may pass over now."""
        return not_shut(self._site, self._clock_s(), ORDINARY_S)

    def shut(self, post: Post, spec: VehicleSpec) -> bool:
        """Whether a post may not be flown over at all now, so that nobody need see to it."""
        if post.area is None:
            return False
        free = free_air(
            self._site, spec.cruise_agl_m, over=not_shut(self._site, self._clock_s(), 0.0)
        )
        return post.area.shape.intersection(free.shape).area <= 1.0

    def clear(self, spec: VehicleSpec, here: Point, goal: Point) -> bool:
        """Whether a drone may fly straight to a point, beside the pads of others."""
        over = not_shut(self._site, self._clock_s(), 600.0)
        pads = self._keep_off(spec, self._site.places[spec.home].node)
        try:
            return (
                len(free_air(self._site, spec.cruise_agl_m, over=over, also=pads).way(here, goal))
                <= 2
            )
        except Unreachable:
            return False

    def way(self, spec: VehicleSpec, stand: NodeId, start: Point, goal: Point) -> tuple[Point, ...]:
        """The way of a flight that leaves now; around the pads of others where that can be.

        Raises:
            Unreachable: one of the two may not be flown over now, or there is no way.
        """
        over = self.over()
        try:
            pads = self._keep_off(spec, stand)
            return free_air(self._site, spec.cruise_agl_m, over=over, also=pads).way(start, goal)
        except Unreachable:
            return air_way(self._site, start, goal, height_agl_m=spec.cruise_agl_m, over=over)

    def straightest(self, spec: VehicleSpec, start: Point, goal: Point) -> tuple[Point, ...] | None:
        """The shortest way of a flight that leaves now, over anybody's pads; None = none."""
        if start.distance_m(goal) < 0.01:
            return None
        try:
            return air_way(
                self._site, start, goal, height_agl_m=spec.cruise_agl_m, over=self.over()
            )
        except Unreachable:
            return None

    def _round_s(self, ring: Sequence[Point], look_s: float, pace: AirPace) -> float:
        if len(ring) == 1:
            return look_s
        return pace.way_s([*ring, ring[0]]) + look_s * len(ring)

    def _next_shut_s(self, clock_s: float) -> float:
        closed = (v for v in self._site.airspaces.values() if v.kind is AirKind.NO_FLY and v.hours)
        return min((s for v in closed if (s := v.shuts_in_s(clock_s)) > 0), default=math.inf)

    def _keep_off(
        self, spec: VehicleSpec, stand: NodeId, but: Sequence[PlaceId] = ()
    ) -> tuple[Airspace, ...]:
        """Squares over the pads of others: nobody flies where another may climb or come down."""
        places = self._site.places
        own = {stand, places[spec.home].node, *(places[place].node for place in but)}
        return tuple(_square(node, p) for node, p in self._pads.items() if node not in own)


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


def _square(node: NodeId, pad: Point) -> Airspace:
    x, y, half = pad.x_m, pad.y_m, KEEP_OFF_M
    corners = (
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
    )
    return Airspace(
        id=AirspaceId(f"pad:{node}"),
        name=Name(en=node, zh=node),
        kind=AirKind.NO_FLY,
        outline=tuple(Point(*corner) for corner in corners),
    )
