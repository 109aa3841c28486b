"""``wardline conform`` over a real broker, against our own simulated robot."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fleet.bus import MqttBus
from fleet.clock import Clock
from routing.site import NodeId
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World
from tests.fleet.vda5050.scene import SITE, SPEC, config_for, loop_site, running

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real


async def conform(*arguments: str) -> tuple[int, str, str]:
    """Run the command; its exit code and what it wrote."""
    code = "from dispatcher.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        "conform",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("version", ["2.1", "3.0"])
async def test_a_session_over_a_broker(
    mosquitto: "Mosquitto", tmp_path: Path, version: str
) -> None:
    site = tmp_path / "loop.yaml"
    site.write_text(SITE, encoding="utf-8")
    broker = f"{mosquitto.host}:{mosquitto.port}"
    bus = MqttBus(mosquitto.host, mosquitto.port, client_id="robot")
    world = World(loop_site(), seed=1)
    body = world.add_ground(SPEC, NodeId("n1"))
    robot = Vda5050Robot(body, bus, config_for(version), Clock.starting(), loop_site())
    async with running(bus.run()):
        await bus.connected()
        async with running(robot.run()):
            code, out, err = await conform(
                broker,
                "acme/C1",
                "--site",
                str(site),
                "--no-period",
                "--json",
                "--version",
                version,
            )
    found: dict[str, Any] = json.loads(out)
    broken = [f for f in found["findings"] if f["answer"] == "breaks"]
    assert (broken, code, err) == ([], 0, "")
    assert found["conformant"]
    assert found["counts"]["honours"] >= 20


async def test_a_broker_that_is_not_there() -> None:
    code, out, err = await conform("127.0.0.1:9", "acme/C1")
    assert (code, out) == (1, "")
    assert "no broker answers at 127.0.0.1:9" in err
    assert "Traceback" not in err
