"""Help over slow links: each message 0.3 s late and every tenth lost, both ways, all the time.

The calls are like those of ``configs/district-night.yaml``: to drones in their docks, over an
area, above a scene, and on their way home.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.incidents_in import IncidentIn
from sim.scenario.config import PlannedIncident
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital

SLOW = """
faults:
  - {at: 1s, link: {model: drone}, fault: delay, delay: 0.3s, for: 24h}
  - {at: 1s, link: {model: drone}, fault: loss, share: 0.1, for: 24h}
"""
SCENES = ((1500, 1200), (300, 300), (900, 200), (500, 900), (1300, 300), (150, 1200))
CALLS = 48


async def calls(place: Hospital) -> dict[str, Any]:
    """Many calls all over the district, patrols between them; what came of them."""
    for number in range(CALLS):
        x_m, y_m = SCENES[number % len(SCENES)]
        asked = IncidentIn(x_m=x_m, y_m=y_m, on_scene_s=30.0)
        await place.simulation.report_incident(PlannedIncident(at_s=0, asked=asked))
        await asyncio.sleep((40, 100, 450)[number % 3])
        if number % 5 == 0:
            await place.submit(kind="patrol", area="park")
            await asyncio.sleep(45)
    await asyncio.sleep(900)
    return place.simulation.incidents.summary()


@pytest.mark.long
async def test_help_is_told_within_seconds_over_slow_links(tmp_path: Path) -> None:
    async with hospital(district(tmp_path, more=SLOW), seed=1) as place:
        await asyncio.sleep(120)
        found = await calls(place)
        assert found["answered"] == found["count"] == CALLS
        assert found["p50_s"] <= 2
        assert found["p95_s"] <= 5
