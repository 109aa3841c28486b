"""A master that somebody else wrote drives our simulated robot: vda-5050-lib's controller."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fleet.bus import MqttBus
from fleet.clock import Clock
from routing.site import NodeId
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World
from tests.fleet.vda5050.scene import SPEC, config_for, loop_site, running

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

PEER = Path(__file__).parent / "peer"
PATIENCE_S = 90.0


async def told_by(broker: "Mosquitto") -> list[dict[str, Any]]:
    """All that the foreign master says until it ends."""
    node = shutil.which("node")
    if node is None or not (PEER / "node_modules").exists():
        pytest.skip("needs Node and vda-5050-lib: cd tests/real/peer && npm install")
    process = await asyncio.create_subprocess_exec(
        node,
        str(PEER / "master.js"),
        f"mqtt://{broker.host}:{broker.port}",
        "acme",
        "C1",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            said, errors = await process.communicate()
            errors += said
    assert errors == b""
    return [json.loads(line) for line in said.splitlines()]


async def test_order_update_actions_pause_and_cancel(mosquitto: "Mosquitto") -> None:
    site, clock = loop_site(), Clock.starting()
    spec = replace(SPEC, speed_m_s=8.0, acceleration_m_s2=4.0)
    body = World(site, seed=1).add_ground(spec, NodeId("n1"))
    bus = MqttBus(mosquitto.host, mosquitto.port, client_id="robot")
    robot = Vda5050Robot(body, bus, config_for("2.0"), clock, site)
    async with running(bus.run(), robot.run()):
        said = await told_by(mosquitto)

    def of(event: str, *keys: str) -> list[tuple[Any, ...]]:
        return [tuple(one.get(key) for key in keys) for one in said if one["event"] == event]

    assert of("processed", "order", "update", "cancelled", "active", "error") == [
        ("A", 0, False, True, None),
        ("A", 1, False, False, None),
        ("B", 0, True, False, None),
    ]
    assert [node for (node,) in of("node", "node")][:3] == ["n1", "n2", "n3"]
    status = dict(of("action", "action", "status"))
    ended = ("A-pick", "ask-factsheet", "pause", "go-on", "cancel")
    assert {action: status[action] for action in ended} == dict.fromkeys(ended, "FINISHED")
    assert status["B-drop"] in ("FINISHED", "FAILED", "WAITING")
    assert ("cancel-again", "noOrderToCancel") in of("refused", "action", "error") or status.get(
        "cancel-again"
    ) == "FAILED"
    assert of("paused") == [()]
    assert of("factsheet", "series")
    assert said[-1] == {"event": "end"}
