"""A robot of version 3.0 that sleeps is well: nobody is called, and nobody counts on it."""

import asyncio
import json
from pathlib import Path

from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from tests.sim.hospital import Hospital, hospital
from tests.sim.stories.test_three_dialects import fleet_file

C30 = VehicleId("C30")


async def tell(place: Hospital, action_type: str) -> None:
    """Send it to sleep or wake it, as its maker's tool would."""
    action = {"actionType": action_type, "actionId": action_type, "blockingType": "NONE"}
    header = {"headerId": 0, "timestamp": "2026-03-01T08:00:00.000Z", "version": "3.0.0"}
    message = {**header, "manufacturer": "Porter", "serialNumber": "C30", "actions": [action]}
    topic = "vda5050/v3/Porter/C30/instantActions"
    await place.simulation.wires.bus.publish(topic, json.dumps(message).encode())


async def test_nobody_is_called_for_a_robot_that_sleeps(tmp_path: Path) -> None:
    async with hospital(fleet_file(tmp_path)) as place:
        await tell(place, "startHibernation")
        state = place.service.roster[C30].state
        await place.until(lambda: state().asleep)
        await asyncio.sleep(600)
        assert place.open_codes() == set()
        task = await place.deliver("pharmacy", "ward")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.world.ground[C30].node == "park-3"
        await tell(place, "stopHibernation")
        await place.until(lambda: state().fit)
