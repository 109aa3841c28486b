"""Passing above a pad before somebody comes down there: how long each of the two needs at least.

All seconds count from now. Who is to land is reckoned the quickest that it could be, whatever it
was told: straight to its pad from where it was last heard, in the luckiest wind. Who passes is
reckoned as it is expected to fly, from rest to rest.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shapely import LineString
from shapely import Point as Spot
from shapely.ops import substring

from dispatcher.air.air_pace import AirPace
from fleet.mission import Mission
from fleet.vehicle import VehicleId, VehicleSpec, VehicleState
from routing.geometry import Point

COLUMN_M = 9.0
"""Radius of the column of air above a pad that a climbing or landing drone needs."""
LAUNCH_S = 3.0
"""From the command to leaving the ground, for a drone with power."""
WAKE_S = 15.0
"""From power to a position that the autopilot trusts."""
POSITION_S = 1.0
"""A position may be so much older than the word that came last."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The part of a flight on which it may pass above the pads of others: without any stay."""

    line: LineString

    def reach_m(self, pad: Spot) -> tuple[float, float] | None:
        """From where to where along it the column above a pad is passed; None = it isn't."""
        inside = self.line.intersection(pad.buffer(COLUMN_M))
        if inside.is_empty:
            return None
        ends = [self.line.project(Spot(corner)) for corner in _corners(inside)]
        return min(ends), max(ends)


class AirTimes:
    """Times of the drones of one site.

    Args:
        state, spec: of a vehicle.
        pace: how fast one flies in the wind of this minute.
        now_s: loop second.
    """

    def __init__(
        self,
        state: Callable[[VehicleId], VehicleState],
        spec: Callable[[VehicleId], VehicleSpec],
        pace: Callable[[VehicleSpec], AirPace],
        now_s: Callable[[], float],
    ) -> None:
        self._state, self._spec, self._pace, self._now_s = state, spec, pace, now_s

    def soonest_s(self, vehicle: VehicleId, pad: Spot) -> float:
        """Before this a drone can't come down on a pad; 0 if it is not in the air."""
        state = self._state(vehicle)
        if not state.airborne or state.position is None or state.heard_at_s is None:
            return 0.0
        pace, age_s = self._pace(self._spec(vehicle)), self._now_s() - state.heard_at_s
        least_s = pace.least_s(state.position.point, Point(pad.x, pad.y))
        return max(0.0, least_s - age_s - POSITION_S)

    def enters_s(self, vehicle: VehicleId, passage: Passage, pad: Spot) -> float:
        """When who passes comes into the column above a pad; 0 once it is there."""
        reach = passage.reach_m(pad)
        return math.inf if reach is None else self._until_s(vehicle, passage, reach[0])

    def past_s(self, vehicle: VehicleId, passage: Passage, pad: Spot) -> float:
        """When who passes has left the column above a pad; 0 once it has."""
        reach = passage.reach_m(pad)
        return 0.0 if reach is None else self._until_s(vehicle, passage, reach[1])

    def _until_s(self, vehicle: VehicleId, passage: Passage, along_m: float) -> float:
        state, spec = self._state(vehicle), self._spec(vehicle)
        if state.position is None:
            return math.inf
        here_m = passage.line.project(Spot(state.position.point.x_m, state.position.point.y_m))
        if here_m >= along_m:
            return 0.0
        height_m = state.position.height_agl_m if state.airborne else 0.0
        ahead = [Point(x, y) for x, y in substring(passage.line, here_m, along_m).coords]
        wake_s = WAKE_S if state.powered_down else 0.0
        launch_s = 0.0 if state.airborne else LAUNCH_S + wake_s
        climb_s = max(0.0, spec.cruise_agl_m - height_m) / spec.climb_m_s
        return launch_s + climb_s + self._pace(spec).expected_s(ahead)


def passage_over(points: Sequence[Point]) -> Passage | None:
    """The passage along a way; None for one without length."""
    spots = [(point.x_m, point.y_m) for point in points]
    return Passage(LineString(spots)) if len(set(spots)) > 1 else None


def passes_of(mission: Mission) -> int:
    """Up to which waypoint a flight to an incident makes no stay; 0 for all other missions."""
    stays = (int(a.facts["waypoint"]) for a in mission.actions if "incident" in a.facts)
    return next(stays, 1) - 1


def _corners(shape: object) -> list[tuple[float, float]]:
    parts = getattr(shape, "geoms", [shape])
    return [(x, y) for part in parts for x, y in part.coords]
