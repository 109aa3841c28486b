"""Rings by simulated annealing: one kernel for tours, groups and vehicles at once.

A target for the worst idleness is set a little below the best known; what counts is by how much
rings miss it, and a little their whole length, which makes room. So a ring that is no bottleneck
is short for the sake of others, and the bottleneck itself is pulled at from all sides.

All kernels are in this file, because numba looks only at a function's own file for changes.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routing.search.compiled import kernel, leaf
from routing.search.dice import below, make_dice, uniform
from routing.search.flat import Whole

NEAR = 12
"""So many neighbours of a point may come to stand beside it."""
FAR = 32
"""One of so many changes is about two points anywhere."""
ROOM = 8
"""A millisecond of length costs one such part of a millisecond over the target."""

# entries of Walk.marks: worst idleness aimed at and best known, in ms; by which part of itself the
# target is below the best; rings in use; whether each vehicle keeps a ring of its own
TARGET, BEST, LOWER, RINGS, ALONE = range(5)

Laid = tuple[list[int], int]
"""A ring: its points in their order, and its vehicles."""


class Walk(NamedTuple):
    """All that a search holds between two calls; times in ms.

    cost (n, n): from point to point, with the look at the second; the diagonal is the look alone.
    near (n, m): neighbours. order (k, n): points of each ring; size, cars, length (k). ring, place
    (n): where each point is. work (n): scratch. best (k, n), best_size, best_cars (k): the rings
    with the least worst idleness so far. dice, marks: see `make_dice` and above.
    """

    cost: Whole
    near: Whole
    order: Whole
    size: Whole
    cars: Whole
    length: Whole
    ring: Whole
    place: Whole
    work: Whole
    best: Whole
    best_size: Whole
    best_cars: Whole
    dice: Whole
    marks: Whole


def make_walk(cost: Whole, vehicles: int, seed: int, *, alone: bool = False) -> Walk:
    """An empty search; `lay` rings before it is used.

    Args:
        cost: (n, n), n >= 1.
        vehicles: >= 1.
        alone: never join, split or lend: rings keep the vehicles that they were laid with.
    """
    n = len(cost)
    most = min(n, vehicles)
    apart = np.minimum(cost, cost.T)
    np.fill_diagonal(apart, np.iinfo(np.int64).max)
    near = np.argsort(apart, axis=1, kind="stable")[:, : max(1, min(NEAR, n - 1))]
    return Walk(
        cost=np.ascontiguousarray(cost),
        near=np.ascontiguousarray(near),
        order=np.zeros((most, n), dtype=np.int64),
        size=np.zeros(most, dtype=np.int64),
        cars=np.zeros(most, dtype=np.int64),
        length=np.zeros(most, dtype=np.int64),
        ring=np.zeros(n, dtype=np.int64),
        place=np.zeros(n, dtype=np.int64),
        work=np.zeros(n, dtype=np.int64),
        best=np.zeros((most, n), dtype=np.int64),
        best_size=np.zeros(most, dtype=np.int64),
        best_cars=np.zeros(most, dtype=np.int64),
        dice=make_dice(seed),
        marks=np.array([0, np.iinfo(np.int64).max, 1, 0, alone], dtype=np.int64),
    )


def lay(walk: Walk, rings: Sequence[Laid], lower: int) -> None:
    """Go on from these rings (points in their order, vehicles).

    Args:
        lower: the target is the best known idleness less one such part of it.
    """
    walk.marks[LOWER] = lower
    for r, (points, cars) in enumerate(rings):
        walk.order[r, : len(points)] = points
        walk.size[r], walk.cars[r] = len(points), cars
    walk.marks[RINGS] = len(rings)
    settle(walk)
    walk.marks[TARGET] = walk.marks[BEST] - 1 - walk.marks[BEST] // lower


def best_of(walk: Walk) -> list[Laid]:
    """The rings with the least worst idleness so far."""
    return [
        (walk.best[r, :size].tolist(), int(walk.best_cars[r]))
        for r, size in enumerate(walk.best_size.tolist())
        if size
    ]


@kernel
def settle(walk: Walk) -> None:
    """Know again what follows from ``order``, ``size`` and ``cars`` of the first RINGS rings."""
    for r in range(walk.marks[RINGS]):
        _index(walk, r)
        walk.length[r] = 0
        before = walk.order[r, walk.size[r] - 1]
        for k in range(walk.size[r]):
            walk.length[r] += walk.cost[before, walk.order[r, k]]
            before = walk.order[r, k]
    _look(walk)


@kernel
def anneal(walk: Walk, rounds: int, heat: float) -> None:
    """So many changes tried at one temperature, in ms."""
    n, m = walk.near.shape
    alone = walk.marks[ALONE] == 1
    for _ in range(rounds):
        limit = int(-heat * math.log(uniform(walk.dice)))
        p = below(walk.dice, n)
        far = below(walk.dice, FAR) == 0
        q = below(walk.dice, n) if far else walk.near[p, below(walk.dice, m)]
        kind = below(walk.dice, 100)
        if p == q or (kind < 8 and alone):
            changed = False
        elif kind < 3:
            changed = _hand_over(walk, limit)
        elif walk.ring[p] == walk.ring[q]:
            if kind < 8:
                changed = _split(walk, p, q, limit)
            elif kind < 45:
                changed = _turn(walk, p, q, limit)
            else:
                changed = _shift(walk, p, q, limit)
        elif kind < 8:
            changed = _merge(walk, p, q, limit)
        elif kind < 40:
            changed = _swap(walk, p, q, limit)
        else:
            changed = _move(walk, p, q, limit)
        if changed:
            _look(walk)


# --- what counts


@leaf
def _price(walk: Walk, length: int, cars: int) -> int:
    """What a ring costs: its excess over the target, and a part of its length."""
    return ROOM * max(0, length - cars * walk.marks[TARGET]) + length


@leaf
def _priced(walk: Walk, r: int) -> int:
    return _price(walk, walk.length[r], walk.cars[r])


@leaf
def _look(walk: Walk) -> None:
    """Keep these rings if they are better than the best, and aim lower."""
    worst = 0
    for r in range(walk.marks[RINGS]):
        worst = max(worst, -(-walk.length[r] // walk.cars[r]))
    if worst < walk.marks[BEST]:
        walk.marks[BEST] = worst
        walk.marks[TARGET] = worst - 1 - worst // walk.marks[LOWER]
        for r in range(len(walk.size)):
            walk.best_size[r] = walk.size[r] if r < walk.marks[RINGS] else 0
            walk.best_cars[r] = walk.cars[r]
            for k in range(walk.best_size[r]):
                walk.best[r, k] = walk.order[r, k]


# --- moves; each is made if the price rises by at most ``limit``


@leaf
def _hand_over(walk: Walk, limit: int) -> bool:
    """One vehicle from a ring to another."""
    rings = walk.marks[RINGS]
    a, b = below(walk.dice, rings), below(walk.dice, rings)
    if a == b or walk.cars[a] < 2:
        return False
    new = _price(walk, walk.length[a], walk.cars[a] - 1)
    new += _price(walk, walk.length[b], walk.cars[b] + 1)
    if new - _priced(walk, a) - _priced(walk, b) > limit:
        return False
    walk.cars[a] -= 1
    walk.cars[b] += 1
    return True


@leaf
def _split(walk: Walk, p: int, q: int, limit: int) -> bool:
    """From p straight to q: what is between them becomes a ring of its own."""
    cost, a, new = walk.cost, int(walk.ring[p]), int(walk.marks[RINGS])
    size, cars = int(walk.size[a]), int(walk.cars[a])
    between = (walk.place[q] - walk.place[p] - 1) % size
    if cars < 2 or new == len(walk.size) or between == 0:
        return False
    first, last = _after(walk, p, 1), _after(walk, q, -1)
    apart = _along(walk, first, between) + cost[last, first]
    rest = walk.length[a] - _along(walk, first, between)
    rest += cost[p, q] - cost[p, first] - cost[last, q]
    share = min(cars - 1, max(1, int(cars * apart / max(1, apart + rest) + uniform(walk.dice))))
    change = _price(walk, rest, cars - share) + _price(walk, apart, share)
    if change - _priced(walk, a) > limit:
        return False
    _lift(walk, a, walk.place[first], between)
    for k in range(between):
        walk.order[new, k] = walk.work[k]
    walk.size[new], walk.cars[new], walk.length[new] = between, share, apart
    walk.cars[a], walk.length[a] = cars - share, rest
    walk.marks[RINGS] += 1
    _index(walk, new)
    return True


@leaf
def _merge(walk: Walk, p: int, q: int, limit: int) -> bool:
    """From p straight to q, all round q's ring, and on with p's."""
    cost, a, b = walk.cost, int(walk.ring[p]), int(walk.ring[q])
    after, before = _after(walk, p, 1), _after(walk, q, -1)
    length = walk.length[a] + walk.length[b] + cost[p, q] + cost[before, after]
    length -= cost[p, after] + cost[before, q]
    cars = walk.cars[a] + walk.cars[b]
    if _price(walk, length, cars) - _priced(walk, a) - _priced(walk, b) > limit:
        return False
    size, start = walk.size[b], walk.place[q]
    for k in range(size):
        walk.work[k] = walk.order[b, (start + k) % size]
    _drop(walk, a, walk.place[p] + 1, size, False)
    walk.length[a], walk.cars[a] = length, cars
    last = walk.marks[RINGS] - 1
    walk.marks[RINGS] = last
    if b != last:
        walk.size[b], walk.cars[b] = walk.size[last], walk.cars[last]
        walk.length[b] = walk.length[last]
        for k in range(walk.size[b]):
            walk.order[b, k] = walk.order[last, k]
        _index(walk, b)
    return True


@leaf
def _turn(walk: Walk, p: int, q: int, limit: int) -> bool:
    """2-opt: the way from behind p to q the other way round."""
    cost, a = walk.cost, int(walk.ring[p])
    size = int(walk.size[a])
    many = (walk.place[q] - walk.place[p]) % size
    if many < 2 or many > size - 2:
        return False
    start = (walk.place[p] + 1) % size
    first, end = walk.order[a, start], _after(walk, q, 1)
    change = cost[p, q] + cost[first, end] - cost[p, first] - cost[q, end]
    for k in range(many - 1):
        one, two = walk.order[a, (start + k) % size], walk.order[a, (start + k + 1) % size]
        change += cost[two, one] - cost[one, two]
    if _price(walk, walk.length[a] + change, walk.cars[a]) - _priced(walk, a) > limit:
        return False
    for k in range(many // 2):
        i, j = (start + k) % size, (start + many - 1 - k) % size
        one, two = walk.order[a, i], walk.order[a, j]
        walk.order[a, i], walk.order[a, j] = two, one
        walk.place[two], walk.place[one] = i, j
    walk.length[a] += change
    return True


@leaf
def _shift(walk: Walk, p: int, q: int, limit: int) -> bool:
    """Or-opt: some points that begin or end with p, elsewhere in their ring, next to q."""
    cost, a = walk.cost, int(walk.ring[p])
    size = int(walk.size[a])
    many = _many(walk, size - 1)
    flip, behind = below(walk.dice, 2) == 1, below(walk.dice, 2) == 1
    start = walk.place[p] if flip != behind else (walk.place[p] - many + 1) % size
    if (walk.place[q] - start) % size < many or many == size - 1:
        return False
    first, last = int(walk.order[a, start]), int(walk.order[a, (start + many - 1) % size])
    before, after = _after(walk, first, -1), _after(walk, last, 1)
    left = q if behind else _after(walk, q, -1)
    right = _after(walk, q, 1) if behind else q
    if left == last or right == first:
        return False
    change = cost[before, after] - cost[before, first] - cost[last, after] - cost[left, right]
    change += _joined(walk, left, first, last, right, many, flip)
    if _price(walk, walk.length[a] + change, walk.cars[a]) - _priced(walk, a) > limit:
        return False
    _lift(walk, a, start, many)
    _drop(walk, a, walk.place[left] + 1, many, flip)
    walk.length[a] += change
    return True


@leaf
def _move(walk: Walk, p: int, q: int, limit: int) -> bool:
    """Some points that begin or end with p to another ring, next to q."""
    cost, a, b = walk.cost, int(walk.ring[p]), int(walk.ring[q])
    size = int(walk.size[a])
    if size < 2:
        return False
    many = _many(walk, size - 1)
    flip, behind = below(walk.dice, 2) == 1, below(walk.dice, 2) == 1
    start = walk.place[p] if flip != behind else (walk.place[p] - many + 1) % size
    first, last = int(walk.order[a, start]), int(walk.order[a, (start + many - 1) % size])
    before, after = _after(walk, first, -1), _after(walk, last, 1)
    left = q if behind else _after(walk, q, -1)
    right = _after(walk, q, 1) if behind else q
    less = cost[before, after] - cost[before, first] - cost[last, after]
    less -= _along(walk, first, many)
    more = _joined(walk, left, first, last, right, many, flip) - cost[left, right]
    more += _along(walk, first, many)
    change = _price(walk, walk.length[a] + less, walk.cars[a]) - _priced(walk, a)
    change += _price(walk, walk.length[b] + more, walk.cars[b]) - _priced(walk, b)
    if change > limit:
        return False
    _lift(walk, a, start, many)
    _drop(walk, b, walk.place[left] + 1, many, flip)
    walk.length[a] += less
    walk.length[b] += more
    return True


@leaf
def _swap(walk: Walk, p: int, q: int, limit: int) -> bool:
    """p to another ring, in the place of the point before or behind q, and that into p's place."""
    a, b = int(walk.ring[p]), int(walk.ring[q])
    other = _after(walk, q, 1 if below(walk.dice, 2) == 1 else -1)
    less = _instead(walk, p, other)
    more = _instead(walk, other, p)
    change = _price(walk, walk.length[a] + less, walk.cars[a]) - _priced(walk, a)
    change += _price(walk, walk.length[b] + more, walk.cars[b]) - _priced(walk, b)
    if change > limit:
        return False
    i, j = walk.place[p], walk.place[other]
    walk.order[a, i], walk.order[b, j] = other, p
    walk.ring[other], walk.place[other] = a, i
    walk.ring[p], walk.place[p] = b, j
    walk.length[a] += less
    walk.length[b] += more
    return True


# --- parts of moves


@leaf
def _many(walk: Walk, most: int) -> int:
    """How many points go together: one to three as a rule, now and then up to ``most``."""
    few = 1 + below(walk.dice, 3)
    if below(walk.dice, 8) == 0:
        few = 1 + below(walk.dice, max(1, most))
    return min(few, most)


@leaf
def _after(walk: Walk, p: int, steps: int) -> int:
    a = int(walk.ring[p])
    return int(walk.order[a, (walk.place[p] + steps) % walk.size[a]])


@leaf
def _along(walk: Walk, first: int, many: int) -> int:
    """The way through ``many`` points from ``first`` on."""
    a = int(walk.ring[first])
    size, start, way = int(walk.size[a]), int(walk.place[first]), 0
    for k in range(many - 1):
        one, two = walk.order[a, (start + k) % size], walk.order[a, (start + k + 1) % size]
        way += int(walk.cost[one, two])
    return way


@leaf
def _joined(walk: Walk, left: int, first: int, last: int, right: int, many: int, flip: bool) -> int:
    """The ways to and from points put between two others, and what turning them costs."""
    cost = walk.cost
    if not flip:
        return cost[left, first] + cost[last, right]
    a, more = int(walk.ring[first]), cost[left, last] + cost[first, right]
    size, start = walk.size[a], walk.place[first]
    for k in range(many - 1):
        one = walk.order[a, (start + k) % size]
        two = walk.order[a, (start + k + 1) % size]
        more += cost[two, one] - cost[one, two]
    return more


@leaf
def _instead(walk: Walk, old: int, new: int) -> int:
    """By how much a ring is longer with another point in a point's place."""
    cost, a = walk.cost, int(walk.ring[old])
    if walk.size[a] == 1:
        return cost[new, new] - cost[old, old]
    before, after = _after(walk, old, -1), _after(walk, old, 1)
    return cost[before, new] + cost[new, after] - cost[before, old] - cost[old, after]


@leaf
def _lift(walk: Walk, a: int, start: int, many: int) -> None:
    """Take points out of a ring, into ``work``; what is left begins behind them."""
    size = int(walk.size[a])
    for k in range(size):
        walk.work[k] = walk.order[a, (start + k) % size]
    for k in range(size - many):
        walk.order[a, k] = walk.work[many + k]
    walk.size[a] = size - many
    _index(walk, a)


@leaf
def _drop(walk: Walk, b: int, spot: int, many: int, flip: bool) -> None:
    """Put the first points of ``work`` into a ring, before the one at ``spot``."""
    size = int(walk.size[b])
    for k in range(size - 1, spot - 1, -1):
        walk.order[b, k + many] = walk.order[b, k]
    for k in range(many):
        walk.order[b, spot + k] = walk.work[many - 1 - k if flip else k]
    walk.size[b] = size + many
    _index(walk, b)


@leaf
def _index(walk: Walk, a: int) -> None:
    for k in range(walk.size[a]):
        walk.ring[walk.order[a, k]] = a
        walk.place[walk.order[a, k]] = k
