"""Where a request of three or more stops fits best, some of which may be in the route already."""

import numpy as np

from routing.search.compiled import copy, kernel, leaf
from routing.search.flat import (
    COUNT,
    EARLIEST,
    FIRST,
    FIXED,
    METRE,
    NODE,
    PROFILE,
    SERVICE,
    Flat,
    Whole,
)
from routing.search.rate import rate
from routing.search.spot import Spot, delay_price, opening_price
from routing.search.steps import ending_price
from routing.search.tour import Tour

SPREAD = 2
"""At so many of the cheapest places of a whole chain, its stops are spread out."""


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
