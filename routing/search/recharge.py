"""When and where to charge on a route whose battery does not last: labels along its stops.

The order of the stops is given. A label is one way to come to a stop: when, after how many metres,
with how much energy, at what price. From each, the next stop is reached directly, or over a
charger, where the battery is filled or gets what the rest of the route needs. Labels that are
worse in everything than another one are dropped (Desaulniers et al., Operations Research 64(6),
2016, do the same for their exact method); more than `LABELS` are not kept, so it is a heuristic.
"""

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.flat import (
    BREAKS,
    BREAKS_END,
    CHARGE,
    CHARGE_LOADED,
    END,
    FAR,
    FULL,
    IMBALANCE,
    LATEST,
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
from routing.search.steps import ending_price, leg, opens, take_breaks, to_charger_m
from routing.search.work import (
    BATTERY_LOW,
    BREAK_MISSED,
    DIRECT,
    LABELS,
    LOADED,
    NOWHERE,
    OUT_OF_RANGE,
    REQUESTS,
    SHIFT_OVER,
    WINDOW_MISSED,
    Work,
)

# columns of Work.labels; BEGIN = when the service begins (or the end is reached)
LEAVE, METRES, ENERGY, PAUSE, PARENT, PLUG, PLUGGED, BEGIN = range(8)


@kernel
def recharge(flat: Flat, slot: int, route: Whole, size: int, work: Work, price: float) -> float:
    """Price of a route with stops at chargers; if none helps, the price without them.

    Follows `look_over` and `drive`: the first knows the legs' tables, the second the waits.
    """
    for code in (WINDOW_MISSED, SHIFT_OVER, OUT_OF_RANGE, BREAK_MISSED):
        if work.missed[code] > 0:
            return price
    labels = work.labels
    _find_need(flat, slot, route, size, work)
    first = labels[0, 0]
    first[LEAVE], first[METRES] = flat.slots[slot, READY], 0
    first[ENERGY], first[PAUSE] = flat.batteries[slot, NOW], flat.slots[slot, BREAKS]
    work.label_price[0, 0] = 0.0
    count = int(np.int64(1))
    last = size if flat.slots[slot, END] < 0 else size + 1
    for k in range(last):
        fresh = int(np.int64(0))
        for n in range(count):
            lasts = labels[k, n, ENERGY] >= work.need[k] + flat.batteries[slot, RESERVE]
            stays = lasts or (work.held[k] and flat.weights[CHARGE_LOADED] == 0)
            for choice in range(1 if stays else 1 + 2 * len(flat.chargers)):
                fresh = _extend(flat, slot, route, size, k, n, choice, fresh, work)
        count = fresh
        if count == 0:
            return price
    return _best_of(flat, slot, size, last, count, work, price)


@kernel
def _find_need(flat: Flat, slot: int, route: Whole, size: int, work: Work) -> None:
    """Energy from before each leg to the end of the route, as far as it is known."""
    profile, end = flat.slots[slot, PROFILE], flat.slots[slot, END]
    per_m, per_s = flat.batteries[slot, PER_M], flat.batteries[slot, PER_S]
    node = flat.stops[route[size - 1], NODE]
    if end >= 0:
        work.need[size] = per_m * flat.metres[profile, node, end]
    else:
        way_m = to_charger_m(flat, slot, node)
        work.need[size] = per_m * way_m if way_m < NOWHERE else FAR
    for k in range(size - 1, -1, -1):
        before = flat.slots[slot, START] if k == 0 else flat.stops[route[k - 1], NODE]
        leg_s, leg_m = leg(flat, profile, work.way[k], before, flat.stops[route[k], NODE])
        left_s = flat.slots[slot, READY]
        if k > 0:
            left_s = work.begin[k - 1] + flat.stops[route[k - 1], SERVICE]
        stays_s = work.begin[k] + flat.stops[route[k], SERVICE] - left_s - leg_s
        work.need[k] = work.need[k + 1] + per_m * leg_m + per_s * stays_s


@kernel
def _extend(
    flat: Flat,
    slot: int,
    route: Whole,
    size: int,
    k: int,
    n: int,
    choice: int,
    count: int,
    work: Work,
) -> int:
    """Follow label n over leg k; the number of labels behind it.

    Args:
        choice: 0 = directly; 2 c + 1 = over charger c until the battery is full; 2 c + 2 = there
            until it holds what the rest of the route needs.
    """
    charger, fill = (choice + 1) // 2 - 1, choice % 2 == 1
    if charger >= 0 and not flat.plugs[charger, slot]:
        return count
    if charger >= 0 and not fill and flat.chargers[charger, 1]:
        return count
    old = work.labels[k, n]
    profile = flat.slots[slot, PROFILE]
    full, reserve = flat.batteries[slot, FULL], flat.batteries[slot, RESERVE]
    per_m, per_s = flat.batteries[slot, PER_M], flat.batteries[slot, PER_S]
    before = flat.slots[slot, START] if k == 0 else flat.stops[route[k - 1], NODE]
    there = flat.slots[slot, END] if k == size else flat.stops[route[k], NODE]
    way = DIRECT if k == size else work.way[k]
    at_s, energy, pause = old[LEAVE], old[ENERGY], old[PAUSE]
    out_s = out_m = 0
    here = before
    if charger >= 0:
        here = flat.chargers[charger, 0]
        out_s, out_m = leg(flat, profile, LOADED if work.held[k] else DIRECT, before, here)
    leg_s, leg_m = leg(flat, profile, way, here, there)
    if max(out_s, leg_s) >= NOWHERE or max(out_m, leg_m) >= NOWHERE:
        return count
    target = full
    if charger >= 0 and not fill:
        rest = work.need[k + 1] + per_m * leg_m + reserve
        if k < size:
            rest += per_s * (flat.stops[route[k], SERVICE])
        target = min(full, rest)
    plugged_s = _plugged_s(flat, slot, energy - per_m * out_m, target) if charger >= 0 else 0
    if charger >= 0 and plugged_s == 0 and not fill:
        return count
    while k < size and pause < flat.slots[slot, BREAKS_END]:
        left_s, was = at_s, pause
        at_s, pause = take_breaks(
            flat, slot, route[k], at_s, out_s + plugged_s + leg_s, pause, work
        )
        energy -= per_s * (at_s - left_s)
        if charger >= 0:
            plugged_s = _plugged_s(flat, slot, energy - per_m * out_m, target)
        if pause == was:
            break
    if work.missed[BREAK_MISSED] > 0:
        work.missed[BREAK_MISSED] = 0
        return count
    energy -= per_m * out_m
    if energy < reserve:
        return count
    if charger >= 0:
        energy = min(full, energy + plugged_s * flat.batteries[slot, CHARGE])
    at_s += out_s + plugged_s + leg_s
    energy -= per_m * leg_m
    price, begin_s = work.label_price[k, n], at_s
    if k < size:
        stop = route[k]
        begin_s = opens(flat, stop, at_s)
        if begin_s > flat.stops[stop, LATEST]:
            return count
        leave_s = begin_s + flat.stops[stop, SERVICE]
        energy -= per_s * (leave_s - at_s)
        if work.ends[k]:
            price += ending_price(flat, slot, flat.stops[stop, OF], leave_s)
        at_s = leave_s
    if energy < reserve:
        return count
    return _keep(
        work,
        k + 1,
        count,
        at_s,
        old[METRES] + out_m + leg_m,
        energy,
        pause,
        price,
        n,
        charger,
        plugged_s,
        begin_s,
        flat.weights[METRE],
    )


@leaf
def _plugged_s(flat: Flat, slot: int, energy: int, target: int) -> int:
    """Whole seconds on a charger until the battery holds ``target``."""
    rate = flat.batteries[slot, CHARGE]
    return max(0, (target - energy + rate - 1) // rate)


@kernel
def _keep(
    work: Work,
    k: int,
    count: int,
    leave_s: int,
    metres: int,
    energy: int,
    pause: int,
    price: float,
    parent: int,
    plug: int,
    plugged_s: int,
    begin_s: int,
    metre: float,
) -> int:
    """Add a label, unless another one is as good in everything; drop those that it beats."""
    labels, prices = work.labels[k], work.label_price[k]
    kept = 0
    for n in range(count):
        row = labels[n]
        cheaper = prices[n] + metre * row[METRES] <= price + metre * metres
        if cheaper and row[PAUSE] == pause and row[LEAVE] <= leave_s and row[ENERGY] >= energy:
            return count
    for n in range(count):
        row = labels[n]
        beaten = row[PAUSE] == pause and price + metre * metres <= prices[n] + metre * row[METRES]
        if not (beaten and leave_s <= row[LEAVE] and energy >= row[ENERGY]):
            if kept < n:
                for c in range(len(row)):
                    labels[kept, c] = row[c]
                prices[kept] = prices[n]
            kept += 1
    if kept == LABELS:
        worst = 0
        for n in range(1, kept):
            if (
                prices[n] + metre * labels[n, METRES]
                > prices[worst] + metre * labels[worst, METRES]
            ):
                worst = n
        if price + metre * metres >= prices[worst] + metre * labels[worst, METRES]:
            return kept
        kept = worst
        count = LABELS
    else:
        count = kept + 1
    row = labels[kept]
    row[LEAVE], row[METRES], row[ENERGY], row[PAUSE] = leave_s, metres, energy, pause
    row[PARENT], row[PLUG], row[PLUGGED], row[BEGIN] = parent, plug, plugged_s, begin_s
    prices[kept] = price
    return count


@kernel
def _best_of(
    flat: Flat, slot: int, size: int, last: int, count: int, work: Work, price: float
) -> float:
    """Choose the cheapest label at the end and write down the way that led to it."""
    labels, best, least = work.labels, -1, np.inf
    low = flat.batteries[slot, RESERVE] + (work.need[size] if last == size else 0)
    for n in range(count):
        row = labels[last, n]
        cost = work.label_price[last, n] + flat.weights[METRE] * row[METRES]
        if row[LEAVE] > flat.slots[slot, SHIFT_END] or row[METRES] > flat.slots[slot, RANGE]:
            continue
        if row[ENERGY] >= low and cost < least:
            best, least = n, cost
    if best < 0:
        return price
    work.missed[BATTERY_LOW] = 0
    work.facts[2] = labels[last, best, METRES]
    for k in range(last, 0, -1):
        row = labels[k, best]
        work.plug[k - 1], work.plugged_s[k - 1] = row[PLUG], row[PLUGGED]
        if k <= size:
            work.begin[k - 1] = row[BEGIN]
        best = row[PARENT]
    return least + flat.slot_price[slot] + flat.weights[IMBALANCE] * work.facts[REQUESTS] ** 2
