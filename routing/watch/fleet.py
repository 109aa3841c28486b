"""How many vehicles a watch takes: how few any plan could do with, and those of our plan."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.watch.rings import Looks, Ring, Times, checked_cost, rings, worst_idle_s

SLACK_S = 1e-6
"""By so much a revisit time may be missed."""


@dataclass(frozen=True, slots=True)
class WatchFleet:
    """What a revisit time takes.

    Args:
        least: with fewer no plan can hold it, whoever makes it.
        enough: with so many ``plan`` holds it; one fewer was not found to do.
    """

    least: int
    enough: int
    plan: tuple[Ring, ...]


def lower_bound_s(times_s: Times, look_s: Looks, vehicles: int) -> float:
    """A worst idleness that no plan of any kind is below. The greater one of two bounds.

    - In any stretch as long as the worst idleness every point is seen, by ``vehicles`` ways that
      together are no shorter than the spanning tree of shortest times without its
      ``vehicles - 1`` longest edges.
    - Each visit takes at least the time from the nearest other point, unless a vehicle stays.

    Raises:
        Unreachable, ValueError: as in `routing.watch.rings.rings`.
    """
    if vehicles < 1:
        raise ValueError(f"watching needs at least 1 vehicle, not {vehicles}")
    return _Bounds(checked_cost(times_s, look_s), look_s).least_s(vehicles)


def fewest_vehicles(
    times_s: Times, look_s: Looks, revisit_s: float, *, rounds: int, seed: int = 0
) -> WatchFleet:
    """How many vehicles see every point again within ``revisit_s``.

    Args:
        rounds: of each search; there are about as many searches as the number has binary digits.

    Raises:
        Unreachable: as in `routing.watch.rings.rings`.
        ValueError: as well; or no number of vehicles can hold the revisit time, because it is not
            more than 0 s, or shorter than a look.
    """
    if not revisit_s > 0.0:
        raise ValueError(f"a revisit time is more than 0 s, not {revisit_s:g}")
    cost_s = checked_cost(times_s, look_s)
    if (longest_s := max(look_s)) > revisit_s:
        raise ValueError(
            f"a look takes {longest_s:g} s, so nothing is seen again within {revisit_s:g} s; "
            "ask for a longer revisit time or a shorter look"
        )
    bounds, most = _Bounds(cost_s, look_s), len(cost_s)
    least = next(k for k in range(1, most + 1) if bounds.least_s(k) <= revisit_s + SLACK_S)

    def plan_with(vehicles: int) -> tuple[Ring, ...]:
        return rings(times_s, look_s, vehicles, rounds=rounds, seed=seed)

    (tour,) = plan_with(1)
    enough = max(1, min(most, math.ceil((tour.round_s - SLACK_S) / revisit_s)))
    plan = _sure(tour, enough, revisit_s, cost_s)
    too_few = least - 1
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        found = plan_with(middle)
        if worst_idle_s(found) <= revisit_s + SLACK_S:
            enough, plan = middle, found
        else:
            too_few = middle
    return WatchFleet(least=least, enough=enough, plan=plan)


def _sure(
    tour: Ring, vehicles: int, revisit_s: float, cost_s: NDArray[np.float64]
) -> tuple[Ring, ...]:
    """All on one tour, or, where they are as many as points, each at one of its own."""
    if tour.round_s / vehicles <= revisit_s + SLACK_S:
        return (Ring(points=tour.points, vehicles=vehicles, round_s=tour.round_s),)
    return tuple(
        Ring(points=(p,), vehicles=1, round_s=float(cost_s[p, p])) for p in range(vehicles)
    )


class _Bounds:
    """Both bounds for any number of vehicles."""

    def __init__(self, cost_s: NDArray[np.float64], look_s: Looks) -> None:
        looks = np.asarray(look_s, dtype=np.float64)
        ways = cost_s - looks[None, :]
        between = np.minimum(ways, ways.T) + np.minimum(looks[:, None], looks[None, :])
        self._tree_s = _spanning_tree_s(between)
        coming = cost_s.copy()
        np.fill_diagonal(coming, np.inf)
        self._coming_s = sorted(coming.min(axis=0).tolist(), reverse=True)

    def least_s(self, vehicles: int) -> float:
        points = len(self._coming_s)
        if vehicles >= points:
            return 0.0
        tree_s = sum(self._tree_s[: points - vehicles]) / vehicles
        visits_s = min(sum(self._coming_s[stay:]) / (vehicles - stay) for stay in range(vehicles))
        return max(tree_s, visits_s)


def _spanning_tree_s(between_s: NDArray[np.float64]) -> Sequence[float]:
    """The edges of a minimum spanning tree, the shortest first. Source: Prim's algorithm."""
    far = between_s[0].copy()
    open_ = np.ones(len(far), dtype=bool)
    open_[0] = False
    edges: list[float] = []
    while open_.any():
        nearest = int(np.where(open_, far, np.inf).argmin())
        edges.append(float(far[nearest]))
        open_[nearest] = False
        far = np.minimum(far, between_s[nearest])
    return sorted(edges)
