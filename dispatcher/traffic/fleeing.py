"""Out of people's way in an emergency: to a refuge, also where all others are barred."""

from collections.abc import Sequence

from dispatcher.domain.emergencies import stands_aside
from dispatcher.traffic.admission import Admission
from dispatcher.traffic.crew import Crew
from dispatcher.traffic.pilot import Pilot
from fleet.errors import MissionCancelled
from fleet.vehicle import VehicleId
from routing.roads.paths import Way
from routing.site import Edge, NodeId


class Fleeing:
    """Finds refuges that can be had, and says who is to be stopped."""

    def __init__(self, crew: Crew, admission: Admission) -> None:
        self._crew = crew
        self._admission = admission

    async def flee(
        self, vehicle: VehicleId, nodes: Sequence[NodeId], rank: tuple[int, float]
    ) -> tuple[Edge, ...] | None:
        """Enter a drive to the nearest of these nodes that can be had; None = none can now.

        Nobody else stands on it or goes there. Until `settle`, it may drive where an emergency
        bars all others.

        Raises:
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        claim.rank = rank
        pilot.halting, pilot.flees = False, True
        found: list[tuple[Edge, ...]] = []

        def enters() -> bool:
            if pilot.halting:
                raise MissionCancelled
            for way in self._ways_out(pilot, nodes):
                homeward = self._crew.ways_home.homeward(pilot, way.nodes[-1])
                if self._crew.claims.plan(claim, way.edges, homeward):
                    found.append(way.edges)
                    return True
            return False

        return found[0] if await self._admission.until_safe(pilot, enters) else None

    def _ways_out(self, pilot: Pilot, nodes: Sequence[NodeId]) -> list[Way]:
        """The ways to those nodes that nobody else has, the quickest first."""
        others = [claim for claim in self._crew.claims.everyone() if claim is not pilot.claim]
        taken = {claim.stand for claim in others}
        taken |= {claim.edges[-1].end for claim in others if claim.edges}
        roads, stand = self._crew.roads.to_flee(pilot.spec, pilot.claim.stand), pilot.claim.stand
        reached = [node for node in nodes if node not in taken and roads.reaches(stand, node)]
        ways = [roads.shortest(stand, node) for node in reached]
        return sorted(ways, key=lambda way: way.seconds)

    def flees(self, vehicle: VehicleId) -> None:
        """A former process has sent it out of people's way."""
        self._crew[vehicle].flees = True

    def settle(self, vehicle: VehicleId) -> None:
        """It flees no more, wherever it has come."""
        self._crew[vehicle].flees = False

    def strays(self, vehicle: VehicleId) -> bool:
        """Whether a drive leads where an emergency wants the roads free, and is to be stopped.

        The last lanes into a room are driven to their end.
        """
        pilot = self._crew[vehicle]
        claim, clearance = pilot.claim, pilot.clearance
        ahead = claim.edges[claim.passed :]
        if clearance is None or pilot.flees or not ahead:
            return False
        begun, told = self._crew.roads.must_be_free(ahead[0].lane.id), clearance.released - 1
        if begun and told == len(claim.edges) and stands_aside(self._crew.site, ahead[-1].end):
            return False
        return any(self._crew.roads.must_be_free(edge.lane.id) for edge in ahead)
