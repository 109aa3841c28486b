"""Rights of way: every drive is planned, granted step by step, and never meets another.

A drive claims its stretches from `Claims`, has doors and lifts made ready for each, releases them
to the vehicle through its `Clearance`, and frees them when the vehicle says that it has passed.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from dispatcher.domain.emergencies import stands_aside
from dispatcher.domain.hygiene import rides_alone
from dispatcher.records.travel_times import TravelTimes
from dispatcher.traffic.courtesy import Courtesy
from dispatcher.traffic.crew import Crew
from dispatcher.traffic.detours import Detours
from dispatcher.traffic.hours import Goods, Hours
from dispatcher.traffic.pilot import Pilot, chain
from dispatcher.traffic.portals import Portals
from dispatcher.traffic.waits import Waits
from fleet.errors import MissionCancelled, MissionFailed, MissionNotTaken
from fleet.facility import Facilities
from fleet.mission import Clearance
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.roads.paths import Way, drive_seconds
from routing.site import Edge, LaneId, NodeId, Site

A_MOMENT_S = 0.01
LOOK_S = 30.0
"""How often it is looked who will come to a lane too late for its window."""
ADMISSION_S = 10.0
"""How long a vehicle waits to be let into the traffic before it makes room for others."""


class Traffic:
    """Plans and grants all drives on the ground of one site."""

    def __init__(
        self,
        site: Site,
        facilities: Facilities,
        times: TravelTimes | None = None,
        hours: Hours | None = None,
        courtesy: Courtesy | None = None,
    ) -> None:
        self._site = site
        self._times = times
        self._crew = Crew(site, hours, courtesy)
        self._claims = self._crew.claims
        self._portals = Portals(self._crew, facilities)
        self.roads = self._crew.roads
        self.detours = Detours(self._crew, self._portals)
        self.waits = Waits(self._crew)
        self._hour_listeners: list[Callable[[Sequence[VehicleId]], None]] = []
        if times is not None:
            self.roads.learn_from(times)

    # --- who is where ---

    def add(self, spec: VehicleSpec, stand: NodeId, position: Position | None = None) -> None:
        """A vehicle joins the traffic where it stands. Add all of them before the first drive.

        Args:
            position: where that is more exactly, or where it is on its way from there.
        """
        self._crew.enter(spec, stand, position)

    def knows(self, vehicle: VehicleId) -> bool:
        """Whether this vehicle has joined the traffic."""
        return vehicle in self._crew

    def start(self) -> None:
        """All vehicles have been added: work out everybody's way home."""
        for pilot in self._crew:
            claim = pilot.claim
            self._claims.force(claim, (), self._crew.homeward(pilot, claim.stand))
            self._portals.forget(pilot)

    def hold(self, vehicle: VehicleId, base: Sequence[NodeId]) -> None:
        """Keep for a vehicle what a former process told it, before anybody is granted anything."""
        pilot = self._crew[vehicle]
        edges = chain(self._site, pilot.claim.stand, base)
        self._crew.boarding.keep(pilot.claim, edges)
        end = edges[-1].end if edges else pilot.claim.stand
        homeward = self._crew.homeward(pilot, end)
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
            rest = chain(self._site, told[-1], route[behind + len(told) :])
            goal = rest[-1].end if rest else told[-1]
            homeward = self._crew.homeward(self._crew[vehicle], goal)
            if homeward is not None:
                way = (*rest, *homeward)
                self._claims.force(claim, claim.edges, way, granted=claim.granted)

    def find_shelters(self) -> None:
        """All has been told that a former process held: see to it that all have where to go."""
        self._crew.boarding.choose()
        self._crew.find_shelters()

    def stand(self, vehicle: VehicleId) -> NodeId:
        """The node on which a vehicle stands, or from which it drives."""
        return self._crew[vehicle].claim.stand

    def found(self, vehicle: VehicleId, node: NodeId, position: Position | None = None) -> None:
        """A vehicle says where it stands; news only if we don't drive it: a person may have.

        Args:
            position: where that is more exactly.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        if pilot.cabins is not None and position is not None and claim.stand == node:
            self._crew.find_place(pilot, position)
        if pilot.clearance is not None or claim.stand == node:
            return
        self.detours.unblock(vehicle)
        if claim.edges:
            ends = [edge.end for edge in claim.edges[: claim.granted]]
            if node in ends[claim.passed :]:
                self._claims.pass_to(claim, ends.index(node, claim.passed) + 1)
        else:
            ends = [edge.end for edge in pilot.left]
            pilot.left = pilot.left[ends.index(node) + 1 :] if node in ends else ()
            homeward = claim.homeward or ()
            passed = [edge.end for edge in homeward]
            behind = passed.index(node) + 1 if node in passed else None
            rest = None if behind is None else homeward[behind:]
            self._crew.stop(pilot, node, rest, pause=max(0, claim.pause - (behind or 0)))
        self._crew.pump()

    def set_stuck(self, vehicle: VehicleId, stuck: bool) -> None:
        """A vehicle can't move (or can again): others are led around it."""
        pilot = self._crew[vehicle]
        if pilot.claim.stuck != stuck:
            self._claims.set_stuck(pilot.claim, stuck)
            pilot.wake.set()
            self.detours.unblock(vehicle)
            self._crew.rehome()
            self._crew.pump()

    def way(
        self,
        vehicle: VehicleId,
        goal: NodeId,
        *,
        clean_start: bool = False,
        goods_on_board: bool = False,
    ) -> Way:
        """The way to prefer now, led around what others plan to use; raises Unreachable."""
        pilot = self._crew[vehicle]
        nodes, lanes = self._crew.load(pilot)
        for lane, seconds in self._lift_waits(pilot.spec).items():
            lanes[lane] = lanes.get(lane, 0.0) + seconds
        return self.roads.of(pilot.spec, goods_on_board=goods_on_board).shortest(
            pilot.claim.stand,
            goal,
            load=nodes,
            lane_load=lanes,
            clean_start=clean_start,
            shut=self._crew.shut_times(pilot),
        )

    def _lift_waits(self, spec: VehicleSpec) -> dict[LaneId, float]:
        """How much longer than planned a ride in each lift takes at this hour, as was measured.

        Where people come first in some lift, that decides which one is the quicker.
        """
        if self._times is None or self._crew.courtesy is None:
            return {}
        ratios, found = self._times.ratios(), dict[LaneId, float]()
        for lane in self._site.lanes.values():
            ratio = 1.0 if lane.lift is None else ratios.get(f"lift {lane.lift}", 1.0)
            if ratio > 1:
                ride = Edge(start=lane.start, end=lane.end, lane=lane)
                planned_s = drive_seconds(self._site, ride, spec.speed_m_s)
                found[lane.id] = (ratio - 1) * planned_s
        return found

    def carries(self, vehicle: VehicleId, goods: Callable[[], Goods]) -> None:
        """What a vehicle has on board decides where it may drive at which hour."""
        pilot, told = self._crew[vehicle], self.roads.hours is not None
        carried = goods() if told or pilot.cabins is not None else frozenset[str]()
        if told:
            pilot.goods = carried
        if pilot.cabins is not None:
            pilot.cabins.alone = rides_alone(carried)

    def way_home(self, vehicle: VehicleId, *, clean_start: bool = False) -> Way:
        """The way home, or to its berth, that everybody counts on; raises Unreachable."""
        return self._crew.way_home(self._crew[vehicle], clean_start=clean_start)

    # --- drives ---

    async def admit(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
        *,
        makes_room: bool = False,
    ) -> bool:
        """Enter a drive into the table of claims, as soon as that is safe; `drive` follows.

        False = it was not for `ADMISSION_S`: what the vehicle stands on is what others need
        first, so it should go home out of their way and ask again from there. Until then its
        wish is remembered, for those who want to know why it waits. Or it has rolled on, as far as
        it was told before, and its way begins elsewhere.

        Args:
            makes_room: this is that way home, and no wish of its own.

        Raises:
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        claim.rank = rank
        goal = edges[-1].end if edges else claim.stand
        if not makes_room:
            self._crew.wish(pilot, edges, goal)
        pilot.halting = False

        def elsewhere() -> bool:
            return bool(edges) and edges[0].start != claim.stand

        def enters() -> bool:
            if pilot.halting:
                raise MissionCancelled
            return elsewhere() or self._claims.plan(claim, edges, self._crew.homeward(pilot, goal))

        entered = await self._until_safe(pilot, enters) and not elsewhere()
        if entered and not makes_room:
            claim.wish = 0
        return entered

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
                if self._claims.plan(claim, way.edges, self._crew.homeward(pilot, way.nodes[-1])):
                    found.append(way.edges)
                    return True
            return False

        return found[0] if await self._until_safe(pilot, enters) else None

    def _ways_out(self, pilot: Pilot, nodes: Sequence[NodeId]) -> list[Way]:
        """The ways to those nodes that nobody else has, the quickest first."""
        others = [claim for claim in self._claims.everyone() if claim is not pilot.claim]
        taken = {claim.stand for claim in others}
        taken |= {claim.edges[-1].end for claim in others if claim.edges}
        roads, stand = self.roads.to_flee(pilot.spec, pilot.claim.stand), pilot.claim.stand
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
        begun, told = self.roads.must_be_free(ahead[0].lane.id), clearance.released - 1
        if begun and told == len(claim.edges) and stands_aside(self._site, ahead[-1].end):
            return False
        return any(self.roads.must_be_free(edge.lane.id) for edge in ahead)

    async def until_roads_change(self, vehicle: VehicleId, goal: NodeId, seen: int) -> None:
        """Wait for other roads, because none leads to ``goal`` now.

        Args:
            seen: `Detours.changes` when none did.

        Raises:
            Unreachable: nothing that is closed is why.
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._crew[vehicle]
        way = self.roads.when_open(pilot.spec).shortest(pilot.claim.stand, goal)
        self._crew.wish(pilot, way.edges, goal)
        now_s = asyncio.get_running_loop().time()
        met = self.roads.met(pilot.spec, way.edges, pilot.goods, now_s)
        if met is not None and self.roads.hours is not None:
            pilot.shut_out = self.roads.hours.refusal(*met)
        pilot.halting = False
        try:
            while self.detours.changes == seen:
                pilot.news.clear()
                await pilot.news.wait()
                if pilot.halting:
                    raise MissionCancelled
        finally:
            pilot.shut_out = None

    def withdraw(self, vehicle: VehicleId) -> None:
        """It does not ask for a way any more."""
        self._crew[vehicle].claim.wish = 0

    async def readmit(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
        *,
        behind: int,
        held: int,
    ) -> bool:
        """Enter a drive that a former process began; what was told already is held at once.

        Args:
            behind: edges that the vehicle has already driven.
            held: edges that it was already told it may drive.

        False = the rest of the drive was not safe for `ADMISSION_S`.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        claim.rank = rank
        told, rest = edges[:held], edges[held:]
        stop = told[-1].end if told else claim.stand
        held_to = claim.edges[-1].end if claim.edges else claim.stand
        homeward, pause = claim.homeward, claim.pause
        if held_to != stop or homeward is None:
            homeward, pause = self._crew.homeward(pilot, stop), 0
        self._claims.force(claim, told, homeward, passed=behind, granted=held)
        if pause:
            self._claims.rehome(claim, homeward, pause=pause)
        pilot.again = [n for n in range(behind, held) if not self._portals.is_plain(edges[n])]
        pilot.told = held
        goal = edges[-1].end if edges else stop
        return await self._until_safe(
            pilot, lambda: self._claims.replan(claim, rest, self._crew.homeward(pilot, goal))
        )

    async def _until_safe(self, pilot: Pilot, entered: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(ADMISSION_S):
                while not entered():
                    pilot.freed.clear()
                    await pilot.freed.wait()
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def drive(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
    ) -> AsyncGenerator[Clearance]:
        """The right to drive ``edges``, which `admit` or `readmit` let in, granted bit by bit.

        Args:
            rank: who goes first where several wait: priority class, then since when.

        When the block ends, the vehicle keeps what it stands on; when it ends by anything but a
        success or a failed mission, all that it was told, for it may still drive on. Of a mission
        that it never took it keeps nothing.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        start = edges[0].start if edges else claim.stand
        route = pilot.route(self._site, start, self.roads.now(edges, flees=pilot.flees))
        clearance = Clearance(route, 1 + pilot.told)
        pilot.told, pilot.left = 0, ()
        clearance.passed = claim.passed
        claim.rank = rank
        pilot.clearance, pilot.goal, pilot.halting = clearance, route[-1].node, False
        pilot.since_s = asyncio.get_running_loop().time()
        clearance.on_reached(lambda index: self._reached(pilot, index))
        pilot.wake.set()  # some of it may have been granted since it was admitted
        self._crew.pump()
        stands, left = False, None
        try:
            yield clearance
            stands = True
        except MissionNotTaken:
            left = ()
            raise
        except MissionFailed:
            stands = True
            raise
        finally:
            told = claim.edges[claim.passed : clearance.released - 1]
            pilot.left = left if left is not None else told[:1] if stands else told
            pilot.clearance = None
            pilot.behind.extend(pilot.doors.values())
            pilot.doors.clear()
            self._crew.break_off(pilot)
            pilot.wake.set()
            self._crew.pump()

    async def halt(self, vehicle: VehicleId, *, urgent: bool = False) -> None:
        """Release nothing more to a vehicle; returns once it may be stopped: outside lifts.

        If it has not been let into the traffic yet, it is not any more.

        Args:
            urgent: stop it also where it has been told to enter a lift and is not there yet.
        """
        pilot = self._crew[vehicle]
        pilot.halting = True
        if pilot.clearance is None:
            pilot.freed.set()
            pilot.news.set()
        while pilot.clearance is not None and (
            self._portals.boards(pilot) if urgent else self._portals.in_lift(pilot.clearance)
        ):
            pilot.freed.clear()
            await pilot.freed.wait()

    def in_lift(self, vehicle: VehicleId) -> bool:
        """Whether a driving vehicle can't be stopped now."""
        clearance = self._crew[vehicle].clearance
        return clearance is not None and self._portals.in_lift(clearance)

    def _reached(self, pilot: Pilot, index: int) -> None:
        self._claims.pass_to(pilot.claim, index)
        self._crew.boarding.left(pilot.claim, pilot.claim.edges[index - 1].start)
        if self._crew.courtesy is not None:
            edge = pilot.claim.edges[index - 1]
            self._crew.courtesy.passed(
                edge, others=self._crew.boarding.shares(pilot.claim, edge.start)
            )
        now_s = asyncio.get_running_loop().time()
        if self._times is not None:
            self._learn(self._times, pilot, pilot.claim.edges[index - 1], now_s - pilot.since_s)
        pilot.since_s = now_s
        pilot.wake.set()
        self._crew.pump()

    def _learn(self, times: TravelTimes, pilot: Pilot, edge: Edge, took_s: float) -> None:
        """A vehicle has driven an edge; a ride in a lift begins in front of its door."""
        planned_s = drive_seconds(self._site, edge, pilot.spec.speed_m_s)
        if edge.lane.lift is not None:
            in_s, took_in_s = pilot.ride_s
            planned_s, took_s = planned_s + in_s, took_s + took_in_s
        entered = edge.lane.lift is None and times.enters(edge)
        pilot.ride_s = (planned_s, took_s) if entered else (0.0, 0.0)
        if not entered:
            times.learn(edge, planned_s, took_s)

    async def run(self) -> None:
        """Work doors and lifts for all, and look for detours, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._portals.run(), name="traffic.portals")
            group.create_task(self.detours.run(), name="traffic.detours")
            if self.roads.hours is not None:
                group.create_task(self._keep(self.roads.hours), name="traffic.hours")

    def on_hours(self, listener: Callable[[Sequence[VehicleId]], None]) -> None:
        """Have ``listener`` called when lanes have opened or shut for the hour.

        It is told who is on a way that can't be driven on: better they turn back.
        """
        self._hour_listeners.append(listener)

    async def _keep(self, hours: Hours) -> None:
        loop = asyncio.get_running_loop()
        while True:
            turns_s = hours.changes(loop.time())[0] + A_MOMENT_S
            await asyncio.sleep(min(turns_s, LOOK_S))
            left = self.detours.keep_hours(turned=turns_s <= LOOK_S)
            if left or turns_s <= LOOK_S:
                for listener in self._hour_listeners:
                    listener(left)
