"""When a task will be done follows what the robot under way says."""

import asyncio
from pathlib import Path

import pytest

from fleet.vehicle import VehicleId
from tests.sim.hospital import hospital, scenario_file

C1 = VehicleId("C1")


@pytest.mark.parametrize(("version", "follows"), [("3.0", True), ("2.1", False)])
async def test_a_robot_that_crawls_is_expected_later(
    tmp_path: Path, version: str, follows: bool
) -> None:
    story = scenario_file(tmp_path, homes=("park-1",))
    story.write_text(story.read_text("utf-8").replace('"2.1"', f'"{version}"'), "utf-8")
    async with hospital(story) as place:
        task = await place.deliver("pharmacy", "laboratory")
        body, clock = place.world.ground[C1], place.simulation.clock
        await place.until(lambda: place.task(task).stops_done == 1 and body.driving)
        body.slow = 0.1
        await asyncio.sleep(60)
        expected_s = place.task(task).eta_s
        await place.until_ended(task)
        assert expected_s is not None
        assert (abs(clock.now_s() - expected_s) < 90) is follows
