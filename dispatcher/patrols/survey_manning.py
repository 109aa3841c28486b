"""Cuts areas into parts, and gives the parts to drones that are free and charged for them."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from dispatcher.domain.shifts import PART, Shift, ShiftPlan, ShiftState
from dispatcher.domain.task import AreaPart, Patrol, Task, TaskId
from dispatcher.patrols.on_part import OnPart
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.part_offers import PartOffers
from dispatcher.patrols.parts_left import PartsLeft
from dispatcher.patrols.reliefs import Member
from dispatcher.patrols.survey_plans import Drone, SurveyPlans
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.records.book import TaskBook
from dispatcher.records.executors import offload
from routing.errors import NoPlan, Unreachable
from routing.refusal import Refusal
from routing.survey.parts import plan_parts

log = logging.getLogger(__name__)

AGAIN_S = 300.0
"""An area that can't be flown now is tried again after so long."""


class SurveyManning:
    """Gives the shifts of surveys.

    Args:
        executor: where parts are planned.
        changed: called when another vehicle is engaged.
    """

    def __init__(
        self,
        book: TaskBook,
        left: PartsLeft,
        shifts: OpenShifts[OnPart],
        areas: WatchPlans,
        plans: SurveyPlans,
        offers: PartOffers,
        executor: Executor,
        changed: Callable[[], None],
    ) -> None:
        self._book, self._left, self._shifts = book, left, shifts
        self._areas, self._plans, self._offers = areas, plans, offers
        self._executor, self._changed = executor, changed
        self._again_s: dict[TaskId, float] = {}
        """When an area for which there was no plan is tried again."""

    def forget(self, task: TaskId) -> None:
        """A task has ended."""
        self._again_s.pop(task, None)

    async def hand_out(self, id_: TaskId, now_s: float) -> None:
        """Give parts that nobody has to whoever is free and charged for them."""
        task = self._book[id_]
        free = self._offers.free(task, now_s, len(self._shifts.by_vehicle))
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
            if given >= most or not self._left.wanted(id_):
                break
            if member.may_stand_watch:
                await self._give(task, part, member, sortie.plan)
                given += 1
        if open_ and not given and len(open_) == len(parts.left):
            await self._wait(task)

    def _held(self, task: TaskId) -> set[int]:
        """The parts that somebody sees to, now or soon."""
        mine = [one for one in self._shifts.by_vehicle.values() if one.shift.task == task]
        return {one.shift.post for one in mine if one.shift.state.counts or not one.sent_home}

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
        if not self._left.wanted(task.id):
            return
        parts = self._plans.parts(plan, ids, task.parts)
        event = self._book.journal.event(
            "area_parted", task=task.id, parts=len(parts.left), drones=plan.drones
        )
        eta_s = self._book.now_s() + plan.makespan_s
        cut = self._left.written(task.id, parts, eta_s=eta_s)
        await self._book.commit(tasks=[cut], events=[event])

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
        self._shifts.by_vehicle[member.spec.id] = OnPart(shift, member.spec, shift.given_s)
        event = self._shifts.event("shift_given", shift, post=part.number, why=PART)
        await self._book.commit(shifts=[shift], events=[event])
        self._changed()
        member.wake()

    async def _wait(self, task: Task) -> None:
        """Say why nobody sees to it now."""
        mine = any(one.shift.task == task.id for one in self._shifts.by_vehicle.values())
        reason = Refusal("nobody_can_watch_now")
        if not mine and task.reason != reason:
            await self._book.commit(tasks=[self._book.move(task.id, reason=reason)])
