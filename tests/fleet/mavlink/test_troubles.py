"""Troubles on the air that users of other programs complain of, one story each."""

import asyncio

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkError, LinkLost, MissionCancelled
from fleet.mavlink.commands import Commander, CommandRefused, Texts
from fleet.mavlink.datagrams import MemoryEther, Peer
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Message, Parser
from fleet.mission import Clearance
from fleet.vehicle import Severity
from tests.fleet.mavlink.scene import DRONE, GROUND, Meadow, meadow

ARM, START, GUIDED = mav.MAV_CMD_COMPONENT_ARM_DISARM, mav.MAV_CMD_MISSION_START, 4
BEAT = mav.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3)


def is_ack(message: Message, command: int) -> bool:
    return isinstance(message, mav.MAVLink_command_ack_message) and message.command == command


async def test_a_stranger_that_speaks_for_a_sleeping_drone_is_exposed_and_not_answered() -> None:
    async with meadow() as scene:
        await asyncio.sleep(10)
        twin, told = scene.ether.port(("twin", 1)), list[bytes]()
        twin.receive(lambda data, _: told.append(data))
        for _ in range(5):
            twin.send(BEAT.pack(mav.MAVLink(None, 7, 1)), GROUND)
            await asyncio.sleep(1)
        assert [error.code for error in scene.drone.state().errors] == ["system_id_collision"]
        assert told == []
        await asyncio.sleep(30)
        assert scene.drone.state().fit
        await scene.fly("dock-1", "clinic")
        assert scene.stands_at("clinic")


async def test_its_own_last_words_that_come_late_are_no_stranger() -> None:
    async with meadow() as scene:
        await scene.fly("dock-1", "clinic", name="M1")
        await scene.fly("clinic", "dock-1", name="M2")
        await scene.until(lambda: not scene.autopilot.powered)
        scene.ether.carry(BEAT.pack(mav.MAVLink(None, 7, 1)), DRONE, GROUND)
        await asyncio.sleep(1)
        assert scene.drone.state().fit


async def test_without_any_answer_to_the_start_it_is_seen_to_fly_all_the_same() -> None:
    async with meadow(lost=lambda message, _: is_ack(message, START)) as scene:
        await scene.fly("dock-1", "clinic")
        assert scene.stands_at("clinic")


async def test_armed_by_a_word_whose_answer_was_lost_it_is_started_when_the_link_is_back() -> None:
    lose = True
    async with meadow(lost=lambda message, _: lose and is_ack(message, ARM)) as scene:
        mission = scene.flight("dock-1", "clinic")
        with pytest.raises(LinkError):
            await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.autopilot.copter.armed
        assert not scene.body.airborne
        lose = False
        await scene.drone.execute(mission, Clearance.whole(mission))
        assert scene.stands_at("clinic")


async def test_an_upload_of_another_station_is_waited_for() -> None:
    async with meadow(docked=False) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        other = scene.ether.port(("other", 14550))
        count = mav.MAVLink_mission_count_message(7, 1, 3, 0)
        other.send(count.pack(mav.MAVLink(None, 245, 190)), DRONE)
        await scene.fly("dock-1", "clinic")
        denied = [
            m
            for m in scene.heard
            if isinstance(m, mav.MAVLink_mission_ack_message) and m.type == mav.MAV_MISSION_DENIED
        ]
        assert denied
        assert scene.stands_at("clinic")


async def cut_in_flight(scene: Meadow, receiver: Peer, seconds: float) -> None:
    """Lose all that is sent to one side, from the middle of the flight on."""
    await scene.until(lambda: scene.body.velocity()[0] > 5)
    scene.lost = lambda _, to: to == receiver
    await asyncio.sleep(seconds)


async def test_it_hears_us_no_more_but_we_hear_it() -> None:
    """Only the link for commands is lost: the flight goes on before our eyes."""
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await cut_in_flight(scene, DRONE, 30)
        assert scene.drone.state().online
        with pytest.raises(LinkError):
            await scene.drone.cancel()
        scene.lost = None
        with pytest.raises(MissionCancelled):
            await flight
        await scene.until(lambda: scene.stands_at("clinic"))


async def test_we_hear_it_no_more_but_it_hears_us() -> None:
    """Only telemetry is lost: it is known to be unknown, and followed again when it is heard."""
    async with meadow(params={"FS_GCS_ENABLE": 1}) as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await cut_in_flight(scene, GROUND, 30)
        assert not scene.drone.state().online
        assert "GCS Failsafe" not in scene.said(), "it hears our heartbeats"
        scene.lost = None
        await flight
        assert scene.stands_at("clinic")


async def test_a_position_that_is_old_is_said_to_be_old() -> None:
    """Values that stay readable look fresh; heartbeats alone do not make them so."""

    def lose(message: Message, _: Peer) -> bool:
        return blind and isinstance(message, mav.MAVLink_global_position_int_message)

    blind = False
    async with meadow(lost=lose) as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        assert scene.drone.state().errors == ()
        blind = True
        await asyncio.sleep(8)
        (error,) = scene.drone.state().errors
        assert (error.code, error.severity) == ("position_old", Severity.WARNING)
        assert scene.drone.state().online
        blind = False
        await asyncio.sleep(8)
        assert scene.drone.state().errors == ()
        await flight


class Slow:
    """An autopilot that says first that it is at it, as some do for long commands."""

    def __init__(self, ether: MemoryEther, *, final_s: float | None) -> None:
        self.heard: list[int] = []
        self._final_s = final_s
        self._port, self._packer, self._parser = (
            ether.port(DRONE),
            mav.MAVLink(None, 7, 1),
            Parser(),
        )
        self._port.receive(self._hear)
        self._say(BEAT)

    def _hear(self, data: bytes, _: Peer) -> None:
        for message in self._parser.messages(data):
            if isinstance(message, mav.MAVLink_command_long_message):
                self.heard.append(message.command)
                self._answer(mav.MAV_RESULT_IN_PROGRESS)
                if self._final_s is not None:
                    loop = asyncio.get_running_loop()
                    loop.call_later(self._final_s, self._answer, mav.MAV_RESULT_FAILED)

    def _answer(self, result: int) -> None:
        self._say(mav.MAVLink_command_ack_message(ARM, result, 0, 0, 255, 190))

    def _say(self, message: Message) -> None:
        self._port.send(message.pack(self._packer), GROUND)


async def test_a_command_in_progress_is_waited_for_and_not_given_again() -> None:
    ether = MemoryEther()
    link = MavlinkLink(ether.port(GROUND))
    commander = Commander(link, link.line(7), Texts())
    slow = Slow(ether, final_s=6.0)
    await asyncio.sleep(1)
    with pytest.raises(CommandRefused, match="failed"):
        await commander.do(ARM, 1)
    assert slow.heard == [ARM]


async def test_a_second_command_waits_for_the_answer_to_the_first() -> None:
    """An answer names only the command; two of a kind under way could not be told apart."""
    ether = MemoryEther()
    link = MavlinkLink(ether.port(GROUND))
    commander = Commander(link, link.line(7), Texts())
    slow = Slow(ether, final_s=3.0)
    await asyncio.sleep(1)
    both = [asyncio.create_task(commander.do(ARM, on)) for on in (1, 0)]
    await asyncio.sleep(2)
    assert len(slow.heard) == 1
    await asyncio.gather(*both, return_exceptions=True)
    assert len(slow.heard) == 2


async def test_a_command_does_not_wait_for_a_question_without_answer() -> None:
    ether = MemoryEther()
    link = MavlinkLink(ether.port(GROUND))
    commander = Commander(link, link.line(7), Texts())
    slow = Slow(ether, final_s=3.0)
    await asyncio.sleep(1)
    asking = asyncio.create_task(commander.do(mav.MAV_CMD_SET_MESSAGE_INTERVAL, 33, 1e6))
    await asyncio.sleep(0)
    arming = asyncio.create_task(commander.do(ARM, 1))
    await asyncio.sleep(0.5)
    assert ARM in slow.heard
    await asyncio.gather(asking, arming, return_exceptions=True)


async def test_a_port_that_changes_in_flight_costs_some_seconds() -> None:
    """Behind a router a drone speaks from another port from one moment to the next."""
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        moved = scene.ether.port(("router", 40_000))

        def reroute(data: bytes, sender: Peer, receiver: Peer) -> bool:
            if sender != DRONE:
                return False
            moved.send(data, receiver)
            return True

        moved.receive(lambda data, sender: scene.ether.carry(data, sender, DRONE))
        scene.ether.lost = reroute
        await asyncio.sleep(12)
        assert scene.drone.state().online
        assert scene.drone.state().fit
        await flight
        assert scene.stands_at("clinic")


async def test_patience_with_a_drone_that_never_speaks_again_ends() -> None:
    async with meadow() as scene:
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await cut_in_flight(scene, GROUND, 60)
        with pytest.raises(LinkLost):
            await flight
        scene.lost = None


async def test_each_datagram_twice_does_no_harm() -> None:
    """A router with two links to one drone brings all of it twice."""
    again = False
    async with meadow() as scene:

        def twice(data: bytes, sender: Peer, receiver: Peer) -> bool:
            nonlocal again
            if not again:
                again = True
                scene.ether.carry(data, sender, receiver)
                again = False
            return False

        scene.ether.lost = twice
        await scene.fly("dock-1", "clinic", name="M1")
        assert scene.stands_at("clinic")
        await scene.fly("clinic", "dock-1", name="M2")
        assert scene.stands_at("dock-1")
        assert scene.drone.state().fit


async def test_a_lost_last_answer_to_an_upload_costs_two_seconds() -> None:
    """The drone has it all; what it holds is read back in any case."""

    def lose(message: Message, _: Peer) -> bool:
        is_end = isinstance(message, mav.MAVLink_mission_ack_message)
        return is_end and message.type == mav.MAV_MISSION_ACCEPTED

    async with meadow(docked=False, lost=lose) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        began_s = asyncio.get_running_loop().time()
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.autopilot.copter.armed)
        assert asyncio.get_running_loop().time() - began_s < 2
        await flight
