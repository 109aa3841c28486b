"""After a restart of the dispatcher: what a former process told vehicles is theirs."""

from collections.abc import Mapping, Sequence

from dispatcher.traffic.crew import Crew
from dispatcher.traffic.pilot import chain
from dispatcher.traffic.portals import Portals
from fleet.vehicle import VehicleId
from routing.site import NodeId


class Restart:
    """Makes the table of claims as safe as it was."""

    def __init__(self, crew: Crew, portals: Portals) -> None:
        self._crew = crew
        self._claims = crew.claims
        self._portals = portals

    def hold(self, vehicle: VehicleId, base: Sequence[NodeId]) -> None:
        """Keep for a vehicle what a former process told it, before anybody is granted anything."""
        pilot = self._crew[vehicle]
        edges = chain(self._crew.site, pilot.claim.stand, base)
        self._crew.boarding.keep(pilot.claim, edges)
        end = edges[-1].end if edges else pilot.claim.stand
        homeward = self._crew.ways_home.homeward(pilot, end)
        self._claims.force(pilot.claim, edges, homeward, granted=len(edges))
        self._portals.keep(pilot)

    def count_on(self, routes: Mapping[VehicleId, Sequence[NodeId]]) -> None:
        """After all are held: keep the table as safe as it was for a former process.

        Vehicles that have passed each other, or ride together, may be in each other's way home,
        and none if each first drives to the end of the route that it was sent.
        """
        several = self._crew.resources.halved or self._crew.resources.places
        if not several or not self._claims.lost():
            return
        for vehicle, route in routes.items():
            claim = self._crew[vehicle].claim
            told = [claim.stand, *(edge.end for edge in claim.edges)]
            behind = route.index(claim.stand) if claim.stand in route else 0
            if list(route[behind : behind + len(told)]) != told:
                continue
            rest = chain(self._crew.site, told[-1], route[behind + len(told) :])
            goal = rest[-1].end if rest else told[-1]
            homeward = self._crew.ways_home.homeward(self._crew[vehicle], goal)
            if homeward is not None:
                way = (*rest, *homeward)
                self._claims.force(claim, claim.edges, way, granted=claim.granted)

    def find_shelters(self) -> None:
        """All has been told that a former process held: see to it that all have where to go."""
        self._crew.boarding.choose()
        self._crew.ways_home.find_shelters()
