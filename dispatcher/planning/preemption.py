"""Which empty vehicle should be turned round for a task that can't wait."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dispatcher.domain.task import Priority, Task, TaskId
from dispatcher.domain.urgency import PRESSING, RANKS, lifted
from dispatcher.planning.free import Free
from dispatcher.planning.modelling import Model, Modeller
from fleet.vehicle import VehicleId
from routing.problems.plan import Plan, timetable
from routing.problems.problem import Visit
from routing.solving.solver import insert

WORTH_S = 30.0
"""A vehicle is turned round only for a task that is done so much earlier then."""
STOP_S = 5
"""How long it takes to stop."""
TURNS = 3
"""A task that has given way so often does so no more."""
LOOK_S = 10.0
"""How often it is looked for each task whether somebody could be turned round."""
NEAREST = 2
"""How many vehicles are looked at each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A vehicle that should give ``task`` back for now, for the sake of ``by``."""

    vehicle: VehicleId
    task: TaskId
    by: TaskId


class Preemption:
    """Finds turns that pay, never twice for the same two tasks."""

    def __init__(self, modeller: Modeller) -> None:
        self._modeller = modeller
        self._turned: set[tuple[TaskId, TaskId]] = set()
        self._times: Counter[TaskId] = Counter()
        self._looked_s: dict[TaskId, float] = {}

    def forget(self, task: TaskId) -> None:
        """A task has ended."""
        self._turned = {pair for pair in self._turned if task not in pair}
        self._looked_s.pop(task, None)
        self._times.pop(task, None)

    def find(
        self,
        now_s: float,
        tasks: Sequence[Task],
        fleet_now: Callable[[], Sequence[Free]],
        start: Callable[[Model], Plan],
    ) -> Turn | None:
        """The first turn that pays; it is taken to be made.

        Args:
            start: the plan in force in the words of a model.
        """
        pressing = [task for task in tasks if self._presses(task, now_s)]
        if not pressing:
            return None
        known, fleet = {task.id: task for task in tasks}, fleet_now()
        for task in pressing:
            candidates = self._candidates(now_s, task, known, fleet)
            if candidates:
                self._looked_s[task.id] = now_s
            for free in candidates:
                turn = self._turn(now_s, task, free, tasks, fleet, start)
                if turn is not None:
                    self._turned.add((turn.task, turn.by))
                    self._times[turn.task] += 1
                    return turn
        return None

    def _presses(self, task: Task, now_s: float) -> bool:
        """Whether a task can't wait, and nobody was looked for lately."""
        if task.state.begun or task.earliest_s > now_s or task.priority not in PRESSING:
            return False
        return self._looked_s.get(task.id, now_s - LOOK_S) <= now_s - LOOK_S

    def _candidates(
        self, now_s: float, task: Task, known: Mapping[TaskId, Task], fleet: Sequence[Free]
    ) -> list[Free]:
        """Those who could give something lesser back for a task, the nearest first."""
        found: list[tuple[float, Free]] = []
        for free in fleet:
            if free.turns_at is None or free.current is None:
                continue
            lesser = known.get(free.current[0])
            if lesser is None or (lesser.id, task.id) in self._turned:
                continue
            if self._times[lesser.id] >= TURNS or not may_overtake(task, lesser, now_s):
                continue
            if self._modeller.shortlist.able(task, free.spec):
                found.append(
                    (self._modeller.spots.seconds_to(task, free.spec, free.turns_at), free)
                )
        found.sort(key=lambda one: one[0])
        return [free for _, free in found[:NEAREST]]

    def _turn(
        self,
        now_s: float,
        task: Task,
        free: Free,
        tasks: Sequence[Task],
        fleet: Sequence[Free],
        start: Callable[[Model], Plan],
    ) -> Turn | None:
        """Price both: the vehicle goes on as it was told, or is free where it could stop."""
        assert free.current is not None
        assert free.turns_at is not None
        lesser = free.current[0]
        stopped = replace(free, spot=free.turns_at, ready_s=now_s + STOP_S, current=None)
        there = [stopped if one is free else one for one in fleet]
        model = self._modeller.model(now_s, tasks, there)
        if task.id not in model.first_stop or lesser not in model.first_stop:
            return None
        slot = model.vehicles.index(free.spec.id)
        routes, first = start(model).routes, Visit(lesser, 0)
        told = tuple(
            replace(one, committed=(first,)) if number == slot else one
            for number, one in enumerate(model.problem.slots)
        )
        as_told = replace(model.problem, slots=told)
        goes_on = insert(
            as_told,
            Plan(routes=tuple((first, *r) if n == slot else r for n, r in enumerate(routes))),
        )
        both = (task.id, lesser)
        anew = tuple(tuple(v for v in route if v.request not in both) for route in routes)
        turns = insert(model.problem, Plan(routes=anew))
        order = [visit.request for visit in turns.routes[slot]]
        if task.id not in order or (lesser in order and order.index(lesser) < order.index(task.id)):
            return None
        soon_s = end_s(turns, task.id, model)
        late_s = end_s(goes_on, task.id, replace(model, problem=as_told))
        if soon_s is None or (late_s is not None and late_s - soon_s < WORTH_S):
            return None
        if turns.cost >= goes_on.cost:
            return None
        return Turn(vehicle=free.spec.id, task=lesser, by=task.id)


def may_overtake(task: Task, lesser: Task, now_s: float) -> bool:
    """Whether a task may take a vehicle from another: STAT from all others, urgent from background.

    Waiting lifts the lesser one, here as in the plan.
    """
    below = {Priority.STAT: RANKS[Priority.URGENT], Priority.URGENT: RANKS[Priority.BACKGROUND]}
    return task.priority in below and RANKS[lifted(lesser, now_s)] >= below[task.priority]


def end_s(plan: Plan, task: TaskId, model: Model) -> int | None:
    """When a task is done by a plan; None = it is not in it."""
    rows = (row for rows in timetable(model.problem, plan) for row in rows)
    return max((row.end_s for row in rows if row.visit.request == task), default=None)
