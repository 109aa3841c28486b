"""The same `Problem` as a routing model of OR-Tools.

It starts from a plan, so it always has an answer, and that is a proposal: the caller prices and
checks it. Most of the problem is said as it is. Where the model can't say it, it is stricter
(`routing.solving.ortools_ways`); a slot whose route it would forbid for that keeps the route and
stays out of the model, and so does a slot that charges. It is looser in two things: a break may
begin on the way, and later than it could; of several drop-offs in any order each one's time counts,
not the last one's. Requests of three stops and more are reordered, but hardly ever given to another
slot.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from google.protobuf.duration_pb2 import Duration
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.problems.plan import Plan, check, cost
from routing.problems.problem import Problem, Visit
from routing.refusal import Refusal
from routing.solving.ortools_rows import HORIZON_S, Rows, allowed
from routing.solving.ortools_ways import Nodes, load_at_start

DAY_S = 86_400
RUIN = 5
"""Stops that a round of the search takes out: so many on average, so many in a row at most."""

ROUNDS_STOPS = 1000
"""With more stops there is one descent, as far as time goes: it would go by before a round."""

Routes = list[list[Visit]]


def improve(
    problem: Problem, start: Plan, *, cpu_s: float | None = None, solutions: int = 200
) -> Plan | None:
    """What OR-Tools makes of ``start``; None = nothing that could be carried out.

    Args:
        cpu_s: search this long, out of local optima too; by the wall's clock, so never more
            processor time. None = plain descent, which ends by itself and gives the same answer
            every time.
        solutions: plain descent ends after so many improvements.
    """
    routes = propose(problem, start, cpu_s=cpu_s, solutions=solutions)
    return None if routes is None else _plan(problem, start, routes)


def propose(
    problem: Problem, start: Plan, *, cpu_s: float | None = None, solutions: int = 200
) -> Routes | None:
    """Like `improve`, but neither priced nor checked: one route for each slot."""
    until_s = None if cpu_s is None else time.perf_counter() + cpu_s
    parameters = _parameters(problem, cpu_s, solutions)
    model = _model(problem, start, parameters)
    if model is None:
        return None
    found = model.search(until_s)
    if found is None:
        return None
    routes = [list(route) for route in start.routes]
    for slot, route in zip(model.nodes.slot_numbers, found, strict=True):
        routes[slot] = route
    return routes


def _plan(problem: Problem, start: Plan, routes: Routes) -> Plan | None:
    """Routes as a plan; None = they can't be carried out."""
    made = {visit.request for route in routes for visit in route}
    left_out = [request.id for request in problem.requests if request.id not in made]
    plan = Plan(
        routes=tuple(map(tuple, routes)),
        charges=start.charges,
        unplanned={id_: start.unplanned.get(id_, Refusal("too_costly")) for id_ in left_out},
    )
    plan = replace(plan, cost=cost(problem, plan))
    return plan if check(problem, plan) is None else None


# -- how it searches


def _parameters(problem: Problem, cpu_s: float | None, solutions: int) -> Any:
    if cpu_s is None:
        return _descent(solutions)
    stops = sum(len(request.stops) for request in problem.requests)
    parameters = _descent(2**62) if stops > ROUNDS_STOPS else _ruin_recreate()
    parameters.time_limit.CopyFrom(_duration(cpu_s))
    return parameters


def _descent(solutions: int) -> Any:
    """Local search down to the nearest optimum, without a clock."""
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    heuristics = routing_enums_pb2.LocalSearchMetaheuristic
    parameters.local_search_metaheuristic = heuristics.GREEDY_DESCENT
    parameters.solution_limit = solutions
    parameters.lns_time_limit.CopyFrom(Duration(seconds=DAY_S))
    return parameters


def _ruin_recreate() -> Any:
    """Slack induction by string removals, each round followed by local search, until time is up.

    It can't be started from an assignment. But its first solution can be made along given costs
    of ways, and of those of `_Model.distance_from_start` the plan's own are the cheapest.

    Source: Christiaens and Vanden Berghe, Transportation Science 54(2), 2020.
    """
    heuristics = routing_enums_pb2.FirstSolutionStrategy
    parameters = _descent(2**62)
    parameters.first_solution_strategy = heuristics.EVALUATOR_STRATEGY
    parameters.use_unfiltered_first_solution_strategy = True
    parameters.use_iterated_local_search = True
    search = parameters.iterated_local_search_parameters
    search.improve_perturbed_solution = True
    annealing = search.reference_solution_acceptance_strategy.simulated_annealing
    annealing.automatic_temperatures = True
    rounds = search.ruin_recreate_parameters
    rounds.recreate_strategy.heuristic = heuristics.LOCAL_CHEAPEST_COST_INSERTION
    del rounds.ruin_strategies[:]
    ruin = rounds.ruin_strategies.add().sisr
    ruin.avg_num_removed_visits = ruin.max_removed_sequence_size = RUIN
    ruin.bypass_factor = 0.01
    return parameters


def _duration(span_s: float) -> Duration:
    span_s = max(0.0, span_s)
    return Duration(seconds=int(span_s), nanos=int(span_s % 1 * 1e9))


# -- what takes part


def _model(problem: Problem, start: Plan, parameters: Any) -> "_Model | None":
    """A model that allows the start plan, of as many slots as possible; None = of nothing."""
    known = {Visit(r.id, n) for r in problem.requests for n in range(len(r.stops))}
    planned = {visit for route in start.routes for visit in route}
    if len(start.routes) != len(problem.slots) or not planned <= known or not problem.slots:
        return None
    charging = {number for number, charges in enumerate(start.charges) if charges}
    slots = [n for n in range(len(problem.slots)) if n not in charging and _may_take_on(problem, n)]
    requests = _requests(problem, start, slots)
    model = _Model(problem, start, slots, requests, parameters) if slots and requests else None
    if model is None or model.holds():
        return model
    slots = [number for number in slots if _holds(problem, start, number)]
    requests = _requests(problem, start, slots)
    model = _Model(problem, start, slots, requests, parameters) if slots and requests else None
    return model if model is not None and model.holds() else None


def _may_take_on(problem: Problem, number: int) -> bool:
    """Whether a slot is neither overfull, nor too late for a break, nor far behind the others."""
    slot = problem.slots[number]
    full = zip(load_at_start(problem, number), slot.capacity, strict=True)
    first_s = min(other.ready_s for other in problem.slots)
    return (
        all(load <= limit for load, limit in full)
        and all(slot.ready_s <= pause.latest_s for pause in slot.breaks)
        and slot.ready_s - first_s <= HORIZON_S // 2
    )


def _holds(problem: Problem, start: Plan, slot: int) -> bool:
    """Whether a model allows the route that one slot has."""
    made = _made_by(problem, start, slot)
    return not made or _Model(problem, start, [slot], made, _descent(1)).holds()


def _made_by(problem: Problem, start: Plan, slot: int) -> list[int]:
    """Requests in one route of a plan."""
    return sorted({problem.request_numbers[visit.request] for visit in start.routes[slot]})


def _requests(problem: Problem, start: Plan, slots: Sequence[int]) -> list[int]:
    """Requests that ``slots`` could do: those that no other slot has or must have.

    What is bound and not in the plan has no way to it.
    """
    planned = {visit.request for route in start.routes for visit in route}
    others = set(range(len(problem.slots))) - set(slots)
    taken = {number for slot in others for number in _made_by(problem, start, slot)}
    return [
        number
        for number, request in enumerate(problem.requests)
        if number not in taken
        and not others.issuperset(allowed(problem, request))
        and (request.id in planned or request.id not in problem.bound)
    ]


class _Model:
    """A routing model of some slots and requests, and the start plan in it."""

    def __init__(
        self,
        problem: Problem,
        start: Plan,
        slots: Sequence[int],
        requests: Sequence[int],
        parameters: Any,
    ) -> None:
        self.nodes = Nodes(problem, slots, requests)
        self.parameters = parameters
        self.start = [[self.nodes.number[visit] for visit in start.routes[n]] for n in slots]
        rows = Rows(self.nodes, self.start)
        self.routing, self.manager, self.index = rows.routing, rows.manager, rows.index
        self.evaluator = self.distance_from_start()
        self.routing.SetFirstSolutionEvaluator(self.evaluator)
        self.routing.CloseModelWithParameters(parameters)

    def holds(self) -> bool:
        """Whether the start plan is one that the model allows."""
        return self._first() is not None

    def search(self, until_s: float | None) -> Routes | None:
        """What the search makes of the start plan: a route for each slot of the model."""
        if until_s is not None:
            left_s = until_s - time.perf_counter()
            if left_s <= 0:
                return None
            self.parameters.time_limit.CopyFrom(_duration(left_s))
        if self.parameters.use_iterated_local_search:
            answer = self.routing.SolveWithIteratedLocalSearch(self.parameters)
        else:
            answer = self.routing.SolveFromAssignmentWithParameters(self._first(), self.parameters)
        if answer is None:
            return None
        return [self._route(answer, number) for number in range(len(self.nodes.slots))]

    def distance_from_start(self) -> Callable[[int, int], int]:
        """Cost of a way: 0 if the start plan takes it, or leaves the stop out, else 1."""
        after: dict[int, int] = {}
        for number, route in enumerate(self.start):
            path = [self.routing.Start(number), *(self.index[stop] for stop in route)]
            after |= pairwise([*path, self.routing.End(number)])
        return lambda here, there: int(after.get(here, here) != there)

    def _first(self) -> Any:
        routes = [[self.index[stop] for stop in route] for route in self.start]
        return self.routing.ReadAssignmentFromRoutes(routes, True)

    def _route(self, answer: Any, number: int) -> list[Visit]:
        found: list[Visit] = []
        index = answer.Value(self.routing.NextVar(self.routing.Start(number)))
        while not self.routing.IsEnd(index):
            found.append(self.nodes.visits[self.manager.IndexToNode(index)])
            index = answer.Value(self.routing.NextVar(index))
        return found
