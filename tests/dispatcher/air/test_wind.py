"""One estimate of the wind from many words, and what flights make of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.air.air_pace import AirPace
from dispatcher.air.wind import SiteWind
from fleet.vehicle import VehicleState, WindWord
from routing.air.wind import Wind
from routing.geometry import Point
from tests.fleet.mavlink.scene import SPEC

START, EAST, NORTH = Point(0, 0), Point(1200, 0), Point(1200, 900)


def word(x_m_s: float, y_m_s: float = 0.0, at_s: float = 0.0) -> WindWord:
    return WindWord(wind=Wind(x_m_s, y_m_s), heard_at_s=at_s, height_agl_m=50)


def site_wind(words: Sequence[WindWord | None], *, planned_m_s: float, now_s: float) -> SiteWind:
    states = [VehicleState(heard_at_s=0.0, wind=one) for one in words]
    return SiteWind(planned_m_s, [lambda one=one: one for one in states], lambda: now_s)


def test_without_words_the_planned_wind_is_all_there_is() -> None:
    wind = site_wind([None, None], planned_m_s=6, now_s=10)
    assert wind.known is None
    assert wind.careful_m_s == 6


def test_one_drone_that_is_wrong_counts_for_nothing() -> None:
    assert site_wind([word(4), word(4.2), word(-30)], planned_m_s=0, now_s=10).known == Wind(4, 0)


def test_young_words_come_before_old_ones_and_old_ones_end() -> None:
    words = [word(9, at_s=0), word(3, at_s=500)]
    assert site_wind(words, planned_m_s=0, now_s=510).known == Wind(3, 0)
    assert site_wind(words, planned_m_s=0, now_s=800).known == Wind(3, 0)
    assert site_wind(words, planned_m_s=0, now_s=1500).known is None


@given(st.floats(0, 20), st.floats(-20, 20), st.floats(-20, 20))
def test_shifts_are_planned_for_the_worse_of_planned_and_known(
    planned_m_s: float, x_m_s: float, y_m_s: float
) -> None:
    wind = site_wind([word(x_m_s, y_m_s)], planned_m_s=planned_m_s, now_s=1)
    known = wind.known
    assert known is not None
    assert wind.careful_m_s >= max(planned_m_s, known.speed_m_s) - 1e-6
    assert wind.careful_m_s <= max(planned_m_s, known.speed_m_s + 0.5)


def test_against_the_wind_it_takes_longer_than_with_it() -> None:
    pace = AirPace(SPEC, 6, Wind(5, 0))
    out_s, back_s = pace.expected_s((START, EAST)), pace.expected_s((EAST, START))
    assert out_s == pytest.approx(1200 / 17 + 17 / 2.5)
    assert back_s == pytest.approx(1200 / 7 + 7 / 2.5)


def test_a_battery_is_counted_no_lighter_for_a_wind_from_behind() -> None:
    still, tail = AirPace(SPEC), AirPace(SPEC, 0, Wind(5, 0))
    assert tail.paid_s((START, EAST)) == still.expected_s((START, EAST))
    assert tail.paid_s((START, EAST, START)) > still.paid_s((START, EAST, START))


@given(st.floats(0, 9), st.floats(-9, 9), st.floats(-9, 9))
def test_nothing_is_quicker_than_straight_on_without_stops(
    planned_m_s: float, x_m_s: float, y_m_s: float
) -> None:
    for known in (None, Wind(x_m_s, y_m_s)):
        pace = AirPace(SPEC, planned_m_s, known)
        for timed in (pace.expected_s, pace.paid_s):
            bound_s = timed((START, NORTH), stops=False)
            assert bound_s <= timed((START, EAST, NORTH), stops=True) + 1e-6


def test_where_nobody_knows_the_wind_all_sides_are_equal() -> None:
    pace = AirPace(SPEC, 6)
    assert pace.expected_s((START, EAST)) == pytest.approx(pace.expected_s((EAST, START)))
    assert pace.expected_s((START, EAST)) < pace.way_s((START, EAST))
