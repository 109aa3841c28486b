"""Where one ground vehicle is decontaminated, for what, and whether it just has been."""

from contextlib import suppress

from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.stops import TaskStop
from dispatcher.missions.ground_legs import ActionsOf
from dispatcher.records.book import TaskBook
from dispatcher.traffic.traffic import Traffic
from fleet.mission import Action, ActionKind, MissionId
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.roads.paths import Way
from routing.site import Edge, NodeId, Place, Role, Site


class Decontamination:
    """One vehicle's decontamination: its ways ask for it between zones, its goods by themselves."""

    def __init__(
        self, spec: VehicleSpec, site: Site, traffic: Traffic, hygiene: Hygiene, book: TaskBook
    ) -> None:
        self._spec, self._site, self._traffic = spec, site, traffic
        self._hygiene, self._book = hygiene, book
        self.clean = False
        """Whether it stands in a decontamination station and has been through it."""

    def must_precede(self, stop: TaskStop) -> bool:
        """Whether it comes before what waits at a stop may be taken on board."""
        return any(self._hygiene.must_wash(self._spec.id, one) for one in stop.taken)

    def station_before(self, goal: NodeId) -> Place:
        """The station over which the vehicle is soonest at a goal, as the plan has it."""
        found: list[tuple[float, int]] = []
        stations = self._site.with_role(Role.DECONTAMINATION)
        for number, station in enumerate(stations):
            with suppress(Unreachable):
                found.append((self.seconds_over(station, goal), number))
        if not found:
            raise Unreachable(self._stand, "a decontamination station")
        return stations[min(found)[1]]

    def seconds_over(self, station: Place, goal: NodeId) -> float:
        """How long it takes to a goal over a station, with the stay there; raises Unreachable."""
        roads = self._traffic.roads.of(self._spec)
        there_s = roads.seconds(self._stand, station.node, clean_start=self.clean)
        onward_s = roads.seconds(station.node, goal, clean_start=True)
        return there_s + station.service_s + onward_s

    def first_leg(self, way: Way, actions: ActionsOf) -> tuple[tuple[Edge, ...], ActionsOf]:
        """A way as far as its next station, and the work there; all of it where it has none.

        Args:
            actions: what is done at the end of the way.
        """
        if not way.decontaminations:
            return way.edges, actions
        edges = way.edges[: way.decontaminations[0]]
        places = self._site.places_at[way.nodes[len(edges)]]
        return edges, work_at(next(p for p in places if Role.DECONTAMINATION in p.roles))

    async def done(self) -> None:
        """The vehicle has been through a station."""
        self.clean = True
        if self._hygiene.washed(self._spec.id):
            await self._book.note("decontaminated", vehicle=self._spec.id)

    async def exposed(self, stop: TaskStop) -> None:
        """The vehicle has taken on board what waited at a stop."""
        for one in stop.taken:
            if self._hygiene.carried(self._spec.id, one):
                await self._book.note("exposed", vehicle=self._spec.id, goods=one)

    @property
    def _stand(self) -> NodeId:
        return self._traffic.stand(self._spec.id)


def work_at(station: Place) -> ActionsOf:
    """What is done in a station."""

    def work(mission: MissionId) -> tuple[Action, ...]:
        kind = ActionKind.DECONTAMINATE
        return (Action(id=f"{mission}.1", kind=kind, duration_s=station.service_s),)

    return work
