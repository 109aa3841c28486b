"""All who drive on one site: what they hold, and the ways home that everybody counts on."""

import asyncio
from collections.abc import Iterator, Sequence

from dispatcher.claims import NOWHERE, Claim, Claims, Resources
from dispatcher.courtesy import Courtesy
from dispatcher.hours import Hours, ShutTimes
from dispatcher.pilot import Pilot
from dispatcher.roadbook import RoadBook
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.paths import Way, drive_seconds
from routing.site import Edge, LaneId, NodeId, Role, Site

AHEAD = 3
"""How many edges are granted ahead of a vehicle, so that it need not stop at each node."""
BUSY_S = 4.0
"""What another vehicle's plan to use a lane or node adds to its cost; a lift counts tenfold."""
HELD_S = 60.0
"""What a node that another vehicle holds costs whoever looks for a detour."""
STUCK_S = 600.0
"""The same if that vehicle can't move."""


class Crew:
    """The vehicles of one site's traffic and the table of their claims."""

    def __init__(
        self, site: Site, hours: Hours | None = None, courtesy: Courtesy | None = None
    ) -> None:
        self.site = site
        self.resources = Resources(site)
        self.claims = Claims(self.resources)
        self.roads = RoadBook(site, hours)
        self.courtesy = courtesy
        self._pilots: dict[VehicleId, Pilot] = {}

    def __getitem__(self, vehicle: VehicleId) -> Pilot:
        return self._pilots[vehicle]

    def __contains__(self, vehicle: VehicleId) -> bool:
        return vehicle in self._pilots

    def __iter__(self) -> Iterator[Pilot]:
        return iter(self._pilots.values())

    def enter(self, spec: VehicleSpec, stand: NodeId) -> None:
        """A vehicle joins where it stands."""
        home = self._home(spec)
        self.roads.keep_free(home)
        claim = self.claims.enter(spec.id, stand, home, NOWHERE)
        self._pilots[spec.id] = Pilot(spec, claim)

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self.site.places[spec.home].node

    # --- grants ---

    def pump(self) -> None:
        """Grant whatever can be granted now, the most urgent first."""
        granted = True
        while granted:
            granted = False
            for claim in self.claims.waiting():
                if claim.granted - claim.passed >= AHEAD or self._is_closed(claim):
                    continue
                stretch = claim.edges[claim.granted : self.claims.stretch(claim)]
                if self.courtesy is not None and self.courtesy.rests(stretch):
                    continue
                if self.claims.grant(claim):
                    if self.courtesy is not None:
                        self.courtesy.granted(stretch)
                    self._pilots[claim.vehicle].wake.set()
                    granted = True
        for pilot in self:
            pilot.freed.set()

    def _is_closed(self, claim: Claim) -> bool:
        if self.roads.is_closed(claim.edges[claim.granted].lane.id):
            return True
        hours, goods = self.roads.hours, self._pilots[claim.vehicle].goods
        if hours is None:
            return False
        stretch = claim.edges[claim.granted : self.claims.stretch(claim)]
        return any(hours.is_shut(edge.lane.id, goods) for edge in stretch)

    def wish(self, pilot: Pilot, edges: Sequence[Edge], goal: NodeId) -> None:
        """Note what a vehicle asks for in vain, for those who want to know why it waits."""
        if not pilot.claim.wish:
            pilot.asked_s = asyncio.get_running_loop().time()
        way_home = self.need_home(pilot, goal)
        pilot.claim.wish = self.resources.way(edges) | (0 if way_home == NOWHERE else way_home)

    def stop(self, pilot: Pilot, stand: NodeId, rest: tuple[Edge, ...]) -> None:
        """A drive ends at ``stand``; ``rest`` is what others have counted on that it drives.

        Its shortest way home from there may lead over those who need the node that it stands on.
        Then all go on to count on ``rest``: what was safe before is so with that, since it only
        needs back what it gives free.
        """
        before = self.claims.lost()
        pilot.escape = ()
        self.claims.stop(pilot.claim, stand, self.need_home(pilot, stand), keep=pilot.left)
        if rest and self.claims.lost() & ~before:
            pilot.escape = rest
            self.claims.rehome(pilot.claim, self.resources.way(rest))

    # --- ways home ---

    def way_home(self, pilot: Pilot, *, clean_start: bool) -> Way:
        """The way home that everybody counts on; raises Unreachable."""
        if pilot.escape:
            return self._escape(pilot)
        return self._home_way(pilot, pilot.claim.stand, clean_start=clean_start)

    def _escape(self, pilot: Pilot) -> Way:
        """The escape, with a wash in each station from which it leads into a cleaner zone."""
        nodes, edges = self.site.nodes, pilot.escape
        washes = (n for n, e in enumerate(edges) if nodes[e.end].zone < nodes[e.start].zone)
        return Way(
            start=pilot.claim.stand,
            edges=edges,
            seconds=sum(drive_seconds(self.site, edge, pilot.spec.speed_m_s) for edge in edges),
            decontaminations=tuple(washes),
        )

    def _home_way(self, pilot: Pilot, start: NodeId, *, clean_start: bool) -> Way:
        """One that may be driven with goods on board, if there is any; else over a station.

        It leads around those who are stuck, as far as that is possible.
        """
        spec, home, load = pilot.spec, self._home(pilot.spec), self._stuck()
        shut = self.shut_times(pilot)
        try:
            full = self.roads.of(spec, goods_on_board=True)
            return full.shortest(start, home, load=load, shut=shut)
        except Unreachable:
            roads = self.roads.of(spec)
            return roads.shortest(start, home, load=load, clean_start=clean_start, shut=shut)

    def shut_times(self, pilot: Pilot) -> ShutTimes:
        """When lanes are shut to what a vehicle has on board, from now on."""
        if self.roads.hours is None:
            return {}
        return self.roads.shut_times(pilot.goods, asyncio.get_running_loop().time())

    def need_home(self, pilot: Pilot, start: NodeId) -> int:
        """What the way home from ``start`` needs; `NOWHERE` = there never is one."""
        clean = self._cleans(start)
        try:
            way = self._home_way(pilot, start, clean_start=clean)
        except Unreachable:
            try:  # over what is closed: it can be driven some day
                open_roads = self.roads.when_open(pilot.spec)
                way = open_roads.shortest(start, self._home(pilot.spec), clean_start=clean)
            except Unreachable:
                return NOWHERE
        return self.resources.way(way.edges)

    def to_the_end(self, pilot: Pilot) -> tuple[Edge, ...]:
        """The rest of its drive, and home from there, as others have counted on it."""
        rest = pilot.claim.edges[pilot.claim.passed :]
        if not rest:
            return ()
        goal = rest[-1].end
        try:
            home = self._home_way(pilot, goal, clean_start=self._cleans(goal))
        except Unreachable:
            return ()
        return (*rest, *home.edges)

    def _cleans(self, node: NodeId) -> bool:
        places = self.site.places_at.get(node, ())
        return any(Role.DECONTAMINATION in place.roles for place in places)

    # --- what is in the way ---

    @staticmethod
    def stood_on(pilot: Pilot) -> tuple[NodeId, ...]:
        """Where a vehicle stands, and wherever it may still drive by itself."""
        claim = pilot.claim
        ahead = (*claim.edges[claim.passed : claim.granted], *pilot.left)
        return claim.stand, *(edge.end for edge in ahead)

    def _stuck(self) -> dict[NodeId, float]:
        """The nodes of those who are stuck, each with what it costs to drive there."""
        nodes: dict[NodeId, float] = {}
        for pilot in self:
            if pilot.claim.stuck:
                nodes |= dict.fromkeys(self.stood_on(pilot), STUCK_S)
        return nodes

    def load(self, asking: Pilot) -> tuple[dict[NodeId, float], dict[LaneId, float]]:
        """What the plans of all others add to the cost of nodes and lanes, in seconds."""
        nodes: dict[NodeId, float] = {}
        lanes: dict[LaneId, float] = {}
        for pilot in self:
            if pilot is asking:
                continue
            for edge in pilot.claim.edges[pilot.claim.passed :]:
                if edge.lane.lift is not None:
                    for cabin in self.site.lifts[edge.lane.lift].cabins.values():
                        nodes[cabin] = nodes.get(cabin, 0.0) + 10 * BUSY_S
                    continue
                lanes[edge.lane.id] = lanes.get(edge.lane.id, 0.0) + BUSY_S
                nodes[edge.end] = nodes.get(edge.end, 0.0) + BUSY_S
        for node, seconds in self._stuck().items():
            nodes[node] = nodes.get(node, 0.0) + seconds
        return nodes, lanes
