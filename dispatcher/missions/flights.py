"""Getting about in the air: pad to pad around what may not be flown over, and sweeps of areas."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from dispatcher.air.passing import passes_of
from dispatcher.air.site_air import SiteAir
from dispatcher.air.skies import Skies
from dispatcher.domain.charging import enough
from dispatcher.domain.duties import Flown
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import Handling, TaskStop, stops_of
from dispatcher.domain.task import TaskId
from dispatcher.missions.air_tours import AirTours
from dispatcher.missions.execution import Errand, Missions, RightOfWay
from dispatcher.records.book import TaskBook
from fleet.errors import MissionFailed
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId, Waypoint
from fleet.vehicle import Vehicle
from routing.air.airspace import air_way
from routing.geometry import Point
from routing.site import LevelId, NodeId, PlaceId, Role, Site

NEAR_M = 15.0
"""A drone this near to a pad stands on it."""


class AirMover:
    """Flies one drone. It waits for others only at home, so no two wait for each other's pads."""

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        skies: Skies,
        missions: Missions,
        book: TaskBook,
        handling: Handling,
        air: SiteAir,
        tours: AirTours,
    ) -> None:
        self._vehicle = vehicle
        self._spec = vehicle.spec
        self._site = site
        self._skies = skies
        self._missions = missions
        self._book = book
        self._handling = handling
        self._air = air
        self._tours = tours
        self.interruptible = False
        self._stand = self.home
        self._pads = frozenset(place.node for place in site.with_role(Role.PAD))
        self._level = next(
            (level.id for level in site.levels.values() if level.outdoors),
            site.nodes[self.home].level,
        )
        vehicle.watch(self._watch_return)

    def _watch_return(self) -> None:
        """The air on its way back to where it took off is its own, as long as it returns."""
        state = self._vehicle.state()
        if not state.returning:
            self._skies.has_come_back(self._spec.id)
        elif state.position is not None:
            self._skies.comes_back(self._spec.id, state.position.point, self.stand)

    @property
    def stand(self) -> NodeId:
        """The pad on which it says that it stands, or else from which it is on its way.

        One that is called off as it lands may stand at either end of its flight.
        """
        state = self._vehicle.state()
        pad = None if state.airborne else state.last_node
        if pad is not None and pad in self._pads:
            self._stand = pad
        return self._stand

    @stand.setter
    def stand(self, pad: NodeId) -> None:
        self._stand = pad

    @property
    def home(self) -> NodeId:
        """The node of its dock."""
        return self._site.places[self._spec.home].node

    def take_up_stand(self, home: NodeId) -> NodeId:
        """At the start of the program: the pad that it says it stands on, or else its home."""
        position = self._vehicle.state().position
        if position is not None:
            pads = [place.node for place in self._site.with_role(Role.PAD)]
            here = [p for p in pads if self._point(p).distance_m(position.point) <= NEAR_M]
            here.sort(key=lambda pad: self._point(pad).distance_m(position.point))
            self.stand = here[0] if here else home
        return self.stand

    def free_at(self, stop: TaskStop) -> NodeId:
        """Where it will be after a stop: after a sweep, at home."""
        return self.home if stop.round_trip else self._node(stop.place)

    async def go(self, stop: TaskStop, errand: Errand) -> None:
        """Fly to a pad and wait there for the handling; or sweep an area and come home."""
        if stop.round_trip:
            if self.stand != self.home:
                await self.go_home(errand)
            await self._fly(self._tour(stop), self.home, stop, errand)
            return
        goal, ahead = self._node(stop.place), self._pads_ahead(errand.task, errand.stop_index)
        try:
            await self._reserve([goal, *ahead], errand)
            if goal == self.stand:
                await self._work_here(stop, errand)
            elif stop.workcell is not None:
                await self._fly(self._way(self.stand, goal), goal, None, errand)
                await self._work_here(stop, errand)
            else:
                await self._fly(self._way(self.stand, goal), goal, stop, errand)
        except MissionFailed:
            self._skies.leave(self._spec.id, keep=[self.stand])
            raise
        self._skies.leave(self._spec.id, keep=[goal, *ahead])

    async def go_home(self, errand: Errand) -> None:
        """Fly to its own dock."""
        if self.stand != self.home:
            await self._fly(self._way(self.stand, self.home), self.home, None, errand)
        self._skies.leave(self._spec.id)

    async def wait_at(self, node: NodeId, errand: Errand) -> None:  # noqa: ARG002
        """Go home: a drone waits in its dock alone."""
        await self.go_home(errand)

    async def take_refuge(self, nodes: Sequence[NodeId], errand: Errand) -> bool:  # noqa: ARG002
        """Go home: nowhere else is a drone out of the way."""
        await self.go_home(errand)
        return True

    async def charge(self, errand: Errand, wanted: PlaceId | None = None) -> None:  # noqa: ARG002
        """Go to the dock; it charges by itself there."""
        await self.go_home(errand)

    @property
    def plugged(self) -> bool:
        """Never: it has no plug to be pulled."""
        return False

    def keep_charger(self, record: MissionRecord) -> None:
        """Its dock is its own; so are, after a restart, the air and the pads of its flight."""
        route = record.mission.route
        pads = [route[0].node, route[-1].node]
        if record.task is not None:
            pads += self._pads_ahead(record.task, record.stop_index)
        self._skies.keep(self._spec.id, route, pads, passes_of(record.mission))

    async def unplug(self, errand: Errand) -> None:
        """A dock charges as long as a drone stands in it."""

    async def stop(self, *, urgent: bool = False) -> None:  # noqa: ARG002
        """Break off the flight: back to where it took off; or the wait for one."""
        self._skies.withdraw(self._spec.id)
        await self._missions.stop()

    async def drop_order(self, errand: Errand) -> None:  # noqa: ARG002
        """Bring it down where it took off: we know nothing of this flight."""
        await self._vehicle.cancel()

    async def resume(self, record: MissionRecord, errand: Errand) -> None:
        """Go on with the flight that a former process sent, or with the work on the ground."""
        mission, route = record.mission, record.mission.route
        if len(route) == 1:
            await self._missions.follow(record, lambda: _on_the_ground(mission))
            return
        await self._missions.follow(
            record,
            lambda: self._skies.fly(self._spec.id, route, errand.rank, passes=passes_of(mission)),
        )
        self.stand = route[-1].node
        ahead = self._pads_ahead(errand.task, errand.stop_index)
        self._skies.leave(self._spec.id, keep=[self.stand, *ahead])

    def may_charge(self) -> bool:
        """Its dock is its own."""
        return True

    def has_energy_for(self, stops: Sequence[TaskStop]) -> bool:
        """Whether it could fly to these stops and home, with the reserve untouched."""
        node, move_s, idle_s = self.stand, 0.0, 0.0
        for stop in stops:
            if stop.round_trip:
                move_s += self._paid_s(self._tour(stop)) + stop.service_s
                node = self.home
            else:
                goal = self._node(stop.place)
                move_s += self._paid_s(self._way(node, goal))
                idle_s += stop.service_s
                node = goal
        move_s += self._paid_s(self._way(node, self.home))
        ratio = self._vehicle.state().charge_ratio
        return ratio is None or enough(self._spec, ratio, move_s=move_s, idle_s=idle_s)

    def turns_at(self, stop: TaskStop) -> NodeId | None:  # noqa: ARG002
        """Never: a flight that is broken off goes back to where it took off."""
        return None

    def seconds_to(self, stop: TaskStop) -> float:
        """How long the flight to a stop takes; for an area, the sweep of it too."""
        if stop.round_trip:
            return self._flight_s(self._tour(stop))
        return self._flight_s(self._way(self.stand, self._node(stop.place)))

    # --- shifts of a watch ---

    async def fly_shift(
        self, station: Flown, errand: Errand, follow: Callable[[Clearance], None]
    ) -> None:
        """Out to a post, round after round, and home; ``follow`` is told when it takes off."""
        id_, route = self._book.new_mission_id(), self._route(station.points, self.home)
        looks = tuple(
            Action(
                id=f"{id_}.{number}",
                kind=ActionKind.OBSERVE,
                duration_s=station.look_s,
                facts={"waypoint": float(number)},
            )
            for number in station.looks
        )
        mission = Mission(id=id_, route=route, actions=looks)
        await self._missions.carry_out(mission, errand, self._followed(route, errand, follow))
        self._home_again()

    async def resume_shift(
        self, record: MissionRecord, errand: Errand, follow: Callable[[Clearance], None]
    ) -> None:
        """Go on with the shift that a former process sent."""
        await self._missions.follow(record, self._followed(record.mission.route, errand, follow))
        self._home_again()

    def _followed(
        self, route: Sequence[Waypoint], errand: Errand, follow: Callable[[Clearance], None]
    ) -> RightOfWay:
        @asynccontextmanager
        async def right() -> AsyncGenerator[Clearance]:
            async with self._skies.fly(self._spec.id, route, errand.rank) as clearance:
                follow(clearance)
                yield clearance

        return right

    def _home_again(self) -> None:
        self.stand = self.home
        self._skies.leave(self._spec.id)

    # --- ways ---

    def _way(self, start: NodeId, goal: NodeId) -> tuple[Point, ...]:
        a, b = self._point(start), self._point(goal)
        if start == goal:
            return (a,)
        over = self._air.over()
        return air_way(self._site, a, b, height_agl_m=self._spec.cruise_agl_m, over=over)

    def _tour(self, stop: TaskStop) -> tuple[Point, ...]:
        """From home over what is to be seen, and back."""
        return self._tours.tour(stop, self._spec)

    def _flight_s(self, points: Sequence[Point]) -> float:
        """How long a flight is expected to take, from pad to pad."""
        if len(points) < 2:
            return 0.0
        pace = self._air.pace(self._spec)
        return pace.climb_s + pace.expected_s(points) + pace.land_s

    def _paid_s(self, points: Sequence[Point]) -> float:
        """How long its battery must last for it."""
        if len(points) < 2:
            return 0.0
        pace = self._air.pace(self._spec)
        return pace.climb_s + pace.paid_s(points) + pace.land_s

    def _route(self, points: Sequence[Point], goal: NodeId) -> tuple[Waypoint, ...]:
        start, end = self._site.nodes[self.stand], self._site.nodes[goal]
        way = [Waypoint(node=start.id, level=start.level, point=start.point)]
        for number, point in enumerate(points[1:-1], 1):
            way.append(
                Waypoint(
                    node=NodeId(f"air-{number}"),
                    level=LevelId(self._level),
                    point=point,
                    height_agl_m=self._spec.cruise_agl_m,
                )
            )
        return (*way, Waypoint(node=end.id, level=end.level, point=end.point))

    # --- flights ---

    async def _fly(
        self, points: Sequence[Point], goal: NodeId, stop: TaskStop | None, errand: Errand
    ) -> None:
        id_ = self._book.new_mission_id()
        actions = self._actions(stop, points, id_) if stop is not None else ()
        route = self._route(points, goal)
        mission = Mission(id=id_, route=route, actions=actions)
        await self._missions.carry_out(
            mission, errand, lambda: self._skies.fly(self._spec.id, route, errand.rank)
        )
        self.stand = goal

    def _actions(
        self, stop: TaskStop, points: Sequence[Point], mission: MissionId
    ) -> tuple[Action, ...]:
        """The work of a stop; looks at places are taken above them."""
        actions, at = stop.actions(mission), 0
        found: list[Action] = []
        for action, place in zip(actions, stop.over, strict=False):
            at = points.index(self._point(self._node(place)), at)
            found.append(replace(action, facts={**action.facts, "waypoint": float(at)}))
        return tuple(found) if stop.over else actions

    async def _work_here(self, stop: TaskStop, errand: Errand) -> None:
        """Loading where it stands needs no flight."""
        id_ = self._book.new_mission_id()
        node = self._site.nodes[self.stand]
        route = (Waypoint(node=node.id, level=node.level, point=node.point),)
        mission = Mission(id=id_, route=route, actions=stop.actions(id_))
        await self._missions.carry_out(mission, errand, lambda: _on_the_ground(mission))

    async def _reserve(self, pads: Sequence[NodeId], errand: Errand) -> None:
        """Get all pads of a task at once; never wait for one on another's. Raises MissionFailed."""
        if not self._skies.free(self._spec.id, pads):
            await self.go_home(errand)
        await self._skies.reserve(self._spec.id, pads, errand.rank)

    def _pads_ahead(self, id_: TaskId | None, stop_index: int) -> list[NodeId]:
        task = self._book.find(id_)
        if task is None or stop_index < 0:
            return []
        stops = stops_of(task, self._handling)[stop_index + 1 :]
        return [self._node(stop.place) for stop in stops if stop.place is not None]

    def _point(self, node: NodeId) -> Point:
        return self._site.nodes[node].point

    def _node(self, place: PlaceId | None) -> NodeId:
        assert place is not None, "a stop has a place or an area"
        return self._site.places[place].node


@asynccontextmanager
async def _on_the_ground(mission: Mission) -> AsyncGenerator[Clearance]:
    """Work without a flight needs no right to anything."""
    yield Clearance.whole(mission)
