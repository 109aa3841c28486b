"""What a route costs, or what stops it: every rule of the problem, stop by stop.

`routing.problems.judge` judges plans with other code, so a slip on either side is found. Two
passes: what follows from the order of the stops alone (loads, goods, washes), then the clock.
"""

import numpy as np

from routing.search.compiled import kernel
from routing.search.flat import (
    ABOARD,
    BREAKS,
    CAPACITY,
    CARRIED,
    COUNT,
    END,
    FIRST,
    FREE,
    FULL,
    GOODS,
    IMBALANCE,
    LATEST,
    LOAD,
    METRE,
    NODE,
    NOW,
    OF,
    PER_M,
    PER_S,
    PROFILE,
    RANGE,
    READY,
    RESERVE,
    SERVICE,
    SHIFT_END,
    START,
    Flat,
    Whole,
)
from routing.search.recharge import recharge
from routing.search.steps import (
    ending_price,
    leg,
    opens,
    take_breaks,
    to_charger_m,
)
from routing.search.work import (
    ANY_FREE,
    BATTERY_LOW,
    DIMENSION,
    DIRECT,
    ENERGY,
    LOADED,
    LOW,
    MAY_NOT_SHARE,
    METRES,
    NOWHERE,
    OUT_OF_RANGE,
    OVER_CAPACITY,
    REQUESTS,
    SHIFT_OVER,
    UNREACHABLE,
    UNWASHED,
    WASHED,
    WINDOW_MISSED,
    Work,
)


@kernel
def rate(flat: Flat, slot: int, route: Whole, size: int, work: Work) -> float:
    """Price of the first ``size`` stops of ``route``, or infinity; ``work.missed`` tells why.

    What is broken is measured to the end of the route, so a caller sees whether it is one rule
    alone. Without a way, nothing more is measured.
    """
    for code in range(len(work.missed)):
        work.missed[code] = 0
    for k in range(size + 1):
        work.plug[k] = -1
    look_over(flat, slot, route, size, work)
    price = drive(flat, slot, route, size, work)
    if work.missed[BATTERY_LOW] > 0 and len(flat.chargers) > 0:
        price = recharge(flat, slot, route, size, work, price)
    for code in range(1, len(work.missed)):
        if work.missed[code] > 0:
            return np.inf
    return price


@kernel
def look_over(flat: Flat, slot: int, route: Whole, size: int, work: Work) -> None:
    """What follows from the order alone: loads, ends, washes, and the rules about goods."""
    stops, requests, here, facts = flat.stops, flat.requests, work.here, work.facts
    dimensions = flat.at_start.shape[1]
    classes = flat.goods_at_start.shape[1]
    for d in range(dimensions):
        here[d] = flat.at_start[slot, d]
    for g in range(classes):
        work.on_board[g] = flat.goods_at_start[slot, g]
    carried = flat.slots[slot, CARRIED]
    facts[ANY_FREE] = facts[REQUESTS] = 0
    for k in range(size):
        work.left[stops[route[k], OF]] = 0
    for k in range(size):
        stop = route[k]
        request = stops[stop, OF]
        loaded = False
        for d in range(dimensions):
            loaded = loaded or here[d] > 0
        way = LOADED if loaded else DIRECT
        work.held[k] = loaded
        for g in range(classes):
            work.held[k] = work.held[k] or work.on_board[g] > 0
        facts[ANY_FREE] |= stops[stop, FREE]
        if work.left[request] == 0:
            work.left[request] = requests[request, COUNT]
            facts[REQUESTS] += 1
        goods = requests[request, GOODS]
        if goods >= 0 and requests[request, ABOARD] < 0 and stop == requests[request, FIRST]:
            if carried & flat.barred[0, goods]:
                way = WASHED
                carried = 0
                if work.held[k]:
                    work.missed[UNWASHED] = 1
            carried |= 1 << goods
            for g in range(classes):
                if work.on_board[g] > 0 and (flat.barred[1, goods] >> g) & 1:
                    work.missed[MAY_NOT_SHARE] = 1
            work.on_board[goods] += 1
        work.left[request] -= 1
        work.ends[k] = work.left[request] == 0
        if work.ends[k] and goods >= 0:
            work.on_board[goods] -= 1
        for d in range(dimensions):
            added = stops[stop, LOAD + d]
            here[d] += added
            work.load[k, d] = here[d]
            over = here[d] - flat.slots[slot, CAPACITY + d]
            if over > work.missed[OVER_CAPACITY] and added > 0 and stops[stop, FREE]:
                work.missed[OVER_CAPACITY] = over
                facts[DIMENSION] = d
        work.way[k] = way
    work.held[size] = False
    for d in range(dimensions):
        work.held[size] = work.held[size] or here[d] > 0
    for g in range(classes):
        work.held[size] = work.held[size] or work.on_board[g] > 0


@kernel
def drive(flat: Flat, slot: int, route: Whole, size: int, work: Work) -> float:
    """The clock, the metres and the battery along a route; its price."""
    if size == 0:
        return 0.0
    stops, slots, missed, facts = flat.stops, flat.slots, work.missed, work.facts
    profile, free = slots[slot, PROFILE], facts[ANY_FREE] > 0
    per_m, per_s = flat.batteries[slot, PER_M], flat.batteries[slot, PER_S]
    at_s, node, metres = slots[slot, READY], slots[slot, START], 0
    energy = low = flat.batteries[slot, NOW]
    pause = slots[slot, BREAKS]
    price = flat.slot_price[slot] + flat.weights[IMBALANCE] * facts[REQUESTS] ** 2
    for k in range(size):
        stop = route[k]
        there = stops[stop, NODE]
        leg_s, leg_m = leg(flat, profile, work.way[k], node, there)
        if leg_s >= NOWHERE or leg_m >= NOWHERE:
            missed[UNWASHED if work.way[k] == WASHED else UNREACHABLE] = 1
            return np.inf
        before_s = at_s
        at_s, pause = take_breaks(flat, slot, stop, at_s, leg_s, pause, work)
        energy -= per_s * (at_s - before_s) + per_m * leg_m
        metres += leg_m
        low = min(low, energy)
        begin_s = opens(flat, stop, at_s + leg_s)
        if begin_s > stops[stop, LATEST]:
            missed[WINDOW_MISSED] = max(missed[WINDOW_MISSED], begin_s - stops[stop, LATEST])
        work.begin[k] = begin_s
        ended_s = begin_s + stops[stop, SERVICE]
        energy -= per_s * (ended_s - at_s - leg_s)
        low = min(low, energy)
        if work.ends[k]:
            price += ending_price(flat, slot, stops[stop, OF], ended_s)
        node, at_s = there, ended_s
    end = slots[slot, END]
    if end >= 0:
        leg_s, leg_m = leg(flat, profile, DIRECT, node, end)
        if leg_s >= NOWHERE or leg_m >= NOWHERE:
            missed[UNREACHABLE] = 1
            return np.inf
        at_s, metres, energy = at_s + leg_s, metres + leg_m, energy - per_m * leg_m
        low = min(low, energy)
    elif flat.batteries[slot, FULL] >= 0:
        way_m = to_charger_m(flat, slot, node)
        rest = energy - per_m * way_m if way_m < NOWHERE else flat.batteries[slot, RESERVE] - 1
        low = min(low, rest)
    if free:
        missed[SHIFT_OVER] = max(0, at_s - slots[slot, SHIFT_END])
        missed[OUT_OF_RANGE] = max(0, metres - slots[slot, RANGE])
        if flat.batteries[slot, FULL] >= 0:
            missed[BATTERY_LOW] = max(0, flat.batteries[slot, RESERVE] - low)
    facts[METRES], facts[ENERGY], facts[LOW] = metres, energy, low
    return price + flat.weights[METRE] * metres
