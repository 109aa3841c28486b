"""What a sweep compares: figures of each run, their spread over seeds, and paired differences.

Two settings have the same seeds, so the same tasks are asked for and the same things break. Their
difference seed by seed is far smaller than the spread of either alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a run.

    Args:
        of: reads it from the summary; None = there was nothing to measure.
        places: digits behind the point.
    """

    name: str
    unit: str
    of: Callable[[Summary], float | None]
    places: int = 1


def _minutes(kind: str) -> Callable[[Summary], float | None]:
    def read(summary: Summary) -> float | None:
        seconds = summary["latency"][kind]["p95_s"]
        return None if seconds is None else float(seconds) / 60

    return read


def _metres_per_task(summary: Summary) -> float | None:
    done = sum(row["done"] for row in summary["tasks"].values())
    return sum(summary["distance_m"].values()) / done if done else None


FIGURES = (
    Figure(name="on_time", unit="%", of=lambda s: 100 * s["on_time_ratio"]),
    Figure(name="done", unit="%", of=lambda s: 100 * s["done_ratio"]),
    *(
        Figure(name=f"p95_{kind}", unit="min", of=_minutes(kind))
        for kind in ("medicine", "delivery", "patrol", "disinfection")
    ),
    Figure(name="way_per_task", unit="m", of=_metres_per_task, places=0),
    Figure(name="violations", unit="", of=lambda s: float(sum(s["violations"].values())), places=0),
    Figure(name="cpu", unit="s", of=lambda s: s["cpu_s"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure over the seeds of a setting; ``deviation`` is 0 for a single one."""

    mean: float
    deviation: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure against the first setting, seed by seed.

    Args:
        error: standard error of the mean; None for a single seed.
        higher, lower: on how many seeds.
    """

    mean: float
    error: float | None
    higher: int
    lower: int


def values(figure: Figure, runs: Mapping[int, Summary]) -> dict[int, float]:
    """A figure by seed, where it could be measured."""
    found = ((seed, figure.of(summary)) for seed, summary in sorted(runs.items()))
    return {seed: float(value) for seed, value in found if value is not None}


def spread(numbers: Sequence[float]) -> Spread | None:
    """None of no numbers."""
    if not numbers:
        return None
    deviation = stdev(numbers) if len(numbers) > 1 else 0.0
    return Spread(mean=fmean(numbers), deviation=deviation, least=min(numbers), most=max(numbers))


def paired(first: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """Over the seeds that both have; None if there are none."""
    differences = [other[seed] - first[seed] for seed in first if seed in other]
    if not differences:
        return None
    many = len(differences)
    return Difference(
        mean=fmean(differences),
        error=stdev(differences) / math.sqrt(many) if many > 1 else None,
        higher=sum(difference > 0 for difference in differences),
        lower=sum(difference < 0 for difference in differences),
    )
