"""The simulated autopilot answers as a real ArduCopter was seen to (docs/reference/mavlink.md)."""

import asyncio
import random
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.commands import mav_text
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.missions import Item
from tests.fleet.mavlink.scene import DRONE
from tests.sim.mavlink.station import (
    ACCEPTED,
    ARM,
    AUTO,
    FAILED,
    FLIGHT,
    GUIDED,
    HOME,
    MODE,
    RELATIVE,
    RTL,
    START,
    TAKEOFF,
    UNSUPPORTED,
    Station,
    bench,
    near,
)


async def test_unasked_it_says_only_heartbeat_and_timesync() -> None:
    async with bench() as (station, _):
        station.heard.clear()
        await asyncio.sleep(20)
        assert set(station.kinds()) == {"HEARTBEAT", "TIMESYNC"}
        assert station.kinds().count("HEARTBEAT") == 20
        assert station.kinds().count("TIMESYNC") == 2


async def test_it_answers_only_what_is_addressed_to_it_or_to_all() -> None:
    async with bench() as (station, _):
        assert await station.do(ARM, 0, to=8) is None
        assert await station.do(ARM, 0, to=7, component=99) == ACCEPTED
        assert await station.do(ARM, 0, to=0, component=0) == ACCEPTED


async def test_an_ack_names_who_asked() -> None:
    async with bench() as (station, _):
        message = mav.MAVLink_command_long_message(7, 1, ARM, 0, 0, 0, 0, 0, 0, 0, 0)
        ack = await station.ask(message, mav.MAVLink_command_ack_message)
        assert ack is not None
        assert (ack.target_system, ack.target_component) == (255, 190)


async def test_an_unknown_command_is_unsupported() -> None:
    async with bench() as (station, _):
        assert await station.do(31999) == UNSUPPORTED


async def test_a_refusal_has_its_reason_only_in_a_text() -> None:
    async with bench(ready=False) as (station, _):
        assert await station.do(MODE, 1, GUIDED) == FAILED
        assert station.texts() == ["Mode change to GUIDED failed: requires position"]
        assert await station.do(MODE, 1, 99) == FAILED
        assert await station.do(TAKEOFF, 0, 0, 0, 0, 0, 0, 10) == FAILED


async def test_armed_in_stabilize_without_a_position_it_disarms_by_itself() -> None:
    async with bench(ready=False) as (station, _):
        assert await station.do(ARM, 1) == ACCEPTED
        assert await station.do(MODE, 1, GUIDED) == FAILED
        await asyncio.sleep(10)
        assert not station.drone.copter.armed


async def test_streams_flow_at_the_rate_asked_for_until_stopped() -> None:
    async with bench() as (station, _):
        assert await station.do(511, 33, 500_000) == ACCEPTED
        assert await station.do(511, 12345, 500_000) == FAILED
        station.heard.clear()
        await asyncio.sleep(10)
        assert station.kinds().count("GLOBAL_POSITION_INT") == 20
        assert await station.do(511, 33, -1) == ACCEPTED
        station.heard.clear()
        await asyncio.sleep(10)
        assert "GLOBAL_POSITION_INT" not in station.kinds()


async def test_a_message_can_be_asked_for_once() -> None:
    async with bench() as (station, _):
        assert await station.do(512, 148) == ACCEPTED
        version = next(
            m for m in station.heard if isinstance(m, mav.MAVLink_autopilot_version_message)
        )
        assert version.capabilities == 64495
        assert await station.do(410) == ACCEPTED
        assert "HOME_POSITION" in station.kinds()
        assert await station.do(520) == ACCEPTED
        assert "AUTOPILOT_VERSION" in station.kinds()
        assert await station.do(512, 12345) == FAILED


async def test_home_is_not_known_before_the_position_is() -> None:
    async with bench(ready=False) as (station, _):
        assert await station.do(410) == FAILED
        assert await station.do(512, 242) == FAILED


async def test_it_asks_for_items_with_mission_request_and_reads_back_with_home_at_0() -> None:
    async with bench() as (station, _):
        assert await station.upload(*FLIGHT) == mav.MAV_MISSION_ACCEPTED
        asked = [m for m in station.kinds() if m.startswith("MISSION_REQUEST")]
        assert asked == ["MISSION_REQUEST"] * 4
        home, second = await station.held(0), await station.held(2)
        assert isinstance(home, mav.MAVLink_mission_item_int_message)
        assert (home.x, home.y, home.frame) == (305928000, 1143055000, mav.MAV_FRAME_GLOBAL)
        assert isinstance(second, mav.MAVLink_mission_item_int_message)
        assert (second.x, second.z) == (305937000, 20)


async def test_a_takeoff_at_0_is_silently_lost() -> None:
    async with bench() as (station, _):
        assert await station.upload(*FLIGHT[1:]) == mav.MAV_MISSION_ACCEPTED
        first = await station.held(0)
        assert isinstance(first, mav.MAVLink_mission_item_int_message)
        assert first.command == 16
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        assert await station.do(START) == FAILED


async def test_a_silent_client_is_asked_eight_times_more_and_then_given_up() -> None:
    async with bench() as (station, _):
        station.heard.clear()
        station.send(mav.MAVLink_mission_count_message(7, 1, 3, 0))
        await asyncio.sleep(12)
        assert station.kinds().count("MISSION_REQUEST") == 9
        ack = next(m for m in station.heard if isinstance(m, mav.MAVLink_mission_ack_message))
        assert ack.type == mav.MAV_MISSION_OPERATION_CANCELLED


async def test_a_second_upload_during_the_first_is_denied() -> None:
    async with bench() as (station, ether):
        other = Station(ether.port(("other", 1)), station.drone, 245)
        station.send(mav.MAVLink_mission_count_message(7, 1, 3, 0))
        await asyncio.sleep(0.1)
        assert await other.upload(*FLIGHT) == mav.MAV_MISSION_DENIED


@pytest.mark.parametrize(
    ("item", "result"),
    [
        (Item(command=16, frame=mav.MAV_FRAME_LOCAL_NED), mav.MAV_MISSION_UNSUPPORTED_FRAME),
        (Item(command=31999), mav.MAV_MISSION_UNSUPPORTED),
    ],
)
async def test_bad_items_are_refused(item: Item, result: int) -> None:
    async with bench() as (station, _):
        assert await station.upload(HOME, item) == result


async def test_no_items_clear_the_mission() -> None:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        assert await station.upload() == mav.MAV_MISSION_ACCEPTED
        assert await station.held(0) is None


async def test_a_mission_in_flight_cannot_be_cleared() -> None:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        assert await station.do(START) == ACCEPTED
        clear = mav.MAVLink_mission_clear_all_message(7, 1, 0)
        ack = await station.ask(clear, mav.MAVLink_mission_ack_message)
        assert ack is not None
        assert ack.type == mav.MAV_MISSION_ERROR


async def test_a_mission_is_flown_item_by_item_to_disarming() -> None:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        await station.do(START)
        station.heard.clear()
        await asyncio.sleep(120)
        reached = [
            m.seq for m in station.heard if isinstance(m, mav.MAVLink_mission_item_reached_message)
        ]
        assert reached == [1, 2, 3]
        beat = [m for m in station.heard if isinstance(m, mav.MAVLink_heartbeat_message)][-1]
        assert (beat.custom_mode, beat.base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED) == (AUTO, 0)
        assert station.body.position().point.distance_m(station.drone.copter.flight.home) > 90  # pyright: ignore[reportArgumentType]


async def test_it_can_be_paused_on_the_way_again_after_a_stay() -> None:
    async with bench() as (station, _):
        stay = replace(near(9000, 0, 20), params=(5, 0, 0, 0))
        await station.upload(*FLIGHT[:2], stay, near(0, 0, 20), FLIGHT[3])
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        await station.do(START)
        await asyncio.sleep(30)
        assert station.drone.copter.mission.item == 3
        assert await station.do(mav.MAV_CMD_DO_PAUSE_CONTINUE, 0) == ACCEPTED
        here = station.body.position().point
        await asyncio.sleep(60)
        assert station.body.position().point.distance_m(here) < 20


async def test_a_jump_repeats_a_part_of_the_mission() -> None:
    async with bench() as (station, _):
        jump = Item(command=177, params=(2, 2, 0, 0))
        looped = (*FLIGHT[:3], near(0, 0, 20), jump, FLIGHT[3])
        assert await station.upload(*looped) == mav.MAV_MISSION_ACCEPTED
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        await station.do(START)
        station.heard.clear()
        await asyncio.sleep(400)
        reached = [
            m.seq for m in station.heard if isinstance(m, mav.MAVLink_mission_item_reached_message)
        ]
        assert reached == [1, 2, 3, 2, 3, 2, 3, 5]


async def test_a_fence_reads_back_and_bounds_what_it_flies_to() -> None:
    async with bench() as (station, _):
        corners = [(-5000, -5000), (-5000, 5000), (5000, 5000), (5000, -5000)]
        fence = [
            Item(
                command=5001,
                frame=0,
                params=(4, 0, 0, 0),
                lat_e7=305928000 + a,
                lon_e7=1143055000 + b,
            )
            for a, b in corners
        ]
        assert await station.upload(*fence, mission_type=1) == mav.MAV_MISSION_ACCEPTED
        held = await station.held(2, 1)
        assert isinstance(held, mav.MAVLink_mission_item_int_message)
        assert (held.x, held.param1) == (305933000, 4)
        rally = Item(command=5100, lat_e7=305928000, lon_e7=1143055000)
        assert await station.upload(rally, mission_type=2) == mav.MAV_MISSION_ACCEPTED
        await station.take_off()

        async def go(north_e7: int) -> int:
            message = mav.MAVLink_command_int_message(
                7, 1, RELATIVE, 192, 0, 0, -1, 1, 0, 0, 305928000 + north_e7, 1143055000, 20
            )
            ack = await station.ask(message, mav.MAVLink_command_ack_message)
            assert ack is not None
            return ack.result

        assert await go(9000) == FAILED
        assert await go(4000) == ACCEPTED
        await asyncio.sleep(30)
        assert station.body.position().point.distance_m(station.drone.copter.flight.home) == (  # pyright: ignore[reportArgumentType]
            pytest.approx(44.4, abs=0.5)
        )


async def test_return_to_launch_brings_it_home() -> None:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        await station.do(START)
        await asyncio.sleep(15)
        assert await station.do(RTL) == ACCEPTED
        await asyncio.sleep(120)
        assert not station.drone.copter.armed
        assert station.body.position().point.distance_m(station.drone.copter.flight.home) < 0.1  # pyright: ignore[reportArgumentType]


async def test_without_heartbeats_it_flies_on_unless_told_otherwise() -> None:
    beat = mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)
    for enable, mode in ((0, GUIDED), (1, 6)):
        async with bench(params={"FS_GCS_ENABLE": enable}) as (station, _):
            station.send(beat)
            await station.take_off()
            assert station.drone.copter.mode == mode
            assert station.texts() == (["GCS Failsafe"] if enable else [])


async def test_parameters_are_read_set_and_listed() -> None:
    async with bench() as (station, _):
        read = mav.MAVLink_param_request_read_message(7, 1, b"FS_GCS_TIMEOUT", -1)
        value = await station.ask(read, mav.MAVLink_param_value_message)
        assert value is not None
        assert (value.param_value, value.param_type) == (5, mav.MAV_PARAM_TYPE_REAL32)
        change = mav.MAVLink_param_set_message(7, 1, b"RTL_ALT", 3000.4, 6)
        value = await station.ask(change, mav.MAVLink_param_value_message)
        assert value is not None
        assert value.param_value == 3000
        unknown = mav.MAVLink_param_request_read_message(7, 1, b"NO_SUCH", -1)
        assert await station.ask(unknown, mav.MAVLink_param_value_message) is None
        listed = mav.MAVLink_param_request_list_message(7, 1)
        value = await station.ask(listed, mav.MAVLink_param_value_message)
        assert value is not None
        assert station.kinds().count("PARAM_VALUE") == value.param_count


async def test_long_texts_come_in_pieces() -> None:
    async with bench() as (station, _):
        station.heard.clear()
        station.drone.say(4, "x" * 120)
        await asyncio.sleep(0)
        pieces = [m for m in station.heard if isinstance(m, mav.MAVLink_statustext_message)]
        assert [len(mav_text(m.text)) for m in pieces] == [50, 50, 20]
        assert [m.chunk_seq for m in pieces] == [0, 1, 2]


async def test_without_power_it_is_silent() -> None:
    async with bench() as (station, _):
        station.drone.power(False)
        await asyncio.sleep(1)
        assert await station.do(ARM, 0) is None
        await asyncio.sleep(60)
        assert station.heard == []
        station.drone.power(True)
        await asyncio.sleep(60)
        assert "HEARTBEAT" in station.kinds()


async def test_a_reboot_on_the_ground_forgets_rates_and_position() -> None:
    async with bench() as (station, _):
        await station.do(511, 33, 500_000)
        station.drone.reboot()
        station.heard.clear()
        await asyncio.sleep(6)
        assert set(station.kinds()) == {"HEARTBEAT", "TIMESYNC"}
        assert await station.do(MODE, 1, GUIDED) == FAILED


async def test_a_short_loss_of_gps_does_nothing() -> None:
    async with bench() as (station, _):
        await station.take_off()
        station.heard.clear()
        station.drone.lose_gps()
        await asyncio.sleep(7)
        station.drone.regain_gps()
        await asyncio.sleep(30)
        assert station.drone.copter.mode == GUIDED
        assert station.texts() == []


@pytest.mark.parametrize(("action", "mode", "name"), [(1, 9, "Land"), (2, 2, "Alt_Hold")])
async def test_without_gps_the_estimate_fails_and_the_failsafe_acts(
    action: int, mode: int, name: str
) -> None:
    async with bench(params={"FS_EKF_ACTION": action}) as (station, _):
        await station.take_off(20)
        station.heard.clear()
        station.drone.lose_gps()
        await asyncio.sleep(9)
        said = ["EKF3 IMU0 stopped aiding", f"EKF Failsafe: changed to {name} Mode"]
        assert station.texts() == said
        assert station.drone.copter.mode == mode
        await asyncio.sleep(2)
        assert station.body.position().height_agl_m == pytest.approx(20), "it waits a little"
        assert await station.do(RTL) == FAILED
        await asyncio.sleep(60)
        assert station.body.airborne is (mode != 9)
        station.drone.regain_gps()
        await asyncio.sleep(20)
        assert "EKF Failsafe Cleared" in station.texts()
        assert station.drone.copter.mode == mode, "it stays"


async def test_on_the_ground_without_gps_it_is_not_armed_until_it_is_back() -> None:
    async with bench() as (station, _):
        station.drone.lose_gps()
        await asyncio.sleep(60)
        assert await station.do(MODE, 1, GUIDED) == FAILED
        station.drone.power(False)
        station.drone.power(True)
        await asyncio.sleep(60)
        assert await station.do(MODE, 1, GUIDED) == FAILED
        station.drone.regain_gps()
        await asyncio.sleep(20)
        assert await station.do(MODE, 1, GUIDED) == ACCEPTED


PEER: Peer = ("nobody", 1)


async def test_what_it_hears_may_be_garbage() -> None:
    async with bench() as (station, ether):
        port = ether.port(PEER)
        for junk in (b"", b"\xfd", b"\xfd\xff" * 200, b"Init ArduCopter\n", bytes(300)):
            port.send(junk, DRONE)
        await asyncio.sleep(1)
        assert await station.do(ARM, 0) == ACCEPTED


async def test_a_nan_among_the_parameters_ends_nothing() -> None:
    nan = float("nan")
    async with bench() as (station, _):
        for command in (TAKEOFF, MODE, ARM, 211, 246, 511, 512):
            await station.do(command, nan, nan, nan, nan, nan, nan, nan)
        assert await station.upload(HOME, near(0, 0, nan, TAKEOFF)) == 12
        assert await station.do(ARM, 0) == ACCEPTED


async def test_no_message_of_any_kind_ends_it() -> None:
    rng = random.Random("fuzz")
    values = (0.0, 1.0, -1.0, 4.0, 33.0, 1e9, -1e30, float("nan"), float("inf"))
    kinds = sorted(kind for kind in mav.mavlink_map if kind < 300)
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        for _ in range(200):
            command = rng.choice((20, 21, 22, 176, 177, 192, 211, 300, 400, 410, 511, 512, 520))
            await station.do(command, *(rng.choice(values) for _ in range(7)))
        for kind in kinds:
            for _ in range(3):
                payload = bytes([rng.randrange(256) for _ in range(255)])
                station.send(Raw(kind, b"\x07\x07\x07\x07" * 60 + payload[:15]))
                station.send(Raw(kind, payload))
        await asyncio.sleep(60)
        assert await station.do(31999) == UNSUPPORTED


class Raw(mav.MAVLink_message):
    """A message of any kind with any content, in a good frame."""

    def __init__(self, kind: int, payload: bytes) -> None:
        super().__init__(kind, "RAW")
        self._kind, self._content = mav.mavlink_map[kind], payload

    def pack(self, mav: mav.MAVLink, force_mavlink1: bool = False) -> bytes:
        content = self._content[: self._kind.unpacker.size]
        return self._pack(mav, self._kind.crc_extra, content, force_mavlink1)


async def test_it_restarts_when_told_to() -> None:
    async with bench() as (station, _):
        assert await station.do(246, 1) == ACCEPTED
        await asyncio.sleep(6)
        assert await station.do(MODE, 1, GUIDED) == FAILED


async def test_a_gripper_works_where_there_is_one() -> None:
    for enable, result in ((0, FAILED), (1, ACCEPTED)):
        async with bench(params={"GRIP_ENABLE": enable}) as (station, _):
            assert await station.do(211, 1, 1) == result
