"""Rights in the air: pads for one drone at a time, and flights that keep out of each other's way.

Two flights can meet where one climbs or comes down, above its pads, and anywhere on their ways if
they cruise in the same layer of air (`VehicleSpec.cruise_agl_m`). A flight waits on the ground
while it could come too near one that is in the air; not if it has passed above the other's pad
some seconds before the other could come down there.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from shapely import LineString
from shapely import Point as Spot
from shapely.geometry.base import BaseGeometry

from dispatcher.air.docks import Docks
from dispatcher.air.passing import COLUMN_M, AirTimes, Passage, passage_over
from fleet.errors import MissionCancelled, MissionFailed
from fleet.mission import Clearance, Waypoint
from fleet.vehicle import VehicleId, VehicleSpec
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import NodeId, Site

LAYER_M = 6.0
"""Flights whose heights differ by less are in the same layer."""
AHEAD_S = 5.0
"""So long before another one could land, who passes above its pad must be past."""


@dataclass(frozen=True, slots=True)
class _Flight:
    vehicle: VehicleId
    line: BaseGeometry
    columns: tuple[Spot, ...]
    height_m: float
    passage: Passage | None = None
    """Where it may pass above the pads of others in good time."""
    rest: BaseGeometry | None = None
    """What comes after that."""
    key: object = field(default_factory=object)
    """Whose right it is: of one that is widened in flight, the same."""

    def beside(self, other: "_Flight") -> bool:
        """Whether both pass one spot in the same layer."""
        same_layer = abs(self.height_m - other.height_m) < LAYER_M
        return same_layer and self.line.distance(other.line) < COLUMN_M

    def below(self, other: "_Flight") -> list[Spot]:
        """Above which pads where it climbs or comes down another one passes."""
        return [column for column in self.columns if column.distance(other.line) < COLUMN_M]

    def comes_back_over(self, column: Spot) -> bool:
        """Whether it is above a pad outside of its passage, too."""
        return self.rest is None or self.rest.distance(column) < COLUMN_M

    def with_way_back(self, back: LineString) -> "_Flight":
        """The same flight with another way down."""
        return replace(
            self,
            line=self.line.union(back),
            columns=(*self.columns, Spot(back.coords[-1])),
            rest=back if self.rest is None else self.rest.union(back),
        )


@dataclass(frozen=True, slots=True)
class Crossing:
    """One drone in the air is to pass above a pad where another one in the air is to land."""

    passer: VehicleId
    lander: VehicleId
    pad: Spot
    passage: Passage


@dataclass(slots=True)
class _Waiter:
    vehicle: VehicleId
    rank: tuple[int, float]
    free: Callable[[], bool]
    take: Callable[[], None]
    why: Callable[[], Refusal]
    granted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Skies:
    """Who has which pad, and who is in the air.

    Args:
        times: how soon drones could be somewhere; None = nobody passes before another lands.
    """

    def __init__(self, site: Site, docks: Docks, times: AirTimes | None = None) -> None:
        self._site, self._docks, self._times = site, docks, times
        self.news = asyncio.Event()
        """Set whenever a flight begins, or has to wait; whoever waits for it clears it."""
        self.held_for: dict[VehicleId, VehicleId] = {}
        """Who waits in the air, and for whom."""
        self._pads: dict[NodeId, VehicleId] = {}
        self._heights_m: dict[VehicleId, float] = {}
        self._flights: dict[VehicleId, _Flight] = {}
        self._back: dict[VehicleId, LineString] = {}
        """Who comes back off its flight, and by which way."""
        self._waiters: list[_Waiter] = []

    def add(self, spec: VehicleSpec, pad: NodeId) -> None:
        """A drone stands on a pad; its home is always kept for it."""
        home = self._site.places[spec.home].node
        ground_m = self._site.ground_m(self._site.nodes[home].point)
        self._heights_m[spec.id] = ground_m + spec.cruise_agl_m
        if pad != home:
            self._pads[pad] = spec.id

    def keep(
        self,
        vehicle: VehicleId,
        route: Sequence[Waypoint],
        pads: Sequence[NodeId],
        passes: int = 0,
    ) -> None:
        """At the start of the program: what a former process gave a drone is still its own.

        Call it for all drones before any of them asks for more; `fly` for the route takes it up.

        Args:
            passes: as for `fly`.
        """
        for pad in pads:
            if self._docks.owner(pad) is None:
                self._pads.setdefault(pad, vehicle)
        if len(route) > 1:
            self._put(self._flight(vehicle, route, passes))

    def free(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> bool:
        """Whether a drone could have all these pads now."""
        return all(self._holder(pad) in (None, vehicle) for pad in pads)

    def _holder(self, pad: NodeId) -> VehicleId | None:
        return self._docks.owner(pad) or self._pads.get(pad)

    async def reserve(
        self, vehicle: VehicleId, pads: Sequence[NodeId], rank: tuple[int, float]
    ) -> None:
        """Wait until all these pads are free, and keep them: all at once or none.

        Raises:
            MissionFailed: one is another drone's dock, which never is.
        """
        for pad in pads:
            owner = self._docks.owner(pad)
            if owner not in (None, vehicle):
                raise MissionFailed(Refusal("dock_of_another", {"value": pad, "by": owner}))

        def take() -> None:
            for pad in pads:
                if self._docks.owner(pad) is None:
                    self._pads[pad] = vehicle

        def why() -> Refusal:
            holders = (self._holder(pad) or vehicle for pad in pads)
            other = next((holder for holder in holders if holder != vehicle), vehicle)
            return Refusal("waits_for_pad", {"by": other})

        await self._wait(_Waiter(vehicle, rank, lambda: self.free(vehicle, pads), take, why))

    def withdraw(self, vehicle: VehicleId) -> None:
        """A drone does not want what it waits for any more: its wait ends as cancelled."""
        for waiter in [w for w in self._waiters if w.vehicle == vehicle]:
            self._waiters.remove(waiter)
            waiter.granted.set_exception(MissionCancelled())

    def leave(self, vehicle: VehicleId, *, keep: Sequence[NodeId] = ()) -> None:
        """A drone needs none of its pads any more but ``keep``."""
        for pad in [p for p, holder in self._pads.items() if holder == vehicle and p not in keep]:
            del self._pads[pad]
        self._pump()

    @asynccontextmanager
    async def fly(
        self,
        vehicle: VehicleId,
        route: Sequence[Waypoint],
        rank: tuple[int, float],
        *,
        leaves: bool = False,
        passes: int = 0,
    ) -> AsyncGenerator[Clearance]:
        """The right to fly ``route``, once nothing that is in the air is in the way.

        Args:
            leaves: whether it leaves the air behind it to others, waypoint by waypoint.
            passes: up to which waypoint it flies without a stay, so that it may pass above pads
                in good time before others land there.
        """
        flight = self._flight(vehicle, route, passes)

        def take() -> None:
            self._put(flight)

        by = next(iter(self._in_the_way(flight)), vehicle)

        def why() -> Refusal:
            nonlocal by
            by = next(iter(self._in_the_way(flight)), by)
            return Refusal("waits_for_airspace", {"by": by})

        def free() -> bool:
            has = self._flights.get(vehicle)
            return (has is not None and has.line == flight.line) or not self._in_the_way(flight)

        def passed(number: int) -> None:
            nonlocal flight
            if self._flights.get(vehicle) is flight and 0 < number < len(route) - 1:
                flight = self._flight(vehicle, route[number:], max(0, passes - number))
                self._put(flight)
                self._pump()

        await self._wait(_Waiter(vehicle, rank, free, take, why))
        clearance = Clearance(route, len(route))
        if leaves:
            clearance.on_reached(passed)
        try:
            yield clearance
        finally:
            held = self._flights.get(vehicle)
            if held is not None and held.key is flight.key:
                del self._flights[vehicle]
            self._pump()

    def cut_short(self, vehicle: VehicleId, here: Point, goal: Point) -> bool:
        """The right to leave out a part of a flight, in flight; False = somebody's in the way.

        Args:
            goal: where it goes straight to from ``here``, and on from there as before.
        """
        flight = self._flights.get(vehicle)
        if flight is None or here == goal:
            return flight is not None
        straight = LineString([(here.x_m, here.y_m), (goal.x_m, goal.y_m)])
        if self._in_the_way(replace(flight, line=straight, columns=(), passage=None)):
            return False
        self._put(replace(flight, line=flight.line.union(straight)))
        return True

    def comes_back(self, vehicle: VehicleId, here: Point, pad: NodeId) -> None:
        """A drone comes back unasked to where it took off: nobody else begins to fly there.

        Its flight keeps its own air too, for it may be told to go on. Whoever is in the air in the
        way of it has its right already.
        """
        if vehicle not in self._back:
            goal = self._site.nodes[pad].point
            self._back[vehicle] = LineString([(here.x_m, here.y_m), (goal.x_m, goal.y_m)])
            if vehicle in self._flights:
                self._put(self._flights[vehicle])

    def has_come_back(self, vehicle: VehicleId) -> None:
        """It is down, or flies as it is told again."""
        self._back.pop(vehicle, None)

    def hinders(
        self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0
    ) -> VehicleId | None:
        """Who is in the way of a flight now; None = nobody.

        Args:
            passes: as for `fly`.
        """
        return next(iter(self._in_the_way(self._flight(vehicle, route, passes))), None)

    def turn(self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0) -> bool:
        """Exchange the right to fly on for another one, in flight; False = somebody's in the way.

        The air of the new flight is its own from here on; `fly` for it then need not wait.

        Args:
            passes: as for `fly`.
        """
        flight = self._flight(vehicle, route, passes)
        if self._in_the_way(flight):
            return False
        self._put(flight)
        self._pump()
        return True

    def crossings(self) -> list[Crossing]:
        """All that have not passed yet above a pad where somebody is to land."""
        return [
            Crossing(passer.vehicle, lander.vehicle, pad, passer.passage)
            for passer in self._flights.values()
            if passer.passage is not None
            for lander in self._flights.values()
            if lander is not passer
            for pad in lander.below(passer)
            if passer.passage.reach_m(pad) is not None and not self._is_past(passer, pad)
        ]

    def drop(self, vehicle: VehicleId) -> None:
        """A drone is on the ground and has no flight: what it turned to is over."""
        if self._flights.pop(vehicle, None) is not None:
            self._pump()

    def _flight(self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0) -> _Flight:
        """Climbing at the start, unless that is in the air, and coming down at the end."""
        points = [(waypoint.point.x_m, waypoint.point.y_m) for waypoint in route]
        ends = points[-1:] if route[0].height_agl_m else (points[0], points[-1])
        passage = passage_over([waypoint.point for waypoint in route[: passes + 1]])
        return _Flight(
            vehicle,
            LineString(points),
            tuple(Spot(end) for end in ends),
            self._heights_m[vehicle],
            passage,
            LineString(points[passes:]) if passage is not None else None,
        )

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for anything."""
        return bool(self._waiters)

    def look_again(self) -> None:
        """Grant what can be granted by now: who is past a pad is so without a word."""
        self._pump()

    def _put(self, flight: _Flight) -> None:
        back = self._back.get(flight.vehicle)
        self._flights[flight.vehicle] = flight if back is None else flight.with_way_back(back)
        self.news.set()

    def waits_for(self, vehicle: VehicleId) -> Refusal | None:
        """Why a drone stays on the ground; None = it doesn't wait."""
        if vehicle in self.held_for:
            return Refusal("waits_for_airspace", {"by": self.held_for[vehicle]})
        return next((w.why() for w in self._waiters if w.vehicle == vehicle), None)

    def _in_the_way(self, flight: _Flight) -> list[VehicleId]:
        others = (other for other in self._flights.values() if other.vehicle != flight.vehicle)
        return [other.vehicle for other in others if self._meet(flight, other)]

    def _meet(self, one: _Flight, other: _Flight) -> bool:
        """Whether one passes where the other does, climbs or comes down, at a time when it may."""
        if one.beside(other):
            return True
        pairs = ((one, other), (other, one))
        return any(
            not self._passes_first(passer, lander, pad)
            for passer, lander in pairs
            for pad in lander.below(passer)
        )

    def _passes_first(self, passer: _Flight, lander: _Flight, pad: Spot) -> bool:
        """Whether one is past a pad in good time before the other can land there."""
        if self._times is None or passer.passage is None or passer.comes_back_over(pad):
            return False
        past_s = self._times.past_s(passer.vehicle, passer.passage, pad)
        return not past_s or past_s + AHEAD_S <= self._times.soonest_s(lander.vehicle, pad)

    def _is_past(self, passer: _Flight, pad: Spot) -> bool:
        times, passage = self._times, passer.passage
        return times is None or passage is None or not times.past_s(passer.vehicle, passage, pad)

    async def _wait(self, waiter: _Waiter) -> None:
        self._waiters.append(waiter)
        self._waiters.sort(key=lambda one: one.rank)
        self._pump()
        if not waiter.granted.done():
            self.news.set()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _pump(self) -> None:
        for waiter in tuple(self._waiters):
            if waiter.free():
                waiter.take()
                self._waiters.remove(waiter)
                waiter.granted.set_result(None)
