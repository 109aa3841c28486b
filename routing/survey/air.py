"""How long it takes to fly from each spot to each other, around what may not be entered."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from routing.air.airspace import bends
from routing.survey.case import Flight, Seconds, Spot

CLEAR_M = 0.2
"""Ways around a corner keep so far off it."""
_INSIDE_M = 0.05


class Air:
    """Where drones may fly, and the quickest ways there.

    Args:
        fence: not to be left.
        no_fly: not to be entered.
    """

    def __init__(self, fence: BaseGeometry, no_fly: BaseGeometry, flight: Flight) -> None:
        self._flight = flight
        wide = no_fly.buffer(CLEAR_M, join_style="mitre", mitre_limit=2.0)
        self.free = fence.buffer(-CLEAR_M, join_style="mitre").difference(wide)
        """Where ways are laid."""
        self._open = fence.buffer(_INSIDE_M).difference(no_fly.buffer(_INSIDE_M))
        shapely.prepare(self._open)
        self._corners = np.array(bends(self.free), dtype=float).reshape(-1, 2)
        between = self._straight_s(self._corners, self._corners)
        self._around_s, self._next = _all_pairs(between)

    def between_s(self, spots: NDArray[np.float64]) -> Seconds:
        """(n, n) seconds from each of n spots to each other; inf = no way."""
        straight = self._straight_s(spots, spots)
        if not len(self._corners) or np.isfinite(straight).all():
            return straight
        there = self._straight_s(spots, self._corners)
        back = self._straight_s(self._corners, spots)
        return np.minimum(straight, _min_plus(_min_plus(there, self._around_s), back))

    def way(self, start: Spot, end: Spot) -> tuple[Spot, ...]:
        """The quickest polyline from ``start`` to ``end``; the straight one if there is none."""
        ends = np.array([start, end])
        if np.isfinite(self._straight_s(ends[:1], ends[1:])[0, 0]) or not len(self._corners):
            return (start, end)
        there = self._straight_s(ends[:1], self._corners)[0]
        back = self._straight_s(self._corners, ends[1:])[:, 0]
        seconds = there[:, None] + self._around_s + back[None, :]
        here, last = (int(n) for n in np.unravel_index(np.argmin(seconds), seconds.shape))
        if not np.isfinite(seconds[here, last]):
            return (start, end)
        corners = [here]
        while here != last:
            here = int(self._next[here, last])
            corners.append(here)
        return (start, *((float(x), float(y)) for x, y in self._corners[corners]), end)

    def _straight_s(self, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> Seconds:
        seconds = self._flight.leg_s(starts[:, None, :], ends[None, :, :])
        a = np.broadcast_to(starts[:, None, :], (len(starts), len(ends), 2))
        b = np.broadcast_to(ends[None, :, :], (len(starts), len(ends), 2))
        lines = shapely.linestrings(np.stack([a, b], axis=2).reshape(-1, 2, 2))
        seen = shapely.covers(self._open, lines).reshape(len(starts), len(ends))
        return np.where(seen, seconds, np.inf)


def _all_pairs(between: Seconds) -> tuple[Seconds, NDArray[np.int64]]:
    """Shortest times and the next corner on the way (Floyd, Communications of the ACM 5, 1962)."""
    best, size = between.copy(), len(between)
    np.fill_diagonal(best, 0.0)
    following = np.broadcast_to(np.arange(size), (size, size)).copy()
    for middle in range(size):
        through = best[:, middle, None] + best[None, middle, :]
        shorter = through < best - 1e-9
        best = np.where(shorter, through, best)
        following = np.where(shorter, following[:, middle, None], following)
    return best, following


def _min_plus(first: Seconds, second: Seconds) -> Seconds:
    best = np.full((first.shape[0], second.shape[1]), np.inf)
    for middle in range(first.shape[1]):
        np.minimum(best, first[:, middle, None] + second[None, middle, :], out=best)
    return best


def polygons(shape: BaseGeometry) -> list[Polygon]:
    """The parts of a shape that have an area."""
    return [
        part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and part.area > 0
    ]
