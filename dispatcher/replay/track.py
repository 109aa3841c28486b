"""Where a vehicle was: few samples of its words, and every moment between them."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from fleet.vehicle import Position
from routing.geometry import Point
from routing.site import LevelId

NEAR_M = 0.2
"""A word that lies so near to the line between two others need not be kept."""
NEAR_RAD = 0.2
MOST_WAITING = 10
LONGEST_MS = 30_000
"""What is held back is written after so many words, or so long."""
SILENT_MS = 120_000
"""After so long without a word nobody knows how it went on: it is shown where it was."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One word of a vehicle about where it is.

    Args:
        at_ms: milliseconds of the recording.
        moving: whether it is on its way from here to the next sample.
    """

    at_ms: int
    position: Position
    moving: bool


@dataclass(slots=True)
class Thinner:
    """Keeps of one vehicle's samples only those without which its track would be another."""

    _base: Sample | None = None
    _waiting: list[Sample] = field(default_factory=list[Sample])

    def add(self, sample: Sample) -> list[Sample]:
        """One more sample, later than all before; answers those that must be kept, in order."""
        base = self._base
        if base is not None and not base.moving and _same(base, sample):
            return []
        kept: list[Sample] = []
        if self._waiting and not self._fits(sample):
            kept.append(self._keep(self._waiting[-1]))
        if self._base is None or not sample.moving:
            kept.append(self._keep(sample))
        else:
            self._waiting.append(sample)
        return kept

    def flush(self) -> list[Sample]:
        """What is held back and must be kept if nothing more comes."""
        return [self._keep(self._waiting[-1])] if self._waiting else []

    def _keep(self, sample: Sample) -> Sample:
        self._base = sample
        self._waiting.clear()
        return sample

    def _fits(self, sample: Sample) -> bool:
        """Whether all that waits lies on the way from the last kept one to this one."""
        base = self._base
        if base is None or len(self._waiting) >= MOST_WAITING:
            return False
        if sample.at_ms - base.at_ms > LONGEST_MS or sample.position.level != base.position.level:
            return False
        return all(_on_the_way(base, each, sample) for each in self._waiting)


def _same(one: Sample, other: Sample) -> bool:
    return (one.position, one.moving) == (other.position, other.moving)


def _on_the_way(base: Sample, each: Sample, end: Sample) -> bool:
    if each.moving != base.moving:
        return False
    there, shown = each.position, between(base, end, each.at_ms)
    turn = math.remainder(there.yaw_rad - shown.yaw_rad, math.tau)
    return (
        there.level == shown.level
        and there.point.distance_m(shown.point) <= NEAR_M
        and abs(there.height_agl_m - shown.height_agl_m) <= NEAR_M
        and abs(turn) <= NEAR_RAD
    )


def between(one: Sample, other: Sample, at_ms: float) -> Position:
    """Where it is between two samples that follow each other: on its way, or still at the first."""
    a, b = one.position, other.position
    lasts_ms = other.at_ms - one.at_ms
    if not one.moving or a.level != b.level or not 0 < lasts_ms <= SILENT_MS:
        return a
    share = (at_ms - one.at_ms) / lasts_ms
    return Position(
        level=a.level,
        point=Point(
            a.point.x_m + (b.point.x_m - a.point.x_m) * share,
            a.point.y_m + (b.point.y_m - a.point.y_m) * share,
        ),
        yaw_rad=a.yaw_rad if a.point == b.point else b.yaw_rad,
        height_agl_m=a.height_agl_m + (b.height_agl_m - a.height_agl_m) * share,
    )


def position_at(track: Sequence[Sample], at_ms: float) -> Position | None:
    """Where a vehicle with these samples, in order, is shown; None before the first."""
    number = bisect_right(track, at_ms, key=lambda sample: sample.at_ms) - 1
    if number < 0:
        return None
    if number + 1 == len(track):
        return track[number].position
    return between(track[number], track[number + 1], at_ms)


def of_sample(sample: Sample) -> list[object]:
    """A sample without its moment, as plain values: centimetres and milliradians will do."""
    position = sample.position
    return [
        position.level,
        round(position.point.x_m, 2),
        round(position.point.y_m, 2),
        round(position.yaw_rad, 3),
        round(position.height_agl_m, 2),
        int(sample.moving),
    ]


def sample_of(at_ms: int, values: Sequence[object]) -> Sample:
    """The sample that these values hold. Raises ValueError, TypeError."""
    level, x_m, y_m, yaw_rad, height_m, moving = values
    position = Position(
        level=LevelId(str(level)),
        point=Point(_number(x_m), _number(y_m)),
        yaw_rad=_number(yaw_rad),
        height_agl_m=_number(height_m),
    )
    return Sample(at_ms, position, bool(moving))


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"{value!r} is no number")
