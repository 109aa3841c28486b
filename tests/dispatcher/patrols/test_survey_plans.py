"""Areas put as surveys: what every drone can do, and what of an area can be seen at all."""

from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from dispatcher.air.site_air import SiteAir
from dispatcher.patrols.survey_plans import SurveyPlans, worth_sharing
from fleet.vehicle import VehicleSpec
from routing.air.drawn import DrawnArea
from routing.errors import Unreachable
from routing.geometry import Point
from sim.scenario.config import load_scenario
from tests.sim.stories.test_surveys import fields


@pytest.fixture
def plans(tmp_path: Path) -> tuple[SurveyPlans, list[VehicleSpec]]:
    scenario = load_scenario(fields(tmp_path, 3))
    site = scenario.site
    return SurveyPlans(site, SiteAir(site, lambda: 43_200.0)), [
        one.to_spec() for one in scenario.vehicles
    ]


def square(x: float, y: float, size: float) -> DrawnArea:
    corners = ((x, y), (x + size, y), (x + size, y + size), (x, y + size))
    return DrawnArea(outline=tuple(Point(*corner) for corner in corners))


def test_a_survey_is_what_the_least_of_all_drones_can_do(
    plans: tuple[SurveyPlans, list[VehicleSpec]],
) -> None:
    made, specs = plans
    slow = replace(specs[2], speed_m_s=8.0)
    survey, ids = made.survey(square(0, 60, 300), made.at_home([specs[0], specs[1], slow]))
    assert survey.flight.speed_m_s == pytest.approx(8.0, abs=0.01)
    assert survey.width_m == 48, "as the lowest one flies"
    assert set(ids) == {spec.id for spec in specs}
    for dock in survey.docks:
        assert survey.fence.covers(shapely.Point(dock))


def test_what_is_closed_or_beyond_the_air_need_not_be_seen(
    plans: tuple[SurveyPlans, list[VehicleSpec]],
) -> None:
    made, specs = plans
    survey, _ = made.survey(square(100, 100, 250), made.at_home(specs))
    farm = shapely.box(180, 200, 230, 260)
    assert survey.target.intersection(farm).area == 0
    assert survey.target.area == pytest.approx(250**2 - farm.area)
    assert not survey.fence.intersects(farm.buffer(9))
    with pytest.raises(Unreachable):
        made.survey(square(190, 210, 30), made.at_home(specs))


def test_a_border_of_many_corners_is_made_plainer_and_no_smaller(
    plans: tuple[SurveyPlans, list[VehicleSpec]],
) -> None:
    made, specs = plans
    circle = shapely.Point(500, 500).buffer(200, quad_segs=100)
    spots = shapely.get_coordinates(circle)[:-1].tolist()
    area = DrawnArea(outline=tuple(Point(x, y) for x, y in spots))
    survey, _ = made.survey(area, made.at_home(specs))
    assert len(shapely.get_coordinates(survey.area)) < 60
    assert survey.area.intersection(circle).area > 0.999 * circle.area
    assert survey.area.area < 1.03 * circle.area


def test_an_area_is_estimated_once_while_drones_and_wind_stay_the_same(
    plans: tuple[SurveyPlans, list[VehicleSpec]],
) -> None:
    made, specs = plans
    area = square(400, 400, 200)
    first = made.estimate(area, specs)
    assert made.estimate(square(400, 400, 200), list(specs)) is first
    slow = replace(specs[2], speed_m_s=4.0)
    assert made.estimate(area, [*specs[:2], slow]).seconds > first.seconds


def test_sharing_has_to_save_some_minutes_and_a_good_part() -> None:
    assert worth_sharing(1000, 400)
    assert not worth_sharing(300, 150)
    assert not worth_sharing(3000, 2500)
