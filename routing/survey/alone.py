"""A survey by one drone in one flight, in about the time of a blink: the first good plan is taken.

Where the flight is so long that it matters, or several drones share it, `routing.survey.parts`
searches for better ones.
"""

from collections.abc import Sequence
from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from routing.errors import NoPlan, Unreachable
from routing.survey.case import Spot, Survey, footprints
from routing.survey.parts import over_area
from routing.survey.planner import plan_survey

TRIES = ((2_000, 1.0), (200_000, 1.0), (200_000, 0.98), (200_000, 0.9))
"""Rounds of the search, and what share of the wanted share will do."""


def plan_alone(survey: Survey) -> tuple[Spot, ...]:
    """A polyline along which the drone of the only dock sees an area, without the ways there.

    Torn areas that are too hard to see to the wanted share are seen nearly so.

    Raises:
        Unreachable: nothing of the area can be seen, or a part of it can't be reached.
    """
    for rounds, share in TRIES:
        easier = replace(survey, share=share * survey.share)
        try:
            plan = plan_survey(easier, rounds=rounds)
        except NoPlan:
            continue
        (way,) = plan.sorties[0]
        return _without_ways(way, easier)
    raise Unreachable("the docks", "all of the area")


def _without_ways(way: Sequence[Spot], survey: Survey) -> tuple[Spot, ...]:
    """A sortie from its first line to its last; what else it must see it sees on its ways."""
    near = survey.area.buffer(survey.width_m / 2)
    kept = list(way)
    for _ in range(2):
        while len(kept) > 2 and not _touches(near, kept[0]) and _seen(kept[1:], survey):
            kept = kept[1:]
        kept.reverse()
    return over_area(kept, near)


def _touches(near: BaseGeometry, spot: Spot) -> bool:
    return bool(near.intersects(shapely.Point(spot)))


def _seen(way: Sequence[Spot], survey: Survey) -> bool:
    seen = footprints([way], survey.width_m, survey.length_m).intersection(survey.target).area
    return bool(seen >= survey.share * survey.target.area)
