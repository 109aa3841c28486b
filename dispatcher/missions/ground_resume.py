"""Taking up what one ground vehicle was told before: by a former process, or by nobody we know."""

from itertools import pairwise

from dispatcher.domain.mission_record import MissionRecord
from dispatcher.missions.decontamination import Decontamination
from dispatcher.missions.execution import REFUGE, Errand, Missions
from dispatcher.missions.ground_legs import GroundLegs
from dispatcher.missions.plug import Plug
from dispatcher.traffic.pilot import chain
from dispatcher.traffic.traffic import Traffic
from fleet.errors import MissionFailed
from fleet.mission import ActionKind
from fleet.vehicle import Vehicle
from routing.refusal import Refusal
from routing.site import NodeId, Site


class GroundResume:
    """Goes on with one vehicle's leg where that is safe, and stops it where it is not."""

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        traffic: Traffic,
        missions: Missions,
        legs: GroundLegs,
        decontamination: Decontamination,
        plug: Plug,
    ) -> None:
        self._vehicle, self._site, self._traffic = vehicle, site, traffic
        self._missions, self._legs = missions, legs
        self._decontamination, self._plug = decontamination, plug

    async def go_on(self, record: MissionRecord, errand: Errand) -> None:
        """Go on with a leg that a former process sent; what it was told already stays held.

        Raises:
            MissionFailed: it has been told otherwise since, or is in the way of others.
        """
        id_ = self._vehicle.spec.id
        if record.purpose == REFUGE:
            self._traffic.flees(id_)
        try:
            await self._go_on(record, errand)
        finally:
            self._traffic.settle(id_)

    async def _go_on(self, record: MissionRecord, errand: Errand) -> None:
        stand, base = self._legs.stand, self._base()
        nodes = [waypoint.node for waypoint in record.mission.route]
        kinds = {action.kind for action in record.mission.actions}
        behind = nodes.index(stand) if stand in nodes else -1
        if behind < 0 or nodes[behind + 1 : behind + 1 + len(base)] != base:
            await self.drop(errand)
            raise MissionFailed(Refusal("order_differs", {"mission": record.id}))
        self._traffic.carries(self._vehicle.spec.id, self._legs.goods)
        edges = [self._site.edge(a, b) for a, b in pairwise(nodes)]
        held = behind + len(base)
        if not await self._traffic.readmit(
            self._vehicle.spec.id, edges, errand.rank, behind=behind, held=held
        ):
            await self.drop(errand)
            raise MissionFailed(Refusal("way_not_safe", {"mission": record.id}))
        await self._missions.follow(record, self._legs.right(edges, errand))
        if ActionKind.DECONTAMINATE in kinds:
            await self._decontamination.done()
        self._plug.connected = ActionKind.CHARGE in kinds

    async def drop(self, errand: Errand) -> None:
        """Stop a drive that we know nothing of, or that can't go on, on what it still holds."""
        id_ = self._vehicle.spec.id
        edges = chain(self._site, self._legs.stand, self._base())
        await self._traffic.readmit(id_, edges, errand.rank, behind=0, held=len(edges))
        async with self._traffic.drive(id_, edges, errand.rank) as clearance:
            await self._vehicle.cancel()
            last = self._vehicle.state().last_node
            nodes = [waypoint.node for waypoint in clearance.route]
            if last is not None and last in nodes:
                clearance.reached(nodes.index(last))

    def _base(self) -> list[NodeId]:
        """The nodes before it that it has been told to drive to."""
        return [node for node in self._vehicle.state().base if node != self._legs.stand]
