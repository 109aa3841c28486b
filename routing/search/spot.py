"""The best place found so far for a request, and what a place costs everybody else in the route."""

from typing import NamedTuple

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.flat import (
    DUE,
    EARLIEST,
    FLOW,
    IMBALANCE,
    LATE,
    NODE,
    OF,
    PROFILE,
    SERVICE,
    TIMED,
    Flat,
    Real,
    Whole,
)
from routing.search.tour import Tour


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


@leaf
def opening_price(flat: Flat, tour: Tour, slot: int) -> float:
    """What one more request costs a slot wherever it goes: opening it, doing more than others."""
    price = flat.weights[IMBALANCE] * (2 * tour.tasks[slot] + 1)
    return price + flat.slot_price[slot] if tour.size[slot] == 0 else price


@leaf
def shift_price(flat: Flat, request: int, begin_s: int, was_s: int, service_s: int) -> float:
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
            service_s = stops[stop, SERVICE]
            price += shift_price(flat, stops[stop, OF], begin_s, begin_s - shift_s, service_s)
        if k + 1 < size:
            arrive_s = begin_s + stops[stop, SERVICE]
            arrive_s += table[stops[stop, NODE], stops[route[k + 1], NODE]]
            begin_s = max(arrive_s, stops[route[k + 1], EARLIEST])
        k += 1
    return price
