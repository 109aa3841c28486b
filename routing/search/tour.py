"""The routes that a search works on, with all that makes a fitting test take constant time."""

from typing import NamedTuple

import numpy as np

from routing.search.clash import words
from routing.search.compiled import leaf
from routing.search.flat import (
    END,
    FAR,
    LATEST,
    LOAD,
    NODE,
    OF,
    PROFILE,
    READY,
    SERVICE,
    SHIFT_END,
    START,
    Flags,
    Flat,
    Real,
    Whole,
)
from routing.search.work import Work, make_work


class Tour(NamedTuple):
    """Routes of V slots with up to L stops each.

    route (V, L), size (V); cost (V), metres (V), tasks (V) = requests in the route; head (V): stops
    at the start that must stay; begin (V, L): when each service begins; ends (V, L): a request is
    finished there; slot_of, place_of (S): where each stop is, -1 = nowhere.

    Before each position, from 0 to the size: nodes (V, L + 2), where the slot comes from, at the
    last one the end or -1; leave (V, L + 1), from when on; gap_m, metres of the leg there (0 in
    an idle route); held, peak (V, L + 1, D), what is on board, and the most of it from there on;
    slack, until when the next service, or the arrival at the end, may begin without breaking a
    window behind it; room, what is left of that if nobody goes anywhere else in between; rest,
    how many requests end from there on; shut, no request is half done, so the route may be cut
    there.

    clash (R, W): see `routing.search.clash`, empty until somebody needs it; barred (V, W): who
    clashes with one of the route.
    """

    route: Whole
    size: Whole
    cost: Real
    metres: Whole
    tasks: Whole
    begin: Whole
    nodes: Whole
    leave: Whole
    gap_m: Whole
    slack: Whole
    room: Whole
    rest: Whole
    held: Whole
    peak: Whole
    ends: Flags
    shut: Flags
    head: Whole
    slot_of: Whole
    place_of: Whole
    clash: Whole
    barred: Whole
    work: Work


def make_tour(flat: Flat, longest: int) -> Tour:
    """Empty routes with room for ``longest`` stops each."""
    slots, dimensions = flat.at_start.shape
    stops = len(flat.stops)
    return Tour(
        route=np.full((slots, longest + 1), -1, dtype=np.int64),
        size=np.zeros(slots, dtype=np.int64),
        cost=np.zeros(slots, dtype=np.float64),
        metres=np.zeros(slots, dtype=np.int64),
        tasks=np.zeros(slots, dtype=np.int64),
        begin=np.zeros((slots, longest + 1), dtype=np.int64),
        nodes=np.zeros((slots, longest + 3), dtype=np.int64),
        leave=np.zeros((slots, longest + 2), dtype=np.int64),
        gap_m=np.zeros((slots, longest + 2), dtype=np.int64),
        slack=np.full((slots, longest + 2), FAR, dtype=np.int64),
        room=np.full((slots, longest + 2), FAR, dtype=np.int64),
        rest=np.zeros((slots, longest + 2), dtype=np.int64),
        held=np.zeros((slots, longest + 2, dimensions), dtype=np.int64),
        peak=np.zeros((slots, longest + 2, dimensions), dtype=np.int64),
        ends=np.zeros((slots, longest + 1), dtype=np.bool_),
        shut=np.zeros((slots, longest + 2), dtype=np.bool_),
        head=np.zeros(slots, dtype=np.int64),
        slot_of=np.full(stops + 1, -1, dtype=np.int64),
        place_of=np.full(stops + 1, -1, dtype=np.int64),
        clash=np.zeros((len(flat.requests), words(len(flat.requests))), dtype=np.int64),
        barred=np.zeros((slots, words(len(flat.requests))), dtype=np.int64),
        work=make_work(flat, longest),
    )


@leaf
def find_cuts(flat: Flat, tour: Tour, slot: int) -> None:
    """Where the route may be cut: behind what must stay, with no request half done."""
    left, route = tour.work.left, tour.route[slot]
    for k in range(tour.size[slot]):
        left[flat.stops[route[k], OF]] = 0
    half_done = 0
    for k in range(tour.size[slot] + 1):
        tour.shut[slot, k] = half_done == 0 and k >= tour.head[slot]
        if k == tour.size[slot]:
            break
        request = flat.stops[route[k], OF]
        if left[request] == 0 and not tour.ends[slot, k]:
            half_done += 1
        elif left[request] > 0 and tour.ends[slot, k]:
            half_done -= 1
        left[request] += 1


@leaf
def find_slack(flat: Flat, tour: Tour, slot: int) -> None:
    """From the end backwards: latest beginnings, over the fastest ways there could be, and ends."""
    stops, table = flat.stops, flat.relaxed[flat.slots[slot, PROFILE]]
    route, size, slack = tour.route[slot], tour.size[slot], tour.slack[slot]
    leave, room = tour.leave[slot], tour.room[slot]
    node, limit = flat.slots[slot, END], flat.slots[slot, SHIFT_END]
    rest = tour.rest[slot]
    slack[size], rest[size] = limit, 0
    for k in range(size - 1, -1, -1):
        stop = route[k]
        way_s = table[stops[stop, NODE], node] if node >= 0 else 0
        room[k + 1] = limit - way_s - leave[k + 1]
        limit = min(stops[stop, LATEST], limit - way_s - stops[stop, SERVICE])
        slack[k], rest[k] = limit, rest[k + 1] + tour.ends[slot, k]
        node = stops[stop, NODE]
    room[0] = limit - leave[0] - (table[flat.slots[slot, START], node] if node >= 0 else 0)


@leaf
def find_legs(flat: Flat, tour: Tour, slot: int) -> None:
    """Nodes, leaving times, leg lengths and loads along a route whose begins are known."""
    stops, route, size = flat.stops, tour.route[slot], tour.size[slot]
    metres, end = flat.metres[flat.slots[slot, PROFILE]], flat.slots[slot, END]
    nodes, leave, gap_m = tour.nodes[slot], tour.leave[slot], tour.gap_m[slot]
    nodes[0], leave[0] = flat.slots[slot, START], flat.slots[slot, READY]
    for k in range(size):
        stop = route[k]
        nodes[k + 1] = stops[stop, NODE]
        leave[k + 1] = tour.begin[slot, k] + stops[stop, SERVICE]
        gap_m[k] = metres[nodes[k], nodes[k + 1]]
        tour.slot_of[stop], tour.place_of[stop] = slot, k
    nodes[size + 1] = end
    gap_m[size] = metres[nodes[size], end] if size > 0 and end >= 0 else 0
    for d in range(tour.held.shape[2]):
        held, peak = tour.held[slot], tour.peak[slot]
        held[0, d] = flat.at_start[slot, d]
        for k in range(size):
            held[k + 1, d] = held[k, d] + stops[route[k], LOAD + d]
        peak[size, d] = held[size, d]
        for k in range(size - 1, -1, -1):
            peak[k, d] = max(held[k, d], peak[k + 1, d])
