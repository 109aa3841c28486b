"""Relay without a gap: how many vehicles one post takes, and when somebody must set out.

A vehicle is on station for ``S = usable - out - back`` of what its battery lasts, minus the overlap
``h`` with the next one, and then out of use for the turnaround ``R``: of its cycle ``usable + R``
it counts for ``S - h``, so a post takes ``N = ceil((usable + R) / (S - h))``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAST_OVERLAP_S = 45.0
"""So long before one leaves the next is on station at the latest."""
AHEAD_S = 1200.0
"""So far ahead reliefs are looked for, and gaps are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One vehicle's turn on a post.

    Args:
        stretch_s: on station.
        away_s: from leaving the post to being back on it, charged, at the earliest.
    """

    stretch_s: float
    away_s: float

    def share(self, overlap_s: float) -> float:
        """How many vehicles a post takes, as a fraction; infinite if none could ever hold it."""
        useful_s = self.stretch_s - overlap_s
        if useful_s <= 0:
            return math.inf
        return (self.stretch_s + self.away_s) / useful_s


def overlap_s(round_in_s: float, round_out_s: float, revisit_s: float) -> float:
    """How long both must be on station at a relief.

    What the one who leaves saw first in his last round, the next may see last in his first: both
    rounds together may take no longer than the revisit time, and the overlap.
    """
    return max(LEAST_OVERLAP_S, round_in_s + round_out_s - revisit_s)


def vehicles_needed(shares: Iterable[float]) -> int | None:
    """How many vehicles all posts take together, as reliefs are spread out; None = no number."""
    total = sum(shares)
    return None if math.isinf(total) else math.ceil(total - 1e-9)


SHARES = tuple(eighths / 8 for eighths in range(8, 2, -1))
"""How long a first turn may be, as a share of a whole one."""


def first_share(arrives_s: float, stretch_s: float, others_s: Sequence[float]) -> float:
    """How much of a whole turn the first one on a post lasts, so that reliefs never meet.

    Reliefs at the same moment set how many vehicles there must be: each later one of a post comes
    about a stretch after the one before, so the first ones are spread over one stretch.

    Args:
        others_s: when the turns that are under way on other posts end.
    """

    def apart_s(share: float) -> float:
        ends_s = arrives_s + share * stretch_s
        near = (abs(ends_s - other_s) % stretch_s for other_s in others_s)
        return min((min(gap, stretch_s - gap) for gap in near), default=stretch_s)

    return max(SHARES, key=lambda share: (round(apart_s(share)), share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A post that nobody will see to for a while."""

    post: tuple[str, int]
    from_s: float
    lasts_s: float


def gaps_ahead(
    leaves_s: Sequence[tuple[float, tuple[str, int]]], arrivals_s: Sequence[float]
) -> list[Gap]:
    """The gaps to come, if whoever is there first takes whatever is left first.

    Args:
        leaves_s: when the last one now on a post, or on the way to it, will leave it, and the post.
        arrivals_s: when each of the others could be on a post, at the earliest; loop seconds.
    """
    found: list[Gap] = []
    free = sorted(arrivals_s)
    for leave_s, post in sorted(leaves_s):
        arrive_s = free.pop(0) if free else math.inf
        if arrive_s > leave_s:
            found.append(Gap(post=post, from_s=leave_s, lasts_s=arrive_s - leave_s))
    return found
