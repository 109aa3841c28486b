"""Segments that two routes exchange, or that change places within one.

The CROSS exchange of Taillard et al. (Transportation Science 31(2), 1997): with an empty segment it
relocates, with short ones it swaps, with segments to the end it exchanges tails. Routes are cut
only where no request has begun and not ended, so its order stays right; both are rated in full.
"""

from routing.search.compiled import copy, kernel, leaf
from routing.search.dice import below
from routing.search.flat import FREE, OF, Flat, Whole
from routing.search.refresh import price_of, refresh
from routing.search.splice import swap_between, swap_within
from routing.search.tour import Tour

SHORT = 3
"""The longest segment, in groups of stops between two cuts, that does not reach to the end."""

FRONT = 10
"""One exchange in so many is at the beginning of a route."""

OPEN = 30
"""One exchange in so many moves a segment into an idle slot."""


@leaf
def exchange(
    flat: Flat, tour: Tour, after: Whole, dice: Whole, one: Whole, other: Whole, limit: float
) -> float:
    """Bring a stop near to another one behind it, if the price rises by less than ``limit``.

    Args:
        one, other: scratch for two routes.

    Returns:
        The change of price; 0 = nothing was done. ``one[-1]`` and ``other[-1]`` name the slots
        that have changed, -1 = none.
    """
    one[-1] = other[-1] = -1
    stops = len(flat.stops)
    if below(dice, FRONT) == 0:
        a = below(dice, len(tour.size))
        i = int(tour.head[a])
        row = stops + a
        if tour.size[a] > i and not tour.shut[a, i]:
            return 0.0
    else:
        stop = below(dice, stops)
        a = int(tour.slot_of[stop])
        if a < 0 or not flat.stops[stop, FREE]:
            return 0.0
        i = _cut_after(tour, a, int(tour.place_of[stop]))
        if i < 0:
            return 0.0
        row = int(tour.route[a, i - 1])
    if below(dice, OPEN) == 0:
        b, j = _idle_slot(tour, dice), 0
        if b < 0:
            return 0.0
    else:
        guest = after[row, below(dice, after.shape[1])]
        b = int(tour.slot_of[guest])
        if b < 0 or not flat.stops[guest, FREE]:
            return 0.0
        j = _cut_before(tour, b, int(tour.place_of[guest]))
    if j < 0:
        return 0.0
    end_b = _end_of(tour, b, j, dice)
    if a == b:
        low, middle, high = (i, j, end_b) if j > i else (j, end_b, i)
        if not low < middle < high or swap_within(flat, tour, a, low, middle, high) >= limit:
            return 0.0
        return _within(flat, tour, a, low, middle, high, one, limit)
    end_a = _end_of(tour, a, i, dice)
    if end_a == i and end_b == j:
        return 0.0
    if swap_between(flat, tour, a, i, end_a, b, j, end_b) >= limit:
        return 0.0
    return _between(flat, tour, a, i, end_a, b, j, end_b, one, other, limit)


@leaf
def _idle_slot(tour: Tour, dice: Whole) -> int:
    """One of the slots that have nothing to do; -1 = there is none."""
    slots = len(tour.size)
    begin = below(dice, slots)
    for n in range(slots):
        slot = (begin + n) % slots
        if tour.size[slot] == 0:
            return slot
    return -1


@leaf
def _cut_after(tour: Tour, slot: int, place: int) -> int:
    """The first cut behind a place, as a position; -1 = none."""
    for k in range(place + 1, tour.size[slot] + 1):
        if tour.shut[slot, k]:
            return k
    return -1


@leaf
def _cut_before(tour: Tour, slot: int, place: int) -> int:
    """The last cut before a place or at it; -1 = none."""
    for k in range(place, -1, -1):
        if tour.shut[slot, k]:
            return k
    return -1


@leaf
def _end_of(tour: Tour, slot: int, begin: int, dice: Whole) -> int:
    """Where a segment ends that begins at a cut: a few groups on, or at the route's end."""
    groups = below(dice, SHORT + 2)
    size = tour.size[slot]
    if groups > SHORT:
        return size
    k = begin
    while groups > 0 and k < size:
        k += 1
        if tour.shut[slot, k]:
            groups -= 1
    return k


@leaf
def _allowed(flat: Flat, route: Whole, begin: int, end: int, slot: int) -> bool:
    """Whether another slot may do all of a segment, and nothing of it is bound."""
    for k in range(begin, end):
        if not flat.stops[route[k], FREE] or not flat.allowed[flat.stops[route[k], OF], slot]:
            return False
    return True


@kernel
def _within(
    flat: Flat, tour: Tour, slot: int, low: int, middle: int, high: int, trial: Whole, limit: float
) -> float:
    """Let [low, middle) and [middle, high) of one route change places."""
    route, size = tour.route[slot], tour.size[slot]
    n = low
    copy(trial, route, low)
    for k in range(middle, high):
        trial[n] = route[k]
        n += 1
    for k in range(low, middle):
        trial[n] = route[k]
        n += 1
    for k in range(high, size):
        trial[n] = route[k]
        n += 1
    change = price_of(flat, tour, slot, trial, size) - tour.cost[slot]
    if change >= limit:
        return 0.0
    copy(route, trial, size)
    refresh(flat, tour, slot)
    trial[-1] = slot
    return change


@kernel
def _between(
    flat: Flat,
    tour: Tour,
    a: int,
    i: int,
    end_a: int,
    b: int,
    j: int,
    end_b: int,
    one: Whole,
    other: Whole,
    limit: float,
) -> float:
    """Exchange [i, end_a) of route a with [j, end_b) of route b."""
    route_a, route_b = tour.route[a], tour.route[b]
    if not _allowed(flat, route_a, i, end_a, b) or not _allowed(flat, route_b, j, end_b, a):
        return 0.0
    size_a = _spliced(one, route_a, i, end_a, tour.size[a], route_b, j, end_b)
    size_b = _spliced(other, route_b, j, end_b, tour.size[b], route_a, i, end_a)
    before = tour.cost[a] + tour.cost[b]
    change = price_of(flat, tour, a, one, size_a) - before
    if change >= limit:
        return 0.0
    change += price_of(flat, tour, b, other, size_b)
    if change >= limit:
        return 0.0
    tour.size[a], tour.size[b] = size_a, size_b
    copy(route_a, one, size_a)
    copy(route_b, other, size_b)
    refresh(flat, tour, a)
    refresh(flat, tour, b)
    one[-1], other[-1] = a, b
    return change


@leaf
def _spliced(
    trial: Whole, host: Whole, i: int, end_i: int, size: int, guest: Whole, j: int, end_j: int
) -> int:
    """``host`` with its segment [i, end_i) replaced by the guest's [j, end_j); its length."""
    n = i
    copy(trial, host, i)
    for k in range(j, end_j):
        trial[n] = guest[k]
        n += 1
    for k in range(end_i, size):
        trial[n] = host[k]
        n += 1
    return n
