"""One vehicle's legs on the ground: each is one mission, on a way that traffic has let it into."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from dispatcher.domain.hygiene import UNKNOWN, goods_of
from dispatcher.domain.stops import task_of
from dispatcher.missions.execution import Errand, Missions
from dispatcher.records.book import TaskBook
from dispatcher.traffic.pilot import waypoints
from dispatcher.traffic.traffic import Traffic
from fleet.mission import Action, Clearance, Mission, MissionId
from fleet.vehicle import Vehicle
from routing.site import Edge, NodeId, Site

ActionsOf = Callable[[MissionId], tuple[Action, ...]]
"""What a vehicle does at the end of a leg."""


def nothing(mission: MissionId) -> tuple[Action, ...]:  # noqa: ARG001
    """A leg at whose end nothing is done."""
    return ()


class GroundLegs:
    """Drives one vehicle from node to node, and knows where it stands and what it carries."""

    def __init__(
        self, vehicle: Vehicle, site: Site, traffic: Traffic, missions: Missions, book: TaskBook
    ) -> None:
        self._vehicle, self._site, self._traffic = vehicle, site, traffic
        self._missions, self._book = missions, book
        self.home = site.places[vehicle.spec.home].node
        """The node of its own place."""

    @property
    def stand(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        return self._traffic.stand(self._vehicle.spec.id)

    @property
    def loaded(self) -> bool:
        """Whether it has goods on board."""
        return bool(self._vehicle.state().loads)

    def goods(self) -> frozenset[str]:
        """The classes of what is on board; of a load that nobody knows, a class of its own."""
        tasks = (self._book.find(task_of(load)) for load in self._vehicle.state().loads)
        return frozenset((task and goods_of(task.spec)) or UNKNOWN for task in tasks)

    async def make(self, edges: tuple[Edge, ...], actions: ActionsOf, errand: Errand) -> None:
        """Drive along edges, and do something at their end; no edges = where it stands."""
        id_ = self._book.new_mission_id()
        route = waypoints(self._site, self.stand, edges)
        mission = Mission(id=id_, route=route, actions=actions(id_))
        if len(route) == 1 and not mission.actions:
            return
        await self._missions.carry_out(mission, errand, self.right(edges, errand))

    def right(
        self, edges: Sequence[Edge], errand: Errand
    ) -> Callable[[], AbstractAsyncContextManager[Clearance]]:
        """Opens the right to drive along edges."""
        return lambda: self._traffic.drive(self._vehicle.spec.id, edges, errand.rank)
