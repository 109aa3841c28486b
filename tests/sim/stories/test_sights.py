"""Stories of what cameras see on the way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.observations import Observation, ObservationIn, Sight
from dispatcher.domain.incidents import IncidentState, Source
from dispatcher.domain.task import TaskState
from dispatcher.errors import ConfigFault, Refused
from fleet.vehicle import VehicleId
from routing.geometry import Point
from sim.scenario.config import load_scenario
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.process import place as process

D1, D2, D3 = (VehicleId(name) for name in ("D1", "D2", "D3"))
CROWD = """\
sights:
  - {at: 1min, for: 20min, seen: {what: crowd, x_m: 400, y_m: 400, value: 30, text: by the pond,
     media: "https://cameras.example/1", incident: true}}
  - {at: 1min, for: 10s, seen: {what: other, x_m: 400, y_m: 420}}
  - {at: 1min, seen: {what: other, x_m: 1900, y_m: 1700}}
"""


async def seen(here: Hospital) -> list[Observation]:
    return await here.service.observations.latest(10)


async def test_a_crowd_under_a_patrol_is_seen_kept_and_helped(tmp_path: Path) -> None:
    async with hospital(district(tmp_path, more=CROWD)) as here:
        for other in (D2, D3):
            await here.service.fleet_desk.set_in_service(other, on=False)
        patrol = await here.submit(kind="patrol", area="park")
        await here.until(lambda: bool(here.service.incidents.shown), 600)
        (incident,) = here.service.incidents.shown
        body = here.world.aircraft[D1]
        assert body.position().point.distance_m(Point(400, 400)) < 40, "it is above it"
        (crowd,) = await seen(here)
        assert (crowd.what, crowd.vehicle, crowd.task) == (Sight.CROWD, D1, patrol)
        assert (crowd.value, crowd.incident) == (30, incident.id)
        assert (incident.source, incident.vehicle) == (Source.OBSERVATION, D1)
        await here.until(
            lambda: here.service.incidents.shown[0].state is IncidentState.ON_SCENE, 120
        )
        timeline = await here.service.incidents.store.timeline(incident.id)
        assert "https://cameras.example/1" in [event.facts.get("text") for event in timeline]
        await here.until_ended(patrol)
        assert here.task(patrol).state is TaskState.DONE
        assert len(await seen(here)) == 1, "what had gone by then, and what is elsewhere, is not"
        events = await here.service.store.timeline(patrol)
        assert "observed" in [event.kind for event in events], "it is of the patrol's history"


async def test_a_robot_sees_an_open_door_where_it_looks_around(tmp_path: Path) -> None:
    door = "sights: [{at: 0s, seen: {what: open_door, place: laboratory}}]\n"
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=door)) as here:
        task = await here.submit(kind="patrol", points=["pharmacy", "laboratory"], dwell_s=5)
        await here.until_ended(task)
        (observed,) = await seen(here)
        assert (observed.what, observed.place, observed.task) == (
            Sight.OPEN_DOOR,
            "laboratory",
            task,
        )


async def test_what_was_seen_outlives_a_restart(tmp_path: Path) -> None:
    async with process(district(tmp_path), tmp_path / "store.sqlite") as here:
        asked = ObservationIn.model_validate({"what": "no_mask", "vehicle": "D1", "text": "gate"})
        first = await here.service.observations.report(asked)
        assert first.at.distance_m(Point(0, 0)) < 1, "it is where its vehicle is"
        await here.restart()
        await asyncio.sleep(1)
        assert [one.number for one in await here.service.observations.latest(5)] == [first.number]


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"what": "crowd"}, "place", "missing"),
        ({"what": "crowd", "vehicle": "D9"}, "vehicle", "unknown_vehicle"),
        ({"what": "crowd", "place": "nowhere"}, "place", "unknown_place"),
        ({"what": "crowd", "x_m": 1.0}, "y_m", "missing"),
    ],
)
async def test_what_was_seen_nowhere_is_refused(
    tmp_path: Path, asked: dict[str, Any], field: str, code: str
) -> None:
    async with hospital(district(tmp_path)) as here:
        with pytest.raises(Refused) as caught:
            await here.service.observations.report(ObservationIn.model_validate(asked))
        assert [(f.field, f.reason.code) for f in caught.value.faults] == [(field, code)]
        assert await seen(here) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{at: 1h, seen: {what: crowd}}", "seen.place"),
        ("{at: 1h, seen: {what: fog, place: station}}", "fog"),
        ("{at: 1h, seen: {what: crowd, place: statoin}}", "did you mean station?"),
        ("{at: 1h, seen: {what: crowd, place: station, vehicle: D1}}", "leave that out"),
    ],
)
def test_a_sight_that_can_not_be_is_told_with_its_line(
    tmp_path: Path, line: str, what: str
) -> None:
    with pytest.raises(ConfigFault) as caught:
        load_scenario(district(tmp_path, more=f"sights:\n  - {line}\n"))
    assert what in str(caught.value)
