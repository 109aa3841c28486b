"""How one ground vehicle gets about: to its stops, its charger, its home, and out of the way."""

from collections.abc import Callable, Sequence

from dispatcher.domain.charging import enough
from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import TaskStop
from dispatcher.missions.decontamination import Decontamination, work_at
from dispatcher.missions.execution import Errand, Missions
from dispatcher.missions.ground_drive import GroundDrive
from dispatcher.missions.ground_legs import GroundLegs, nothing
from dispatcher.missions.ground_resume import GroundResume
from dispatcher.missions.plug import Plug, connect
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.traffic import Traffic
from fleet.mission import ActionKind
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.site import NodeId, PlaceId, Site

NOT_NEARLY_THERE = 3
"""Lanes ahead from which on a drive can be broken off: a robot stops at a node to come."""


class GroundMover:
    """Has one vehicle drive where it is wanted, and says how far it is from there.

    Args:
        kept: whether an emergency keeps it where it is, or from all but a refuge.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        traffic: Traffic,
        missions: Missions,
        book: TaskBook,
        hygiene: Hygiene,
        chargers: Chargers,
        *,
        kept: Callable[[], bool],
    ) -> None:
        self._vehicle, self._spec, self._site = vehicle, vehicle.spec, site
        self._traffic, self._missions = traffic, missions
        self._legs = legs = GroundLegs(vehicle, site, traffic, missions, book)
        self._decontamination = wash = Decontamination(vehicle.spec, site, traffic, hygiene, book)
        self._plug = plug = Plug(vehicle.spec, traffic, chargers, legs, wash)
        self._drive = GroundDrive(vehicle.spec.id, traffic, legs, wash, plug, kept)
        self._former = GroundResume(vehicle, site, traffic, missions, legs, wash, plug)
        self.interruptible = False

    # --- drives ---

    async def go(self, stop: TaskStop, errand: Errand) -> None:
        """Drive to a place and do the work there, decontaminated first where its goods ask it."""
        if self._decontamination.must_precede(stop):
            station = self._decontamination.station_before(self._node(stop.place))
            await self._drive.to(station.node, work_at(station), errand)
            await self._decontamination.done()
        if stop.workcell is not None:  # it hands over to who stands there
            await self._drive.to(self._node(stop.place), nothing, errand)
        await self._drive.to(self._node(stop.place), stop.actions, errand)
        await self._decontamination.exposed(stop)

    async def go_home(self, errand: Errand) -> None:
        """Drive to its own parking place or charger."""
        self.interruptible = True
        try:
            await self._drive.to(self.home, nothing, errand)
        finally:
            self.interruptible = False

    async def wait_at(self, node: NodeId, errand: Errand) -> None:
        """Drive to a node, and wait there; home, if it can't get there at once."""
        self.interruptible = True
        try:
            await self._drive.to_or_home(node, errand)
        finally:
            self.interruptible = False

    async def take_refuge(self, nodes: Sequence[NodeId], errand: Errand) -> bool:
        """Drive to the nearest of these nodes that can be had now; False = none can."""
        return await self._drive.flee_to(nodes, errand)

    async def stop(self, *, urgent: bool = False) -> None:
        """Break off the drive, but never inside a lift."""
        await self._traffic.halt(self._spec.id, urgent=urgent)
        await self._missions.stop()

    # --- charging ---

    async def charge(self, errand: Errand, wanted: PlaceId | None = None) -> None:
        """Drive to a charger, once one is free, and connect to it; or stay, if it charges now."""
        if self._plug.connected and self._vehicle.state().charging and self.may_charge():
            return
        await self._plug.pull(errand)
        while (charger := self._plug.take(wanted)) is None:
            self._plug.listen()
            if self.stand != self.home:
                await self.go_home(errand)
            else:
                await self._plug.until_free()
        self.interruptible = True
        try:
            await self._drive.to(charger.node, connect, errand)
        except BaseException:
            self._plug.give_back()
            raise
        finally:
            self.interruptible = False
        self._plug.connected = True

    def may_charge(self) -> bool:
        """Whether it could charge now without waiting for a charger, which is then its own."""
        return self._plug.take() is not None

    @property
    def plugged(self) -> bool:
        """Whether it is connected to a charger."""
        return self._plug.connected

    async def unplug(self, errand: Errand) -> None:
        """Leave off charging, and stay."""
        await self._plug.pull(errand)

    # --- after a restart ---

    def take_up_stand(self, home: NodeId) -> NodeId:
        """At the start of the program: where it says that it stands, or else its home."""
        state = self._vehicle.state()
        self._plug.connected = state.charging
        known = state.last_node is not None and state.last_node in self._site.nodes
        stand = state.last_node if known and state.last_node else home
        self._plug.keep(stand)
        return stand

    def keep_charger(self, record: MissionRecord) -> None:
        """At the start of the program: the charger that a former process sent it to is its own."""
        if any(action.kind is ActionKind.CHARGE for action in record.mission.actions):
            self._plug.keep(record.mission.route[-1].node)

    async def resume(self, record: MissionRecord, errand: Errand) -> None:
        """Go on with a leg that a former process sent; what it was told already stays held."""
        await self._former.go_on(record, errand)

    async def drop_order(self, errand: Errand) -> None:
        """Stop a drive that we know nothing of, on what it was told."""
        await self._former.drop(errand)

    # --- how far it is ---

    @property
    def stand(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        return self._legs.stand

    @property
    def home(self) -> NodeId:
        """The node of its own place."""
        return self._legs.home

    def free_at(self, stop: TaskStop) -> NodeId:
        """Where it will be after a stop: a drive always ends there."""
        return self._node(stop.place)

    def turns_at(self, stop: TaskStop) -> NodeId | None:
        """The node it has passed last, while it drives to a stop and is not nearly there."""
        if self._missions.current is None or self._traffic.in_lift(self._spec.id):
            return None
        mission, clearance = self._missions.current
        ahead = len(clearance.route) - 1 - clearance.passed
        bound_for = mission.route[-1].node == self._node(stop.place)
        return self.stand if bound_for and ahead >= NOT_NEARLY_THERE else None

    def seconds_to(self, stop: TaskStop) -> float:
        """How long the drive to a stop would take, without waiting for others."""
        goal, wash = self._node(stop.place), self._decontamination
        if wash.must_precede(stop):
            return wash.seconds_over(wash.station_before(goal), goal)
        if wash.clean:
            return self._traffic.roads.of(self._spec).seconds(self.stand, goal, clean_start=True)
        return self._traffic.roads.driving.expected_s(self._spec, self.stand, goal)

    def has_energy_for(self, stops: Sequence[TaskStop]) -> bool:
        """Whether it could make these stops, go home and to a charger, the reserve untouched."""
        roads, wash = self._traffic.roads.of(self._spec), self._decontamination
        node, move_s, clean, wash_s = self.stand, 0.0, wash.clean, 0.0
        if stops and wash.must_precede(stops[0]):
            station = wash.station_before(self._node(stops[0].place))
            move_s += roads.seconds(node, station.node, clean_start=clean)
            node, clean, wash_s = station.node, True, station.service_s
        charger = self._plug.nearest_to(self.home)
        goals = [*(self._node(stop.place) for stop in stops), self.home]
        for goal in goals if charger is None else [*goals, charger]:
            move_s += roads.seconds(node, goal, clean_start=clean)
            node, clean = goal, False
        worked_s = sum(
            work.duration_s
            for stop in stops
            for work in stop.work
            if work.kind is ActionKind.DISINFECT
        )
        idle_s = wash_s + sum(stop.service_s for stop in stops) - worked_s
        ratio = self._vehicle.state().charge_ratio
        return ratio is None or enough(
            self._spec, ratio, move_s=move_s, idle_s=idle_s, work_s=worked_s
        )

    def _node(self, place: PlaceId | None) -> NodeId:
        if place is None:
            raise Unreachable(self.stand, "the air")
        return self._site.places[place].node
