"""The air over a site as it is now: what is shut at this hour, whose pads to keep off, the wind."""

import math
from collections.abc import Callable, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from dispatcher.air.air_pace import AirPace
from dispatcher.air.area_lines import sees_from_m
from dispatcher.air.wind import SiteWind
from fleet.vehicle import VehicleSpec
from routing.air.airspace import FreeSpace, air_way, free_air, not_shut
from routing.errors import Unreachable
from routing.geometry import Point, middle
from routing.site import AirKind, Airspace, AirspaceId, Name, NodeId, PlaceId, Role, Site

BESIDE_M = 10.0
"""How far drones keep from what they may not enter."""
KEEP_OFF_M = 2.0
"""Half the side of the square over another's pad that flights keep out of, with the margin."""
ORDINARY_S = 2 * 3600.0
"""No flight but a shift is longer."""
SHORT_S = 600.0
"""No flight straight to a point of a longer one is longer."""


class SiteAir:
    """Where the drones of one site may fly, and how fast.

    Args:
        clock_s: seconds since midnight, site time.
        wind: default still air.
    """

    def __init__(
        self, site: Site, clock_s: Callable[[], float], wind: SiteWind | None = None
    ) -> None:
        self._site, self._clock_s, self.wind = site, clock_s, wind or SiteWind()
        self._pads = {p.node: site.nodes[p.node].point for p in site.with_role(Role.PAD)}
        self.middle = middle(list(self._pads.values()) or [Point(0.0, 0.0)])
        """In the middle of all pads."""

    # --- one drone ---

    def pace(self, spec: VehicleSpec) -> AirPace:
        """How fast it flies, and on what."""
        return AirPace(spec, self.wind.careful_m_s, self.wind.known)

    def home(self, spec: VehicleSpec) -> Point:
        """Where its dock is."""
        return self._site.nodes[self._site.places[spec.home].node].point

    def sees_from_m(self, spec: VehicleSpec) -> float:
        """How high above ground its camera is at least, wherever it flies."""
        return sees_from_m(self._site, spec)

    # --- what is open ---

    def over(self, ahead_s: float = ORDINARY_S) -> frozenset[AirspaceId]:
        """The no-fly volumes that a flight may pass over which begins now.

        Args:
            ahead_s: until it has landed, at the latest.
        """
        return not_shut(self._site, self._clock_s(), ahead_s)

    def next_shut_s(self) -> float:
        """In how many seconds the next no-fly volume comes into force; perhaps never."""
        clock_s = self._clock_s()
        closed = (v for v in self._site.airspaces.values() if v.kind is AirKind.NO_FLY and v.hours)
        return min((s for v in closed if (s := v.shuts_in_s(clock_s)) > 0), default=math.inf)

    def keep_off(
        self, spec: VehicleSpec, stand: NodeId, but: Sequence[PlaceId] = ()
    ) -> tuple[Airspace, ...]:
        """Squares over the pads of others: nobody flies where another may climb or come down."""
        places = self._site.places
        own = {stand, places[spec.home].node, *(places[place].node for place in but)}
        return tuple(_square(node, p) for node, p in self._pads.items() if node not in own)

    def space(
        self,
        spec: VehicleSpec,
        over: frozenset[AirspaceId],
        keep_off: tuple[Airspace, ...] = (),
    ) -> FreeSpace:
        """Where it may fly at its own height.

        Args:
            over: no-fly volumes that are not in force.
        """
        return free_air(self._site, spec.cruise_agl_m, over=over, also=keep_off)

    def free(self, spec: VehicleSpec, stand: NodeId) -> FreeSpace:
        """Where a drone that leaves now may fly, around the pads of others."""
        return self.space(spec, self.over(), self.keep_off(spec, stand))

    def free_of_pads(self, spec: VehicleSpec) -> BaseGeometry:
        """The same around all pads; without the ways in it, so it takes no time."""
        off_m = KEEP_OFF_M + BESIDE_M
        squares = [
            shapely.box(p.x_m - off_m, p.y_m - off_m, p.x_m + off_m, p.y_m + off_m)
            for p in self._pads.values()
        ]
        return self.space(spec, self.over()).shape.difference(shapely.union_all(squares))

    # --- ways ---

    def way(self, spec: VehicleSpec, stand: NodeId, start: Point, goal: Point) -> tuple[Point, ...]:
        """The way of a flight that leaves now; around the pads of others where that can be.

        Raises:
            Unreachable: one of the two may not be flown over now, or there is no way.
        """
        try:
            return self.free(spec, stand).way(start, goal)
        except Unreachable:
            return self._over_pads(spec, start, goal)

    def straightest(self, spec: VehicleSpec, start: Point, goal: Point) -> tuple[Point, ...] | None:
        """The shortest way of a flight that leaves now, over anybody's pads; None = none."""
        if start.distance_m(goal) < 0.01:
            return None
        try:
            return self._over_pads(spec, start, goal)
        except Unreachable:
            return None

    def clear(self, spec: VehicleSpec, here: Point, goal: Point) -> bool:
        """Whether a drone may fly straight to a point, beside the pads of others."""
        pads = self.keep_off(spec, self._site.places[spec.home].node)
        try:
            return len(self.space(spec, self.over(SHORT_S), pads).way(here, goal)) <= 2
        except Unreachable:
            return False

    def _over_pads(self, spec: VehicleSpec, start: Point, goal: Point) -> tuple[Point, ...]:
        over = self.over()
        return air_way(self._site, start, goal, height_agl_m=spec.cruise_agl_m, over=over)


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
