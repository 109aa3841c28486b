"""Other ways for those who drive: around closed lanes, lifts out of service, who is stuck, queues.

A way is changed from the first edge on that the vehicle has not been told to drive.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from dispatcher.traffic.crew import HELD_S, Crew
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.portals import Portals
from dispatcher.traffic.ways_home import STUCK_S
from fleet.vehicle import VehicleId
from routing.errors import Unreachable
from routing.roads.road_rules import RoadRules
from routing.site import Edge, LaneId, LiftId, NodeId

IMPATIENT_S = 20.0
"""How long a vehicle waits before another way is looked for."""


class Detours:
    """Knows what is shut, and leads around it."""

    def __init__(self, crew: Crew, portals: Portals) -> None:
        self._crew = crew
        self._roads = crew.roads
        self._portals = portals
        self._out: frozenset[LaneId] = frozenset()
        self._blocked: dict[VehicleId, frozenset[LaneId]] = {}
        """The lanes around each of those who are stuck in an only way."""
        self.changes = 0
        """How often the roads have changed."""

    def close(self, lane: LaneId, until_s: float | None) -> None:
        """Close a lane to all who have not been granted it, and lead them around."""
        self._roads.close(lane, until_s)
        self._tell_roads()
        for pilot in self._crew:
            ahead = pilot.claim.edges[pilot.claim.granted :]
            if any(edge.lane.id == lane for edge in ahead):
                self._reroute(pilot, {}, insist=True)

    def open(self, lane: LaneId) -> None:
        """Open a closed lane again."""
        if self._roads.open(lane):
            self._tell_roads()
            self._crew.pump()

    def set_rules(self, rules: RoadRules) -> list[VehicleId]:
        """Other rules of people's hold: all that nobody has been told yet is planned by them.

        Returns:
            Those who are on their way and have none under these rules: better they turn back.
        """
        self._roads.set_rules(rules)
        self._tell_roads()
        left = [pilot.spec.id for pilot in self._crew if not self._heed(pilot)]
        self._crew.pump()
        return left

    def set_emergency(self, lanes: frozenset[LaneId]) -> None:
        """Keep these lanes free for people: nobody is told to drive there, but who flees."""
        self._roads.set_emergency(lanes)
        self._tell_roads()
        for pilot in self._crew:
            self._heed(pilot)
        self._crew.pump()

    def _heed(self, pilot: Pilot) -> bool:
        """Have one drive by new rules; False = its way is barred, and there is no other."""
        claim, clearance = pilot.claim, pilot.clearance
        told = self._told(pilot)
        if self._is_barred(pilot, told):
            self._crew.claims.take_back(claim, told)
            self._portals.take_back(pilot, told)
            self._reroute(pilot, {}, insist=True)
        ahead = self._roads.now(claim.edges[told:], flees=pilot.flees)
        claim.edges = (*claim.edges[:told], *ahead)
        if clearance is None:
            return True
        tail = pilot.route(self._crew.site, claim.stand, claim.edges[clearance.released - 1 :])[1:]
        if tail != clearance.route[clearance.released :]:
            clearance.reroute(tail)
        return not self._is_barred(pilot, told)

    def _is_barred(self, pilot: Pilot, told: int) -> bool:
        rest = pilot.claim.edges[told:]
        return any(self._roads.bars(edge, flees=pilot.flees) for edge in rest)

    def _told(self, pilot: Pilot) -> int:
        """The edges that it drives in any case: what it was told, and out of the lift it is in."""
        claim = pilot.claim
        told = pilot.told if pilot.clearance is None else pilot.clearance.released - 1
        while 0 < told < claim.granted and claim.edges[told - 1].end in self._crew.site.lift_at:
            told += 1
        return told

    def set_out(
        self, lanes: frozenset[LaneId], lifts: frozenset[LiftId] = frozenset()
    ) -> list[VehicleId]:
        """Lead all around lanes whose door or lift is out of service, even who waits before it.

        Whoever is in a lift that has stopped keeps no way out of it from others meanwhile.

        Args:
            lifts: those among them.

        Returns:
            Those who are on their way and have no other one: better they turn back.
        """
        self._out, self._crew.stopped = lanes, lifts
        for pilot in self._crew:
            self._keep_in(pilot)
        return self._lead_around(lanes)

    def _keep_in(self, pilot: Pilot) -> None:
        """Take back the way out of a lift that does not go there, unless it was told."""
        claim, clearance = pilot.claim, pilot.clearance
        told = 0 if clearance is None else clearance.released - 1
        if not 0 < told < claim.granted:
            return
        ahead = claim.edges[told]
        if ahead.start in self._crew.site.lift_at and ahead.lane.id in self._out:
            self._crew.claims.take_back(claim, told)
            self._portals.take_back(pilot, told)

    def block(self, vehicle: VehicleId) -> list[VehicleId]:
        """Lead all around one that is stuck in their way, and plan no way over it until it moves.

        Returns:
            Those who are on their way and can't be led around it: better they turn back.
        """
        ends = self._crew[vehicle].stood_on()
        edges = (edge for edges in self._crew.site.edges_from.values() for edge in edges)
        lanes = frozenset(edge.lane.id for edge in edges if edge.end in ends)
        self._blocked[vehicle] = lanes
        return self._lead_around(lanes)

    def blocks(self, vehicle: VehicleId) -> bool:
        """Whether no way is planned over a vehicle, because it is stuck there."""
        return vehicle in self._blocked

    def unblock(self, vehicle: VehicleId) -> None:
        """It can move again, or stands elsewhere."""
        if self._blocked.pop(vehicle, None) is not None:
            self._lead_around(frozenset())

    def keep_hours(self, *, turned: bool) -> list[VehicleId]:
        """Lead those another way who would come to a lane when it is shut.

        Args:
            turned: other lanes are shut now than before.

        Returns:
            Those who have no other way: better they turn back.
        """
        now_s = asyncio.get_running_loop().time()
        if turned:
            self._tell_roads()
        return self._lead(
            lambda pilot, edges: self._roads.met(pilot.spec, edges, pilot.goods, now_s) is not None
        )

    def _lead_around(self, lanes: frozenset[LaneId]) -> list[VehicleId]:
        """Other lanes are shut now, ``lanes`` among them; returns who has no way without them."""
        self._roads.set_out(self._out.union(*self._blocked.values()))
        self._tell_roads()
        return self._lead(lambda _, edges: any(edge.lane.id in lanes for edge in edges))

    def _lead(self, meets: Callable[[Pilot, Sequence[Edge]], bool]) -> list[VehicleId]:
        """Lead those another way who have not been told theirs; returns who has no other."""
        left: list[VehicleId] = []
        for pilot in self._crew:
            clearance, claim = pilot.clearance, pilot.claim
            if clearance is None or claim.stuck or self._portals.in_lift(clearance):
                continue
            told = clearance.released - 1
            if meets(pilot, claim.edges[told:]):
                self._crew.claims.take_back(claim, told)
                self._portals.take_back(pilot, told)
                self._reroute(pilot, {}, insist=True)
                if meets(pilot, claim.edges[claim.granted :]):
                    left.append(pilot.spec.id)
        self._crew.pump()
        return left

    def _tell_roads(self) -> None:
        self.changes += 1
        self._crew.ways_home.rehome()
        for pilot in self._crew:
            pilot.news.set()

    async def run(self) -> None:
        """Look for another way for whoever waits too long, until cancelled."""
        loop, claims = asyncio.get_running_loop(), self._crew.claims
        while True:
            await asyncio.sleep(IMPATIENT_S / 2)
            for claim in claims.waiting():
                pilot = self._crew[claim.vehicle]
                idle = claim.granted == claim.passed or self._portals.rides.waits_inside(pilot)
                if (
                    idle
                    and pilot.clearance is not None
                    and loop.time() - pilot.since_s >= IMPATIENT_S
                ):
                    held = [c for c in claims.everyone() if c is not claim]
                    load = {c.stand: STUCK_S if c.stuck else HELD_S for c in held}
                    self._reroute(pilot, load)
            self._crew.pump()

    def _reroute(self, pilot: Pilot, load: Mapping[NodeId, float], *, insist: bool = False) -> None:
        """Lead the part of a drive that is not granted another way, if there is one."""
        crew, claim, clearance = self._crew, pilot.claim, pilot.clearance
        if clearance is None or pilot.goal is None:
            return
        start = claim.edges[claim.granted - 1].end if claim.granted else claim.stand
        nodes, lanes = crew.load(pilot)
        for node, seconds in load.items():
            nodes[node] = nodes.get(node, 0.0) + seconds
        roads = self._roads
        roads = roads.to_flee(pilot.spec, start) if pilot.flees else roads.of(pilot.spec)
        try:
            way = roads.shortest(
                start,
                pilot.goal,
                load=nodes,
                lane_load=lanes,
                shut=crew.ways_home.shut_times(pilot),
            )
        except Unreachable:
            return
        old = claim.edges[claim.granted :]
        if way.edges == old or way.decontaminations:
            return
        if not insist and not crew.claims.could_take(claim, way.edges):
            return
        released = clearance.released - 1
        if not crew.claims.replan(claim, way.edges, crew.ways_home.homeward(pilot, pilot.goal)):
            return
        clearance.reroute(pilot.route(crew.site, claim.stand, claim.edges[released:])[1:])
        if insist:
            crew.pump()
