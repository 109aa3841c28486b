"""The common case, rated fast: no washes, batteries, breaks or loaded ways, at most two stops each.

Says just what `routing.search.rate` says of such problems (a test holds them together), in one
pass and without a reason. Most of a search on plain problems is spent here.
"""

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.flat import (
    CAPACITY,
    COUNT,
    EARLIEST,
    END,
    FIRST,
    FREE,
    IMBALANCE,
    LATEST,
    LOAD,
    METRE,
    NODE,
    OF,
    PROFILE,
    RANGE,
    READY,
    SERVICE,
    SHIFT_END,
    START,
    Flat,
    Whole,
)
from routing.search.steps import ending_price
from routing.search.tour import Tour, find_slack
from routing.search.work import NOWHERE


@leaf
def _overloads(flat: Flat, slot: int, stop: int, d: int, held: int) -> bool:
    added = flat.stops[stop, LOAD + d]
    return added > 0 and held > flat.slots[slot, CAPACITY + d] and flat.stops[stop, FREE] > 0


@kernel
def rate_plain(flat: Flat, slot: int, route: Whole, size: int) -> float:
    """Price of the first ``size`` stops of a route; infinity = it breaks a rule."""
    if size == 0:
        return 0.0
    stops, profile = flat.stops, flat.slots[slot, PROFILE]
    seconds, metres = flat.seconds[profile], flat.metres[profile]
    at_s, node, driven = flat.slots[slot, READY], flat.slots[slot, START], 0
    requests, free, price = 0, 0, 0.0
    for k in range(size):
        stop = route[k]
        there = stops[stop, NODE]
        leg_s = seconds[node, there]
        at_s = max(at_s + leg_s, stops[stop, EARLIEST])
        if at_s > stops[stop, LATEST] or leg_s >= NOWHERE:
            return np.inf
        driven += metres[node, there]
        at_s += stops[stop, SERVICE]
        node = there
        free |= stops[stop, FREE]
        request = stops[stop, OF]
        first, count = flat.requests[request, FIRST], flat.requests[request, COUNT]
        if stop == first:
            requests += 1
        if stop == first + count - 1:
            price += ending_price(flat, slot, request, at_s)
    end = flat.slots[slot, END]
    if end >= 0:
        if seconds[node, end] >= NOWHERE:
            return np.inf
        at_s += seconds[node, end]
        driven += metres[node, end]
    if free > 0 and (at_s > flat.slots[slot, SHIFT_END] or driven > flat.slots[slot, RANGE]):
        return np.inf
    for d in range(flat.at_start.shape[1]):
        held = flat.at_start[slot, d]
        for k in range(size):
            held += stops[route[k], LOAD + d]
            if _overloads(flat, slot, route[k], d, held):
                return np.inf
    price += flat.slot_price[slot] + flat.weights[IMBALANCE] * requests * requests
    return price + flat.weights[METRE] * driven


@leaf
def refresh_plain(flat: Flat, tour: Tour, slot: int) -> bool:
    """What `routing.search.refresh.refresh` does, for a plain problem."""
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    profile, end = flat.slots[slot, PROFILE], flat.slots[slot, END]
    seconds, metres = flat.seconds[profile], flat.metres[profile]
    nodes, leave, gap_m, begin = (
        tour.nodes[slot],
        tour.leave[slot],
        tour.gap_m[slot],
        tour.begin[slot],
    )
    at_s, node, head = flat.slots[slot, READY], flat.slots[slot, START], tour.head[slot]
    nodes[0], leave[0] = node, at_s
    requests, half_done, free, driven, price = 0, 0, 0, 0, 0.0
    fits = True
    for k in range(size):
        stop = route[k]
        there, request = stops[stop, NODE], stops[stop, OF]
        leg_s, leg_m = seconds[node, there], metres[node, there]
        begin_s = max(at_s + leg_s, stops[stop, EARLIEST])
        fits = fits and begin_s <= stops[stop, LATEST] and leg_s < NOWHERE
        begin[k], gap_m[k] = begin_s, leg_m
        at_s, node = begin_s + stops[stop, SERVICE], there
        nodes[k + 1], leave[k + 1] = node, at_s
        driven += leg_m
        free |= stops[stop, FREE]
        tour.slot_of[stop], tour.place_of[stop] = slot, k
        tour.shut[slot, k] = half_done == 0 and k >= head
        first = flat.requests[request, FIRST]
        if stop == first:
            requests += 1
            half_done += 1
        last = stop == first + flat.requests[request, COUNT] - 1
        tour.ends[slot, k] = last
        if last:
            half_done -= 1
            price += ending_price(flat, slot, request, at_s)
    tour.shut[slot, size] = half_done == 0 and size >= head
    nodes[size + 1], gap_m[size] = end, 0
    if size > 0 and end >= 0:
        fits = fits and seconds[node, end] < NOWHERE
        gap_m[size] = metres[node, end]
        driven += gap_m[size]
        at_s += seconds[node, end]
    late = at_s > flat.slots[slot, SHIFT_END] or driven > flat.slots[slot, RANGE]
    fits = fits and not (free > 0 and late)
    for d in range(flat.at_start.shape[1]):
        fits = _find_loads(flat, tour, slot, d) and fits
    find_slack(flat, tour, slot)
    if size > 0:
        price += flat.slot_price[slot] + flat.weights[IMBALANCE] * requests * requests
        price += flat.weights[METRE] * driven
    tour.cost[slot] = price if fits else np.inf
    tour.metres[slot], tour.tasks[slot] = driven, requests
    return bool(fits)


@leaf
def _find_loads(flat: Flat, tour: Tour, slot: int, d: int) -> bool:
    """What is on board, and the most of it from each position on; False = it is too much."""
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    held, peak = tour.held[slot], tour.peak[slot]
    amount, fits = flat.at_start[slot, d], True
    held[0, d] = amount
    for k in range(size):
        amount += stops[route[k], LOAD + d]
        held[k + 1, d] = amount
        fits = fits and not _overloads(flat, slot, route[k], d, amount)
    peak[size, d] = amount
    for k in range(size - 1, -1, -1):
        amount = max(amount, held[k, d])
        peak[k, d] = amount
    return fits
