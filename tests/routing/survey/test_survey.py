"""Surveys, flown by a checker: what is seen, where the legs lie, how long it takes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from routing.errors import NoPlan, Unreachable
from routing.survey.air import Air
from routing.survey.case import Flight, Spot, Survey, footprints, straightened
from routing.survey.cells import at_all_bends, partitions
from routing.survey.planner import plan_survey
from routing.survey.quick import Guess
from tests.routing.survey.checker import faults

FLIGHT = Flight(
    speed_m_s=10.0,
    accel_m_s2=2.0,
    airspeed_m_s=15.0,
    usable_s=1200.0,
    swap_s=120.0,
    takeoff_s=20.0,
    landing_s=40.0,
)
BENT = Polygon([(0, 0), (800, 0), (800, 300), (300, 300), (300, 700), (0, 700)])
HOUSE = Polygon([(100, 100), (220, 110), (210, 220), (90, 200)])
CORRIDOR = Polygon(
    [(0, 0), (500, 60), (860, 330), (1340, 360), (1320, 470), (820, 440), (460, 170), (0, 110)]
)


def survey(
    area: BaseGeometry,
    no_fly: BaseGeometry | None = None,
    docks: tuple[Spot, ...] = ((-20.0, -20.0),),
    flight: Flight = FLIGHT,
) -> Survey:
    return Survey(
        area=area,
        no_fly=no_fly or Polygon(),
        fence=area.buffer(60.0),
        docks=docks,
        flight=flight,
        width_m=60.0,
        length_m=45.0,
    )


def test_a_leg_takes_what_physics_asks_for() -> None:
    ends = np.array([[100.0, 0.0], [10.0, 0.0], [0.0, 0.0]])
    still = FLIGHT.leg_s(np.zeros((3, 2)), ends)
    assert still == pytest.approx([100 / 10 + 10 / 2, 2 * math.sqrt(10 / 2), 0.0])
    windy = replace(FLIGHT, wind_m_s=(-9.0, 0.0))
    there, back = windy.leg_s(np.zeros((2, 2)), np.array([[100.0, 0.0], [-100.0, 0.0]]))
    assert there == pytest.approx(100 / 6 + 6 / 2)
    assert back == pytest.approx(15.0)
    storm = replace(FLIGHT, wind_m_s=(-16.0, 0.0))
    assert storm.leg_s(np.zeros(2), np.array([100.0, 0.0])) == math.inf


def test_a_footprint_reaches_beyond_both_ends_of_its_leg() -> None:
    seen = footprints([[(0.0, 0.0), (100.0, 0.0), (200.0, 0.0)]], 60.0, 40.0)
    assert seen.equals(shapely.box(-20.0, -30.0, 220.0, 30.0))
    assert len(straightened([(0.0, 0.0), (50.0, 0.0), (100.0, 0.0), (50.0, 0.0)])) == 3


@pytest.mark.parametrize("wind", [(0.0, 0.0), (6.0, 5.0)])
def test_two_drones_share_a_bent_area_with_a_house(wind: Spot) -> None:
    asked = survey(BENT, HOUSE, ((-20.0, -20.0), (820.0, 100.0)), replace(FLIGHT, wind_m_s=wind))
    plan = plan_survey(asked, rounds=30_000)
    assert faults(asked, plan) == []
    alone = plan_survey(replace(asked, docks=asked.docks[:1]), rounds=30_000)
    assert faults(replace(asked, docks=asked.docks[:1]), alone) == []
    assert plan.makespan_s < 0.7 * alone.makespan_s


def test_a_tired_battery_means_more_sorties() -> None:
    asked = survey(BENT, HOUSE, flight=replace(FLIGHT, usable_s=400.0))
    plan = plan_survey(asked, rounds=30_000)
    assert faults(asked, plan) == []
    assert len(plan.sorties[0]) >= 3


def test_a_bent_corridor_is_flown_along_its_parts() -> None:
    asked = survey(CORRIDOR)
    guess = Guess(asked.width_m, asked.length_m, FLIGHT)
    assert max(map(len, at_all_bends(CORRIDOR))) == 3
    least = min(sum(map(guess.best_s, cells)) for cells in partitions(CORRIDOR, guess.best_s))
    assert least < 0.95 * guess.best_s(CORRIDOR)
    plan = plan_survey(asked, rounds=100_000)
    assert faults(asked, plan) == []
    bare_s = CORRIDOR.area / asked.width_m / FLIGHT.speed_m_s
    assert plan.makespan_s < 1.6 * bare_s


def test_cells_are_the_area_and_do_not_overlap() -> None:
    guess = Guess(60.0, 45.0, FLIGHT)
    for cells in partitions(BENT.difference(HOUSE), guess.best_s):
        assert sum(cell.area for cell in cells) == pytest.approx(BENT.difference(HOUSE).area)
        assert shapely.union_all(cells).area == pytest.approx(BENT.difference(HOUSE).area, rel=1e-4)


def test_ways_go_round_a_house_by_its_corners() -> None:
    air = Air(BENT, HOUSE, FLIGHT)
    west, east = (50.0, 150.0), (280.0, 150.0)
    way = air.way(west, east)
    assert len(way) > 2
    assert not HOUSE.intersects(shapely.LineString(way))
    seconds = air.between_s(np.array([west, east]))
    assert seconds[0, 1] == pytest.approx(FLIGHT.way_s(way))
    assert seconds[0, 1] > float(FLIGHT.leg_s(west, east))


def test_the_same_rounds_give_the_same_plan() -> None:
    asked = survey(BENT, HOUSE, ((-20.0, -20.0), (820.0, 100.0)))
    assert plan_survey(asked, rounds=40_000) == plan_survey(asked, rounds=40_000)


def test_more_rounds_are_never_worse() -> None:
    asked = survey(BENT, HOUSE, ((-20.0, -20.0), (820.0, 100.0)))
    few, many = (plan_survey(asked, rounds=rounds).makespan_s for rounds in (1, 400_000))
    assert many < few


def test_an_area_beyond_the_battery_is_said() -> None:
    with pytest.raises(NoPlan, match="dock nearer"):
        plan_survey(survey(BENT, flight=replace(FLIGHT, usable_s=150.0)), rounds=1000)


@pytest.mark.parametrize(
    ("area", "no_fly"),
    [(BENT, BENT.buffer(1.0)), (BENT, Polygon([(-90, 500), (400, 500), (400, 600), (-90, 600)]))],
)
def test_what_can_not_be_seen_or_reached_is_said(area: Polygon, no_fly: Polygon) -> None:
    with pytest.raises(Unreachable):
        plan_survey(survey(area, no_fly), rounds=1000)


@settings(max_examples=8, deadline=None)
@given(
    radii=st.lists(st.floats(150, 500), min_size=5, max_size=9),
    hole=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(20, 70)),
    wind=st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
    drones=st.integers(1, 3),
)
def test_any_star_is_seen_within_its_fence(
    radii: list[float], hole: tuple[float, float, float], wind: Spot, drones: int
) -> None:
    turn = 2 * math.pi / len(radii)
    area = Polygon([(r * math.cos(n * turn), r * math.sin(n * turn)) for n, r in enumerate(radii)])
    size = min(radii) * 0.6
    house = shapely.Point(hole[0] * size, hole[1] * size).buffer(hole[2], quad_segs=2)
    dock = (radii[0] + 30.0, 0.0)
    asked = survey(area, house, (dock,) * drones, replace(FLIGHT, wind_m_s=wind))
    assert faults(asked, plan_survey(asked, rounds=1)) == []
