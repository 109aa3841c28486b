"""VROOM: fast heuristics, then local search with growing ruins.

Its only limit runs on the wall's clock (`dispatcher.bench.fair`), and it may end before that, when
its last ruins have not helped.
"""

from datetime import timedelta
from importlib import import_module
from typing import Any

import numpy as np

from dispatcher.bench.fair import fairly
from dispatcher.bench.peer import Answer
from routing.problems.problem import Problem, Stop, Visit

EXPLORATION = 5
"""The highest level: it ends when nothing gets better, or the time is up."""


def prepare() -> None:
    """Load it, so that this does not count as thinking."""
    import_module("vroom")


def solve(problem: Problem, budget_s: float, seed: int) -> Answer:  # noqa: ARG001
    """Its routes; it has no use for a seed. What it can't serve in time, it leaves out."""
    return fairly(budget_s, lambda limit_s: _routes(problem, limit_s))


def _routes(problem: Problem, limit_s: float) -> list[list[Visit]]:
    vroom: Any = import_module("vroom")
    model = _model(vroom, problem)
    limit = timedelta(milliseconds=max(1, round(1000 * limit_s)))
    found = model.solve(exploration_level=EXPLORATION, nb_threads=1, timeout=limit)
    visits = [Visit(r.id, n) for r in problem.requests for n in range(len(r.stops))]
    routes: list[list[Visit]] = [[] for _ in problem.slots]
    steps = found.routes
    stops = steps[steps["type"].isin(["job", "pickup", "delivery"])]
    for vehicle, number in zip(stops["vehicle_id"], stops["id"], strict=True):
        routes[int(vehicle)].append(visits[int(number)])
    return routes


def _model(vroom: Any, problem: Problem) -> Any:
    """The same whole numbers; ids count stops as they come."""
    slot, profile = problem.slots[0], problem.profiles[0]
    model = vroom.Input()
    model.set_durations_matrix("car", np.array(profile.seconds, dtype=np.uint32))
    model.set_costs_matrix("car", np.array(profile.metres, dtype=np.uint32))
    shift = vroom.TimeWindow(slot.ready_s, slot.shift_end_s)
    for number in range(len(problem.slots)):
        model.add_vehicle(
            vroom.Vehicle(
                number,
                start=slot.start,
                end=slot.end,
                capacity=list(slot.capacity),
                time_window=shift,
                costs=vroom.VehicleCosts(fixed=slot.price),
            )
        )
    number = 0
    for request in problem.requests:
        load = list(request.stops[0].load)
        if len(request.stops) == 1:
            model.add_job(
                vroom.Job(number, pickup=load, **_where_and_when(vroom, request.stops[0]))
            )
        else:
            ends = [
                vroom.ShipmentStep(number + n, **_where_and_when(vroom, stop))
                for n, stop in enumerate(request.stops)
            ]
            model.add_shipment(*ends, amount=vroom.Amount(load))
        number += len(request.stops)
    return model


def _where_and_when(vroom: Any, stop: Stop) -> dict[str, Any]:
    window = vroom.TimeWindow(stop.earliest_s, stop.latest_s)
    return {
        "location": stop.node,
        "default_service": stop.service_s,
        "time_windows": [window],
    }
