"""What it takes to see all of an area once by several flights, and its parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatcher.air.air_pace import AirPace
from dispatcher.air.area_lines import (
    FOOTPRINT_M_PER_M,
    LENGTH_M_PER_M,
    closed_air,
    plainer,
    unseen,
    within,
)
from dispatcher.air.site_air import SiteAir
from dispatcher.domain.shifts import MARGIN, SET_OUT_S
from dispatcher.domain.task import AreaPart, AreaParts
from fleet.vehicle import VehicleId, VehicleSpec
from routing.air.drawn import DrawnArea
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import NodeId, Site
from routing.survey.case import Flight, Survey
from routing.survey.parts import PartsPlan, quickest_s

CHARGED = 0.9
"""Flights are planned for batteries that hold so much of their capacity."""
FAR_M = 10_000.0
"""A leg on which starting and stopping hardly count."""
KEPT = 500
"""Estimates that are remembered."""
MOST_FLIGHTS = 100
"""An area that takes more is refused."""
SHARED_BY = 0.25
"""Several drones share what one could see in one flight if all is seen by this share sooner,"""
SHARED_S = 180.0
"""and by so much: each of them has to climb, get there and come home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """About what an area takes.

    Args:
        seconds: with all drones that are worth it.
        flights: of all of them together.
    """

    seconds: float
    flights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drone:
    """One that could take part: where it stands."""

    spec: VehicleSpec
    stand: NodeId


class SurveyPlans:
    """Puts areas and drones of one site as surveys, and reads the answers."""

    def __init__(self, site: Site, air: SiteAir) -> None:
        self._site, self._air = site, air
        self._known: dict[tuple[object, ...], Estimate] = {}

    def at_home(self, specs: Sequence[VehicleSpec]) -> list[Drone]:
        """Drones in their docks."""
        return [Drone(spec=spec, stand=self._site.places[spec.home].node) for spec in specs]

    def estimate(self, area: DrawnArea, specs: Sequence[VehicleSpec]) -> Estimate:
        """A guess in milliseconds, kept for who asks the same again; raises Unreachable."""
        wind_m_s, over = self._air.wind.careful_m_s, self._air.over()
        key = (area, *specs, wind_m_s, over)
        if key not in self._known:
            survey, _ = self.survey(area, self.at_home(specs))
            seconds, flights = quickest_s(survey)
            self._known[key] = Estimate(seconds=seconds, flights=flights)
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return self._known[key]

    def survey(self, area: DrawnArea, drones: Sequence[Drone]) -> tuple[Survey, list[VehicleId]]:
        """The question, and whose docks are in it, the nearest to the area first.

        What some drone may not fly over, none does; lines are as close as the lowest one's
        camera needs.

        Raises:
            Unreachable: nothing of the area may be flown over.
        """
        heights = {one.spec.cruise_agl_m: one.spec for one in drones}
        frees = [self._air.free_of_pads(spec) for spec in heights.values()]
        lowest = min(self._air.sees_from_m(one.spec) for one in drones)
        width_m = FOOTPRINT_M_PER_M * lowest
        shape = plainer(shapely.make_valid(area.shape), width_m / 20)
        spots = {one.spec.id: self._site.nodes[one.stand].point for one in drones}
        free = _with_docks(shapely.intersection_all(frees), list(spots.values()))
        over = self._air.over()
        closed = shapely.union_all([closed_air(self._site, height_m, over) for height_m in heights])
        near = sorted(spots, key=lambda id_: (shape.distance(shapely.Point(_xy(spots[id_]))), id_))
        survey = Survey(
            area=shape,
            no_fly=unseen(shape, free, closed, width_m),
            fence=free,
            docks=tuple(within(free, spots[id_]) for id_ in near),
            flight=self._flight([one.spec for one in drones]),
            width_m=width_m,
            length_m=LENGTH_M_PER_M * lowest,
        )
        return survey, near

    def parts(self, plan: PartsPlan, drones: Sequence[VehicleId], before: AreaParts) -> AreaParts:
        """The parts of one more round."""
        return AreaParts(
            left=tuple(
                AreaPart(
                    number=before.many + n,
                    line=tuple(Point(x, y) for x, y in part.line),
                    by=drones[part.drone],
                )
                for n, part in enumerate(plan.parts)
            ),
            many=before.many + len(plan.parts),
            round=before.round + 1,
            drones=plan.drones,
        )

    def _flight(self, specs: Sequence[VehicleSpec]) -> Flight:
        """What every one of these drones can do."""
        paces = [self._air.pace(spec) for spec in specs]
        ends_s = [pace.climb_s + pace.land_s for pace in paces]
        energies = [spec.energy for spec in specs]
        usable_s = [
            end_s
            + ((CHARGED - e.reserve_ratio) * e.capacity_wh / MARGIN - pace.ends_wh)
            * 3600
            / e.move_w
            for e, pace, end_s in zip(energies, paces, ends_s, strict=True)
        ]
        speed_m_s = min(_speed_m_s(s, pace) for s, pace in zip(specs, paces, strict=True))
        return Flight(
            speed_m_s=speed_m_s,
            accel_m_s2=min(spec.acceleration_m_s2 for spec in specs),
            airspeed_m_s=speed_m_s,
            usable_s=min(usable_s),
            swap_s=SET_OUT_S + max(e.charge_s(e.reserve_ratio, 1.0) for e in energies),
            takeoff_s=max(pace.climb_s for pace in paces),
            landing_s=max(pace.land_s for pace in paces),
        )


def _speed_m_s(spec: VehicleSpec, pace: AirPace) -> float:
    """On average there and back, in the wind that is planned for."""
    both_s = pace.way_s((Point(0.0, 0.0), Point(FAR_M, 0.0), Point(0.0, 0.0)))
    return 2 * FAR_M / (both_s - 2 * spec.speed_m_s / spec.acceleration_m_s2)


def _with_docks(free: BaseGeometry, docks: Sequence[Point]) -> BaseGeometry:
    """The parts of free air that drones come to from their docks; raises Unreachable."""
    parts = [p for p in shapely.get_parts(free) if isinstance(p, Polygon) and p.area > 1.0]
    if not parts:
        raise Unreachable("a dock", "air that all drones may fly in")
    spots = [shapely.Point(_xy(dock)) for dock in docks]
    own = {min(range(len(parts)), key=lambda n: (parts[n].distance(s), n)) for s in spots}
    return shapely.union_all([parts[n] for n in sorted(own)])


def _xy(point: Point) -> tuple[float, float]:
    return point.x_m, point.y_m


def worth_sharing(one_s: float, shared_s: float) -> bool:
    """Whether several drones see an area so much sooner that it is worth their ways."""
    return one_s - shared_s >= max(SHARED_S, SHARED_BY * one_s) and math.isfinite(shared_s)
