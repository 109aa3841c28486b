"""The answer to a `Problem`: routes, what is left out and why, and a judge of both.

`check` recomputes all of it. It shares no code with the solvers and runs after every one of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from routing.paths import UNREACHABLE_S
from routing.problem import Problem, Request, Slot, Stop, Visit
from routing.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A stop at a charger, on the way to a visit.

    Args:
        before: position in the slot's route of the visit that follows; the route's length = it
            is the last thing that the slot does.
        charger: index into ``Problem.chargers``.
        charge_s: how long it is plugged in; no longer than until the battery is full.
        wait_s: how long it waits there first, for a place.
    """

    before: int
    charger: int
    charge_s: int
    wait_s: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """When a visit happens, and what is on board after it."""

    visit: Visit
    arrive_s: int
    start_s: int
    end_s: int
    load: tuple[int, ...]
    driven_m: int
    """Metres of the route so far."""


@dataclass(frozen=True, slots=True)
class PlanFault:
    """The first thing that is wrong with a plan: a bug of the solver that made it."""

    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


def timetable(problem: Problem, plan: Plan) -> tuple[tuple[Timed, ...], ...]:
    """When each visit of ``plan`` happens; one tuple per slot."""
    routes = zip(problem.slots, plan.routes, strict=True)
    return tuple(tuple(_drive(problem, n, s, route)) for n, (s, route) in enumerate(routes))


def cost(problem: Problem, plan: Plan) -> int:
    """The price of a plan: left out, late, slow, far and restless, in that order of weight."""
    weights = problem.weights
    total = 0
    planned: set[str] = set()
    for number, rows in enumerate(timetable(problem, plan)):
        end_s = {row.visit.request: row.end_s for row in rows}
        for id_, at_s in end_s.items():
            request = _request(problem, id_)
            late_s = max(0, at_s - request.due_s) if request.due_s is not None else 0
            moved = request.last_slot is not None and request.last_slot != number
            total += weights.flow_s * (at_s - request.release_s)
            total += problem.late_price(request) * late_s
            total += weights.change * moved
        planned |= end_s.keys()
        total += weights.metre * _end_of(problem, problem.slots[number], rows)[1]
    left_out = (request for request in problem.requests if request.id not in planned)
    return total + sum(problem.drop_price(request) for request in left_out)


def check(problem: Problem, plan: Plan) -> PlanFault | None:
    """The first fault of a plan, from first principles; None = it may be carried out."""
    if len(plan.routes) != len(problem.slots):
        return PlanFault("routes", f"{len(plan.routes)} routes for {len(problem.slots)} slots")
    fault = _completeness_fault(problem, plan)
    if fault is not None:
        return fault
    for number, rows in enumerate(timetable(problem, plan)):
        fault = (
            _commitment_fault(problem, plan, number)
            or _order_fault(problem, number, rows)
            or _time_fault(problem, number, rows)
            or _load_fault(problem, number, rows)
        )
        if fault is not None:
            return fault
    true_cost = cost(problem, plan)
    if plan.cost != true_cost:
        return PlanFault("cost", f"it says {plan.cost}, but costs {true_cost}")
    return None


def _drive(problem: Problem, number: int, slot: Slot, route: tuple[Visit, ...]) -> Iterator[Timed]:
    profile = problem.profiles[slot.profile]
    node, at_s, driven_m = slot.start, slot.ready_s, 0
    load = _load_at_start(problem, number)
    for visit in route:
        stop = _stop(problem, visit)
        table = profile.loaded_s if profile.loaded_s and any(n > 0 for n in load) else None
        arrive_s = at_s + (table or profile.seconds)[node][stop.node]
        start_s = max(arrive_s, stop.earliest_s, _request(problem, visit.request).release_s)
        driven_m += profile.metres[node][stop.node]
        load = tuple(a + b for a, b in zip(load, stop.load, strict=True))
        node, at_s = stop.node, start_s + stop.service_s
        yield Timed(
            visit=visit,
            arrive_s=arrive_s,
            start_s=start_s,
            end_s=at_s,
            load=load,
            driven_m=driven_m,
        )


def _end_of(problem: Problem, slot: Slot, rows: tuple[Timed, ...]) -> tuple[int, int]:
    """When and after how many metres the slot comes to its end; an idle one stays where it is."""
    if not rows:
        return slot.ready_s, 0
    at_s, driven_m = rows[-1].end_s, rows[-1].driven_m
    if slot.end is None:
        return at_s, driven_m
    profile, node = problem.profiles[slot.profile], _stop(problem, rows[-1].visit).node
    return at_s + profile.seconds[node][slot.end], driven_m + profile.metres[node][slot.end]


def _completeness_fault(problem: Problem, plan: Plan) -> PlanFault | None:
    """Every request whole and on one allowed slot, or left out with a reason."""
    seen: dict[str, list[tuple[int, int]]] = {}
    for number, route in enumerate(plan.routes):
        for visit in route:
            seen.setdefault(visit.request, []).append((number, visit.stop))
    if unknown := sorted((seen.keys() | plan.unplanned.keys()) - problem.request_numbers.keys()):
        return PlanFault("unknown", f"there is no request {unknown[0]}")
    for request in problem.requests:
        made = seen.get(request.id, [])
        if bool(made) == (request.id in plan.unplanned):
            return PlanFault("lost", f"{request.id} must be in a route or left out, not both")
        if not made:
            continue
        slots = {number for number, _ in made}
        if len(slots) > 1 or sorted(s for _, s in made) != list(range(len(request.stops))):
            return PlanFault("torn", f"{request.id} is not made once, whole, by one slot")
        holder = problem.bound.get(request.id)
        allowed = {holder} if holder is not None else request.allowed
        if allowed is not None and not slots <= set(allowed):
            return PlanFault("not_allowed", f"{request.id} may not go with slot {min(slots)}")
    return None


def _commitment_fault(problem: Problem, plan: Plan, number: int) -> PlanFault | None:
    promised = tuple(
        visit for visit in problem.slots[number].committed if visit.request not in plan.unplanned
    )
    if plan.routes[number][: len(promised)] != promised:
        return PlanFault("committed", f"{problem.slots[number].id} does not begin as it was told")
    return None


def _order_fault(problem: Problem, number: int, rows: tuple[Timed, ...]) -> PlanFault | None:
    made: dict[str, list[int]] = {}
    for row in rows:
        made.setdefault(row.visit.request, []).append(row.visit.stop)
    for id_, stops in made.items():
        request = _request(problem, id_)
        pickup_first = stops[0] == 0 or request.aboard is not None
        if not pickup_first or (request.fixed_order and stops != sorted(stops)):
            return PlanFault("order", f"{problem.slots[number].id} makes {id_} as {stops}")
    return None


def _time_fault(problem: Problem, number: int, rows: tuple[Timed, ...]) -> PlanFault | None:
    """Ways exist; windows, shift and range are kept wherever something could still be refused."""
    slot = problem.slots[number]
    free = [row for row in rows if row.visit.request not in problem.bound]
    end_s, driven_m = _end_of(problem, slot, rows)
    legs = [(row.arrive_s, row.driven_m) for row in rows] + [(end_s, driven_m)]
    if any(max(leg) >= UNREACHABLE_S for leg in legs):
        return PlanFault("unreachable", f"{slot.id} has a leg without a way")
    for row in free:
        latest_s = _stop(problem, row.visit).latest_s
        if latest_s is not None and row.start_s > latest_s:
            return PlanFault("window", f"{slot.id} begins {row.visit} at {row.start_s} s")
    if free and slot.shift_end_s is not None and end_s > slot.shift_end_s:
        return PlanFault("shift", f"{slot.id} ends at {end_s} s")
    if free and slot.range_m is not None and driven_m > slot.range_m:
        return PlanFault("range", f"{slot.id} drives {driven_m} m")
    return None


def _load_fault(problem: Problem, number: int, rows: tuple[Timed, ...]) -> PlanFault | None:
    slot = problem.slots[number]
    for row in rows:
        added = _stop(problem, row.visit).load
        free = row.visit.request not in problem.bound
        pairs = zip(row.load, slot.capacity, added, strict=True)
        if free and any(load > limit and more > 0 for load, limit, more in pairs):
            return PlanFault("capacity", f"{slot.id} holds {row.load} after {row.visit}")
    return None


def _load_at_start(problem: Problem, number: int) -> tuple[int, ...]:
    loads = [s.load for r in problem.requests if r.aboard == number for s in r.stops]
    if not loads:
        return (0,) * len(problem.slots[number].capacity)
    return tuple(-sum(load) for load in zip(*loads, strict=True))


def _request(problem: Problem, id_: str) -> Request:
    return problem.requests[problem.request_numbers[id_]]


def _stop(problem: Problem, visit: Visit) -> Stop:
    return _request(problem, visit.request).stops[visit.stop]
