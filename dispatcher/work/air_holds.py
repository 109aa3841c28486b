"""Who waits in the air while one drone passes above a pad where another is to land.

Such a flight begins only if it will be past in good time: see `dispatcher.air.air_in_use`. Here it
is followed. If it is late, or the other one comes home sooner than anybody planned, the other one
waits where it is, in its own layer, until the pad is free. One that can't be told to wait, for its
link is gone or it comes down already, goes first: then the passer waits before the pad.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from dispatcher.air.air_in_use import AHEAD_S, Crossing
from dispatcher.air.passing import COLUMN_M, AirTimes
from dispatcher.air.skies import Skies
from dispatcher.records.book import TaskBook
from dispatcher.work.worker import Worker
from fleet.errors import FleetError
from fleet.roster import Roster
from fleet.vehicle import GivesWay, VehicleId
from routing.geometry import Point

log = logging.getLogger(__name__)

LOOK_S = 1.0
AT_LEAST_S = 2.0
"""With less time between the two, one of them waits."""
STOPS_S = 4.0
"""A passer that comes above the pad sooner than this is not stopped any more."""
LOWER_M = 2.0
"""So far below its layer above its pad a drone comes down."""
LANDER_WAITS_S = 60.0
PASSER_WAITS_S = 120.0
"""No wait is longer; a landing out of hearing has come to its end by then."""
ASKED_AGAIN_S = 5.0
HELD, LET_ON = "air_hold", "air_hold_ended"
"""Events of the journal."""


class AirHolds:
    """Follows all crossings of one site."""

    def __init__(
        self,
        skies: Skies,
        times: AirTimes,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        book: TaskBook,
    ) -> None:
        self._skies, self._times = skies, times
        self._roster, self._workers, self._book = roster, workers, book
        self._holds: dict[VehicleId, float] = {}
        """Who waits, and since when."""
        self._spent: dict[tuple[VehicleId, VehicleId], None] = {}
        """Who has waited for whom as long as may be."""
        self._deaf: dict[VehicleId, float] = {}
        """Who would not wait, or did not hear; and until when it is not asked again."""

    def restore(self, held: Mapping[VehicleId, VehicleId]) -> None:
        """Take up who waited for whom before a restart."""
        now_s = self._book.now_s()
        for vehicle, other in held.items():
            if vehicle in self._workers:
                self._holds[vehicle] = now_s
                self._skies.held_for[vehicle] = other
        if self._holds:
            self._skies.news.set()

    async def resume(self) -> None:
        """Once the vehicles are heard: who waited before a restart does so still."""
        for vehicle in self._holds:
            await self._tell(vehicle, waits=True)

    async def run(self) -> None:
        """Have drones wait and go on, until cancelled."""
        follows, news = False, self._skies.news
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if follows else None):
                    await news.wait()
            news.clear()
            follows = await self._look()

    async def _look(self) -> bool:
        """Judge the present moment; False = there is nothing to follow."""
        crossings = self._skies.crossings()
        wanted: dict[VehicleId, VehicleId] = {}
        for crossing in crossings:
            waits = self._who_waits(crossing)
            if waits is not None:
                lands = waits == crossing.lander
                wanted[waits] = crossing.passer if lands else crossing.lander
        for vehicle in [v for v in self._holds if v not in wanted]:
            await self._let_on(vehicle)
        for vehicle, other in wanted.items():
            if vehicle not in self._holds:
                await self._hold(vehicle, other)
        if not crossings:
            self._spent.clear()
        self._skies.look_again()
        return bool(crossings or self._holds or self._skies.awaited)

    def _who_waits(self, crossing: Crossing) -> VehicleId | None:
        """One of the two, if they could meet; None = neither need, or can."""
        passer, lander = crossing.passer, crossing.lander
        if not self._roster[lander].state().airborne:
            return None
        way = passer, crossing.passage, crossing.pad
        between_s = self._times.soonest_s(lander, crossing.pad) - self._times.past_s(*way)
        waiting = lander in self._holds or passer in self._holds
        if between_s >= (AHEAD_S if waiting else AT_LEAST_S):
            return None
        if self._can_wait(lander, passer, LANDER_WAITS_S) and not self._comes_down(crossing):
            return lander
        before = passer in self._holds or self._times.enters_s(*way) >= STOPS_S
        return passer if before and self._can_wait(passer, lander, PASSER_WAITS_S) else None

    def _can_wait(self, vehicle: VehicleId, other: VehicleId, most_s: float) -> bool:
        state, since_s = self._roster[vehicle].state(), self._holds.get(vehicle)
        if since_s is not None and self._book.now_s() - since_s >= most_s:
            self._spent[vehicle, other] = None
        if (vehicle, other) in self._spent or not state.airborne or not state.fit:
            return False
        deaf = self._book.now_s() < self._deaf.get(vehicle, 0.0)
        return not deaf and self._workers[vehicle].commanded_by is None

    def _comes_down(self, crossing: Crossing) -> bool:
        """Whether who is to land is above the pad and below its layer."""
        vehicle = self._roster[crossing.lander]
        position = vehicle.state().position
        if position is None:
            return False
        near = position.point.distance_m(Point(crossing.pad.x, crossing.pad.y)) < COLUMN_M
        return near and position.height_agl_m < vehicle.spec.cruise_agl_m - LOWER_M

    async def _hold(self, vehicle: VehicleId, other: VehicleId) -> None:
        """On disk first, so that nobody is left waiting by a restart."""
        self._holds[vehicle] = self._book.now_s()
        self._skies.held_for[vehicle] = other
        await self._book.note(HELD, vehicle=vehicle, other=other)
        if not await self._tell(vehicle, waits=True):
            self._deaf[vehicle] = self._book.now_s() + ASKED_AGAIN_S

    async def _let_on(self, vehicle: VehicleId) -> None:
        """Once it has heard it, unless a person commands it by now."""
        commanded = self._workers[vehicle].commanded_by is not None
        if not commanded and not await self._tell(vehicle, waits=False):
            return
        del self._holds[vehicle]
        self._skies.held_for.pop(vehicle, None)
        await self._book.note(LET_ON, vehicle=vehicle)

    async def _tell(self, vehicle: VehicleId, *, waits: bool) -> bool:
        """Have it wait or go on; False = it won't, or doesn't hear."""
        one = self._roster[vehicle]
        if not isinstance(one, GivesWay):
            return False
        try:
            await (one.wait_on_way() if waits else one.end_wait())
        except FleetError as error:
            log.warning("in the air: %s", error, extra={"vehicle": vehicle, "waits": waits})
            return False
        return True
