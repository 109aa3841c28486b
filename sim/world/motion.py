"""Motion in closed form: how a wheeled body covers a stretch of road, without stepping."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Speed over time along one stretch: up or down to a peak, along, and to the end speed."""

    start_m_s: float
    peak_m_s: float
    end_m_s: float
    first_s: float
    """Time from start to peak speed."""
    steady_s: float
    last_s: float
    """Time from peak to end speed."""

    @property
    def duration_s(self) -> float:
        """Time for the whole stretch."""
        return self.first_s + self.steady_s + self.last_s

    def at(self, time_s: float) -> tuple[float, float]:
        """Metres covered and speed after ``time_s``; after the end: the whole stretch."""
        covered, left = 0.0, time_s
        speeds = (self.start_m_s, self.peak_m_s, self.peak_m_s, self.end_m_s)
        for number, phase_s in enumerate((self.first_s, self.steady_s, self.last_s)):
            before, after = speeds[number], speeds[number + 1]
            if left < phase_s:
                speed = before + (after - before) * left / phase_s
                return covered + (before + speed) / 2 * left, speed
            covered += (before + after) / 2 * phase_s
            left -= phase_s
        return covered, self.end_m_s


def profile(
    length_m: float,
    *,
    start_m_s: float,
    cruise_m_s: float,
    acceleration_m_s2: float,
    stop: bool,
) -> Profile:
    """The quickest way along ``length_m`` that never exceeds the cruise speed.

    Args:
        start_m_s: speed at the start; above the cruise speed it counts as that.
        stop: come to rest at the end; otherwise pass it as fast as can be.

    A stretch too short to brake in is braked harder: a body that was told to stop does stop.
    """
    start = min(start_m_s, cruise_m_s)
    gain = 2 * acceleration_m_s2 * length_m
    if not stop:
        peak = min(cruise_m_s, math.sqrt(start * start + gain))
        first = (peak - start) / acceleration_m_s2
        steady = (length_m - (start + peak) / 2 * first) / peak if peak else 0.0
        return Profile(start, peak, peak, first, max(0.0, steady), 0.0)
    if start * start >= gain and start > 0:
        return Profile(start, start, 0.0, 0.0, 0.0, 2 * length_m / start)
    peak = min(cruise_m_s, math.sqrt((gain + start * start) / 2))
    first, last = (peak - start) / acceleration_m_s2, peak / acceleration_m_s2
    steady = (length_m - (start + peak) / 2 * first - peak / 2 * last) / peak if peak else 0.0
    return Profile(start, peak, 0.0, first, max(0.0, steady), last)
