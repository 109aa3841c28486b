"""How long a drone takes along a way, and what that costs its battery."""

import math
from collections.abc import Sequence
from itertools import pairwise

from fleet.vehicle import VehicleSpec
from routing.air.wind import Wind, from_any_side
from routing.geometry import Point

SLOW_BELOW_M = 10.0
TOUCHDOWN_M_S = 0.5
"""The last metres are flown slowly. Source: ArduCopter 4.5, LAND_ALT_LOW and LAND_SPEED."""
MOST_OF_SPEED = 0.9
"""Stronger winds than this share of a drone's own speed are counted as this."""
STILL = Wind()

Leg = tuple[float, float]


class AirPace:
    """One drone's flights, stop to stop at each corner.

    Args:
        wind_m_s: the wind that is planned for, from any side.
        known: the wind as drones tell it; None = nobody knows.
    """

    def __init__(self, spec: VehicleSpec, wind_m_s: float = 0.0, known: Wind | None = None) -> None:
        self._spec = spec
        most_m_s = MOST_OF_SPEED * spec.speed_m_s
        self._any_side = from_any_side(min(wind_m_s, most_m_s)) if wind_m_s else (STILL,)
        self._known = None if known is None else known.no_stronger_than(most_m_s)
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
        """Seconds along a polyline at its own height, in the least lucky planned wind."""
        legs = _legs(points)
        return max(self._in_wind_s(legs, wind) for wind in self._any_side)

    def expected_s(self, points: Sequence[Point], *, stops: bool = True) -> float:
        """Seconds in the known wind; where nobody knows it, the mean over the planned one's sides.

        Args:
            stops: False = as if it flew through all corners, so that no way is quicker.
        """
        winds = self._any_side if self._known is None else (self._known,)
        legs = _legs(points)
        return sum(self._in_wind_s(legs, wind, stops=stops) for wind in winds) / len(winds)

    def paid_s(self, points: Sequence[Point], *, stops: bool = True) -> float:
        """Seconds that a battery must last: never fewer than in still air."""
        winds = self._any_side if self._known is None else (self._known, STILL)
        legs = _legs(points)
        return max(self._in_wind_s(legs, wind, stops=stops) for wind in winds)

    def least_s(self, start: Point, goal: Point) -> float:
        """Seconds before which it can't stand still above a spot, even if it flies already.

        It flies straight, in whatever wind helps it most: the known one or none at all; where
        nobody knows it, the planned one from any side.
        """
        leg, airspeed_m_s = (goal.x_m - start.x_m, goal.y_m - start.y_m), self._spec.speed_m_s
        length_m, slows_m_s2 = math.hypot(*leg), self._spec.acceleration_m_s2
        if not length_m:
            return 0.0
        winds = (*self._any_side, STILL) if self._known is None else (self._known, STILL)
        speed_m_s = max(wind.ground_speed_m_s(airspeed_m_s, *leg) for wind in winds)
        if length_m < speed_m_s**2 / slows_m_s2 / 2:
            return math.sqrt(2 * length_m / slows_m_s2)
        return length_m / speed_m_s + speed_m_s / slows_m_s2 / 2

    def way_wh(self, way_s: float, hover_s: float = 0.0) -> float:
        """Energy for seconds of cruise, and seconds on the spot."""
        return (self._spec.energy.move_w * way_s + self.hover_w * hover_s) / 3600

    def _in_wind_s(self, legs: Sequence[Leg], wind: Wind, *, stops: bool = True) -> float:
        airspeed_m_s, seconds = self._spec.speed_m_s, 0.0
        for leg in legs:
            speed_m_s = wind.ground_speed_m_s(airspeed_m_s, *leg)
            length_m = math.hypot(*leg)
            seconds += self._leg_s(length_m, speed_m_s) if stops else length_m / speed_m_s
        return seconds

    def _leg_s(self, length_m: float, speed_m_s: float) -> float:
        """From rest to rest."""
        acceleration = self._spec.acceleration_m_s2
        if length_m < speed_m_s**2 / acceleration:
            return 2 * math.sqrt(length_m / acceleration)
        return length_m / speed_m_s + speed_m_s / acceleration


def _legs(points: Sequence[Point]) -> list[Leg]:
    return [(b.x_m - a.x_m, b.y_m - a.y_m) for a, b in pairwise(points) if a != b]
