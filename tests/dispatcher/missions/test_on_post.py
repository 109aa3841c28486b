import math
from dataclasses import replace

import pytest

from dispatcher.air.air_pace import AirPace
from dispatcher.domain.shifts import Shift, ShiftId, ShiftPlan, ShiftState
from dispatcher.domain.task import TaskId
from dispatcher.missions.on_post import OnPost
from fleet.vehicle import VehicleId, VehicleState
from routing.geometry import Point
from tests.sim.world.test_multirotor import SPEC

PLAN = ShiftPlan(first=1, last=41, each=4, round_s=100, rounds=10, out_s=50, round_wh=10, back_wh=8)
SHIFT = Shift(
    id=ShiftId("S-000001"),
    task=TaskId("T-000001"),
    post=0,
    vehicle=VehicleId("D1"),
    state=ShiftState.GIVEN,
    why="first",
    plan=PLAN,
    given_s=0.0,
)
FULL = VehicleState(heard_at_s=0.0, online=True, charge_ratio=1.0)


def on_post(**changes: object) -> OnPost:
    return OnPost(replace(SHIFT, **changes), SPEC)  # pyright: ignore[reportArgumentType]


def low(ratio: float) -> VehicleState:
    return replace(FULL, charge_ratio=ratio)


def test_before_it_sets_out_it_is_expected_by_its_plan() -> None:
    one = on_post()
    assert one.arrives_s(0, 40) == 90
    assert one.leaves_s(0, 40, FULL) == pytest.approx(min(1090, one.lasts_s(FULL)), abs=1e-6)
    one.most_s = 300
    assert one.leaves_s(0, 40, FULL) == 390


def test_on_station_measured_rounds_say_when_it_leaves() -> None:
    one = on_post(state=ShiftState.ON_STATION, begun_s=0.0, station_s=100.0)
    for count in range(1, 9):
        one.saw(count, 100 + 30 * count)
    assert one.leaves_s(340, 40, replace(FULL, charge_ratio=None)) == 340 + 32 * 30
    assert one.idle_s(340) == 90


def test_a_low_battery_or_closing_air_call_it_home_before() -> None:
    one = on_post(state=ShiftState.ON_STATION, begun_s=0.0, station_s=100.0)
    one.saw(4, 200)
    assert one.lasts_s(low(0.2)) == 0
    assert one.leaves_s(200, 40, low(0.4)) == 200 + (20 - 10) * 10
    one.by_s = 250
    assert one.leaves_s(200, 40, FULL) == 250
    assert one.lasts_s(FULL) == (80 - 10) * 10


def test_whoever_passes_no_point_for_long_has_left_its_rounds() -> None:
    one = on_post(state=ShiftState.ON_STATION, begun_s=0.0, station_s=100.0)
    one.saw(3, 200)
    assert not one.stalled(300)
    assert one.stalled(400)
    assert not on_post(state=ShiftState.UNDERWAY, begun_s=0.0).stalled(400)


def test_wind_from_any_side_makes_a_round_longer_never_shorter() -> None:
    square = [Point(0, 0), Point(300, 0), Point(300, 300), Point(0, 300), Point(0, 0)]
    calm, windy = AirPace(SPEC).way_s(square), AirPace(SPEC, 5).way_s(square)
    assert calm == pytest.approx(4 * (300 / 10 + 10 / 2))
    assert 1.1 * calm < windy < 1.6 * calm
    assert AirPace(SPEC, 5).way_s(square[:2]) == pytest.approx(300 / 5 + 5 / 2)
    assert AirPace(SPEC, 50).way_s(square) < math.inf
    assert AirPace(SPEC).way_s([Point(0, 0), Point(8, 0)]) == 4.0
