"""How near two aircraft came to one another between two looks at them, in space and time.

Between looks each is taken to fly straight and evenly, which is true to some decimetres within a
second. Poses alone are asked for: who may be where is nobody's business here.
"""

import math
from typing import NamedTuple

NEAR_M = 8.0
"""Two airborne aircraft closer than this ..."""
NEAR_HEIGHT_M = 4.0
"""... and within this of each other's height are too close."""

Span = tuple[float, float]


class Track(NamedTuple):
    """From where to where one has flown since the last look; metres, heights above the sea."""

    x_m: float
    y_m: float
    z_m: float
    to_x_m: float
    to_y_m: float
    to_z_m: float


def nearest_m(one: Track, other: Track) -> float | None:
    """How near two came while their heights were alike; None = never too near.

    Returns:
        Metres over ground, below `NEAR_M`.
    """
    x, y, z = (b - a for a, b in zip(one[:3], other[:3], strict=True))
    to_x, to_y, to_z = (b - a for a, b in zip(one[3:], other[3:], strict=True))
    dx, dy, dz = to_x - x, to_y - y, to_z - z
    alike = _between(z, dz)
    if alike is None:
        return None
    begin, end = alike
    moved = dx * dx + dy * dy
    best = begin if moved == 0 else min(max(-(x * dx + y * dy) / moved, begin), end)
    apart_m = math.hypot(x + best * dx, y + best * dy)
    return apart_m if apart_m < NEAR_M else None


def _between(z_m: float, dz_m: float) -> Span | None:
    """For which part of the time, from 0 to 1, heights were alike."""
    if dz_m == 0:
        return (0.0, 1.0) if abs(z_m) < NEAR_HEIGHT_M else None
    ends = sorted(((-NEAR_HEIGHT_M - z_m) / dz_m, (NEAR_HEIGHT_M - z_m) / dz_m))
    begin, end = max(0.0, ends[0]), min(1.0, ends[1])
    return (begin, end) if begin < end else None
