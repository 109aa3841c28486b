"""Watches the air: fences, closed volumes, reserves, and the distance between aircraft."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import combinations

import shapely
from shapely.geometry import Polygon

from fleet.vehicle import Position, VehicleId
from routing.geometry import Point
from routing.site import AirKind, Airspace, Role
from sim.judges.separation import Track, nearest_m
from sim.world.signal import Signal
from sim.world.world import Aircraft, World

LOOK_S = 1.0
RESERVE_SLACK = 0.005
"""A battery's own word is no finer than a hundredth."""
SLACK_M = 1.0
"""How far a fence may be overstepped before it counts."""
PAD_M = 15.0
"""So near to a pad a drone may be low: it climbs or comes down."""


class _Volume:
    def __init__(self, space: Airspace, slack_m: float) -> None:
        holes = [[(p.x_m, p.y_m) for p in hole] for hole in space.holes]
        outline = Polygon([(p.x_m, p.y_m) for p in space.outline], holes)
        self._polygon = outline.buffer(slack_m)
        shapely.prepare(self._polygon)
        self._floor_m = space.floor_agl_m - max(0.0, slack_m)
        self._ceiling_m = space.ceiling_agl_m + max(0.0, slack_m)
        self.id = space.id
        self.in_force = space.in_force

    def holds(self, point: Point, height_agl_m: float) -> bool:
        if not self._floor_m <= height_agl_m <= self._ceiling_m:
            return False
        return bool(shapely.contains_xy(self._polygon, point.x_m, point.y_m))


class Sky:
    """Looks once a second while anything flies; each incident counts once, when it begins.

    Distances are judged for all of the second that has gone by, not only for its end.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        spaces = world.site.airspaces.values()
        self._fences = [_Volume(s, SLACK_M) for s in spaces if s.kind is AirKind.GEOFENCE]
        self._closed = [_Volume(s, 0.0) for s in spaces if s.kind is AirKind.NO_FLY]
        self._reserves = {
            id_: one.spec.energy.reserve_ratio - RESERVE_SLACK
            for id_, one in world.aircraft.items()
        }
        self._pads = [world.site.nodes[p.node].point for p in world.site.with_role(Role.PAD)]
        self._present: dict[tuple[str, str], None] = {}
        self._before: dict[VehicleId, tuple[float, float, float]] = {}
        """Where they were in the last look, those who flew."""
        self._risen = Signal()

    async def run(self) -> None:
        """Watch; runs until cancelled."""
        for aircraft in self._world.aircraft.values():
            aircraft.changed.listen(self._risen.fire)
        while True:
            if self.look():
                await asyncio.sleep(LOOK_S)
            else:
                await self._risen.wait()

    def look(self) -> bool:
        """Judge the present moment; returns whether anybody flies."""
        flying = [
            (aircraft, aircraft.position())
            for aircraft in self._world.aircraft.values()
            if aircraft.airborne
        ]
        clock_s = self._world.hindrances.clock_s()
        found: dict[tuple[str, str], str] = {}
        for aircraft, position in flying:
            name = aircraft.id
            height_m, is_low = self._height(aircraft, position)
            place = position.point, height_m
            if is_low:
                where = _where(position)
                found["airspace", f"{name} low"] = f"{name} is {height_m:.1f} m high {where}"
            if self._fences and not any(fence.holds(*place) for fence in self._fences):
                found["geofence", name] = f"{name} has left the fence {_where(position)}"
            if aircraft.charge_ratio() < self._reserves[name]:
                found["reserve", name] = f"{name} flies on its reserve {_where(position)}"
            for volume in self._closed:
                if volume.in_force(clock_s) and volume.holds(*place):
                    what = f"{name} is in {volume.id} {_where(position)}"
                    found["airspace", f"{name} {volume.id}"] = what
        found.update(self._near(self._tracks(flying)))
        for (kind, who), what in found.items():
            if (kind, who) not in self._present:
                self._world.violate(kind, what)
        self._present = dict.fromkeys(found)
        return bool(flying)

    def _height(self, aircraft: Aircraft, at: Position) -> tuple[float, bool]:
        """Metres above the ground, and whether the site wants more than that on the way.

        Above a pad, bodies climb and land as if it were level with home.
        """
        height_m, terrain = self._world.agl_m(aircraft, at), self._world.site.terrain
        if terrain is None:
            return height_m, False
        if self._over_pad(at.point):
            return max(0.0, height_m), False
        return height_m, height_m < terrain.keep_agl_m - SLACK_M

    def _over_pad(self, point: Point) -> bool:
        return any(point.distance_m(pad) <= PAD_M for pad in self._pads)

    def _tracks(self, flying: Iterable[tuple[Aircraft, Position]]) -> dict[VehicleId, Track]:
        """How those have flown since the last look who fly now; who has just risen, from here."""
        here = {
            one.id: (at.point.x_m, at.point.y_m, self._world.amsl_m(one, at)) for one, at in flying
        }
        tracks = {name: Track(*self._before.get(name, spot), *spot) for name, spot in here.items()}
        self._before = here
        return tracks

    @staticmethod
    def _near(tracks: Mapping[VehicleId, Track]) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for (one, here), (other, there) in combinations(tracks.items(), 2):
            apart_m = nearest_m(here, there)
            if apart_m is not None:
                found["airspace", f"{one} {other}"] = f"{one} and {other} are {apart_m:.1f} m apart"
        return found


def _where(position: Position) -> str:
    return f"at {position.point.x_m:.1f}, {position.point.y_m:.1f}"
