"""Tells when two robots send under one name: words that jump to and fro between two of them.

One robot's ``headerId`` and pose may jump, as after a restart. Two robots' jump back as well, and
each goes on from where it was.
"""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_SURE = 4
"""So many jumps to and fro."""
_NEAR_IDS = 50
"""Messages that overtake each other are not so far apart."""
_NEAR_M, _SPEED_M_S, _LONGEST_S = 3.0, 3.0, 2.0

Spot = tuple[str, float, float, float]
"""Map, x and y in metres, and the loop second when it was told."""


class _Strands(Generic[T]):
    """Follows two strands of values, and counts how often they alternate."""

    def __init__(self, near: Callable[[T, T], bool]) -> None:
        self._near = near
        self._here: T | None = None
        self._there: T | None = None
        self.jumps = 0

    def add(self, value: T) -> None:
        if self._here is None or self._near(self._here, value):
            self._here = value
        elif self._there is not None and self._near(self._there, value):
            self._here, self._there = value, self._here
            self.jumps += 1
        else:
            self._here, self._there = value, self._here
            self.jumps = 0


class Twins:
    """Listens to all states under one name."""

    def __init__(self) -> None:
        self._ids = _Strands[int](_near_ids)
        self._spots = _Strands[Spot](_near_spots)
        self._last_id = -1
        self._repeats = 0
        """States whose number did not rise since the pose began to jump."""

    def hear(self, header_id: int, spot: Spot | None) -> bool:
        """Take in one state, late or not; True = by now there must be two."""
        self._ids.add(header_id)
        if spot is not None:
            self._spots.add(spot)
        self._repeats = self._repeats + (header_id <= self._last_id) if self._spots.jumps else 0
        self._last_id = header_id
        by_place = self._spots.jumps >= _SURE and self._repeats >= _SURE // 2
        if self._ids.jumps < _SURE and not by_place:
            return False
        self._ids.jumps = self._spots.jumps = self._repeats = 0
        return True


def _near_ids(a: int, b: int) -> bool:
    return abs(a - b) <= _NEAR_IDS


def _near_spots(a: Spot, b: Spot) -> bool:
    room_m = _NEAR_M + _SPEED_M_S * min(abs(b[3] - a[3]), _LONGEST_S)
    return a[0] == b[0] and math.hypot(a[1] - b[1], a[2] - b[2]) <= room_m
