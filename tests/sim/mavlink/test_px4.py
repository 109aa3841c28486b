"""What the simulated PX4 answers, as read in the sources of PX4 1.15."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.dialects import AUTO_LOITER, AUTO_MISSION, AUTO_TAKEOFF
from fleet.mavlink.parameters import as_float, as_int
from tests.sim.mavlink.station import FLIGHT, Station, bench

ARM, MODE, START, TAKEOFF, REPOSITION = 400, 176, 300, 22, 192
ACCEPTED, REJECTED, DENIED = 0, 1, 2
NAN = math.nan


@pytest_asyncio.fixture
async def station() -> AsyncIterator[Station]:
    async with bench(autopilot="px4") as (station, _):
        yield station


def mode(station: Station) -> int:
    """The mode that its last HEARTBEAT told."""
    beats = [m for m in station.heard if isinstance(m, mav.MAVLink_heartbeat_message)]
    return beats[-1].custom_mode


async def flies(station: Station) -> None:
    """At 30 m above the ground, which is 20 m above the sea."""
    assert await station.do(MODE, 1, 4, 3) == ACCEPTED
    assert await station.do(ARM, 1) == ACCEPTED
    assert await station.do(TAKEOFF, -1, 0, 0, NAN, NAN, NAN, 50) == ACCEPTED
    await asyncio.sleep(2)
    assert mode(station) == AUTO_TAKEOFF
    await asyncio.sleep(20)


async def test_it_tells_where_it_is_without_being_asked(station: Station) -> None:
    station.heard.clear()
    await asyncio.sleep(3)
    assert "GLOBAL_POSITION_INT" in station.kinds()


@pytest.mark.parametrize(
    ("main", "sub", "answer"),
    [(4, 3, ACCEPTED), (4, 99, DENIED), (6, 0, REJECTED), (4, 4, REJECTED), (3, 0, ACCEPTED)],
    ids=["hold", "none", "offboard without setpoints", "mission without one", "position"],
)
async def test_a_change_of_mode(station: Station, main: int, sub: int, answer: int) -> None:
    assert await station.do(MODE, 1, main, sub) == answer


async def test_a_mission_is_armed_and_started_by_one_command(station: Station) -> None:
    assert await station.do(START) == DENIED
    assert await station.upload(*FLIGHT[1:]) == mav.MAV_MISSION_ACCEPTED
    assert await station.do(START) == ACCEPTED
    await asyncio.sleep(10)
    assert station.body.airborne
    assert mode(station) == AUTO_MISSION


async def test_heights_in_commands_count_from_the_sea(station: Station) -> None:
    await flies(station)
    assert mode(station) == AUTO_LOITER
    assert station.body.position().height_agl_m == pytest.approx(30, abs=0.1)
    assert await station.do(REPOSITION, -1, 1, 0, NAN, 30.593, 114.3055, 60) == ACCEPTED
    await asyncio.sleep(30)
    assert station.body.position().height_agl_m == pytest.approx(40, abs=0.1)
    home = station.drone.copter.flight.home
    assert home is not None
    assert station.body.position().point.distance_m(home) > 10


async def test_nowhere_is_where_it_is(station: Station) -> None:
    await flies(station)
    await station.do(REPOSITION, -1, 1, 0, NAN, 30.60, 114.3055, 60)
    await asyncio.sleep(5)
    assert await station.do(REPOSITION, -1, 1, 0, NAN, NAN, NAN, NAN) == ACCEPTED
    await asyncio.sleep(1)
    stood = station.body.position()
    await asyncio.sleep(10)
    assert station.body.position() == stood


async def test_a_place_beyond_the_fence_is_accepted_and_not_flown_to() -> None:
    async with bench(autopilot="px4", params={"GF_MAX_VER_DIST": 45}) as (station, _):
        await flies(station)
        assert await station.do(REPOSITION, -1, 1, 0, NAN, 30.593, 114.3055, 100) == ACCEPTED
        stood = station.body.position()
        await asyncio.sleep(10)
        assert station.body.position() == stood


async def test_items_are_read_in_their_order_only(station: Station) -> None:
    await station.upload(*FLIGHT[1:])
    ask = mav.MAVLink_mission_request_list_message(7, 1, 0)
    found = await station.ask(ask, mav.MAVLink_mission_count_message)
    assert found is not None
    assert found.count == 3
    assert await station.held(0) is not None
    assert await station.held(0) is not None
    assert await station.held(2) is None
    assert any(
        m.type == mav.MAV_MISSION_ERROR
        for m in station.heard
        if isinstance(m, mav.MAVLink_mission_ack_message)
    )
    assert await station.held(1) is None, "the reading has ended with that"


async def test_whole_numbers_travel_as_their_bytes(station: Station) -> None:
    ask = mav.MAVLink_param_request_read_message(7, 1, b"NAV_RCL_ACT", -1)
    found = await station.ask(ask, mav.MAVLink_param_value_message)
    assert found is not None
    assert (found.param_type, as_int(found.param_value)) == (mav.MAV_PARAM_TYPE_INT32, 2)
    change = mav.MAVLink_param_set_message(
        7, 1, b"NAV_RCL_ACT", as_float(3), mav.MAV_PARAM_TYPE_INT32
    )
    changed = await station.ask(change, mav.MAVLink_param_value_message)
    assert changed is not None
    assert as_int(changed.param_value) == 3
