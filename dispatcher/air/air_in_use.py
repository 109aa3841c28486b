"""Who is in the air with which flight, and whose flights are in each other's way.

Two flights can meet where one climbs or comes down, above its pads, and anywhere on their ways if
they cruise in the same layer of air (`VehicleSpec.cruise_agl_m`); not if one has passed above the
other's pad some seconds before the other could come down there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shapely import LineString
from shapely import Point as Spot
from shapely.geometry.base import BaseGeometry

from dispatcher.air.passing import COLUMN_M, AirTimes, Passage, passage_over
from fleet.mission import Waypoint
from fleet.vehicle import VehicleId
from routing.geometry import Point

LAYER_M = 6.0
"""Flights whose heights differ by less are in the same layer."""
AHEAD_S = 5.0
"""So long before another one could land, who passes above its pad must be past."""


@dataclass(frozen=True, slots=True)
class FlightAir:
    """The air that one flight takes: its way, and the columns where it climbs and comes down."""

    vehicle: VehicleId
    line: BaseGeometry
    columns: tuple[Spot, ...]
    height_m: float
    passage: Passage | None = None
    """Where it may pass above the pads of others in good time."""
    rest: BaseGeometry | None = None
    """What comes after that."""
    key: object = field(default_factory=object)
    """Whose right it is: of one that is widened in flight, the same."""

    def beside(self, other: "FlightAir") -> bool:
        """Whether both pass one spot in the same layer."""
        same_layer = abs(self.height_m - other.height_m) < LAYER_M
        return same_layer and self.line.distance(other.line) < COLUMN_M

    def below(self, other: "FlightAir") -> list[Spot]:
        """Above which pads where it climbs or comes down another one passes."""
        return [column for column in self.columns if column.distance(other.line) < COLUMN_M]

    def comes_back_over(self, column: Spot) -> bool:
        """Whether it is above a pad outside of its passage, too."""
        return self.rest is None or self.rest.distance(column) < COLUMN_M

    def with_way_back(self, back: LineString) -> "FlightAir":
        """The same flight with another way down."""
        return replace(
            self,
            line=self.line.union(back),
            columns=(*self.columns, Spot(back.coords[-1])),
            rest=back if self.rest is None else self.rest.union(back),
        )


@dataclass(frozen=True, slots=True)
class Crossing:
    """One drone in the air is to pass above a pad where another one in the air is to land."""

    passer: VehicleId
    lander: VehicleId
    pad: Spot
    passage: Passage


class AirInUse:
    """The flights of one site that are in the air, or about to be.

    Args:
        times: how soon drones could be somewhere; None = nobody passes before another lands.
        news: set whenever a flight takes air.
    """

    def __init__(self, times: AirTimes | None, news: asyncio.Event) -> None:
        self._times, self._news = times, news
        self._heights_m: dict[VehicleId, float] = {}
        self._flights: dict[VehicleId, FlightAir] = {}
        self._back: dict[VehicleId, LineString] = {}
        """Who comes back off its flight, and by which way."""

    def add(self, vehicle: VehicleId, height_m: float) -> None:
        """A drone that cruises at a height above the site's zero."""
        self._heights_m[vehicle] = height_m

    def flight(self, vehicle: VehicleId, route: Sequence[Waypoint], passes: int = 0) -> FlightAir:
        """The air of a flight that lands at its end, and climbs at its start if it stands there."""
        points = [(waypoint.point.x_m, waypoint.point.y_m) for waypoint in route]
        ends = points[-1:] if route[0].height_agl_m else (points[0], points[-1])
        passage = passage_over([waypoint.point for waypoint in route[: passes + 1]])
        return FlightAir(
            vehicle,
            LineString(points),
            tuple(Spot(end) for end in ends),
            self._heights_m[vehicle],
            passage,
            LineString(points[passes:]) if passage is not None else None,
        )

    def of(self, vehicle: VehicleId) -> FlightAir | None:
        """What a drone has; None = nothing."""
        return self._flights.get(vehicle)

    def put(self, flight: FlightAir) -> None:
        """A flight has its air from now on, in place of what its drone had."""
        back = self._back.get(flight.vehicle)
        self._flights[flight.vehicle] = flight if back is None else flight.with_way_back(back)
        self._news.set()

    def drop(self, vehicle: VehicleId) -> bool:
        """A drone needs its air no more; False = it had none."""
        return self._flights.pop(vehicle, None) is not None

    def comes_back(self, vehicle: VehicleId, here: Point, pad: Point) -> None:
        """A drone comes back to a pad unasked; its flight keeps its own air, too."""
        if vehicle not in self._back:
            self._back[vehicle] = LineString([(here.x_m, here.y_m), (pad.x_m, pad.y_m)])
            if vehicle in self._flights:
                self.put(self._flights[vehicle])

    def has_come_back(self, vehicle: VehicleId) -> None:
        """It is down, or flies as it is told again."""
        self._back.pop(vehicle, None)

    def crossings(self) -> list[Crossing]:
        """All that have not passed yet above a pad where somebody is to land."""
        return [
            Crossing(passer.vehicle, lander.vehicle, pad, passer.passage)
            for passer in self._flights.values()
            if passer.passage is not None
            for lander in self._flights.values()
            if lander is not passer
            for pad in lander.below(passer)
            if passer.passage.reach_m(pad) is not None and not self._is_past(passer, pad)
        ]

    def in_the_way(self, flight: FlightAir) -> list[VehicleId]:
        """Who has air that a flight would need, too."""
        others = (other for other in self._flights.values() if other.vehicle != flight.vehicle)
        return [other.vehicle for other in others if self._meet(flight, other)]

    def _meet(self, one: FlightAir, other: FlightAir) -> bool:
        """Whether one passes where the other does, climbs or comes down, at a time when it may."""
        if one.beside(other):
            return True
        pairs = ((one, other), (other, one))
        return any(
            not self._passes_first(passer, lander, pad)
            for passer, lander in pairs
            for pad in lander.below(passer)
        )

    def _passes_first(self, passer: FlightAir, lander: FlightAir, pad: Spot) -> bool:
        """Whether one is past a pad in good time before the other can land there."""
        if self._times is None or passer.passage is None or passer.comes_back_over(pad):
            return False
        past_s = self._times.past_s(passer.vehicle, passer.passage, pad)
        return not past_s or past_s + AHEAD_S <= self._times.soonest_s(lander.vehicle, pad)

    def _is_past(self, passer: FlightAir, pad: Spot) -> bool:
        times, passage = self._times, passer.passage
        return times is None or passage is None or not times.past_s(passer.vehicle, passage, pad)
