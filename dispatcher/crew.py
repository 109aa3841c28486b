"""All who drive on one site: what they hold, and the ways home that everybody counts on."""

import asyncio
from collections.abc import Iterator, Sequence

from dispatcher.claims import Claim, Claims, Homeward, Resources
from dispatcher.courtesy import Courtesy
from dispatcher.halves import Halves
from dispatcher.hours import Hours, ShutTimes
from dispatcher.pilot import Pilot
from dispatcher.roadbook import RoadBook
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.passing import KeepRight
from routing.paths import Way, drive_seconds
from routing.site import Edge, LaneId, NodeId, Role, Site

SHORT, AHEAD = 2, 4
"""Who has no more than ``SHORT`` edges ahead is granted up to ``AHEAD``: so it need not stop at
each node, and isn't told something new at each."""
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

    def enter(self, spec: VehicleSpec, stand: NodeId, position: Position | None = None) -> None:
        """A vehicle joins where it stands, or has just left on a lane."""
        home = self._home(spec)
        self.roads.keep_free(home)
        halves = self._halves(spec)
        ground = None if halves is None else halves.found(stand, position)
        claim = self.claims.enter(spec.id, stand, home, None, resources=halves, ground=ground)
        self._pilots[spec.id] = Pilot(spec, claim, halves)

    def _halves(self, spec: VehicleSpec) -> Halves | None:
        """What a vehicle needs where it passes others; None = it never does."""
        if spec.watched or not spec.keeps_right or not self.resources.halved:
            return None
        keeps = KeepRight(self.site, spec.width_m, spec.length_m)
        return Halves(self.resources, keeps) if keeps.passes else None

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self.site.places[spec.home].node

    # --- grants ---

    def pump(self) -> None:
        """Grant whatever can be granted now, the most urgent first."""
        asking = [c for c in self.claims.waiting() if c.granted - c.passed <= SHORT]
        granted = True
        while granted:
            granted = False
            for claim in asking:
                full = not claim.waiting or claim.granted - claim.passed >= AHEAD
                if full or self._is_barred(claim):
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

    def _is_barred(self, claim: Claim) -> bool:
        pilot, next_edge = self._pilots[claim.vehicle], claim.edges[claim.granted]
        if self.roads.bars(next_edge, flees=pilot.flees):
            return True
        stretch = claim.edges[claim.granted : self.claims.stretch(claim)]
        return self._meets_shut_hours(pilot, stretch)

    def _meets_shut_hours(self, pilot: Pilot, edges: Sequence[Edge]) -> bool:
        hours = self.roads.hours
        return hours is not None and any(hours.is_shut(edge.lane.id, pilot.goods) for edge in edges)

    def wish(self, pilot: Pilot, edges: Sequence[Edge], goal: NodeId) -> None:
        """Note what a vehicle asks for in vain, for those who want to know why it waits."""
        if not pilot.claim.wish:
            pilot.asked_s = asyncio.get_running_loop().time()
        homeward = self.homeward(pilot, goal) or ()
        claim = pilot.claim
        claim.wish = claim.resources.way((*edges, *homeward), claim.ground)

    def stop(self, pilot: Pilot, stand: NodeId, rest: Homeward) -> None:
        """A drive ends at ``stand``; ``rest`` is what others have counted on that it drives.

        Its shortest way home from there may lead over those who need the node that it stands on.
        Then all go on to count on ``rest``: what was safe before is so with that, since it only
        needs back what it gives free.
        """
        before = self.claims.lost()
        self.claims.stop(pilot.claim, stand, self.homeward(pilot, stand), keep=pilot.left)
        if rest is not None and self.claims.lost() & ~before:
            self.claims.rehome(pilot.claim, rest)

    def rehome(self) -> None:
        """There are other roads: count on other ways home, as far as nobody is lost by that."""
        for pilot in self:
            claim = pilot.claim
            end = claim.edges[-1].end if claim.edges else claim.stand
            homeward = self.homeward(pilot, end)
            if homeward != claim.homeward:
                self.claims.rehome(claim, homeward)

    # --- ways home ---

    def way_home(self, pilot: Pilot, *, clean_start: bool) -> Way:
        """The way home that everybody counts on; raises Unreachable.

        Where it is shut now, another one, which may have to wait.
        """
        edges = pilot.claim.homeward
        barred = edges is None or any(self.roads.bars(edge) for edge in edges)
        if edges is None or barred or self._meets_shut_hours(pilot, edges):
            return self._home_way(pilot, pilot.claim.stand, clean_start=clean_start)
        nodes = self.site.nodes
        washes = (n for n, e in enumerate(edges) if nodes[e.end].zone < nodes[e.start].zone)
        return Way(
            start=pilot.claim.stand,
            edges=self.roads.now(edges),
            seconds=sum(drive_seconds(self.site, edge, pilot.spec.speed_m_s) for edge in edges),
            decontaminations=tuple(n for n in washes if n or not clean_start),
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

    def homeward(self, pilot: Pilot, start: NodeId) -> Homeward:
        """The way home from ``start`` that it would choose now; None = there never is one."""
        clean = self._cleans(start)
        try:
            return self._home_way(pilot, start, clean_start=clean).edges
        except Unreachable:
            try:  # over what is closed: it can be driven some day
                open_roads = self.roads.when_open(pilot.spec)
                return open_roads.shortest(start, self._home(pilot.spec), clean_start=clean).edges
            except Unreachable:
                return None

    def to_the_end(self, pilot: Pilot) -> Homeward:
        """The rest of its drive, and home from there, as others have counted on it."""
        claim = pilot.claim
        return None if claim.homeward is None else (*claim.edges[claim.passed :], *claim.homeward)

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
