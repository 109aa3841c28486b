"""Which two requests no vehicle could serve on one tour, so that no search need try.

Of two requests with windows, at most six orders of their stops are possible; if none can be driven
even by the first vehicle on the fastest ways, both never share a route. Half and more of all
routes are passed over that way where windows are narrow.
"""

import numpy as np

from routing.search.compiled import leaf
from routing.search.flat import (
    COUNT,
    EARLIEST,
    END,
    FAR,
    FIRST,
    FREE,
    LATEST,
    NEVER,
    NODE,
    OF,
    READY,
    SERVICE,
    SHIFT_END,
    START,
    Flags,
    Flat,
    Whole,
)

BITS = 32
"""How many requests one word tells of."""
BLOCK = 1 << 15
"""Pairs that are looked at in one step, so that they stay in the processor's cache."""
MOST = 2000
"""With more requests, looking at all pairs takes too long."""


def words(requests: int) -> int:
    """How many words tell of so many requests."""
    return requests // BITS + 1


@leaf
def told(flags: Whole, request: int) -> bool:
    """Whether the bit of a request is set."""
    return bool((flags[request >> 5] >> (request & 31)) & 1)


def find_clashes(flat: Flat) -> Whole:
    """For each request the others that can't be in the same route, as bits (R, words)."""
    many = len(flat.requests)
    found = np.zeros((many, words(many)), dtype=np.int64)
    ends_s = flat.slots[:, SHIFT_END].max()
    if many > MOST or not ((flat.stops[:, LATEST] < NEVER).any() or ends_s < NEVER):
        return found
    clash = _clashes(flat)
    for word in range(found.shape[1]):
        bits = clash[:, word * BITS : (word + 1) * BITS].astype(np.int64)
        found[:, word] = bits @ (1 << np.arange(bits.shape[1], dtype=np.int64))
    return found


def _clashes(flat: Flat) -> Flags:
    many, stops = len(flat.requests), flat.stops
    way_s = flat.relaxed.min(axis=0).astype(np.int64)
    soonest_s, latest_s = _limits(flat, way_s)
    short = (flat.requests[:, COUNT] <= 2) & (stops[flat.requests[:, FIRST], FREE] > 0)
    one = flat.requests[:, FIRST]
    two = np.where(short, one + flat.requests[:, COUNT] - 1, one)
    single = one == two

    def go(at_s: Whole, here: Whole, there: Whole, pause: Flags | None = None) -> Whole:
        """When to leave ``there``; FAR = too late. ``pause`` = nothing is done there yet."""
        begin_s = at_s + way_s[stops[here, NODE], stops[there, NODE]]
        begin_s = np.maximum(begin_s, soonest_s[there])
        service_s = stops[there, SERVICE]
        left_s = begin_s + (service_s if pause is None else np.where(pause, 0, service_s))
        return np.where(begin_s > latest_s[there], FAR, left_s)

    fits = np.zeros((many, many), dtype=np.bool_)
    rows = max(1, BLOCK // many)
    b1, b2 = one[None, :], two[None, :]
    for low in range(0, many, rows):
        a1, a2 = one[low : low + rows, None], two[low : low + rows, None]
        alone, other = single[low : low + rows, None], single[None, :]
        begun = np.where(soonest_s[a1] > latest_s[a1], FAR, soonest_s[a1])
        begun = begun + np.where(alone, 0, stops[a1, SERVICE])
        done = go(begun, a1, a2)
        orders = [go(go(done, a2, b1, other), b1, b2)]
        both = go(begun, a1, b1, other)
        orders.append(go(go(both, b1, a2), a2, b2))
        orders.append(go(go(both, b1, b2), b2, a2))
        fits[low : low + rows] = np.minimum.reduce(orders) < FAR
    clash = ~(fits | fits.T) & short[:, None] & short[None, :]
    np.fill_diagonal(clash, False)
    return clash


def _limits(flat: Flat, way_s: Whole) -> tuple[Whole, Whole]:
    """The first and the last moment at which anybody can begin each stop."""
    stops, slots = flat.stops, flat.slots
    nodes = stops[:, NODE]
    there_s = (slots[:, READY, None] + way_s[slots[:, START]][:, nodes]).min(axis=0)
    home_s = np.where(slots[:, END, None] < 0, 0, way_s[nodes][:, slots[:, END]].T)
    back_s = (slots[:, SHIFT_END, None] - home_s).max(axis=0) - stops[:, SERVICE]
    return np.maximum(stops[:, EARLIEST], there_s), np.minimum(stops[:, LATEST], back_s)


@leaf
def find_barred(flat: Flat, clash: Whole, route: Whole, size: int, barred: Whole) -> None:
    """Which requests clash with one of a route."""
    for word in range(len(barred)):
        barred[word] = 0
    for k in range(size):
        stop = route[k]
        request = flat.stops[stop, OF]
        if flat.requests[request, FIRST] == stop:
            for word in range(len(barred)):
                barred[word] |= clash[request, word]
