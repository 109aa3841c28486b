"""Areas that take several flights: seen once, by as many drones as see it noticeably sooner.

Such a patrol is one task for people. Its area is cut into parts, one flight each, once there are
drones for it; each part is a shift of whoever is free and charged for it. What a flight leaves
off, however it ended, is a part again, for whoever can; the task is done when nothing is left.
What is left is on disk with the task, so a restart goes on with it, and with those in the air.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dispatcher.book import TaskBook
from dispatcher.executors import offload
from dispatcher.on_part import OnPart
from dispatcher.open_shifts import OpenShifts
from dispatcher.part_offers import PartOffers
from dispatcher.reliefs import Member
from dispatcher.shifts import PART, Shift, ShiftPlan, ShiftState
from dispatcher.site_air import SiteAir
from dispatcher.sorties import Sortie, Sorties
from dispatcher.survey_plans import Drone, SurveyPlans
from dispatcher.task import AreaPart, AreaParts, Patrol, Task, TaskId, TaskState
from dispatcher.urgency import RANKS
from dispatcher.watch_plans import WatchPlans
from fleet.mission import Clearance
from fleet.vehicle import Medium, VehicleId
from routing.errors import NoPlan, Unreachable
from routing.geometry import Point
from routing.refusal import Refusal
from routing.survey.parts import plan_parts

log = logging.getLogger(__name__)

TICK_S = 5.0
"""How often all flights are looked at; news are looked at at once."""
GIVE_UP_S = 60.0
"""Whoever has not set out for so long after being told does not."""
AGAIN_S = 300.0
"""An area that can't be flown now is tried again after so long."""


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
        self._book, self._air, self._areas = book, air, areas
        self._plans, self._sorties, self._executor = plans, sorties, executor
        self._crew, self._cut_short, self._changed = crew, cut_short, changed
        self._offers = PartOffers(sorties, crew, engaged)
        self._shifts = OpenShifts[OnPart](book, changed, self._send_home)
        self._open = self._shifts.by_vehicle
        self._again_s: dict[TaskId, float] = {}
        """When an area for which there was no plan is tried again."""
        self._news = asyncio.Event()
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
            busy = bool(self._open) or bool(self._tasks())
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S if busy else None):
                    await self._news.wait()
            self._news.clear()

    def _moved(self, task: Task) -> None:
        if task.parts is not None and task.state is TaskState.QUEUED:
            self._news.set()
        elif task.state.ended:
            self._again_s.pop(task.id, None)

    def _tasks(self) -> list[Task]:
        """The areas to be seen, the most urgent first, then the oldest."""
        open_ = (task for task in self._book.open() if task.parts is not None)
        found = [task for task in open_ if self._is_wanted(task.id)]
        return sorted(found, key=lambda task: RANKS[task.priority])

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
        one, part = self._open[shift.vehicle], self._part(shift)
        if part is None or not one.shift.state.counts or not self._is_wanted(shift.task):
            return None
        member = self._crew()[shift.vehicle]
        sortie = self._offers.sortie(part, member)
        if sortie is None:
            return None
        one.shift = replace(one.shift, plan=sortie.plan)
        one.moved_s = self._book.now_s()
        tasks = self._begun(shift.task, part, sortie)
        await self._shifts.move(one, ShiftState.UNDERWAY, tasks=tasks, begun_s=self._book.now_s())
        return sortie

    def _begun(self, id_: TaskId, part: AreaPart, sortie: Sortie) -> list[Task]:
        """The task after a flight has been composed: under way, and cut where it ends."""
        task = self._book[id_]
        if task.state is TaskState.QUEUED:
            self._book.move(id_, TaskState.ASSIGNED)
        parts = task.parts
        assert parts is not None, "it has a shift over a part"
        if sortie.rest:
            points = sortie.points[sortie.first : sortie.last + 1]
            rest = AreaPart(number=parts.many, line=sortie.rest)
            parts = replace(_with(parts, part.number, points), many=parts.many + 1)
            parts = replace(parts, left=(*parts.left, rest))
        return [self._written(id_, parts, state=TaskState.UNDERWAY, reason=None)]

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
        tasks = self._seen(one)
        await self._shifts.move(
            one, ShiftState.LOST if lost else ShiftState.DONE, why=why, tasks=tasks
        )
        del self._open[shift.vehicle]
        await self._finish(shift.task)
        await self._shifts.conclude(shift.task)
        self._changed()
        self._news.set()

    # --- every few seconds ---

    async def _look_at_all(self) -> None:
        now_s = self._book.now_s()
        for one in list(self._open.values()):
            await self._look_at(one, now_s)
        for task in self._tasks():
            await self._finish(task.id)
        for task in self._tasks():
            if now_s >= task.earliest_s:
                await self._hand_out(task.id, now_s)

    async def _look_at(self, one: OnPart, now_s: float) -> None:
        """Note what a flight has seen, and call it home where it must."""
        shift, member = one.shift, self._crew()[one.shift.vehicle]
        state, part = member.state(), self._part(shift)
        if shift.state.ended:
            return
        if shift.state is ShiftState.GIVEN:
            if now_s > shift.given_s + GIVE_UP_S:
                await self._shifts.move(one, ShiftState.LOST, why=Refusal("did_not_set_out"))
                del self._open[shift.vehicle]
                self._changed()
            return
        passed = 0 if one.clearance is None else one.clearance.passed
        if shift.state is ShiftState.UNDERWAY and passed >= shift.plan.first > 0:
            await self._shifts.move(one, ShiftState.ON_STATION, station_s=one.moved_s)
        tasks = self._seen(one)
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
        return one.spent(state, home_wh, self._air.pace(one.spec), TICK_S)

    async def _hand_out(self, id_: TaskId, now_s: float) -> None:
        """Give parts that nobody has to whoever is free and charged for them."""
        task = self._book[id_]
        free = self._offers.free(task, now_s, len(self._open))
        if task.parts is None or not free:
            await self._wait(task)
            return
        if not task.parts.left:
            if now_s < self._again_s.get(id_, 0.0):
                return
            await self._plan(task, free)
            task = self._book[id_]
        parts, held = task.parts, self._held(id_)
        if parts is None:
            return
        open_ = [part for part in parts.left if part.number not in held]
        most = parts.drones - (len(parts.left) - len(open_))
        given = 0
        for part, member, sortie in self._offers.choose(open_, free):
            if given >= most or not self._is_wanted(id_):
                break
            if member.may_stand_watch:
                await self._give(task, part, member, sortie.plan)
                given += 1
        if open_ and not given and len(open_) == len(parts.left):
            await self._wait(task)

    async def _plan(self, task: Task, free: Sequence[Member]) -> None:
        """Cut the area into parts for those who are free; the search is done elsewhere."""
        spec = task.spec
        area = self._areas.area(spec) if isinstance(spec, Patrol) else None
        drones = [Drone(spec=member.spec, stand=member.stands_at) for member in free]
        if area is None or task.parts is None:
            return
        self._again_s[task.id] = self._book.now_s() + AGAIN_S
        try:
            survey, ids = self._plans.survey(area, drones)
            plan = await offload(self._executor, plan_parts, survey)
        except (Unreachable, NoPlan) as error:
            log.warning("%s can't be flown now: %s", task.id, error)
            reason = Refusal("area_out_of_reach")
            await self._book.commit(tasks=[self._book.move(task.id, reason=reason)])
            return
        del self._again_s[task.id]
        if not self._is_wanted(task.id):
            return
        parts = self._plans.parts(plan, ids, task.parts)
        event = self._book.journal.event(
            "area_parted", task=task.id, parts=len(parts.left), drones=plan.drones
        )
        eta_s = self._book.now_s() + plan.makespan_s
        await self._book.commit(tasks=[self._written(task.id, parts, eta_s=eta_s)], events=[event])

    async def _give(self, task: Task, part: AreaPart, member: Member, plan: ShiftPlan) -> None:
        shift = Shift(
            id=self._book.new_shift_id(),
            task=task.id,
            post=part.number,
            vehicle=member.spec.id,
            state=ShiftState.GIVEN,
            why=PART,
            plan=plan,
            given_s=self._book.now_s(),
        )
        self._open[member.spec.id] = OnPart(shift, member.spec, shift.given_s)
        event = self._shifts.event("shift_given", shift, post=part.number, why=PART)
        await self._book.commit(shifts=[shift], events=[event])
        self._changed()
        member.wake()

    async def _wait(self, task: Task) -> None:
        """Say why nobody sees to it now."""
        mine = any(one.shift.task == task.id for one in self._open.values())
        reason = Refusal("nobody_can_watch_now")
        if not mine and task.reason != reason:
            await self._book.commit(tasks=[self._book.move(task.id, reason=reason)])

    # --- moves ---

    def _seen(self, one: OnPart) -> list[Task]:
        """The task with what a flight has seen until now taken off; [] = nothing new."""
        part, task = self._part(one.shift), self._book.find(one.shift.task)
        if part is None or task is None or task.parts is None or task.state.ended:
            return []
        left = one.left_of(part)
        if left == part.line:
            return []
        return [self._written(task.id, _with(task.parts, part.number, left))]

    def _written(self, task: TaskId, parts: AreaParts, **changes: Any) -> Task:
        """A task with other parts left, for `commit`; what is done counts as stops."""
        spec = self._book[task].spec
        assert isinstance(spec, Patrol), "only patrols have parts"
        done = parts.many - len(parts.left)
        return self._book.move(task, spec=replace(spec, parts=parts), stops_done=done, **changes)

    async def _finish(self, id_: TaskId) -> None:
        """With nothing left of its last round a task is done."""
        task = self._book.find(id_)
        if task is None or task.state is not TaskState.UNDERWAY:
            return
        spec, parts = task.spec, task.parts
        if parts is None or parts.left or not isinstance(spec, Patrol):
            return
        if parts.round >= spec.rounds:
            event = self._book.journal.event("task_done", task=id_)
            done = self._book.move(id_, TaskState.DONE, eta_s=None)
            await self._book.commit(tasks=[done], events=[event])

    async def _leave(self, one: OnPart, why: Refusal) -> None:
        """Somebody else takes what is left of a part whose vehicle does not come on."""
        await self._shifts.move(one, ShiftState.LEAVING, why=why)
        one.sent_home = True
        self._news.set()

    def _send_home(self, one: OnPart) -> None:
        """Have a drone leave out the rest of its line, as soon as the way is clear."""
        clearance, plan = one.clearance, one.shift.plan
        if clearance is None or clearance.passed >= plan.last or one.sent_home:
            return
        position = self._crew()[one.shift.vehicle].state().position
        if position is None:
            return
        for index in range(len(clearance.route) - 1, plan.last, -1):
            goal = clearance.route[index].point
            if self._air.clear(one.spec, position.point, goal) and self._cut_short(
                one.shift.vehicle, position.point, goal
            ):
                one.sent_home = True
                clearance.skip_to(index)
                return

    # --- looking things up ---

    def _is_wanted(self, task: TaskId) -> bool:
        """Whether nobody has cancelled it, and nothing has ended it."""
        return self._book[task].state in (TaskState.QUEUED, TaskState.UNDERWAY)

    def _held(self, task: TaskId) -> set[int]:
        """The parts that somebody sees to, now or soon."""
        mine = [one for one in self._open.values() if one.shift.task == task]
        return {one.shift.post for one in mine if one.shift.state.counts or not one.sent_home}

    def _part(self, shift: Shift) -> AreaPart | None:
        """What is left of a shift's part; None = nothing."""
        task = self._book.find(shift.task)
        parts = None if task is None else task.parts
        left = () if parts is None else parts.left
        return next((part for part in left if part.number == shift.post), None)


def _with(parts: AreaParts, number: int, line: Sequence[Any]) -> AreaParts:
    """Parts with another line for one of them; without it, if nothing of that is left."""
    left = [replace(p, line=tuple(line)) if p.number == number else p for p in parts.left]
    return replace(parts, left=tuple(part for part in left if len(part.line) > 1))
