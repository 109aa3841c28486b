"""What a drone's shift on a post is as a flight: out, round after round, and home.

The whole shift is one flight that ends by itself, so a drone that nobody can reach any more still
comes home with its reserve; whoever is relieved, or needed elsewhere, leaves out the rest of it.
"""

import math
from dataclasses import dataclass

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import MARGIN, MOST_WAYPOINTS, SET_OUT_S
from dispatcher.missions.posts import Post
from dispatcher.missions.shift_legs import Legs, ShiftAir, ShiftLegs
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import NodeId

CLEAR_S = 45.0
"""So long before a no-fly volume closes a shift that flies over it turns home."""
LONGEST_S = 4 * 3600.0
"""No flight is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One drone's shift on one post, as it could be flown from now on.

    Args:
        rounds: 0 = its battery is too low.
        usable_wh: energy above the reserve that the shift may use, margin taken off.
        by_s: in how many seconds it must be on its way home, for a no-fly volume closes.
    """

    legs: Legs
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
    """Composes shifts for the drones of one site."""

    def __init__(self, air: SiteAir, legs: ShiftLegs) -> None:
        self._air, self._legs = air, legs

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

        def legs_in(shut: ShiftAir) -> Legs | None:
            try:
                return self._legs.find(post, spec, stand, shut, begin)
            except Unreachable:
                return None

        def station(legs: Legs, by_s: float) -> Station:
            return _station(legs, spec, charge_ratio, until_s, most_s, by_s)

        over, for_now = self._air.over(LONGEST_S), self._air.over(0.0)
        shuts_s, all_along = self._air.next_shut_s(), ShiftAir(over=over, at_end=over)
        closed = legs_in(all_along)
        if for_now != over and shuts_s > CLEAR_S:
            legs, by_s = legs_in(ShiftAir(over=for_now, at_end=over)), shuts_s - CLEAR_S
            if legs is None:  # its rounds end where it may not be later on
                legs = legs_in(ShiftAir(over=for_now, at_end=for_now))
                by_s -= 0.0 if legs is None else legs.back_s
            if legs is not None and (closed is None or legs.ring != closed.ring):
                found = station(legs, by_s)
                if found.rounds:
                    return found
        legs = closed or self._legs.find(post, spec, stand, all_along, begin)
        return station(legs, math.inf)


def _station(
    legs: Legs,
    spec: VehicleSpec,
    charge_ratio: float,
    until_s: float,
    most_s: float,
    by_s: float,
) -> Station:
    """As many rounds as are wanted, and as battery, hours and autopilot allow."""
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
