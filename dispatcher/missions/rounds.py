"""Rings through points: how few vehicles share the rounds, each on one of its own.

A small version: the tour of all points (nearest next, then repaired by turning parts round) is cut
into pieces of equal time, and each piece is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Times = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One closed round: points by their number, and how long it takes with all looks."""

    points: tuple[int, ...]
    round_s: float


def rings(times_s: Times, look_s: float, many: int) -> tuple[Ring, ...]:
    """So many rings through all points, none of them much longer than another."""
    tour = _tour(times_s)
    if many <= 1 or len(tour) <= 1:
        return (_ring(tour, times_s, look_s),)
    best: tuple[Ring, ...] = ()
    for start in range(len(tour)):
        turned = tour[start:] + tour[:start]
        cut = tuple(_ring(piece, times_s, look_s) for piece in _pieces(turned, many))
        if not best or _worst(cut) < _worst(best):
            best = cut
    return best


def best_order(times_s: Times) -> tuple[int, ...]:
    """The points in the order of a short tour that begins at the first."""
    tour = _tour(times_s)
    first = tour.index(0)
    return tuple(tour[first:] + tour[:first])


def _worst(cut: Sequence[Ring]) -> float:
    return max(ring.round_s for ring in cut)


def _pieces(tour: list[int], many: int) -> list[list[int]]:
    each, rest = divmod(len(tour), many)
    sizes = [each + (n < rest) for n in range(many)]
    ends = [sum(sizes[: n + 1]) for n in range(many)]
    return [tour[end - size : end] for end, size in zip(ends, sizes, strict=True) if size]


def _ring(tour: Sequence[int], times_s: Times, look_s: float) -> Ring:
    ways_s = sum(times_s[a][b] for a, b in zip(tour, [*tour[1:], *tour[:1]], strict=True))
    return Ring(points=tuple(tour), round_s=ways_s + look_s * len(tour))


def _tour(times_s: Times) -> list[int]:
    left = list(range(1, len(times_s)))
    tour = [0] if len(times_s) else []
    while left:
        here = tour[-1]
        tour.append(left.pop(left.index(min(left, key=lambda p: times_s[here][p]))))
    while _turned_round(tour, times_s):
        pass
    return tour


def _turned_round(tour: list[int], times_s: Times) -> bool:
    many = len(tour)
    for first in range(1, many - 1):
        for last in range(first + 1, many):
            a, b, c, d = tour[first - 1], tour[first], tour[last], tour[(last + 1) % many]
            inner = zip(tour[first:last], tour[first + 1 : last + 1], strict=True)
            turned_s = sum(times_s[q][p] - times_s[p][q] for p, q in inner)
            if times_s[a][c] + times_s[b][d] + turned_s < times_s[a][b] + times_s[c][d] - 1e-6:
                tour[first : last + 1] = reversed(tour[first : last + 1])
                return True
    return False
