"""Follows the shifts of watches by what their vehicles say, and calls vehicles home in time."""

from collections.abc import Callable, Mapping

from dispatcher.domain.shifts import ShiftState
from dispatcher.missions.on_post import OnPost
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.reliefs import Member
from dispatcher.patrols.short_cuts import ShortCuts
from fleet.vehicle import VehicleId
from routing.refusal import Refusal

GIVE_UP_S = 60.0
"""Whoever has not set out for so long after being told does not."""


class WatchFollower:
    """Moves the shifts of watches on.

    Args:
        crew: all vehicles.
        tick_s: how long it may take until a shift is looked at again.
        changed: called when another vehicle is free.
    """

    def __init__(
        self,
        shifts: OpenShifts[OnPost],
        short_cuts: ShortCuts,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        tick_s: float,
        changed: Callable[[], None],
    ) -> None:
        self._shifts, self._send_home = shifts, short_cuts.send_home
        self._crew, self._tick_s, self._changed = crew, tick_s, changed

    async def look_at_all(self, now_s: float) -> None:
        """Move each shift on by what its vehicle says, and call it home where it must."""
        for one in list(self._shifts.by_vehicle.values()):
            await self._look_at(one, now_s)

    async def _look_at(self, one: OnPost, now_s: float) -> None:
        if one.shift.state.ended:
            return  # it came home while another was looked at
        shift, member = one.shift, self._crew()[one.shift.vehicle]
        state = member.state()
        if shift.state is ShiftState.UNDERWAY and one.clearance is not None:
            if one.clearance.passed >= shift.plan.first:
                await self._shifts.move(one, ShiftState.ON_STATION, station_s=one.moved_s)
        elif shift.state is ShiftState.GIVEN and now_s > shift.given_s + GIVE_UP_S:
            await self._shifts.move(one, ShiftState.LOST, why=Refusal("did_not_set_out"))
            del self._shifts.by_vehicle[shift.vehicle]
            self._changed()
            return
        flown = one.clearance is not None
        through = one.clearance is not None and one.clearance.passed >= one.shift.plan.last > 0
        if through and one.shift.state is ShiftState.ON_STATION:
            await self._shifts.move(one, ShiftState.LEAVING)
        if one.shift.state is ShiftState.LEAVING:
            self._send_home(one)
        elif not state.online or one.stalled(now_s):
            one.lost = True
        elif not member.in_service:
            await self._shifts.call_off(one, Refusal("out_of_service"))
        else:
            one.lost = False
            on_station = one.shift.state is ShiftState.ON_STATION
            if flown and on_station and now_s >= one.by_s - self._tick_s:
                await self._shifts.move(one, ShiftState.LEAVING)
                self._send_home(one)
            elif flown and on_station and one.lasts_s(state) <= self._tick_s:
                await self._shifts.move(one, ShiftState.LEAVING, why=Refusal("battery_low"))
                self._send_home(one)
