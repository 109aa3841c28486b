"""How vehicles make the shifts of watches: they set out, look, and are free again."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from dispatcher.domain.shifts import Shift, ShiftState
from dispatcher.domain.stops import TaskStop, Work
from dispatcher.domain.task import VisitOrder
from dispatcher.missions.on_post import OnPost
from dispatcher.missions.posts import Post
from dispatcher.missions.stations import Station, Stations
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.open_watches import OpenWatches
from dispatcher.patrols.presence import Presence
from dispatcher.patrols.reliefs import Member, Reliefs
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.patrols.watch_views import Watch
from dispatcher.records.book import TaskBook
from fleet.mission import ActionKind, Clearance
from fleet.vehicle import Medium, VehicleId
from routing.refusal import Refusal
from routing.watch.unpredictable import Unkept, most_urgent, next_point


class WatchDuty:
    """What one vehicle asks of its shift; see `dispatcher.domain.duties.Duties`.

    Args:
        crew: all vehicles.
        changed: called when another vehicle is free.
        news: set when posts should be looked at again.
    """

    def __init__(
        self,
        book: TaskBook,
        watches: OpenWatches,
        shifts: OpenShifts[OnPost],
        presence: Presence,
        reliefs: Reliefs,
        stations: Stations,
        plans: WatchPlans,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        changed: Callable[[], None],
        news: asyncio.Event,
    ) -> None:
        self._book, self._watches = book, watches
        self._shifts, self._open = shifts, shifts.by_vehicle
        self._presence, self._reliefs = presence, reliefs
        self._stations, self._plans = stations, plans
        self._crew, self._changed, self._news = crew, changed, news

    def shift_of(self, vehicle: VehicleId) -> Shift | None:
        """The shift that a vehicle has, or is to begin; None = it is free of watches."""
        one = self._open.get(vehicle)
        return None if one is None else one.shift

    async def begin(self, shift: Shift) -> Station | None:
        """Its vehicle sets out now; a drone is told its flight. Raises Unreachable."""
        one, watch = self._open[shift.vehicle], self._watches.by_task.get(shift.task)
        if watch is None or not one.shift.state.counts:
            return None
        now_s = self._book.now_s()
        post, station = watch.posts[shift.post], None
        if one.spec.medium is Medium.AIR:
            station = self._compose(one, watch, post, now_s)
            if not station.rounds:
                return None
        watch.begun[post.number] = None
        await self._shifts.move(one, ShiftState.UNDERWAY, begun_s=now_s)
        await self._watches.begin(watch)
        return station

    def _compose(self, one: OnPost, watch: Watch, post: Post, now_s: float) -> Station:
        """The flight of a drone with what its battery holds now; its shift goes by it."""
        member = self._crew()[one.shift.vehicle]
        ratio = member.state().charge_ratio
        station = self._stations.compose(
            post,
            member.spec,
            member.stands_at,
            1.0 if ratio is None else ratio,
            until_s=watch.ends_s - now_s,
            most_s=one.most_s,
            begin=one.begin,
        )
        plan = self._plans.shift_plan(station)
        if station.by_s < math.inf:
            plan = replace(plan, by_s=station.by_s)
        one.shift = replace(one.shift, plan=plan)
        one.by_s = now_s + station.by_s
        return station

    def follow(self, shift: Shift, clearance: Clearance) -> None:
        """Its flight has begun, and may be followed."""
        one = self._open[shift.vehicle]
        one.clearance = clearance
        clearance.on_reached(lambda index: self._reached(one, index))

    def _reached(self, one: OnPost, index: int) -> None:
        plan, now_s = one.shift.plan, self._book.now_s()
        if one.shift.begun_s is not None and index == plan.first:
            self._reliefs.launched(now_s - one.shift.begun_s - plan.out_s)
        if plan.first <= index <= plan.last:
            one.saw(index - plan.first, now_s)
        self._news.set()

    def next_look(self, shift: Shift) -> TaskStop | None:
        """Where a robot is to go next; None = it is over."""
        one, watch = self._open[shift.vehicle], self._watches.by_task.get(shift.task)
        if watch is None or not one.shift.state.counts or self._presence.is_relieved(one):
            return None
        if one.lasts_s(self._crew()[shift.vehicle].state()) <= 0:
            return None
        post = watch.posts[shift.post]
        look = Work(kind=ActionKind.OBSERVE, duration_s=post.dwell_s)
        if watch.spec.order is VisitOrder.RANDOM and one.points and len(post.points) > 1:
            one.next = self._at_random(one, watch, post)
        return TaskStop(place=post.points[one.next], work=(look,))

    def _at_random(self, one: OnPost, watch: Watch, post: Post) -> int:
        """Where nobody expects it, with the revisit time kept; else where it is needed most."""
        now_s, here = self._book.now_s(), one.last
        plan = self._plans.wander(watch.spec, post, one.spec)
        began_s = one.shift.station_s or now_s
        seen_s = np.array([one.seen_s.get(n, began_s) for n in range(len(post.points))])
        try:
            return next_point(plan, here, seen_s, now_s, one.chance)
        except Unkept:
            return most_urgent(plan, here, seen_s, now_s)

    async def looked(self, shift: Shift) -> None:
        """A robot has been there."""
        one, now_s = self._open[shift.vehicle], self._book.now_s()
        if one.shift.state is ShiftState.UNDERWAY:
            await self._shifts.move(one, ShiftState.ON_STATION, station_s=now_s)
        one.looked(now_s)

    async def end(self, shift: Shift, why: Refusal | None) -> None:
        """Its vehicle is free again; ``why`` says what kept it from staying."""
        one = self._open[shift.vehicle]
        lost = why is not None and one.shift.state.counts
        if one.left_off and one.shift.task in self._watches.by_task:
            self._watches.left_off[one.shift.task, one.shift.post] = one.left_off
        await self._shifts.move(one, ShiftState.LOST if lost else ShiftState.DONE, why=why)
        del self._open[shift.vehicle]
        await self._shifts.conclude(shift.task)
        self._changed()
        self._news.set()
