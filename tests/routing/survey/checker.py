"""Judges a survey's plan without any of the planner's code: shapely, and steps of time."""

import math
from collections.abc import Sequence
from itertools import pairwise

from shapely import LineString, union_all
from shapely.geometry.base import BaseGeometry

from routing.survey.case import Spot, Survey, SurveyPlan

_TOUCH_M = 0.05
_STEP_S = 0.01


def faults(survey: Survey, plan: SurveyPlan) -> list[str]:
    """What is wrong with a plan, in words; nothing = it does what it says."""
    found: list[str] = []
    if len(plan.sorties) != len(survey.docks):
        found.append("not one list of sorties for each drone")
    for drone, (dock, sorties) in enumerate(zip(survey.docks, plan.sorties, strict=True)):
        clock_s = -survey.flight.swap_s if sorties else 0.0
        for way in sorties:
            if math.dist(way[0], dock) > 1e-6 or math.dist(way[-1], dock) > 1e-6:
                found.append(f"drone {drone} does not start and land at its dock")
            if not survey.fence.buffer(_TOUCH_M).covers(LineString(way)):
                found.append(f"drone {drone} leaves the fence")
            if survey.no_fly.buffer(-_TOUCH_M).intersects(LineString(way)):
                found.append(f"drone {drone} enters what is no-fly")
            took_s = _sortie_s(survey, way)
            if took_s > survey.flight.usable_s + 0.5:
                found.append(f"drone {drone} flies {took_s:.0f} s at a stretch")
            clock_s += survey.flight.swap_s + took_s
        if abs(clock_s - plan.finish_s[drone]) > 0.02 * max(60.0, clock_s):
            found.append(f"drone {drone} is done at {clock_s:.1f}, not {plan.finish_s[drone]:.1f}")
    share = seen_share(survey, plan)
    if share < survey.share - 1e-6:
        found.append(f"only {share:.4f} is seen")
    if abs(share - plan.seen) > 1e-3:
        found.append(f"{share:.4f} is seen, not {plan.seen:.4f}")
    return found


def seen_share(survey: Survey, plan: SurveyPlan) -> float:
    """Share of the target under the footprints, each the leg made longer and wide."""
    stripes: list[BaseGeometry] = []
    for way in (way for sorties in plan.sorties for way in sorties):
        for a, b in pairwise(_corners(way)):
            size = math.dist(a, b)
            more = survey.length_m / 2 / size
            dx, dy = (b[0] - a[0]) * more, (b[1] - a[1]) * more
            leg = LineString([(a[0] - dx, a[1] - dy), (b[0] + dx, b[1] + dy)])
            stripes.append(leg.buffer(survey.width_m / 2, cap_style="flat"))
    target = survey.area - survey.no_fly
    return union_all(stripes).intersection(target).area / target.area


def _corners(way: Sequence[Spot]) -> list[Spot]:
    """Where the drone stops: not at a spot on its straight way."""
    kept = [way[0]]
    for here, after in pairwise([*way[1:], way[-1]]):
        a, b = kept[-1], here
        ahead = math.dist(a, b) + math.dist(b, after) - math.dist(a, after) > 1e-6
        if math.dist(a, b) > 1e-6 and (ahead or here == way[-1]):
            kept.append(here)
    return kept


def _sortie_s(survey: Survey, way: Sequence[Spot]) -> float:
    flight = survey.flight
    legs_s = sum(_leg_s(survey, a, b) for a, b in pairwise(_corners(way)))
    return flight.takeoff_s + legs_s + flight.landing_s


def _leg_s(survey: Survey, a: Spot, b: Spot) -> float:
    """By small steps: faster each step, and so that it stands at the end."""
    flight, left_m = survey.flight, math.dist(a, b)
    ux, uy = (b[0] - a[0]) / left_m, (b[1] - a[1]) / left_m
    along = flight.wind_m_s[0] * ux + flight.wind_m_s[1] * uy
    across = math.hypot(*flight.wind_m_s) ** 2 - along**2
    top = min(flight.speed_m_s, along + math.sqrt(max(0.0, flight.airspeed_m_s**2 - across)))
    speed = clock_s = 0.0
    while left_m > 1e-3 and clock_s < 1e5:
        stopping = math.sqrt(2 * flight.accel_m_s2 * left_m)
        speed = min(top, stopping, speed + flight.accel_m_s2 * _STEP_S)
        left_m -= speed * _STEP_S
        clock_s += _STEP_S
    return clock_s
