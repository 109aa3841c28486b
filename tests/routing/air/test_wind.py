"""The wind triangle: a drone that flies as told drifts onto its track, and no detour is quicker."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.air.wind import LEAST_M_S, Wind, blowing, from_any_side

METRES = st.floats(-5000, 5000)
BREEZE = st.builds(Wind, st.floats(-8, 8), st.floats(-8, 8))


def seconds(wind: Wind, dx_m: float, dy_m: float) -> float:
    return math.hypot(dx_m, dy_m) / wind.ground_speed_m_s(14.0, dx_m, dy_m)


@given(BREEZE, METRES, METRES)
def test_speed_over_ground_less_the_wind_is_the_airspeed(
    wind: Wind, dx_m: float, dy_m: float
) -> None:
    assume(math.hypot(dx_m, dy_m) > 1)
    speed_m_s = wind.ground_speed_m_s(14.0, dx_m, dy_m)
    length_m = math.hypot(dx_m, dy_m)
    x_m_s = speed_m_s * dx_m / length_m - wind.x_m_s
    y_m_s = speed_m_s * dy_m / length_m - wind.y_m_s
    assert math.hypot(x_m_s, y_m_s) == pytest.approx(14.0)


@given(BREEZE, METRES, METRES, METRES, METRES)
def test_a_detour_is_never_quicker(
    wind: Wind, x_m: float, y_m: float, over_x_m: float, over_y_m: float
) -> None:
    legs = ((over_x_m, over_y_m), (x_m - over_x_m, y_m - over_y_m))
    assume(all(math.hypot(*leg) > 1 for leg in (*legs, (x_m, y_m))))
    assert seconds(wind, x_m, y_m) <= sum(seconds(wind, *leg) for leg in legs) + 1e-6


@given(BREEZE, METRES, METRES)
def test_there_and_back_takes_never_less_than_in_still_air(
    wind: Wind, dx_m: float, dy_m: float
) -> None:
    assume(math.hypot(dx_m, dy_m) > 1)
    both_s = seconds(wind, dx_m, dy_m) + seconds(wind, -dx_m, -dy_m)
    assert both_s >= 2 * seconds(Wind(), dx_m, dy_m) - 1e-6


@given(st.floats(0, 359.9), st.floats(0.1, 20), st.floats(-180, 180))
def test_where_it_comes_from_reads_back_on_any_site(
    from_deg: float, speed_m_s: float, site_deg: float
) -> None:
    wind = blowing(from_deg, speed_m_s, site_deg)
    assert wind.speed_m_s == pytest.approx(speed_m_s)
    apart_deg = (wind.from_deg(site_deg) - from_deg + 180) % 360 - 180
    assert apart_deg == pytest.approx(0, abs=1e-6)


def test_a_west_wind_blows_to_the_east() -> None:
    assert blowing(270, 5, 0).x_m_s == pytest.approx(5)
    assert blowing(270, 5, 90).y_m_s == pytest.approx(5)


def test_against_a_storm_it_creeps_on() -> None:
    assert Wind(-30, 0).ground_speed_m_s(14, 1, 0) == LEAST_M_S
    assert Wind(-30, 0).no_stronger_than(12).speed_m_s == pytest.approx(12)
    assert {round(wind.speed_m_s, 9) for wind in from_any_side(6)} == {6.0}
