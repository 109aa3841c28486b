"""Rights in the air: pads for one drone at a time, and flights that keep out of each other's way.

A flight waits on the ground while it could come too near one that is in the air: see
`dispatcher.air.air_in_use`.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from shapely import LineString

from dispatcher.air.air_in_use import AirInUse, Crossing
from dispatcher.air.docks import Docks
from dispatcher.air.pads import Pads
from dispatcher.air.passing import AirTimes
from dispatcher.air.sky_queue import SkyQueue, Waiter
from fleet.mission import Clearance, Waypoint
from fleet.vehicle import VehicleId, VehicleSpec
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import NodeId, Site


class Skies:
    """Who has which pad, who is in the air, and who waits for either.

    Args:
        times: how soon drones could be somewhere; None = nobody passes before another lands.
    """

    def __init__(self, site: Site, docks: Docks, times: AirTimes | None = None) -> None:
        self._site = site
        self.news = asyncio.Event()
        """Set whenever a flight begins, or has to wait; whoever waits for it clears it."""
        self.held_for: dict[VehicleId, VehicleId] = {}
        """Who waits in the air, and for whom."""
        self._pads = Pads(docks)
        self._air = AirInUse(times, self.news)
        self._queue = SkyQueue(self.news)

    def add(self, spec: VehicleSpec, pad: NodeId) -> None:
        """A drone stands on a pad; its home is always kept for it."""
        home = self._site.places[spec.home].node
        ground_m = self._site.ground_m(self._site.nodes[home].point)
        self._air.add(spec.id, ground_m + spec.cruise_agl_m)
        if pad != home:
            self._pads.take(spec.id, [pad])

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
        self._pads.keep(vehicle, pads)
        if len(route) > 1:
            self._air.put(self._air.flight(vehicle, route, passes))

    # --- pads ---

    def free(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> bool:
        """Whether a drone could have all these pads now."""
        return self._pads.free(vehicle, pads)

    async def reserve(
        self, vehicle: VehicleId, pads: Sequence[NodeId], rank: tuple[int, float]
    ) -> None:
        """Wait until all these pads are free, and keep them: all at once or none.

        Raises:
            MissionFailed: one is another drone's dock, which never is.
        """
        self._pads.check(vehicle, pads)

        def why() -> Refusal:
            holders = (self._pads.holder(pad) or vehicle for pad in pads)
            other = next((holder for holder in holders if holder != vehicle), vehicle)
            return Refusal("waits_for_pad", {"by": other})

        await self._queue.wait(
            Waiter(
                vehicle,
                rank,
                free=lambda: self._pads.free(vehicle, pads),
                take=lambda: self._pads.take(vehicle, pads),
                why=why,
            )
        )

    def leave(self, vehicle: VehicleId, *, keep: Sequence[NodeId] = ()) -> None:
        """A drone needs none of its pads any more but ``keep``."""
        self._pads.leave(vehicle, keep)
        self._queue.grant()

    # --- flights ---

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
        flight = self._air.flight(vehicle, route, passes)

        def take() -> None:
            self._air.put(flight)

        by = next(iter(self._air.in_the_way(flight)), vehicle)

        def why() -> Refusal:
            nonlocal by
            by = next(iter(self._air.in_the_way(flight)), by)
            return Refusal("waits_for_airspace", {"by": by})

        def free() -> bool:
            has = self._air.of(vehicle)
            return (has is not None and has.line == flight.line) or not self._air.in_the_way(flight)

        def passed(number: int) -> None:
            nonlocal flight
            if self._air.of(vehicle) is flight and 0 < number < len(route) - 1:
                flight = self._air.flight(vehicle, route[number:], max(0, passes - number))
                self._air.put(flight)
                self._queue.grant()

        await self._queue.wait(Waiter(vehicle, rank, free, take, why))
        clearance = Clearance(route, len(route))
        if leaves:
            clearance.on_reached(passed)
        try:
            yield clearance
        finally:
            held = self._air.of(vehicle)
            if held is not None and held.key is flight.key:
                self._air.drop(vehicle)
            self._queue.grant()

    def cut_short(self, vehicle: VehicleId, here: Point, goal: Point) -> bool:
        """The right to leave out a part of a flight, in flight; False = somebody's in the way.

        Args:
            goal: where it goes straight to from ``here``, and on from there as before.
        """
        flight = self._air.of(vehicle)
        if flight is None or here == goal:
            return flight is not None
        straight = LineString([(here.x_m, here.y_m), (goal.x_m, goal.y_m)])
        if self._air.in_the_way(replace(flight, line=straight, columns=(), passage=None)):
            return False
        self._air.put(replace(flight, line=flight.line.union(straight)))
        return True

    def turn(self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0) -> bool:
        """Exchange the right to fly on for another one, in flight; False = somebody's in the way.

        The air of the new flight is its own from here on; `fly` for it then need not wait.

        Args:
            passes: as for `fly`.
        """
        flight = self._air.flight(vehicle, route, passes)
        if self._air.in_the_way(flight):
            return False
        self._air.put(flight)
        self._queue.grant()
        return True

    def drop(self, vehicle: VehicleId) -> None:
        """A drone is on the ground and has no flight: what it turned to is over."""
        if self._air.drop(vehicle):
            self._queue.grant()

    def comes_back(self, vehicle: VehicleId, here: Point, pad: NodeId) -> None:
        """A drone comes back unasked to where it took off: nobody else begins to fly there.

        Its flight keeps its own air too, for it may be told to go on. Whoever is in the air in the
        way of it has its right already.
        """
        self._air.comes_back(vehicle, here, self._site.nodes[pad].point)

    def has_come_back(self, vehicle: VehicleId) -> None:
        """It is down, or flies as it is told again."""
        self._air.has_come_back(vehicle)

    # --- who is in whose way ---

    def hinders(
        self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0
    ) -> VehicleId | None:
        """Who is in the way of a flight now; None = nobody.

        Args:
            passes: as for `fly`.
        """
        return next(iter(self._air.in_the_way(self._air.flight(vehicle, route, passes))), None)

    def crossings(self) -> list[Crossing]:
        """All that have not passed yet above a pad where somebody is to land."""
        return self._air.crossings()

    # --- who waits ---

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for anything."""
        return bool(self._queue)

    def look_again(self) -> None:
        """Grant what can be granted by now: who is past a pad is so without a word."""
        self._queue.grant()

    def withdraw(self, vehicle: VehicleId) -> None:
        """A drone does not want what it waits for any more: its wait ends as cancelled."""
        self._queue.withdraw(vehicle)

    def waits_for(self, vehicle: VehicleId) -> Refusal | None:
        """Why a drone stays on the ground; None = it doesn't wait."""
        if vehicle in self.held_for:
            return Refusal("waits_for_airspace", {"by": self.held_for[vehicle]})
        return self._queue.why(vehicle)
