"""How well a watch does, from its visits alone: idleness, entropy, and detection of a watcher."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

BINS = 20
"""Of the times between visits, from 0 to twice the tour's."""
ENOUGH_GAPS, ENOUGH_LATER = 60, 30
"""A point counts with so many times between visits, and a wait with so many longer ones."""

Visit = tuple[float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrecy:
    """How hard a patrol is to foretell.

    Args:
        worst_s, mean_s: longest time between two visits of a point; mean of the points' longest.
        entropy: of the times between visits, 0 (always the same) to 1 (anything), mean of points.
        detection: chance that a watcher who sees a visit, waits the best time and stays for half
            a tour's time is met; mean of points.
    """

    worst_s: float
    mean_s: float
    entropy: float
    detection: float


def gaps_by_point(visits: Iterable[Visit], points: int) -> list[NDArray[np.float64]]:
    """Times between the visits of each point; visits in any order."""
    moments: list[list[float]] = [[] for _ in range(points)]
    for moment_s, point in visits:
        moments[point].append(moment_s)
    return [np.diff(np.sort(np.array(found))) for found in moments]


def secrecy(visits: Iterable[Visit], points: int, tour_s: float) -> Secrecy:
    """The measures of patrols that can't be foretold.

    Raises:
        ValueError: no point has been visited often enough; take a longer patrol.
    """
    gaps = [found for found in gaps_by_point(visits, points) if len(found) >= ENOUGH_GAPS]
    if not gaps:
        raise ValueError(f"no point has {ENOUGH_GAPS} times between visits; patrol longer")
    return Secrecy(
        worst_s=float(max(found.max() for found in gaps)),
        mean_s=fmean(float(found.max()) for found in gaps),
        entropy=fmean(entropy(found, tour_s) for found in gaps),
        detection=fmean(detection(found, tour_s / 2) for found in gaps),
    )


def entropy(gaps_s: NDArray[np.float64], tour_s: float) -> float:
    """Shannon entropy over equal bins up to twice a tour, as a share of the greatest."""
    counts, _ = np.histogram(gaps_s, bins=BINS, range=(0.0, 2.0 * tour_s))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(BINS)) + 0.0


def detection(gaps_s: NDArray[np.float64], stay_s: float) -> float:
    """The least chance, over all waits, that a visit falls into a stay after the wait."""
    ordered = np.sort(gaps_s)
    waits = np.concatenate(([0.0], ordered))
    longer = len(ordered) - np.searchsorted(ordered, waits, side="right")
    in_time = np.searchsorted(ordered, waits + stay_s, side="right")
    met = in_time - (len(ordered) - longer)
    usable = longer >= ENOUGH_LATER
    return float((met[usable] / longer[usable]).min()) if usable.any() else 1.0


def worst_idle_s(visits: Iterable[Visit], points: int, from_s: float, until_s: float) -> float:
    """The longest time that any point is unseen between two moments, both ends included."""
    moments: list[list[float]] = [[from_s] for _ in range(points)]
    for moment_s, point in sorted(visits):
        if from_s <= moment_s <= until_s:
            moments[point].append(moment_s)
    return max(_longest_s([*found, until_s]) for found in moments)


def _longest_s(moments_s: Sequence[float]) -> float:
    return float(np.diff(np.array(moments_s)).max())
