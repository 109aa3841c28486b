"""Signed frames: equal to pymavlink's where it is right, and without its trap."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.datagrams import MemoryEther
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Parser
from fleet.mavlink.signing import Signing
from routing.site import NodeId
from sim.mavlink.autopilot import AutopilotConfig, MavlinkAutopilot
from sim.world.multirotor import Multirotor
from sim.world.world import World
from tests.fleet.mavlink.scene import SPEC, meadow_site

START = datetime(2026, 5, 1, tzinfo=UTC)
KEY = hashlib.sha256(b"drones").digest()
US, DRONE, FOE = ("us", 1), ("drone", 1), ("foe", 1)
BEAT = mav.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3)


def ours(passphrase: str = "drones", at: datetime = START) -> Signing:
    return Signing.of_passphrase(passphrase, lambda: at)


def theirs(at: datetime = START, key: bytes = KEY, system_id: int = 7) -> mav.MAVLink:
    """pymavlink's own signer."""
    packer = mav.MAVLink(None, system_id, 1)
    packer.signing.secret_key, packer.signing.sign_outgoing = key, True
    since = at - datetime(2015, 1, 1, tzinfo=UTC)
    packer.signing.timestamp = since // timedelta(microseconds=10)
    return packer


def test_what_pymavlink_signs_is_admitted_once() -> None:
    judge, frame = ours(), BEAT.pack(theirs())
    assert judge.admits(frame)
    assert not judge.admits(frame), "a second time it is a replay"
    assert judge.refused == 1


def test_what_we_sign_pymavlink_takes() -> None:
    judge, packer = ours(), mav.MAVLink(None, 255, 190)
    for _ in range(3):
        frame = judge.pack(BEAT, packer)
        receiver = theirs()
        assert receiver.decode(bytearray(frame)).get_signed()


@pytest.mark.parametrize(
    "frame",
    [
        BEAT.pack(mav.MAVLink(None, 7, 1)),
        BEAT.pack(mav.MAVLink(None, 7, 1), force_mavlink1=True),
        BEAT.pack(theirs(key=hashlib.sha256(b"guess").digest())),
        BEAT.pack(theirs(at=START - timedelta(seconds=61))),
        b"",
        b"\xfd" * 13,
    ],
    ids=["unsigned", "old protocol", "another key", "a minute old", "empty", "noise"],
)
def test_what_is_not_signed_by_the_key_or_old_is_refused(frame: bytes) -> None:
    assert not ours().admits(frame)


def test_one_changed_bit_anywhere_is_seen() -> None:
    good = BEAT.pack(theirs())
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert not ours().admits(bytes(bad))
    assert ours().admits(good)


def test_a_forged_frame_from_the_future_does_not_lock_the_real_drone_out() -> None:
    """pymavlink believes the timestamp first: afterwards the real drone's frames are too old."""
    forged = BEAT.pack(theirs(START + timedelta(days=9000), key=bytes(32)))
    real = theirs()
    trapped = mav.MAVLink(None)
    trapped.signing.secret_key, trapped.signing.timestamp = KEY, real.signing.timestamp
    judge = ours()
    assert not judge.admits(forged)
    assert judge.admits(BEAT.pack(real))
    for frame in (forged, BEAT.pack(real)):
        with pytest.raises(mav.MAVError):
            trapped.decode(bytearray(frame))


def test_a_datagram_with_a_broken_end_costs_its_good_frames_nothing() -> None:
    packer = theirs()
    frames = [BEAT.pack(packer) for _ in range(3)]
    parser = Parser(ours().admits)
    assert len(parser.messages(b"".join(frames) + b"\xfd\x09")) == 3


def test_a_key_must_be_whole() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signing(b"short", lambda: START)


async def test_a_signed_drone_obeys_us_and_no_stranger() -> None:
    loop = asyncio.get_running_loop()

    def now() -> datetime:
        return START + timedelta(seconds=loop.time())

    ether, site = MemoryEther(), meadow_site()
    link = MavlinkLink(ether.port(US), signing=Signing(KEY, now))
    body = Multirotor(World(site, seed=1), SPEC, NodeId("dock-1"))
    autopilot = MavlinkAutopilot(
        body,
        ether.port(DRONE),
        AutopilotConfig(system_id=7, ground=(US,)),
        site.frame,
        signing=Signing(KEY, now),
    )
    line, foe = link.line(7), ether.port(FOE)
    tasks = [asyncio.create_task(one.run()) for one in (link, autopilot)]
    await asyncio.sleep(15)
    assert line.age_s(loop.time()) <= 1
    for _ in range(20):
        foe.send(BEAT.pack(theirs(START + timedelta(days=1), key=bytes(32))), US)
        foe.send(arm().pack(theirs(now(), key=bytes(32), system_id=255)), DRONE)
        await asyncio.sleep(0.5)
    assert not autopilot.copter.armed
    assert line.age_s(loop.time()) <= 1
    assert not line.collides(loop.time())
    link.send(line, arm())
    await asyncio.sleep(1)
    assert autopilot.copter.armed
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def arm() -> mav.MAVLink_command_long_message:
    return mav.MAVLink_command_long_message(7, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0)
