"""What one vehicle does between tasks: charge, unplug, and go where it waits for work."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from dispatcher.domain.charging import PlannedCharge
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.views import Activity
from dispatcher.missions.execution import Mover
from dispatcher.planning.planner import Planner
from dispatcher.planning.waiting import WaitingPlaces
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Need
from dispatcher.work.charge_wish import ChargeWish
from dispatcher.work.hand import Hand, Trip, idle_trip
from dispatcher.work.shift_work import ShiftWork
from fleet.errors import MissionCancelled
from fleet.vehicle import Vehicle
from routing.refusal import Refusal
from routing.site import NodeId

log = logging.getLogger(__name__)

PARK = "park"
"""The purpose of a drive to where a vehicle waits for work."""
UNPOWERED_S = 60.0
"""Whoever should charge and says for so long that it does not is connected once more."""
ASK_S = 30.0
"""How often it is asked whether a charge was long enough, once it has lasted as planned."""


class Rest:
    """One vehicle's charges and waits, all of which work may end early.

    Args:
        waiting: where it may wait besides its home; None = nowhere.
        why_drop: why it has to leave off at once: a call, or a command; None = it need not.
        word: set whenever something may have changed for the vehicle.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        planner: Planner,
        shifts: ShiftWork,
        wish: ChargeWish,
        waiting: WaitingPlaces | None,
        why_drop: Callable[[], Refusal | None],
        word: asyncio.Event,
    ) -> None:
        self._vehicle, self._mover, self._hand, self._book = vehicle, mover, hand, book
        self._planner, self._shifts, self._wish = planner, shifts, wish
        self._waiting, self._why_drop, self._word = waiting, why_drop, word
        self._id = vehicle.spec.id

    # --- charging ---

    def need(self) -> Need | None:
        """How much it wants to charge now; None = it doesn't, or has something else to do first."""
        if self._hand.aboard or self._hand.task or self._shifts.engaged:
            return None
        return self._wish.need()

    def planned(self) -> PlannedCharge | None:
        """The charge that it should go for now by the plan."""
        return None if self._hand.aboard else self._wish.by_plan()

    async def charge_as_planned(self) -> None:
        """Charge until the plan needs no more of it; then the next one may have the charger."""
        planned = self.planned()
        if planned is None:
            return
        self.leave_post()
        self._hand.activity = Activity.CHARGING
        drive = self._mover.charge(self._trip("charge"), planned.charger)
        if not await self._unless(lambda: self.planned() is None, drive):
            return
        asks_s = self._book.now_s() + planned.seconds

        def goes_on() -> bool:
            nonlocal asks_s
            if self._book.now_s() >= asks_s:
                self._planner.poke()
                asks_s = self._book.now_s() + ASK_S
            return self._wish.goes_on_by_plan()

        await self._stay_while(goes_on)

    async def charge(self) -> None:
        """Charge: far enough to work again if it must, until there is work if it need not."""
        self.leave_post()
        self._hand.activity = Activity.CHARGING
        if not await self._unless(self._has_work, self._mover.charge(self._trip("charge"))):
            return
        await self._stay_while(self._wish.goes_on)
        self._wish.charged()

    async def _stay_while(self, goes_on: Callable[[], bool]) -> None:
        """Stay at the charger for as long as that is wanted, and it gives something."""
        fullest, charged_s = 0.0, self._book.now_s()
        while goes_on() and not (self._shifts.engaged or self._why_drop() is not None):
            state, now_s = self._vehicle.state(), self._book.now_s()
            ratio = state.charge_ratio or 0.0
            if state.charging or ratio > fullest or not state.fit or not self._mover.plugged:
                fullest, charged_s = ratio, now_s
            elif now_s >= charged_s + UNPOWERED_S:
                log.warning("does not charge, though connected", extra={"vehicle": self._id})
                return
            self._word.clear()
            await self._word.wait()

    async def unplug(self) -> None:
        """Leave off charging, and stay."""
        await self._mover.unplug(self._trip("unplug"))

    # --- waiting for work ---

    @property
    def post(self) -> NodeId:
        """Where it waits for work: at home, or where work is expected."""
        if self._waiting is None or not self._wish.lets_work:
            return self._mover.home
        return self._waiting.post(self._vehicle.spec, self._book.now_s())

    def keep_post(self, record: MissionRecord) -> None:
        """At the start of the program: where a former process sent it to wait is its own."""
        if self._waiting is not None and record.purpose == PARK:
            self._waiting.keep(self._id, record.mission.route[-1].node)

    def leave_post(self) -> None:
        """It has something else to do: another may wait where it does."""
        if self._waiting is not None:
            self._waiting.leave(self._id)

    async def go_to_post(self) -> None:
        """Go where it waits, unless there is work first."""
        await self._unless(self._has_work, self._go_to_wait(self.post))

    async def _go_to_wait(self, node: NodeId) -> None:
        self._hand.activity = Activity.RETURNING
        if node == self._mover.home:
            await self._mover.go_home(self._trip(PARK))
            return
        await self._mover.wait_at(node, self._trip(PARK))
        if self._waiting is not None and self._mover.stand != node:
            self._waiting.give_up(self._id, self._book.now_s())

    # --- both ---

    def _has_work(self) -> bool:
        return self._shifts.engaged or (
            self._planner.plan.next(self._id) is not None and self._wish.lets_work
        )

    async def _unless(
        self, unwanted: Callable[[], bool], errand: Coroutine[Any, Any, None]
    ) -> bool:
        """Do something until it is done or not wanted any more; False = broken off."""
        doing = asyncio.create_task(errand, name=f"worker[{self._id}].rest")
        doing.add_done_callback(lambda _: self._word.set())
        try:
            while not doing.done():
                if unwanted() and self._mover.interruptible:
                    await self._mover.stop()
                    await asyncio.wait([doing])
                    break
                self._word.clear()
                await self._word.wait()
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.wait([doing])
        try:
            await doing
        except MissionCancelled:
            return False
        return True

    def _trip(self, purpose: str) -> Trip:
        return idle_trip(purpose, self._book.now_s())
