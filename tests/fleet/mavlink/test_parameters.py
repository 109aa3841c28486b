"""Parameters: whose answer it is, though a drone's answers name no question."""

import asyncio
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.datagrams import MemoryEther, Peer
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parameters import ParameterClient
from fleet.mavlink.parser import Message, Parser

US: Peer = ("us", 14550)
DRONE: Peer = ("drone", 1)
SET = mav.MAVLink_param_set_message

Say = Callable[[float], None]


def connected(hear: Callable[[Message, Say], None]) -> ParameterClient:
    """A client, and a drone of few words that has the answer to each question in ``hear``."""
    ether = MemoryEther()
    link = MavlinkLink(ether.port(US))
    client = ParameterClient(link, link.line(7))
    drone, packer, parser = ether.port(DRONE), mav.MAVLink(None, 7, 1), Parser()

    def say(value: float) -> None:
        answer = mav.MAVLink_param_value_message(b"RTL_ALT", value, 9, 1, 0)
        drone.send(answer.pack(packer), US)

    def receive(data: bytes, _: Peer) -> None:
        for message in parser.messages(data):
            hear(message, say)

    drone.receive(receive)
    drone.send(mav.MAVLink_heartbeat_message(2, 3, 0, 4, 4, 3).pack(packer), US)
    return client


async def test_the_late_answer_to_a_read_is_none_to_the_change_after_it() -> None:
    loop = asyncio.get_running_loop()

    def hear(message: Message, say: Say) -> None:
        loop.call_later(1.5, say, message.param_value if isinstance(message, SET) else 1500.0)

    client = connected(hear)
    await asyncio.sleep(0)
    assert await client.read("RTL_ALT") == 1500.0
    assert await client.set("RTL_ALT", 6000.0) == 6000.0


async def test_a_value_that_the_drone_has_made_of_ours_is_told() -> None:
    def hear(message: Message, say: Say) -> None:
        assert isinstance(message, SET)
        say(round(message.param_value))

    client = connected(hear)
    await asyncio.sleep(0)
    assert await client.set("RTL_ALT", 6000.4) == 6000.0


async def test_a_change_whose_first_answers_get_lost_is_asked_for_again() -> None:
    asked: list[Message] = []

    def hear(message: Message, say: Say) -> None:
        asked.append(message)
        if len(asked) == 1:
            say(1500.0)
        if len(asked) == 4:
            say(6000.0)

    client = connected(hear)
    await asyncio.sleep(0)
    assert await client.set("RTL_ALT", 6000.0) == 6000.0
    assert len(asked) == 4
