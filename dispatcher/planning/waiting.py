"""Where idle vehicles wait: at home, or at a parking place to spare where they are wanted sooner.

A vehicle that waits must never be in anybody's way. So it waits only where no way leads through,
in a dead end with a parking place, in the zone of its home; where nobody lives, no task leads and
nobody else waits or stands. What a place is worth is how much sooner the next vehicle is at what is
expected, the nearest one counting alone (Jagtenberg, Bhulai, van der Mei: Operations Research for
Health Care 4, 2015). In an hour of waiting that must be more than the metres that it costs.
"""

from collections.abc import Callable, Sequence

from dispatcher.domain.eligibility import why_not
from dispatcher.planning.forecast import Expected, Forecast, Sort
from dispatcher.traffic.kinds import rules_of
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import VehicleId, VehicleSpec
from routing.problems.problem import Weights
from routing.roads.paths import UNREACHABLE_S, Rules
from routing.site import NodeId, Place, PlaceId, Role, Site

LOOK_S = 900.0
"""How long an idle vehicle stays where it waits before another place is looked for."""
WORTH_S = 30.0
"""Fewer seconds in an hour are not worth a move."""
PRICES = Weights()
"""The same as the plan's: a second against a metre."""


class WaitingPlaces:
    """Which vehicle waits where; each place is for one at a time.

    Args:
        stand: where a vehicle stands now.
        needed: whether an open task leads to a node.
    """

    def __init__(
        self,
        site: Site,
        roads: RoadBook,
        forecast: Forecast,
        specs: Sequence[VehicleSpec],
        *,
        stand: Callable[[VehicleId], NodeId],
        needed: Callable[[NodeId], bool],
    ) -> None:
        self._site = site
        self._roads = roads
        self._forecast = forecast
        self._specs = specs
        self._stand = stand
        self._needed = needed
        self._spare = [place.node for place in spare_places(site, specs)]
        self._posts: dict[VehicleId, NodeId] = {}
        self._look_s: dict[VehicleId, float] = {}
        self._able: dict[tuple[Sort, VehicleId], bool] = {}
        self._seconds: dict[tuple[Rules, NodeId, PlaceId], int] = {}

    def post(self, spec: VehicleSpec, now_s: float) -> NodeId:
        """The node where an idle vehicle should wait: its home, unless another pays."""
        post = self._posts.get(spec.id)
        if post is not None and self._needed(post):
            self.give_up(spec.id, now_s)
        elif self._spare and now_s >= self._look_s.get(spec.id, now_s):
            self._look_s[spec.id] = now_s + LOOK_S
            best = self._best(spec)
            if best == self._home(spec):
                self._posts.pop(spec.id, None)
            else:
                self._posts[spec.id] = best
        return self._posts.get(spec.id, self._home(spec))

    def keep(self, vehicle: VehicleId, node: NodeId) -> None:
        """At the start of the program: a former process has sent a vehicle to wait at a node."""
        if node in self._spare:
            self._posts[vehicle] = node

    def give_up(self, vehicle: VehicleId, now_s: float) -> None:
        """A vehicle can't wait where it should: for a while it waits at home."""
        self._posts.pop(vehicle, None)
        self._look_s[vehicle] = now_s + LOOK_S

    def leave(self, vehicle: VehicleId) -> None:
        """A vehicle has something else to do: another may have its place."""
        self._posts.pop(vehicle, None)
        self._look_s.pop(vehicle, None)

    def _best(self, spec: VehicleSpec) -> NodeId:
        home = self._home(spec)
        now_at = self._posts.get(spec.id, home)
        zone = self._site.nodes[home].zone
        free = [
            node
            for node in self._spare
            if self._site.nodes[node].zone == zone and self._is_free(node, spec.id)
        ]
        if not free:
            return home
        known = self._site.places
        expected = (one for one in self._forecast.expected() if one.place in known)
        wanted = [one for one in expected if self._can(one, spec)]
        others_s = [self._others_s(one, spec) for one in wanted]
        gains = {
            node: -PRICES.flow_s * self._wait_s(spec, node, wanted, others_s)
            - PRICES.metre * self._detour_m(spec, node)
            for node in (home, *free)
        }
        best = max(gains, key=lambda node: gains[node])
        here = now_at if now_at in gains else home
        return best if gains[best] >= gains[here] + PRICES.flow_s * WORTH_S else here

    def _is_free(self, node: NodeId, vehicle: VehicleId) -> bool:
        taken = any(
            other.id != vehicle and node in (self._posts.get(other.id), self._stand(other.id))
            for other in self._specs
        )
        return not taken and not self._needed(node)

    def _wait_s(
        self,
        spec: VehicleSpec,
        node: NodeId,
        wanted: Sequence[Expected],
        others_s: Sequence[float],
    ) -> float:
        """Seconds in an hour that people wait for the nearest vehicle, if this one is there."""
        return sum(
            one.per_hour * min(other_s, self._seconds_to(spec, node, one.place))
            for one, other_s in zip(wanted, others_s, strict=True)
        )

    def _others_s(self, one: Expected, spec: VehicleSpec) -> float:
        """How far off the nearest of the others is, from where it waits."""
        return min(
            (
                self._seconds_to(other, self._posts.get(other.id, self._home(other)), one.place)
                for other in self._specs
                if other.id != spec.id and self._can(one, other)
            ),
            default=float(UNREACHABLE_S),
        )

    def _can(self, one: Expected, spec: VehicleSpec) -> bool:
        key = one.sort, spec.id
        if key not in self._able:
            self._able[key] = not why_not(one.like, spec)
        return self._able[key]

    def _seconds_to(self, spec: VehicleSpec, node: NodeId, place: PlaceId) -> int:
        """Without closures: those of now say little about an hour."""
        key = rules_of(spec), node, place
        if key not in self._seconds:
            ways = node, self._site.places[place].node
            self._seconds[key] = self._roads.when_open(spec).times(ways)[0][1]
        return self._seconds[key]

    def _detour_m(self, spec: VehicleSpec, node: NodeId) -> float:
        """Metres that it drives more than straight home."""
        stand, home = self._stand(spec.id), self._home(spec)
        metres = self._roads.when_open(spec).lengths([stand, node, home])
        return float(metres[0][1] + metres[1][2] - metres[0][2])

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self._site.places[spec.home].node


def spare_places(site: Site, specs: Sequence[VehicleSpec]) -> list[Place]:
    """Parking places in dead ends that are nobody's home.

    Chargers are among them only where every vehicle charges at home: else they are needed.
    """
    homes = {site.places[spec.home].node for spec in specs}
    all_charge_at_home = all(Role.CHARGER in site.places[spec.home].roles for spec in specs)
    return [
        place
        for place in site.with_role(Role.PARKING)
        if place.node not in homes
        and Role.PAD not in place.roles
        and (all_charge_at_home or Role.CHARGER not in place.roles)
        and len({edge.end for edge in site.edges_from[place.node]}) == 1
    ]
