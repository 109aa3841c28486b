"""The search itself: ruin, recreate, accept or go back, cooling all the while."""

import math
from typing import NamedTuple

import numpy as np

from routing.search.board import Board, Route
from routing.search.compiled import copy, kernel, leaf
from routing.search.dice import below, make_dice, uniform
from routing.search.exchange import exchange
from routing.search.flat import COUNT, DROP, FIRST, Flat, Real, Whole
from routing.search.place import place_anywhere, put
from routing.search.refresh import refresh
from routing.search.ruin import put_in_order, ruin, take_out
from routing.search.spot import Spot
from routing.search.tour import Tour

MOST_ABSENT = 10
"""How many of the requests in no route are tried again in one round, drawn by chance."""

AIMED = 4
"""All but one of so many rounds tear routes around a request that has to go in."""


class Search(NamedTuple):
    """All that a search holds between two calls.

    back (V, L): touched routes as they were; back_cost (V); marks (V, 4): see below; best (V, L):
    the best routes so far; price (2): of the current and the best ones; absent, out (R), one,
    other (L): requests in no route, requests taken out, two routes on trial; counts (4): see
    below; near (S, K): neighbours of each stop.
    """

    tour: Tour
    spot: Spot
    dice: Whole
    near: Whole
    after: Whole
    back: Whole
    back_cost: Real
    marks: Whole
    best: Whole
    price: Real
    absent: Whole
    out: Whole
    one: Whole
    other: Whole
    counts: Whole


# columns of Search.marks: changed in this round, since the best was kept; sizes of back and best
TOUCHED, STALE, BACK_SIZE, BEST_SIZE = range(4)
# entries of Search.counts: requests in no route, rounds made, requests that the last round left
# out, whether they go in at any price
ABSENT, ROUNDS, LEFT, FORCED = range(4)


def make_search(board: Board, seed: int) -> Search:
    """A search that goes on from the routes on the board."""
    board.find_clashes()
    flat, tour = board.flat, board.tour
    slots, longest = len(flat.slots), len(flat.stops)
    placed = board.placed()
    absent = [n for n in range(len(flat.requests)) if n not in placed]
    marks = np.zeros((slots, 4), dtype=np.int64)
    marks[:, STALE] = 1
    search = Search(
        tour=tour,
        spot=board.spot,
        dice=make_dice(seed),
        near=board.near,
        after=board.after,
        back=np.zeros((slots, longest + 1), dtype=np.int64),
        back_cost=np.zeros(slots),
        marks=marks,
        best=np.zeros((slots, longest + 1), dtype=np.int64),
        price=np.full(2, board.price()),
        absent=np.array(absent + [0] * (len(flat.requests) + 1 - len(absent)), dtype=np.int64),
        out=np.zeros(2 * len(flat.requests) + 1, dtype=np.int64),
        one=np.zeros(longest + 2, dtype=np.int64),
        other=np.zeros(longest + 2, dtype=np.int64),
        counts=np.array([len(absent), 0, 0, 0], dtype=np.int64),
    )
    keep_best(search)
    return search


def best_of(search: Search) -> list[Route]:
    """The best routes so far."""
    return [
        search.best[slot, : search.marks[slot, BEST_SIZE]].tolist()
        for slot in range(len(search.best))
    ]


@kernel
def anneal(flat: Flat, search: Search, rounds: int, hot: float, cold: float, trades: int) -> None:
    """So many rounds, cooling from one temperature to another evenly in the logarithm."""
    price = search.price
    for n in range(rounds):
        heat = hot * (cold / hot) ** (n / rounds)
        one_round(flat, search, price[0] - heat * math.log(uniform(search.dice)))
        for _ in range(trades):
            _trade(flat, search, -heat * math.log(uniform(search.dice)))
    search.counts[ROUNDS] += rounds


@kernel
def squeeze(
    flat: Flat, search: Search, absences: Real, rounds: int, heat: float, weight: float
) -> None:
    """Rounds that end when everything is in some route; who is left out weighs more each time."""
    counts = search.counts
    counts[FORCED] = 1
    for _ in range(rounds):
        one_round(flat, search, search.price[0] - heat * math.log(uniform(search.dice)))
        if counts[ABSENT] == 0:
            break
        for n in range(counts[LEFT]):
            absences[search.out[n]] += 1
            flat.prices[search.out[n], DROP] += weight
        for n in range(counts[ABSENT]):
            for k in range(counts[LEFT]):
                if search.out[k] == search.absent[n]:
                    search.price[0] += weight
    counts[ROUNDS] += rounds
    counts[FORCED] = 0


@leaf
def _trade(flat: Flat, search: Search, limit: float) -> None:
    """One exchange of segments, if it raises the price by less than ``limit``."""
    one, other = search.one, search.other
    change = exchange(flat, search.tour, search.after, search.dice, one, other, limit)
    for slot in (one[-1], other[-1]):
        if slot >= 0:
            search.marks[slot, STALE] = 1
    if change != 0.0:
        search.price[0] += change
        if search.price[0] < search.price[1] - 1e-6:
            keep_best(search)


@kernel
def one_round(flat: Flat, search: Search, limit: float) -> None:
    """Ruin and recreate; go back unless the price is below ``limit``."""
    tour, out, absent, counts = search.tour, search.out, search.absent, search.counts
    seed = _seed(flat, search)
    many = ruin(flat, tour, search.near, seed, search.dice, out, search.marks)
    for slot in range(len(tour.size)):
        if search.marks[slot, TOUCHED]:
            _save(search, slot)
    take_out(flat, tour, out, many)
    for slot in range(len(tour.size)):
        if search.marks[slot, TOUCHED]:
            refresh(flat, tour, slot)
    tried = min(counts[ABSENT], MOST_ABSENT)
    for n in range(tried):
        k = n + below(search.dice, counts[ABSENT] - n)
        absent[n], absent[k] = absent[k], absent[n]
        out[many + n] = absent[n]
    gain = _change(search)
    for n in range(tried):
        gain -= flat.prices[absent[n], DROP]
    many += tried
    put_in_order(flat, out, many, search.dice)
    left = _recreate(flat, search, many, limit - search.price[0] - gain)
    counts[LEFT] = abs(left)
    change = np.inf
    if left >= 0:
        change = _change(search)
        for n in range(tried):
            change -= flat.prices[absent[n], DROP]
        for n in range(left):
            change += flat.prices[out[n], DROP]
    if search.price[0] + change < limit:
        search.price[0] += change
        _note_absent(search, tried, left)
        for slot in range(len(tour.size)):
            search.marks[slot, STALE] |= search.marks[slot, TOUCHED]
        if search.price[0] < search.price[1] - 1e-6:
            keep_best(search)
    else:
        _go_back(flat, search)
    for slot in range(len(tour.size)):
        search.marks[slot, TOUCHED] = 0


@leaf
def _change(search: Search) -> float:
    """By how much the touched routes are dearer than they were."""
    change = 0.0
    for slot in range(len(search.tour.size)):
        if search.marks[slot, TOUCHED]:
            change += search.tour.cost[slot] - search.back_cost[slot]
    return change


@kernel
def _recreate(flat: Flat, search: Search, many: int, room: float) -> int:
    """Put the first ``many`` requests of ``out`` where they cost least.

    Args:
        room: what all of it may cost; no place makes another one cheaper, so there is no point in
            going on behind that.

    Returns:
        How many are left out, which are the first ones of ``out`` then; negative = it would cost
        more than ``room``, and the last one of so many is why.
    """
    tour, spot, out, counts = search.tour, search.spot, search.out, search.counts
    left = int(np.int64(0))
    for n in range(many):
        request, drop = out[n], flat.prices[out[n], DROP]
        spot.extra[0], spot.at[0] = np.inf if counts[FORCED] else min(room, drop), -1
        place_anywhere(flat, tour, request, spot, search.dice)
        slot = spot.at[0]
        if slot < 0:
            out[left] = request
            left += 1
            room -= drop
            if room <= 0:
                return -left
            continue
        if spot.extra[0] >= room:
            out[left] = request
            return -left - 1
        if not search.marks[slot, TOUCHED]:
            search.marks[slot, TOUCHED] = 1
            _save(search, slot)
        room -= spot.extra[0]
        put(flat, tour, request, spot)
    return left


@leaf
def _seed(flat: Flat, search: Search) -> int:
    """The stop around which routes are torn: any, or one of a request that has to go in."""
    counts, dice = search.counts, search.dice
    if counts[FORCED] and counts[ABSENT] > 0 and below(dice, AIMED) > 0:
        request = search.absent[below(dice, counts[ABSENT])]
        return int(flat.requests[request, FIRST] + below(dice, flat.requests[request, COUNT]))
    return below(dice, len(flat.stops))


@kernel
def _note_absent(search: Search, tried: int, left: int) -> None:
    """The first ``tried`` absent requests have been tried; the first ``left`` of out are absent."""
    absent, out, counts = search.absent, search.out, search.counts
    rest = counts[ABSENT] - tried
    if left <= tried:
        for n in range(rest):
            absent[left + n] = absent[tried + n]
    else:
        for n in range(rest - 1, -1, -1):
            absent[left + n] = absent[tried + n]
    for n in range(left):
        absent[n] = out[n]
    counts[ABSENT] = left + rest


@leaf
def _save(search: Search, slot: int) -> None:
    size = search.tour.size[slot]
    search.marks[slot, BACK_SIZE] = size
    search.back_cost[slot] = search.tour.cost[slot]
    copy(search.back[slot], search.tour.route[slot], size)


@kernel
def _go_back(flat: Flat, search: Search) -> None:
    tour = search.tour
    for slot in range(len(tour.size)):
        if search.marks[slot, TOUCHED]:
            for k in range(tour.size[slot]):
                tour.slot_of[tour.route[slot, k]] = -1
    for slot in range(len(tour.size)):
        if search.marks[slot, TOUCHED]:
            size = search.marks[slot, BACK_SIZE]
            tour.size[slot] = size
            copy(tour.route[slot], search.back[slot], size)
            refresh(flat, tour, slot)


@kernel
def keep_best(search: Search) -> None:
    """The current routes are the best so far."""
    tour = search.tour
    search.price[1] = search.price[0]
    for slot in range(len(tour.size)):
        if search.marks[slot, STALE]:
            size = tour.size[slot]
            search.marks[slot, BEST_SIZE] = size
            copy(search.best[slot], tour.route[slot], size)
            search.marks[slot, STALE] = 0
