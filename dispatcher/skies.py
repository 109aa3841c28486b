"""Rights in the air: pads for one drone at a time, and flights that keep out of each other's way.

Two flights can meet where one climbs or comes down, above its pads, and anywhere on their ways if
they cruise in the same layer of air (`VehicleSpec.cruise_agl_m`). A flight waits on the ground
while it could come too near one that is in the air.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shapely import LineString
from shapely import Point as Spot

from fleet.errors import MissionCancelled
from fleet.mission import Clearance, Waypoint
from fleet.vehicle import VehicleId, VehicleSpec
from routing.refusal import Refusal
from routing.site import NodeId, Site

COLUMN_M = 9.0
"""Radius of the column of air above a pad that a climbing or landing drone needs."""
LAYER_M = 6.0
"""Flights whose heights differ by less are in the same layer."""


@dataclass(frozen=True, slots=True)
class _Flight:
    line: LineString
    columns: tuple[Spot, ...]
    height_m: float

    def meets(self, other: "_Flight") -> bool:
        """Whether one passes where the other does, climbs or comes down."""
        same_layer = abs(self.height_m - other.height_m) < LAYER_M
        if same_layer and self.line.distance(other.line) < COLUMN_M:
            return True
        return any(column.distance(other.line) < COLUMN_M for column in self.columns) or any(
            column.distance(self.line) < COLUMN_M for column in other.columns
        )


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
    """Who has which pad, and who is in the air."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._homes: dict[NodeId, VehicleId] = {}
        self._pads: dict[NodeId, VehicleId] = {}
        self._heights_m: dict[VehicleId, float] = {}
        self._flights: dict[VehicleId, _Flight] = {}
        self._waiters: list[_Waiter] = []

    def add(self, spec: VehicleSpec, pad: NodeId) -> None:
        """A drone stands on a pad; its home is always kept for it."""
        home = self._site.places[spec.home].node
        self._homes[home] = spec.id
        self._heights_m[spec.id] = spec.cruise_agl_m
        if pad != home:
            self._pads[pad] = spec.id

    def keep(self, vehicle: VehicleId, route: Sequence[Waypoint], pads: Sequence[NodeId]) -> None:
        """At the start of the program: what a former process gave a drone is still its own.

        Call it for all drones before any of them asks for more; `fly` for the route takes it up.
        """
        for pad in pads:
            if pad not in self._homes:
                self._pads.setdefault(pad, vehicle)
        if len(route) > 1:
            self._flights[vehicle] = self._flight(vehicle, route)

    def free(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> bool:
        """Whether a drone could have all these pads now."""
        return all(
            (self._homes.get(pad) or self._pads.get(pad) or vehicle) == vehicle for pad in pads
        )

    async def reserve(
        self, vehicle: VehicleId, pads: Sequence[NodeId], rank: tuple[int, float]
    ) -> None:
        """Wait until all these pads are free, and keep them: all at once or none."""

        def take() -> None:
            for pad in pads:
                if pad not in self._homes:
                    self._pads[pad] = vehicle

        def why() -> Refusal:
            holders = (self._homes.get(pad) or self._pads.get(pad) or vehicle for pad in pads)
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
    ) -> AsyncGenerator[Clearance]:
        """The right to fly ``route``, once nothing that is in the air is in the way.

        Args:
            leaves: whether it leaves the air behind it to others, waypoint by waypoint.
        """
        flight = self._flight(vehicle, route)

        def take() -> None:
            self._flights[vehicle] = flight

        def why() -> Refusal:
            return Refusal("waits_for_airspace", {"by": self._in_the_way(flight, vehicle)[0]})

        def free() -> bool:
            return not self._in_the_way(flight, vehicle)

        def passed(number: int) -> None:
            nonlocal flight
            if self._flights.get(vehicle) is flight and 0 < number < len(route) - 1:
                flight = self._flights[vehicle] = self._flight(vehicle, route[number:])
                self._pump()

        await self._wait(_Waiter(vehicle, rank, free, take, why))
        clearance = Clearance(route, len(route))
        if leaves:
            clearance.on_reached(passed)
        try:
            yield clearance
        finally:
            if self._flights.get(vehicle) is flight:
                del self._flights[vehicle]
            self._pump()

    def hinders(self, vehicle: VehicleId, route: Sequence[Waypoint]) -> VehicleId | None:
        """Who is in the way of a flight now; None = nobody."""
        return next(iter(self._in_the_way(self._flight(vehicle, route), vehicle)), None)

    def turn(self, vehicle: VehicleId, route: Sequence[Waypoint]) -> bool:
        """Exchange the right to fly on for another one, in flight; False = somebody's in the way.

        The air of the new flight is its own from here on; `fly` for it then need not wait.
        """
        flight = self._flight(vehicle, route)
        if self._in_the_way(flight, vehicle):
            return False
        self._flights[vehicle] = flight
        self._pump()
        return True

    def drop(self, vehicle: VehicleId) -> None:
        """A drone is on the ground and has no flight: what it turned to is over."""
        if self._flights.pop(vehicle, None) is not None:
            self._pump()

    def _flight(self, vehicle: VehicleId, route: Sequence[Waypoint]) -> _Flight:
        """Climbing at the start, unless that is in the air, and coming down at the end."""
        points = [(waypoint.point.x_m, waypoint.point.y_m) for waypoint in route]
        ends = points[-1:] if route[0].height_agl_m else (points[0], points[-1])
        return _Flight(
            LineString(points), tuple(Spot(end) for end in ends), self._heights_m[vehicle]
        )

    def waits_for(self, vehicle: VehicleId) -> Refusal | None:
        """Why a drone stays on the ground; None = it doesn't wait."""
        return next((w.why() for w in self._waiters if w.vehicle == vehicle), None)

    def _in_the_way(self, flight: _Flight, vehicle: VehicleId) -> list[VehicleId]:
        others = ((id_, other) for id_, other in self._flights.items() if id_ != vehicle)
        return [id_ for id_, other in others if flight.meets(other)]

    async def _wait(self, waiter: _Waiter) -> None:
        self._waiters.append(waiter)
        self._waiters.sort(key=lambda one: one.rank)
        self._pump()
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
