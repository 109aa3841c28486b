"""PyVRP: iterated local search with penalties for what is broken on the way.

A pickup and its delivery are a shipment (since 0.14). Its search is asked after each iteration
whether to stop, so processor time can be its budget. Vehicles have a fixed cost where their number
counts: its own `minimise_fleet` may end without an answer.
"""

import time
from importlib import import_module
from typing import Any

import numpy as np

from dispatcher.bench.peer import Answer
from routing.problems.problem import Problem, Stop, Visit


def prepare() -> None:
    """Load it, so that this does not count as thinking."""
    import_module("pyvrp")


def solve(problem: Problem, budget_s: float, seed: int) -> Answer:
    """Its routes; they may break a window or a capacity when it has found nothing better."""
    since_s = time.process_time()
    pyvrp: Any = import_module("pyvrp")

    def spent(_best_cost: float) -> bool:
        return time.process_time() - since_s > budget_s

    found = pyvrp.solve(_data(pyvrp, problem), spent, seed=seed, collect_stats=False)
    singles = [request.id for request in problem.requests if len(request.stops) == 1]
    pairs = [request.id for request in problem.requests if len(request.stops) == 2]
    routes: list[list[Visit]] = []
    for route in found.best.routes():
        visits: list[Visit] = []
        for activity in route:
            if activity.is_client():
                visits.append(Visit(singles[activity.idx], 0))
            elif activity.is_shipment():
                visits.append(Visit(pairs[activity.idx], int(activity.is_delivery())))
        routes.append(visits)
    return routes, time.process_time() - since_s


def _data(pyvrp: Any, problem: Problem) -> Any:
    """The same whole numbers; a vehicle's price is its fixed cost."""
    slot, profile = problem.slots[0], problem.profiles[0]
    late_s = slot.shift_end_s or 0
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in profile.metres],
        clients=[
            pyvrp.Client(
                location=request.stops[0].node,
                pickup=list(request.stops[0].load),
                service_duration=request.stops[0].service_s,
                **_window(request.stops[0], late_s),
            )
            for request in problem.requests
            if len(request.stops) == 1
        ],
        depots=[pyvrp.Depot(slot.start, tw_early=slot.ready_s, tw_late=late_s)],
        vehicle_types=[
            pyvrp.VehicleType(
                num_available=len(problem.slots),
                capacity=list(slot.capacity),
                fixed_cost=slot.price,
                tw_early=slot.ready_s,
                tw_late=late_s,
            )
        ],
        distance_matrices=[np.array(profile.metres, dtype=np.int64)],
        duration_matrices=[np.array(profile.seconds, dtype=np.int64)],
        shipments=[
            _shipment(pyvrp, *request.stops, late_s=late_s)
            for request in problem.requests
            if len(request.stops) == 2
        ],
    )


def _shipment(pyvrp: Any, pickup: Stop, delivery: Stop, *, late_s: int) -> Any:
    ends = {"pickup": pickup, "delivery": delivery}
    windows = {
        f"{end}_{name}": at_s
        for end, stop in ends.items()
        for name, at_s in _window(stop, late_s).items()
    }
    return pyvrp.Shipment(
        pickup_location=pickup.node,
        delivery_location=delivery.node,
        pickup_service_duration=pickup.service_s,
        delivery_service_duration=delivery.service_s,
        amount=list(pickup.load),
        **windows,
    )


def _window(stop: Stop, late_s: int) -> dict[str, int]:
    latest_s = late_s if stop.latest_s is None else stop.latest_s
    return {"tw_early": stop.earliest_s, "tw_late": latest_s}
