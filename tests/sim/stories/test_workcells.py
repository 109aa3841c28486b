"""Dispensers and ingestors: goods change hands once, and one that fails stops that task alone."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import VehicleId
from fleet.workcell import Way
from tests.folders import CONFIGS
from tests.sim.hospital import Hospital, hospital
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


async def events_of(place: Hospital, task: TaskId) -> dict[str, dict[str, object]]:
    """The last event of each kind that a task has."""
    timeline = await place.service.store.timeline(task)
    return {event.kind: {"vehicle": event.vehicle, **event.facts} for event in timeline}


def reason_of(place: Hospital, task: TaskId) -> str:
    return str(place.task(task).reason)


async def test_goods_come_from_the_dispenser_and_go_into_the_ingestor(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path)) as place:
        task = await place.deliver("pharmacy", "laboratory")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, PICKER) == handed(place, INTAKE) == [task]
        assert place.deeds.loaded == [task]
        assert place.deeds.unloaded == [(task, "laboratory")]
        assert place.open_codes() == set()


async def test_medicine_is_on_record_as_handed_out_by_the_workcell(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path)) as place:
        task = await place.submit(kind="medicine", item="insulin", to="ward")
        await place.until_ended(task)
        done = (await events_of(place, task))["handover_done"]
        assert done["workcell"] == "picker"
        assert done["way"] == "give"
        assert done["vehicle"] == place.task(task).vehicle
        assert handed(place, PICKER) == [task]
        assert handed(place, INTAKE) == [], "in the ward people take it"


async def test_all_loads_of_a_round_are_given_at_once(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path)) as place:
        asked = {"kind": "delivery", "item": "meals", "goods": "food", "mass_kg": 6.0}
        task = await place.submit(**asked, **{"from": "pharmacy"}, to=["ward", "laboratory"])
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, PICKER) == [f"{task}.1", f"{task}.2"]
        assert handed(place, INTAKE) == [f"{task}.2"]


async def test_one_that_fails_stops_that_task_with_its_reason_and_no_other(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker = cell_of(place, PICKER)
        picker.jam(on=True)
        stopped = await place.deliver("pharmacy", "ward")
        other = await place.deliver("ward", "laboratory")
        await place.until_ended(stopped, other)
        assert place.task(stopped).state is TaskState.FAILED
        assert reason_of(place, stopped) == "workcell_failed (workcell=picker, text=jammed)"
        assert place.task(other).state is TaskState.DONE
        alert = next(a for a in place.service.alerts() if a.code == "workcell_failed")
        assert alert.facts == {"workcell": "picker", "text": "jammed", "stopped": stopped}
        assert place.open_codes() == {"workcell_failed"}
        assert all(view.in_service for view in place.service.vehicles())
        assert handed(place, PICKER) == []
        picker.jam(on=False)
        again = await place.deliver("pharmacy", "ward")
        await place.until_ended(again)
        assert handed(place, PICKER) == [again]
        assert place.open_codes() == set()


async def test_an_ingestor_that_keeps_failing_leaves_the_goods_to_a_person(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        cell_of(place, INTAKE).jam(on=True)
        task = await place.deliver("pharmacy", "laboratory")
        await place.until_ended(task)
        assert reason_of(place, task) == "workcell_failed (workcell=intake, text=jammed)"
        assert {"workcell_failed", "goods_stranded", "safety_stop"} <= place.open_codes()
        assert place.world.ground[C1].loads == [task]
        assert handed(place, INTAKE) == []


async def test_one_that_fails_at_first_gets_the_goods_at_the_second_try(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        intake = cell_of(place, INTAKE)
        intake.jam(on=True)
        task = await place.deliver("pharmacy", "laboratory")
        await place.until(lambda: "workcell_failed" in place.open_codes())
        intake.jam(on=False)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, INTAKE) == [task]
        assert place.open_codes() == set()


async def test_no_task_is_begun_at_one_that_is_out_of_service(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker = cell_of(place, PICKER)
        picker.stop()
        await asyncio.sleep(1)
        task = await place.deliver("pharmacy", "ward")
        other = await place.deliver("ward", "laboratory")
        await place.until_ended(other)
        assert place.task(task).state is TaskState.QUEUED
        assert reason_of(place, task) == "workcell_out_of_service (workcell=picker)"
        assert place.open_codes() == {"workcell_out_of_service"}
        picker.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == set()


@pytest.mark.parametrize("repaired", [True, False])
async def test_who_stands_there_waits_until_the_limit(tmp_path: Path, repaired: bool) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker, body = cell_of(place, PICKER), place.world.ground[C1]
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: body.edge is not None and body.edge.end == "pharmacy")
        picker.stop()
        await asyncio.sleep(60)
        assert body.node == "pharmacy"
        assert place.code_of("C1") == "workcell_out_of_service"
        if repaired:
            picker.repair()
        await place.until_ended(task)
        if repaired:
            assert place.task(task).state is TaskState.DONE
        else:
            assert reason_of(place, task) == "workcell_out_of_service (workcell=picker)"
            await place.until(lambda: body.node == "park-1")
        assert handed(place, PICKER) == ([task] if repaired else [])


async def test_one_that_does_not_answer_stops_the_task_and_the_robot_goes_home(
    tmp_path: Path,
) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        cell_of(place, PICKER).cut(on=True)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: place.world.ground[C1].node == "pharmacy")
        await asyncio.sleep(10)
        assert place.code_of("C1") == "waits_for_workcell"
        await place.until_ended(task)
        assert reason_of(place, task) == "workcell_silent (workcell=picker)"
        await place.until(lambda: place.world.ground[C1].node == "park-1")
        cell_of(place, PICKER).cut(on=False)
        await asyncio.sleep(300)
        assert handed(place, PICKER) == []


async def test_one_that_is_cut_off_for_a_while_hands_over_once(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: picker.serves("C1"))
        picker.cut(on=True)
        await asyncio.sleep(60)
        assert handed(place, PICKER) == [task], "it went on by itself"
        picker.cut(on=False)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, PICKER) == [task]


async def test_nobody_moves_while_it_may_still_reach_over(tmp_path: Path) -> None:
    """Silent in the middle of its work: the goods may be anywhere, and so may its arm."""
    async with hospital(with_workcells(tmp_path, homes=("park-1", "park-2"))) as place:
        picker = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: any(picker.serves(v) for v in ("C1", "C2")))
        vehicle = VehicleId("C1" if picker.serves("C1") else "C2")
        picker.stop()
        picker.cut(on=True)
        await place.until_ended(task)
        assert reason_of(place, task) == "workcell_unsure (workcell=picker)"
        assert {"workcell_unsure", "safety_stop"} <= place.open_codes()
        other = await place.deliver("ward", "laboratory")
        await place.until_ended(other)
        assert place.task(other).state is TaskState.DONE
        body = place.world.ground[vehicle]
        assert body.node == "pharmacy"
        picker.cut(on=False)
        picker.repair()
        await asyncio.sleep(60)
        await place.service.fleet_desk.set_in_service(vehicle, on=True)
        await place.until(lambda: body.node != "pharmacy")
        assert handed(place, PICKER) == []


@pytest.mark.parametrize("after_s", [0, 15, 29])
async def test_a_task_cancelled_while_it_is_at_work_leaves_the_goods_there(
    tmp_path: Path, after_s: float
) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: picker.serves("C1"))
        await asyncio.sleep(after_s)
        await place.service.task_desk.cancel(task)
        await place.until_ended(task, at_most_s=60)
        assert place.task(task).state is TaskState.CANCELLED
        assert handed(place, PICKER) == []
        assert "handover_called_off" in await events_of(place, task)
        await place.until(lambda: place.world.ground[C1].node == "park-1")
        assert place.open_codes() == set()


@pytest.mark.parametrize(
    ("picker", "taken_back"), [("dispenses", False), ("dispenses, ingests", True)]
)
async def test_cancelled_too_late_the_goods_are_brought_back(
    tmp_path: Path, picker: str, taken_back: bool
) -> None:
    path = with_workcells(tmp_path, homes=("park-1",), picker=picker)
    async with hospital(path) as place:
        cell = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: cell.serves("C1"))
        cell.cut(on=True)
        await asyncio.sleep(10)
        await place.service.task_desk.cancel(task)
        await asyncio.sleep(25)
        cell.cut(on=False)
        await place.until_ended(task, at_most_s=600)
        assert place.task(task).state is TaskState.CANCELLED
        assert handed(place, PICKER) == [task] * (2 if taken_back else 1)
        assert place.deeds.unloaded == [(task, "pharmacy")]


async def test_goods_that_may_have_been_taken_back_are_not_taken_back_again(
    tmp_path: Path,
) -> None:
    path = with_workcells(tmp_path, homes=("park-1",), picker="dispenses, ingests")
    async with hospital(path) as place:
        cell = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: bool(place.world.ground[C1].loads))
        await place.service.task_desk.cancel(task)
        await place.until(lambda: cell.serves("C1"))
        cell.cut(on=True)
        await place.until_ended(task)
        assert reason_of(place, task) == "workcell_unsure (workcell=picker)"
        cell.cut(on=False)
        await place.service.fleet_desk.set_in_service(C1, on=True)
        await asyncio.sleep(600)
        assert cell.handed == [(Way.GIVE, task), (Way.TAKE, task)]


async def test_nothing_is_asked_for_while_a_robot_leaves_its_charger(tmp_path: Path) -> None:
    """Work on the spot that is not loading, though it is done for the same stop."""
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        body = place.world.ground[C1]
        body.set_charge(0.6)
        await place.until(lambda: body.charging)
        await asyncio.sleep(60)
        task = await place.deliver("pharmacy", "ward")
        await place.until_ended(task)
        asked = [e for e in await place.service.store.timeline(task) if e.kind == "handover_asked"]
        assert len(asked) == 1
        assert handed(place, PICKER) == [task]


async def test_the_example_does_what_it_says() -> None:
    async with hospital(CONFIGS / "dispensers.yaml") as place:
        await asyncio.sleep(2 * 3600 - 60)
        tasks = await place.simulation.tasks()
        failed = [task for task in tasks if task.state is TaskState.FAILED]
        assert {str(task.reason) for task in failed} == {
            "workcell_failed (workcell=picker, text=jammed)"
        }
        assert len(failed) == 2
        assert len(handed(place, INTAKE)) == 10
        assert {task.state for task in tasks} == {TaskState.DONE, TaskState.FAILED}


async def test_two_robots_are_served_in_turn(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path)) as place:
        tasks = [await place.submit(kind="medicine", item="insulin", to="ward") for _ in range(3)]
        await place.until_ended(*tasks)
        assert all(place.task(task).state is TaskState.DONE for task in tasks)
        assert sorted(handed(place, PICKER)) == sorted(tasks)
        assert len({place.task(task).vehicle for task in tasks}) > 1


async def test_a_code_blue_calls_it_off_and_it_is_asked_anew(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        picker = cell_of(place, PICKER)
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: picker.serves("C1"))
        asked = EmergencyIn.model_validate({"kind": "code_blue", "level": "L1"})
        alarm = await place.service.emergency_desk.begin(asked)
        await asyncio.sleep(300)
        await place.service.emergency_desk.end(alarm.id, "test")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, PICKER) == [task]


async def test_what_was_given_is_not_given_again_when_the_robot_fails(tmp_path: Path) -> None:
    """Its lock jams after the goods are on it: they are there, whatever it says."""
    async with hospital(with_workcells(tmp_path, homes=("park-1", "park-2"))) as place:
        for robot in place.simulation.stage.robots.values():
            robot.refuses["pick"] = "lock stuck"
        task = await place.deliver("pharmacy", "ward")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.FAILED
        assert handed(place, PICKER) == [task]
        assert {"goods_stranded", "safety_stop"} <= place.open_codes()
        vehicles = {e.vehicle for e in await place.service.store.timeline(task) if e.vehicle}
        assert len(vehicles) == 1, "no other robot is sent for goods that are on the first"


async def test_a_robot_that_fails_once_goes_on_with_what_it_was_given(tmp_path: Path) -> None:
    async with hospital(with_workcells(tmp_path, homes=("park-1",))) as place:
        robot = place.simulation.stage.robots[C1]
        robot.refuses["pick"] = "lock stuck"
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: "goods_stranded" in place.open_codes())
        del robot.refuses["pick"]
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert handed(place, PICKER) == [task]


async def test_a_drone_is_loaded_on_its_pad(tmp_path: Path) -> None:
    async with hospital(with_a_pad(tmp_path)) as place:
        there = await place.deliver("dock-1", "pad-2", goods="general", mass_kg=1.0, by="air")
        await place.until_ended(there)
        back = await place.deliver("pad-2", "dock-1", goods="general", mass_kg=1.0, by="air")
        await place.until_ended(back)
        assert [place.task(task).state for task in (there, back)] == [TaskState.DONE] * 2
        assert handed(place, ARM) == [there, back]


FAULTS = """
faults:
  - {at: 10s, workcell: picker, fault: fail, for: 2min}
  - {at: 5min, workcell: any, fault: stop, for: 2min}
  - {at: 10min, workcell: picker, fault: silent, for: 1min}
"""


async def a_day_of_faults(folder: Path) -> tuple[str, list[TaskState], list[str]]:
    async with hospital(with_workcells(folder, homes=("park-1",), more=FAULTS)) as place:
        tasks: list[TaskId] = []
        for _ in range(5):
            tasks.append(await place.deliver("pharmacy", "laboratory"))
            await asyncio.sleep(160)
        await place.until_ended(*tasks)
        states = [place.task(task).state for task in tasks]
        return place.service.journal.sha256, states, handed(place, PICKER)


async def test_faults_of_workcells_come_and_go_and_a_seed_is_a_journal(tmp_path: Path) -> None:
    first, states, given = await a_day_of_faults(tmp_path)
    again, *rest = await a_day_of_faults(tmp_path)
    assert states == [TaskState.FAILED, *[TaskState.DONE] * 4]
    assert given == [f"T-00000{number}" for number in range(2, 6)]
    assert (again, rest) == (first, [states, given])
