"""A drone behind the adapter: flown by a simulated ArduCopter, byte by byte, in virtual time."""

import asyncio
import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkLost, MissionCancelled, MissionFailed, SafetyStop
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.parser import Message
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId
from fleet.vehicle import Mode
from tests.fleet.mavlink.scene import DRONE, GROUND, meadow

ARM, START = mav.MAV_CMD_COMPONENT_ARM_DISARM, mav.MAV_CMD_MISSION_START


async def test_a_drone_in_its_dock_sleeps_and_is_online() -> None:
    async with meadow(charge_ratio=0.5) as scene:
        await asyncio.sleep(300)
        state = scene.drone.state()
        assert state.fit
        assert not state.airborne
        assert state.last_node == "dock-1"
        assert state.charging
        assert state.charge_ratio is not None
        assert state.charge_ratio > 0.5
        assert scene.heard == []


async def test_a_flight_from_sleep_to_landing_and_the_work_there() -> None:
    async with meadow() as scene:
        unload = Action(id="a1", kind=ActionKind.UNLOAD, duration_s=30, facts={"load_id": "T-1"})
        mission = scene.flight("dock-1", "field", "clinic", actions=(unload,))
        clearance = Clearance.whole(mission)
        passed: list[int] = []
        clearance.on_reached(passed.append)
        outcome = await scene.drone.execute(mission, clearance)
        assert outcome.results == {"a1": "done"}
        assert passed == [1, 2]
        state = scene.drone.state()
        assert scene.stands_at("clinic")
        assert (state.last_node, state.airborne, state.fit) == ("clinic", False, True)
        assert scene.world.violations["energy"] == 0


async def test_it_says_guided_then_arm_then_start() -> None:
    async with meadow() as scene:
        await scene.fly("dock-1", "clinic")
        order = [mav.MAV_CMD_DO_SET_MODE, ARM, START]
        assert [c for c in dict.fromkeys(scene.commands()) if c in order] == order


async def test_position_and_height_are_the_bodys_own_in_flight() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        await asyncio.sleep(1.05)
        told, true = scene.drone.state().position, scene.body.position()
        assert told is not None
        assert scene.drone.state().airborne
        assert told.point.distance_m(true.point) < 15
        assert told.height_agl_m == pytest.approx(true.height_agl_m, abs=1)
        assert told.yaw_rad == pytest.approx(true.yaw_rad, abs=0.01)
        await flight


async def test_back_in_its_dock_it_is_put_to_sleep_and_charged() -> None:
    async with meadow() as scene:
        await scene.fly("dock-1", "clinic", name="M1")
        await scene.fly("clinic", "dock-1", name="M2")
        low = scene.body.charge_ratio()
        await asyncio.sleep(120)
        assert not scene.autopilot.powered
        words = len(scene.heard)
        await asyncio.sleep(600)
        assert len(scene.heard) == words
        assert scene.drone.state().fit
        assert scene.body.charge_ratio() > low


async def test_a_finished_mission_is_not_flown_again() -> None:
    async with meadow() as scene:
        first = await scene.fly("dock-1", "clinic")
        words = len(scene.told)
        again = await scene.fly("dock-1", "clinic")
        assert again == first
        assert len(scene.told) == words


async def test_a_lost_answer_to_arming_does_not_stop_the_flight() -> None:
    lost: list[Message] = []

    def lose(message: Message, receiver: Peer) -> bool:
        is_ack = isinstance(message, mav.MAVLink_command_ack_message) and message.command == ARM
        if is_ack and not lost:
            lost.append(message)
            return True
        return False

    async with meadow(lost=lose) as scene:
        await scene.fly("dock-1", "clinic")
        assert len(lost) == 1
        assert scene.stands_at("clinic")


async def test_a_lost_mission_item_is_asked_for_again_and_sent_again() -> None:
    lost: list[Message] = []

    def lose(message: Message, receiver: Peer) -> bool:
        if isinstance(message, mav.MAVLink_mission_item_int_message) and receiver == DRONE:
            lost.append(message)
            return len(lost) == 2
        return False

    async with meadow(lost=lose) as scene:
        await scene.fly("dock-1", "clinic")
        assert [m.seq for m in lost if isinstance(m, mav.MAVLink_mission_item_int_message)] == [
            0,
            1,
            1,
            2,
        ]
        assert scene.stands_at("clinic")


@pytest.mark.parametrize("share", [0.1, 0.25])
async def test_it_flies_over_a_link_that_loses_messages(share: float) -> None:
    rng = random.Random(f"loss:{share}")

    def lose(message: Message, receiver: Peer) -> bool:
        return rng.random() < share

    async with meadow(lost=lose) as scene:
        mission = scene.flight("dock-1", "clinic")
        for _ in range(5):
            try:
                await scene.drone.execute(mission, Clearance.whole(mission))
                break
            except LinkLost:
                continue
        assert scene.stands_at("clinic")


async def test_it_waits_until_the_drone_is_ready_to_arm() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        scene.autopilot.copter.estimate.known = False
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await asyncio.sleep(15)
        assert any("requires position" in text for text in scene.said())
        scene.autopilot.copter.estimate.known = True
        await flight
        assert scene.stands_at("clinic")


async def test_a_drone_that_never_gets_ready_says_why() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        scene.autopilot.copter.estimate.known = False
        with pytest.raises(MissionFailed) as failed:
            await scene.fly("dock-1", "clinic")
        assert failed.value.reason.code == "arming_refused"
        assert "requires position" in str(failed.value.reason.facts["text"])


async def test_a_drone_that_does_not_know_where_it_is_does_not_fly() -> None:
    async with meadow(position_s=10_000) as scene:
        with pytest.raises(MissionFailed) as failed:
            await scene.fly("dock-1", "clinic")
        assert failed.value.reason.code == "no_position"


async def test_a_link_that_breaks_at_takeoff_is_not_a_failed_mission() -> None:
    async with meadow() as scene:
        mission = scene.flight("dock-1", "clinic")
        flight = scene.begin(mission)
        await scene.until(lambda: scene.body.airborne)
        scene.autopilot.link_down = True
        with pytest.raises(LinkLost):
            await flight
        scene.autopilot.link_down = False
        await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.commands().count(START) == 1
        assert scene.stands_at("clinic")


async def test_another_ground_station_cannot_dry_up_our_streams() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        other = scene.ether.port(("other", 14550))
        packer = mav.MAVLink(None, 245, 190)
        stop = mav.MAVLink_request_data_stream_message(7, 1, mav.MAV_DATA_STREAM_ALL, 0, 0)
        other.send(stop.pack(packer), DRONE)
        await asyncio.sleep(30)
        before = len(scene.heard)
        await asyncio.sleep(10)
        positions = [
            m
            for m in scene.heard[before:]
            if isinstance(m, mav.MAVLink_global_position_int_message)
        ]
        assert len(positions) >= 9


async def test_a_stream_that_another_has_slowed_down_is_asked_for_again() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        asked = scene.commands().count(mav.MAV_CMD_SET_MESSAGE_INTERVAL)
        packer = mav.MAVLink(None, 245, 190)
        slower = mav.MAVLink_command_long_message(
            7, 1, mav.MAV_CMD_SET_MESSAGE_INTERVAL, 0, 33, 2.5e6, 0, 0, 0, 0, 0
        )
        scene.ether.port(("other", 14550)).send(slower.pack(packer), DRONE)
        await asyncio.sleep(20)
        assert scene.commands().count(mav.MAV_CMD_SET_MESSAGE_INTERVAL) == asked + 2


async def test_a_reboot_in_flight_costs_only_some_words() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.reboot()
        await asyncio.sleep(15)
        assert scene.drone.state().position is not None
        assert scene.drone.state().online
        await flight
        assert scene.stands_at("clinic")


async def test_two_drones_of_one_system_id_are_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        twin = scene.ether.port(("twin", 14551))
        packer = mav.MAVLink(None, 7, 1)
        beat = mav.MAVLink_heartbeat_message(2, 3, 81 | 128, 6, 4, 3)
        for _ in range(5):
            twin.send(beat.pack(packer), GROUND)
            await asyncio.sleep(1)
        state = scene.drone.state()
        assert [error.code for error in state.errors] == ["system_id_collision"]
        assert not state.fit
        assert "two drones use system id 7" in caplog.text
        await asyncio.sleep(30)
        assert scene.drone.state().fit


async def test_a_drone_whose_port_changes_is_found_again() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        scene.autopilot.link_down = True
        moved = scene.ether.port(("drone", 20000))
        packer = mav.MAVLink(None, 7, 1)
        for _ in range(10):
            moved.send(mav.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(packer), GROUND)
            await asyncio.sleep(1)
        assert scene.drone.state().online
        assert scene.drone.state().fit


async def test_garbage_ends_nothing() -> None:
    rng = random.Random("garbage")
    async with meadow() as scene:
        noise = scene.ether.port(("noise", 1))
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.airborne)
        for _ in range(200):
            noise.send(b"Init ArduCopter V4.5.6\n", GROUND)
            noise.send(rng.randbytes(rng.randrange(1, 300)), GROUND)
            noise.send(bytes([0xFD, 9, 0, 0, *rng.randbytes(30)]), DRONE)
            await asyncio.sleep(0.1)
        await flight
        assert scene.link.garbage > 0
        assert scene.stands_at("clinic")


async def test_cancelled_in_the_air_it_comes_home() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        await scene.drone.cancel()
        with pytest.raises(MissionCancelled):
            await flight
        assert scene.stands_at("dock-1")
        assert scene.drone.state().mission is None
        await scene.fly("dock-1", "clinic", name="M2")
        assert scene.stands_at("clinic")


async def test_cancelled_on_the_ground_it_stays_there() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.autopilot.copter.armed)
        await scene.drone.cancel()
        with pytest.raises(MissionCancelled):
            await flight
        await asyncio.sleep(60)
        assert scene.stands_at("dock-1")


async def test_our_restart_in_flight_goes_on_with_the_flight() -> None:
    async with meadow() as scene:
        mission = scene.flight("dock-1", "field", "clinic")
        flight = scene.begin(mission)
        await scene.until(lambda: scene.body.velocity()[1] > 5)
        flight.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flight
        await scene.we_restart()
        uploads = sum(isinstance(m, mav.MAVLink_mission_count_message) for m in scene.told)
        scene.drone.adopt(mission)
        assert scene.drone.state().mission == "M1"
        clearance = Clearance.whole(mission)
        await scene.drone.execute(mission, clearance)
        assert scene.stands_at("clinic")
        assert clearance.passed == 2
        counts = sum(isinstance(m, mav.MAVLink_mission_count_message) for m in scene.told)
        assert counts == uploads
        assert scene.commands().count(START) == 1


async def test_landed_while_we_were_away_counts_as_done() -> None:
    async with meadow() as scene:
        mission = scene.flight("dock-1", "clinic")
        flight = scene.begin(mission)
        await scene.until(lambda: scene.body.airborne)
        flight.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flight
        await scene.until(lambda: scene.stands_at("clinic"))
        await asyncio.sleep(20)
        await scene.we_restart()
        await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.commands().count(START) == 1


async def test_a_mission_that_begins_elsewhere_is_not_flown() -> None:
    async with meadow() as scene:
        with pytest.raises(MissionFailed) as failed:
            await scene.fly("field", "clinic")
        assert failed.value.reason.code == "not_at_start"
        assert scene.stands_at("dock-1")


async def test_without_a_link_the_drone_flies_on_and_we_wait() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.link_down = True
        await asyncio.sleep(7)
        assert not scene.drone.state().online
        assert scene.drone.state().airborne
        await asyncio.sleep(60)
        scene.autopilot.link_down = False
        await flight
        assert scene.stands_at("clinic")


async def test_patience_ends_and_the_mission_can_be_taken_up_again() -> None:
    async with meadow() as scene:
        mission = scene.flight("dock-1", "clinic")
        flight = scene.begin(mission)
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.link_down = True
        with pytest.raises(LinkLost):
            await flight
        await asyncio.sleep(300)
        scene.autopilot.link_down = False
        await scene.until(lambda: scene.drone.state().online)
        await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.commands().count(START) == 1
        assert scene.stands_at("clinic")


async def test_a_low_battery_brings_it_back_and_the_mission_fails() -> None:
    async with meadow(params={"BATT_LOW_MAH": 17500}) as scene:
        with pytest.raises(MissionFailed) as failed:
            await scene.fly("dock-1", "clinic")
        assert failed.value.reason.code == "drone_turned_back"
        assert "Battery" in str(failed.value.reason.facts["text"])
        assert scene.stands_at("dock-1")


async def test_a_pilot_who_takes_over_has_it() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.copter.set_mode(mav.COPTER_MODE_LOITER)
        with pytest.raises(MissionFailed) as failed:
            await flight
        assert failed.value.reason.code == "taken_over"
        assert scene.drone.state().mode is Mode.MANUAL
        assert not scene.drone.state().fit


async def test_down_on_the_way_is_for_a_person() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.position().point.x_m > 300)
        scene.autopilot.copter.disarm(force=True)
        with pytest.raises(SafetyStop):
            await flight
        assert [error.code for error in scene.drone.state().errors] == ["not_on_a_pad"]
        assert not scene.drone.state().fit


async def test_a_round_trip_with_a_look_from_above() -> None:
    async with meadow() as scene:
        look = Action(id="a1", kind=ActionKind.OBSERVE, duration_s=25, facts={"waypoint": 1})
        mission = scene.flight("dock-1", "field", "dock-1", actions=(look,))
        began_s = asyncio.get_running_loop().time()
        await scene.drone.execute(mission, Clearance.whole(mission))
        plain_s = asyncio.get_running_loop().time() - began_s
        assert scene.stands_at("dock-1")
        second = scene.flight("dock-1", "field", "dock-1", name="M2")
        began_s = asyncio.get_running_loop().time()
        await scene.drone.execute(second, Clearance.whole(second))
        assert plain_s - (asyncio.get_running_loop().time() - began_s) >= 25
        assert scene.commands().count(START) == 2


async def test_work_on_the_spot_needs_no_flight() -> None:
    async with meadow() as scene:
        load = Action(
            id="a1",
            kind=ActionKind.LOAD,
            duration_s=40,
            facts={"load_type": "general", "load_id": "T-9"},
        )
        charge = Action(id="a2", kind=ActionKind.CHARGE)
        mission = Mission(
            id=MissionId("M1"), route=scene.route("dock-1", "clinic")[:1], actions=(load, charge)
        )
        outcome = await scene.drone.execute(mission, Clearance.whole(mission))
        assert outcome.results == {"a1": "done", "a2": "done"}
        assert scene.drone.state().loads == ("T-9",)
        assert scene.commands() == []


async def test_it_refuses_what_it_cannot_carry() -> None:
    async with meadow() as scene:
        waste = Action(id="a1", kind=ActionKind.LOAD, facts={"load_type": "waste"})
        lamp = Action(id="a2", kind=ActionKind.DISINFECT)
        for action, code in ((waste, "load_type_not_carried"), (lamp, "action_not_supported")):
            refusal = scene.drone.why_not(scene.flight("dock-1", "clinic", actions=(action,)))
            assert refusal is not None
            assert refusal.code == code


async def test_a_dock_without_power_is_a_lost_link() -> None:
    async with meadow() as scene:
        scene.theirs[-1].cancel()
        await asyncio.sleep(0)
        with pytest.raises(LinkLost):
            await scene.fly("dock-1", "clinic")


async def test_a_mission_that_comes_before_the_docks_first_word_waits_for_it() -> None:
    async with meadow() as scene:
        assert scene.drone.state().position is None
        await scene.fly("dock-1", "clinic")
        assert scene.stands_at("clinic")
