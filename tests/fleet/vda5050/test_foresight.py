"""What a robot of 3.0 says of its way is when it will be there, as far as that makes sense."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from fleet.mission import Clearance
from fleet.vda5050.dialects import stamp
from fleet.vda5050.foresight import LONGEST_S, seconds_left
from fleet.vda5050.state_messages import STATE, State
from routing.site import LevelId
from tests.fleet.vda5050.scene import EPOCH, config_for, mission, staged, waypoints

ROUTE = waypoints("n1", "n2", "n3", "n4", "n5")
"""40 m straight on."""
CONFIG = config_for("3.0")


def state(x: float = 0.0, y: float = 0.0, **said: Any) -> State:
    """A robot's state, on the wire and back."""
    place = {"x": x, "y": y, "theta": 0.0, "mapId": "L1", "localized": True}
    header = {"headerId": 1, "timestamp": stamp(EPOCH), "mobileRobotPosition": place}
    return STATE.decode(json.dumps({**header, **said}).encode())


def seen(*points: tuple[float, float, float]) -> dict[str, Any]:
    """An intermediate path: x, y, and in how many seconds."""
    polyline = [
        {"x": x, "y": y, "eta": stamp(EPOCH + timedelta(seconds=in_s))} for x, y, in_s in points
    ]
    return {"intermediatePath": {"polyline": polyline}}


def planned(*points: tuple[float, float]) -> dict[str, Any]:
    curve = {"controlPoints": [{"x": x, "y": y} for x, y in points]}
    return {"plannedPath": {"trajectory": curve, "traversedNodes": []}}


def left_s(state: State, speed_m_s: float = 2.0) -> float | None:
    return seconds_left(state, ROUTE, CONFIG, speed_m_s)


def test_beyond_what_it_sees_the_lanes_speeds_count() -> None:
    assert left_s(state(**seen((40, 0, 90)))) == 90
    assert left_s(state(**seen((10, 0, 30), (20, 0, 60)))) == 60 + 20 / 2
    slow = (*ROUTE[:4], replace(ROUTE[4], speed_limit_m_s=0.5))
    assert seconds_left(state(**seen((20, 0, 60))), slow, CONFIG, 2.0) == 60 + 5 + 20


def test_a_plan_tells_how_long_the_way_is() -> None:
    assert left_s(state(**planned((0, 0), (40, 0)))) == 20
    way_round = planned((10, 0), (10, 10), (20, 10), (20, 0))
    assert left_s(state(10, **way_round)) == 30 / 2 + 20 / 2
    assert left_s(state(20, 10, **way_round)) is None, "it is far from the route that we know"
    assert left_s(state(14, 0, **planned((10, 0), (40, 0)))) == 13


def test_times_are_better_than_lengths_and_lengths_than_times_that_are_none() -> None:
    both = planned((0, 0), (40, 0)) | seen((40, 0, 90))
    assert left_s(state(**both)) == 90
    both["intermediatePath"]["polyline"][-1]["eta"] = "soon"
    assert left_s(state(**both)) == 20


@pytest.mark.parametrize(
    "said",
    [
        {},
        seen(),
        seen((20, 30, 10)),
        seen((40, 0, LONGEST_S + 1)),
        planned((0, 0)),
        planned((0, 0), (20, 30)),
        {"intermediatePath": {"polyline": [{"x": 1, "y": 2}]}},
        {"intermediatePath": "none", "plannedPath": 17},
    ],
)
def test_what_makes_no_sense_tells_nothing_and_harms_nothing(said: dict[str, Any]) -> None:
    assert left_s(state(**said)) is None


def test_nobody_knows_how_long_a_lift_takes() -> None:
    above = (*ROUTE[:4], replace(ROUTE[4], level=LevelId("L2")))
    assert seconds_left(state(**seen((10, 0, 30))), above, CONFIG, 2.0) is None
    assert left_s(structs.replace(state(**seen((10, 0, 30))), agv_position=None)) is None


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
SPOTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4)


@given(SPOTS, SPOTS, NUMBERS, NUMBERS, st.floats(-1e6, 1e6), st.integers(0, 4))
def test_whatever_it_says_the_time_is_none_or_one(
    path: Sequence[tuple[float, float]],
    line: Sequence[tuple[float, float]],
    x: float,
    y: float,
    in_s: float,
    passed: int,
) -> None:
    said = state(x, y, **planned(*path), **seen(*((a, b, in_s) for a, b in line)))
    left = seconds_left(said, ROUTE[passed:], CONFIG, 2.0)
    assert left is None or 0 <= left <= LONGEST_S


async def test_our_own_robot_says_when_it_will_be_there() -> None:
    told = mission("M1", "n1 n2 n3 n4 n5")
    async with staged(config_for("3.0")) as scene:
        scene.body.slow = 0.25
        clearance = Clearance(told.route, released=3)
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await scene.until(lambda: scene.vehicle.state().arrives_s is not None)
        early_s = scene.vehicle.state().arrives_s
        clearance.release(5)
        await scene.until(lambda: scene.body.node == "n3")
        await asyncio.sleep(1)
        late_s = scene.vehicle.state().arrives_s
        outcome = await driving
        assert early_s is not None
        assert late_s is not None
        assert abs(outcome.finished_at_s - late_s) < 5
        assert abs(outcome.finished_at_s - early_s) < 70, "20 m were not in sight: 60 s longer"
        assert scene.vehicle.state().arrives_s is None


async def test_who_speaks_another_version_tells_nothing() -> None:
    told = mission("M1", "n1 n2 n3")
    async with staged(config_for("2.1")) as scene:
        driving = asyncio.ensure_future(scene.vehicle.execute(told, Clearance.whole(told)))
        await scene.until(lambda: scene.vehicle.state().driving)
        assert scene.vehicle.state().arrives_s is None
        await driving
        assert not any("intermediatePath" in said for said in scene.scribe.of("state"))
