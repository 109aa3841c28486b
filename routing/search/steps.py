"""The single steps of a route: a leg, a service, a break, the price of an end."""

from routing.search.compiled import kernel, leaf
from routing.search.flat import (
    BREAKS_END,
    CHANGE,
    DUE,
    EARLIEST,
    FLOW,
    LAST_SLOT,
    LATE,
    PROFILE,
    RELEASE,
    SERVICE,
    SPANS,
    SPANS_END,
    Flat,
)
from routing.search.work import ANY_FREE, BREAK_MISSED, DIRECT, LOADED, NOWHERE, Work


@leaf
def leg(flat: Flat, profile: int, way: int, here: int, there: int) -> tuple[int, int]:
    """Seconds and metres from one node to another."""
    if way == DIRECT:
        return flat.seconds[profile, here, there], flat.metres[profile, here, there]
    if way == LOADED:
        return flat.loaded[profile, here, there], flat.metres[profile, here, there]
    return flat.washed_s[profile, here, there], flat.washed_m[profile, here, there]


@leaf
def opens(flat: Flat, stop: int, at_s: int) -> int:
    """When the service at a stop begins for who is there at ``at_s``."""
    at_s = max(at_s, flat.stops[stop, EARLIEST])
    for span in range(flat.stops[stop, SPANS], flat.stops[stop, SPANS_END]):
        if flat.spans[span, 0] <= at_s < flat.spans[span, 1]:
            at_s = flat.spans[span, 1]
    return at_s


@kernel
def take_breaks(
    flat: Flat, slot: int, stop: int, at_s: int, leg_s: int, pause: int, work: Work
) -> tuple[int, int]:
    """When the slot sets out for its next stop, after the breaks that are taken before it."""
    while pause < flat.slots[slot, BREAKS_END]:
        earliest_s, latest_s = flat.breaks[pause, 0], flat.breaks[pause, 1]
        if at_s < earliest_s:
            if opens(flat, stop, at_s + leg_s) + flat.stops[stop, SERVICE] <= latest_s:
                break
            at_s = earliest_s
        if at_s > latest_s and work.facts[ANY_FREE]:
            work.missed[BREAK_MISSED] = max(work.missed[BREAK_MISSED], at_s - latest_s)
        at_s += flat.breaks[pause, 2]
        pause += 1
    return at_s, pause


@leaf
def ending_price(flat: Flat, slot: int, request: int, at_s: int) -> float:
    """What it costs that a request is done by ``slot`` at ``at_s``."""
    row = flat.requests[request]
    price = flat.weights[FLOW] * (at_s - row[RELEASE])
    if at_s > row[DUE]:
        price += flat.prices[request, LATE] * (at_s - row[DUE])
    if row[LAST_SLOT] >= 0 and row[LAST_SLOT] != slot:
        price += flat.weights[CHANGE]
    return price


@kernel
def to_charger_m(flat: Flat, slot: int, node: int) -> int:
    """Metres from a node to the nearest charger that a slot may use; 0 if there is none at all."""
    profile, best = flat.slots[slot, PROFILE], NOWHERE
    known = False
    for c in range(len(flat.chargers)):
        if flat.plugs[c, slot]:
            known = True
            best = min(best, flat.metres[profile, node, flat.chargers[c, 0]])
    return best if known else 0
