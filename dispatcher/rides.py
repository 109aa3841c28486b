"""Lifts with room on the ways of those who drive: where each wants the cabin, and when.

A lift stays at a level as long as anybody wants it there. So it is wanted where somebody comes in
until that one is on board; on board nothing is wanted before the way out is granted; then it is
wanted where that begins until the cabin is left. Who can't move wants nothing.
"""

from collections.abc import Sequence

from dispatcher.pilot import Pilot
from fleet.facility import Facilities
from routing.paths import drive_seconds
from routing.site import Edge, Lift, NodeId, Site

NEAR_S = 10.0
"""Those on board wait for one who comes to the door within this time, and for nobody else."""


class Rides:
    """Asks for lifts with room, for one vehicle after the other."""

    def __init__(self, site: Site, facilities: Facilities) -> None:
        self._site, self._facilities = site, facilities
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
            return not others or self._is_near(pilot, index)
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
        node = edge.start if edge.start in self._shared else edge.end
        await self._facilities.bring_lift(lift.id, self._site.nodes[node].level, pilot.spec.id)

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

    def _is_near(self, pilot: Pilot, index: int) -> bool:
        """Whether it stands before the door, or will in a moment."""
        claim = pilot.claim
        if claim.passed >= index:
            return True
        last = claim.edges[index - 1]
        there_s = drive_seconds(self._site, last, pilot.spec.speed_m_s)
        return claim.passed == index - 1 and there_s <= NEAR_S
