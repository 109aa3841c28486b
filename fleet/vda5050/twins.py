"""Tells when two robots send under one name.

One robot's ``headerId`` may jump, as after a restart. Two robots' jump back as well, and each goes
on from where it was. If both count alike, each number comes twice, from two places.
"""

import math
from collections import OrderedDict

_SURE = 4
"""So many jumps to and fro, or numbers from two places."""
_NEAR_IDS = 50
"""Messages that overtake each other are not so far apart."""
_NEAR_M, _SPEED_M_S, _LONGEST_S = 3.0, 3.0, 2.0
_KEPT = 64
_WINDOW_S = 10.0
"""A robot that restarts and counts anew takes longer."""

Spot = tuple[str, float, float, float]
"""Map, x and y in metres, and the loop second when it was told."""


class Twins:
    """Listens to all states under one name."""

    def __init__(self) -> None:
        self._here: int | None = None
        self._there: int | None = None
        """Where each of two strands of numbers has come to."""
        self._jumps = 0
        self._spots: OrderedDict[int, Spot] = OrderedDict()
        self._doubles = 0

    def hear(self, header_id: int, spot: Spot | None) -> bool:
        """Take in one state, late or not; True = by now there must be two."""
        self._count(header_id)
        if spot is not None:
            self._compare(header_id, spot)
        if self._jumps < _SURE and self._doubles < _SURE:
            return False
        self._jumps = self._doubles = 0
        return True

    def _count(self, header_id: int) -> None:
        if self._here is None or abs(header_id - self._here) <= _NEAR_IDS:
            self._here = header_id
        elif self._there is not None and abs(header_id - self._there) <= _NEAR_IDS:
            self._here, self._there = header_id, self._here
            self._jumps += 1
        else:
            self._here, self._there = header_id, self._here
            self._jumps = 0

    def _compare(self, header_id: int, spot: Spot) -> None:
        known = self._spots.pop(header_id, None)
        if known is not None:
            doubled = spot[3] - known[3] <= _WINDOW_S and not _near(known, spot)
            self._doubles = self._doubles + 1 if doubled else 0
        self._spots[header_id] = spot
        if len(self._spots) > _KEPT:
            self._spots.popitem(last=False)


def _near(a: Spot, b: Spot) -> bool:
    room_m = _NEAR_M + _SPEED_M_S * min(abs(b[3] - a[3]), _LONGEST_S)
    return a[0] == b[0] and math.hypot(a[1] - b[1], a[2] - b[2]) <= room_m
