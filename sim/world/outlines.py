"""The ground that bodies cover: rectangles, and what they sweep on a straight leg."""

import math
from typing import Protocol

from shapely import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from fleet.vehicle import Position, VehicleSpec
from routing.geometry import Point


class Outlined(Protocol):
    """A body, as far as it covers ground."""

    @property
    def spec(self) -> VehicleSpec:
        """How wide and long it is."""
        ...

    @property
    def heads_for(self) -> Point | None:
        """Where its leg ends; None = it stands."""
        ...

    def position(self) -> Position:
        """Where it is now."""
        ...


def gap_m(one: Outlined, other: Outlined) -> float:
    """How far two bodies on one level are from each other at this moment; 0 = they touch."""
    return standing(one).distance(standing(other))


def standing(body: Outlined) -> BaseGeometry:
    """What a body covers at this moment."""
    position = body.position()
    return Polygon(_corners(body, position.point, position.yaw_rad))


def swept(body: Outlined) -> BaseGeometry:
    """What a body covers from now to the end of its leg."""
    position = body.position()
    corners = _corners(body, position.point, position.yaw_rad)
    if body.heads_for is not None:
        corners += _corners(body, body.heads_for, position.yaw_rad)
    return MultiPoint(corners).convex_hull


def _corners(body: Outlined, at: Point, yaw_rad: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    length_m, width_m = body.spec.length_m / 2, body.spec.width_m / 2
    sides = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    return [
        (
            at.x_m + a * length_m * cos - b * width_m * sin,
            at.y_m + a * length_m * sin + b * width_m * cos,
        )
        for a, b in sides
    ]
