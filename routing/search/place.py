"""Where a request fits best: every position of a route, tested in constant time each.

A first look uses departures and slacks that are known (Savelsbergh, ORSA Journal on Computing
4(2), 1992); it is exact unless the problem is rich (washes, batteries, breaks, loaded ways). Then
it is a bound, and what passes it is rated in full.
"""

from typing import NamedTuple

import numpy as np

from routing.search.compiled import copy, kernel, leaf
from routing.search.dice import to_blink
from routing.search.flat import (
    CAPACITY,
    COUNT,
    DUE,
    EARLIEST,
    FIRST,
    FIXED,
    FLOW,
    IMBALANCE,
    LATE,
    LATEST,
    LOAD,
    METRE,
    NODE,
    OF,
    PROFILE,
    RANGE,
    RICH,
    SERVICE,
    TIMED,
    Flat,
    Real,
    Small,
    Whole,
)
from routing.search.rate import rate
from routing.search.refresh import refresh
from routing.search.steps import ending_price
from routing.search.tour import Tour
from routing.search.work import NOWHERE

SPREAD = 2
"""At so many of the cheapest places of a whole chain, its stops are spread out."""


class Spot(NamedTuple):
    """The best place found so far: ``extra`` (1) its price, ``at`` (4) = slot, then where the
    first and second stop go, and 1 if ``route`` holds the whole route instead; the others are
    scratch.
    """

    extra: Real
    at: Whole
    route: Whole
    trial: Whole
    kept: Whole
    rest: Whole
    chain: Whole
    prices: Real
    size: Whole


def make_spot(longest: int) -> Spot:
    """Room for routes of ``longest`` stops."""
    return Spot(
        extra=np.full(1, np.inf),
        at=np.full(4, -1, dtype=np.int64),
        route=np.zeros(longest + 1, dtype=np.int64),
        trial=np.zeros(longest + 1, dtype=np.int64),
        kept=np.zeros(longest + 1, dtype=np.int64),
        rest=np.zeros(longest + 1, dtype=np.int64),
        chain=np.zeros(longest + 1, dtype=np.int64),
        prices=np.zeros(longest + 1),
        size=np.zeros(1, dtype=np.int64),
    )


@kernel
def delay_price(flat: Flat, tour: Tour, slot: int, k: int, begin_s: int, limit: float) -> float:
    """What it costs that service at position ``k`` begins at ``begin_s``, for all from there on."""
    if flat.weights[TIMED] == 0:
        return 0.0
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    table = flat.relaxed[flat.slots[slot, PROFILE]]
    price = 0.0
    while k < size:
        stop = route[k]
        shift_s = begin_s - tour.begin[slot, k]
        if shift_s <= 0 or price >= limit:
            break
        if tour.ends[slot, k]:
            request = stops[stop, OF]
            price += flat.weights[FLOW] * shift_s
            now_s, due_s = begin_s + stops[stop, SERVICE], flat.requests[request, DUE]
            if now_s > due_s:
                price += flat.prices[request, LATE] * (now_s - max(due_s, now_s - shift_s))
        if k + 1 < size:
            arrive_s = begin_s + stops[stop, SERVICE]
            arrive_s += table[stops[stop, NODE], stops[route[k + 1], NODE]]
            begin_s = max(arrive_s, stops[route[k + 1], EARLIEST])
        k += 1
    return price


@kernel
def place(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    """Try to put all stops of a request into a slot's route; what is cheaper than ``spot`` wins.

    Args:
        dice: for positions that are overlooked now and then; none if ``dice[1]`` is large.
    """
    if not flat.allowed[request, slot]:
        return
    if flat.requests[request, COUNT] == 1:
        _place_single(flat, tour, slot, request, spot, dice)
    elif flat.requests[request, COUNT] == 2:
        _place_pair(flat, tour, slot, request, spot, dice)
    else:
        place_chain(flat, tour, slot, request, spot)


@leaf
def opening_price(flat: Flat, tour: Tour, slot: int) -> float:
    """What one more request costs a slot wherever it goes: opening it, doing more than others."""
    price = flat.weights[IMBALANCE] * (2 * tour.tasks[slot] + 1)
    return price + flat.slot_price[slot] if tour.size[slot] == 0 else price


@kernel
def _take(
    flat: Flat, tour: Tour, slot: int, first: int, i: int, j: int, extra: float, spot: Spot
) -> None:
    """Keep a place that passed the first look, if it stands the full rating too."""
    if flat.weights[RICH] > 0:
        size = fill_trial(tour, slot, first, i, j, spot.trial)
        extra = rate(flat, slot, spot.trial, size, tour.work) - tour.cost[slot]
        if extra >= spot.extra[0]:
            return
        spot.size[0] = size
        copy(spot.route, spot.trial, size)
    spot.extra[0] = extra
    spot.at[0], spot.at[1], spot.at[2] = slot, i, j
    spot.at[3] = flat.weights[RICH] > 0


@leaf
def fill_trial(tour: Tour, slot: int, first: int, i: int, j: int, trial: Whole) -> int:
    """A route with stop ``first`` before position i, the next one before position j (-1 = none)."""
    n = int(np.int64(0))
    for k in range(tour.size[slot] + 1):
        if k == i:
            trial[n] = first
            n += 1
        if k == j:
            trial[n] = first + 1
            n += 1
        if k < tour.size[slot]:
            trial[n] = tour.route[slot, k]
            n += 1
    return n


@kernel
def _place_single(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    profile = flat.slots[slot, PROFILE]
    seconds, metres = flat.relaxed[profile], flat.metres[profile]
    nodes, leave, gap_m, slack = (
        tour.nodes[slot],
        tour.leave[slot],
        tour.gap_m[slot],
        tour.slack[slot],
    )
    p = flat.requests[request, FIRST]
    at, service_s = stops[p, NODE], stops[p, SERVICE]
    earliest_s, latest_s = stops[p, EARLIEST], stops[p, LATEST]
    metre, opening = flat.weights[METRE], opening_price(flat, tour, slot)
    range_m = flat.slots[slot, RANGE] - tour.metres[slot]
    best, seen = spot.extra[0], dice[1]
    for i in range(tour.head[slot], size + 1):
        seen -= 1
        if seen == 0:
            seen = to_blink(dice)
            continue
        if leave[i] > latest_s:
            break
        before, after = nodes[i], nodes[i + 1]
        extra_m = metres[before, at] - gap_m[i]
        if after >= 0:
            extra_m += metres[at, after]
        extra = opening + metre * extra_m
        if extra >= best or extra_m > range_m:
            continue
        begin_s = max(leave[i] + seconds[before, at], earliest_s)
        next_s = begin_s + service_s
        if after >= 0:
            next_s += seconds[at, after]
        if begin_s > latest_s or next_s > slack[i] or not _fits_on(flat, tour, slot, p, i):
            continue
        extra += ending_price(flat, slot, request, begin_s + service_s)
        if i < size and extra < best:
            next_s = max(next_s, stops[route[i], EARLIEST])
            extra += delay_price(flat, tour, slot, i, next_s, best - extra)
        if extra < best:
            _take(flat, tour, slot, p, i, -1, extra, spot)
            best = spot.extra[0]
    dice[1] = seen


@kernel
def _place_pair(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    profile = flat.slots[slot, PROFILE]
    seconds, metres = flat.relaxed[profile], flat.metres[profile]
    nodes, leave, gap_m, slack = (
        tour.nodes[slot],
        tour.leave[slot],
        tour.gap_m[slot],
        tour.slack[slot],
    )
    p = flat.requests[request, FIRST]
    d = p + 1
    at_p, at_d = stops[p, NODE], stops[d, NODE]
    earliest_p, latest_p, service_p = stops[p, EARLIEST], stops[p, LATEST], stops[p, SERVICE]
    earliest_d, latest_d, service_d = stops[d, EARLIEST], stops[d, LATEST], stops[d, SERVICE]
    across_s, across_m = seconds[at_p, at_d], metres[at_p, at_d]
    metre, timed = flat.weights[METRE], flat.weights[TIMED] > 0
    opening = opening_price(flat, tour, slot)
    range_m = flat.slots[slot, RANGE] - tour.metres[slot]
    least_d = metre * _least_detour(metres, nodes, gap_m, tour.head[slot], size, at_d)
    best, seen = spot.extra[0], dice[1]
    for i in range(tour.head[slot], size + 1):
        seen -= 1
        if seen == 0:
            seen = to_blink(dice)
            continue
        if leave[i] > latest_p:
            break
        before, after = nodes[i], nodes[i + 1]
        reach_m = metres[before, at_p] - gap_m[i]
        begin_p = max(leave[i] + seconds[before, at_p], earliest_p)
        if begin_p > latest_p or not _has_room(flat, tour, slot, p, i):
            continue
        leave_p = begin_p + service_p
        # the second stop right behind the first
        begin_d = max(leave_p + across_s, earliest_d)
        extra_m = reach_m + across_m
        next_s = begin_d + service_d
        if after >= 0:
            next_s += seconds[at_d, after]
            extra_m += metres[at_d, after]
        extra = opening + metre * extra_m
        if begin_d <= latest_d and next_s <= slack[i] and extra_m <= range_m and extra < best:
            extra += ending_price(flat, slot, request, begin_d + service_d)
            if timed and i < size and extra < best:
                next_s = max(next_s, stops[route[i], EARLIEST])
                extra += delay_price(flat, tour, slot, i, next_s, best - extra)
            if extra < best:
                _take(flat, tour, slot, p, i, i, extra, spot)
                best = spot.extra[0]
        if i == size:
            break
        # the second stop further on: walk down the route with the first stop in it
        extra_p = reach_m + metres[at_p, after]
        price_p = opening + metre * extra_p
        if price_p + least_d >= best:
            continue
        here, leave_s = at_p, leave_p
        for k in range(i, size):
            stop, there = route[k], nodes[k + 1]
            begin_s = max(leave_s + seconds[here, there], stops[stop, EARLIEST])
            if begin_s > slack[k] or not _has_room(flat, tour, slot, p, k + 1):
                break
            if timed and tour.ends[slot, k]:
                was_s, service_s = tour.begin[slot, k], stops[stop, SERVICE]
                price_p += _shift_price(flat, stops[stop, OF], begin_s, was_s, service_s)
            if price_p + least_d >= best:
                break
            leave_s = begin_s + stops[stop, SERVICE]
            here = there
            if leave_s > latest_d:
                break
            after_d = nodes[k + 2]
            extra_m = metres[here, at_d] - gap_m[k + 1]
            if after_d >= 0:
                extra_m += metres[at_d, after_d]
            extra = price_p + metre * extra_m
            if extra >= best or extra_p + extra_m > range_m:
                continue
            begin_d = max(leave_s + seconds[here, at_d], earliest_d)
            next_s = begin_d + service_d
            if after_d >= 0:
                next_s += seconds[at_d, after_d]
            if begin_d > latest_d or next_s > slack[k + 1]:
                continue
            extra += ending_price(flat, slot, request, begin_d + service_d)
            if timed and k + 1 < size and extra < best:
                next_s = max(next_s, stops[route[k + 1], EARLIEST])
                extra += delay_price(flat, tour, slot, k + 1, next_s, best - extra)
            if extra < best:
                _take(flat, tour, slot, p, i, k + 1, extra, spot)
                best = spot.extra[0]
    dice[1] = seen


@leaf
def _fits_on(flat: Flat, tour: Tour, slot: int, stop: int, i: int) -> bool:
    """Whether what ``stop`` brings fits from position i to the end of the route."""
    for d in range(tour.held.shape[2]):
        added = flat.stops[stop, LOAD + d]
        if added > 0 and tour.peak[slot, i, d] + added > flat.slots[slot, CAPACITY + d]:
            return False
    return True


@leaf
def _has_room(flat: Flat, tour: Tour, slot: int, stop: int, i: int) -> bool:
    """Whether what ``stop`` brings on board fits on top of what is there before position i."""
    for d in range(tour.held.shape[2]):
        added = flat.stops[stop, LOAD + d]
        if added > 0 and tour.held[slot, i, d] + added > flat.slots[slot, CAPACITY + d]:
            return False
    return True


@leaf
def _least_detour(metres: Small, nodes: Whole, gap_m: Whole, head: int, size: int, at: int) -> int:
    """Metres that a stop at node ``at`` adds at least, behind any stop of the route."""
    least = NOWHERE
    for k in range(head, size):
        extra = metres[nodes[k + 1], at] - gap_m[k + 1]
        if nodes[k + 2] >= 0:
            extra += metres[at, nodes[k + 2]]
        least = min(least, extra)
    return least


@leaf
def _shift_price(flat: Flat, request: int, begin_s: int, was_s: int, service_s: int) -> float:
    """What it costs that a request's last service begins at ``begin_s`` and not at ``was_s``."""
    shift_s = begin_s - was_s
    if shift_s <= 0:
        return 0.0
    price = flat.weights[FLOW] * shift_s
    now_s, due_s = begin_s + service_s, flat.requests[request, DUE]
    if now_s > due_s:
        price += flat.prices[request, LATE] * (now_s - max(due_s, now_s - shift_s))
    return price


@kernel
def place_chain(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot) -> None:
    """Any number of stops, some of which may be in the route already: rated in full everywhere.

    The stops go together first, each next one the nearest unless their order is fixed. Where that
    is cheapest, each but the first is moved to its best place; if they can't go together anywhere,
    that is tried everywhere.
    """
    size, head = tour.size[slot], tour.head[slot]
    fixed = flat.requests[request, FIXED] > 0
    many = _missing(flat, tour, slot, request, fixed, spot.chain)
    found = int(np.int64(0))
    for i in range(head, size + 1):
        spot.prices[i] = np.inf
        if _at_least(flat, tour, slot, request, spot, many, i) < spot.extra[0]:
            _together(tour, slot, spot, many, i)
            spot.prices[i] = rate(flat, slot, spot.kept, size + many, tour.work)
            found += spot.prices[i] < np.inf
    if found == 0:
        for i in range(head, size + 1):
            if _at_least(flat, tour, slot, request, spot, many, i) < spot.extra[0]:
                _spread(flat, tour, slot, fixed, many, i, spot)
    for _ in range(min(found, SPREAD)):
        i = head
        for k in range(head + 1, size + 1):
            if spot.prices[k] < spot.prices[i]:
                i = k
        if _at_least(flat, tour, slot, request, spot, many, i) < spot.extra[0]:
            _spread(flat, tour, slot, fixed, many, i, spot)
        spot.prices[i] = np.inf


@kernel
def _at_least(
    flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, many: int, i: int
) -> float:
    """What a chain costs at least whose first stop goes before position i, all others anywhere."""
    stops, chain, profile = flat.stops, spot.chain, flat.slots[slot, PROFILE]
    metres, seconds = flat.metres[profile], flat.relaxed[profile]
    before, at, after = tour.nodes[slot, i], stops[chain[0], NODE], tour.nodes[slot, i + 1]
    extra_m = metres[before, at] - tour.gap_m[slot, i]
    if after >= 0:
        extra_m += metres[at, after]
    begin_s = max(tour.leave[slot, i] + seconds[before, at], stops[chain[0], EARLIEST])
    leave_s = begin_s + stops[chain[0], SERVICE]
    farthest_s = services_s = int(np.int64(0))
    for n in range(1, many):
        farthest_s = max(farthest_s, seconds[at, stops[chain[n], NODE]])
        services_s += stops[chain[n], SERVICE]
    price = opening_price(flat, tour, slot) + flat.weights[METRE] * extra_m
    price += ending_price(flat, slot, request, leave_s + farthest_s + services_s)
    if i < tour.size[slot] and price < spot.extra[0]:
        next_s = max(leave_s + seconds[at, after], stops[tour.route[slot, i], EARLIEST])
        price += delay_price(flat, tour, slot, i, next_s, spot.extra[0] - price)
    return price


@leaf
def _together(tour: Tour, slot: int, spot: Spot, many: int, i: int) -> None:
    """The route with the whole chain before position i, in ``spot.kept``."""
    best, route, chain = spot.kept, tour.route[slot], spot.chain
    for k in range(tour.size[slot] + many):
        best[k] = route[k] if k < i else chain[k - i] if k < i + many else route[k - many]


@kernel
def _spread(flat: Flat, tour: Tour, slot: int, fixed: bool, many: int, i: int, spot: Spot) -> None:
    """Move each stop of a chain that goes before position i, but the first, to its best place."""
    size, head = tour.size[slot], tour.head[slot]
    best, trial, rest, chain = spot.kept, spot.trial, spot.rest, spot.chain
    _together(tour, slot, spot, many, i)
    least = spot.prices[i]
    for n in range(1, many):
        stop = chain[n]
        k = 0
        low, high = head, size + many - 1
        for m in range(size + many):
            if best[m] == stop:
                continue
            rest[k] = best[m]
            if (best[m] == chain[n - 1] and fixed) or best[m] == chain[0]:
                low = k + 1
            if fixed and n + 1 < many and best[m] == chain[n + 1]:
                high = k
            k += 1
        for j in range(low, high + 1):
            for m in range(size + many):
                trial[m] = rest[m] if m < j else stop if m == j else rest[m - 1]
            price = rate(flat, slot, trial, size + many, tour.work)
            if price < least:
                least = price
                copy(best, trial, size + many)
    if least - tour.cost[slot] < spot.extra[0]:
        spot.extra[0] = least - tour.cost[slot]
        spot.at[0], spot.at[3] = slot, 1
        spot.size[0] = size + many
        copy(spot.route, best, size + many)


@kernel
def _missing(flat: Flat, tour: Tour, slot: int, request: int, fixed: bool, chain: Whole) -> int:
    """The stops of a request that are not in the slot's route, each next one the nearest."""
    first, count = flat.requests[request, FIRST], flat.requests[request, COUNT]
    n = 0
    for stop in range(first, first + count):
        if tour.slot_of[stop] != slot:
            chain[n] = stop
            n += 1
    if not fixed:
        seconds = flat.seconds[flat.slots[slot, PROFILE]]
        for k in range(1, n):
            here = flat.stops[chain[k - 1], NODE]
            nearest = k
            for m in range(k + 1, n):
                if (
                    seconds[here, flat.stops[chain[m], NODE]]
                    < seconds[here, flat.stops[chain[nearest], NODE]]
                ):
                    nearest = m
            chain[k], chain[nearest] = chain[nearest], chain[k]
    return n


@kernel
def put(flat: Flat, tour: Tour, request: int, spot: Spot) -> None:
    """Put a request where ``spot`` says."""
    slot = spot.at[0]
    if spot.at[3] == 0:
        first = flat.requests[request, FIRST]
        spot.size[0] = fill_trial(tour, slot, first, spot.at[1], spot.at[2], spot.trial)
        copy(spot.route, spot.trial, spot.size[0])
    size = spot.size[0]
    copy(tour.route[slot], spot.route, size)
    tour.size[slot] = size
    refresh(flat, tour, slot)
