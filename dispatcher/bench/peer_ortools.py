"""The routing solver of OR-Tools, from our insertion, without which it may find no answer at all.

Iterated local search with the ruins of Christiaens and Vanden Berghe (SISR) and no local search
after each: on the instances tried better than guided local search, and 20 visits removed at the
mean better than 10.
"""

import time
from typing import Any

import numpy as np
from google.protobuf.duration_pb2 import Duration
from ortools.constraint_solver import pywrapcp

from dispatcher.bench.fair import fairly
from dispatcher.bench.peer import Answer
from routing.problems.plan import Plan
from routing.problems.problem import Problem, Stop, Visit
from routing.solving.solver import insert

REMOVED = 20
LONGEST_STRING = 10
BYPASS = 0.01
BEST_PAIR = 2
"""Inserts pickup and delivery together where both are cheapest."""
HOT, COLD = 0.1, 0.001
"""First and last temperature, in mean distances."""
LEAST_S = 0.01


def prepare() -> None:
    """Its modules are loaded with this one."""


def solve(problem: Problem, budget_s: float, seed: int) -> Answer:  # noqa: ARG001
    """The insertion's routes, or better ones; it has no use for a seed."""
    since_s = time.process_time()
    start = insert(problem)
    inserted_s = time.process_time() - since_s
    if budget_s - inserted_s < LEAST_S:
        return [list(route) for route in start.routes], inserted_s
    model = _Model(problem)
    found, cpu_s = fairly(budget_s - inserted_s, lambda limit_s: model.improved(start, limit_s))
    return found, inserted_s + cpu_s


class _Model:
    """What a routing model is made of: stops in their order, then the depot."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.slot = problem, problem.slots[0]
        self.stops: list[Stop] = [stop for r in problem.requests for stop in r.stops]
        self.visits = [Visit(r.id, n) for r in problem.requests for n in range(len(r.stops))]
        nodes = [*(stop.node for stop in self.stops), self.slot.start]
        around = np.ix_(nodes, nodes)
        service_s = np.array([*(stop.service_s for stop in self.stops), 0])[:, None]
        self.metres = np.array(problem.profiles[0].metres, dtype=np.int64)[around]
        self.seconds = np.array(problem.profiles[0].seconds, dtype=np.int64)[around] + service_s

    def improved(self, start: Plan, limit_s: float) -> list[list[Visit]]:
        """The better of ``start`` and what is found in ``limit_s`` on the wall's clock."""
        stops, vehicles = len(self.stops), len(self.problem.slots)
        manager = pywrapcp.RoutingIndexManager(stops + 1, vehicles, stops)
        routing = pywrapcp.RoutingModel(manager)
        self._add_ways(routing)
        self._add_stops(routing, manager)
        parameters = self._parameters(limit_s)
        routing.CloseModelWithParameters(parameters)
        number = {visit: manager.NodeToIndex(n) for n, visit in enumerate(self.visits)}
        routes = [[number[visit] for visit in route] for route in start.routes]
        first = routing.ReadAssignmentFromRoutes(routes, True)
        if first is not None:
            routing.SetFirstSolutionHint(first)
        best = routing.SolveWithIteratedLocalSearch(parameters)
        if best is None or (first and first.ObjectiveValue() <= best.ObjectiveValue()):
            return [list(route) for route in start.routes]
        found: list[list[Visit]] = []
        for vehicle in range(vehicles):
            found.append([])
            index = best.Value(routing.NextVar(routing.Start(vehicle)))
            while not routing.IsEnd(index):
                found[-1].append(self.visits[manager.IndexToNode(index)])
                index = best.Value(routing.NextVar(index))
        return found

    def _add_ways(self, routing: Any) -> None:
        slot, vehicles = self.slot, len(self.problem.slots)
        metres = routing.RegisterTransitMatrix(self.metres.tolist())
        seconds = routing.RegisterTransitMatrix(self.seconds.tolist())
        loads = routing.RegisterUnaryTransitVector([*(stop.load[0] for stop in self.stops), 0])
        routing.SetArcCostEvaluatorOfAllVehicles(metres)
        routing.SetFixedCostOfAllVehicles(slot.price)
        routing.AddDimension(seconds, slot.shift_end_s, slot.shift_end_s, False, "time")
        routing.AddDimensionWithVehicleCapacity(loads, 0, [*slot.capacity] * vehicles, True, "load")

    def _add_stops(self, routing: Any, manager: Any) -> None:
        """Windows, pairs, and the price of what is left out."""
        solver, time_s = routing.solver(), routing.GetDimensionOrDie("time")
        for vehicle in range(len(self.problem.slots)):
            start = time_s.CumulVar(routing.Start(vehicle))
            start.SetRange(self.slot.ready_s, self.slot.shift_end_s)
        indices = [manager.NodeToIndex(n) for n in range(len(self.stops))]
        for index, stop in zip(indices, self.stops, strict=True):
            latest_s = min(self.slot.shift_end_s or 0, stop.latest_s or 0)
            time_s.CumulVar(index).SetRange(stop.earliest_s, latest_s)
        left = iter(indices)
        for request in self.problem.requests:
            ends = [next(left) for _ in request.stops]
            for index in ends:
                routing.AddDisjunction([index], request.drop_penalty // len(ends))
            if len(ends) == 2:
                routing.AddPickupAndDelivery(*ends)
                solver.Add(routing.VehicleVar(ends[0]) == routing.VehicleVar(ends[1]))
                solver.Add(time_s.CumulVar(ends[0]) <= time_s.CumulVar(ends[1]))

    def _parameters(self, limit_s: float) -> Any:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        whole_s, rest_s = divmod(limit_s, 1)
        parameters.time_limit.CopyFrom(Duration(seconds=int(whole_s), nanos=int(rest_s * 1e9)))
        parameters.use_iterated_local_search = True
        parameters.local_cheapest_insertion_parameters.pickup_delivery_strategy = BEST_PAIR
        search = parameters.iterated_local_search_parameters
        search.improve_perturbed_solution = False
        ruin = search.ruin_recreate_parameters.ruin_strategies.add().sisr
        ruin.max_removed_sequence_size = LONGEST_STRING
        ruin.avg_num_removed_visits = REMOVED
        ruin.bypass_factor = BYPASS
        recreate = search.ruin_recreate_parameters.recreate_strategy.parameters
        recreate.local_cheapest_insertion.pickup_delivery_strategy = BEST_PAIR
        cooling = search.reference_solution_acceptance_strategy.simulated_annealing
        cooling.initial_temperature = HOT * float(self.metres.mean())
        cooling.final_temperature = COLD * float(self.metres.mean())
        return parameters
