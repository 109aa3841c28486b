"""A drone that takes off for an urgent mission before it holds it, and turns at once in flight."""

import asyncio
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import MissionCancelled, MissionFailed
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.parser import Message
from fleet.mission import Clearance, Mission
from sim.mavlink.copter_modes import AUTO, GUIDED, RTL
from tests.fleet.mavlink.scene import DRONE, Meadow, meadow

START, TAKEOFF = mav.MAV_CMD_MISSION_START, mav.MAV_CMD_NAV_TAKEOFF
COUNT = mav.MAVLink_mission_count_message
ITEM = mav.MAVLink_mission_item_int_message


def is_ack(message: Message, command: int) -> bool:
    return isinstance(message, mav.MAVLink_command_ack_message) and message.command == command


def is_item(message: Message, receiver: Peer) -> bool:
    """One of ours to the drone, for its mission."""
    return receiver == DRONE and isinstance(message, ITEM) and not message.mission_type


def urgent(scene: Meadow) -> Mission:
    return replace(scene.flight("dock-1", "field", "dock-1"), urgent=True)


async def awake(scene: Meadow) -> None:
    await scene.until(lambda: scene.drone.state().position is not None)


async def test_an_urgent_mission_is_loaded_while_it_climbs() -> None:
    async with meadow(docked=False) as scene:
        await awake(scene)
        clearance = Clearance.whole(urgent(scene))
        reached: list[int] = []
        clearance.on_reached(reached.append)
        await scene.drone.execute(urgent(scene), clearance)
        kinds = [
            m.command if isinstance(m, mav.MAVLink_command_long_message) else m.get_type()
            for m in scene.told
        ]
        assert kinds.index(TAKEOFF) < kinds.index("MISSION_COUNT")
        assert START not in kinds
        assert kinds.count("MISSION_COUNT") == 1
        assert reached == [1, 2]
        assert scene.stands_at("dock-1")


async def test_another_mission_is_on_board_before_it_leaves_the_ground() -> None:
    async with meadow(docked=False) as scene:
        await awake(scene)
        await scene.fly("dock-1", "clinic")
        assert TAKEOFF not in scene.commands()


async def test_the_old_mission_on_board_is_not_flown() -> None:
    """Also where a person holds it in the moment before the new one is there."""
    silent = False
    async with meadow(docked=False, lost=lambda m, to: silent and is_item(m, to)) as scene:
        await awake(scene)
        await scene.fly("dock-1", "clinic", name="M0")
        await scene.fly("clinic", "dock-1", name="M00")
        silent = True
        flying = scene.begin(urgent(scene))
        await scene.until(lambda: scene.body.position().height_agl_m > 20)
        await scene.drone.hold()
        await scene.drone.go_on()
        await asyncio.sleep(1)
        assert scene.autopilot.copter.mode == GUIDED
        silent = False
        await flying
        assert scene.stands_at("dock-1")


async def test_without_any_answer_to_the_take_off_it_is_seen_to_fly_all_the_same() -> None:
    async with meadow(docked=False, lost=lambda m, _: is_ack(m, TAKEOFF)) as scene:
        await awake(scene)
        await scene.drone.execute(urgent(scene), Clearance.whole(urgent(scene)))
        assert scene.stands_at("dock-1")


async def test_who_does_not_take_the_mission_comes_down_again() -> None:
    def no_item(message: Message, receiver: Peer) -> bool:
        if not is_item(message, receiver) or not isinstance(message, ITEM):
            return False
        refused = mav.MAVLink_mission_ack_message(255, 190, mav.MAV_MISSION_NO_SPACE, 0)
        scene.ether.carry(refused.pack(mav.MAVLink(None, 7, 1)), DRONE, ("ground", 14550))
        return True

    async with meadow(docked=False, lost=no_item) as scene:
        await awake(scene)
        with pytest.raises(MissionFailed, match="mission_refused"):
            await scene.drone.execute(urgent(scene), Clearance.whole(urgent(scene)))
        assert scene.stands_at("dock-1")
        assert not scene.autopilot.copter.armed


async def test_a_link_that_breaks_before_it_has_the_mission_brings_it_home_by_itself() -> None:
    async with meadow(docked=False, params={"FS_GCS_ENABLE": 1}) as scene:
        await awake(scene)
        flying = scene.begin(urgent(scene))
        await scene.until(lambda: scene.body.position().height_agl_m > 5)
        scene.autopilot.link_down = True
        await scene.until(lambda: scene.autopilot.copter.mode == RTL)
        scene.autopilot.link_down = False
        with pytest.raises(MissionFailed, match="drone_turned_back"):
            await flying
        assert scene.stands_at("dock-1")


@pytest.mark.parametrize("height_m", [2, 20, 45])
async def test_our_restart_before_it_has_the_mission_goes_on_with_it(height_m: float) -> None:
    silent = True
    async with meadow(docked=False, lost=lambda m, to: silent and is_item(m, to)) as scene:
        await awake(scene)
        flying = scene.begin(urgent(scene))
        await scene.until(lambda: scene.body.position().height_agl_m > height_m)
        flying.cancel()
        await asyncio.wait([flying])
        silent = False
        scene.drone.adopt(urgent(scene))
        await scene.drone.execute(urgent(scene), Clearance.whole(urgent(scene)))
        assert scene.stands_at("dock-1")


async def test_a_pilot_who_takes_it_before_it_has_the_mission_keeps_it() -> None:
    silent = True
    async with meadow(docked=False, lost=lambda m, to: silent and is_item(m, to)) as scene:
        await awake(scene)
        flying = scene.begin(urgent(scene))
        await scene.until(lambda: scene.body.position().height_agl_m > 20)
        scene.autopilot.copter.set_mode(mav.COPTER_MODE_POSHOLD)
        await asyncio.sleep(5)
        silent = False
        with pytest.raises(MissionFailed, match="taken_over"):
            await flying
        assert scene.autopilot.copter.mode == mav.COPTER_MODE_POSHOLD


async def test_cancelled_before_it_has_the_mission_it_comes_down() -> None:
    async with meadow(docked=False, lost=is_item) as scene:
        await awake(scene)
        flying = scene.begin(urgent(scene))
        await scene.until(lambda: scene.body.position().height_agl_m > 20)
        await scene.drone.cancel()
        with pytest.raises(MissionCancelled):
            await flying
        assert scene.stands_at("dock-1")


async def away(scene: Meadow) -> None:
    """In AUTO, somewhere over the meadow."""
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await scene.until(lambda: scene.autopilot.copter.mode == AUTO)
    await scene.until(lambda: scene.body.velocity()[1] > 5)
    flying.add_done_callback(lambda done: done.cancelled() or done.exception())
    scene.told.clear()


async def test_it_turns_by_one_command() -> None:
    async with meadow(docked=False) as scene:
        await awake(scene)
        await away(scene)
        to = scene.route("dock-1", "clinic", "dock-1")[1]
        await scene.drone.turn_away(to)
        said = [m for m in scene.told if m.get_type() in ("COMMAND_INT", "COMMAND_LONG")]
        asked, turned = said
        assert asked.to_dict()["command"] == mav.MAV_CMD_REQUEST_MESSAGE
        assert turned.get_type() == "COMMAND_INT"
        await asyncio.sleep(5)
        assert scene.body.velocity()[0] > 1


async def test_a_place_that_it_does_not_take_keeps_it_where_it_is() -> None:
    async with meadow(docked=False, params={"FENCE_ENABLE": 1, "FENCE_ALT_MAX": 60}) as scene:
        await awake(scene)
        await away(scene)
        to = replace(scene.route("dock-1", "clinic", "dock-1")[1], height_agl_m=80.0)
        await scene.drone.turn_away(to)
        await asyncio.sleep(8)
        assert scene.autopilot.copter.mode == GUIDED
        assert scene.body.velocity() == (0, 0, 0)


async def test_items_are_read_back_several_at_a_time() -> None:
    async with meadow(docked=False) as scene:
        await awake(scene)
        await scene.fly("dock-1", "field", "clinic")
        asked = [
            m.seq for m in scene.told if isinstance(m, mav.MAVLink_mission_request_int_message)
        ]
        assert asked == [0, 1, 2, 3]
