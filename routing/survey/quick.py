"""A guess, in microseconds, of how long an area takes: lines at even distances across it."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from routing.survey.case import Flight
from routing.survey.strips import angles

_LEVELS = np.array([0.02, 0.5, 0.98])
"""Where a band is looked at, from its one side to the other."""


class Guess:
    """Prices shapes and directions by parallel lines, one along each band."""

    def __init__(self, width_m: float, length_m: float, flight: Flight) -> None:
        self._width_m, self._length_m = width_m, length_m
        self._flight = flight
        self._turn_s = width_m / flight.speed_m_s + 2 * flight.speed_m_s / flight.accel_m_s2

    def best_s(self, shape: BaseGeometry) -> float:
        """Seconds in the best direction."""
        sides = _sides(shape)
        return min((self._seconds(sides, angle) for angle in angles(shape)), default=0.0)

    def ranked(self, shape: BaseGeometry) -> list[float]:
        """Directions in radians, the best first."""
        sides = _sides(shape)
        return sorted(angles(shape), key=lambda angle: (self._seconds(sides, angle), angle))

    def _seconds(self, sides: NDArray[np.float64], angle: float) -> float:
        cos, sin = math.cos(angle), math.sin(angle)
        x = sides[..., 0] * cos + sides[..., 1] * sin
        y = sides[..., 1] * cos - sides[..., 0] * sin
        low, high = float(y.min()), float(y.max())
        bands = max(1, math.ceil((high - low) / self._width_m - 1e-6))
        height = (high - low) / bands
        at = np.float64(low) + (np.arange(bands)[:, None] + _LEVELS) * height
        lengths = _lengths(x, y, at) - self._length_m
        ahead = 1000.0 * np.array([cos, sin])
        there, back = self._flight.leg_s(np.zeros(2), ahead), self._flight.leg_s(ahead, np.zeros(2))
        stop_s = self._flight.speed_m_s / self._flight.accel_m_s2
        pace = (float(there + back) / 2 - stop_s) / 1000.0
        return float(np.maximum(lengths, 0.0).sum()) * pace + len(lengths) * self._turn_s


def _lengths(
    x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Lengths of the lines along bands, each as long as what lies in its band.

    Args:
        x, y: (n, 2) ends of the sides of a shape.
        at: (bands, 3) levels of y.
    """
    low, high = y.min(axis=1), y.max(axis=1)
    crossed = (low <= at[..., None]) & (at[..., None] < high)
    rise = np.where(np.abs(y[:, 1] - y[:, 0]) < 1e-12, 1.0, y[:, 1] - y[:, 0])
    where = x[:, 0] + (at[..., None] - y[:, 0]) / rise * (x[:, 1] - x[:, 0])
    ordered = np.sort(np.where(crossed, where, np.inf), axis=-1)
    counts = np.isfinite(ordered).sum(axis=-1)
    even = (counts == counts[:, 1:2]).all(axis=1)
    left = np.where(even[:, None], ordered.min(axis=1), ordered[:, 1])
    right = np.where(even[:, None], ordered.max(axis=1), ordered[:, 1])
    lengths = [right[b, 1:n:2] - left[b, 0:n:2] for b, n in enumerate(counts[:, 1] // 2 * 2)]
    return np.concatenate(lengths) if lengths else np.zeros(0)


def _sides(shape: BaseGeometry) -> NDArray[np.float64]:
    """All sides of a shape, (n, 2 ends, 2)."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    ends = [shapely.get_coordinates(ring) for ring in rings]
    pairs = [np.stack([spots[:-1], spots[1:]], axis=1) for spots in ends]
    return np.concatenate(pairs) if pairs else np.zeros((0, 2, 2))
