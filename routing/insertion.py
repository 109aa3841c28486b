"""An answer in milliseconds: put requests one by one where they cost least.

A request is tried at every position of every route: its stops together first, then each drop-off
is moved to its best place. Who has most to lose by waiting goes first (regret). Whatever finds no
place gets the reason of the vehicle that came nearest to taking it.
"""

import math
from collections.abc import Sequence

from routing.plan import Plan
from routing.pricing import Obstacle, Placing, Rater, Route
from routing.refusal import Refusal

REGRET_PAIRS = 4000
"""Up to so many pairs of request and slot, regret decides who goes first; beyond, urgency."""


def build(rater: Rater, start: Plan | None = None) -> Plan:
    """A valid plan: what still holds of ``start``, and all the rest put in where it costs least."""
    routes, lost = standing(rater, start)
    placed = {rater.request[stop] for route in routes for stop in route} | lost
    fill(rater, routes, [n for n in range(len(rater.stops)) if n not in placed])
    return finish(rater, routes)


def fill(rater: Rater, routes: list[Route], waiting: Sequence[int]) -> None:
    """Put the requests ``waiting`` into ``routes``, as many as are worth their price."""
    if len(waiting) * len(routes) > REGRET_PAIRS:
        _fill_by_urgency(rater, routes, waiting)
    else:
        _fill_by_regret(rater, routes, waiting)


def _fill_by_urgency(rater: Rater, routes: list[Route], waiting: Sequence[int]) -> None:
    for number in sorted(waiting, key=lambda n: _urgency(rater, n)):
        options = [place(rater, slot, route, number) for slot, route in enumerate(routes)]
        slot = _cheapest(rater, number, options)
        if slot is not None:
            routes[slot] = _route(options[slot])


def _fill_by_regret(rater: Rater, routes: list[Route], waiting: Sequence[int]) -> None:
    options = {
        number: [place(rater, slot, route, number) for slot, route in enumerate(routes)]
        for number in waiting
    }
    while options:
        number = max(options, key=lambda n: (_regret(rater, n, options[n]), -n))
        slot = _cheapest(rater, number, options[number])
        chosen = options.pop(number)
        if slot is None:
            continue
        routes[slot] = _route(chosen[slot])
        for other, row in options.items():
            row[slot] = place(rater, slot, routes[slot], other)


def place(rater: Rater, slot: int, route: Route, number: int) -> Placing | Obstacle:
    """The cheapest way to put a request, or the rest of it, into one route."""
    key = (slot, number, *route)
    if key not in rater.memo:
        rater.memo[key] = _place(rater, slot, route, number)
    return rater.memo[key]


def _place(rater: Rater, slot: int, route: Route, number: int) -> Placing | Obstacle:
    request = rater.problem.requests[number]
    holder = rater.problem.bound.get(request.id)
    allowed = request.allowed if holder is None else (holder,)
    if allowed is not None and slot not in allowed:
        return Obstacle("not_allowed", 0, {})
    before = rater.rate(slot, route)
    if isinstance(before, Obstacle):
        return before
    missing = [stop for stop in rater.stops[number] if stop not in route]
    stops = missing if request.fixed_order else _nearest_first(rater, slot, missing)
    best: Placing | Obstacle | None = None
    for position in range(rater.prefix(slot, route), len(route) + 1):
        limit = best.extra if isinstance(best, Placing) else math.inf
        found = _place_at(rater, slot, route, position, stops, limit)
        best = found if best is None else _better(best, found)
    assert best is not None
    return Placing(best.extra - before, best.route) if isinstance(best, Placing) else best


def _place_at(
    rater: Rater, slot: int, route: Route, position: int, stops: Sequence[int], limit: float
) -> Placing | Obstacle:
    """The first stop at ``position``, the others wherever they cost least behind it."""
    fixed = rater.problem.requests[rater.request[stops[0]]].fixed_order
    together = [*route[:position], *stops, *route[position:]]
    best = _priced(rater, slot, together, limit)
    for n, stop in enumerate(stops[1:], start=1):
        trunk = list(best.route if isinstance(best, Placing) else together)
        trunk.remove(stop)
        low = trunk.index(stops[n - 1] if fixed else stops[0]) + 1
        high = trunk.index(stops[n + 1]) if fixed and n + 1 < len(stops) else len(trunk)
        for spot in range(low, high + 1):
            if isinstance(best, Placing):
                limit = min(limit, best.extra)
            candidate = [*trunk[:spot], stop, *trunk[spot:]]
            best = _better(best, _priced(rater, slot, candidate, limit))
    return best


def _priced(rater: Rater, slot: int, route: Route, limit: float) -> Placing | Obstacle:
    price = rater.rate(slot, route, limit)
    return price if isinstance(price, Obstacle) else Placing(price, route)


def _better(one: Placing | Obstacle, other: Placing | Obstacle) -> Placing | Obstacle:
    """The cheaper placing, or the obstacle that misses less; ``one`` if they are equal."""
    if isinstance(one, Placing):
        return other if isinstance(other, Placing) and other.extra < one.extra else one
    if isinstance(other, Placing):
        return other
    return other if other.nearness > one.nearness else one


def _nearest_first(rater: Rater, slot: int, stops: list[int]) -> list[int]:
    """Each next stop is the nearest one left; the first stays first."""
    seconds = rater.problem.profiles[rater.problem.slots[slot].profile].seconds
    ordered, rest = stops[:1], stops[1:]
    while rest:
        row = seconds[rater.node[ordered[-1]]]
        ordered.append(min(rest, key=lambda stop: (row[rater.node[stop]], stop)))
        rest.remove(ordered[-1])
    return ordered


def _extras(options: Sequence[Placing | Obstacle]) -> list[int]:
    return sorted(option.extra for option in options if isinstance(option, Placing))


def _regret(rater: Rater, number: int, options: Sequence[Placing | Obstacle]) -> tuple[int, int]:
    """What is lost if another one takes the best place; then cheap ones first."""
    refused = rater.problem.drop_price(rater.problem.requests[number])
    first, second, *_ = [*_extras(options), refused, refused]
    return second - first, -first


def _cheapest(rater: Rater, number: int, options: Sequence[Placing | Obstacle]) -> int | None:
    """The slot that takes a request at the least price; None = leaving it out costs less."""
    refused = rater.problem.drop_price(rater.problem.requests[number])
    placings = [(o.extra, slot) for slot, o in enumerate(options) if isinstance(o, Placing)]
    extra, slot = min(placings, default=(refused, None))
    return slot if extra < refused else None


def _route(option: Placing | Obstacle) -> Route:
    assert isinstance(option, Placing)
    return option.route


def _urgency(rater: Rater, number: int) -> tuple[bool, int, int, int]:
    request = rater.problem.requests[number]
    due_s = request.due_s if request.due_s is not None else 2**40
    return rater.free[number], due_s, -rater.late_price[number], number


def standing(rater: Rater, start: Plan | None) -> tuple[list[Route], set[int]]:
    """What holds from before: what is bound, and of ``start`` what still fits behind it.

    Returns:
        A route per slot, and the bound requests to which no way leads any more.
    """
    routes: list[Route] = []
    lost: set[int] = set()
    taken: set[int] = set()
    old = start.routes if start and len(start.routes) == len(rater.problem.slots) else None
    for slot in range(len(rater.problem.slots)):
        base = _bound_route(rater, slot, lost)
        head = base[: rater.prefix(slot, base)]
        known = [rater.number[v] for v in old[slot] if v in rater.number] if old else []
        tail = [stop for stop in known if stop not in head and rater.request[stop] not in lost]
        route = [*head, *_still_right(rater, slot, head, tail, taken)]
        kept = set(base) <= set(route) and not isinstance(rater.rate(slot, route), Obstacle)
        routes.append(route if kept else base)
        taken |= {rater.request[stop] for stop in routes[-1]}
    return routes, lost


def _bound_route(rater: Rater, slot: int, lost: set[int]) -> Route:
    """Committed visits, then the rest of all that is bound to this slot and can be reached."""
    committed = [rater.number[visit] for visit in rater.problem.slots[slot].committed]
    bound = [
        rater.problem.request_numbers[id_] for id_, n in rater.problem.bound.items() if n == slot
    ]
    route = [stop for stop in committed if rater.request[stop] not in lost]
    if isinstance(rater.rate(slot, route), Obstacle):
        lost.add(rater.request[route[-1]])
        return _bound_route(rater, slot, lost)
    for number in bound:
        if number in lost or set(rater.stops[number]) <= set(route):
            continue
        option = place(rater, slot, route, number)
        if isinstance(option, Obstacle):
            lost.add(number)
            return _bound_route(rater, slot, lost)
        route = option.route
    return route


def _still_right(rater: Rater, slot: int, head: Route, tail: Route, taken: set[int]) -> list[int]:
    """The stops of ``tail`` whose requests are whole, in order, allowed here and nowhere else."""
    right: set[int] = set()
    for number in dict.fromkeys(rater.request[stop] for stop in tail):
        request = rater.problem.requests[number]
        holder = rater.problem.bound.get(request.id)
        allowed = request.allowed if holder is None else (holder,)
        made = [stop for stop in (*head, *tail) if rater.request[stop] == number]
        in_order = made == sorted(made) if request.fixed_order else True
        begun = request.aboard is not None or made[0] == rater.stops[number][0]
        if (
            sorted(made) == rater.stops[number]
            and in_order
            and begun
            and number not in taken
            and (allowed is None or slot in allowed)
        ):
            right.add(number)
    return [stop for stop in tail if rater.request[stop] in right]


def finish(rater: Rater, routes: Sequence[Route]) -> Plan:
    """Routes as a `Plan`, with the reason of every request that is in none."""
    problem = rater.problem
    made = {rater.request[stop] for route in routes for stop in route}
    left_out = [request for n, request in enumerate(problem.requests) if n not in made]
    return Plan(
        routes=tuple(tuple(rater.visits[stop] for stop in route) for route in routes),
        unplanned={request.id: reason(rater, routes, request.id) for request in left_out},
        cost=rater.total(routes),
    )


def reason(rater: Rater, routes: Sequence[Route], request: str) -> Refusal:
    """Why a request is in no route: what stops the vehicle that comes nearest to taking it."""
    number = rater.problem.request_numbers[request]
    best: tuple[Placing | Obstacle, int] | None = None
    for slot, route in enumerate(routes):
        option = place(rater, slot, route, number)
        if best is None or _better(best[0], option) is option:
            best = (option, slot)
    if best is None:
        return Refusal("no_vehicle")
    return refusal(rater, best[1], number, best[0])


def refusal(rater: Rater, slot: int, number: int, option: Placing | Obstacle) -> Refusal:
    """An option that is not taken, in words for a person."""
    vehicle = rater.problem.slots[slot].id
    if isinstance(option, Obstacle):
        return Refusal(option.code, {"vehicle": vehicle, **option.facts})
    price = rater.problem.drop_price(rater.problem.requests[number])
    return Refusal("too_costly", {"vehicle": vehicle, "extra": option.extra, "price": price})
