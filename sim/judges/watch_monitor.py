"""Judges watches by what cameras really saw: the bodies' footprints on the ground, over time.

It knows of a watch what the request says, and of drones and robots where they are; nothing of
posts, shifts or what anybody believes.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatcher.domain.task import Patrol
from fleet.mission import Action, ActionKind
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.site import AirKind, Airspace, NodeId
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import Observer, World

LOOK_S = 1.0
CELL_M = 5.0
CELLS_MOST = 20_000
CAMERA_M_PER_M = 1.2
"""Width of what a camera sees, per metre of height: a lens of 62 degrees, straight down."""
LEAST_HEIGHT_M = 15.0
"""Below it a drone climbs or lands, and looks at nothing."""
SETTLE_S = 300.0
"""So long after its begin everything must have been seen once, as if it had been seen then."""


@dataclass(slots=True)
class _Watched:
    """One watch: spots, and when each was seen last."""

    revisit_s: float
    begins_s: float
    ends_s: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    nodes: tuple[NodeId, ...]
    seen_s: NDArray[np.float64]
    closed: tuple[tuple[Airspace, NDArray[np.bool_]], ...] = ()
    gap_s: float = 0.0
    worst_idle_s: float = 0.0


@dataclass(slots=True)
class WatchFigures:
    """How well all watches of a run were kept."""

    gap_s: float = 0.0
    """For how long in all something was unseen for longer than its revisit time."""
    worst_idle_s: float = 0.0
    by_task: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])


class WatchMonitor(Observer):
    """Looks once a second while a watch is on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watched: dict[str, _Watched] = {}
        self._last: dict[VehicleId, Point] = {}
        self._news = Signal()

    def asked(self, task: str, spec: Patrol, begins_s: float, ends_s: float) -> None:
        """Somebody wants a watch, from one loop second to another."""
        if spec.revisit_s is None or task in self._watched:
            return
        nodes = tuple(self._world.site.places[place].node for place in spec.points)
        spots = [self._world.site.nodes[node].point for node in nodes]
        closed: tuple[tuple[Airspace, NDArray[np.bool_]], ...] = ()
        if not nodes:
            spots, closed = self._cells(spec)
        x, y = np.array([p.x_m for p in spots]), np.array([p.y_m for p in spots])
        self._watched[task] = _Watched(
            revisit_s=spec.revisit_s,
            begins_s=begins_s,
            ends_s=ends_s,
            x=x,
            y=y,
            nodes=nodes,
            seen_s=np.full(len(spots), begins_s + SETTLE_S),
            closed=closed,
        )
        self._news.fire()

    def ended(self, task: str, at_s: float) -> None:
        """Nobody wants it any more."""
        if task in self._watched:
            self._watched[task].ends_s = min(self._watched[task].ends_s, at_s)

    def figures(self) -> WatchFigures | None:
        """How well the watches were kept; None = there was none."""
        if not self._watched:
            return None
        each = {
            task: (round(one.gap_s, 1), round(one.worst_idle_s, 1))
            for task, one in self._watched.items()
        }
        return WatchFigures(
            gap_s=round(sum(gap_s for gap_s, _ in each.values()), 1),
            worst_idle_s=max(idle_s for _, idle_s in each.values()),
            by_task=each,
        )

    async def run(self) -> None:
        """Watch; runs until cancelled."""
        while True:
            now_s = asyncio.get_running_loop().time()
            if any(one.ends_s > now_s for one in self._watched.values()):
                self.look(now_s)
                await asyncio.sleep(LOOK_S)
            else:
                await self._news.wait()

    def acted(self, body: GroundBody, action: Action) -> None:
        """A robot has looked around where it stands."""
        now_s = asyncio.get_running_loop().time()
        if action.kind is ActionKind.OBSERVE:
            for one in self._watched.values():
                for number, node in enumerate(one.nodes):
                    if node == body.node:
                        self._see(one, np.array([number]), now_s)

    def look(self, now_s: float) -> None:
        """Judge the second that has gone by."""
        flown = list(self._flown())
        for one in self._watched.values():
            if not one.begins_s <= now_s < one.ends_s + LOOK_S:
                continue
            for space, under in one.closed:
                if space.in_force(self._world.hindrances.clock_s()):
                    one.seen_s[under] = np.maximum(one.seen_s[under], now_s)
            for start, goal, reach_m in flown:
                self._see(one, _under(one, start, goal, reach_m), now_s)
            idle_s = now_s - float(one.seen_s.min()) if len(one.seen_s) else 0.0
            one.worst_idle_s = max(one.worst_idle_s, idle_s)
            if idle_s > one.revisit_s:
                one.gap_s += LOOK_S

    def _see(self, one: _Watched, which: NDArray[np.int64], now_s: float) -> None:
        one.seen_s[which] = np.maximum(one.seen_s[which], now_s)

    def _flown(self) -> Iterable[tuple[Point, Point, float]]:
        """What each aircraft flew since the last look, and half of the width that it saw."""
        for vehicle, aircraft in self._world.aircraft.items():
            position = aircraft.position()
            height_m = self._world.agl_m(aircraft, position)
            if not aircraft.airborne or height_m < LEAST_HEIGHT_M:
                self._last.pop(vehicle, None)
                continue
            here = position.point
            yield self._last.get(vehicle, here), here, CAMERA_M_PER_M * height_m / 2
            self._last[vehicle] = here

    def _cells(
        self, spec: Patrol
    ) -> tuple[list[Point], tuple[tuple[Airspace, NDArray[np.bool_]], ...]]:
        """The middles of the cells of an area, and which lie where nobody may fly at some hours."""
        spaces = self._world.site.airspaces
        shape = _shape(spaces[spec.area]) if spec.area is not None else _drawn(spec)
        closed = [s for s in spaces.values() if s.kind is AirKind.NO_FLY]
        for space in closed:
            if not space.hours:
                shape = shape.difference(_shape(space))
        low_x, low_y, high_x, high_y = shape.bounds
        step_m = max(CELL_M, math.sqrt((high_x - low_x) * (high_y - low_y) / CELLS_MOST))
        xs, ys = np.meshgrid(
            np.arange(low_x + step_m / 2, high_x, step_m),
            np.arange(low_y + step_m / 2, high_y, step_m),
        )
        within = shapely.contains_xy(shape, xs.ravel(), ys.ravel())
        x, y = xs.ravel()[within], ys.ravel()[within]
        timed = tuple(
            (space, np.asarray(shapely.contains_xy(_shape(space), x, y)))
            for space in closed
            if space.hours
        )
        return [Point(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)], timed


def _under(one: _Watched, start: Point, goal: Point, reach_m: float) -> NDArray[np.int64]:
    """The spots that a square picture saw on its way from one point to another."""
    dx, dy = goal.x_m - start.x_m, goal.y_m - start.y_m
    length_m = math.hypot(dx, dy)
    ux, uy = (dx / length_m, dy / length_m) if length_m > 1e-9 else (1.0, 0.0)
    x, y = one.x - start.x_m, one.y - start.y_m
    along, across = x * ux + y * uy, x * uy - y * ux
    seen = (np.abs(across) <= reach_m) & (along >= -reach_m) & (along <= length_m + reach_m)
    return np.flatnonzero(seen)


def _shape(space: Airspace) -> BaseGeometry:
    return _polygon(space.outline, space.holes)


def _drawn(spec: Patrol) -> BaseGeometry:
    if spec.drawn is None:
        return Polygon()
    return _polygon(spec.drawn.outline, spec.drawn.holes)


def _polygon(outline: Sequence[Point], holes: Sequence[Sequence[Point]]) -> BaseGeometry:
    rings = [[(p.x_m, p.y_m) for p in hole] for hole in holes]
    return Polygon([(p.x_m, p.y_m) for p in outline], rings)


def as_summary(figures: WatchFigures) -> Mapping[str, object]:
    """The part of a run's summary that speaks of watches."""
    return {
        "gap_s": figures.gap_s,
        "worst_idle_s": figures.worst_idle_s,
        "by_task": {
            task: {"gap_s": gap_s, "worst_idle_s": idle_s}
            for task, (gap_s, idle_s) in figures.by_task.items()
        },
    }
