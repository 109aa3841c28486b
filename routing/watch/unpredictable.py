"""Patrols that nobody can foretell and that are never late all the same.

One vehicle goes on to a random point, but only to one from where some rotation of a fixed tour
still sees every point before its revisit time is over: that rotation is the certificate. One point
is always allowed, the certificate's own next one.

The more time, the more choices: one tour leaves none, `FREE` tours nearly all of a random walk's.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from routing.watch.rings import Looks, Times, checked_cost

FREE = 2.0
"""A revisit time, in tours, that one lap along the certificate makes free again."""
SLACK_S = 1e-6
"""By so much a revisit time may be missed, for numbers that are not exact."""

Real = NDArray[np.float64]


class Unkept(ValueError):
    """No rotation of the tour keeps the revisit time any more; the caller asks for a longer one."""


@dataclass(frozen=True, slots=True, eq=False)
class Wander:
    """What a random patrol needs to know of its points; make it with `wander`.

    Args:
        cost_s: (n, n) from point to point with the look at the second.
        offset_s: (n, n) from the first point of each rotation to each point, along the tour.
        whole: (n, n) whether one may come from a point to a rotation and see it again in time.
        near_s: a way so long is taken 1 / e times as often as none.
    """

    cost_s: Real
    tour: tuple[int, ...]
    revisit_s: float
    offset_s: Real
    whole: NDArray[np.bool_]
    near_s: float


def wander(times_s: Times, look_s: Looks, tour: Sequence[int], revisit_s: float) -> Wander:
    """A random patrol of all points, certified by a tour.

    Args:
        tour: each point once; how `routing.watch.rings.rings` finds one.

    Raises:
        Unreachable, ValueError: as in `routing.watch.rings.rings`; or the tour does not hold every
            point once.
        Unkept: even the tour alone takes longer than the revisit time.
    """
    cost_s = checked_cost(times_s, look_s)
    points = len(cost_s)
    if sorted(tour) != list(range(points)):
        raise ValueError(f"a tour holds each of {points} points once, not {list(tour)}")
    steps = [cost_s[a, b] for a, b in pairwise((*tour, tour[0]))]
    round_s, at_s = float(sum(steps)), np.array([0.0, *accumulate(steps[:-1])])
    if round_s > revisit_s + SLACK_S:
        raise Unkept(
            f"the tour takes {round_s:.0f} s, so points can't be seen again within "
            f"{revisit_s:.0f} s; allow {FREE:g} times the tour, {FREE * round_s:.0f} s"
        )
    offset_s = np.empty((points, points))
    offset_s[:, list(tour)] = (at_s[None, :] - at_s[:, None]) % round_s if round_s else 0.0
    whole: NDArray[np.bool_] = cost_s[:, list(tour)] + offset_s.T <= revisit_s + SLACK_S
    others = cost_s[~np.eye(points, dtype=bool)]
    near_s = float(np.median(others)) / 2 if others.size else 1.0
    return Wander(cost_s, tuple(tour), revisit_s, offset_s, whole, max(near_s, SLACK_S))


def as_if_on_tour(plan: Wander, now_s: float = 0.0) -> tuple[int, Real]:
    """Where a vehicle is that went round the tour until now, and when each point was last seen."""
    here = plan.tour[0]
    round_s = plan.offset_s[0, plan.tour[-1]] + plan.cost_s[plan.tour[-1], here]
    seen_s = now_s - round_s + plan.offset_s[0]
    seen_s[here] = now_s
    return here, seen_s


def allowed(plan: Wander, here: int, seen_s: Real, now_s: float) -> NDArray[np.bool_]:
    """Which points may come next.

    Args:
        here: the point at which the vehicle is.
        seen_s: (n) when each point was last seen.

    Returns:
        (n) never all false, if the last point was allowed.
    """
    due_s = seen_s + plan.revisit_s
    left_s = due_s[None, :] - plan.offset_s
    tightest = left_s.argmin(axis=1)
    rows = np.arange(len(tightest))
    least_s = left_s[rows, tightest]
    left_s[rows, tightest] = np.inf
    other_s = left_s.min(axis=1)
    arrive_s = now_s + plan.cost_s[here]
    without = np.where(tightest[None, :] == rows[:, None], other_s[None, :], least_s[None, :])
    begin_s = arrive_s[:, None] + plan.cost_s[:, list(plan.tour)]
    kept = (begin_s <= without + SLACK_S) & plan.whole
    found: NDArray[np.bool_] = kept.any(axis=1) & (arrive_s <= due_s + SLACK_S)
    found[here] = len(found) == 1
    return found


def next_point(plan: Wander, here: int, seen_s: Real, now_s: float, chance: random.Random) -> int:
    """A random point of those allowed, near ones more often.

    Raises:
        Unkept: none is allowed, because the vehicle was later than planned; go on with
            `most_urgent` and tell a person.
    """
    free = allowed(plan, here, seen_s, now_s)
    if not free.any():
        raise Unkept(f"no point keeps the revisit time of {plan.revisit_s:.0f} s any more")
    weights = np.where(free, np.exp(-plan.cost_s[here] / plan.near_s), 0.0)
    sums = list(accumulate(np.maximum(weights, 1e-300 * free).tolist()))
    return min(bisect_right(sums, chance.random() * sums[-1]), len(sums) - 1)


def most_urgent(plan: Wander, here: int, seen_s: Real, now_s: float) -> int:
    """Where to go when nothing is allowed: the start of the rotation that is late by the least."""
    begin_s = now_s + plan.cost_s[here, list(plan.tour)]
    late_s = begin_s[:, None] + plan.offset_s - (seen_s + plan.revisit_s)[None, :]
    start = int(late_s.max(axis=1).argmin())
    return plan.tour[start] if plan.tour[start] != here else plan.tour[start + 1 - len(plan.tour)]


def visits(plan: Wander, chance: random.Random) -> Iterator[tuple[float, int]]:
    """Moments and points of a patrol without end, from 0 s at the tour's first point on.

    Points that are passed on the way are not told, nor does the patrol count on them.
    """
    (here, seen_s), now_s = as_if_on_tour(plan), 0.0
    while True:
        yield now_s, here
        goal = next_point(plan, here, seen_s, now_s, chance)
        now_s += float(plan.cost_s[here, goal])
        seen_s[goal] = now_s
        here = goal
