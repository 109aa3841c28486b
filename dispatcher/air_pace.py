"""How long a drone takes along a way, and what that costs its battery."""

import math
from collections.abc import Sequence
from itertools import pairwise

from fleet.vehicle import VehicleSpec
from routing.geometry import Point

DIRECTIONS = 8
"""A wind may blow from any side: the worst of so many is planned for."""
SLOW_BELOW_M = 10.0
TOUCHDOWN_M_S = 0.5
"""The last metres are flown slowly. Source: ArduCopter 4.5, LAND_ALT_LOW and LAND_SPEED."""


class AirPace:
    """One drone's flights, stop to stop at each corner.

    Args:
        wind_m_s: the wind that is planned for, less than the drone's own speed.
    """

    def __init__(self, spec: VehicleSpec, wind_m_s: float = 0.0) -> None:
        self._spec, self._wind_m_s = spec, min(wind_m_s, 0.9 * spec.speed_m_s)
        energy = spec.energy
        self._climb_w = energy.climb_w or energy.move_w
        self.hover_w = energy.hover_w or energy.move_w
        height_m = spec.cruise_agl_m
        self.climb_s = height_m / spec.climb_m_s
        slow_m = min(height_m, SLOW_BELOW_M)
        self.land_s = (height_m - slow_m) / spec.climb_m_s + slow_m / TOUCHDOWN_M_S

    @property
    def ends_wh(self) -> float:
        """Energy to climb once and to come down once."""
        return (self._climb_w * self.climb_s + self.hover_w * self.land_s) / 3600

    def way_s(self, points: Sequence[Point]) -> float:
        """Seconds along a polyline at its own height, in the least lucky wind."""
        legs = [(b.x_m - a.x_m, b.y_m - a.y_m) for a, b in pairwise(points) if a != b]
        if not self._wind_m_s:
            return sum(self._leg_s(math.hypot(*leg), self._spec.speed_m_s) for leg in legs)
        from_rad = (2 * math.pi * n / DIRECTIONS for n in range(DIRECTIONS))
        return max((self._in_wind_s(legs, angle) for angle in from_rad), default=0.0)

    def way_wh(self, way_s: float, hover_s: float = 0.0) -> float:
        """Energy for seconds of cruise, and seconds on the spot."""
        return (self._spec.energy.move_w * way_s + self.hover_w * hover_s) / 3600

    def _in_wind_s(self, legs: Sequence[tuple[float, float]], angle_rad: float) -> float:
        """Source: wind triangle."""
        x, y = self._wind_m_s * math.cos(angle_rad), self._wind_m_s * math.sin(angle_rad)
        seconds = 0.0
        for dx, dy in legs:
            length_m = math.hypot(dx, dy)
            tail_m_s = (x * dx + y * dy) / length_m
            cross_m_s = (x * dy - y * dx) / length_m
            ahead_m_s = math.sqrt(max(0.0, self._spec.speed_m_s**2 - cross_m_s**2))
            seconds += self._leg_s(length_m, max(0.5, tail_m_s + ahead_m_s))
        return seconds

    def _leg_s(self, length_m: float, speed_m_s: float) -> float:
        """From rest to rest."""
        acceleration = self._spec.acceleration_m_s2
        if length_m < speed_m_s**2 / acceleration:
            return 2 * math.sqrt(length_m / acceleration)
        return length_m / speed_m_s + speed_m_s / acceleration
