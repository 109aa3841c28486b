"""Tearing out strings of neighbouring visits, and the order in which they are put back.

Slack Induction by String Removals: Christiaens & Vanden Berghe, Transportation Science 54(2),
2020. Removing one stop of a request removes all of them.
"""

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.dice import below, uniform
from routing.search.flat import (
    COUNT,
    EARLIEST,
    FAR,
    FIRST,
    FREE,
    LATEST,
    LOAD,
    NODE,
    OF,
    START,
    Flat,
    Whole,
)
from routing.search.tour import Tour

REMOVED = 10
"""How many stops a round takes out on average."""
LONGEST = 10
"""The longest string that is taken out of one route."""
SPLIT = 0.5
"""Share of strings in which some visits are kept."""
KEEP_MORE = 0.01
"""How often one more visit is kept in such a string."""


def neighbours(flat: Flat, most: int = 150) -> Whole:
    """For each stop the others, nearest first by the way of the first profile, itself included."""
    nodes = flat.stops[:, NODE]
    table = flat.metres[0].astype(np.int64)
    apart = (table + table.T)[np.ix_(nodes, nodes)]
    np.fill_diagonal(apart, -1)
    most = min(most, len(nodes))
    return np.argsort(apart, axis=1, kind="stable")[:, :most].astype(np.int64)


def followers(flat: Flat, most: int = 30) -> Whole:
    """For each stop, then for each slot, the first stops of other requests, soonest reached first.

    A slot's are those soonest reached from where it starts.
    """
    firsts = flat.requests[:, FIRST]
    starts = flat.slots[:, START]
    apart = flat.relaxed[0].astype(np.int64)[
        np.ix_(np.concatenate([flat.stops[:, NODE], starts]), flat.stops[firsts, NODE])
    ]
    own = flat.stops[:, OF][:, None] == np.arange(len(firsts))[None, :]
    apart[: len(own)][own] = FAR
    most = min(most, max(1, len(firsts) - 1))
    return firsts[np.argsort(apart, axis=1, kind="stable")[:, :most]]


@kernel
def ruin(
    flat: Flat, tour: Tour, near: Whole, seed: int, dice: Whole, out: Whole, marks: Whole
) -> int:
    """Mark requests to be taken out around the stop ``seed``.

    Args:
        out: gets the requests.
        marks: (V, ...) first column set to 1 for the routes that lose something.

    Returns:
        How many requests are in ``out``.
    """
    stops = flat.stops
    used = filled = 0
    for slot in range(len(tour.size)):
        if tour.size[slot] > tour.head[slot]:
            used += 1
            filled += tour.size[slot] - tour.head[slot]
    if used == 0:
        return 0
    longest = min(LONGEST, filled / used)
    most_strings = 4 * REMOVED / (1 + longest) - 1
    strings = int(uniform(dice) * most_strings + 1)
    many = int(np.int64(0))
    for n in range(near.shape[1]):
        if strings <= 0:
            break
        stop = near[seed, n]
        slot = int(tour.slot_of[stop])
        if slot < 0 or marks[slot, 0] or not stops[stop, FREE]:
            continue
        strings -= 1
        marks[slot, 0] = 1
        many = _string(flat, tour, slot, int(tour.place_of[stop]), longest, dice, out, many)
    return many


@kernel
def _string(
    flat: Flat,
    tour: Tour,
    slot: int,
    centre: int,
    longest: float,
    dice: Whole,
    out: Whole,
    many: int,
) -> int:
    """Mark a string of one route that includes position ``centre``; the new number in ``out``."""
    head, size = tour.head[slot], tour.size[slot]
    room = size - head
    length = int(uniform(dice) * min(room, longest) + 1)
    length = min(length, room)
    kept = 0
    if length > 1 and length < room and uniform(dice) < SPLIT:
        kept = 1
        while length + kept < room and uniform(dice) < KEEP_MORE:
            kept += 1
    span = length + kept
    low = max(head, centre - span + 1)
    high = min(centre, size - span)
    begin = low + below(dice, high - low + 1)
    gap = begin + 1 + below(dice, length) if kept else size
    for k in range(begin, begin + span):
        if gap <= k < gap + kept:
            continue
        request = flat.stops[tour.route[slot, k], OF]
        known = not flat.stops[tour.route[slot, k], FREE]
        for n in range(many - 1, -1, -1):
            known = known or out[n] == request
        if not known:
            out[many] = request
            many += 1
    return many


@kernel
def take_out(flat: Flat, tour: Tour, out: Whole, many: int) -> None:
    """Take requests out of their routes; those routes have to be refreshed."""
    for n in range(many):
        first = flat.requests[out[n], FIRST]
        slot = tour.slot_of[first]
        if slot < 0:
            continue
        for stop in range(first, first + flat.requests[out[n], COUNT]):
            tour.slot_of[stop] = -1
        kept = 0
        for k in range(tour.size[slot]):
            if flat.stops[tour.route[slot, k], OF] != out[n]:
                tour.route[slot, kept] = tour.route[slot, k]
                kept += 1
        tour.size[slot] = kept


@kernel
def put_in_order(flat: Flat, out: Whole, many: int, dice: Whole) -> None:
    """Sort requests for putting back: at random, or the largest, farthest, tightest first."""
    dart = below(dice, 12)
    for n in range(1, many):
        request = out[n]
        key = _key(flat, request, dart)
        out[n] = request
        k = n - 1
        while k >= 0 and _key(flat, out[k], dart) > key:
            out[k + 1] = out[k]
            k -= 1
        out[k + 1] = request
    if dart < 4:
        for n in range(many - 1, 0, -1):
            k = below(dice, n + 1)
            out[n], out[k] = out[k], out[n]


@leaf
def _key(flat: Flat, request: int, dart: int) -> float:
    stops, first = flat.stops, flat.requests[request, FIRST]
    last = first + flat.requests[request, COUNT] - 1
    if dart < 4:
        return 0.0
    if dart < 7:
        return -float(stops[first, LOAD]) if stops.shape[1] > LOAD else 0.0
    if dart < 9:
        return -float(flat.metres[0, flat.slots[0, START], stops[first, NODE]])
    if dart < 10:
        return float(flat.metres[0, flat.slots[0, START], stops[first, NODE]])
    if dart < 11:
        return float(stops[last, LATEST] - stops[first, EARLIEST])
    return -float(flat.metres[0, stops[first, NODE], stops[last, NODE]])
