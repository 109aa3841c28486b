"""Who does what next: each event is answered at once, and the answer improved while there is time.

Workers take one visit after the other from the plan in force; what they have begun is no longer
planned, only planned around.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from dispatcher.config import PlannerConfig
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.planning.free import Free
from dispatcher.planning.modelling import Model, Modeller
from dispatcher.planning.plan_in_force import PlanInForce
from dispatcher.planning.preemption import Preemption
from dispatcher.planning.second_thoughts import SecondThoughts
from dispatcher.records.book import TaskBook
from dispatcher.records.executors import offload
from fleet.vehicle import VehicleId
from routing.problems.plan import Plan, timetable
from routing.refusal import Refusal
from routing.solving.solver import Budget, Stage, insert, solve

log = logging.getLogger(__name__)

HORIZON_S = 2 * 3600.0
"""Tasks that may not begin within this time are not planned yet."""
ETA_SLACK_S = 30.0
"""Smaller changes of an expected time are not worth a word."""
SHORT = frozenset({Stage.RUIN_RECREATE})
"""What looks for a better plan after each event."""
LONGER = 4
"""How many times as long the search is that comes now and then, with all stages."""
FEW = 3
"""With no more open requests than that, a short search has tried all there is: of 241 longer ones
in a day of 40 vehicles, not one found anything, for a tenth of the day's processor time."""
ROUNDS_EACH = 25
"""Small problems get so many rounds for each open request, and no more."""
QUIET_S = 30.0
"""How long an answer may wait while nobody waits for a vehicle: it brings expected times up to
date, which is done anyway only where they are wrong by that much."""
STALE_S = 1.0
"""An answer that is older than this is not improved any more, but made anew."""


@dataclass(slots=True)
class SolveTimes:
    """How many answers the solvers gave, and how long each took of the processor, in ms."""

    insertions_ms: list[float] = field(default_factory=list[float])
    improvements_ms: list[float] = field(default_factory=list[float])
    adopted: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan that is valid, to the question that it answers."""

    model: Model
    plan: Plan
    number: int
    """Of the plan in force since then."""
    at_s: float

    @property
    def open(self) -> int:
        """How many requests could still be given to somebody else."""
        return sum(request.aboard is None for request in self.model.problem.requests)


class Planner:
    """Keeps one plan for all vehicles.

    Args:
        fleet: says who can take work now, and where and when each will be free.
        wake: called with each vehicle whose next visit may have changed.
        turn_round: called with a vehicle that should give back what it drives for, and the task
            for which it should.
        held: why a task that nobody has begun is not to be planned now; None = it is.
        lead_s: how long before a task may begin a vehicle sets out for it.
        executor: where improvements are computed: a worker process, or in line.
    """

    def __init__(
        self,
        book: TaskBook,
        modeller: Modeller,
        config: PlannerConfig,
        executor: Executor,
        *,
        fleet: Callable[[], Sequence[Free]],
        wake: Callable[[VehicleId], None],
        turn_round: Callable[[VehicleId, TaskId], None],
        held: Callable[[Task], Refusal | None] = lambda _: None,
        lead_s: Callable[[VehicleId, Task], float] = lambda _, __: 0.0,
        seed: int = 0,
    ) -> None:
        self._book = book
        self._modeller = modeller
        self._config = config
        self._executor = executor
        self._fleet = fleet
        self._wake = wake
        self._turn_round = turn_round
        self._held = held
        self._preemption = Preemption(modeller)
        self._second_thoughts = SecondThoughts(modeller)
        self._other_roads = False
        """The roads have changed since the last answer."""
        self._seed = seed
        self.plan = PlanInForce(book, lead_s)
        self._event = asyncio.Event()
        self._hurry = False
        """Somebody waits for the next answer."""
        self._improve = asyncio.Event()
        self._last: Answer | None = None
        self._answered = asyncio.Event()
        self.times = SolveTimes()
        book.on_move(self._moved)

    # --- what workers and screens ask ---

    def poke(self) -> None:
        """Something has happened that the plan should know."""
        self._event.set()

    def roads_changed(self) -> None:
        """Other ways are open: what can't wait may be done sooner by another."""
        self._other_roads = self._hurry = True
        self.poke()

    def poke_if_waiting(self) -> None:
        """Some time has gone by: plan again if tasks wait that nobody has."""
        if any(task.state is TaskState.QUEUED for task in self._book.open()):
            self.poke()

    def must_wait(self, task: Task, free: Callable[[], Free]) -> bool:
        """Whether a vehicle would be shut out on the way, if it began a task now."""
        if not self._modeller.shortlist.minds_hours:
            return False
        return self._modeller.shortlist.why_wait(self._book.now_s(), task, [free()]) is not None

    def bar(self, task: TaskId, vehicle: VehicleId) -> None:
        """Never plan a task for a vehicle again: it is beyond its range."""
        self._modeller.shortlist.bar(task, vehicle)
        self.plan.drop(vehicle)

    def reconsider(self, task: TaskId) -> None:
        """Put a task that nobody has begun into the plan anew: it weighs differently now."""
        if not self._book[task].state.begun:
            self.plan.withdraw(task)
        self.poke()

    async def anew(self, task: TaskId) -> None:
        """The same; returns when the next plan is in force."""
        self._hurry = True
        self.reconsider(task)
        self._answered.clear()
        await self._answered.wait()

    # --- the loop ---

    async def run(self) -> None:
        """Plan again after each event, and improve, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer(), name="planner.answer")
            group.create_task(self._improve_often(), name="planner.improve")

    async def _answer(self) -> None:
        while True:
            await self._event.wait()
            await self._news_that_count()
            self._event.clear()
            self._hurry = False
            await self._replan()
            if not self._event.is_set():
                self._answered.set()

    async def _news_that_count(self) -> None:
        """Return at once if a task waits that nobody has begun, or after `QUIET_S`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                while not self._hurry and not self._not_begun():
                    self._event.clear()
                    await self._event.wait()

    async def _replan(self) -> None:
        model = self._model()
        began = time.process_time()
        plan = insert(model.problem, self.plan.as_start(model))
        self.times.insertions_ms.append(1000 * (time.process_time() - began))
        written = self._adopt(model, plan)
        self._last = Answer(model, plan, self.plan.number, self._book.now_s())
        if self._last.open > 1 and self._config.stages:
            self._improve.set()
        if self._config.preempt:
            if self._other_roads:
                self._think_twice()
            self._make_turn()
        self._other_roads = False
        await written

    def _think_twice(self) -> None:
        """Have tasks that can't wait given back by those who have become slower than others."""
        now_s, tasks, fleet = self._book.now_s(), self._due(), self._fleet()
        for vehicle, task in self._second_thoughts.find(now_s, tasks, fleet, self.plan.as_start):
            self._turn_round(vehicle, task)

    def _make_turn(self) -> None:
        """Have a vehicle turned round for a task that can't wait, where that pays."""
        turn = self._preemption.find(
            self._book.now_s(), self._due(), self._fleet, start=self.plan.as_start
        )
        if turn is not None:
            self._turn_round(turn.vehicle, turn.by)

    async def _improve_often(self) -> None:
        """A short search after each event, and a longer one now and then, as long as it pays."""
        period_s, longer_s = self._config.improve_period_s, self._book.now_s()
        while True:
            await self._improve.wait()
            self._improve.clear()
            briefly = Stage.RUIN_RECREATE in self._config.stages
            if briefly:
                await self._search(SHORT, 1)
            few = briefly and self._last is not None and self._last.open <= FEW
            if not few and self._book.now_s() >= longer_s + period_s:
                longer_s = self._book.now_s()
                await self._search(frozenset(self._config.stages), LONGER)

    async def _search(self, stages: frozenset[Stage], times: int) -> None:
        """Look for a better plan than the one in force, and adopt it if nothing has happened."""
        if self._event.is_set() or self._not_begun() <= 1:
            return  # the next answer asks for it again, or there is nothing to exchange
        number = self.plan.number
        answer = self._answer_now()
        rounds = min(self._config.improve_iterations, ROUNDS_EACH * answer.open)
        budget = Budget(iterations=times * rounds, stages=stages)
        better, took_ms = await offload(
            self._executor,
            partial(_timed_solve, answer.model, answer.plan, budget, self._seed),
        )
        self.times.improvements_ms.append(took_ms)
        if number == self.plan.number and better.cost < answer.plan.cost:
            self.times.adopted += 1
            await self._adopt(answer.model, better)

    def _answer_now(self) -> Answer:
        """The plan in force with its question: the last one, if nothing has changed since."""
        last, now_s = self._last, self._book.now_s()
        if last is None or last.number != self.plan.number or now_s > last.at_s + STALE_S:
            model = self._model()
            last = Answer(
                model, insert(model.problem, self.plan.as_start(model)), self.plan.number, now_s
            )
        return last

    def _model(self) -> Model:
        return self._modeller.model(self._book.now_s(), self._due(), self._fleet())

    def _not_begun(self) -> int:
        return sum(not task.state.begun for task in self._due())

    def _due(self) -> list[Task]:
        """The open tasks that are to be planned now."""
        until_s = self._book.now_s() + HORIZON_S
        open_ = (task for task in self._book.open() if not task.by_shifts)
        due = (task for task in open_ if task.earliest_s <= until_s)
        return [task for task in due if task.state.begun or self._held(task) is None]

    def _adopt(self, model: Model, plan: Plan) -> asyncio.Future[None]:
        """Put a plan in force, and have written down which tasks it gives to whom.

        Who is woken by it need not wait for that: it comes before what they write down.
        """
        moved = self.plan.put(model, plan)
        written = self._assign(model, plan)
        for vehicle in moved:
            self._wake(vehicle)
        return written

    def _assign(self, model: Model, plan: Plan) -> asyncio.Future[None]:
        eta_s = {
            row.visit.request: float(row.end_s)
            for rows in timetable(model.problem, plan)
            for row in rows
        }
        holder = self.plan.holders()
        moved: list[Task] = []
        events = []
        for task in self._book.open():
            if task.by_shifts:
                continue
            reason = plan.unplanned.get(task.id)
            if task.id not in model.first_stop and not task.state.begun:
                waits = self._held(task) or self._modeller.shortlist.waits.get(task.id)
                reason = waits or Refusal("behind_others")
            new = self._placed(task, holder.get(task.id), reason, eta_s)
            if new is None:
                continue
            moved.append(new)
            if new.vehicle != task.vehicle or new.state is not task.state:
                kind = "task_assigned" if new.vehicle else "task_unassigned"
                events.append(
                    self._book.journal.event(
                        kind, task=task.id, vehicle=new.vehicle, reason=new.reason
                    )
                )
        return self._book.post(tasks=moved, events=events)

    def _placed(
        self,
        task: Task,
        vehicle: VehicleId | None,
        reason: Refusal | None,
        eta_s: dict[str, float],
    ) -> Task | None:
        """The task as the new plan has it; None = nothing worth a word has changed."""
        expected_s = eta_s.get(task.id)
        if task.state.begun:
            if expected_s is None or _close(task.eta_s, expected_s):
                return None
            return self._book.move(task.id, eta_s=expected_s)
        if vehicle is None:
            if task.state is TaskState.QUEUED and task.reason == reason:
                return None
            return self._book.move(
                task.id, TaskState.QUEUED, vehicle=None, reason=reason, eta_s=None
            )
        if task.vehicle == vehicle and _close(task.eta_s, expected_s):
            return None
        return self._book.move(
            task.id, TaskState.ASSIGNED, vehicle=vehicle, reason=None, eta_s=expected_s
        )

    def _moved(self, task: Task) -> None:
        if task.state is TaskState.QUEUED and task.vehicle is None and task.reason is None:
            self.poke()
        elif task.state.ended:
            self._modeller.shortlist.forget(task.id)
            self._preemption.forget(task.id)
            self.poke()


def _close(old_s: float | None, new_s: float | None) -> bool:
    return old_s is not None and new_s is not None and abs(old_s - new_s) < ETA_SLACK_S


def _timed_solve(model: Model, start: Plan, budget: Budget, seed: int) -> tuple[Plan, float]:
    """Solve, and say how much of the processor it took; runs in the worker."""
    began = time.process_time()
    plan = solve(model.problem, start=start, budget=budget, seed=seed)
    return plan, 1000 * (time.process_time() - began)
