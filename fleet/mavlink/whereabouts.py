"""Where a drone is on the site, and on which of its pads it stands."""

import math
from collections.abc import Sequence

from fleet.mavlink.telemetry import Telemetry
from fleet.vehicle import Position
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import Node


class Whereabouts:
    """Turns a drone's own words into the site's.

    Args:
        home: its own pad, where it is taken to be while it sleeps.
        pads: the others; all heights are counted from the pad where it took off.
        radius_m: how far from a pad's middle a landed drone still stands on it.
    """

    def __init__(
        self,
        said: Telemetry,
        frame: LocalFrame,
        home: Node,
        pads: Sequence[Node],
        radius_m: float,
    ) -> None:
        self._said, self._frame, self._radius_m = said, frame, radius_m
        self.home = home
        self._pads = (home, *(pad for pad in pads if pad.id != home.id))
        self._last: tuple[GeoPoint, Point] | None = None

    @property
    def known(self) -> bool:
        """Whether it has ever said where it is."""
        return self._said.geo is not None

    def at_home(self) -> Position:
        """Where it is while it sleeps."""
        return Position(level=self.home.level, point=self.home.point)

    def position(self) -> Position | None:
        """Where it says it is."""
        point = self.point()
        if point is None:
            return None
        pad = self.pad()
        heading_rad = self._said.heading_rad or 0.0
        return Position(
            level=pad.level if pad else self.home.level,
            point=point,
            yaw_rad=math.pi / 2 - heading_rad + math.radians(self._frame.bearing_deg),
            height_agl_m=max(0.0, self._said.height_agl_m),
        )

    def point(self) -> Point | None:
        """The spot of the site that it says it is above."""
        geo = self._said.geo
        if geo is None:
            return None
        if self._last is None or self._last[0] is not geo:
            self._last = geo, self._frame.to_point(geo)
        return self._last[1]

    def pad(self) -> Node | None:
        """The pad that it stands on; None in the air, or on no pad."""
        point = self.point()
        if point is None or self._said.airborne:
            return None
        pad = min(self._pads, key=lambda node: node.point.distance_m(point))
        return pad if self._near(pad.point) else None

    def stands_at(self, goal: Point) -> bool:
        """Whether it stands on the ground at ``goal``."""
        return self._near(goal) and not self._said.airborne

    def _near(self, goal: Point) -> bool:
        point = self.point()
        return point is not None and point.distance_m(goal) <= self._radius_m
