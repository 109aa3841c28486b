"""A PX4 behind the same adapter: its own modes, heights, numbers and failsafes on the wire.

Flown by our simulator's PX4, which was read in PX4's sources and never compared with a real one.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import MissionCancelled, MissionFailed
from fleet.mavlink.config import Safety
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.dialects import AUTO_MISSION, AUTO_RTL, AUTO_TAKEOFF
from fleet.mavlink.parameters import as_float
from fleet.mavlink.parser import Message
from fleet.mission import Clearance
from fleet.vehicle import Mode
from sim.mavlink.copter_modes import RTL
from tests.fleet.mavlink.scene import DRONE, Meadow, meadow

GROUND_AMSL_M = 20.0
LONG, INT = mav.MAVLink_command_long_message, mav.MAVLink_command_int_message
MAY, MAY_NOT = Safety(), Safety(set_parameters=False)
GOOD: dict[str, float] = {
    "NAV_DLL_ACT": 2,
    "COM_DL_LOSS_T": 5,
    "COM_DLL_EXCEPT": 1,
    "COM_RCL_EXCEPT": 1,
    "RTL_RETURN_ALT": 60,
    "RTL_CONE_ANG": 0,
    "GF_MAX_VER_DIST": 120,
    "GF_ACTION": 3,
}


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Meadow]:
    async with meadow(docked=False, autopilot="px4") as scene:
        await awake(scene)
        yield scene


async def awake(scene: Meadow) -> None:
    await scene.until(lambda: scene.drone.state().position is not None)


async def over_the_field(scene: Meadow) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    flying.add_done_callback(lambda done: done.cancelled() or done.exception())
    await scene.until(lambda: scene.body.velocity()[1] > 5)


def modes(scene: Meadow) -> list[int]:
    """The modes that it has told, in order."""
    told = [m.custom_mode for m in scene.heard if isinstance(m, mav.MAVLink_heartbeat_message)]
    return [m for n, m in enumerate(told) if n == 0 or told[n - 1] != m]


async def test_it_says_what_it_is_and_its_own_modes(scene: Meadow) -> None:
    await scene.fly("dock-1", "clinic")
    beats = [m for m in scene.heard if isinstance(m, mav.MAVLink_heartbeat_message)]
    assert {beat.autopilot for beat in beats} == {mav.MAV_AUTOPILOT_PX4}
    assert modes(scene)[-1] == AUTO_MISSION
    assert scene.drone.state().errors == ()


async def test_its_mission_begins_with_the_take_off_and_is_read_item_by_item(scene: Meadow) -> None:
    clearance = Clearance.whole(scene.flight("dock-1", "field", "clinic"))
    reached: list[int] = []
    clearance.on_reached(reached.append)
    await scene.drone.execute(scene.flight("dock-1", "field", "clinic"), clearance)
    items = [m for m in scene.told if isinstance(m, mav.MAVLink_mission_item_int_message)]
    assert [(m.seq, m.command) for m in items] == [
        (0, mav.MAV_CMD_NAV_TAKEOFF),
        (1, mav.MAV_CMD_NAV_WAYPOINT),
        (2, mav.MAV_CMD_NAV_LAND),
    ]
    assert reached == [1, 2]
    assert not any(
        m.type == mav.MAV_MISSION_ERROR
        for m in scene.heard
        if isinstance(m, mav.MAVLink_mission_ack_message)
    )


async def test_it_takes_off_ahead_to_a_height_above_the_sea(scene: Meadow) -> None:
    mission = replace(scene.flight("dock-1", "field", "dock-1"), urgent=True)
    await scene.drone.execute(mission, Clearance.whole(mission))
    takeoff = [
        m.param7 for m in scene.told if isinstance(m, LONG) and m.command == mav.MAV_CMD_NAV_TAKEOFF
    ]
    assert takeoff == [GROUND_AMSL_M + 50]
    assert [m for m in modes(scene) if m in (AUTO_TAKEOFF, AUTO_MISSION)] == [
        AUTO_TAKEOFF,
        AUTO_MISSION,
    ]
    assert scene.stands_at("dock-1")


async def test_it_turns_by_one_command_to_a_height_above_the_sea(scene: Meadow) -> None:
    await over_the_field(scene)
    scene.told.clear()
    await scene.drone.turn_away(scene.route("dock-1", "clinic", "dock-1")[1])
    said = [m for m in scene.told if isinstance(m, INT | LONG)]
    assert [m.command for m in said] == [mav.MAV_CMD_REQUEST_MESSAGE, mav.MAV_CMD_DO_REPOSITION]
    (turn,) = (m for m in said if isinstance(m, INT))
    assert (turn.frame, turn.z) == (mav.MAV_FRAME_GLOBAL_INT, GROUND_AMSL_M + 50)
    await asyncio.sleep(5)
    assert scene.body.velocity()[0] > 1
    assert scene.drone.state().mode is Mode.AUTOMATIC


async def test_on_hold_on_its_way_to_a_place_it_stands_still(scene: Meadow) -> None:
    await over_the_field(scene)
    await scene.drone.turn_away(scene.route("dock-1", "clinic", "dock-1")[1])
    await asyncio.sleep(5)
    await scene.drone.hold()
    await asyncio.sleep(1)
    stood = scene.body.position()
    await asyncio.sleep(30)
    assert scene.body.position() == stood


async def test_turned_in_the_middle_of_an_upload_it_takes_the_next_mission() -> None:
    """It says ERROR to whoever uploads while it still waits for the rest of the last one."""
    silent = False

    def lost(message: Message, receiver: Peer) -> bool:
        if receiver != DRONE or not isinstance(message, mav.MAVLink_mission_item_int_message):
            return False
        return silent and message.seq > 0

    async with meadow(docked=False, autopilot="px4", lost=lost) as scene:
        await awake(scene)
        silent = True
        first = replace(scene.flight("dock-1", "field", "dock-1"), urgent=True)
        flying = scene.begin(first)
        await scene.until(lambda: scene.body.position().height_agl_m > 45)
        await scene.drone.turn_away()
        with pytest.raises(MissionCancelled):
            await flying
        silent = False
        here = replace(scene.route("dock-1", "field", "dock-1")[1], point=first.route[0].point)
        second = replace(first, id="M2", route=(here, *first.route[1:]))  # pyright: ignore[reportArgumentType]
        await scene.drone.execute(second, Clearance.whole(second))
        assert scene.stands_at("dock-1")


@pytest.mark.parametrize("share", [0.1, 0.25])
async def test_it_flies_over_a_link_that_loses_messages(share: float) -> None:
    chance = random.Random(f"px4 loss:{share}")
    async with meadow(autopilot="px4", lost=lambda _, __: chance.random() < share) as scene:
        for number in range(3):
            goal = ("field", "dock-1")[number % 2]
            start = ("dock-1", "field")[number % 2]
            await scene.fly(start, goal, name=f"M{number}")
            assert scene.stands_at(goal)


async def test_a_stock_px4_is_made_fit_when_it_is_first_heard() -> None:
    async with meadow(docked=False, autopilot="px4", safety=MAY) as scene:
        await asyncio.sleep(25)
        params = scene.autopilot.params
        assert {name: params[name] for name in GOOD} == GOOD
        assert len(scene.autopilot.copter.fence.items()) == 4
        assert scene.drone.state().fit
        await scene.fly("dock-1", "clinic")
        assert scene.stands_at("clinic")


async def test_where_we_may_not_set_it_is_not_fit_and_says_why() -> None:
    async with meadow(docked=False, autopilot="px4", safety=MAY_NOT) as scene:
        await asyncio.sleep(25)
        found = {error.text for error in scene.drone.state().errors}
        assert {"NAV_DLL_ACT is 0, not 2", "GF_ACTION is 2, not 3"} <= found
        mission = scene.flight("dock-1", "clinic")
        with pytest.raises(MissionFailed):
            await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.stands_at("dock-1")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("NAV_DLL_ACT", 6, "gcs_failsafe_off"),
        ("NAV_RCL_ACT", 1, "gcs_failsafe_off"),
        ("COM_LOW_BAT_ACT", 0, "battery_failsafe_off"),
        ("RTL_RETURN_ALT", 15, "return_height_wrong"),
        ("RTL_CONE_ANG", 45, "return_height_wrong"),
        ("GF_ACTION", 1, "fence_off"),
    ],
)
async def test_each_failsafe_that_is_off_keeps_it_on_the_ground(
    name: str, value: float, code: str
) -> None:
    params = {**GOOD, "NAV_RCL_ACT": 2.0, name: value}
    safety = Safety(set_parameters=False)
    async with meadow(docked=False, autopilot="px4", safety=safety, params=params) as scene:
        await asyncio.sleep(25)
        codes = {error.code for error in scene.drone.state().errors}
        assert codes == {code, "fence_differs"}


async def test_a_change_by_somebody_else_is_heard() -> None:
    async with meadow(docked=False, autopilot="px4", safety=MAY) as scene:
        await asyncio.sleep(25)
        change = mav.MAVLink_param_set_message(
            7, 1, b"NAV_DLL_ACT", as_float(0), mav.MAV_PARAM_TYPE_INT32
        )
        other = scene.ether.port(("other", 14550))
        other.send(change.pack(mav.MAVLink(None, 245, 190)), DRONE)
        await asyncio.sleep(10)
        assert scene.autopilot.params["NAV_DLL_ACT"] == 2
        assert scene.drone.state().fit


async def test_without_us_it_flies_its_mission_on_and_comes_home_from_hold() -> None:
    async with meadow(docked=False, autopilot="px4", safety=MAY) as scene:
        await asyncio.sleep(25)
        await over_the_field(scene)
        scene.autopilot.link_down = True
        await asyncio.sleep(20)
        assert scene.autopilot.copter.mode != RTL
        scene.autopilot.link_down = False
        await asyncio.sleep(3)
        await scene.drone.turn_away()
        scene.autopilot.link_down = True
        await scene.until(lambda: scene.autopilot.copter.mode == RTL, within_s=20)
        scene.autopilot.link_down = False
        await asyncio.sleep(2)
        assert modes(scene)[-1] == AUTO_RTL
