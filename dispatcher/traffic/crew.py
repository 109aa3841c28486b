"""All who drive on one site: what they hold, and the ways home that everybody counts on."""

import asyncio
from collections.abc import Iterator, Sequence

from dispatcher.domain.hygiene import DIRTY
from dispatcher.traffic.boarding import Boarding
from dispatcher.traffic.cabins import Cabins
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.courtesy import Courtesy
from dispatcher.traffic.halves import Halves
from dispatcher.traffic.hours import Hours, ShutTimes
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.resources import Homeward, Resources
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.roads.cabins import cabins
from routing.roads.passing import KeepRight
from routing.roads.paths import Way, drive_seconds
from routing.site import Edge, LaneId, LiftId, NodeId, Role, Site

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
        self._dead_ends = tuple(self._find_dead_ends(site))
        self.claims = Claims(self.resources, self._dead_ends)
        self._cabins = cabins(site)
        self.boarding = Boarding(self.claims, self._cabins)
        self.roads = RoadBook(site, hours)
        self.courtesy = courtesy
        self.stopped: frozenset[LiftId] = frozenset()
        """The lifts that are out of service."""
        self._pilots: dict[VehicleId, Pilot] = {}
        self._asking = 0
        """So many wait in `until_freed`."""

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
        shared = self._shared(spec, halves or self.resources)
        if shared is not None:
            place = shared.find(stand, position and position.point)
            ground = ground if place is None else place
        claim = self.claims.enter(
            spec.id, stand, home, None, resources=shared or halves, ground=ground
        )
        self._pilots[spec.id] = Pilot(spec, claim, halves, shared)

    def _shared(self, spec: VehicleSpec, inner: Resources) -> Cabins | None:
        """What a vehicle needs where it shares cabins with others; None = it never does."""
        if spec.watched or not spec.keeps_right:
            return None
        fits = {
            node: cabin
            for node, cabin in self._cabins.items()
            if cabin.fits(spec.width_m, spec.length_m)
        }
        mixed = bool(DIRTY & spec.load_types)
        if not fits:
            return None
        places, number = self.resources.places, len(self._pilots)
        return Cabins(inner, self.site, fits, places, number=number, mixed=mixed)

    def _halves(self, spec: VehicleSpec) -> Halves | None:
        """What a vehicle needs where it passes others; None = it never does."""
        if spec.watched or not spec.keeps_right or not self.resources.halved:
            return None
        keeps = KeepRight(self.site, spec.width_m, spec.length_m)
        return Halves(self.resources, keeps) if keeps.passes else None

    def _find_dead_ends(self, site: Site) -> Iterator[NodeId]:
        """The nodes at the end of one lane, outside lifts and air locks."""
        lanes: dict[NodeId, set[LaneId]] = {node: set() for node in site.nodes}
        for lane in site.lanes.values():
            lanes[lane.start].add(lane.id)
            lanes[lane.end].add(lane.id)
        for node, ends in lanes.items():
            if len(ends) == 1 and not self.resources.is_enclosed(node):
                yield node

    def _home(self, spec: VehicleSpec) -> NodeId:
        return self.site.places[spec.home].node

    # --- grants ---

    def pump(self) -> None:
        """Grant whatever can be granted now, the most urgent first."""
        granted = True
        while granted:
            granted = False
            for claim in self.boarding.in_turn(self.claims.waiting()):
                granted |= self._grant(claim)
        if self._asking:
            for pilot in self:
                pilot.freed.set()

    async def until_freed(self, pilot: Pilot) -> None:
        """Wait until anybody has moved on, or somebody sets ``pilot.freed``."""
        self._asking += 1
        try:
            pilot.freed.clear()
            await pilot.freed.wait()
        finally:
            self._asking -= 1

    def _grant(self, claim: Claim) -> bool:
        """Grant one more stretch; False = it can't be had now, or is not needed yet."""
        if not claim.waiting or claim.granted - claim.passed >= AHEAD or self._is_barred(claim):
            return False
        stretch = self._next_stretch(claim)
        others = self.boarding.shares(claim, stretch[0].end)
        if self.courtesy is not None and self.courtesy.rests(stretch, others=others):
            return False
        if not self.boarding.grant(claim):
            return False
        if self.courtesy is not None:
            self.courtesy.granted(stretch, others=others)
        if stretch[0].end in self._cabins:
            self.retell(self._pilots[claim.vehicle])
        self._pilots[claim.vehicle].wake.set()
        return True

    def _is_barred(self, claim: Claim) -> bool:
        pilot, next_edge = self._pilots[claim.vehicle], claim.edges[claim.granted]
        if self.stopped and any(map(self._stops, self._next_stretch(claim))):
            return True
        if self.boarding.leaves(claim):
            return False
        if self.roads.bars(next_edge, flees=pilot.flees):
            return True
        if self.roads.hours is None:
            return False
        return self._meets_shut_hours(pilot, self._next_stretch(claim))

    def _next_stretch(self, claim: Claim) -> Sequence[Edge]:
        return claim.edges[claim.granted : self.claims.stretch(claim)]

    def _stops(self, edge: Edge) -> bool:
        """Whether an edge leads into a lift that has stopped, or out of it where it is shut."""
        lift = self.site.lift_at.get(edge.start)
        if lift is not None:
            return self.roads.is_out(edge.lane.id)
        lift = self.site.lift_at.get(edge.end)
        return lift is not None and lift.id in self.stopped

    def _meets_shut_hours(self, pilot: Pilot, edges: Sequence[Edge]) -> bool:
        hours = self.roads.hours
        return hours is not None and any(hours.is_shut(edge.lane.id, pilot.goods) for edge in edges)

    def find_place(self, pilot: Pilot, position: Position) -> None:
        """It says where it stands; that may tell which place of a cabin it has."""
        if self.boarding.find(pilot.claim, position.point):
            self.retell(pilot)

    def retell(self, pilot: Pilot) -> None:
        """Where it is to stand in a cabin may have changed: tell it what it has not been told."""
        claim, clearance = pilot.claim, pilot.clearance
        if pilot.cabins is None or clearance is None:
            return
        ahead = self.roads.now(claim.edges[clearance.released - 1 :], flees=pilot.flees)
        tail = pilot.route(self.site, claim.stand, ahead)[1:]
        if tail != clearance.route[clearance.released :]:
            clearance.reroute(tail)

    def wish(self, pilot: Pilot, edges: Sequence[Edge], goal: NodeId) -> None:
        """Note what a vehicle asks for in vain, for those who want to know why it waits."""
        if not pilot.claim.wish:
            pilot.asked_s = asyncio.get_running_loop().time()
        homeward = self.homeward(pilot, goal) or ()
        claim = pilot.claim
        claim.wish = claim.resources.way((*edges, *homeward), claim.ground)

    def stop(self, pilot: Pilot, stand: NodeId, rest: Homeward, *, pause: int) -> None:
        """A drive ends at ``stand``; ``rest`` is what others have counted on that it drives.

        Its shortest way home from there may lead over those who need the node that it stands on.
        Then all go on to count on ``rest``: what was safe before is so with that, since it only
        needs back what it gives free.

        Args:
            pause: after so many edges of ``rest`` it could have stayed.
        """
        before = self.claims.lost()
        self.claims.stop(pilot.claim, stand, self.homeward(pilot, stand), keep=pilot.left)
        if rest is not None and self.claims.lost() & ~before:
            self.claims.rehome(pilot.claim, rest, pause=pause)

    def rehome(self) -> None:
        """There are other roads: count on other ways home, as far as nobody is lost by that."""
        for pilot in self:
            claim = pilot.claim
            end = claim.edges[-1].end if claim.edges else claim.stand
            homeward = self.homeward(pilot, end)
            if homeward != claim.homeward:
                self.claims.rehome(claim, homeward)

    def find_shelters(self) -> None:
        """Nobody knows any more which way each was to go: who can't get home goes to a berth.

        So two whose ways home lead over each other are not in each other's way for ever.
        """
        for number, pilot in enumerate(self):
            if self.claims.lost() >> number & 1:
                self._find_shelter(pilot, number)

    def _find_shelter(self, pilot: Pilot, number: int) -> None:
        claim = pilot.claim
        start = claim.edges[-1].end if claim.edges else claim.stand
        roads = self.roads.to_flee(pilot.spec, start)
        nodes = [node for node in self._dead_ends if node not in self.roads.homes]
        ways = [roads.shortest(start, node) for node in nodes if roads.reaches(start, node)]
        for way in sorted(ways, key=lambda way: way.seconds):
            homeward = self.homeward(pilot, way.nodes[-1])
            if homeward is None:
                continue
            self.claims.rehome(claim, (*way.edges, *homeward), pause=len(way.edges))
            if not self.claims.lost() >> number & 1:
                return
        self.claims.rehome(claim, self.homeward(pilot, start))

    # --- ways home ---

    def way_home(self, pilot: Pilot, *, clean_start: bool) -> Way:
        """The way home, or to its berth, that everybody counts on; raises Unreachable.

        Where it is shut now, another one, which may have to wait.
        """
        claim = pilot.claim
        edges = claim.homeward
        if edges is not None and claim.berth:
            edges = edges[: claim.pause]
        barred = edges is None or any(self.roads.bars(edge) for edge in edges)
        if edges is None or barred or self._meets_shut_hours(pilot, edges):
            return self._home_way(pilot, claim.stand, clean_start=clean_start)
        nodes = self.site.nodes
        washes = (n for n, e in enumerate(edges) if nodes[e.end].zone < nodes[e.start].zone)
        return Way(
            start=claim.stand,
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

    def break_off(self, pilot: Pilot) -> None:
        """Its drive ends here; others have counted on the rest of it, and home from there."""
        claim = pilot.claim
        ahead, homeward = claim.edges[claim.passed :], claim.homeward
        rest = None if homeward is None else (*ahead, *homeward)
        self.stop(pilot, claim.stand, rest, pause=len(ahead) + claim.pause)

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
