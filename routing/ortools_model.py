"""The same `Problem` as a routing model of OR-Tools.

It starts from a valid plan, so it always has an answer. Its objective is close to ours, not equal
(of several drop-offs in any order each one's time counts), so the caller compares the prices of
`routing.pricing`. A stop has one soft bound per dimension of the model, so time is there twice:
once for lateness, once for flow. Committed visits are locked; what is bound is mandatory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.duration_pb2 import Duration
from numpy.typing import NDArray
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing import insertion
from routing.paths import UNREACHABLE_S
from routing.plan import Plan, timetable
from routing.pricing import Obstacle, Rater
from routing.problem import Problem, Table

HORIZON_S = 10_000_000
"""Longest span of time in one model; less than `UNREACHABLE_S`, so such legs are never driven."""
DAY_S = 86_400


def improve(
    problem: Problem, start: Plan, *, cpu_s: float | None = None, solutions: int = 200
) -> Plan | None:
    """What OR-Tools makes of ``start``; None = nothing that could be carried out.

    Args:
        cpu_s: search this long, out of local optima too; None = plain descent, which ends by
            itself and gives the same answer every time.
        solutions: plain descent ends after so many improvements.
    """
    if not problem.slots or not any(start.routes):
        return None
    model = _Model(problem, start)
    found = model.search(_parameters(cpu_s, solutions))
    if found is None:
        return None
    rater = model.rater
    if any(isinstance(rater.rate(slot, route), Obstacle) for slot, route in enumerate(found)):
        return None
    return insertion.finish(rater, found)


def _parameters(cpu_s: float | None, solutions: int) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    heuristics = routing_enums_pb2.LocalSearchMetaheuristic
    if cpu_s is None:
        parameters.local_search_metaheuristic = heuristics.GREEDY_DESCENT
        parameters.solution_limit = solutions
        parameters.lns_time_limit.CopyFrom(Duration(seconds=DAY_S))
    else:
        parameters.local_search_metaheuristic = heuristics.GUIDED_LOCAL_SEARCH
        parameters.time_limit.CopyFrom(
            Duration(nanos=max(1, int(cpu_s * 1e9) % 10**9), seconds=int(cpu_s))
        )
    return parameters


class _Model:
    """One routing model: nodes are all stops, then a start and an end for each slot."""

    def __init__(self, problem: Problem, start: Plan) -> None:
        self.problem = problem
        self.rater = Rater(problem)
        self.start = [[self.rater.number[visit] for visit in route] for route in start.routes]
        self.ends_s = [rows[-1].end_s if rows else 0 for rows in timetable(problem, start)]
        self.size = len(self.rater.visits)
        slots = len(problem.slots)
        self.manager = pywrapcp.RoutingIndexManager(
            self.size + 2 * slots,
            slots,
            list(range(self.size, self.size + slots)),
            list(range(self.size + slots, self.size + 2 * slots)),
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index = [self.manager.NodeToIndex(stop) for stop in range(self.size)]
        self.base_s = min(problem.now_s, *(slot.ready_s for slot in problem.slots))
        self._add_time()
        self._add_metres()
        self._add_loads()
        self._add_order()
        for number in range(len(problem.requests)):
            self._add_request(number)
        self._lock_committed()

    def search(self, parameters: Any) -> list[list[int]] | None:
        """Routes as numbers of stops."""
        self.routing.CloseModelWithParameters(parameters)
        routes = [[self.index[stop] for stop in route] for route in self.start]
        first = self.routing.ReadAssignmentFromRoutes(routes, True)
        if first is None:
            return None
        answer = self.routing.SolveFromAssignmentWithParameters(first, parameters)
        if answer is None:
            return None
        return [self._route(answer, slot) for slot in range(len(self.problem.slots))]

    def _route(self, answer: Any, slot: int) -> list[int]:
        found: list[int] = []
        index = answer.Value(self.routing.NextVar(self.routing.Start(slot)))
        while not self.routing.IsEnd(index):
            found.append(self.manager.IndexToNode(index))
            index = answer.Value(self.routing.NextVar(index))
        return found

    def _square(self, slot: int, table: Table) -> NDArray[np.int64]:
        """A travel matrix over the model's nodes; to an open end it is nowhere far."""
        rater, slots = self.rater, self.problem.slots
        ends = [each.end if each.end is not None else -1 for each in slots]
        nodes = np.array([*rater.node, *(each.start for each in slots), *ends])
        square = np.array(table, dtype=np.int64)[np.ix_(nodes, nodes)]
        square[:, nodes < 0] = 0
        square[self.size + slot, self.size + len(slots) :] = 0
        return square

    def _add_time(self) -> None:
        weights = self.problem.weights
        service_s = np.array([*self.rater.service_s, *[0] * (2 * len(self.problem.slots))])
        transits: list[int] = []
        for number, slot in enumerate(self.problem.slots):
            profile = self.problem.profiles[slot.profile]
            seconds = self._square(number, profile.seconds)
            if profile.loaded_s is not None:
                seconds = np.where(
                    self._leaves_loaded(), self._square(number, profile.loaded_s), seconds
                )
            transits.append(self._matrix(seconds + service_s[:, None]))
            metres = self._square(number, profile.metres)
            price = np.minimum(weights.metre * metres, UNREACHABLE_S)
            self.routing.SetArcCostEvaluatorOfVehicle(self._matrix(price), number)
        self.routing.AddDimensionWithVehicleTransits(transits, HORIZON_S, HORIZON_S, False, "time")
        self.time = self.routing.GetDimensionOrDie("time")
        self.routing.AddDimensionWithVehicleTransits(transits, HORIZON_S, HORIZON_S, False, "flow")
        self.flow = self.routing.GetDimensionOrDie("flow")
        for number, slot in enumerate(self.problem.slots):
            for dimension in (self.time, self.flow):
                start = dimension.CumulVar(self.routing.Start(number))
                start.SetValue(slot.ready_s - self.base_s)
            if slot.shift_end_s is not None and self.ends_s[number] <= slot.shift_end_s:
                end = self.time.CumulVar(self.routing.End(number))
                end.SetMax(max(slot.shift_end_s, slot.ready_s) - self.base_s)

    def _leaves_loaded(self) -> NDArray[np.bool_]:
        """Column of nodes that a vehicle surely leaves with goods on board: all pickups."""
        loaded = [load is not None and max(load) > 0 for load in self.rater.load]
        starts = [any(load) for load in self.rater.load_at_start]
        return np.array([*loaded, *starts, *[False] * len(starts)])[:, None]

    def _matrix(self, square: NDArray[np.int64]) -> int:
        return self.routing.RegisterTransitMatrix(square.tolist())

    def _add_metres(self) -> None:
        slots = self.problem.slots
        if all(slot.range_m is None for slot in slots):
            return
        metres = [
            self._matrix(self._square(n, self.problem.profiles[slot.profile].metres))
            for n, slot in enumerate(slots)
        ]
        limits = [HORIZON_S if slot.range_m is None else slot.range_m for slot in slots]
        self.routing.AddDimensionWithVehicleTransitAndCapacity(metres, 0, limits, True, "metres")

    def _add_loads(self) -> None:
        slots = self.problem.slots
        for d in range(len(slots[0].capacity)):
            loads = [load[d] if load is not None else 0 for load in self.rater.load]
            step = self.routing.RegisterUnaryTransitVector([*loads, *[0] * (2 * len(slots))])
            starts = [load[d] for load in self.rater.load_at_start]
            limits = [max(slot.capacity[d], s) for slot, s in zip(slots, starts, strict=True)]
            self.routing.AddDimensionWithVehicleCapacity(step, 0, limits, False, f"load {d}")
            dimension = self.routing.GetDimensionOrDie(f"load {d}")
            for number, start in enumerate(starts):
                dimension.CumulVar(self.routing.Start(number)).SetValue(start)

    def _add_order(self) -> None:
        self.routing.AddConstantDimension(1, self.size + 2, True, "order")
        self.order = self.routing.GetDimensionOrDie("order")

    def _add_request(self, number: int) -> None:
        problem, routing, solver = self.problem, self.routing, self.routing.solver()
        request = problem.requests[number]
        stops = [self.index[stop] for stop in self.rater.stops[number]]
        holder = problem.bound.get(request.id)
        planned = any(self.rater.stops[number][0] in route for route in self.start)
        self._add_windows(number, stops)
        if holder is None or not planned:
            for n, stop in enumerate(stops):
                routing.AddDisjunction([stop], 0 if n else problem.drop_price(request))
        allowed = request.allowed if holder is None else (holder,)
        if allowed is not None:
            for stop in stops:
                routing.VehicleVar(stop).SetValues([-1, *sorted(allowed)])
        for n, stop in enumerate(stops[1:]):
            solver.Add(routing.VehicleVar(stops[0]) == routing.VehicleVar(stop))
            if request.aboard is None or request.fixed_order:
                before = stops[n] if request.fixed_order else stops[0]
                solver.Add(self.order.CumulVar(before) <= self.order.CumulVar(stop))
        if len(stops) == 2 and request.aboard is None:
            routing.AddPickupAndDelivery(stops[0], stops[1])

    def _add_windows(self, number: int, stops: Sequence[int]) -> None:
        problem, request = self.problem, self.problem.requests[number]
        for stop, index in zip(self.rater.stops[number], stops, strict=True):
            earliest_s = max(0, self.rater.earliest_s[stop] - self.base_s)
            latest_s = self.rater.latest_s[stop] if self.rater.free[number] else None
            if latest_s is not None and latest_s - self.base_s < earliest_s:
                self.routing.ActiveVar(index).SetValue(0)
                continue
            self.time.CumulVar(index).SetMin(earliest_s)
            if latest_s is not None:
                self.time.CumulVar(index).SetMax(latest_s - self.base_s)
            last = index == stops[-1] or not request.fixed_order
            self.flow.CumulVar(index).SetMin(earliest_s)
            if last:
                self.flow.SetCumulVarSoftUpperBound(index, 0, problem.weights.flow_s)
            if request.due_s is not None and last:
                due_s = max(0, request.due_s - self.rater.service_s[stop] - self.base_s)
                price = problem.late_price(request)
                self.time.SetCumulVarSoftUpperBound(index, due_s, price)

    def _lock_committed(self) -> None:
        for number, slot in enumerate(self.problem.slots):
            here = self.routing.Start(number)
            for visit in slot.committed:
                stop = self.rater.number[visit]
                if stop in self.start[number]:
                    self.routing.solver().Add(self.routing.NextVar(here) == self.index[stop])
                    here = self.index[stop]
