"""Watches: an area or points never out of sight, for as long as somebody asked for.

A watch is one task for people. It has posts, and each post always has somebody on a shift: the
next one is sent so early that it is on station before the last one leaves, and at once when the
last one is lost. Shifts are on disk before their vehicles are told, so a restart goes on with
them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import Shift, ShiftState
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.missions.on_post import OnPost
from dispatcher.missions.stations import Stations
from dispatcher.patrols.manning import Manning
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.open_watches import OpenWatches
from dispatcher.patrols.presence import Presence
from dispatcher.patrols.reliefs import Member, Reliefs
from dispatcher.patrols.short_cuts import ShortCuts
from dispatcher.patrols.watch_duty import WatchDuty
from dispatcher.patrols.watch_follow import WatchFollower
from dispatcher.patrols.watch_gaps import WatchGaps
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.patrols.watch_views import Watch, WatchView
from dispatcher.records.alerts import Alerts
from dispatcher.records.book import TaskBook
from fleet.vehicle import Medium, VehicleId
from routing.geometry import Point
from routing.refusal import Refusal

TICK_S = 5.0
"""How often all posts are looked at; news are looked at at once."""


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
        air: SiteAir,
        stations: Stations,
        plans: WatchPlans,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        cut_short: Callable[[VehicleId, Point, Point], bool],
        changed: Callable[[], None],
    ) -> None:
        self._book, self._crew = book, crew
        self._watches = watches = OpenWatches(book, plans)
        short_cuts = ShortCuts(air, crew, cut_short)
        self._shifts = shifts = OpenShifts[OnPost](book, changed, short_cuts.send_home)
        self._open = shifts.by_vehicle
        reliefs = Reliefs(stations, plans, crew)
        self._presence = presence = Presence(book, self._open, crew, reliefs)
        self._follower = WatchFollower(
            shifts, short_cuts, crew=crew, tick_s=TICK_S, changed=changed
        )
        self._manning = Manning(
            book,
            watches,
            shifts,
            presence,
            reliefs,
            crew=crew,
            slack_s=2 * TICK_S,
            changed=changed,
        )
        self._gaps = WatchGaps(alerts, self._open, presence, reliefs, crew=crew, least_s=TICK_S)
        self._news = asyncio.Event()
        self.duty = WatchDuty(
            book,
            watches,
            shifts,
            presence,
            reliefs,
            stations,
            plans,
            crew=crew,
            changed=changed,
            news=self._news,
        )
        """What vehicles ask."""
        book.on_move(self._moved)

    # --- life ---

    def restore(self, shifts: Sequence[Shift], in_hand: Mapping[VehicleId, TaskId | None]) -> None:
        """Take up the watches and shifts of a former process.

        Args:
            in_hand: the vehicles that are still on a mission of a shift, and the shift's task.
        """
        for task in self._book.open():
            if task.state is not TaskState.CANCELLING:
                self._watches.take_up(task, begun=task.state.begun)
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
                async with asyncio.timeout(TICK_S if self._watches.by_task or self._open else None):
                    await self._news.wait()
            self._news.clear()

    def _moved(self, task: Task) -> None:
        known = task.id in self._watches.by_task
        if task.is_watch and task.state is TaskState.QUEUED and not known:
            self._watches.take_up(task, begun=False)
            self._news.set()

    async def _look_at_all(self) -> None:
        now_s = self._book.now_s()
        await self._follower.look_at_all(now_s)
        for watch in list(self._watches.by_task.values()):
            if now_s >= watch.ends_s:
                await self._end(watch)
        due = self._watches.due(now_s)
        due.sort(key=lambda each: self._presence.last_s((each[0].task, each[1].number), now_s))
        for watch, post in due:
            await self._manning.man(watch, post, now_s)
        self._gaps.look(due, list(self._watches.by_task), now_s)

    async def _end(self, watch: Watch) -> None:
        """Its time is over: it is done, and all come home."""
        if self._watches.by_task.pop(watch.task, None) is None:
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
        self._gaps.clear(task.id)
        await self._book.commit(tasks=[done], events=[event])
        await self._stand_down(task.id)

    async def _stand_down(self, task: TaskId) -> None:
        """Send all home who are on a watch."""
        self._watches.drop(task)
        self._gaps.clear(task)
        await self._shifts.call_all_off(task)

    # --- what people and other desks ask ---

    def views(self) -> list[WatchView]:
        """All watches that are open, the oldest first."""
        now_s = self._book.now_s()
        return [self._view(watch, now_s) for watch in self._watches.by_task.values()]

    def _view(self, watch: Watch, now_s: float) -> WatchView:
        return WatchView(
            task=watch.task,
            revisit_s=watch.revisit_s,
            ends_s=watch.ends_s,
            posts=tuple(self._presence.view(watch, post, now_s) for post in watch.posts),
            gap_s=self._gaps.longest_s(watch.task),
        )

    def engaged(self, begins_s: float, ends_s: float, medium: Medium) -> float:
        """How many vehicles watches take between two loop seconds, as a fraction."""
        return self._watches.engaged(begins_s, ends_s, medium)

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
