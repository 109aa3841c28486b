"""A route as the mission items that an autopilot flies, and back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mission import Action, ActionKind, Waypoint
from routing.geometry import GeoPoint, LocalFrame

_RELATIVE = (mav.MAV_FRAME_GLOBAL_RELATIVE_ALT, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)
_POSITION_TOLERANCE_E7 = 10
_HEIGHT_TOLERANCE_M = 0.05
_SECONDS_IN_PARAM_1 = (mav.MAV_CMD_NAV_LOITER_TIME,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One mission item, in the wire's own units: 1e-7 degrees, metres above home."""

    command: int
    frame: int = mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
    params: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    lat_e7: int = 0
    lon_e7: int = 0
    z_m: float = 0.0

    def same(self, other: "Item") -> bool:
        """Whether both make the drone do the same; autopilots round what they store."""
        return (
            self.command == other.command
            and _same_frame(self.frame, other.frame)
            and abs(self.lat_e7 - other.lat_e7) <= _POSITION_TOLERANCE_E7
            and abs(self.lon_e7 - other.lon_e7) <= _POSITION_TOLERANCE_E7
            and abs(self.z_m - other.z_m) <= _HEIGHT_TOLERANCE_M
            and self._seconds() == other._seconds()
        )

    def _seconds(self) -> int:
        counts = self.command in _SECONDS_IN_PARAM_1 and math.isfinite(self.params[0])
        return round(self.params[0]) if counts else 0


HOME = Item(command=mav.MAV_CMD_NAV_WAYPOINT, frame=mav.MAV_FRAME_GLOBAL)
"""Stands for item 0 where an autopilot keeps none for home."""


def _same_frame(one: int, other: int) -> bool:
    return one == other or (one in _RELATIVE and other in _RELATIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightPlan:
    """A route as mission items.

    Args:
        items: item 0 is a dummy that ArduPilot replaces by its home.
        waypoint_at: index of the route's waypoint that an item (by its number) brings it to.
    """

    items: tuple[Item, ...]
    waypoint_at: Mapping[int, int] = field(default_factory=dict[int, int])

    def same_flight(self, held: Sequence[Item]) -> bool:
        """Whether the items that a drone holds are this flight; item 0 is the drone's own."""
        return len(held) == len(self.items) and all(
            ours.same(theirs) for ours, theirs in zip(self.items[1:], held[1:], strict=True)
        )

    def item_of(self, waypoint: int) -> int:
        """Number of the item that brings the drone to a waypoint of the route, or beyond it."""
        return min(number for number, w in self.waypoint_at.items() if w >= waypoint)

    def reached(self, item: int) -> int:
        """Index of the last waypoint that lies behind a drone which has finished ``item``."""
        return max((w for number, w in self.waypoint_at.items() if number <= item), default=0)


def flight_plan(
    route: Sequence[Waypoint],
    actions: Sequence[Action],
    frame: LocalFrame,
    *,
    cruise_agl_m: float,
) -> FlightPlan:
    """The items for a flight: home, take off, fly the route, look around, land at its end.

    A route that begins in the air has no take-off: the drone joins it from where it is.
    Heights count from the pad where the drone took off. Waypoints without a height of their own
    are flown at ``cruise_agl_m``. Observations are made above the last waypoint, or above
    ``route[facts["waypoint"]]`` where an action says so.

    Args:
        route: at least two waypoints; ValueError otherwise.
    """
    if len(route) < 2:
        raise ValueError("a flight needs a waypoint to fly to")
    looks = _looks(route, actions)
    start, last = route[0], len(route) - 1
    items = [
        _item(mav.MAV_CMD_NAV_WAYPOINT, frame, start, 0.0, mav_frame=mav.MAV_FRAME_GLOBAL),
    ]
    if not start.height_agl_m:
        height_m = _height_m(route[1], cruise_agl_m)
        items.append(_item(mav.MAV_CMD_NAV_TAKEOFF, frame, start, height_m))
    waypoint_at: dict[int, int] = {}
    for index, waypoint in enumerate(route[1:], start=1):
        height_m, look_s = _height_m(waypoint, cruise_agl_m), looks.get(index, 0.0)
        if look_s:
            seconds = float(math.ceil(look_s))
            items.append(
                _item(mav.MAV_CMD_NAV_LOITER_TIME, frame, waypoint, height_m, first=seconds)
            )
        elif index < last:
            items.append(_item(mav.MAV_CMD_NAV_WAYPOINT, frame, waypoint, height_m))
        if index < last:
            waypoint_at[len(items) - 1] = index
    items.append(_item(mav.MAV_CMD_NAV_LAND, frame, route[last], 0.0))
    waypoint_at[len(items) - 1] = last
    return FlightPlan(items=tuple(items), waypoint_at=waypoint_at)


def _looks(route: Sequence[Waypoint], actions: Sequence[Action]) -> dict[int, float]:
    """How many seconds to look around at which waypoint."""
    looks: dict[int, float] = {}
    for action in actions:
        if action.kind is ActionKind.OBSERVE:
            index = int(action.facts.get("waypoint", len(route) - 1))
            if not 0 < index < len(route):
                raise ValueError(f"action {action.id} observes at waypoint {index} of {len(route)}")
            looks[index] = looks.get(index, 0.0) + action.duration_s
    return looks


def _height_m(waypoint: Waypoint, cruise_agl_m: float) -> float:
    return waypoint.height_agl_m or cruise_agl_m


def _item(
    command: int,
    frame: LocalFrame,
    waypoint: Waypoint,
    z_m: float,
    *,
    first: float = 0.0,
    mav_frame: int = mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
) -> Item:
    lat_e7, lon_e7 = to_e7(frame.to_geo(waypoint.point))
    return Item(
        command=command,
        frame=mav_frame,
        params=(first, 0.0, 0.0, 0.0),
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        z_m=z_m,
    )


def to_e7(geo: GeoPoint) -> tuple[int, int]:
    """Latitude and longitude in 1e-7 degrees."""
    return round(geo.lat_deg * 1e7), round(geo.lon_deg * 1e7)


def from_e7(lat_e7: int, lon_e7: int) -> GeoPoint:
    """The spot that 1e-7 degrees mean."""
    return GeoPoint(lat_e7 / 1e7, lon_e7 / 1e7)
