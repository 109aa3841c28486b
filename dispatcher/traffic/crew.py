"""All who drive on one site: what they hold, and what they are granted next."""

import asyncio
from collections.abc import Iterator, Sequence

from dispatcher.domain.hygiene import DIRTY
from dispatcher.traffic.boarding import Boarding
from dispatcher.traffic.cabins import Cabins
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.courtesy import Courtesy
from dispatcher.traffic.halves import Halves
from dispatcher.traffic.hours import Hours
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.resources import Resources
from dispatcher.traffic.roadbook import RoadBook
from dispatcher.traffic.ways_home import WaysHome
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.roads.cabins import cabins
from routing.roads.passing import KeepRight
from routing.site import Edge, LaneId, LiftId, NodeId, Site

AHEAD = 3
"""How many edges are granted ahead of a vehicle, so that it need not stop at each node."""
BUSY_S = 4.0
"""What another vehicle's plan to use a lane or node adds to its cost; a lift counts tenfold."""
HELD_S = 60.0
"""What a node that another vehicle holds costs whoever looks for a detour."""


class Crew:
    """The vehicles of one site's traffic and the table of their claims."""

    def __init__(
        self, site: Site, hours: Hours | None = None, courtesy: Courtesy | None = None
    ) -> None:
        self.site = site
        self.resources = Resources(site)
        dead_ends = tuple(self._find_dead_ends(site))
        self.claims = Claims(self.resources, dead_ends)
        self._cabins = cabins(site)
        self.boarding = Boarding(self.claims, self._cabins)
        self.roads = RoadBook(site, hours)
        self.courtesy = courtesy
        self.stopped: frozenset[LiftId] = frozenset()
        """The lifts that are out of service."""
        self._pilots: dict[VehicleId, Pilot] = {}
        self.ways_home = WaysHome(site, self.claims, self.roads, dead_ends, self._pilots)
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
        home = self.site.places[spec.home].node
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
        return self.ways_home.meets_shut_hours(pilot, self._next_stretch(claim))

    def _next_stretch(self, claim: Claim) -> Sequence[Edge]:
        return claim.edges[claim.granted : self.claims.stretch(claim)]

    def _stops(self, edge: Edge) -> bool:
        """Whether an edge leads into a lift that has stopped, or out of it where it is shut."""
        lift = self.site.lift_at.get(edge.start)
        if lift is not None:
            return self.roads.is_out(edge.lane.id)
        lift = self.site.lift_at.get(edge.end)
        return lift is not None and lift.id in self.stopped

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
        homeward = self.ways_home.homeward(pilot, goal) or ()
        claim = pilot.claim
        claim.wish = claim.resources.way((*edges, *homeward), claim.ground)

    # --- what is in the way ---

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
        for node, seconds in self.ways_home.stuck().items():
            nodes[node] = nodes.get(node, 0.0) + seconds
        return nodes, lanes
