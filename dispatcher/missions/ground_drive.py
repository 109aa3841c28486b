"""Getting one ground vehicle to a node, whatever comes between.

A leg ends at the goal or at a decontamination station on the way. Who is not let on makes room for
the others, and tries again.
"""

from collections.abc import Callable, Sequence

from dispatcher.missions.decontamination import Decontamination
from dispatcher.missions.execution import Errand
from dispatcher.missions.ground_legs import ActionsOf, GroundLegs, nothing
from dispatcher.missions.plug import Plug
from dispatcher.traffic.traffic import Traffic
from fleet.errors import MissionCancelled
from fleet.vehicle import VehicleId
from routing.errors import Unreachable
from routing.site import NodeId


class GroundDrive:
    """Drives one vehicle; it is unplugged first, and gives up its charger to others.

    Args:
        kept: whether an emergency keeps it where it is, or from all but a refuge.
    """

    def __init__(
        self,
        vehicle: VehicleId,
        traffic: Traffic,
        legs: GroundLegs,
        decontamination: Decontamination,
        plug: Plug,
        kept: Callable[[], bool],
    ) -> None:
        self._id, self._traffic, self._legs = vehicle, traffic, legs
        self._decontamination, self._plug, self._kept = decontamination, plug, kept

    async def to(self, goal: NodeId, actions: ActionsOf, errand: Errand) -> None:
        """Drive to a goal and do something there; raises Unreachable."""
        try:
            await self._to(goal, actions, errand)
        finally:
            self._traffic.withdraw(self._id)

    async def to_or_home(self, goal: NodeId, errand: Errand) -> None:
        """Drive to a node; home, if it would have to be decontaminated or to wait."""
        try:
            await self._plug.pull(errand)
            self._traffic.carries(self._id, self._legs.goods)
            way = self._traffic.way(self._id, goal, clean_start=self._decontamination.clean)
            if not way.decontaminations and await self._traffic.admit(
                self._id, way.edges, errand.rank
            ):
                self._plug.leave(goal)
                await self._legs.make(way.edges, nothing, errand)
                self._decontamination.clean = False
            else:
                await self._to(self._legs.home, nothing, errand)
        finally:
            self._traffic.withdraw(self._id)

    async def flee_to(self, nodes: Sequence[NodeId], errand: Errand) -> bool:
        """Drive to the nearest of these nodes that can be had now; False = none can."""
        try:
            edges = await self._traffic.flee(self._id, nodes, errand.rank)
            if edges is None:
                return False
            await self._plug.pull(errand)
            self._plug.leave(edges[-1].end)
            await self._legs.make(edges, nothing, errand)
            self._decontamination.clean = False
        finally:
            self._traffic.settle(self._id)
        return True

    async def _to(self, goal: NodeId, actions: ActionsOf, errand: Errand) -> None:
        legs, wash = self._legs, self._decontamination
        self._not_if_kept(goal)
        await self._plug.pull(errand)
        self._plug.leave(goal)
        while True:
            self._not_if_kept(goal)
            seen = self._traffic.detours.changes
            self._traffic.carries(self._id, legs.goods)
            try:
                way = self._traffic.way(
                    self._id, goal, clean_start=wash.clean, goods_on_board=legs.loaded
                )
            except Unreachable:
                if not legs.loaded and goal != legs.home:
                    raise
                await self._make_room(goal, errand)
                await self._traffic.until_roads_change(self._id, goal, seen)
                continue
            edges, work = wash.first_leg(way, actions)
            if not await self._traffic.admit(self._id, edges, errand.rank):
                if legs.stand == way.start:
                    await self._make_room(goal, errand)
                continue
            await legs.make(edges, work, errand)
            if not way.decontaminations:
                wash.clean = wash.clean and not edges
                return
            await wash.done()

    def _not_if_kept(self, goal: NodeId) -> None:
        if goal != self._legs.stand and self._kept():
            raise MissionCancelled

    async def _make_room(self, goal: NodeId, errand: Errand) -> None:
        """Go home or to its berth, as far as its next station: the one way that is always safe.

        Raises:
            Unreachable: it is cut off from its home. With goods on board it stays where it is
                instead, until there are other roads; so it does if home is its goal.
        """
        legs, wash = self._legs, self._decontamination
        if legs.stand == legs.home:
            return
        try:
            way = self._traffic.way_home(self._id, clean_start=wash.clean)
        except Unreachable:
            if legs.loaded or goal == legs.home:
                return
            raise
        if not way.edges:
            return
        edges, work = wash.first_leg(way, nothing)
        if await self._traffic.admit(self._id, edges, errand.rank, makes_room=True):
            await legs.make(edges, work, errand)
            wash.clean = False
            if way.decontaminations:
                await wash.done()
