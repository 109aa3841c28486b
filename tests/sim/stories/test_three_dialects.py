"""Robots of VDA 5050 2.0, 2.1 and 3.0 in one fleet: one day together, each in its own words."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from dispatcher.desks.road_rules_in import RoadRuleIn
from dispatcher.domain.task import TaskId, TaskState
from sim.running.wires import MemoryWires
from tests.sim.hospital import CART, SITE, Hospital, hospital
from tests.sim.vda5050.schema_recorder import SCHEMAS, SchemaRecorder

pytestmark = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="needs ../shared/vda5050 with the standard's schemas"
)

VERSIONS = {"C20": "2.0", "C21": "2.1", "C30": "3.0"}
BOTH = ("order", "instantActions", "state", "connection", "factsheet")


def fleet_file(folder: Path, versions: Sequence[str] = ("2.0", "2.1", "3.0")) -> Path:
    """One cart of each of three versions on the corridor site."""
    models = [
        CART.replace("cart:", f"v{number}:").replace('"2.1"', f'"{version}"', 1)
        for number, version in zip(("20", "21", "30"), versions, strict=True)
    ]
    path = folder / "three.yaml"
    path.write_text(
        f"# a story\nscenario: three\nsite: {SITE}\nduration: 24h\nmodels:\n"
        + "".join(models)
        + "vehicles:\n"
        + "".join(
            f"  - {{model: v{number}, ids: [C{number}], homes: [park-{at}]}}\n"
            for at, number in enumerate(("20", "21", "30"), start=1)
        ),
        encoding="utf-8",
    )
    return path


async def busy_day(place: Hospital) -> Sequence[TaskId]:
    """Deliveries up and down, an isolation room to disinfect, roads that are slow and closed."""
    tasks: list[TaskId] = []
    for number in range(6):
        tasks += [
            await place.deliver("pharmacy", "ward"),
            await place.deliver("ward", "laboratory", goods="specimen"),
            await place.deliver("laboratory", "pharmacy", goods="general"),
        ]
        if number % 3 == 1:
            tasks.append(await place.submit(kind="disinfection", room="isolation"))
        if number % 4 == 2:
            slow = {"kind": "speed_limit", "level": "L1", "speed_m_s": 0.5}
            rule = await place.service.road_desk.set(RoadRuleIn.model_validate(slow))
            await place.until_ended(*tasks, at_most_s=7200)
            await place.service.road_desk.lift(rule.id)
        await place.until_ended(*tasks, at_most_s=7200)
        if number == 5:
            closed = {"kind": "closed", "lanes": ["laboratory~a3"]}
            rule = await place.service.road_desk.set(RoadRuleIn.model_validate(closed))
            await asyncio.sleep(120)
            await place.service.road_desk.lift(rule.id)
        await asyncio.sleep(600)
    return tasks


@pytest.mark.long
async def test_three_versions_do_one_day_together(tmp_path: Path) -> None:
    recorder, wires = SchemaRecorder(VERSIONS), MemoryWires()
    for tree in ("uagv/#", "vda5050/#"):
        wires.bus.subscribe(tree, recorder.note)
    async with hospital(fleet_file(tmp_path), wires=wires) as place:
        tasks = await busy_day(place)
        assert [place.task(task).state for task in tasks] == [TaskState.DONE] * len(tasks)
        assert place.open_codes() == set()
    await asyncio.sleep(0)
    assert recorder.faults == []
    all_spoke_as_their_version_has_it(recorder)


def all_spoke_as_their_version_has_it(recorder: SchemaRecorder) -> None:
    """Every topic of every version was heard, and all that is new in 3.0 was used."""
    missing = [
        (v, name) for v in VERSIONS.values() for name in BOTH if not recorder.counts[v, name]
    ]
    assert missing == []
    assert recorder.counts["3.0", "zoneSet"] > 2
    assert recorder.counts["3.0", "responses"] > 10
    assert all(recorder.counts[version, "order"] > 20 for version in VERSIONS.values())
    assert recorder.said("C30", "actionType") >= {
        "clearInstantActions",
        "deleteZoneSet",
        "enableZoneSet",
        "stateRequest",
    }
    assert recorder.said("C30", "zoneType") == {
        "BLOCKED",
        "DIRECTED",
        "PRIORITY",
        "RELEASE",
        "SPEED_LIMIT",
    }
    assert "GRANTED" in recorder.said("C30", "grantType")


@pytest.mark.long
async def test_the_journal_is_the_same_in_any_version(tmp_path: Path) -> None:
    journals: list[list[str]] = []
    for version in ("2.1", "3.0", "auto"):
        lines: list[str] = []
        path = fleet_file(tmp_path, (version,) * 3)
        async with hospital(path, sink=lines.append) as place:
            tasks = [
                await place.deliver("pharmacy", "ward"),
                await place.deliver("ward", "pharmacy"),
            ]
            tasks.append(await place.submit(kind="disinfection", room="isolation"))
            await place.until_ended(*tasks)
        journals.append(lines)
    assert len(journals[0]) > 10
    assert journals[0] == journals[1] == journals[2]
