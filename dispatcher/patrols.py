"""Watches: an area or points never out of sight, for as long as somebody asked for.

A watch is one task for people. It has posts, and each post always has somebody on a shift: the
next one is sent so early that it is on station before the last one leaves, and at once when the
last one is lost. Shifts are on disk before their vehicles are told, so a restart goes on with
them.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from dispatcher.alerts import Alerts, Severity
from dispatcher.book import TaskBook
from dispatcher.eligibility import why_not
from dispatcher.on_post import OnPost
from dispatcher.open_shifts import OpenShifts
from dispatcher.posts import Post
from dispatcher.relay import Gap, first_share, gaps_ahead, overlap_s
from dispatcher.reliefs import Member, Offer, Reliefs
from dispatcher.shifts import Shift, ShiftState
from dispatcher.stations import Station, Stations
from dispatcher.stops import TaskStop, Work
from dispatcher.task import Patrol, Task, TaskId, TaskState, VisitOrder
from dispatcher.watch_plans import WatchPlans
from dispatcher.watch_views import PostKey, PostView, Watch, WatchView
from fleet.mission import ActionKind, Clearance
from fleet.vehicle import Medium, VehicleId
from routing.errors import Unreachable
from routing.geometry import Point
from routing.refusal import Refusal
from routing.unpredictable import Unkept, most_urgent, next_point

log = logging.getLogger(__name__)

TICK_S = 5.0
"""How often all posts are looked at; news are looked at at once."""
EARLY_S = 150.0
"""So long before a watch begins its first shifts are given."""
AHEAD_S = 1200.0
"""How far ahead gaps are told."""
GIVE_UP_S = 60.0
"""Whoever has not set out for so long after being told does not."""
LATE_S = 60.0
"""Whoever is so much later than expected has somebody sent after it."""


class Watches:
    """All watches of one site, and the shifts of all vehicles.

    Args:
        crew: the vehicles, by id, in the order of the roster.
        cut_short: whether a drone in flight may leave out what lies between two points.
        changed: called when another vehicle is engaged or free.
    """

    def __init__(
        self,
        book: TaskBook,
        alerts: Alerts,
        stations: Stations,
        plans: WatchPlans,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        cut_short: Callable[[VehicleId, Point, Point], bool],
        changed: Callable[[], None],
    ) -> None:
        self._book, self._alerts = book, alerts
        self._stations, self._plans = stations, plans
        self._crew, self._cut_short, self._changed = crew, cut_short, changed
        self._reliefs = Reliefs(stations, plans, crew)
        self._watches: dict[TaskId, Watch] = {}
        self._shifts = OpenShifts[OnPost](book, changed, self._send_home)
        self._open = self._shifts.by_vehicle
        self._left_off: dict[PostKey, tuple[Point, ...]] = {}
        """How the rounds of the last one would have gone on."""
        self._gaps: list[Gap] = []
        self._news = asyncio.Event()
        book.on_move(self._moved)

    # --- life ---

    def restore(self, shifts: Sequence[Shift], in_hand: Mapping[VehicleId, TaskId | None]) -> None:
        """Take up the watches and shifts of a former process.

        Args:
            in_hand: the vehicles that are still on a mission of a shift, and the shift's task.
        """
        for task in self._book.open():
            if task.state is not TaskState.CANCELLING:
                self._take_up(task, begun=task.state.begun)
        self._shifts.restore(shifts, in_hand, self._as_it_was)

    def _as_it_was(self, shift: Shift) -> OnPost | None:
        member = self._crew().get(shift.vehicle)
        if member is None:
            return None
        one = OnPost(shift, member.spec)
        one.moved_s = self._book.now_s()
        if shift.begun_s is not None and shift.plan.by_s is not None:
            one.by_s = shift.begun_s + shift.plan.by_s
        return one

    async def run(self) -> None:
        """Keep all posts manned until cancelled."""
        await self._shifts.lose_left_over()
        for task in self._book.open():
            if task.is_watch and task.state is TaskState.CANCELLING:
                await self._stand_down(task.id)
                await self._shifts.conclude(task.id)
        while True:
            await self._look_at_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S if self._watches or self._open else None):
                    await self._news.wait()
            self._news.clear()

    def _moved(self, task: Task) -> None:
        if task.is_watch and task.state is TaskState.QUEUED and task.id not in self._watches:
            self._take_up(task, begun=False)
            self._news.set()

    def _take_up(self, task: Task, *, begun: bool) -> None:
        spec = task.spec
        if not isinstance(spec, Patrol) or spec.revisit_s is None:
            return
        posts: tuple[Post, ...] = ()
        shares: tuple[float, ...] = ()
        try:
            plan = self._plans.plan(spec, spec.revisit_s)
            posts, shares = plan.posts, plan.shares
        except Unreachable as error:
            log.warning("%s can't be watched any more: %s", task.id, error)
        watch = Watch(
            task=task.id,
            spec=spec,
            posts=posts,
            begins_s=task.earliest_s,
            ends_s=task.due_s,
            share=sum(shares),
        )
        self._watches[task.id] = watch
        if begun:
            watch.begun.update((post.number, None) for post in posts)

    # --- what people ask ---

    def views(self) -> list[WatchView]:
        """All watches that are open, the oldest first."""
        now_s = self._book.now_s()
        return [self._view(watch, now_s) for watch in self._watches.values()]

    def _view(self, watch: Watch, now_s: float) -> WatchView:
        gaps = [gap.lasts_s for gap in self._gaps if gap.post[0] == watch.task]
        return WatchView(
            task=watch.task,
            revisit_s=watch.revisit_s,
            ends_s=watch.ends_s,
            posts=tuple(self._post_view(watch, post, now_s) for post in watch.posts),
            gap_s=max(gaps, default=0.0),
        )

    def _post_view(self, watch: Watch, post: Post, now_s: float) -> PostView:
        on = self._on((watch.task, post.number))
        station = [one for one in on if one.shift.state is ShiftState.ON_STATION]
        idle = [idle_s for one in station if (idle_s := one.idle_s(now_s)) is not None]
        return PostView(
            post=post,
            on_station=tuple(one.shift.vehicle for one in station),
            coming=tuple(one.shift.vehicle for one in on if one not in station),
            leaves_s=max((self._leaves_s(one, now_s) for one in on), default=None),
            idle_s=min(idle, default=None),
        )

    def engaged(self, begins_s: float, ends_s: float, medium: Medium) -> float:
        """How many vehicles watches take between two loop seconds, as a fraction."""
        return sum(
            watch.share
            for watch in self._watches.values()
            if watch.begins_s < ends_s and begins_s < watch.ends_s and watch.spec.medium is medium
        )

    async def release(self, vehicle: VehicleId, why: Refusal) -> None:
        """It is needed elsewhere: somebody else takes the shift that it has not begun.

        One that it is at ends when its mission is broken off.
        """
        one = self._open.get(vehicle)
        if one is not None and one.shift.state is ShiftState.GIVEN:
            await self._shifts.call_off(one, why)
            self._news.set()

    async def cancel(self, task: TaskId) -> Task:
        """People want a watch no more: all come home."""
        begun = self._book[task].state.begun
        event = self._book.journal.event("cancel_asked", task=task)
        state = TaskState.CANCELLING if begun else TaskState.CANCELLED
        new = self._book.move(task, state)
        await self._book.commit(tasks=[new], events=[event])
        await self._stand_down(task)
        await self._shifts.conclude(task)
        return self._book[task]

    # --- what vehicles ask ---

    def shift_of(self, vehicle: VehicleId) -> Shift | None:
        """The shift that a vehicle has, or is to begin; None = it is free of watches."""
        one = self._open.get(vehicle)
        return None if one is None else one.shift

    async def begin(self, shift: Shift) -> Station | None:
        """Its vehicle sets out now; a drone is told its flight. Raises Unreachable."""
        one, watch = self._open[shift.vehicle], self._watches.get(shift.task)
        if watch is None or not one.shift.state.counts:
            return None
        member, now_s = self._crew()[shift.vehicle], self._book.now_s()
        post, station = watch.posts[shift.post], None
        if member.spec.medium is Medium.AIR:
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
            if not station.rounds:
                return None
        watch.begun[post.number] = None
        await self._shifts.move(one, ShiftState.UNDERWAY, begun_s=now_s)
        await self._begun(watch)
        return station

    def follow(self, shift: Shift, clearance: Clearance) -> None:
        """Its flight has begun, and may be followed."""
        one = self._open[shift.vehicle]
        one.clearance = clearance
        clearance.on_reached(lambda index: self._reached(one, index))

    def next_look(self, shift: Shift) -> TaskStop | None:
        """Where a robot is to go next; None = it is over."""
        one, watch = self._open[shift.vehicle], self._watches.get(shift.task)
        if watch is None or not one.shift.state.counts or self._is_relieved(one):
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
        if one.left_off and one.shift.task in self._watches:
            self._left_off[one.shift.task, one.shift.post] = one.left_off
        await self._shifts.move(one, ShiftState.LOST if lost else ShiftState.DONE, why=why)
        del self._open[shift.vehicle]
        await self._shifts.conclude(shift.task)
        self._changed()
        self._news.set()

    def _reached(self, one: OnPost, index: int) -> None:
        plan, now_s = one.shift.plan, self._book.now_s()
        if one.shift.begun_s is not None and index == plan.first:
            self._reliefs.launched(now_s - one.shift.begun_s - plan.out_s)
        if plan.first <= index <= plan.last:
            one.saw(index - plan.first, now_s)
        self._news.set()

    # --- every few seconds ---

    async def _look_at_all(self) -> None:
        now_s = self._book.now_s()
        for one in list(self._open.values()):
            await self._look_at(one, now_s)
        for watch in list(self._watches.values()):
            if now_s >= watch.ends_s:
                await self._end_watch(watch)
        due = [
            (watch, post)
            for watch in self._watches.values()
            for post in watch.posts
            if now_s >= watch.begins_s - EARLY_S and not self._plans.is_shut(watch.spec, post)
        ]
        due.sort(key=lambda each: self._last_s((each[0].task, each[1].number), now_s))
        for watch, post in due:
            await self._man(watch, post, now_s)
        self._tell_gaps(due, now_s)

    async def _look_at(self, one: OnPost, now_s: float) -> None:
        """Move a shift on by what its vehicle says, and call it home where it must."""
        if one.shift.state.ended:
            return  # it came home while another was looked at
        shift, member = one.shift, self._crew()[one.shift.vehicle]
        state = member.state()
        if shift.state is ShiftState.UNDERWAY and one.clearance is not None:
            if one.clearance.passed >= shift.plan.first:
                await self._shifts.move(one, ShiftState.ON_STATION, station_s=one.moved_s)
        elif shift.state is ShiftState.GIVEN and now_s > shift.given_s + GIVE_UP_S:
            await self._shifts.move(one, ShiftState.LOST, why=Refusal("did_not_set_out"))
            del self._open[shift.vehicle]
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
            if flown and on_station and now_s >= one.by_s - TICK_S:
                await self._shifts.move(one, ShiftState.LEAVING)
                self._send_home(one)
            elif flown and on_station and one.lasts_s(state) <= TICK_S:
                await self._shifts.move(one, ShiftState.LEAVING, why=Refusal("battery_low"))
                self._send_home(one)

    async def _man(self, watch: Watch, post: Post, now_s: float) -> None:
        """Send somebody to a post, if nobody is there or the one who is there leaves soon."""
        key = watch.task, post.number
        on = self._on(key)
        there = [one for one in on if one.shift.state is ShiftState.ON_STATION]
        coming = [one for one in on if one.shift.state is not ShiftState.ON_STATION]
        late = [one for one in coming if now_s > self._due_s(one) + LATE_S]
        if not there and len(coming) == len(late):
            offer = self._first(watch, post, now_s, self._left_off.get(key, ()))
            await self._send(watch, post, offer, self._why(key))
            return
        last = max(on, key=lambda one: self._leaves_s(one, now_s))
        leaves_s = self._leaves_s(last, now_s)
        if leaves_s >= watch.ends_s or leaves_s > now_s + AHEAD_S:
            return
        offer = self._reliefs.longest(self._reliefs.offers(watch, post, now_s))
        if offer is None:
            return
        both_s = overlap_s(offer.plan.round_s, last.shift.plan.round_s, watch.revisit_s)
        if offer.arrives_s + 2 * TICK_S >= leaves_s - both_s:
            await self._send(watch, post, offer, "relief")

    def _first(
        self, watch: Watch, post: Post, now_s: float, left_off: tuple[Point, ...]
    ) -> Offer | None:
        """Who is there first, of those who can stay for a while; it goes on where another left."""
        offers = self._reliefs.offers(watch, post, now_s, left_off)
        if post.number not in watch.begun:
            return self._reliefs.longest(offers)
        good = [one for one in offers if one.plan.stretch_s >= 2 * watch.revisit_s]
        return next(iter(good or offers), None)

    async def _send(self, watch: Watch, post: Post, offer: Offer | None, why: str) -> None:
        if offer is None:
            await self._wait_for_somebody(watch)
            return
        member, now_s = self._crew()[offer.vehicle], self._book.now_s()
        shift = Shift(
            id=self._book.new_shift_id(),
            task=watch.task,
            post=post.number,
            vehicle=offer.vehicle,
            state=ShiftState.GIVEN,
            why=why,
            plan=offer.plan,
            given_s=now_s,
        )
        one = OnPost(shift, member.spec)
        one.begin = offer.begin
        if post.number not in watch.begun:
            stretch_s = offer.plan.stretch_s
            others = [self._leaves_s(other, now_s) for other in self._open.values()]
            one.most_s = stretch_s * first_share(offer.arrives_s, stretch_s, others)
        self._open[offer.vehicle] = one
        event = self._shifts.event("shift_given", shift, post=post.number, why=why)
        await self._book.commit(shifts=[shift], events=[event])
        self._changed()
        member.wake()

    async def _wait_for_somebody(self, watch: Watch) -> None:
        """Say why a watch has not begun."""
        task, reason = self._book[watch.task], Refusal("nobody_can_watch_now")
        if task.state is TaskState.QUEUED and task.reason != reason:
            await self._book.commit(tasks=[self._book.move(task.id, reason=reason)])

    def _tell_gaps(self, due: Sequence[tuple[Watch, Post]], now_s: float) -> None:
        """Foresee who will be missing, and tell people before it happens."""
        leaves: list[tuple[float, tuple[str, int]]] = []
        for watch, post in due:
            last_s = self._last_s((watch.task, post.number), now_s)
            if last_s < min(watch.ends_s, now_s + AHEAD_S):
                leaves.append((max(last_s, watch.begins_s), (watch.task, post.number)))
        arrivals = [self._earliest_s(*due[0], v, now_s) for v in self._crew()] if leaves else []
        free = [at_s for at_s in arrivals if at_s < math.inf]
        ends = {watch.task: watch.ends_s for watch, _ in due}
        found = [
            replace(gap, lasts_s=min(gap.lasts_s, ends[TaskId(gap.post[0])] - gap.from_s))
            for gap in gaps_ahead(leaves, free)
        ]
        self._gaps = [gap for gap in found if gap.lasts_s > TICK_S]
        for watch in self._watches.values():
            gaps = [gap for gap in self._gaps if gap.post[0] == watch.task]
            if not gaps:
                self._alerts.clear("watch_gap_ahead", task=watch.task)
            elif not self._alerts.is_open("watch_gap_ahead", task=watch.task):
                first = min(gaps, key=lambda gap: gap.from_s)
                in_s = round(max(0.0, first.from_s - now_s))
                self._alerts.open(
                    "watch_gap_ahead",
                    Severity.HIGH,
                    task=watch.task,
                    post=first.post[1],
                    in_s=in_s,
                    lasts_s=round(first.lasts_s),
                )

    def _earliest_s(self, watch: Watch, post: Post, vehicle: VehicleId, now_s: float) -> float:
        """When a vehicle could be on a post at the earliest, if it isn't on one now or soon."""
        member, one = self._crew()[vehicle], self._open.get(vehicle)
        after_s = 0.0
        if why_not(watch.spec, member.spec):
            return math.inf
        if one is not None and one.shift.state.counts:
            return math.inf
        if one is not None:
            after_s = one.shift.plan.back_s
        ready_s = self._reliefs.ready_in_s(watch, post, member, after_s)
        return now_s + ready_s + self._reliefs.launch_s

    # --- moves ---

    async def _begun(self, watch: Watch) -> None:
        """With its first shift a watch has begun."""
        task = self._book[watch.task]
        if task.state is TaskState.QUEUED:
            self._book.move(task.id, TaskState.ASSIGNED)
            begun = self._book.move(task.id, TaskState.UNDERWAY, reason=None)
            await self._book.commit(tasks=[begun])

    async def _end_watch(self, watch: Watch) -> None:
        """Its time is over: it is done, and all come home."""
        if self._watches.pop(watch.task, None) is None:
            return  # it was cancelled while another was looked at
        task = self._book[watch.task]
        if task.state is TaskState.UNDERWAY:
            done = self._book.move(task.id, TaskState.DONE, ended_s=watch.ends_s)
            event = self._book.journal.event("task_done", task=task.id)
        elif task.state is TaskState.CANCELLING:
            return
        else:
            reason = Refusal("nobody_can_watch_now")
            done = self._book.move(task.id, TaskState.FAILED, reason=reason)
            event = self._book.journal.event("task_failed", task=task.id, reason=reason)
        self._alerts.clear("watch_gap_ahead", task=task.id)
        await self._book.commit(tasks=[done], events=[event])
        await self._stand_down(task.id)

    async def _stand_down(self, task: TaskId) -> None:
        """Send all home who are on a watch."""
        self._watches.pop(task, None)
        for key in [key for key in self._left_off if key[0] == task]:
            del self._left_off[key]
        self._alerts.clear("watch_gap_ahead", task=task)
        await self._shifts.call_all_off(task)

    def _send_home(self, one: OnPost) -> None:
        """Have a drone leave out the rest of its rounds, as soon as the way is clear."""
        clearance, plan = one.clearance, one.shift.plan
        if clearance is None or not plan.last or clearance.passed >= plan.last:
            return
        position = self._crew()[one.shift.vehicle].state().position
        goal = clearance.route[plan.last].point
        if position is None or not self._stations.clear(one.spec, position.point, goal):
            return
        if self._cut_short(one.shift.vehicle, position.point, goal):
            clearance.skip_to(plan.last)

    # --- looking things up ---

    def _on(self, key: PostKey) -> list[OnPost]:
        """Whoever sees to a post, now or soon."""
        return [
            one
            for one in self._open.values()
            if (one.shift.task, one.shift.post) == key and one.shift.state.counts and not one.lost
        ]

    def _why(self, key: PostKey) -> str:
        """Why somebody is sent to a post that nobody is on."""
        had = any((one.shift.task, one.shift.post) == key for one in self._open.values())
        return "replaces" if had else "first"

    def _leaves_s(self, one: OnPost, now_s: float) -> float:
        state = self._crew()[one.shift.vehicle].state()
        return one.leaves_s(now_s, self._reliefs.launch_s, state)

    def _last_s(self, key: PostKey, now_s: float) -> float:
        """When the last one who sees to a post will leave it; now, if nobody does."""
        return max((self._leaves_s(one, now_s) for one in self._on(key)), default=now_s)

    def _due_s(self, one: OnPost) -> float:
        """When one who was sent is to be on station."""
        shift = one.shift
        begun_s = shift.given_s if shift.begun_s is None else shift.begun_s
        return begun_s + self._reliefs.launch_s + shift.plan.out_s

    def _is_relieved(self, one: OnPost) -> bool:
        """Whether somebody else has been on a robot's post for long enough."""
        shift, now_s = one.shift, self._book.now_s()
        others = [o for o in self._on((shift.task, shift.post)) if o is not one]
        return any(
            o.shift.station_s is not None
            and o.shift.given_s > shift.given_s
            and now_s >= o.shift.station_s + min(o.shift.plan.round_s, shift.plan.round_s)
            for o in others
        )
