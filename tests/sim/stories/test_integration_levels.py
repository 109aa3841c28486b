"""Vehicles that are not ours to command: ignored, noticed, respected."""

from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from dispatcher.domain.views import Activity, VehicleView
from dispatcher.errors import ConfigFault, Refused
from fleet.vehicle import VehicleId
from sim.scenario.config import load_scenario
from tests.sim.hospital import DRONE, MODELS, SITE, Hospital, hospital

W1 = VehicleId("W1")


def story(folder: Path, level: str, home: str = "park-2") -> Path:
    """One cart of ours, and one that we leave alone."""
    path = folder / "story.yaml"
    path.write_text(
        f"# two carts\nscenario: story\nsite: {SITE}\nduration: 24h\n{MODELS}\nvehicles:\n"
        "  - {model: cart, ids: [C1], homes: [park-1]}\n"
        f"  - {{model: cart, ids: [W1], homes: [{home}], integration: {level}}}\n",
        encoding="utf-8",
    )
    return path


def seen(place: Hospital) -> VehicleView | None:
    return next((v for v in place.service.vehicles() if v.spec.id == W1), None)


@pytest.mark.parametrize("level", ["ignored", "noticed", "respected"])
async def test_only_what_is_ours_gets_work(tmp_path: Path, level: str) -> None:
    journal: list[str] = []
    async with hospital(story(tmp_path, level), sink=journal.append) as place:
        tasks = [await place.deliver("pharmacy", "laboratory") for _ in range(3)]
        await place.until_ended(*tasks)
        assert {place.task(t).state for t in tasks} == {TaskState.DONE}
        assert {place.task(t).vehicle for t in tasks} == {"C1"}
        view = seen(place)
        if level == "ignored":
            assert view is None
        else:
            assert view is not None
            assert view.state.online
            assert view.state.position is not None
            assert view.activity is Activity.WATCHED
        assert not any('"vehicle":"W1"' in line for line in journal)
        assert place.simulation.stage.robots[W1].body.node == "park-2"


@pytest.mark.parametrize(("level", "meets"), [("noticed", True), ("respected", False)])
async def test_whose_place_counts(tmp_path: Path, level: str, meets: bool) -> None:
    """It stands in the only corridor, where a person left it."""
    async with hospital(story(tmp_path, level), forgiven=("collision",)) as place:
        robot = place.simulation.stage.robots[W1]
        for start, end in (("park-2", "a1"), ("a1", "a2")):
            edge = place.simulation.scenario.site.edge(start, end)  # pyright: ignore[reportArgumentType]
            await robot.body.drive(edge, onward=False)
        await place.until(lambda: (v := seen(place)) is not None and v.state.last_node == "a2")
        task = await place.deliver("pharmacy", "laboratory")
        if meets:
            await place.until_ended(task)
        else:
            await place.until(lambda: "way_blocked" in place.open_codes())
            (alert,) = [a for a in place.service.alerts() if a.code == "way_blocked"]
            assert alert.vehicle == W1
            for start, end in (("a2", "a1"), ("a1", "park-2")):
                edge = place.simulation.scenario.site.edge(start, end)  # pyright: ignore[reportArgumentType]
                await robot.body.drive(edge, onward=False)
            await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert bool(place.world.violations["collision"]) is meets


async def test_who_is_only_watched_can_t_be_put_into_service(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, "noticed")) as place:
        with pytest.raises(Refused) as refused:
            await place.service.fleet_desk.set_in_service(W1, on=True)
        assert refused.value.faults[0].reason.code == "only_watched"


async def test_a_task_that_only_a_watched_vehicle_could_do_is_refused(tmp_path: Path) -> None:
    path = story(tmp_path, "respected")
    text = path.read_text("utf-8").replace("ids: [C1]", "ids: [C1], integration: noticed")
    path.write_text(text, encoding="utf-8")
    async with hospital(path) as place:
        with pytest.raises(Refused):
            await place.deliver("pharmacy", "laboratory")


def test_aircraft_can_t_be_respected(tmp_path: Path) -> None:
    path = story(tmp_path, "used")
    more = DRONE.replace("system_ids: [1]", "system_ids: [1], integration: respected")
    path.write_text(path.read_text("utf-8") + more, encoding="utf-8")
    with pytest.raises(ConfigFault, match="D1 flies, and only vehicles on the ground"):
        load_scenario(path)
