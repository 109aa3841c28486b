"""What drones say of the wind: in flight only, late, and not at all where they can't know it."""

import asyncio
import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.wind import SETTLES_S, WindEar
from routing.air.wind import blowing
from sim.world.multirotor import Wind
from tests.fleet.mavlink.scene import Meadow, meadow
from tests.sim.mavlink.station import GUIDED, MODE, Station, bench


def wind_words(place: Meadow) -> list[mav.MAVLink_wind_message]:
    return [message for message in place.heard if isinstance(message, mav.MAVLink_wind_message)]


async def test_in_flight_a_vehicle_knows_the_wind_and_when_it_said_so() -> None:
    async with meadow() as place:
        place.body.set_wind(Wind(3.0, -4.0))
        flight = asyncio.create_task(place.fly("dock-1", "clinic"))
        await asyncio.sleep(SETTLES_S)
        assert place.drone.state().wind is None
        await flight
        word = place.drone.state().wind
        assert word is not None
        assert (word.wind.x_m_s, word.wind.y_m_s) == pytest.approx((3.0, -4.0), abs=0.1)
        landed_s = asyncio.get_running_loop().time()
        assert 0 < landed_s - word.heard_at_s < 60
        assert word.height_agl_m > 0
        north_deg = math.degrees(math.atan2(-3.0, 4.0)) + 20
        assert wind_words(place)[-1].direction == pytest.approx(north_deg, abs=2)


async def test_on_the_ground_and_right_after_it_nothing_is_known() -> None:
    async with bench(params={"EK3_DRAG_BCOEF_X": 70, "EK3_DRAG_BCOEF_Y": 70}) as (station, _):
        station.body.set_wind(Wind(6.0, 0.0))
        assert await told(station) is None
        await fly(station)
        early = await told(station)
        await asyncio.sleep(60)
        late = await told(station)
        assert early is not None
        assert late is not None
        assert early.speed < 2.0
        assert late.speed == pytest.approx(6.0, abs=0.1)


async def test_a_stock_drone_is_asked_once_a_minute_and_knows_nothing() -> None:
    async with meadow(params={"EK3_DRAG_BCOEF_X": 0}) as place:
        place.body.set_wind(Wind(3.0, 0.0))
        await place.fly("dock-1", "clinic")
        assert place.drone.state().wind is None
        asked = [
            message
            for message in place.told
            if isinstance(message, mav.MAVLink_command_long_message)
            and message.command == mav.MAV_CMD_SET_MESSAGE_INTERVAL
            and message.param1 == mav.MAVLINK_MSG_ID_WIND
        ]
        assert 1 <= len(asked) <= 4


@pytest.mark.parametrize(
    "words",
    [(math.nan, 5, 0), (10, math.inf, 0), (10, -1, 0), (10, 90, 0), (10, 5, math.nan)],
)
def test_nonsense_is_passed_over(words: tuple[float, float, float]) -> None:
    ear = WindEar()
    ear.flies(airborne=True, now_s=0.0)
    ear.hear(mav.MAVLink_wind_message(*words), 50.0, 100.0)
    assert ear.last is None


def test_what_blows_upwards_is_no_part_of_it() -> None:
    ear = WindEar()
    ear.flies(airborne=True, now_s=0.0)
    ear.hear(mav.MAVLink_wind_message(-90.0, 5.0, 3.0), 50.0, 100.0)
    assert ear.last is not None
    word = ear.last.on_site(20.0)
    assert (word.wind.x_m_s, word.wind.y_m_s) == pytest.approx(
        (blowing(270, 4, 20).x_m_s, blowing(270, 4, 20).y_m_s)
    )


async def told(station: Station) -> mav.MAVLink_wind_message | None:
    asked = mav.MAVLink_command_long_message(
        7, 1, mav.MAV_CMD_REQUEST_MESSAGE, 0, mav.MAVLINK_MSG_ID_WIND, 0, 0, 0, 0, 0, 0
    )
    return await station.ask(asked, mav.MAVLink_wind_message)


async def fly(station: Station) -> None:
    await station.do(MODE, 1, GUIDED)
    await station.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1)
    await station.do(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 30)
