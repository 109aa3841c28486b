"""The plan in force: who does which visit next, and where it charges before."""

import math
from collections.abc import Callable

from dispatcher.domain.charging import PlannedCharge
from dispatcher.domain.task import Task, TaskId
from dispatcher.planning.modelling import Model
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId
from routing.problems.plan import Plan
from routing.problems.problem import Visit


class PlanInForce:
    """What was planned last, without what has been begun since.

    Args:
        lead_s: how long before a task may begin a vehicle sets out for it.
    """

    def __init__(self, book: TaskBook, lead_s: Callable[[VehicleId, Task], float]) -> None:
        self._book, self._lead_s = book, lead_s
        self._routes: dict[VehicleId, tuple[Visit, ...]] = {}
        self._charges: dict[VehicleId, dict[Visit, PlannedCharge]] = {}
        """Per vehicle, before which visits it charges."""
        self.number = 0
        """Another one after each change."""

    # --- what workers and screens ask ---

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
            self.number += 1
        return visit

    def withdraw(self, task: TaskId) -> None:
        """Take a task out of the plan: its vehicle has given it back."""
        self.number += 1
        for vehicle, route in self._routes.items():
            self._routes[vehicle] = tuple(v for v in route if v.request != task)

    def tasks_of(self, vehicle: VehicleId) -> tuple[TaskId, ...]:
        """All tasks in a vehicle's plan, in the order in which they are begun."""
        return tuple(dict.fromkeys(TaskId(v.request) for v in self._routes.get(vehicle, ())))

    def holders(self) -> dict[str, VehicleId]:
        """Who has each task that is in the plan."""
        return {v.request: vehicle for vehicle, route in self._routes.items() for v in route}

    # --- changes ---

    def drop(self, vehicle: VehicleId) -> None:
        """Give a vehicle nothing before the next plan."""
        self.number += 1
        self._routes.pop(vehicle, None)

    def put(self, model: Model, plan: Plan) -> list[VehicleId]:
        """Put a plan in force; returns those for whom it is another one."""
        self.number += 1
        before, charged = self._routes, self._charges
        self._routes = {
            vehicle: tuple(
                Visit(visit.request, visit.stop + model.first_stop[visit.request])
                for visit in route
            )
            for vehicle, route in zip(model.vehicles, plan.routes, strict=True)
        }
        self._charges = self._charges_of(model, plan)
        return [
            vehicle
            for vehicle in {**before, **self._routes}
            if before.get(vehicle, ()) != self._routes.get(vehicle, ())
            or charged.get(vehicle) != self._charges.get(vehicle)
        ]

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

    def as_start(self, model: Model) -> Plan:
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
