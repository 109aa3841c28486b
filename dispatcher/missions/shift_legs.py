"""The legs of a shift of a drone: out, one round, home; how long they take, what they cost."""

from dataclasses import dataclass

from dispatcher.air.site_air import SiteAir
from dispatcher.missions.air_rounds import AirRounds, ring_s, turned
from dispatcher.missions.posts import Post
from fleet.vehicle import VehicleSpec
from routing.geometry import Point
from routing.site import Airspace, AirspaceId, NodeId, Site

KEPT = 500
"""So many ways are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """Where the parts of a shift lead, how long they take, what they cost.

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
class ShiftAir:
    """Which no-fly volumes are not in force during a shift, and as its drone comes home."""

    over: frozenset[AirspaceId]
    at_end: frozenset[AirspaceId]


class ShiftLegs:
    """Finds legs, and remembers them for as long as the planned wind is the same."""

    def __init__(self, site: Site, air: SiteAir, rounds: AirRounds) -> None:
        self._site, self._air, self._rounds = site, air, rounds
        self._known: dict[tuple[object, ...], Legs] = {}

    def find(
        self,
        post: Post,
        spec: VehicleSpec,
        stand: NodeId,
        shut: ShiftAir,
        begin: tuple[Point, ...],
    ) -> Legs:
        """The legs of a shift that begins on ``stand``.

        Args:
            begin: how its rounds begin, as near as they come to it; none = anyhow.

        Raises:
            Unreachable: there is no way there, or none home from there.
        """
        keep_off = self._air.keep_off(spec, stand, post.points)
        key = (post, spec.id, stand, shut, self._air.wind.careful_m_s)
        if key not in self._known:
            ring, look_s = self._rounds.ring(post, spec, shut.over, keep_off)
            self._keep(key, self._measure(ring, look_s, spec, stand, shut, keep_off))
        legs = self._known[key]
        ring = turned(legs.ring, begin)
        if ring == legs.ring:
            return legs
        key = (*key, *ring[:2])
        if key not in self._known:
            self._keep(key, self._measure(ring, legs.look_s, spec, stand, shut, keep_off))
        return self._known[key]

    def _keep(self, key: tuple[object, ...], legs: Legs) -> None:
        self._known[key] = legs
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def _measure(
        self,
        ring: tuple[Point, ...],
        look_s: float,
        spec: VehicleSpec,
        stand: NodeId,
        shut: ShiftAir,
        keep_off: tuple[Airspace, ...],
    ) -> Legs:
        air, pace = self._air, self._air.pace(spec)
        out = air.space(spec, shut.over, keep_off).way(self._site.nodes[stand].point, ring[0])
        back = air.space(spec, shut.at_end, keep_off).way(ring[0], air.home(spec))
        round_s, hover_s = ring_s(ring, look_s, pace), look_s * len(ring)
        return Legs(
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
