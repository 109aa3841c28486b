"""The link: parsers, lines, answers, and real UDP on the loopback."""

import asyncio
import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import ConfigError, LinkLost, LinkTimeout
from fleet.mavlink.commands import Texts
from fleet.mavlink.config import LinkConfig, Timeouts
from fleet.mavlink.datagrams import MemoryEther, Peer, UdpDatagrams
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Parser

US: Peer = ("us", 14550)


def beat(armed: bool = False) -> mav.MAVLink_heartbeat_message:
    return mav.MAVLink_heartbeat_message(2, 3, 128 if armed else 0, 4, 4, 3)


def frame(system_id: int = 7) -> bytes:
    return beat().pack(mav.MAVLink(None, system_id, 1))


async def test_a_parser_survives_every_mutilation_of_good_frames() -> None:
    rng = random.Random("frames")
    parser, good = Parser(), frame()
    for _ in range(3000):
        broken = bytearray(good)
        for _ in range(rng.randrange(4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        parser.messages(bytes(broken[: rng.randrange(len(broken) + 1)]))
    assert len(Parser().messages(good)) == 1
    assert parser.messages(good)


async def test_one_peers_broken_frames_cost_another_nothing() -> None:
    ether = MemoryEther()
    link = MavlinkLink(ether.port(US))
    line = link.line(7)
    heard: list[object] = []
    line.listen(heard.append)
    good, bad = ether.port(("good", 1)), ether.port(("bad", 1))
    for _ in range(200):
        bad.send(frame(9)[:12], US)
        good.send(frame(7), US)
    await asyncio.sleep(0)
    assert len(heard) == 200


async def test_frames_may_share_a_datagram_or_be_cut_in_two() -> None:
    parser = Parser()
    assert len(parser.messages(frame() + frame())) == 2
    assert parser.messages(frame()[:9]) == []
    assert len(parser.messages(frame()[9:])) == 1


async def test_who_was_never_heard_cannot_be_spoken_to() -> None:
    link = MavlinkLink(MemoryEther().port(US))
    with pytest.raises(LinkLost):
        link.send(link.line(7), beat())


async def test_a_system_id_can_be_had_once() -> None:
    link = MavlinkLink(MemoryEther().port(US))
    link.line(7)
    for taken in (7, 255):
        with pytest.raises(ValueError, match="already in use"):
            link.line(taken)


async def test_an_answer_that_comes_before_we_wait_for_it_is_not_lost() -> None:
    ether = MemoryEther()
    link = MavlinkLink(ether.port(US))
    line, drone = link.line(7), ether.port(("drone", 1))
    packer = mav.MAVLink(None, 7, 1)
    drone.send(beat().pack(packer), US)
    with line.expect(mav.MAVLink_command_ack_message, command=400) as answers:
        for command in (22, 400):
            drone.send(mav.MAVLink_command_ack_message(command, 0).pack(packer), US)
        await asyncio.sleep(1)
        assert (await answers.within(1.0)).command == 400
        with pytest.raises(LinkTimeout):
            await answers.within(1.0)


async def test_only_who_is_awake_gets_our_heartbeats() -> None:
    ether = MemoryEther()
    link = MavlinkLink(ether.port(US), LinkConfig(timeouts=Timeouts(lost_s=30)))
    line = link.line(7)
    heard: list[bytes] = []
    drone = ether.port(("drone", 1))
    drone.receive(lambda data, _: heard.append(data))
    running = asyncio.create_task(link.run())
    await asyncio.sleep(100)
    assert heard == []
    drone.send(frame(), US)
    await asyncio.sleep(9.5)
    assert len(heard) == 10
    line.wanted = False
    await asyncio.sleep(10)
    assert len(heard) == 10
    line.wanted = True
    drone.send(frame(), US)
    await asyncio.sleep(100)
    assert len(heard) == 40
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_timeouts_are_scaled_in_one_place() -> None:
    scaled = Timeouts().scaled(0.1)
    assert scaled.ack_s == pytest.approx(Timeouts().ack_s / 10)
    assert scaled.upload_s == pytest.approx(3.0)


async def test_the_gravest_text_is_the_reason() -> None:
    texts = Texts()

    def say(severity: int, text: str, at_s: float) -> None:
        texts.hear(mav.MAVLink_statustext_message(severity, text.encode()), at_s)

    say(2, "old", 0.0)
    say(6, "EKF3 IMU0 is using GPS", 5.0)
    say(2, "Arm: Need Position Estimate", 5.1)
    assert texts.reason_since(4.0) == "Arm: Need Position Estimate"
    assert texts.reason_since(6.0) == ""


async def test_a_long_text_is_put_together() -> None:
    texts = Texts()
    assert texts.hear(mav.MAVLink_statustext_message(3, b"a" * 50, 4, 0), 1.0) is None
    whole = texts.hear(mav.MAVLink_statustext_message(3, b"b", 4, 1), 1.0)
    assert whole is not None
    assert whole.text == "a" * 50 + "b"


@pytest.mark.real
async def test_over_real_udp() -> None:
    ours, theirs = UdpDatagrams(port=0), UdpDatagrams(port=0)
    link = MavlinkLink(ours)
    line = link.line(7)
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    theirs.receive(lambda data, _: heard.put_nowait(data))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(link.run()), group.create_task(theirs.run())]
        port = await ours.opened()
        await theirs.opened()
        theirs.send(frame(), ("127.0.0.1", port))
        async with asyncio.timeout(5):
            data = await heard.get()
        assert Parser().messages(data)[0].get_srcSystem() == 255
        assert line.heard_at_s is not None
        for task in tasks:
            task.cancel()


@pytest.mark.real
async def test_a_port_that_is_taken_is_said_so() -> None:
    first = UdpDatagrams(port=0)
    running = asyncio.create_task(first.run())
    port = await first.opened()
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
        await UdpDatagrams(port=port).run()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
