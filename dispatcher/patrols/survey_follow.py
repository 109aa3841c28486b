"""Follows flights over parts of areas by what their drones say, and calls drones home in time."""

import asyncio
from collections.abc import Callable, Mapping

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import ShiftState
from dispatcher.patrols.on_part import OnPart
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.parts_left import PartsLeft
from dispatcher.patrols.reliefs import Member
from dispatcher.patrols.short_cuts import ShortCuts
from dispatcher.patrols.sorties import Sorties
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId
from routing.refusal import Refusal

GIVE_UP_S = 60.0
"""Whoever has not set out for so long after being told does not."""


class SurveyFollower:
    """Moves the shifts of surveys on.

    Args:
        crew: all vehicles.
        tick_s: how long it may take until a shift is looked at again.
        changed: called when another vehicle is free.
        news: set where a part is to be handed out again.
    """

    def __init__(
        self,
        book: TaskBook,
        left: PartsLeft,
        shifts: OpenShifts[OnPart],
        short_cuts: ShortCuts,
        air: SiteAir,
        sorties: Sorties,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        tick_s: float,
        changed: Callable[[], None],
        news: asyncio.Event,
    ) -> None:
        self._book, self._left, self._shifts = book, left, shifts
        self._send_home, self._air, self._sorties = short_cuts.send_home, air, sorties
        self._crew, self._tick_s, self._changed, self._news = crew, tick_s, changed, news

    async def look_at_all(self, now_s: float) -> None:
        """Note what each flight has seen, and call it home where it must."""
        for one in list(self._shifts.by_vehicle.values()):
            await self._look_at(one, now_s)

    async def _look_at(self, one: OnPart, now_s: float) -> None:
        shift, member = one.shift, self._crew()[one.shift.vehicle]
        state, part = member.state(), self._left.of(shift)
        if shift.state.ended:
            return
        if shift.state is ShiftState.GIVEN:
            if now_s > shift.given_s + GIVE_UP_S:
                await self._shifts.move(one, ShiftState.LOST, why=Refusal("did_not_set_out"))
                del self._shifts.by_vehicle[shift.vehicle]
                self._changed()
            return
        passed = 0 if one.clearance is None else one.clearance.passed
        if shift.state is ShiftState.UNDERWAY and passed >= shift.plan.first > 0:
            await self._shifts.move(one, ShiftState.ON_STATION, station_s=one.moved_s)
        tasks = self._left.seen(one)
        if tasks:
            await self._book.commit(tasks=tasks)
        if one.shift.state.ended:
            return  # it came home while that was written down
        if one.shift.state is ShiftState.LEAVING:
            self._send_home(one)
        elif passed >= shift.plan.last > 0:
            await self._shifts.move(one, ShiftState.LEAVING)
        elif one.silent(state, now_s):
            await self._leave(one, Refusal("offline"))
        elif part is not None and one.stalled(part, now_s):
            await self._leave(one, Refusal("does_not_come_on"))
        elif not member.in_service:
            await self._shifts.call_off(one, Refusal("out_of_service"))
        elif self._is_spent(one, member):
            await self._shifts.call_off(one, Refusal("battery_low"))

    def _is_spent(self, one: OnPart, member: Member) -> bool:
        state = member.state()
        if one.clearance is None or state.position is None:
            return False
        home_wh = self._sorties.way_home_wh(one.spec, state.position.point)
        return one.spent(state, home_wh, self._air.pace(one.spec), self._tick_s)

    async def _leave(self, one: OnPart, why: Refusal) -> None:
        """Somebody else takes what is left of a part whose vehicle does not come on."""
        await self._shifts.move(one, ShiftState.LEAVING, why=why)
        one.sent_home = True
        self._news.set()
