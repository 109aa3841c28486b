"""The answer to a `Problem`: routes, what is left out and why, and a judge of both.

`check` recomputes all of it. It shares no code with the solvers and runs after every one of them.
`routing.problems.timetable` says what happens on a route, `routing.problems.judge` what is wrong
with it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from routing.problems.judge import PlanFault, crowd_faults, faults_of, malformed
from routing.problems.problem import Problem, Request, Visit
from routing.problems.timetable import Charge, Journey, Rules, Timed, drive
from routing.refusal import Refusal

__all__ = ["Charge", "Plan", "PlanFault", "Timed", "check", "cost", "timetable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What each slot does, in order.

    Args:
        routes: one per slot of the problem.
        charges: one row per slot, by ``before``, at most one before each visit; empty = nobody
            charges.
        unplanned: every request in no route, with its reason.
        cost: in the prices of ``Problem.weights``.
    """

    routes: tuple[tuple[Visit, ...], ...]
    charges: tuple[tuple[Charge, ...], ...] = ()
    unplanned: Mapping[str, Refusal] = field(default_factory=dict[str, Refusal])
    cost: int = 0


def timetable(problem: Problem, plan: Plan) -> tuple[tuple[Timed, ...], ...]:
    """When each visit of ``plan`` happens; one tuple per slot."""
    rows: list[tuple[Timed, ...]] = [()] * len(problem.slots)
    for journey in _journeys(problem, plan, Rules(problem)):
        rows[journey.number] = tuple(journey.rows)
    return tuple(rows)


def cost(problem: Problem, plan: Plan) -> int:
    """The price of a plan, in the prices of ``Problem.weights``.

    What is left out; what is late, slow or on another slot than before; metres, those to
    chargers and stations included; the slots that have a visit, and n * n for n requests there.
    """
    return _price(problem, _journeys(problem, plan, Rules(problem)))


def priced(problem: Problem, plan: Plan) -> tuple[Plan, PlanFault | None]:
    """The plan with its true ``cost``, and what else `check` says; all is driven only once.

    One that can't be driven stays as it is.
    """
    if fault := next(_shape_faults(problem, plan), None):
        return plan, fault
    rules = Rules(problem)
    journeys = _journeys(problem, plan, rules)
    dear = replace(plan, cost=_price(problem, journeys))
    return dear, next(_deed_faults(rules, journeys), None)


def check(problem: Problem, plan: Plan) -> PlanFault | None:
    """The first fault of a plan, from first principles; None = it may be carried out.

    Codes: ``routes``, ``charges`` (malformed), ``unknown``, ``lost``, ``torn``, ``not_allowed``,
    ``committed``, ``order``, ``unreachable``, ``window``, ``capacity``, ``unwashed``, ``share``,
    ``charger``, ``loaded``, ``no_battery``, ``overcharged``, ``not_full``, ``shift``, ``range``,
    ``break``, ``energy``, ``places``, ``cost``.
    """
    dear, fault = priced(problem, plan)
    if fault is None and plan.cost != dear.cost:
        return PlanFault("cost", f"it says {plan.cost}, but costs {dear.cost}")
    return fault


def _shape_faults(problem: Problem, plan: Plan) -> Iterator[PlanFault]:
    """What would keep a plan from being driven at all."""
    count = len(problem.slots)
    if len(plan.routes) != count:
        yield PlanFault("routes", f"{len(plan.routes)} routes for {count} slots")
    if plan.charges and len(plan.charges) != count:
        yield PlanFault("charges", f"{len(plan.charges)} rows of charges for {count} slots")
    for slot, route, charges in zip(problem.slots, plan.routes, plan.charges, strict=False):
        if fault := malformed(charges, len(route), len(problem.chargers)):
            yield PlanFault("charges", f"{slot.id}: {fault}")
    yield from _completeness_faults(problem, plan)


def _completeness_faults(problem: Problem, plan: Plan) -> Iterator[PlanFault]:
    """Every request whole and on one allowed slot, or left out with a reason."""
    seen: dict[str, list[tuple[int, int]]] = {}
    for number, route in enumerate(plan.routes):
        for visit in route:
            seen.setdefault(visit.request, []).append((number, visit.stop))
    for id_ in sorted((seen.keys() | plan.unplanned.keys()) - problem.request_numbers.keys()):
        yield PlanFault("unknown", f"there is no request {id_}")
    for request in problem.requests:
        made = seen.get(request.id, [])
        if bool(made) == (request.id in plan.unplanned):
            yield PlanFault("lost", f"{request.id} must be in a route or left out, not both")
        if not made:
            continue
        slots = {number for number, _ in made}
        if len(slots) > 1 or sorted(s for _, s in made) != list(range(len(request.stops))):
            yield PlanFault("torn", f"{request.id} is not made once, whole, by one slot")
        holder = problem.bound.get(request.id)
        allowed = request.allowed if holder is None else (holder,)
        if allowed is not None and not slots.issubset(allowed):
            yield PlanFault("not_allowed", f"{request.id} may not go with slot {min(slots)}")


def _deed_faults(rules: Rules, journeys: list[Journey]) -> Iterator[PlanFault]:
    """What is wrong with what the slots do."""
    for journey in journeys:
        yield from faults_of(journey)
    yield from crowd_faults(rules, journeys)


def _journeys(problem: Problem, plan: Plan, rules: Rules) -> list[Journey]:
    """What the slots do; those that do nothing have no journey."""
    charges = plan.charges or ((),) * len(problem.slots)
    rows = enumerate(zip(problem.slots, plan.routes, charges, strict=True))
    return [drive(rules, n, route, row) for n, (_, route, row) in rows if route or row]


def _price(problem: Problem, journeys: Iterable[Journey]) -> int:
    weights = problem.weights
    total = 0
    planned: set[str] = set()
    for journey in journeys:
        end_s = {row.visit.request: row.end_s for row in journey.rows}
        planned |= end_s.keys()
        total += weights.metre * journey.driven_m
        total += weights.imbalance * len(end_s) ** 2
        total += journey.slot.price if journey.rows else 0
        for id_, at_s in end_s.items():
            request = problem.requests[problem.request_numbers[id_]]
            total += _request_price(problem, request, journey.number, at_s)
    left_out = (request for request in problem.requests if request.id not in planned)
    return total + sum(problem.drop_price(request) for request in left_out)


def _request_price(problem: Problem, request: Request, number: int, end_s: int) -> int:
    weights = problem.weights
    total = weights.flow_s * (end_s - request.release_s)
    if request.due_s is not None and end_s > request.due_s:
        total += problem.late_price(request) * (end_s - request.due_s)
    if request.last_slot is not None and request.last_slot != number:
        total += weights.change
    return total
