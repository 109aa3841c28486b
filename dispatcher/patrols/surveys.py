"""Areas that take several flights: seen once, by as many drones as see it noticeably sooner.

Such a patrol is one task for people. Its area is cut into parts, one flight each, once there are
drones for it; each part is a shift of whoever is free and charged for it. What a flight leaves
off, however it ended, is a part again, for whoever can; the task is done when nothing is left.
What is left is on disk with the task, so a restart goes on with it, and with those in the air.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import Shift, ShiftState
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.patrols.on_part import OnPart
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.part_offers import PartOffers
from dispatcher.patrols.parts_left import PartsLeft
from dispatcher.patrols.reliefs import Member
from dispatcher.patrols.short_cuts import ShortCuts
from dispatcher.patrols.sorties import Sortie, Sorties
from dispatcher.patrols.survey_follow import SurveyFollower
from dispatcher.patrols.survey_manning import SurveyManning
from dispatcher.patrols.survey_plans import SurveyPlans
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.records.book import TaskBook
from fleet.mission import Clearance
from fleet.vehicle import Medium, VehicleId
from routing.geometry import Point
from routing.refusal import Refusal

TICK_S = 5.0
"""How often all flights are looked at; news are looked at at once."""


class Surveys:
    """All areas in parts of one site, and their flights.

    Args:
        executor: where parts are planned.
        crew: the vehicles, by id, in the order of the roster.
        engaged: how many drones watches take between two loop seconds, as a fraction.
        cut_short: whether a drone in flight may leave out what lies between two points.
        changed: called when another vehicle is engaged or free.
    """

    def __init__(
        self,
        book: TaskBook,
        air: SiteAir,
        areas: WatchPlans,
        plans: SurveyPlans,
        sorties: Sorties,
        executor: Executor,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        engaged: Callable[[float, float, Medium], float],
        cut_short: Callable[[VehicleId, Point, Point], bool],
        changed: Callable[[], None],
    ) -> None:
        self._book, self._crew, self._changed = book, crew, changed
        self._news = asyncio.Event()
        self._left = PartsLeft(book)
        short_cuts = ShortCuts(air, crew, cut_short)
        self._shifts = OpenShifts[OnPart](book, changed, short_cuts.send_home)
        self._open = self._shifts.by_vehicle
        self._offers = PartOffers(sorties, crew, engaged)
        self._follower = SurveyFollower(
            book,
            self._left,
            self._shifts,
            short_cuts,
            air,
            sorties,
            crew=crew,
            tick_s=TICK_S,
            changed=changed,
            news=self._news,
        )
        self._manning = SurveyManning(
            book, self._left, self._shifts, areas, plans, self._offers, executor, changed
        )
        book.on_move(self._moved)

    # --- life ---

    def restore(self, shifts: Sequence[Shift], in_hand: Mapping[VehicleId, TaskId | None]) -> None:
        """Take up the flights of a former process; as `Watches.restore`."""
        self._shifts.restore(shifts, in_hand, self._as_it_was)

    def _as_it_was(self, shift: Shift) -> OnPart | None:
        member = self._crew().get(shift.vehicle)
        return None if member is None else OnPart(shift, member.spec, self._book.now_s())

    async def run(self) -> None:
        """Have all parts flown until cancelled."""
        await self._shifts.lose_left_over()
        for task in self._book.open():
            if task.parts is not None and task.state is TaskState.CANCELLING:
                await self._shifts.call_all_off(task.id)
                await self._shifts.conclude(task.id)
        while True:
            await self._look_at_all()
            busy = bool(self._open) or bool(self._left.tasks())
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S if busy else None):
                    await self._news.wait()
            self._news.clear()

    def _moved(self, task: Task) -> None:
        if task.parts is not None and task.state is TaskState.QUEUED:
            self._news.set()
        elif task.state.ended:
            self._manning.forget(task.id)

    async def _look_at_all(self) -> None:
        now_s = self._book.now_s()
        await self._follower.look_at_all(now_s)
        for task in self._left.tasks():
            await self._left.finish(task.id)
        for task in self._left.tasks():
            if now_s >= task.earliest_s:
                await self._manning.hand_out(task.id, now_s)

    # --- what people ask ---

    async def release(self, vehicle: VehicleId, why: Refusal) -> None:
        """It is needed elsewhere: somebody else takes the part that it has not begun."""
        one = self._open.get(vehicle)
        if one is not None and one.shift.state is ShiftState.GIVEN:
            await self._shifts.call_off(one, why)
            self._news.set()

    async def cancel(self, task: TaskId) -> Task:
        """People want it no more: all come home."""
        begun = self._book[task].state.begun
        event = self._book.journal.event("cancel_asked", task=task)
        state = TaskState.CANCELLING if begun else TaskState.CANCELLED
        await self._book.commit(tasks=[self._book.move(task, state)], events=[event])
        await self._shifts.call_all_off(task)
        await self._shifts.conclude(task)
        return self._book[task]

    # --- what vehicles ask ---

    def shift_of(self, vehicle: VehicleId) -> Shift | None:
        """The shift that a vehicle has, or is to begin; None = it is free."""
        one = self._open.get(vehicle)
        return None if one is None else one.shift

    async def begin(self, shift: Shift) -> Sortie | None:
        """Its vehicle sets out now; what its battery does not last for is a part of its own."""
        one, part = self._open[shift.vehicle], self._left.of(shift)
        if part is None or not one.shift.state.counts or not self._left.wanted(shift.task):
            return None
        member = self._crew()[shift.vehicle]
        sortie = self._offers.sortie(part, member)
        if sortie is None:
            return None
        one.shift = replace(one.shift, plan=sortie.plan)
        one.moved_s = self._book.now_s()
        tasks = [self._left.begun(shift.task, part, sortie)]
        await self._shifts.move(one, ShiftState.UNDERWAY, tasks=tasks, begun_s=self._book.now_s())
        return sortie

    def follow(self, shift: Shift, clearance: Clearance) -> None:
        """Its flight has begun, and may be followed."""
        one = self._open[shift.vehicle]
        one.clearance = clearance
        clearance.on_reached(lambda _: self._reached(one))

    def _reached(self, one: OnPart) -> None:
        one.moved_s = self._book.now_s()
        self._news.set()

    async def end(self, shift: Shift, why: Refusal | None) -> None:
        """Its vehicle is free again; ``why`` says what kept it from seeing its part."""
        one = self._open[shift.vehicle]
        lost = why is not None and one.shift.state.counts
        if lost:
            self._offers.failed(shift.vehicle, self._book.now_s())
        tasks = self._left.seen(one)
        await self._shifts.move(
            one, ShiftState.LOST if lost else ShiftState.DONE, why=why, tasks=tasks
        )
        del self._open[shift.vehicle]
        await self._left.finish(shift.task)
        await self._shifts.conclude(shift.task)
        self._changed()
        self._news.set()
