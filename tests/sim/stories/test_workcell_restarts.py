"""The dispatcher dies while workcells hand over: the next one joins, and goods move once."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import VehicleId
from tests.sim.process import Place, place
from tests.sim.stories.workcells import (
    ARM,
    INTAKE,
    PICKER,
    cell_of,
    handed,
    with_a_pad,
    with_workcells,
)

C1 = VehicleId("C1")
BOX = {
    "kind": "delivery",
    "item": "box",
    "goods": "food",
    "from": "pharmacy",
    "to": ["laboratory"],
    "mass_kg": 5.0,
}


async def begun(here: Place) -> TaskId:
    """A task whose robot is being handed its goods."""
    task = await here.submit(**BOX)
    await here.until(lambda: cell_of(here, PICKER).serves("C1"))
    return task


@pytest.mark.parametrize("pause_s", [7.0, 11.0])
async def test_killed_again_and_again_goods_change_hands_once(
    tmp_path: Path, pause_s: float
) -> None:
    path = with_workcells(tmp_path, homes=("park-1",))
    async with place(path, tmp_path / "story.sqlite") as here:
        task = await here.submit(**BOX)
        for _ in range(14):
            await asyncio.sleep(pause_s)
            await here.restart()
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert handed(here, PICKER) == handed(here, INTAKE) == [task]
        asked = [e for e in await here.service.store.timeline(task) if e.kind == "handover_asked"]
        assert len({event.facts["handover"] for event in asked}) == 2, "one id for each stop"


@pytest.mark.parametrize("away_s", [0.0, 10.0, 60.0])
async def test_a_new_dispatcher_joins_a_handover_that_goes_on(
    tmp_path: Path, away_s: float
) -> None:
    path = with_workcells(tmp_path, homes=("park-1",))
    async with place(path, tmp_path / "story.sqlite") as here:
        task = await begun(here)
        await here.process.kill()
        await asyncio.sleep(away_s)
        assert len(handed(here, PICKER)) == (away_s > 30)
        await here.process.start()
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert handed(here, PICKER) == [task]


async def test_one_that_failed_while_nobody_was_there_stops_the_task(tmp_path: Path) -> None:
    path = with_workcells(tmp_path, homes=("park-1",))
    async with place(path, tmp_path / "story.sqlite") as here:
        task = await begun(here)
        await here.process.kill()
        cell_of(here, PICKER).jam(on=True)
        await asyncio.sleep(10)
        await here.process.start()
        assert (await here.until_all_ended())[task] is TaskState.FAILED
        found = await here.service.store.task(task)
        assert found is not None
        assert str(found.reason) == "workcell_failed (workcell=picker, text=jammed)"
        assert "workcell_failed" in [a.code for a in here.service.alerts() if not a.cleared_s]


async def test_a_cancel_holds_over_a_restart_and_the_workcell_stops(tmp_path: Path) -> None:
    path = with_workcells(tmp_path, homes=("park-1",))
    async with place(path, tmp_path / "story.sqlite") as here:
        task = await begun(here)
        picker = cell_of(here, PICKER)
        picker.cut(on=True)
        await here.service.task_desk.cancel(task)
        await here.process.kill()
        picker.cut(on=False)
        await here.process.start()
        assert (await here.until_all_ended())[task] is TaskState.CANCELLED
        assert handed(here, PICKER) == []
        assert not picker.serves("C1")


async def test_a_restart_while_it_is_out_of_service_asks_for_the_same_handover(
    tmp_path: Path,
) -> None:
    path = with_workcells(tmp_path, homes=("park-1",))
    async with place(path, tmp_path / "story.sqlite") as here:
        task = await here.submit(**BOX)
        cell_of(here, PICKER).stop()
        await here.until(lambda: here.world.ground[C1].node == "pharmacy")
        await asyncio.sleep(20)
        await here.process.kill()
        cell_of(here, PICKER).repair()
        await here.process.start()
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert handed(here, PICKER) == [task]


async def test_killed_while_a_drone_is_loaded_and_unloaded(tmp_path: Path) -> None:
    """In its dock by people, and on the other pad by an arm."""
    async with place(with_a_pad(tmp_path), tmp_path / "story.sqlite") as here:
        flown = {**BOX, "goods": "general", "mass_kg": 1.0, "by": "air"}
        there = await here.submit(**{**flown, "from": "dock-1", "to": ["pad-2"]})
        await asyncio.sleep(15)
        await here.restart()
        await here.until(lambda: cell_of(here, ARM).serves("D1"))
        await here.restart()
        assert (await here.until_all_ended())[there] is TaskState.DONE
        assert handed(here, ARM) == [there]
