"""Robots of VDA 5050 2.0, 2.1 and 3.0 on one Mosquitto, in one fleet, at many times the speed."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dispatcher.domain.task import TaskState
from fleet.bus import MqttBus
from sim import loops
from sim.running.wires import RealWires
from tests.fleet.vda5050.scene import running
from tests.sim.hospital import hospital
from tests.sim.stories.test_three_dialects import BOTH, VERSIONS, fleet_file
from tests.sim.vda5050.schema_recorder import SCHEMAS, SchemaRecorder

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not SCHEMAS.exists(), reason="needs ../shared/vda5050 with the standard's schemas"
    ),
]

SPEED = 10.0
"""Seconds of the fleet's clock in one of the wall's."""


async def test_three_versions_share_a_broker(mosquitto: "Mosquitto", tmp_path: Path) -> None:
    recorder = SchemaRecorder(VERSIONS)
    day = some_deliveries((mosquitto.host, mosquitto.port), fleet_file(tmp_path), recorder)
    await asyncio.to_thread(loops.run, day, loops.ScaledLoop(SPEED))
    assert recorder.faults == []
    heard = {(v, name) for v in VERSIONS.values() for name in BOTH if recorder.counts[v, name]}
    assert heard == {(v, name) for v in VERSIONS.values() for name in BOTH}
    assert recorder.counts["3.0", "zoneSet"] >= 2
    assert "GRANTED" in recorder.said("C30", "grantType")


async def some_deliveries(
    broker: tuple[str, int], scenario: Path, recorder: SchemaRecorder
) -> None:
    """Each robot carries something upstairs; the recorder has a connection of its own."""
    scribe = MqttBus(*broker, client_id="scribe")
    for tree in ("uagv/#", "vda5050/#"):
        scribe.subscribe(tree, recorder.note)
    async with running(scribe.run()):
        await scribe.connected()
        async with hospital(scenario, wires=RealWires(broker, None)) as place:
            tasks = [await place.deliver("pharmacy", "ward") for _ in range(3)]
            tasks += [await place.deliver("laboratory", "ward", goods="general") for _ in range(2)]
            await place.until_ended(*tasks, at_most_s=3600)
            assert {place.task(task).state for task in tasks} == {TaskState.DONE}
        await asyncio.sleep(5.0)
