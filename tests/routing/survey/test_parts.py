"""An area in parts: all of it is seen, each part in one flight, by no more drones than pay."""

from dataclasses import replace
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from routing.errors import NoPlan
from routing.survey.case import Flight, Spot, Survey
from routing.survey.parts import PartsPlan, plan_parts, quickest_s

DOCKS: tuple[Spot, ...] = ((0.0, 0.0), (60.0, 0.0), (120.0, 0.0))
FLIGHT = Flight(
    speed_m_s=12.0,
    accel_m_s2=2.0,
    airspeed_m_s=12.0,
    usable_s=600.0,
    swap_s=900.0,
    takeoff_s=15.0,
    landing_s=30.0,
)


def survey(width_m: float, height_m: float, docks: int = 3, **flight: float) -> Survey:
    return Survey(
        area=shapely.box(0, 60, width_m, 60 + height_m),
        no_fly=shapely.box(width_m / 2, 100, width_m / 2 + 40, 150),
        fence=shapely.box(-100, -100, 4000, 4000),
        docks=DOCKS[:docks],
        flight=replace(FLIGHT, **flight),
        width_m=48.0,
        length_m=36.0,
    )


def seen(asked: Survey, plan: PartsPlan) -> float:
    """Share of the target under rectangles along all legs of all parts."""
    stripes: list[BaseGeometry] = []
    for part in plan.parts:
        for a, b in pairwise(part.line):
            leg = shapely.LineString([a, b])
            more = asked.length_m / 2 / max(leg.length, 1e-9)
            dx, dy = (b[0] - a[0]) * more, (b[1] - a[1]) * more
            longer = shapely.LineString([(a[0] - dx, a[1] - dy), (b[0] + dx, b[1] + dy)])
            stripes.append(longer.buffer(asked.width_m / 2, cap_style="flat"))
    target = asked.area - asked.no_fly
    return shapely.union_all(stripes).intersection(target).area / target.area


@settings(max_examples=8, deadline=None)
@given(width_m=st.integers(150, 900), height_m=st.integers(120, 700), docks=st.integers(1, 3))
def test_the_parts_see_all_and_each_is_one_flight(width_m: int, height_m: int, docks: int) -> None:
    asked = survey(width_m, height_m, docks)
    plan = plan_parts(asked, rounds=30_000)
    assert seen(asked, plan) >= 0.99
    assert plan.longest_s <= asked.flight.usable_s
    assert plan.drones <= docks
    for part in plan.parts:
        dock = asked.docks[part.drone]
        assert asked.flight.sortie_s((dock, *part.line, dock)) <= asked.flight.usable_s + 1e-6
        assert not asked.no_fly.buffer(-0.1).intersects(shapely.LineString(part.line))


def test_drones_that_make_nothing_sooner_stay_at_home() -> None:
    small = survey(120, 100)
    assert plan_parts(small).drones == 1
    large = survey(700, 600)
    alone = plan_parts(replace(large, docks=large.docks[:1]))
    shared = plan_parts(large)
    assert shared.drones == 3
    assert shared.makespan_s < 0.5 * alone.makespan_s


def test_what_is_too_large_to_be_searched_at_once_is_cut() -> None:
    asked = survey(1500, 1500)
    plan = plan_parts(asked)
    assert len(plan.parts) > 12
    assert seen(asked, plan) >= 0.99
    assert plan.longest_s <= asked.flight.usable_s


def test_beyond_reach_there_is_no_plan_and_the_guess_says_so() -> None:
    asked = replace(survey(100, 100), area=shapely.box(3000, 3000, 3100, 3100))
    assert quickest_s(asked)[1] == 0
    with pytest.raises(NoPlan):
        plan_parts(asked)


def test_the_guess_is_near_the_plan() -> None:
    for asked in (survey(400, 300, 1), survey(500, 400), survey(900, 800)):
        seconds, flights = quickest_s(asked)
        plan = plan_parts(asked)
        assert seconds == pytest.approx(plan.makespan_s, rel=0.35)
        assert flights == pytest.approx(len(plan.parts), abs=2)
