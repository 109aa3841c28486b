"""What is to be surveyed, by whom, and how a drone flies: all that a plan is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

Spot = tuple[float, float]
Seconds = NDArray[np.float64]

_SLOWEST_M_S = 0.1
"""A leg against a wind that leaves less than this over the ground can't be flown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """How a drone flies: straight legs from rest to rest, at a constant speed through the air.

    Args:
        speed_m_s: over the ground, at the most.
        accel_m_s2: at both ends of a leg.
        airspeed_m_s: through the air, at the most; together with the wind it limits the speed.
        wind_m_s: towards the east and the north.
        usable_s: how long one sortie may last, take-off and landing included.
        swap_s: from a landing to the next take-off of the same drone.
    """

    speed_m_s: float
    accel_m_s2: float
    airspeed_m_s: float
    wind_m_s: tuple[float, float] = (0.0, 0.0)
    usable_s: float
    swap_s: float = 0.0
    takeoff_s: float = 0.0
    landing_s: float = 0.0

    def leg_s(self, start: ArrayLike, end: ArrayLike) -> Seconds:
        """Seconds for legs from ``start`` to ``end``, both (..., 2) metres; inf = too windy."""
        way = np.asarray(end, dtype=float) - np.asarray(start, dtype=float)
        length = np.hypot(way[..., 0], way[..., 1])
        ahead = way / np.maximum(length, 1e-12)[..., None]
        east, north = self.wind_m_s
        along = east * ahead[..., 0] + north * ahead[..., 1]
        across = east * ahead[..., 1] - north * ahead[..., 0]
        still = np.sqrt(np.maximum(0.0, self.airspeed_m_s**2 - across**2))
        speed = np.minimum(self.speed_m_s, along + still)
        v = np.maximum(speed, _SLOWEST_M_S)
        accel = self.accel_m_s2
        seconds = np.where(
            length >= v * v / accel, length / v + v / accel, 2 * np.sqrt(length / accel)
        )
        hopeless = (speed < _SLOWEST_M_S) & (length > 1e-9)
        return np.where(hopeless, np.inf, np.where(length < 1e-9, 0.0, seconds))

    def way_s(self, spots: Sequence[Spot]) -> float:
        """Seconds for a polyline; the drone stops at each of its corners."""
        way = straightened(spots)
        return float(self.leg_s(way[:-1], way[1:]).sum()) if len(way) > 1 else 0.0

    def sortie_s(self, spots: Sequence[Spot]) -> float:
        """Seconds in the air of a sortie along ``spots``."""
        return self.takeoff_s + self.way_s(spots) + self.landing_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """An area to be seen once, and the drones for it.

    Args:
        area: what is to be seen; parts in ``no_fly`` need not be.
        fence: what no drone may leave; may be wider than the area.
        docks: where each drone starts and lands.
        width_m, length_m: what the camera sees across and along its flight.
        share: of the area, that must have been seen.
    """

    area: BaseGeometry
    no_fly: BaseGeometry
    fence: BaseGeometry
    docks: tuple[Spot, ...]
    flight: Flight
    width_m: float
    length_m: float
    share: float = 0.995

    @property
    def target(self) -> BaseGeometry:
        """What has to be seen."""
        return self.area.difference(self.no_fly)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyPlan:
    """Sorties, each a polyline from dock to dock, by drone.

    Args:
        finish_s: when each drone has landed for the last time.
        seen: share of the area under the footprints of all legs.
    """

    sorties: tuple[tuple[tuple[Spot, ...], ...], ...]
    finish_s: tuple[float, ...]
    seen: float

    @property
    def makespan_s(self) -> float:
        """From the first take-off to the last landing."""
        return max(self.finish_s, default=0.0)


def straightened(spots: Sequence[Spot]) -> NDArray[np.float64]:
    """A polyline without the corners at which it goes straight on, (n, 2)."""
    kept: list[Spot] = []
    for spot in spots:
        if kept and np.hypot(spot[0] - kept[-1][0], spot[1] - kept[-1][1]) < 1e-6:
            continue
        if len(kept) > 1 and _straight_on(kept[-2], kept[-1], spot):
            kept[-1] = spot
        else:
            kept.append(spot)
    return np.array(kept, dtype=float).reshape(-1, 2)


def footprints(ways: Sequence[Sequence[Spot]], width_m: float, length_m: float) -> BaseGeometry:
    """All that is seen along polylines: a rectangle a leg, half a footprint longer at each end."""
    legs = [leg for way in ways for leg in pairwise(straightened(way).tolist())]
    if not legs:
        return shapely.Polygon()
    ends = np.array(legs)
    way = ends[:, 1] - ends[:, 0]
    ahead = way / np.hypot(way[:, 0], way[:, 1])[:, None]
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * width_m / 2
    first, last = ends[:, 0] - ahead * length_m / 2, ends[:, 1] + ahead * length_m / 2
    corners = np.stack([first + left, last + left, last - left, first - left], axis=1)
    return shapely.union_all(shapely.polygons(corners))


def _straight_on(before: Spot, here: Spot, after: Spot) -> bool:
    ux, uy = here[0] - before[0], here[1] - before[1]
    vx, vy = after[0] - here[0], after[1] - here[1]
    size = float(np.hypot(ux, uy) * np.hypot(vx, vy))
    return abs(ux * vy - uy * vx) < 1e-9 * size + 1e-9 and ux * vx + uy * vy > 0
