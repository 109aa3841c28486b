"""What it changes to put segments of routes behind one another, in constant time.

Where nobody waits for a window, a segment that is reached later ends all that is in it later by as
much, so its price follows from its ends alone. Only routes whose price is such a sum are looked at
here (`STEADY`); rules are not, so what seems worth it is rated in full.
"""

import numpy as np

from routing.search.compiled import leaf
from routing.search.flat import FLOW, METRE, PROFILE, STEADY, Flat
from routing.search.tour import Tour


@leaf
def moved(
    flat: Flat, tour: Tour, profile: int, at_s: int, node: int, slot: int, k: int, end: int
) -> tuple[float, int, int]:
    """Drive on from ``node`` at ``at_s`` with what a slot has from position k to ``end``.

    Returns:
        What changes for this segment and for the leg to it, and when and where it ends.
    """
    if end <= k:
        return 0.0, at_s, node
    there = int(tour.nodes[slot, k + 1])
    later_s = at_s + flat.seconds[profile, node, there] - tour.begin[slot, k]
    longer_m = flat.metres[profile, node, there] - tour.gap_m[slot, k]
    ends = tour.rest[slot, k] - tour.rest[slot, end]
    price = flat.weights[FLOW] * (later_s * ends) + flat.weights[METRE] * longer_m
    return price, tour.leave[slot, end] + later_s, int(tour.nodes[slot, end])


@leaf
def ended(flat: Flat, tour: Tour, profile: int, node: int, slot: int, size: int) -> float:
    """What changes at the end of a route that has ``size`` stops now, the last one at ``node``."""
    price = 0.0
    end = int(tour.nodes[slot, tour.size[slot] + 1])
    if end >= 0:
        way_m = flat.metres[profile, node, end] if size > 0 else 0
        price = flat.weights[METRE] * (way_m - tour.gap_m[slot, tour.size[slot]])
    return price + flat.slot_price[slot] * (int(size > 0) - int(tour.size[slot] > 0))


@leaf
def swap_within(flat: Flat, tour: Tour, slot: int, low: int, middle: int, high: int) -> float:
    """What changes if [low, middle) and [middle, high) change places; -inf = can't be told so."""
    if not flat.weights[STEADY]:
        return -np.inf
    profile = int(flat.slots[slot, PROFILE])
    at_s, node = int(tour.leave[slot, low]), int(tour.nodes[slot, low])
    one, at_s, node = moved(flat, tour, profile, at_s, node, slot, middle, high)
    two, at_s, node = moved(flat, tour, profile, at_s, node, slot, low, middle)
    size = int(tour.size[slot])
    three, at_s, node = moved(flat, tour, profile, at_s, node, slot, high, size)
    return one + two + three + ended(flat, tour, profile, node, slot, size)


@leaf
def replaced(
    flat: Flat, tour: Tour, a: int, i: int, end_a: int, b: int, j: int, end_b: int
) -> float:
    """What changes in route a if its [i, end_a) becomes what route b has at [j, end_b)."""
    profile = int(flat.slots[a, PROFILE])
    at_s, node = int(tour.leave[a, i]), int(tour.nodes[a, i])
    size = int(tour.size[a])
    guest, at_s, node = moved(flat, tour, profile, at_s, node, b, j, end_b)
    tail, at_s, node = moved(flat, tour, profile, at_s, node, a, end_a, size)
    return guest + tail + ended(flat, tour, profile, node, a, size - (end_a - i) + (end_b - j))


@leaf
def swap_between(
    flat: Flat, tour: Tour, a: int, i: int, end_a: int, b: int, j: int, end_b: int
) -> float:
    """What changes if routes a and b exchange [i, end_a) and [j, end_b); -inf = can't be told."""
    if not flat.weights[STEADY] or flat.slots[a, PROFILE] != flat.slots[b, PROFILE]:
        return -np.inf
    one = replaced(flat, tour, a, i, end_a, b, j, end_b)
    return one + replaced(flat, tour, b, j, end_b, a, i, end_a)
