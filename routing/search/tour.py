"""The routes that a search works on, with all that makes a fitting test take constant time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.flat import (
    END,
    FAR,
    LATEST,
    NODE,
    OF,
    PROFILE,
    SERVICE,
    SHIFT_END,
    Flags,
    Flat,
    Real,
    Whole,
)
from routing.search.rate import rate
from routing.search.work import METRES, REQUESTS, Work, make_work


class Tour(NamedTuple):
    """Routes of V slots with up to L stops each.

    route (V, L), size (V); cost (V), metres (V), tasks (V) = requests in the route; begin,
    depart (V, L): when each service begins and ends; slack (V, L + 1): until when service there,
    or the arrival at the end, may begin without breaking a window behind it; load, peak (V, L, D):
    on board after each stop, and the most of it from there on;
    ends (V, L): a request is finished there; shut (V, L + 1): no request is open before a
    position, so the route may be cut there; head (V): stops at the start that must stay;
    slot_of, place_of (S): where each stop is, -1 = nowhere.
    """

    route: Whole
    size: Whole
    cost: Real
    metres: Whole
    tasks: Whole
    begin: Whole
    depart: Whole
    slack: Whole
    load: Whole
    peak: Whole
    ends: Flags
    shut: Flags
    head: Whole
    slot_of: Whole
    place_of: Whole
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
        depart=np.zeros((slots, longest + 1), dtype=np.int64),
        slack=np.full((slots, longest + 2), FAR, dtype=np.int64),
        load=np.zeros((slots, longest + 1, dimensions), dtype=np.int64),
        peak=np.zeros((slots, longest + 1, dimensions), dtype=np.int64),
        ends=np.zeros((slots, longest + 1), dtype=np.bool_),
        shut=np.zeros((slots, longest + 2), dtype=np.bool_),
        head=np.zeros(slots, dtype=np.int64),
        slot_of=np.full(stops + 1, -1, dtype=np.int64),
        place_of=np.full(stops + 1, -1, dtype=np.int64),
        work=make_work(flat, longest),
    )


def routes_of(tour: Tour) -> list[list[int]]:
    """The routes as lists of stop numbers."""
    return [tour.route[slot, : tour.size[slot]].tolist() for slot in range(len(tour.size))]


def set_route(flat: Flat, tour: Tour, slot: int, route: Sequence[int]) -> bool:
    """Give a slot another route; False = it can't be driven (it is set all the same)."""
    for stop in tour.route[slot, : tour.size[slot]]:
        if tour.slot_of[stop] == slot:
            tour.slot_of[stop] = -1
    tour.route[slot, : len(route)] = route
    tour.size[slot] = len(route)
    return bool(refresh(flat, tour, slot))


@kernel
def refresh(flat: Flat, tour: Tour, slot: int) -> bool:
    """Work out anew all that is known of a route; False = it breaks a rule."""
    route, size, work = tour.route[slot], tour.size[slot], tour.work
    price = rate(flat, slot, route, size, work)
    tour.cost[slot] = price
    tour.metres[slot] = work.facts[METRES] if size else 0
    tour.tasks[slot] = work.facts[REQUESTS] if size else 0
    for k in range(size):
        stop = route[k]
        tour.slot_of[stop], tour.place_of[stop] = slot, k
        tour.begin[slot, k] = work.begin[k]
        tour.depart[slot, k] = work.begin[k] + flat.stops[stop, SERVICE]
        tour.ends[slot, k] = work.ends[k]
        for d in range(tour.load.shape[2]):
            tour.load[slot, k, d] = work.load[k, d]
    _find_cuts(flat, tour, slot)
    for d in range(tour.load.shape[2]):
        most = -FAR
        for k in range(size - 1, -1, -1):
            most = max(most, work.load[k, d])
            tour.peak[slot, k, d] = most
    _find_slack(flat, tour, slot)
    return price < np.inf


@leaf
def _find_cuts(flat: Flat, tour: Tour, slot: int) -> None:
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
def _find_slack(flat: Flat, tour: Tour, slot: int) -> None:
    """Latest beginnings, from the end backwards, over the fastest ways there could be."""
    stops, table = flat.stops, flat.relaxed[flat.slots[slot, PROFILE]]
    route, size, slack = tour.route[slot], tour.size[slot], tour.slack[slot]
    node, limit = flat.slots[slot, END], flat.slots[slot, SHIFT_END]
    slack[size] = limit
    for k in range(size - 1, -1, -1):
        stop = route[k]
        way_s = table[stops[stop, NODE], node] if node >= 0 else 0
        limit = min(stops[stop, LATEST], limit - way_s - stops[stop, SERVICE])
        slack[k] = limit
        node = stops[stop, NODE]


@kernel
def total(flat: Flat, tour: Tour) -> float:
    """Price of all routes, and of every request that is in none."""
    price = tour.cost.sum()
    for request in range(len(flat.requests)):
        if tour.slot_of[flat.requests[request, 0]] < 0:
            price += flat.prices[request, 1]
    return price
