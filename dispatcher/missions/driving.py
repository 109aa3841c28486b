"""Getting about on the ground: ways, decontamination where they cross into a cleaner zone."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from itertools import pairwise

from dispatcher.domain.charging import enough
from dispatcher.domain.hygiene import Hygiene, goods_of
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import TaskStop, task_of
from dispatcher.missions.execution import REFUGE, Errand, Missions
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.pilot import chain, waypoints
from dispatcher.traffic.traffic import Traffic
from fleet.errors import MissionCancelled, MissionFailed
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import Edge, NodeId, Place, PlaceId, Role, Site

ASK_S = 30.0
"""How often a vehicle that waits for a charger asks again, also if none has become free."""
NOT_NEARLY_THERE = 3
"""Lanes ahead from which on a drive can be broken off: a robot stops at a node to come."""

ActionsOf = Callable[[MissionId], tuple[Action, ...]]


class GroundMover:
    """Drives one vehicle, leg by leg; a leg ends at the goal or at a decontamination station.

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
        self._vehicle = vehicle
        self._spec = vehicle.spec
        self._site = site
        self._traffic = traffic
        self._missions = missions
        self._book = book
        self._hygiene = hygiene
        self._chargers = chargers
        self._kept = kept
        self._charger_free = asyncio.Event()
        self._charging = False
        self.interruptible = False
        self.clean = False
        """Whether it stands in a decontamination station and has been through it."""
        chargers.on_free(self._charger_free.set)

    async def go(self, stop: TaskStop, errand: Errand) -> None:
        """Drive to a place and do the work there, decontaminated first where its goods ask it."""
        if self._must_wash(stop):
            await self._decontaminate(self._node(stop.place), errand)
        if stop.workcell is not None:  # it hands over to who stands there
            await self._go(self._node(stop.place), _nothing, errand)
        await self._go(self._node(stop.place), stop.actions, errand)
        for one in stop.taken:
            if self._hygiene.carried(self._spec.id, one):
                await self._book.note("exposed", vehicle=self._spec.id, goods=one)

    async def go_home(self, errand: Errand) -> None:
        """Drive to its own parking place or charger."""
        self.interruptible = True
        try:
            await self._go(self.home, _nothing, errand)
        finally:
            self.interruptible = False

    async def wait_at(self, node: NodeId, errand: Errand) -> None:
        """Drive to a node, and wait there; home, if it would have to be washed or to wait."""
        self.interruptible = True
        try:
            if self._charging:
                await self._disconnect(errand)
            self._traffic.carries(self._spec.id, self._goods)
            way = self._traffic.way(self._spec.id, node, clean_start=self.clean)
            if not way.decontaminations and await self._traffic.admit(
                self._spec.id, way.edges, errand.rank
            ):
                self._chargers.leave(self._spec.id, node)
                await self._leg(way.edges, _nothing, errand)
                self.clean = False
            else:
                await self._go(self.home, _nothing, errand)
        finally:
            self._traffic.withdraw(self._spec.id)
            self.interruptible = False

    async def take_refuge(self, nodes: Sequence[NodeId], errand: Errand) -> bool:
        """Drive to the nearest of these nodes that can be had now; False = none can."""
        try:
            edges = await self._traffic.flee(self._spec.id, nodes, errand.rank)
            if edges is None:
                return False
            if self._charging:
                await self._disconnect(errand)
            self._chargers.leave(self._spec.id, edges[-1].end)
            await self._leg(edges, _nothing, errand)
            self.clean = False
        finally:
            self._traffic.settle(self._spec.id)
        return True

    async def charge(self, errand: Errand, wanted: PlaceId | None = None) -> None:
        """Drive to a charger, once one is free, and connect to it; or stay, if it charges now."""
        if self._charging and self._vehicle.state().charging and self.may_charge():
            return
        if self._charging:
            await self._disconnect(errand)
        charger = self._take_charger(wanted)
        while charger is None:
            await self._wait_for_charger(errand)
            charger = self._take_charger(wanted)
        self.interruptible = True
        try:
            await self._go(charger.node, _connect, errand)
        except BaseException:
            self._chargers.give_back(self._spec.id)
            raise
        finally:
            self.interruptible = False
        self._charging = True

    @property
    def plugged(self) -> bool:
        """Whether it is connected to a charger."""
        return self._charging

    async def unplug(self, errand: Errand) -> None:
        """Leave off charging, and stay."""
        if self._charging:
            await self._disconnect(errand)

    async def stop(self, *, urgent: bool = False) -> None:
        """Break off the drive, but never inside a lift."""
        await self._traffic.halt(self._spec.id, urgent=urgent)
        await self._missions.stop()

    async def resume(self, record: MissionRecord, errand: Errand) -> None:
        """Go on with a leg that a former process sent; what it was told already stays held."""
        if record.purpose == REFUGE:
            self._traffic.flees(self._spec.id)
        try:
            await self._resume(record, errand)
        finally:
            self._traffic.settle(self._spec.id)

    async def _resume(self, record: MissionRecord, errand: Errand) -> None:
        nodes = [waypoint.node for waypoint in record.mission.route]
        base = [node for node in self._vehicle.state().base if node != self.stand]
        charges = any(action.kind is ActionKind.CHARGE for action in record.mission.actions)
        behind = nodes.index(self.stand) if self.stand in nodes else -1
        if behind < 0 or nodes[behind + 1 : behind + 1 + len(base)] != base:
            await self._stop_elsewhere(base, errand)
            raise MissionFailed(Refusal("order_differs", {"mission": record.id}))
        self._traffic.carries(self._spec.id, self._goods)
        edges = [self._site.edge(a, b) for a, b in pairwise(nodes)]
        held = behind + len(base)
        if not await self._traffic.readmit(
            self._spec.id, edges, errand.rank, behind=behind, held=held
        ):
            await self._stop_elsewhere(base, errand)
            raise MissionFailed(Refusal("way_not_safe", {"mission": record.id}))
        await self._missions.follow(record, self._right(edges, errand))
        kinds = {action.kind for action in record.mission.actions}
        if kinds & {ActionKind.DECONTAMINATE}:
            await self._washed()
        self._charging = charges

    def keep_charger(self, record: MissionRecord) -> None:
        """At the start of the program: the charger that a former process sent it to is its own."""
        if any(action.kind is ActionKind.CHARGE for action in record.mission.actions):
            self._chargers.stands_at(self._spec, record.mission.route[-1].node)

    async def drop_order(self, errand: Errand) -> None:
        """Stop a drive that we know nothing of, on what it was told."""
        base = [node for node in self._vehicle.state().base if node != self.stand]
        await self._stop_elsewhere(base, errand)

    async def _stop_elsewhere(self, base: Sequence[NodeId], errand: Errand) -> None:
        """It was led another way since that leg was written down: stop it on what it holds."""
        edges = chain(self._site, self.stand, base)
        await self._traffic.readmit(self._spec.id, edges, errand.rank, behind=0, held=len(edges))
        async with self._traffic.drive(self._spec.id, edges, errand.rank) as clearance:
            await self._vehicle.cancel()
            last = self._vehicle.state().last_node
            nodes = [waypoint.node for waypoint in clearance.route]
            if last is not None and last in nodes:
                clearance.reached(nodes.index(last))

    @property
    def stand(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        return self._traffic.stand(self._spec.id)

    def take_up_stand(self, home: NodeId) -> NodeId:
        """At the start of the program: where it says that it stands, or else its home."""
        state = self._vehicle.state()
        self._charging = state.charging
        known = state.last_node is not None and state.last_node in self._site.nodes
        stand = state.last_node if known and state.last_node else home
        self._chargers.stands_at(self._spec, stand)
        return stand

    def free_at(self, stop: TaskStop) -> NodeId:
        """Where it will be after a stop: a drive always ends there."""
        return self._node(stop.place)

    @property
    def home(self) -> NodeId:
        """The node of its own place."""
        return self._node(self._spec.home)

    def may_charge(self) -> bool:
        """Whether it could charge now without waiting for a charger, which is then its own."""
        return self._take_charger() is not None

    def has_energy_for(self, stops: Sequence[TaskStop]) -> bool:
        """Whether it could make these stops, go home and to a charger, the reserve untouched."""
        roads = self._traffic.roads.of(self._spec)
        node, move_s, clean, wash_s = self.stand, 0.0, self.clean, 0.0
        if stops and self._must_wash(stops[0]):
            station = self._station_before(self._node(stops[0].place))
            move_s += roads.seconds(node, station.node, clean_start=clean)
            node, clean, wash_s = station.node, True, station.service_s
        for goal in (*(self._node(stop.place) for stop in stops), *self._ways_end()):
            move_s += roads.seconds(node, goal, clean_start=clean)
            node, clean = goal, False
        worked_s = sum(
            work.duration_s
            for stop in stops
            for work in stop.work
            if work.kind is ActionKind.DISINFECT
        )
        idle_s = wash_s + sum(stop.service_s for stop in stops) - worked_s
        ratio = self._ratio()
        return ratio is None or enough(
            self._spec, ratio, move_s=move_s, idle_s=idle_s, work_s=worked_s
        )

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
        goal = self._node(stop.place)
        if self._must_wash(stop):
            return self._washed_s(self._station_before(goal), goal)
        if self.clean:
            return self._traffic.roads.of(self._spec).seconds(self.stand, goal, clean_start=True)
        return self._traffic.roads.expected_s(self._spec, self.stand, goal)

    async def _go(self, goal: NodeId, actions: ActionsOf, errand: Errand) -> None:
        try:
            await self._go_on(goal, actions, errand)
        finally:
            self._traffic.withdraw(self._spec.id)

    async def _go_on(self, goal: NodeId, actions: ActionsOf, errand: Errand) -> None:
        self._not_if_kept(goal)
        if self._charging:
            await self._disconnect(errand)
        self._chargers.leave(self._spec.id, goal)
        while True:
            self._not_if_kept(goal)
            seen = self._traffic.detours.changes
            self._traffic.carries(self._spec.id, self._goods)
            try:
                way = self._traffic.way(
                    self._spec.id, goal, clean_start=self.clean, goods_on_board=self._loaded()
                )
            except Unreachable:
                if not self._loaded() and goal != self.home:
                    raise
                await self._make_room(goal, errand)
                await self._traffic.until_roads_change(self._spec.id, goal, seen)
                continue
            edges, work = way.edges, actions
            if way.decontaminations:
                edges = way.edges[: way.decontaminations[0]]
                work = self._wash(self._station(way.nodes[len(edges)]))
            if not await self._traffic.admit(self._spec.id, edges, errand.rank):
                if self.stand == way.start:
                    await self._make_room(goal, errand)
                continue
            await self._leg(edges, work, errand)
            if not way.decontaminations:
                self.clean = self.clean and not edges
                return
            await self._washed()

    def _not_if_kept(self, goal: NodeId) -> None:
        if goal != self.stand and self._kept():
            raise MissionCancelled

    async def _make_room(self, goal: NodeId, errand: Errand) -> None:
        """Go home or to its berth, as far as its next station: the one way that is always safe.

        Raises:
            Unreachable: it is cut off from its home. With goods on board it stays where it is
                instead, until there are other roads; so it does if home is its goal.
        """
        if self.stand == self.home:
            return
        try:
            way = self._traffic.way_home(self._spec.id, clean_start=self.clean)
        except Unreachable:
            if self._loaded() or goal == self.home:
                return
            raise
        if not way.edges:
            return
        edges, work = way.edges, _nothing
        if way.decontaminations:
            edges = way.edges[: way.decontaminations[0]]
            work = self._wash(self._station(way.nodes[len(edges)]))
        if await self._traffic.admit(self._spec.id, edges, errand.rank, makes_room=True):
            await self._leg(edges, work, errand)
            self.clean = False
            if way.decontaminations:
                await self._washed()

    async def _leg(self, edges: tuple[Edge, ...], actions: ActionsOf, errand: Errand) -> None:
        id_ = self._book.new_mission_id()
        route = waypoints(self._site, self.stand, edges)
        mission = Mission(id=id_, route=route, actions=actions(id_))
        if len(route) == 1 and not mission.actions:
            return
        await self._missions.carry_out(mission, errand, self._right(edges, errand))

    def _right(
        self, edges: Sequence[Edge], errand: Errand
    ) -> Callable[[], AbstractAsyncContextManager[Clearance]]:
        return lambda: self._traffic.drive(self._spec.id, edges, errand.rank)

    async def _disconnect(self, errand: Errand) -> None:
        await self._leg((), _disconnect, errand)
        self._charging = False

    def _must_wash(self, stop: TaskStop) -> bool:
        """Whether it must be decontaminated before it takes on board what waits at a stop."""
        return any(self._hygiene.must_wash(self._spec.id, one) for one in stop.taken)

    async def _decontaminate(self, goal: NodeId, errand: Errand) -> None:
        """Be decontaminated on the way to a goal, at the station that is best for it."""
        station = self._station_before(goal)
        await self._go(station.node, self._wash(station.id), errand)
        await self._washed()

    def _station_before(self, goal: NodeId) -> Place:
        """The station over which it is soonest at a goal, as the plan has it."""
        found: list[tuple[float, int]] = []
        stations = self._site.with_role(Role.DECONTAMINATION)
        for number, station in enumerate(stations):
            with suppress(Unreachable):
                found.append((self._washed_s(station, goal), number))
        if not found:
            raise Unreachable(self.stand, "a decontamination station")
        return stations[min(found)[1]]

    def _washed_s(self, station: Place, goal: NodeId) -> float:
        roads = self._traffic.roads.of(self._spec)
        there_s = roads.seconds(self.stand, station.node, clean_start=self.clean)
        onward_s = roads.seconds(station.node, goal, clean_start=True)
        return there_s + station.service_s + onward_s

    async def _washed(self) -> None:
        self.clean = True
        if self._hygiene.washed(self._spec.id):
            await self._book.note("decontaminated", vehicle=self._spec.id)

    def _ways_end(self) -> list[NodeId]:
        """Where it goes after its work: home, and from there to the nearest charger there is."""
        home = self.home
        roads = self._traffic.roads.of(self._spec)
        found: list[tuple[float, NodeId]] = []
        for place, _ in self._chargers.usable(self._spec):
            with suppress(Unreachable):
                found.append((roads.seconds(home, place.node), place.node))
        return [home, min(found)[1]] if found else [home]

    def _take_charger(self, wanted: PlaceId | None = None) -> Place | None:
        roads = self._traffic.roads.of(self._spec)
        stand = self.stand
        return self._chargers.take(
            self._spec,
            lambda place: roads.seconds(stand, place.node, clean_start=self.clean),
            wanted,
        )

    async def _wait_for_charger(self, errand: Errand) -> None:
        self._charger_free.clear()
        if self.stand != self.home:
            await self.go_home(errand)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_S):
                await self._charger_free.wait()

    def _wash(self, station: PlaceId) -> ActionsOf:
        seconds = self._site.places[station].service_s

        def wash(mission: MissionId) -> tuple[Action, ...]:
            kind = ActionKind.DECONTAMINATE
            return (Action(id=f"{mission}.1", kind=kind, duration_s=seconds),)

        return wash

    def _loaded(self) -> bool:
        return bool(self._vehicle.state().loads)

    def _goods(self) -> frozenset[str]:
        """The classes of what is on board; of a load that nobody knows, a class of its own."""
        tasks = (self._book.find(task_of(load)) for load in self._vehicle.state().loads)
        return frozenset((task and goods_of(task.spec)) or "unknown" for task in tasks)

    def _ratio(self) -> float | None:
        return self._vehicle.state().charge_ratio

    def _station(self, node: NodeId) -> PlaceId:
        places = self._site.places_at[node]
        return next(place.id for place in places if Role.DECONTAMINATION in place.roles)

    def _node(self, place: PlaceId | None) -> NodeId:
        if place is None:
            raise Unreachable(self.stand, "the air")
        return self._site.places[place].node


def _nothing(mission: MissionId) -> tuple[Action, ...]:  # noqa: ARG001
    return ()


def _connect(mission: MissionId) -> tuple[Action, ...]:
    return (Action(id=f"{mission}.1", kind=ActionKind.CHARGE),)


def _disconnect(mission: MissionId) -> tuple[Action, ...]:
    return (Action(id=f"{mission}.1", kind=ActionKind.STOP_CHARGING),)
