"""The ways home of all who drive on one site, on which everybody else counts."""

import asyncio
from collections.abc import Mapping, Sequence

from dispatcher.traffic.claims import Claims
from dispatcher.traffic.hours import ShutTimes
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.resources import Homeward
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.roads.paths import Way, drive_seconds
from routing.site import Edge, NodeId, Role, Site

STUCK_S = 600.0
"""What a node that a vehicle holds who can't move costs whoever looks for a way."""


class WaysHome:
    """Finds them, and has the claims count on others where something has come of it.

    Args:
        dead_ends: where one may stay and be in nobody's way.
        pilots: all who drive; more may come.
    """

    def __init__(
        self,
        site: Site,
        claims: Claims,
        roads: RoadBook,
        dead_ends: Sequence[NodeId],
        pilots: Mapping[VehicleId, Pilot],
    ) -> None:
        self._site, self._claims, self._roads = site, claims, roads
        self._dead_ends, self._pilots = dead_ends, pilots

    def way_home(self, pilot: Pilot, *, clean_start: bool) -> Way:
        """The way home, or to its berth, that everybody counts on; raises Unreachable.

        Where it is shut now, another one, which may have to wait.
        """
        claim = pilot.claim
        edges = claim.homeward
        if edges is not None and claim.berth:
            edges = edges[: claim.pause]
        barred = edges is None or any(self._roads.bars(edge) for edge in edges)
        if edges is None or barred or self.meets_shut_hours(pilot, edges):
            return self._home_way(pilot, claim.stand, clean_start=clean_start)
        nodes = self._site.nodes
        washes = (n for n, e in enumerate(edges) if nodes[e.end].zone < nodes[e.start].zone)
        return Way(
            start=claim.stand,
            edges=self._roads.now(edges),
            seconds=sum(drive_seconds(self._site, edge, pilot.spec.speed_m_s) for edge in edges),
            decontaminations=tuple(n for n in washes if n or not clean_start),
        )

    def _home_way(self, pilot: Pilot, start: NodeId, *, clean_start: bool) -> Way:
        """One that may be driven with goods on board, if there is any; else over a station.

        It leads around those who are stuck, as far as that is possible.
        """
        spec, home, load = pilot.spec, self._home(pilot.spec), self.stuck()
        shut = self.shut_times(pilot)
        try:
            full = self._roads.of(spec, goods_on_board=True)
            return full.shortest(start, home, load=load, shut=shut)
        except Unreachable:
            roads = self._roads.of(spec)
            return roads.shortest(start, home, load=load, clean_start=clean_start, shut=shut)

    def shut_times(self, pilot: Pilot) -> ShutTimes:
        """When lanes are shut to what a vehicle has on board, from now on."""
        if self._roads.hours is None:
            return {}
        return self._roads.shut_times(pilot.goods, asyncio.get_running_loop().time())

    def homeward(self, pilot: Pilot, start: NodeId) -> Homeward:
        """The way home from ``start`` that it would choose now; None = there never is one."""
        clean = self._cleans(start)
        try:
            return self._home_way(pilot, start, clean_start=clean).edges
        except Unreachable:
            try:  # over what is closed: it can be driven some day
                open_roads = self._roads.when_open(pilot.spec)
                return open_roads.shortest(start, self._home(pilot.spec), clean_start=clean).edges
            except Unreachable:
                return None

    def break_off(self, pilot: Pilot) -> None:
        """Its drive ends here; others have counted on the rest of it, and home from there."""
        claim = pilot.claim
        ahead, homeward = claim.edges[claim.passed :], claim.homeward
        rest = None if homeward is None else (*ahead, *homeward)
        self.stop(pilot, claim.stand, rest, pause=len(ahead) + claim.pause)

    def _cleans(self, node: NodeId) -> bool:
        places = self._site.places_at.get(node, ())
        return any(Role.DECONTAMINATION in place.roles for place in places)

    def stop(self, pilot: Pilot, stand: NodeId, rest: Homeward, *, pause: int) -> None:
        """A drive ends at ``stand``; ``rest`` is what others have counted on that it drives.

        Its shortest way home from there may lead over those who need the node that it stands on.
        Then all go on to count on ``rest``: what was safe before is so with that, since it only
        needs back what it gives free.

        Args:
            pause: after so many edges of ``rest`` it could have stayed.
        """
        before = self._claims.lost()
        self._claims.stop(pilot.claim, stand, self.homeward(pilot, stand), keep=pilot.left)
        if rest is not None and self._claims.lost() & ~before:
            self._claims.rehome(pilot.claim, rest, pause=pause)

    def rehome(self) -> None:
        """There are other roads: count on other ways home, as far as nobody is lost by that."""
        for pilot in self._pilots.values():
            claim = pilot.claim
            end = claim.edges[-1].end if claim.edges else claim.stand
            homeward = self.homeward(pilot, end)
            if homeward != claim.homeward:
                self._claims.rehome(claim, homeward)

    def find_shelters(self) -> None:
        """Nobody knows any more which way each was to go: who can't get home goes to a berth.

        So two whose ways home lead over each other are not in each other's way for ever.
        """
        for number, pilot in enumerate(self._pilots.values()):
            if self._claims.lost() >> number & 1:
                self._find_shelter(pilot, number)

    def _find_shelter(self, pilot: Pilot, number: int) -> None:
        claim = pilot.claim
        start = claim.edges[-1].end if claim.edges else claim.stand
        roads = self._roads.to_flee(pilot.spec, start)
        nodes = [node for node in self._dead_ends if node not in self._roads.homes]
        ways = [roads.shortest(start, node) for node in nodes if roads.reaches(start, node)]
        for way in sorted(ways, key=lambda way: way.seconds):
            homeward = self.homeward(pilot, way.nodes[-1])
            if homeward is None:
                continue
            self._claims.rehome(claim, (*way.edges, *homeward), pause=len(way.edges))
            if not self._claims.lost() >> number & 1:
                return
        self._claims.rehome(claim, self.homeward(pilot, start))

    def meets_shut_hours(self, pilot: Pilot, edges: Sequence[Edge]) -> bool:
        """Whether one of these edges is shut now to what a vehicle has on board."""
        hours = self._roads.hours
        return hours is not None and any(hours.is_shut(edge.lane.id, pilot.goods) for edge in edges)

    def stuck(self) -> dict[NodeId, float]:
        """The nodes of those who are stuck, each with what it costs to drive there."""
        nodes: dict[NodeId, float] = {}
        for pilot in self._pilots.values():
            if pilot.claim.stuck:
                nodes |= dict.fromkeys(pilot.stood_on(), STUCK_S)
        return nodes

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self._site.places[spec.home].node
