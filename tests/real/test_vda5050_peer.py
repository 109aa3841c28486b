"""Our master drives a robot that somebody else wrote: vda-5050-lib's virtual one."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from fleet.bus import MqttBus
from fleet.clock import Clock
from fleet.errors import MissionCancelled
from fleet.mission import Action, ActionKind, Clearance
from fleet.vda5050.adapter import Vda5050Vehicle
from tests.fleet.vda5050.scene import SPEC, config_for, loop_site, mission, running, waypoints

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

PEER = Path(__file__).parent / "peer"


@pytest_asyncio.fixture
async def robot(mosquitto: "Mosquitto") -> AsyncIterator[None]:
    """The foreign robot, connected to our broker, standing on n1."""
    node = shutil.which("node")
    if node is None or not (PEER / "node_modules").exists():
        pytest.skip("needs Node and vda-5050-lib: cd tests/real/peer && npm install")
    process = await asyncio.create_subprocess_exec(
        node,
        str(PEER / "robot.js"),
        f"mqtt://{mosquitto.host}:{mosquitto.port}",
        "acme",
        "C1",
        "L1",
        "n1",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"ready\n"
    yield
    process.terminate()
    await process.communicate()


@pytest_asyncio.fixture
async def vehicle(mosquitto: "Mosquitto", robot: None) -> AsyncIterator[Vda5050Vehicle]:
    bus = MqttBus(mosquitto.host, mosquitto.port, client_id="master")
    config = config_for("2.0", instant_actions_key="instantActions", ack_timeout_s=2)
    vehicle = Vda5050Vehicle(SPEC, bus, config, loop_site(), Clock.starting())
    async with running(bus.run(), vehicle.run()):
        async with asyncio.timeout(20):
            while not vehicle.state().online:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield vehicle


def pick(name: str) -> Action:
    facts = {"station_type": "floor", "load_type": "EPAL"}
    return Action(id=name, kind=ActionKind.LOAD, duration_s=1.0, facts=facts)


async def test_one_order_step_by_step_with_another_way_and_a_load(vehicle: Vda5050Vehicle) -> None:
    assert vehicle.state().fit
    told = mission("M1", "n1 n2 n3 n4", pick("pick-1"))
    clearance = Clearance(told.route, released=2)
    reached: list[int] = []
    clearance.on_reached(reached.append)
    clearance.on_reached(lambda index: clearance.release(min(index + 2, len(clearance.route))))
    driving = asyncio.ensure_future(vehicle.execute(told, clearance))
    await asyncio.sleep(0.2)
    clearance.reroute(waypoints("n2", "m3", "n4")[1:])
    async with asyncio.timeout(60):
        outcome = await driving
    assert outcome.results == {"pick-1": "pick action finished"}
    assert reached == [1, 2, 3]
    assert vehicle.state().last_node == "n4"
    assert len(vehicle.state().loads) == 1
    assert vehicle.junk == 0

    again = await vehicle.execute(told, Clearance.whole(told))
    assert again.mission == "M1"


async def test_a_cancelled_order_leaves_it_ready_for_the_next(vehicle: Vda5050Vehicle) -> None:
    told = mission("M1", "n1 n2 n3 n4", pick("pick-1"))
    driving = asyncio.ensure_future(vehicle.execute(told, Clearance(told.route, released=2)))
    async with asyncio.timeout(30):
        while vehicle.state().last_node != "n2" or vehicle.state().driving:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await vehicle.cancel()
        with pytest.raises(MissionCancelled):
            await driving
        back = mission("M2", "n2 n1")
        await vehicle.execute(back, Clearance.whole(back))
    assert vehicle.state().last_node == "n1"
