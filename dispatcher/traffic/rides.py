"""Lifts with room on the ways of those who drive: where each wants the cabin, and when.

A lift stays at a level as long as anybody wants it there. So it is wanted where somebody comes in
until that one is on board; on board nothing is wanted before the way out is granted; then it is
wanted where that begins until the cabin is left. Who can't move wants nothing.
"""

import asyncio
from collections.abc import Sequence

from dispatcher.traffic.pilot import Pilot
from fleet.facility import Facilities
from fleet.mission import Clearance
from fleet.vehicle import VehicleId
from routing.roads.paths import drive_seconds
from routing.site import Edge, Lift, NodeId, Site

NEAR_S = 10.0
"""Those on board wait for one who should come to the door within this time, and nobody else."""
LATE_S = 15.0
"""So long they wait for it at the most."""


class Rides:
    """Asks for lifts with room, for one vehicle after the other."""

    def __init__(self, site: Site, facilities: Facilities) -> None:
        self._site, self._facilities = site, facilities
        self._expected: dict[VehicleId, tuple[Clearance | None, float]] = {}
        """On which drive, and since when, others wait for somebody on the way to the door."""
        self._shared = {node: lift for node, lift in site.lift_at.items() if lift.room is not None}

    def lift(self, edge: Edge) -> Lift | None:
        """The lift with room that an edge leads into, rides in or leaves."""
        return self._shared.get(edge.start) or self._shared.get(edge.end)

    def waits_inside(self, pilot: Pilot) -> bool:
        """Whether a vehicle is in a cabin, and its way out is not granted."""
        claim = pilot.claim
        if claim.stand not in self._shared or not claim.waiting:
            return False
        return claim.edges[claim.granted].start in self._shared

    def is_due(self, pilot: Pilot, index: int) -> bool:
        """Whether the lift is to be made ready for an edge now."""
        claim, edge = pilot.claim, pilot.claim.edges[index]
        lift = self.lift(edge)
        if lift is None or pilot.lift not in (None, lift.id):  # still leaving another one
            return False
        if claim.stuck:
            if edge.start not in self._shared or claim.stand in self._shared:
                self.withdraw(pilot)
            return False
        if edge.start not in self._shared:
            others = self._facilities.is_shared(lift.id, pilot.spec.id)
            if others and claim.passed < index:
                self._expect(pilot, lift, index)
                return False
            return True
        if claim.passed >= index:
            return True
        rides = claim.passed == index - 1 and claim.edges[index - 1].lane.lift is not None
        if rides and edge.lane.lift is not None:  # it changes its mind on the way
            self._keep(pilot, lift, edge.start)
        return rides and edge.lane.lift is None

    async def make_ready(self, pilot: Pilot, index: int) -> None:
        """Have the lift where an edge needs it; for a ride, let it go once the way out is known.

        Raises:
            LinkTimeout: it did not come in time; it is still wanted.
        """
        edges, edge = pilot.claim.edges, pilot.claim.edges[index]
        lift = self.lift(edge)
        if lift is None:
            return
        if edge.lane.lift is not None:
            leaves = index + 1 < len(edges) and edges[index + 1].lane.lift is None
            self._keep(pilot, lift, None if leaves else edge.end)
            return
        pilot.lift = lift.id
        leaves = edge.start in self._shared
        level = self._site.nodes[edge.start if leaves else edge.end].level
        await self._facilities.bring_lift(lift.id, level, pilot.spec.id, to_leave=leaves)

    def settle(self, pilot: Pilot) -> None:
        """Nothing more is granted: if it has come on board by now, the lift may go."""
        claim, clearance = pilot.claim, pilot.clearance
        told = clearance is not None and clearance.released - 1 > claim.passed
        if claim.stand in self._shared and not told:
            self.withdraw(pilot)

    def withdraw(self, pilot: Pilot) -> None:
        """It wants nothing of its lift now; on board it keeps its place."""
        if pilot.lift is None or self._site.lifts[pilot.lift].room is None:
            return
        if pilot.claim.stand in self._shared:
            self._keep(pilot, self._site.lifts[pilot.lift], None)
        else:
            self._facilities.release_lift(pilot.lift, pilot.spec.id)
            pilot.lift = None

    def keep(self, pilot: Pilot, told: Sequence[Edge]) -> None:
        """A former process has told it to drive these edges: the lift stays where they need it."""
        stand = pilot.claim.stand
        if stand in self._shared:
            self._keep(pilot, self._shared[stand], None)
        for edge in told:
            lift = self.lift(edge)
            if lift is None:
                continue
            if edge.lane.lift is not None:
                self._keep(pilot, lift, None)
            else:
                self._keep(pilot, lift, edge.start if edge.start in self._shared else edge.end)

    def _keep(self, pilot: Pilot, lift: Lift, node: NodeId | None) -> None:
        pilot.lift = lift.id
        level = None if node is None else self._site.nodes[node].level
        self._facilities.keep_place(lift.id, pilot.spec.id, level)

    def _expect(self, pilot: Pilot, lift: Lift, index: int) -> None:
        """Others have places in a lift: they wait for one who is nearly there, but not for long.

        It is not told to come in before it is at the door: it might never get there.
        """
        vehicle, loop = pilot.spec.id, asyncio.get_running_loop()
        drive, since_s = self._expected.get(vehicle, (None, 0.0))
        ahead = pilot.claim.edges[pilot.claim.passed : index]
        ahead_s = sum(drive_seconds(self._site, edge, pilot.spec.speed_m_s) for edge in ahead)
        if drive is not pilot.clearance:
            if ahead_s - (loop.time() - pilot.since_s) <= NEAR_S:
                self._expected[vehicle] = pilot.clearance, loop.time()
                loop.call_later(LATE_S, pilot.wake.set)
                self._keep(pilot, lift, pilot.claim.edges[index].end)
        elif loop.time() >= since_s + LATE_S:
            self.withdraw(pilot)
