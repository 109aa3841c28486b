"""Whether another does a task sooner that can't wait, now that the roads are not as they were."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.domain.urgency import PRESSING
from dispatcher.planning.free import Free
from dispatcher.planning.modelling import Model, Modeller
from dispatcher.planning.preemption import STOP_S, WORTH_S, end_s
from fleet.vehicle import VehicleId
from routing.problems.plan import Plan
from routing.problems.problem import Visit
from routing.solving.solver import insert


class SecondThoughts:
    """Looks at those who drive, empty, to the first stop of a task that can't wait."""

    def __init__(self, modeller: Modeller) -> None:
        self._modeller = modeller

    def find(
        self,
        now_s: float,
        tasks: Sequence[Task],
        fleet: Sequence[Free],
        start: Callable[[Model], Plan],
    ) -> list[tuple[VehicleId, TaskId]]:
        """Who should give which task back, because another has done it `WORTH_S` earlier.

        Args:
            start: the plan in force in the words of a model.
        """
        pressing = {t.id: t for t in tasks if t.priority in PRESSING and t.state.begun}
        at_it = {
            free.current[0]: free
            for free in fleet
            if free.current is not None and free.current[1] == 0 and free.turns_at is not None
        }
        return [
            (free.spec.id, id_)
            for id_, free in at_it.items()
            if id_ in pressing and self._pays(now_s, pressing[id_], free, tasks, fleet, start)
        ]

    def _pays(
        self,
        now_s: float,
        task: Task,
        free: Free,
        tasks: Sequence[Task],
        fleet: Sequence[Free],
        start: Callable[[Model], Plan],
    ) -> bool:
        """Price both: the vehicle goes on from where it is, or is free where it could stop."""
        assert free.turns_at is not None
        stopped = replace(free, spot=free.turns_at, ready_s=now_s + STOP_S, current=None)
        there = [stopped if one is free else one for one in fleet]
        goes_on_s = self._goes_on_s(self._modeller.model(now_s, tasks, there), free, task, start)
        back = replace(task, state=TaskState.QUEUED, vehicle=None)
        model = self._modeller.model(now_s, [back if one is task else one for one in tasks], there)
        if task.id not in model.first_stop:
            return False
        routes = start(model).routes
        anew = tuple(tuple(v for v in route if v.request != task.id) for route in routes)
        plan = insert(model.problem, Plan(routes=anew))
        other_s = end_s(plan, task.id, model)
        taker = next(
            (
                vehicle
                for vehicle, route in zip(model.vehicles, plan.routes, strict=True)
                if any(visit.request == task.id for visit in route)
            ),
            free.spec.id,
        )
        if other_s is None or taker == free.spec.id:
            return False
        return goes_on_s is None or goes_on_s - other_s >= WORTH_S

    def _goes_on_s(
        self, model: Model, free: Free, task: Task, start: Callable[[Model], Plan]
    ) -> int | None:
        """When the task is done if its vehicle keeps it; None = it can't get there."""
        if task.id not in model.first_stop or free.spec.id not in model.vehicles:
            return None
        slot, first = model.vehicles.index(free.spec.id), Visit(task.id, 0)
        told = tuple(
            replace(one, committed=(first,)) if number == slot else one
            for number, one in enumerate(model.problem.slots)
        )
        as_told = replace(model, problem=replace(model.problem, slots=told))
        routes = start(model).routes
        plan = Plan(routes=tuple((first, *r) if n == slot else r for n, r in enumerate(routes)))
        return end_s(insert(as_told.problem, plan), task.id, as_told)
