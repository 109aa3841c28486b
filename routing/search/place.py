"""Where a request fits best: every position of a route, tested in constant time each.

A first look uses departures and slacks that are known (Savelsbergh, ORSA Journal on Computing
4(2), 1992); it is exact unless the problem is rich (washes, batteries, breaks, loaded ways). Then
it is a bound, and what passes it is rated in full.
"""

import numpy as np

from routing.search.chain import place_chain
from routing.search.clash import told
from routing.search.compiled import copy, kernel, leaf
from routing.search.dice import overlooks, to_blink
from routing.search.flat import (
    CAPACITY,
    COUNT,
    EARLIEST,
    FIRST,
    KIND,
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
    Small,
    Whole,
)
from routing.search.rate import rate
from routing.search.refresh import refresh
from routing.search.spot import Spot, delay_price, opening_price, shift_price
from routing.search.steps import ending_price
from routing.search.tour import Tour
from routing.search.work import NOWHERE


@leaf
def place(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    """Try to put all stops of a request into a slot's route; what is cheaper than ``spot`` wins.

    Args:
        dice: for positions that are overlooked now and then; none if ``dice[1]`` is large.
    """
    _place_among(flat, tour, slot, slot + 1, request, spot, dice)


@leaf
def place_anywhere(flat: Flat, tour: Tour, request: int, spot: Spot, dice: Whole) -> None:
    """`place` for all slots; of idle ones alike, only one is tried."""
    _place_among(flat, tour, int(np.int64(0)), len(tour.size), request, spot, dice)


@kernel
def _place_among(
    flat: Flat, tour: Tour, low: int, high: int, request: int, spot: Spot, dice: Whole
) -> None:
    """The slots from ``low`` to ``high`` - 1.

    To call a kernel with all these arrays takes as long as to look at a dozen positions, hence one
    call for all slots.
    """
    hasty, count = overlooks(dice), flat.requests[request, COUNT]
    for slot in range(low, high):
        if not flat.allowed[request, slot] or (hasty and told(tour.barred[slot], request)):
            continue
        if tour.size[slot] == 0 and _seen(flat, tour, low, slot):
            continue
        if count == 1:
            _place_single(flat, tour, slot, request, spot, dice)
        elif count == 2:
            _place_pair(flat, tour, slot, request, spot, dice)
        else:
            place_chain(flat, tour, slot, request, spot)


@leaf
def _seen(flat: Flat, tour: Tour, low: int, slot: int) -> bool:
    """Whether an idle slot before this one, from ``low`` on, looks just the same."""
    for other in range(slot - 1, low - 1, -1):
        if tour.size[other] == 0 and flat.slots[other, KIND] == flat.slots[slot, KIND]:
            return True
    return False


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


@leaf
def _place_single(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    profile = flat.slots[slot, PROFILE]
    seconds, metres = flat.relaxed[profile], flat.metres[profile]
    nodes, leave, gap_m = tour.nodes[slot], tour.leave[slot], tour.gap_m[slot]
    slack, room, hasty = tour.slack[slot], tour.room[slot], overlooks(dice)
    p = flat.requests[request, FIRST]
    at, service_s = stops[p, NODE], stops[p, SERVICE]
    earliest_s, latest_s = stops[p, EARLIEST], stops[p, LATEST]
    metre, opening = flat.weights[METRE], opening_price(flat, tour, slot)
    range_m = flat.slots[slot, RANGE] - tour.metres[slot]
    best, seen, soonest_s = spot.extra[0], dice[1], earliest_s + service_s
    for i in range(tour.head[slot], size + 1):
        seen -= 1
        if seen == 0:
            seen = to_blink(dice)
            continue
        if leave[i] > latest_s:
            break
        if slack[i] < soonest_s or (hasty and room[i] < service_s):
            continue
        before, after = nodes[i], nodes[i + 1]
        begin_s = max(leave[i] + seconds[before, at], earliest_s)
        next_s = begin_s + service_s
        if begin_s > latest_s or next_s > slack[i]:
            continue
        extra_m = metres[before, at] - gap_m[i]
        if after >= 0:
            next_s += seconds[at, after]
            extra_m += metres[at, after]
        extra = opening + metre * extra_m
        if next_s > slack[i] or extra >= best or extra_m > range_m:
            continue
        if not _fits_on(flat, tour, slot, p, i):
            continue
        extra += ending_price(flat, slot, request, begin_s + service_s)
        if i < size and extra < best:
            next_s = max(next_s, stops[route[i], EARLIEST])
            extra += delay_price(flat, tour, slot, i, next_s, best - extra)
        if extra < best:
            _take(flat, tour, slot, p, i, int(np.int64(-1)), extra, spot)
            best = spot.extra[0]
    dice[1] = seen


@leaf
def _place_pair(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> None:
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    profile = flat.slots[slot, PROFILE]
    seconds, metres = flat.relaxed[profile], flat.metres[profile]
    nodes, leave, gap_m = tour.nodes[slot], tour.leave[slot], tour.gap_m[slot]
    slack, room, hasty = tour.slack[slot], tour.room[slot], overlooks(dice)
    p = flat.requests[request, FIRST]
    d = p + 1
    at_p, at_d = stops[p, NODE], stops[d, NODE]
    earliest_p, latest_p, service_p = stops[p, EARLIEST], stops[p, LATEST], stops[p, SERVICE]
    earliest_d, latest_d, service_d = stops[d, EARLIEST], stops[d, LATEST], stops[d, SERVICE]
    across_s, across_m = seconds[at_p, at_d], metres[at_p, at_d]
    metre, timed = flat.weights[METRE], flat.weights[TIMED] > 0
    opening = opening_price(flat, tour, slot)
    range_m = flat.slots[slot, RANGE] - tour.metres[slot]
    least_d = -1.0
    soonest_p, soonest_d = earliest_p + service_p, earliest_d + service_d
    best, seen = spot.extra[0], dice[1]
    for i in range(tour.head[slot], size + 1):
        seen -= 1
        if seen == 0:
            seen = to_blink(dice)
            continue
        if leave[i] > latest_p:
            break
        if slack[i] < soonest_p or (hasty and room[i] < service_p):
            continue
        before, after = nodes[i], nodes[i + 1]
        begin_p = max(leave[i] + seconds[before, at_p], earliest_p)
        if begin_p > latest_p or begin_p + service_p > slack[i]:
            continue
        if not _has_room(flat, tour, slot, p, i):
            continue
        reach_m = metres[before, at_p] - gap_m[i]
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
        if least_d < 0:
            least_d = metre * _least_detour(metres, nodes, gap_m, i, size, at_d)
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
                price_p += shift_price(flat, stops[stop, OF], begin_s, was_s, service_s)
            if price_p + least_d >= best:
                break
            leave_s = begin_s + stops[stop, SERVICE]
            here = there
            if leave_s > latest_d:
                break
            if slack[k + 1] < soonest_d or (hasty and room[k + 1] < service_d):
                continue
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
