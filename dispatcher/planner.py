"""Who does what next: each event is answered at once, and the answer improved while there is time.

The plan in force is this module's alone. Workers take one visit after the other from it; what
they have begun is no longer planned, only planned around.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from dispatcher.book import TaskBook
from dispatcher.charging import PlannedCharge
from dispatcher.config import PlannerConfig
from dispatcher.executors import offload
from dispatcher.free import Free
from dispatcher.modelling import Model, Modeller
from dispatcher.preemption import Preemption
from dispatcher.task import Task, TaskId, TaskState
from fleet.vehicle import VehicleId
from routing.plan import Plan, timetable
from routing.problem import Visit
from routing.refusal import Refusal
from routing.solver import Budget, Stage, insert, solve

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
        self._held, self._lead_s = held, lead_s
        self._preemption = Preemption(modeller)
        self._seed = seed
        self._routes: dict[VehicleId, tuple[Visit, ...]] = {}
        self._charges: dict[VehicleId, dict[Visit, PlannedCharge]] = {}
        """Per vehicle, before which visits it charges."""
        self._number = 0
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

    def poke_if_waiting(self) -> None:
        """Some time has gone by: plan again if tasks wait that nobody has."""
        if any(task.state is TaskState.QUEUED for task in self._book.open()):
            self.poke()

    def next(self, vehicle: VehicleId) -> Visit | None:
        """The vehicle's next visit, with the stop counted within the whole task; None = no work.

        A visit whose task may not begin yet is not given out before its time.
        """
        for visit in self._routes.get(vehicle, ()):
            task = self._book.find(TaskId(visit.request))
            if task is not None and not task.state.ended and visit.stop >= task.stops_done:
                now_s = self._book.now_s()
                early = task.earliest_s > now_s
                waits = early and task.earliest_s - self._lead_s(vehicle, task) > now_s
                return None if waits else visit
        return None

    def wanted_s(self, vehicle: VehicleId) -> float:
        """When a vehicle's next task may begin; infinity = it has none."""
        for visit in self._routes.get(vehicle, ()):
            task = self._book.find(TaskId(visit.request))
            if task is not None and not task.state.ended:
                return task.earliest_s - self._lead_s(vehicle, task)
        return math.inf

    def must_wait(self, task: Task, free: Callable[[], Free]) -> bool:
        """Whether a vehicle would be shut out on the way, if it began a task now."""
        if not self._modeller.shortlist.minds_hours:
            return False
        return self._modeller.shortlist.why_wait(self._book.now_s(), task, [free()]) is not None

    def charge(self, vehicle: VehicleId) -> PlannedCharge | None:
        """Where a vehicle should charge before its next visit, and how long; None = it need not."""
        charges = self._charges.get(vehicle)
        visit = self.next(vehicle) if charges else None
        return charges.get(visit) if charges and visit is not None else None

    def first_charge(self, vehicle: VehicleId) -> PlannedCharge | None:
        """The first charge that a vehicle has before any of its visits."""
        charges = self._charges.get(vehicle, {})
        planned = (charges[visit] for visit in self._routes.get(vehicle, ()) if visit in charges)
        return next(planned, None)

    def begin(self, vehicle: VehicleId) -> Visit | None:
        """Take the next visit out of the plan: the vehicle sets out for it now."""
        visit = self.next(vehicle)
        if visit is not None:
            route = self._routes[vehicle]
            self._routes[vehicle] = route[route.index(visit) + 1 :]
            self._number += 1
        return visit

    def bar(self, task: TaskId, vehicle: VehicleId) -> None:
        """Never plan a task for a vehicle again: it is beyond its range."""
        self._number += 1
        self._modeller.shortlist.bar(task, vehicle)
        self._routes.pop(vehicle, None)

    def reconsider(self, task: TaskId) -> None:
        """Put a task that nobody has begun into the plan anew: it weighs differently now."""
        if not self._book[task].state.begun:
            self.withdraw(task)
        self.poke()

    async def anew(self, task: TaskId) -> None:
        """The same; returns when the next plan is in force."""
        self._hurry = True
        self.reconsider(task)
        self._answered.clear()
        await self._answered.wait()

    def withdraw(self, task: TaskId) -> None:
        """Take a task out of the plan: its vehicle has given it back."""
        self._number += 1
        for vehicle, route in self._routes.items():
            self._routes[vehicle] = tuple(v for v in route if v.request != task)

    def tasks_of(self, vehicle: VehicleId) -> tuple[TaskId, ...]:
        """All tasks in a vehicle's plan, in the order in which they are begun."""
        return tuple(dict.fromkeys(TaskId(v.request) for v in self._routes.get(vehicle, ())))

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
                while not self._hurry and all(task.state.begun for task in self._due()):
                    self._event.clear()
                    await self._event.wait()

    async def _replan(self) -> None:
        model = self._model()
        began = time.process_time()
        plan = insert(model.problem, self._start(model))
        self.times.insertions_ms.append(1000 * (time.process_time() - began))
        written = self._adopt(model, plan)
        self._last = Answer(model, plan, self._number, self._book.now_s())
        if self._last.open > 1 and self._config.stages:
            self._improve.set()
        if self._config.preempt:
            self._make_turn()
        await written

    def _make_turn(self) -> None:
        """Have a vehicle turned round for a task that can't wait, where that pays."""
        turn = self._preemption.find(
            self._book.now_s(), self._due(), self._fleet, start=self._start
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
        if self._event.is_set():
            return  # the next answer asks for it again
        number = self._number
        answer = self._answer_now()
        rounds = min(self._config.improve_iterations, ROUNDS_EACH * answer.open)
        budget = Budget(iterations=times * rounds, stages=stages)
        better, took_ms = await offload(
            self._executor,
            partial(_timed_solve, answer.model, answer.plan, budget, self._seed),
        )
        self.times.improvements_ms.append(took_ms)
        if number == self._number and better.cost < answer.plan.cost:
            self.times.adopted += 1
            await self._adopt(answer.model, better)

    def _answer_now(self) -> Answer:
        """The plan in force with its question: the last one, if nothing has changed since."""
        last, now_s = self._last, self._book.now_s()
        if last is None or last.number != self._number or now_s > last.at_s + STALE_S:
            model = self._model()
            last = Answer(model, insert(model.problem, self._start(model)), self._number, now_s)
        return last

    def _model(self) -> Model:
        return self._modeller.model(self._book.now_s(), self._due(), self._fleet())

    def _due(self) -> list[Task]:
        """The open tasks that are to be planned now."""
        until_s = self._book.now_s() + HORIZON_S
        open_ = (task for task in self._book.open() if not task.by_shifts)
        due = (task for task in open_ if task.earliest_s <= until_s)
        return [task for task in due if task.state.begun or self._held(task) is None]

    def _start(self, model: Model) -> Plan:
        """The plan in force, in the words of a new problem."""
        first = model.first_stop
        routes = (
            tuple(
                Visit(visit.request, visit.stop - first[visit.request])
                for visit in self._routes.get(vehicle, ())
                if visit.stop >= first.get(visit.request, visit.stop + 1)
            )
            for vehicle in model.vehicles
        )
        return Plan(routes=tuple(routes))

    def _adopt(self, model: Model, plan: Plan) -> asyncio.Future[None]:
        """Put a plan in force, and have written down which tasks it gives to whom.

        Who is woken by it need not wait for that: it comes before what they write down.
        """
        self._number += 1
        before, charged = self._routes, self._charges
        self._routes = {
            vehicle: tuple(
                Visit(visit.request, visit.stop + model.first_stop[visit.request])
                for visit in route
            )
            for vehicle, route in zip(model.vehicles, plan.routes, strict=True)
        }
        self._charges = self._charges_of(model, plan)
        written = self._assign(model, plan)
        for vehicle in {**before, **self._routes}:
            moved = before.get(vehicle, ()) != self._routes.get(vehicle, ())
            if moved or charged.get(vehicle) != self._charges.get(vehicle):
                self._wake(vehicle)
        return written

    def _charges_of(self, model: Model, plan: Plan) -> dict[VehicleId, dict[Visit, PlannedCharge]]:
        found: dict[VehicleId, dict[Visit, PlannedCharge]] = {}
        for vehicle, row in zip(model.vehicles, plan.charges, strict=False):
            route = self._routes[vehicle]
            for charge in row:
                if charge.before < len(route):
                    charger = model.chargers[charge.charger]
                    planned = PlannedCharge(charger=charger, seconds=charge.charge_s)
                    found.setdefault(vehicle, {})[route[charge.before]] = planned
        return found

    def _assign(self, model: Model, plan: Plan) -> asyncio.Future[None]:
        eta_s = {
            row.visit.request: float(row.end_s)
            for rows in timetable(model.problem, plan)
            for row in rows
        }
        holder = {
            visit.request: vehicle for vehicle, route in self._routes.items() for visit in route
        }
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
