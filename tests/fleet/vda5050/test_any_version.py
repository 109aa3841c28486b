"""A robot whose version nobody has told is found by listening."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.errors import LinkLost
from fleet.mission import Clearance
from fleet.vda5050.any_version import AnyVersionVehicle
from fleet.vda5050.inbox import LONGEST
from routing.site import NodeId
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World
from tests.fleet.vda5050.scene import EPOCH, SPEC, config_for, load, loop_site, mission, running

THERE = mission("M1", "n1 n2", load())


@asynccontextmanager
async def heard(*versions: str, **settings: object) -> AsyncGenerator[AnyVersionVehicle]:
    """A robot that is updated from one version to the next, and its master."""
    bus, site, clock = MemoryBus(), loop_site(), Clock.starting(EPOCH)
    body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
    vehicle = AnyVersionVehicle(SPEC, bus, config_for("auto", **settings), site, clock)
    for version in versions[:-1]:
        async with running(Vda5050Robot(body, bus, config_for(version), clock, site).run()):
            await asyncio.sleep(1)
    last = config_for(versions[-1], **({"prefix": settings["prefix"]} if settings else {}))
    async with running(Vda5050Robot(body, bus, last, clock, site).run(), vehicle.run()):
        yield vehicle


@pytest.mark.parametrize("versions", [["2.0"], ["2.1"], ["3.0"], ["2.1", "3.0"], ["3.0", "2.0"]])
async def test_it_is_spoken_to_in_the_version_that_it_speaks(versions: list[str]) -> None:
    async with heard(*versions) as vehicle:
        outcome = await vehicle.execute(THERE, Clearance.whole(THERE))
        assert outcome.mission == "M1"
        assert vehicle.version == versions[-1]
        assert vehicle.state().online


async def test_a_prefix_of_ones_own_holds_for_all_versions() -> None:
    async with heard("3.0", prefix="plant") as vehicle:
        await vehicle.execute(THERE, Clearance.whole(THERE))
        assert vehicle.version == "3.0"


async def test_a_robot_that_is_updated_while_we_run_is_taken_over() -> None:
    bus, site, clock = MemoryBus(), loop_site(), Clock.starting(EPOCH)
    body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
    vehicle = AnyVersionVehicle(SPEC, bus, config_for("auto"), site, clock)
    async with running(vehicle.run()):
        for version in ("2.0", "3.0"):
            told = mission(f"M-{version}", "n1 n2" if version == "2.0" else "n2 n3")
            robot = Vda5050Robot(body, bus, config_for(version), clock, site)
            async with running(robot.run()):
                async with asyncio.timeout(120):
                    while vehicle.version != version:  # noqa: ASYNC110
                        await asyncio.sleep(1)
                await vehicle.execute(told, Clearance.whole(told))


DEEP = b'{"version": null, "x": ' + 50_000 * b"[" + 50_000 * b"]" + b"}"
LONG = b'{"version": "2.1.0", "x": "' + LONGEST * b"x" + b'"}'
CUT = '{"version": "2.1.0", "x": "环'.encode()[:-1]


@pytest.mark.parametrize("junk", [DEEP, LONG, CUT, b'{"version": "\\ud800"}', b"[null]", b""])
async def test_junk_tells_no_version(junk: bytes) -> None:
    bus, clock, raised = MemoryBus(), Clock.starting(EPOCH), list[object]()
    vehicle = AnyVersionVehicle(SPEC, bus, config_for("auto"), loop_site(), clock)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    async with running(vehicle.run()):
        await asyncio.sleep(0)
        for topic in ("uagv/v2/acme/C1/state", "vda5050/v3/acme/C1/connection"):
            await bus.publish(topic, junk)
        await asyncio.sleep(1)
        assert (raised, vehicle.version, vehicle.state().errors) == ([], "", ())


async def test_a_strange_version_is_shown_as_far_as_it_can_be() -> None:
    bus, clock = MemoryBus(), Clock.starting(EPOCH)
    vehicle = AnyVersionVehicle(SPEC, bus, config_for("auto"), loop_site(), clock)
    async with running(vehicle.run()):
        await asyncio.sleep(0)
        await bus.publish("uagv/v2/acme/C1/state", b'{"version": "' + 9999 * b"9" + b'"}')
        await asyncio.sleep(1)
        (error,) = vehicle.state().errors
        assert len(error.text) < 60


async def test_a_version_that_we_do_not_speak_is_named() -> None:
    bus, site, clock = MemoryBus(), loop_site(), Clock.starting(EPOCH)
    vehicle = AnyVersionVehicle(SPEC, bus, config_for("auto", patience_s=60), site, clock)
    async with running(vehicle.run()):
        await asyncio.sleep(0)
        word = b'{"headerId": 1, "timestamp": "", "version": "2.9.0"}'
        await bus.publish("uagv/v2/acme/C1/state", word)
        await asyncio.sleep(1)
        (error,) = vehicle.state().errors
        assert (error.code, error.text) == ("unknown_version", "speaks 2.9.0")
        assert not vehicle.state().fit
        with pytest.raises(LinkLost):
            await vehicle.execute(THERE, Clearance.whole(THERE))
