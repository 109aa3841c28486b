"""How long a way through points is."""

from collections.abc import Sequence
from itertools import pairwise

from routing.geometry import Point


def length_m(points: Sequence[Point]) -> float:
    """Metres along a polyline."""
    return sum(a.distance_m(b) for a, b in pairwise(points))
