"""The wind at one place and time, and what it makes of a flight's speed over the ground."""

import math
from dataclasses import dataclass

LEAST_M_S = 0.5
"""A drone is taken to creep on even against a wind that it is no match for."""


@dataclass(frozen=True, slots=True)
class Wind:
    """Where the air moves to, in the site's frame."""

    x_m_s: float = 0.0
    y_m_s: float = 0.0

    @property
    def speed_m_s(self) -> float:
        """How strong it is."""
        return math.hypot(self.x_m_s, self.y_m_s)

    def ground_speed_m_s(self, airspeed_m_s: float, dx_m: float, dy_m: float) -> float:
        """Speed along a straight leg with the nose held into the wind.

        Args:
            dx_m, dy_m: the leg, not of length 0.

        Source: wind triangle.
        """
        length_m = math.hypot(dx_m, dy_m)
        tail_m_s = (self.x_m_s * dx_m + self.y_m_s * dy_m) / length_m
        cross_m_s = (self.x_m_s * dy_m - self.y_m_s * dx_m) / length_m
        ahead_m_s = math.sqrt(max(0.0, airspeed_m_s**2 - cross_m_s**2))
        return max(LEAST_M_S, tail_m_s + ahead_m_s)

    def no_stronger_than(self, most_m_s: float) -> "Wind":
        """The same wind, weakened to a speed where it is above it."""
        if self.speed_m_s <= most_m_s:
            return self
        share = most_m_s / self.speed_m_s
        return Wind(self.x_m_s * share, self.y_m_s * share)

    def from_deg(self, site_bearing_deg: float) -> float:
        """The compass bearing that it blows from, 0 to 360.

        Args:
            site_bearing_deg: compass bearing of the site's y axis.
        """
        to_deg = math.degrees(math.atan2(self.x_m_s, self.y_m_s)) + site_bearing_deg
        return (to_deg + 180.0) % 360.0


def blowing(from_deg: float, speed_m_s: float, site_bearing_deg: float) -> Wind:
    """A wind by the compass bearing that it blows from.

    Args:
        site_bearing_deg: as in `Wind.from_deg`.
    """
    to_rad = math.radians(from_deg + 180.0 - site_bearing_deg)
    return Wind(speed_m_s * math.sin(to_rad), speed_m_s * math.cos(to_rad))


def from_any_side(speed_m_s: float, sides: int = 8) -> tuple[Wind, ...]:
    """Winds of one speed from so many sides."""
    turns = (2 * math.pi * n / sides for n in range(sides))
    return tuple(Wind(speed_m_s * math.cos(a), speed_m_s * math.sin(a)) for a in turns)
