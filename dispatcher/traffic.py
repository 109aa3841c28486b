"""Rights of way: every drive is planned, granted step by step, and never meets another.

A drive claims its stretches from `Claims`, has doors and lifts made ready for each, releases them
to the vehicle through its `Clearance`, and frees them when the vehicle says that it has passed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dispatcher.blocker import blocker
from dispatcher.claims import NOWHERE, Claim, Claims, Resources
from dispatcher.roadbook import RoadBook
from dispatcher.travel_times import TravelTimes
from fleet.errors import LinkTimeout, MissionCancelled, MissionFailed
from fleet.facility import Facilities
from fleet.mission import Clearance, Waypoint
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.paths import Way, drive_seconds
from routing.refusal import Refusal
from routing.site import DoorId, Edge, LaneId, LiftId, NodeId, Role, Site

log = logging.getLogger(__name__)

AHEAD = 3
"""How many edges are granted ahead of a vehicle, so that it need not stop at each node."""
BUSY_S = 4.0
"""What another vehicle's plan to use a lane or node adds to its cost; a lift counts tenfold."""
ADMISSION_S = 10.0
"""How long a vehicle waits to be let into the traffic before it makes room for others."""
IMPATIENT_S = 20.0
"""How long a vehicle waits before another way is looked for."""
HELD_S = 60.0
"""What a node that another vehicle holds costs such a search."""


def chain(site: Site, start: NodeId, nodes: Iterable[NodeId]) -> tuple[Edge, ...]:
    """The edges from ``start`` over ``nodes``, as far as there are such edges."""
    edges: list[Edge] = []
    for node in nodes:
        here = edges[-1].end if edges else start
        edge = next((edge for edge in site.edges_from[here] if edge.end == node), None)
        if edge is None:
            break
        edges.append(edge)
    return tuple(edges)


def waypoints(site: Site, start: NodeId, edges: Iterable[Edge]) -> tuple[Waypoint, ...]:
    """A way in the words of a mission, its first node included."""
    first = site.nodes[start]
    route = [Waypoint(node=first.id, level=first.level, point=first.point)]
    for edge in edges:
        node = site.nodes[edge.end]
        route.append(
            Waypoint(
                node=node.id,
                level=node.level,
                point=node.point,
                lane=edge.lane.id,
                speed_limit_m_s=edge.lane.speed_limit_m_s,
            )
        )
    return tuple(route)


@dataclass(slots=True)
class _Pilot:
    """One vehicle's hand on doors and lifts."""

    spec: VehicleSpec
    claim: Claim
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever anybody has moved on."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there are other roads."""
    clearance: Clearance | None = None
    doors: dict[int, DoorId] = field(default_factory=dict[int, DoorId])
    """Doors held open, by the edge that leads through them."""
    behind: list[DoorId] = field(default_factory=list[DoorId])
    """Doors to let go of."""
    lift: LiftId | None = None
    left: tuple[Edge, ...] = ()
    """What it was told on its last drive and has not driven: it may still do so."""
    escape: tuple[Edge, ...] = ()
    """The way home that others count on, where that is not the way it would choose itself: the
    rest of a drive that was broken off, and home from its goal."""
    told: int = 0
    """Edges of the next drive that a former process has released already."""
    again: list[int] = field(default_factory=list[int])
    """Edges that a former process released, whose door or lift must be asked for once more."""
    halting: bool = False
    """Is to stop as soon as it is outside lifts."""
    since_s: float = 0.0
    """Since when it waits for its next stretch."""
    asked_s: float = 0.0
    """Since when it asks for a way that it is not given."""
    ride_s: tuple[float, float] = (0.0, 0.0)
    """Seconds planned and measured for getting into the lift that it is in."""
    goal: NodeId | None = None


class Traffic:
    """Plans and grants all drives on the ground of one site."""

    def __init__(
        self, site: Site, facilities: Facilities, times: TravelTimes | None = None
    ) -> None:
        self._site = site
        self._times = times
        self._facilities = facilities
        self._resources = Resources(site)
        self._claims = Claims(self._resources)
        self._pilots: dict[VehicleId, _Pilot] = {}
        self._out: frozenset[LaneId] = frozenset()
        self._blocked: dict[VehicleId, frozenset[LaneId]] = {}
        """The lanes around each of those who are stuck in an only way."""
        self.changes = 0
        """How often the roads have changed."""
        self.roads = RoadBook(site)
        if times is not None:
            self.roads.learn_from(times)

    # --- who is where ---

    def add(self, spec: VehicleSpec, stand: NodeId) -> None:
        """A vehicle joins the traffic where it stands. Add all of them before the first drive."""
        home = self._site.places[spec.home].node
        self.roads.keep_free(home)
        claim = self._claims.enter(spec.id, stand, home, NOWHERE)
        self._pilots[spec.id] = _Pilot(spec, claim)

    def knows(self, vehicle: VehicleId) -> bool:
        """Whether this vehicle has joined the traffic."""
        return vehicle in self._pilots

    def start(self) -> None:
        """All vehicles have been added: work out everybody's way home."""
        for pilot in self._pilots.values():
            claim = pilot.claim
            self._claims.force(claim, (), self._need_home(pilot, claim.stand))
            self._forget_sessions(pilot)

    def hold(self, vehicle: VehicleId, base: Sequence[NodeId]) -> None:
        """Keep for a vehicle what a former process told it, before anybody is granted anything."""
        pilot = self._pilots[vehicle]
        edges = chain(self._site, pilot.claim.stand, base)
        end = edges[-1].end if edges else pilot.claim.stand
        need = self._need_home(pilot, end)
        self._claims.force(pilot.claim, edges, need, granted=len(edges))

    def _forget_sessions(self, pilot: _Pilot) -> None:
        """Let go of doors and lifts that a former process had asked for and nobody needs now."""
        for door in self._site.doors:
            self._facilities.release_door(door, pilot.spec.id)
        here = self._site.lift_at.get(pilot.claim.stand)
        pilot.lift = here.id if here is not None else None
        for lift in self._site.lifts:
            if lift != pilot.lift:
                self._facilities.release_lift(lift, pilot.spec.id)

    def stand(self, vehicle: VehicleId) -> NodeId:
        """The node on which a vehicle stands, or from which it drives."""
        return self._pilots[vehicle].claim.stand

    def found(self, vehicle: VehicleId, node: NodeId) -> None:
        """A vehicle says where it stands; news only if we don't drive it: a person may have."""
        pilot = self._pilots[vehicle]
        claim = pilot.claim
        if pilot.clearance is not None or claim.stand == node:
            return
        self._unblock(vehicle)
        if claim.edges:
            ends = [edge.end for edge in claim.edges[: claim.granted]]
            if node in ends[claim.passed :]:
                self._claims.pass_to(claim, ends.index(node, claim.passed) + 1)
        else:
            ends = [edge.end for edge in pilot.left]
            pilot.left = pilot.left[ends.index(node) + 1 :] if node in ends else ()
            passed = [edge.end for edge in pilot.escape]
            rest = pilot.escape[passed.index(node) + 1 :] if node in passed else ()
            self._stop(pilot, node, rest)
        self._pump()

    def set_stuck(self, vehicle: VehicleId, stuck: bool) -> None:
        """A vehicle can't move (or can again): others are led around it."""
        pilot = self._pilots[vehicle]
        if pilot.claim.stuck != stuck:
            self._claims.set_stuck(pilot.claim, stuck)
            self._unblock(vehicle)
            for other in self._pilots.values():
                if not other.escape:
                    edges = other.claim.edges
                    end = edges[-1].end if edges else other.claim.stand
                    self._claims.rehome(other.claim, self._need_home(other, end))
            self._pump()

    def waits_for(self, vehicle: VehicleId, now_s: float) -> Refusal | None:
        """Why a driving vehicle gets no further right of way; None = it has all it needs now."""
        pilot = self._pilots[vehicle]
        claim = pilot.claim
        if not claim.held_up:
            return None
        waited = round(self.waited_s(vehicle, now_s))
        stuck = self.blocker(vehicle)
        if stuck is not None:
            return Refusal("waits_for_stuck_vehicle", {"by": stuck, "waited_s": waited})
        holders = [] if claim.wish else self._claims.holders(claim)
        if not holders:
            return Refusal("waits_for_safe_passage", {"waited_s": waited})
        edge = claim.edges[claim.granted]
        if edge.end in self._site.lift_at:
            lift = self._site.lift_at[edge.end].id
            return Refusal("waits_for_lift", {"lift": lift, "by": holders[0], "waited_s": waited})
        return Refusal("waits_for_vehicle", {"by": holders[0], "waited_s": waited})

    def waited_s(self, vehicle: VehicleId, now_s: float) -> float:
        """For how long a vehicle has had no right of way that it needs; 0 = it has all."""
        pilot = self._pilots[vehicle]
        if not pilot.claim.held_up:
            return 0.0
        return now_s - (pilot.asked_s if pilot.claim.wish else pilot.since_s)

    def blocker(self, vehicle: VehicleId) -> VehicleId | None:
        """Who can't move and is why this vehicle waits, directly or over others."""
        claim = self._pilots[vehicle].claim
        found = None if claim.stuck else blocker(self._claims, claim)
        return None if found is None else found.vehicle

    # --- roads ---

    def close(self, lane: LaneId, until_s: float | None) -> None:
        """Close a lane to all who have not been granted it, and lead them around."""
        self.roads.close(lane, until_s)
        self._tell_roads()
        for pilot in self._pilots.values():
            ahead = pilot.claim.edges[pilot.claim.granted :]
            if any(edge.lane.id == lane for edge in ahead):
                self._reroute(pilot, {}, insist=True)

    def open(self, lane: LaneId) -> None:
        """Open a closed lane again."""
        if self.roads.open(lane):
            self._tell_roads()
            self._pump()

    def set_out(self, lanes: frozenset[LaneId]) -> None:
        """Lead all around lanes whose door or lift is out of service, even who waits before it.

        Whoever is in a lift, or has been told to enter it, stays with it.
        """
        self._out = lanes
        self._lead_around(lanes)

    def block(self, vehicle: VehicleId) -> list[VehicleId]:
        """Lead all around one that is stuck in their way, and plan no way over it until it moves.

        Returns:
            Those who are on their way and can't be led around it: better they turn back.
        """
        ends = self._stood_on(self._pilots[vehicle])
        edges = (edge for edges in self._site.edges_from.values() for edge in edges)
        lanes = frozenset(edge.lane.id for edge in edges if edge.end in ends)
        self._blocked[vehicle] = lanes
        return self._lead_around(lanes)

    def blocks(self, vehicle: VehicleId) -> bool:
        """Whether no way is planned over a vehicle, because it is stuck there."""
        return vehicle in self._blocked

    def _unblock(self, vehicle: VehicleId) -> None:
        """It can move again, or stands elsewhere."""
        if self._blocked.pop(vehicle, None) is not None:
            self._lead_around(frozenset())

    def _lead_around(self, lanes: frozenset[LaneId]) -> list[VehicleId]:
        """Other lanes are shut now, ``lanes`` among them; returns who has no way without them."""
        self.roads.set_out(self._out.union(*self._blocked.values()))
        self._tell_roads()
        left: list[VehicleId] = []
        for pilot in self._pilots.values():
            clearance, claim = pilot.clearance, pilot.claim
            if clearance is None or claim.stuck or self._in_lift(clearance):
                continue
            told = clearance.released - 1
            if any(edge.lane.id in lanes for edge in claim.edges[told:]):
                self._take_back(pilot, told)
                self._reroute(pilot, {}, insist=True)
                if any(edge.lane.id in lanes for edge in claim.edges[claim.granted :]):
                    left.append(pilot.spec.id)
        self._pump()
        return left

    def _tell_roads(self) -> None:
        self.changes += 1
        for pilot in self._pilots.values():
            pilot.news.set()

    def _take_back(self, pilot: _Pilot, told: int) -> None:
        """Take back what was granted and not told, and the doors and the lift it waits for."""
        self._claims.take_back(pilot.claim, told)
        for index in [index for index in pilot.doors if index >= told]:
            self._facilities.release_door(pilot.doors.pop(index), pilot.spec.id)
        if pilot.lift is not None and self._is_clear_of_lift(pilot):
            lift, pilot.lift = pilot.lift, None
            self._facilities.release_lift(lift, pilot.spec.id)

    def way(
        self,
        vehicle: VehicleId,
        goal: NodeId,
        *,
        clean_start: bool = False,
        goods_on_board: bool = False,
    ) -> Way:
        """The way to prefer now, led around what others plan to use; raises Unreachable."""
        pilot = self._pilots[vehicle]
        nodes, lanes = self._load(pilot)
        return self.roads.of(pilot.spec, goods_on_board=goods_on_board).shortest(
            pilot.claim.stand, goal, load=nodes, lane_load=lanes, clean_start=clean_start
        )

    def way_home(self, vehicle: VehicleId, *, clean_start: bool = False) -> Way:
        """The way home that everybody counts on; raises Unreachable."""
        pilot = self._pilots[vehicle]
        if pilot.escape:
            return self._escape(pilot)
        return self._home_way(pilot.spec, pilot.claim.stand, clean_start=clean_start)

    def _escape(self, pilot: _Pilot) -> Way:
        """The escape, with a wash in each station from which it leads into a cleaner zone."""
        nodes, edges = self._site.nodes, pilot.escape
        washes = (n for n, e in enumerate(edges) if nodes[e.end].zone < nodes[e.start].zone)
        return Way(
            start=pilot.claim.stand,
            edges=edges,
            seconds=sum(drive_seconds(self._site, edge, pilot.spec.speed_m_s) for edge in edges),
            decontaminations=tuple(washes),
        )

    def _home_way(self, spec: VehicleSpec, start: NodeId, *, clean_start: bool) -> Way:
        """One that may be driven with goods on board, if there is any; else over a station.

        It leads around those who are stuck, as far as that is possible.
        """
        home, load = self._site.places[spec.home].node, self._stuck()
        try:
            return self.roads.of(spec, goods_on_board=True).shortest(start, home, load=load)
        except Unreachable:
            return self.roads.of(spec).shortest(start, home, load=load, clean_start=clean_start)

    def _stuck(self) -> dict[NodeId, float]:
        """The nodes of those who are stuck, each with what it costs to drive there."""
        nodes: dict[NodeId, float] = {}
        for pilot in self._pilots.values():
            if pilot.claim.stuck:
                nodes |= dict.fromkeys(self._stood_on(pilot), 10 * HELD_S)
        return nodes

    @staticmethod
    def _stood_on(pilot: _Pilot) -> tuple[NodeId, ...]:
        """Where a vehicle stands, and wherever it may still drive by itself."""
        claim = pilot.claim
        ahead = (*claim.edges[claim.passed : claim.granted], *pilot.left)
        return claim.stand, *(edge.end for edge in ahead)

    def _load(self, asking: _Pilot) -> tuple[dict[NodeId, float], dict[LaneId, float]]:
        nodes: dict[NodeId, float] = {}
        lanes: dict[LaneId, float] = {}
        for pilot in self._pilots.values():
            if pilot is asking:
                continue
            for edge in pilot.claim.edges[pilot.claim.passed :]:
                if edge.lane.lift is not None:
                    for cabin in self._site.lifts[edge.lane.lift].cabins.values():
                        nodes[cabin] = nodes.get(cabin, 0.0) + 10 * BUSY_S
                    continue
                lanes[edge.lane.id] = lanes.get(edge.lane.id, 0.0) + BUSY_S
                nodes[edge.end] = nodes.get(edge.end, 0.0) + BUSY_S
        for node, seconds in self._stuck().items():
            nodes[node] = nodes.get(node, 0.0) + seconds
        return nodes, lanes

    def _need_home(self, pilot: _Pilot, start: NodeId) -> int:
        places = self._site.places_at.get(start, ())
        clean = any(Role.DECONTAMINATION in place.roles for place in places)
        home = self._site.places[pilot.spec.home].node
        try:
            way = self._home_way(pilot.spec, start, clean_start=clean)
        except Unreachable:
            try:  # over what is closed: it can be driven some day
                way = self.roads.when_open(pilot.spec).shortest(start, home, clean_start=clean)
            except Unreachable:
                return NOWHERE
        return self._resources.way(way.edges)

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
        wish is remembered, for those who want to know why it waits.

        Args:
            makes_room: this is that way home, and no wish of its own.

        Raises:
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._pilots[vehicle]
        claim = pilot.claim
        claim.rank = rank
        goal = edges[-1].end if edges else claim.stand
        if not makes_room:
            self._wish(pilot, edges, goal)
        pilot.halting = False

        def enters() -> bool:
            if pilot.halting:
                raise MissionCancelled
            return self._claims.plan(claim, edges, self._need_home(pilot, goal))

        entered = await self._until_safe(pilot, enters)
        if entered and not makes_room:
            claim.wish = 0
        return entered

    def _wish(self, pilot: _Pilot, edges: Sequence[Edge], goal: NodeId) -> None:
        if not pilot.claim.wish:
            pilot.asked_s = asyncio.get_running_loop().time()
        way_home = self._need_home(pilot, goal)
        pilot.claim.wish = self._resources.way(edges) | (0 if way_home == NOWHERE else way_home)

    async def until_roads_change(self, vehicle: VehicleId, goal: NodeId, seen: int) -> None:
        """Wait for other roads, because none leads to ``goal`` now.

        Args:
            seen: `changes` when none did.

        Raises:
            Unreachable: nothing that is closed is why.
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._pilots[vehicle]
        way = self.roads.when_open(pilot.spec).shortest(pilot.claim.stand, goal)
        self._wish(pilot, way.edges, goal)
        pilot.halting = False
        while self.changes == seen:
            pilot.news.clear()
            await pilot.news.wait()
            if pilot.halting:
                raise MissionCancelled

    def withdraw(self, vehicle: VehicleId) -> None:
        """It does not ask for a way any more."""
        self._pilots[vehicle].claim.wish = 0

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
        pilot = self._pilots[vehicle]
        claim = pilot.claim
        claim.rank = rank
        told, rest = edges[:held], edges[held:]
        stop = told[-1].end if told else claim.stand
        need = self._need_home(pilot, stop)
        self._claims.force(claim, told, need, passed=behind, granted=held)
        pilot.again = [n for n in range(behind, held) if not self._is_plain(edges[n])]
        pilot.told = held
        goal = edges[-1].end if edges else stop
        return await self._until_safe(
            pilot, lambda: self._claims.replan(claim, rest, self._need_home(pilot, goal))
        )

    async def _until_safe(self, pilot: _Pilot, entered: Callable[[], bool]) -> bool:
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
        success or a failed mission, all that it was told, for it may still drive on.
        """
        pilot = self._pilots[vehicle]
        claim = pilot.claim
        start = edges[0].start if edges else claim.stand
        route = waypoints(self._site, start, edges)
        clearance = Clearance(route, 1 + pilot.told)
        pilot.told, pilot.left, pilot.escape = 0, (), ()
        clearance.passed = claim.passed
        claim.rank = rank
        pilot.clearance, pilot.goal, pilot.halting = clearance, route[-1].node, False
        pilot.since_s = asyncio.get_running_loop().time()
        clearance.on_reached(lambda index: self._reached(pilot, index))
        pilot.wake.set()  # some of it may have been granted since it was admitted
        self._pump()
        stands = False
        try:
            yield clearance
            stands = True
        except MissionFailed:
            stands = True
            raise
        finally:
            told = claim.edges[claim.passed : clearance.released - 1]
            pilot.left = told[:1] if stands else told
            pilot.clearance = None
            pilot.behind.extend(pilot.doors.values())
            pilot.doors.clear()
            self._stop(pilot, claim.stand, self._to_the_end(pilot))
            pilot.wake.set()
            self._pump()

    def _to_the_end(self, pilot: _Pilot) -> tuple[Edge, ...]:
        """The rest of its drive, and home from there, as others have counted on it."""
        rest = pilot.claim.edges[pilot.claim.passed :]
        if not rest:
            return ()
        goal = rest[-1].end
        clean = any(Role.DECONTAMINATION in p.roles for p in self._site.places_at.get(goal, ()))
        try:
            return (*rest, *self._home_way(pilot.spec, goal, clean_start=clean).edges)
        except Unreachable:
            return ()

    def _stop(self, pilot: _Pilot, stand: NodeId, rest: tuple[Edge, ...]) -> None:
        """The drive ends at ``stand``; ``rest`` is what others have counted on that it drives.

        Its shortest way home from there may lead over those who need the node that it stands on.
        Then all go on to count on ``rest``: what was safe before is so with that, since it only
        needs back what it gives free.
        """
        before = self._claims.lost()
        pilot.escape = ()
        self._claims.stop(pilot.claim, stand, self._need_home(pilot, stand), keep=pilot.left)
        if rest and self._claims.lost() & ~before:
            pilot.escape = rest
            self._claims.rehome(pilot.claim, self._resources.way(rest))

    async def halt(self, vehicle: VehicleId) -> None:
        """Release nothing more to a vehicle; returns once it may be stopped: outside lifts.

        If it has not been let into the traffic yet, it is not any more.
        """
        pilot = self._pilots[vehicle]
        pilot.halting = True
        if pilot.clearance is None:
            pilot.freed.set()
            pilot.news.set()
        while pilot.clearance is not None and self._in_lift(pilot.clearance):
            pilot.freed.clear()
            await pilot.freed.wait()

    def in_lift(self, vehicle: VehicleId) -> bool:
        """Whether a driving vehicle can't be stopped now."""
        clearance = self._pilots[vehicle].clearance
        return clearance is not None and self._in_lift(clearance)

    def _in_lift(self, clearance: Clearance) -> bool:
        """Whether it is in a cabin, or has been let into one."""
        told = clearance.route[clearance.passed : clearance.released]
        return any(waypoint.node in self._site.lift_at for waypoint in told)

    def _reached(self, pilot: _Pilot, index: int) -> None:
        self._claims.pass_to(pilot.claim, index)
        now_s = asyncio.get_running_loop().time()
        if self._times is not None:
            self._learn(self._times, pilot, pilot.claim.edges[index - 1], now_s - pilot.since_s)
        pilot.since_s = now_s
        pilot.wake.set()
        self._pump()

    def _learn(self, times: TravelTimes, pilot: _Pilot, edge: Edge, took_s: float) -> None:
        """A vehicle has driven an edge; a ride in a lift begins in front of its door."""
        planned_s = drive_seconds(self._site, edge, pilot.spec.speed_m_s)
        if edge.lane.lift is not None:
            in_s, took_in_s = pilot.ride_s
            planned_s, took_s = planned_s + in_s, took_s + took_in_s
        entered = edge.lane.lift is None and times.enters(edge)
        pilot.ride_s = (planned_s, took_s) if entered else (0.0, 0.0)
        if not entered:
            times.learn(edge, planned_s, took_s)

    def _pump(self) -> None:
        """Grant whatever can be granted now, the most urgent first."""
        granted = True
        while granted:
            granted = False
            for claim in self._claims.waiting():
                if claim.granted - claim.passed >= AHEAD or self._is_closed(claim):
                    continue
                if self._claims.grant(claim):
                    self._pilots[claim.vehicle].wake.set()
                    granted = True
        for pilot in self._pilots.values():
            pilot.freed.set()

    def _is_closed(self, claim: Claim) -> bool:
        return self.roads.is_closed(claim.edges[claim.granted].lane.id)

    # --- doors, lifts, detours ---

    async def run(self) -> None:
        """Work doors and lifts for all, and look for detours, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for vehicle, pilot in self._pilots.items():
                group.create_task(self._pilot(pilot), name=f"traffic[{vehicle}].pilot")
            group.create_task(self._look_for_detours(), name="traffic.detours")

    async def _pilot(self, pilot: _Pilot) -> None:
        while True:
            await pilot.wake.wait()
            pilot.wake.clear()
            try:
                await self._make_ready_again(pilot)
                await self._shut_behind(pilot)
                while await self._release_next(pilot):
                    await self._shut_behind(pilot)
            except LinkTimeout as error:
                log.warning("%s; trying again", error, extra={"vehicle": pilot.spec.id})
                pilot.wake.set()

    async def _release_next(self, pilot: _Pilot) -> bool:
        """Release what is granted, once its door or lift is ready; False = nothing to do now."""
        clearance, claim = pilot.clearance, pilot.claim
        if clearance is None or clearance.released > claim.granted:
            return False
        if pilot.halting and not self._in_lift(clearance):
            return False
        first = clearance.released - 1
        last = first
        while last < claim.granted and self._is_plain(claim.edges[last]):
            last += 1
        if last > first:
            clearance.release(last + 1)
            return True
        edge = claim.edges[first]
        if edge.lane.lift is not None:
            if clearance.passed < first:
                return False
            clearance.release(first + 2)
            await self._make_ready(pilot, first, edge)
            return True
        lift = self._site.lift_at.get(edge.end)
        if lift is not None and pilot.lift not in (None, lift.id):  # still leaving another one
            return False
        await self._make_ready(pilot, first, edge)
        if pilot.clearance is not clearance or (pilot.halting and not self._in_lift(clearance)):
            return False
        if claim.granted <= first or claim.edges[first] is not edge:  # it was led another way
            return True
        clearance.release(first + 2)
        return True

    async def _make_ready(self, pilot: _Pilot, index: int, edge: Edge) -> None:
        """Have the lift come that an edge leads into or rides in, and its door opened."""
        lift = self._site.lift_at.get(edge.end)
        if lift is not None:
            pilot.lift = lift.id
            level = self._site.nodes[edge.end].level
            await self._facilities.bring_lift(lift.id, level, pilot.spec.id)
        if edge.lane.door is not None:
            pilot.doors[index] = edge.lane.door
            await self._facilities.open_door(edge.lane.door, pilot.spec.id)

    async def _make_ready_again(self, pilot: _Pilot) -> None:
        while pilot.again:
            index = pilot.again[0]
            if index >= pilot.claim.passed and index < len(pilot.claim.edges):
                await self._make_ready(pilot, index, pilot.claim.edges[index])
            pilot.again = pilot.again[1:]

    def _is_plain(self, edge: Edge) -> bool:
        return (
            edge.lane.lift is None and edge.lane.door is None and edge.end not in self._site.lift_at
        )

    async def _shut_behind(self, pilot: _Pilot) -> None:
        """Let go of the doors and the lift that the vehicle has left."""
        for index in [index for index in pilot.doors if index < pilot.claim.passed]:
            pilot.behind.append(pilot.doors.pop(index))
        while pilot.behind:
            self._facilities.release_door(pilot.behind[0], pilot.spec.id)
            del pilot.behind[0]
        if pilot.lift is not None and self._is_clear_of_lift(pilot):
            lift, pilot.lift = pilot.lift, None
            self._facilities.release_lift(lift, pilot.spec.id)

    def _is_clear_of_lift(self, pilot: _Pilot) -> bool:
        claim = pilot.claim
        cabins = self._site.lifts[pilot.lift].cabins.values() if pilot.lift is not None else ()
        ahead = claim.edges[claim.passed : claim.granted]
        return claim.stand not in cabins and not any(edge.end in cabins for edge in ahead)

    async def _look_for_detours(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(IMPATIENT_S / 2)
            for claim in self._claims.waiting():
                pilot = self._pilots[claim.vehicle]
                idle = claim.granted == claim.passed and pilot.clearance is not None
                if idle and loop.time() - pilot.since_s >= IMPATIENT_S:
                    held = [c for c in self._claims.everyone() if c is not claim]
                    load = {c.stand: HELD_S * (10 if c.stuck else 1) for c in held}
                    self._reroute(pilot, load)
            self._pump()

    def _reroute(
        self, pilot: _Pilot, load: Mapping[NodeId, float], *, insist: bool = False
    ) -> None:
        """Lead the part of a drive that is not granted another way, if there is one."""
        claim, clearance = pilot.claim, pilot.clearance
        if clearance is None or pilot.goal is None:
            return
        start = claim.edges[claim.granted - 1].end if claim.granted else claim.stand
        nodes, lanes = self._load(pilot)
        for node, seconds in load.items():
            nodes[node] = nodes.get(node, 0.0) + seconds
        try:
            way = self.roads.of(pilot.spec).shortest(start, pilot.goal, load=nodes, lane_load=lanes)
        except Unreachable:
            return
        old = claim.edges[claim.granted :]
        if way.edges == old or way.decontaminations:
            return
        if not insist and not self._claims.could_take(claim, way.edges):
            return
        released = clearance.released - 1
        if not self._claims.replan(claim, way.edges, self._need_home(pilot, pilot.goal)):
            return
        clearance.reroute(waypoints(self._site, claim.stand, claim.edges[released:])[1:])
        if insist:
            self._pump()
