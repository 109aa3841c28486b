"""One flight over a part of an area: out, along its line as far as the battery lasts, and home."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dispatcher.air.air_pace import AirPace
from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import MARGIN, MOST_WAYPOINTS, ShiftPlan
from fleet.vehicle import VehicleSpec
from routing.air.airspace import FreeSpace
from routing.geometry import Point
from routing.site import NodeId, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Sortie:
    """A flight that a drone could begin now.

    Args:
        points: the whole way over ground, from where it stands to its home.
        first, last: numbers of the points between which it sees something.
        rest: of the part, what is left for another flight; () = nothing.
        used_wh: energy of the whole flight, without a margin.
    """

    points: tuple[Point, ...]
    first: int
    last: int
    rest: tuple[Point, ...]
    out_s: float
    line_s: float
    back_s: float
    used_wh: float
    back_wh: float

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of the points at which it stays: none, it looks as it flies."""
        return ()

    @property
    def look_s(self) -> float:
        """How long it stays there."""
        return 0.0

    @property
    def plan(self) -> ShiftPlan:
        """What is expected of it."""
        return ShiftPlan(
            first=self.first,
            last=self.last,
            each=max(1, self.last - self.first),
            round_s=self.line_s,
            rounds=1,
            out_s=self.out_s,
            back_s=self.back_s,
            round_wh=max(0.0, self.used_wh - 2 * self.back_wh),
            back_wh=self.back_wh,
        )


class Sorties:
    """Composes flights over lines for the drones of one site."""

    def __init__(self, site: Site, air: SiteAir) -> None:
        self._site, self._air = site, air

    def sortie(
        self, line: Sequence[Point], spec: VehicleSpec, stand: NodeId, charge_ratio: float
    ) -> Sortie | None:
        """As much of a line as a drone can see from now on, from whichever end is nearer.

        Returns:
            The flight; None if its battery does not last for any of the line.

        Raises:
            Unreachable: there is no way there, along it, or home.
        """
        free = self._air.free(spec, stand)
        start = self._site.nodes[stand].point
        home = self._air.home(spec)
        ends = (line[0], line[-1])
        far = ends[0].distance_m(start) > ends[1].distance_m(start)
        path = list(reversed(line)) if far else list(line)
        flown = _Flown(free, start, path, home, self._air.pace(spec))
        energy = spec.energy
        usable_wh = max(0.0, charge_ratio - energy.reserve_ratio) * energy.capacity_wh / MARGIN
        reach = flown.reach(usable_wh)
        return None if reach == 0 else flown.sortie(reach)

    def could_last(
        self, line: Sequence[Point], spec: VehicleSpec, stand: NodeId, charge_ratio: float
    ) -> bool:
        """Whether a battery might last for all of a line; False = surely not. Takes no time."""
        energy, start = spec.energy, self._site.nodes[stand].point
        home = self._air.home(spec)
        ways_m = min(
            start.distance_m(a) + b.distance_m(home)
            for a, b in ((line[0], line[-1]), (line[-1], line[0]))
        )
        least_s = (ways_m + sum(a.distance_m(b) for a, b in pairwise(line))) / spec.speed_m_s
        usable_wh = (charge_ratio - energy.reserve_ratio) * energy.capacity_wh / MARGIN
        pace = self._air.pace(spec)
        return pace.ends_wh + pace.way_wh(least_s) <= usable_wh

    def way_home_wh(self, spec: VehicleSpec, here: Point) -> float:
        """Energy to come straight home from a spot in the air."""
        pace = self._air.pace(spec)
        home = self._air.home(spec)
        return pace.way_wh(pace.way_s((here, home)), pace.land_s)


class _Flown:
    """A line with the ways to it, along it, and home from each of its points."""

    def __init__(
        self,
        free: FreeSpace,
        start: Point,
        line: Sequence[Point],
        home: Point,
        pace: AirPace,
    ) -> None:
        self._free, self._home, self._line, self._pace = free, home, line, pace
        self._out = free.way(start, line[0])
        self._along = [line[0]]
        self._at = [0]
        """Number of each of the line's points among those of the way along it."""
        for goal in line[1:]:
            self._along += free.way(self._along[-1], goal)[1:]
            self._at.append(len(self._along) - 1)

    def reach(self, usable_wh: float) -> int:
        """Number of the last point of the line that it can see and still come home; 0 = none."""
        most = max(
            (n for n, at in enumerate(self._at) if at + len(self._out) + 8 <= MOST_WAYPOINTS),
            default=0,
        )
        if self.sortie(most).used_wh <= usable_wh:
            return most
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.sortie(middle).used_wh <= usable_wh
            low, high = (middle, high) if fits else (low, middle)
        return low

    def sortie(self, reach: int) -> Sortie:
        """The flight as far as one of the line's points."""
        pace, seen = self._pace, self._along[: self._at[reach] + 1]
        back = self._free.way(seen[-1], self._home)
        out_s, line_s, back_s = pace.way_s(self._out), pace.way_s(seen), pace.way_s(back)
        first = len(self._out) - 1
        return Sortie(
            points=(*self._out, *seen[1:], *back[1:]),
            first=first,
            last=first + len(seen) - 1,
            rest=tuple(self._line[reach:]) if reach + 1 < len(self._line) else (),
            out_s=pace.climb_s + out_s,
            line_s=line_s,
            back_s=back_s + pace.land_s,
            used_wh=pace.ends_wh + pace.way_wh(out_s + line_s + back_s),
            back_wh=pace.way_wh(back_s, pace.land_s),
        )


def longest_leg_m(line: Sequence[Point]) -> float:
    """Of a polyline."""
    return max((a.distance_m(b) for a, b in pairwise(line)), default=math.inf)
