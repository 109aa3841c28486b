"""What a real ArduCopter 4.5.6 was seen to answer, and what the simulated one does, row by row.

The table in docs/reference/mavlink-answers.md is made from this: `WRITE_TABLE=1 pytest` writes it
anew, and without that the test fails where an answer has changed.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from tests.folders import ROOT
from tests.sim.mavlink.station import (
    ARM,
    AUTO,
    FLIGHT,
    GUIDED,
    HOME,
    MODE,
    RELATIVE,
    START,
    TAKEOFF,
    Station,
    bench,
    near,
)

PAGE = ROOT / "docs/reference/mavlink-answers.md"
LAT_E7, LON_E7 = 305928000, 1143055000
_ACK, _MISSION_ACK = mav.MAVLink_command_ack_message, mav.MAVLink_mission_ack_message
_COUNT = mav.MAVLink_mission_count_message
BEAT = mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)

Story = Callable[[], Awaitable[str]]
ROWS: list[tuple[str, str, Story]] = []


def row(sent: str, real: str) -> Callable[[Story], Story]:
    """A row of the table: what is sent, what the real one answered, and how to ask ours."""

    def note(story: Story) -> Story:
        ROWS.append((sent, real, story))
        return story

    return note


def result(number: int | None) -> str:
    return "silence" if number is None else f"{_name('MAV_RESULT', number)} ({number})"


def mission_result(number: int | None) -> str:
    return "silence" if number is None else f"{_name('MAV_MISSION', number)} ({number})"


def _name(prefix: str, number: int) -> str:
    enum = "MAV_MISSION_RESULT" if prefix == "MAV_MISSION" else prefix
    return mav.enums[enum][number].name.removeprefix(f"{prefix}_")


def said(station: Station) -> str:
    return ", ".join(f'"{text}"' for text in station.texts())


@row("nothing", "HEARTBEAT each second, TIMESYNC each ten, nothing else")
async def nothing() -> str:
    async with bench() as (station, _):
        station.heard.clear()
        await asyncio.sleep(20)
        kinds = station.kinds()
        rates = kinds.count("HEARTBEAT") == 20 and kinds.count("TIMESYNC") == 2
        rest = set(kinds) - {"HEARTBEAT", "TIMESYNC"}
        return (
            "HEARTBEAT each second, TIMESYNC each ten, "
            f"{', '.join(sorted(rest)) or 'nothing else'}{'' if rates else ', at other rates'}"
        )


@row("an unknown command", "UNSUPPORTED (3)")
async def unknown() -> str:
    async with bench() as (station, _):
        return result(await station.do(31999))


@row("a command to another system id", "silence")
async def to_another() -> str:
    async with bench() as (station, _):
        return result(await station.do(ARM, 0, to=8))


@row("a command to system 0 and component 0", "ACCEPTED (0)")
async def to_all() -> str:
    async with bench() as (station, _):
        return result(await station.do(ARM, 0, to=0, component=0))


@row("a command to its component 99", "ACCEPTED (0)")
async def to_a_part() -> str:
    async with bench() as (station, _):
        return result(await station.do(ARM, 0, component=99))


@row("DO_SET_MODE to a mode that does not exist", "FAILED (4)")
async def no_such_mode() -> str:
    async with bench() as (station, _):
        return result(await station.do(MODE, 1, 99))


@row("NAV_TAKEOFF, disarmed", "FAILED (4)")
async def takeoff_disarmed() -> str:
    async with bench() as (station, _):
        await station.do(MODE, 1, GUIDED)
        return result(await station.do(TAKEOFF, 0, 0, 0, 0, 0, 0, 10))


@row("arm in GUIDED without a position", 'FAILED (4), and "Arm: Need Position Estimate"')
async def arm_blind() -> str:
    async with bench() as (station, _):
        await station.do(MODE, 1, GUIDED)
        station.drone.lose_gps()
        await asyncio.sleep(30)
        return f"{result(await station.do(ARM, 1))}, and {said(station)}"


@row(
    "arm in STABILIZE before the position is known, then GUIDED",
    'ACCEPTED (0), then FAILED (4) with "requires position", disarmed after 10 s',
)
async def arm_in_stabilize() -> str:
    async with bench(ready=False) as (station, _):
        armed, guided = await station.do(ARM, 1), await station.do(MODE, 1, GUIDED)
        why = "requires position" if "requires position" in said(station) else said(station)
        await asyncio.sleep(9)
        still = station.drone.copter.armed
        await asyncio.sleep(1)
        after = "10 s" if still and not station.drone.copter.armed else "another time"
        return f'{result(armed)}, then {result(guided)} with "{why}", disarmed after {after}'


@row(
    "armed in GUIDED on the ground: MISSION_START",
    "ACCEPTED (0), goes to AUTO, takes off by item 1",
)
async def mission_start() -> str:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        answer = result(await station.do(START))
        await asyncio.sleep(2)
        copter = station.drone.copter
        mode = "goes to AUTO" if copter.mode == AUTO else "stays"
        item = f"takes off by item {copter.mission.item}" if station.body.airborne else "stands"
        return f"{answer}, {mode}, {item}"


@row(
    "MISSION_COUNT",
    "asks with MISSION_REQUEST, takes MISSION_ITEM_INT; ACCEPTED (0)",
)
async def mission_count() -> str:
    async with bench() as (station, _):
        answer = mission_result(await station.upload(*FLIGHT))
        asked = {kind for kind in station.kinds() if kind.startswith("MISSION_REQUEST")}
        return f"asks with {', '.join(sorted(asked))}, takes MISSION_ITEM_INT; {answer}"


@row(
    "MISSION_COUNT, then silence",
    "asks again each second, 8 times, then OPERATION_CANCELLED (15)",
)
async def silence() -> str:
    async with bench() as (station, _):
        station.heard.clear()
        station.send(_COUNT(7, 1, 3, 0))
        await asyncio.sleep(8.5)
        again = station.kinds().count("MISSION_REQUEST") - 1
        await asyncio.sleep(2)
        end = next(m for m in station.heard if isinstance(m, _MISSION_ACK))
        return f"asks again each second, {again} times, then {mission_result(end.type)}"


@row("a second ground station uploads during the first one's upload", "DENIED (14) to the second")
async def second_station() -> str:
    async with bench() as (station, ether):
        other = Station(ether.port(("other", 1)), station.drone, 245)
        station.send(_COUNT(7, 1, 3, 0))
        await asyncio.sleep(0.1)
        return f"{mission_result(await other.upload(*FLIGHT))} to the second"


@row(
    "a mission without a home item: NAV_TAKEOFF at 0",
    "ACCEPTED (0), and item 0 reads back as home, a NAV_WAYPOINT",
)
async def no_home_item() -> str:
    async with bench() as (station, _):
        answer = mission_result(await station.upload(*FLIGHT[1:]))
        first = await station.held(0)
        assert isinstance(first, mav.MAVLink_mission_item_int_message)
        what = mav.enums["MAV_CMD"][first.command].name.removeprefix("MAV_CMD_")
        where = "home" if (first.x, first.y) == (LAT_E7, LON_E7) else "elsewhere"
        return f"{answer}, and item 0 reads back as {where}, a {what}"


@row("an item in a frame that it does not know", "UNSUPPORTED_FRAME (2)")
async def bad_frame() -> str:
    async with bench() as (station, _):
        item = Item(command=16, frame=mav.MAV_FRAME_LOCAL_NED)
        return mission_result(await station.upload(HOME, item))


@row("an item of an unknown command", "UNSUPPORTED (3)")
async def bad_item() -> str:
    async with bench() as (station, _):
        return mission_result(await station.upload(HOME, Item(command=31999)))


@row("MISSION_CLEAR_ALL in AUTO", "ERROR (1)")
async def clear_in_auto() -> str:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        await station.do(MODE, 1, GUIDED)
        await station.do(ARM, 1)
        await station.do(START)
        ack = await station.ask(mav.MAVLink_mission_clear_all_message(7, 1, 0), _MISSION_ACK)
        return mission_result(ack.type if ack else None)


@row("MISSION_COUNT 0", "ACCEPTED (0) at once; nothing is left")
async def count_0() -> str:
    async with bench() as (station, _):
        await station.upload(*FLIGHT)
        answer = mission_result(await station.upload())
        left = "nothing is left" if await station.held(0) is None else "something is left"
        return f"{answer} at once; {left}"


def corners(side_e7: int = 5000) -> list[Item]:
    around = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    return [
        Item(
            command=5001,
            frame=0,
            params=(4, 0, 0, 0),
            lat_e7=LAT_E7 + a * side_e7,
            lon_e7=LON_E7 + b * side_e7,
        )
        for a, b in around
    ]


async def read_back(station: Station, items: list[Item], mission_type: int) -> str:
    for seq, item in enumerate(items):
        held = await station.held(seq, mission_type)
        assert isinstance(held, mav.MAVLink_mission_item_int_message)
        ours = (item.command, item.frame, *item.params, item.lat_e7, item.lon_e7, item.z_m)
        theirs = (held.command, held.frame, held.param1, held.param2, held.param3, held.param4)
        if ours != (*theirs, held.x, held.y, held.z):
            return "reads back differently"
    return "reads back exactly"


@row("a fence: 5001, param1 = its corners", "ACCEPTED (0), reads back exactly")
async def fence() -> str:
    async with bench() as (station, _):
        items = corners()
        answer = mission_result(await station.upload(*items, mission_type=1))
        return f"{answer}, {await read_back(station, items, 1)}"


@row("rally points: 5100", "ACCEPTED (0), reads back exactly")
async def rally() -> str:
    async with bench() as (station, _):
        items = [Item(command=5100, frame=3, lat_e7=LAT_E7, lon_e7=LON_E7, z_m=20)]
        answer = mission_result(await station.upload(*items, mission_type=2))
        return f"{answer}, {await read_back(station, items, 2)}"


async def aloft(station: Station) -> None:
    await station.upload(*corners(), mission_type=1)
    await station.take_off()
    station.heard.clear()


def moved(station: Station) -> bool:
    home = station.drone.copter.flight.home
    return home is not None and station.body.position().point.distance_m(home) > 1


@row("SET_POSITION_TARGET_GLOBAL_INT outside the fence", "nothing: no ack, no text, it stays")
async def target_outside() -> str:
    async with bench() as (station, _):
        await aloft(station)
        station.send(position_target(9000))
        await asyncio.sleep(30)
        words = set(station.kinds()) - {"HEARTBEAT", "TIMESYNC"}
        where = "it goes" if moved(station) else "it stays"
        return f"{'nothing: no ack, no text' if not words else sorted(words)}, {where}"


def position_target(north_e7: int) -> mav.MAVLink_set_position_target_global_int_message:
    place = (LAT_E7 + north_e7, LON_E7, 20)
    return mav.MAVLink_set_position_target_global_int_message(
        0, 7, 1, RELATIVE, 0b110111111000, *place, 0, 0, 0, 0, 0, 0, 0, 0
    )


async def reposition(station: Station, north_e7: int) -> int | None:
    message = mav.MAVLink_command_int_message(
        7, 1, RELATIVE, 192, 0, 0, -1, 1, 0, 0, LAT_E7 + north_e7, LON_E7, 20
    )
    ack = await station.ask(message, _ACK)
    return None if ack is None else ack.result


@row("DO_REPOSITION outside the fence", "FAILED (4)")
async def reposition_outside() -> str:
    async with bench() as (station, _):
        await aloft(station)
        return result(await reposition(station, 9000))


@row(
    "DO_REPOSITION inside, from AUTO, with the flag to change the mode",
    "ACCEPTED (0) and GUIDED",
)
async def reposition_inside() -> str:
    async with bench() as (station, _):
        await aloft(station)
        await station.upload(HOME, near(0, 0, 20, TAKEOFF), near(2000, 0, 20))
        await station.do(MODE, 1, AUTO)
        answer = result(await reposition(station, 4000))
        return f"{answer} and {'GUIDED' if station.drone.copter.mode == GUIDED else 'as before'}"


@row(
    "no heartbeat of ours in flight, FS_GCS_ENABLE 0 as at first",
    "nothing",
)
async def no_heartbeat() -> str:
    return await link_loss(0)


@row(
    "the same with FS_GCS_ENABLE 1, then heartbeats again",
    'after 5 s "GCS Failsafe" and RTL; "GCS Failsafe Cleared", and RTL stays',
)
async def no_heartbeat_failsafe() -> str:
    return await link_loss(1)


async def link_loss(enable: int) -> str:
    async with bench(params={"FS_GCS_ENABLE": enable}) as (station, _):
        for _ in range(25):
            station.send(BEAT)
            await asyncio.sleep(1)
        await station.take_off_slowly(BEAT)
        station.heard.clear()
        await asyncio.sleep(5.5)
        before = station.texts()
        await asyncio.sleep(3)
        if not station.texts():
            return "nothing" if station.drone.copter.mode == GUIDED else "another mode"
        first, mode = said(station), station.drone.copter.mode
        station.heard.clear()
        for _ in range(4):
            station.send(BEAT)
            await asyncio.sleep(1)
        stays = "RTL stays" if station.drone.copter.mode == mode == 6 else "another mode"
        when = "after 5 s" if not before else "too soon"
        return f"{when} {first} and {'RTL' if mode == 6 else mode}; {said(station)}, and {stays}"


@row("a battery below BATT_LOW_VOLT, BATT_FS_LOW_ACT 2", "RTL")
async def low_battery() -> str:
    async with bench(params={"BATT_LOW_VOLT": 22.0, "BATT_LOW_MAH": 0}) as (station, _):
        await station.take_off()
        station.body.set_charge(0.35)
        await asyncio.sleep(2)
        return "RTL" if station.drone.copter.mode == 6 else "nothing"


def page(answers: list[tuple[str, str, str]]) -> str:
    lines = [f"| {sent} | {real} | {ours} |" for sent, real, ours in answers]
    same = sum(real == ours for _, real, ours in answers)
    return (
        "# MAVLink: what the simulated autopilot answers\n\n"
        "Made by `tests/sim/mavlink/test_table.py`, which asks the simulated autopilot each time "
        "and fails where an answer has changed; `WRITE_TABLE=1` writes this page anew. The middle "
        "column was seen on ArduCopter 4.5.6.\n\n"
        f"Of {len(answers)} answers {same} are the same.\n\n"
        "| sent | ArduCopter | the simulated autopilot |\n| --- | --- | --- |\n"
        + "\n".join(lines)
        + "\n"
    )


async def test_a_position_target_inside_the_fence_is_flown_to_without_an_answer() -> None:
    async with bench() as (station, _):
        await aloft(station)
        station.send(position_target(4000))
        await asyncio.sleep(30)
        assert "COMMAND_ACK" not in station.kinds()
        assert moved(station)


async def test_each_answer_is_the_real_ones_and_the_page_says_so() -> None:
    answers = [(sent, real, await story()) for sent, real, story in ROWS]
    for sent, real, ours in answers:
        assert ours == real, sent
    assert written(page(answers)) == page(answers), "run with WRITE_TABLE=1"


def written(text: str) -> str:
    """The page as it is; first written anew where that is asked for."""
    if os.environ.get("WRITE_TABLE"):
        PAGE.write_text(text, encoding="utf-8")
    return PAGE.read_text(encoding="utf-8")
