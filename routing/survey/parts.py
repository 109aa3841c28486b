"""A survey in parts, one flight each: as few drones as see the area about as soon as all would.

A part is what a sortie sees of the area, without the ways from and to its dock: a polyline that
anybody can fly, from either end, and that can be cut wherever somebody leaves off.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from shapely import LineString
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry

from routing.errors import NoPlan, Unreachable
from routing.survey.air import polygons
from routing.survey.case import Spot, Survey, SurveyPlan
from routing.survey.planner import plan_survey
from routing.survey.quick import Guess

SOONER = 0.15
"""One more drone is worth it if all is over by this share sooner,"""
SOONER_S = 60.0
"""and by so much."""
MOST_DRONES = 8
FLIGHTS_AT_ONCE = 12
"""Areas that take more are cut, and planned piece by piece."""
LEAST_SHARE = 1 / 128
"""Pieces that are smaller than this share of the area aren't cut any more."""
ROUNDS = 60_000
"""Of the search, for each number of drones and each piece;"""
BENT_ROUNDS = 120_000
"""where the area has few corners, so that it is soon cut at its bends."""
FEW_CORNERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one flight sees; ``drone`` is whose flight it is by the plan."""

    line: tuple[Spot, ...]
    drone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsPlan:
    """An area in parts.

    Args:
        drones: how many of the survey's docks it uses: the first ones.
        makespan_s: from the first take-off to the last landing.
        longest_s: the longest flight.
    """

    parts: tuple[Part, ...]
    drones: int
    makespan_s: float
    longest_s: float


def plan_parts(survey: Survey, *, rounds: int | None = None, seed: int = 0) -> PartsPlan:
    """The parts of a survey; the same on any machine.

    Args:
        survey: with a dock for each drone that could take part, the nearest first.
        rounds: of the search, for each number of drones and each piece; None = by its corners.

    Raises:
        Unreachable: nothing of the area can be seen, or a part of it can't be reached.
        NoPlan: even a small piece of it is more than one flight lasts for.
    """
    if rounds is None:
        few = len(shapely.get_coordinates(survey.area)) <= FEW_CORNERS
        rounds = BENT_ROUNDS if few else ROUNDS
    found: list[PartsPlan] = []
    for many in range(1, min(len(survey.docks), MOST_DRONES) + 1):
        few = replace(survey, docks=survey.docks[:many])
        found.append(_planned(few, few.target.area, rounds, seed))
    return _as_many_as_pay(found)


def _as_many_as_pay(found: Sequence[PartsPlan]) -> PartsPlan:
    best_s = min(plan.makespan_s for plan in found)
    enough_s = max(best_s / (1 - SOONER), best_s + SOONER_S)
    return next(plan for plan in found if plan.makespan_s <= enough_s)


def quickest_s(survey: Survey) -> tuple[float, int]:
    """A guess, in milliseconds: seconds until all is seen, and flights, with as many as are best.

    Infinite where the ways there and back leave no time over the area.
    """
    work_s = _work_s(survey)
    numbers = range(1, min(len(survey.docks), MOST_DRONES) + 1)
    return min(_about(replace(survey, docks=survey.docks[:n]), work_s) for n in numbers)


def _work_s(survey: Survey) -> float:
    outline = survey.target.simplify(survey.width_m / 4)
    return Guess(survey.width_m, survey.length_m, survey.flight).best_s(outline)


def _about(survey: Survey, work_s: float) -> tuple[float, int]:
    """The same with all drones, for so many seconds over the area."""
    flight = survey.flight
    middle = np.array(survey.target.centroid.coords[0])
    ways_s = [
        flight.takeoff_s + flight.landing_s + 2 * float(flight.leg_s(np.array(dock), middle))
        for dock in survey.docks
    ]
    way_s = sum(ways_s) / len(ways_s)
    each_s = flight.usable_s - way_s
    if each_s <= 0:
        return math.inf, 0
    flights = max(len(survey.docks), math.ceil(work_s / each_s))
    turns = math.ceil(flights / len(survey.docks))
    swaps_s = (turns - 1) * flight.swap_s
    return swaps_s + turns * (way_s + work_s / flights), flights


def _planned(survey: Survey, whole_m2: float, rounds: int, seed: int) -> PartsPlan:
    """In one, where that can be searched; else in two halves, one after the other."""
    small = survey.target.area <= LEAST_SHARE * whole_m2
    if small or _about(survey, _work_s(survey))[1] <= FLIGHTS_AT_ONCE:
        try:
            return _of(survey, plan_survey(survey, rounds=rounds, seed=seed))
        except NoPlan:
            if small:
                raise
    halves = [
        _planned(replace(survey, area=half), whole_m2, rounds, seed)
        for half in _halves(survey.area)
        if half.difference(survey.no_fly).area > 1.0
    ]
    if not halves:
        raise Unreachable("the docks", "all of the area")
    return PartsPlan(
        parts=tuple(part for half in halves for part in half.parts),
        drones=max(half.drones for half in halves),
        makespan_s=sum(half.makespan_s for half in halves)
        + survey.flight.swap_s * (len(halves) - 1),
        longest_s=max(half.longest_s for half in halves),
    )


def _of(survey: Survey, plan: SurveyPlan) -> PartsPlan:
    near = survey.area.buffer(survey.width_m / 2)
    flown = [(n, way) for n, ways in enumerate(plan.sorties) for way in ways]
    flown.sort(key=lambda each: (plan.sorties[each[0]].index(each[1]), each[0]))
    return PartsPlan(
        parts=tuple(Part(line=over_area(way, near), drone=n) for n, way in flown),
        drones=sum(bool(ways) for ways in plan.sorties),
        makespan_s=plan.makespan_s,
        longest_s=max(survey.flight.sortie_s(way) for _, way in flown),
    )


def over_area(way: Sequence[Spot], near: BaseGeometry) -> tuple[Spot, ...]:
    """A sortie from where it comes near the area to where it leaves that."""
    return tuple(reversed(_from_entry(list(reversed(_from_entry(list(way), near))), near)))


def _from_entry(way: list[Spot], near: BaseGeometry) -> list[Spot]:
    for n, (a, b) in enumerate(pairwise(way)):
        inside = shapely.get_coordinates(LineString([a, b]).intersection(near)).tolist()
        if inside:
            x, y = min(inside, key=lambda spot: math.dist(a, spot))
            return [(x, y), *(way[n + 1 :] if math.dist((x, y), b) > 1e-6 else way[n + 1 :][1:])]
    return way


def _halves(area: BaseGeometry) -> list[BaseGeometry]:
    """An area cut across its length, through its middle."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(area)).tolist()
    (ax, ay), (bx, by) = max(pairwise(corners), key=lambda side: math.dist(*side))
    angle = math.atan2(by - ay, bx - ax)
    flat = rotate(area, -angle, origin=(0, 0), use_radians=True)
    low_x, low_y, high_x, high_y = flat.bounds
    middle = flat.centroid.x
    boxes = (
        shapely.box(low_x - 1, low_y - 1, middle, high_y + 1),
        shapely.box(middle, low_y - 1, high_x + 1, high_y + 1),
    )
    return [
        shapely.union_all(polygons(rotate(half, angle, origin=(0, 0), use_radians=True)))
        for half in (flat.intersection(box) for box in boxes)
        if half.area > 0
    ]
