"""A STAT task turns an empty cart round; nothing on board is ever turned, and nothing starves."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import Priority, TaskId, TaskState
from fleet.vehicle import VehicleId
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.process import place as process_place

C1 = VehicleId("C1")


async def kinds(here: Hospital, task: TaskId) -> list[str]:
    return [event.kind for event in await here.service.store.timeline(task)]


async def drives_to_the_ward(here: Hospital, **more: object) -> TaskId:
    """A cart is on its way upstairs, empty, for a delivery from the ward."""
    task = await here.deliver("ward", "laboratory", **more)
    await here.until(lambda: here.task(task).state is TaskState.UNDERWAY)
    await asyncio.sleep(5)
    return task


async def test_stat_turns_an_empty_cart_round(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        meals = await drives_to_the_ward(here)
        stat = await here.deliver("pharmacy", "laboratory", goods="medicine", priority="stat")
        await here.until_ended(meals, stat)
        assert here.deeds.loaded == [stat, meals]
        assert {here.task(task).state for task in (meals, stat)} == {TaskState.DONE}
        events = await here.service.store.timeline(meals)
        (turn,) = [event for event in events if event.kind == "task_preempted"]
        begun = [event.facts["stop"] for event in events if event.kind == "stop_begun"]
        assert begun == [0, 0, 1], "what was given back begins anew"
        assert (turn.vehicle, turn.facts["by"]) == (C1, stat)


async def test_a_loaded_cart_is_never_turned_round(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        meals = await here.deliver("laboratory", "ward")
        await here.until(lambda: here.task(meals).stops_done == 1)
        await asyncio.sleep(3)
        stat = await here.deliver("laboratory", "ward", goods="specimen", priority="stat")
        await here.until_ended(meals, stat)
        assert here.deeds.unloaded == [(meals, "ward"), (stat, "ward")]
        assert "task_preempted" not in await kinds(here, meals)


async def test_a_cart_that_is_being_loaded_is_left_alone(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        meals = await here.deliver("ward", "laboratory")
        await here.until(lambda: here.world.ground[C1].node == "ward")
        stat = await here.deliver("pharmacy", "laboratory", goods="medicine", priority="stat")
        await here.until_ended(meals, stat)
        assert here.deeds.loaded == [meals, stat]


@pytest.mark.parametrize(
    ("waits", "drives", "turned"),
    [
        ("stat", "urgent", True),
        ("stat", "stat", False),
        ("urgent", "routine", False),
        ("urgent", "background", True),
        ("routine", "background", False),
    ],
)
async def test_who_may_turn_whom(tmp_path: Path, waits: str, drives: str, turned: bool) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        lesser = await drives_to_the_ward(here, priority=drives)
        other = await here.deliver("pharmacy", "laboratory", goods="medicine", priority=waits)
        await here.until_ended(lesser, other)
        assert ("task_preempted" in await kinds(here, lesser)) is turned


async def test_nobody_is_turned_round_for_little(tmp_path: Path) -> None:
    """Another cart stands as near, with nothing to do."""
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as here:
        meals = await drives_to_the_ward(here)
        stat = await here.deliver("pharmacy", "laboratory", goods="medicine", priority="stat")
        await here.until_ended(meals, stat)
        assert "task_preempted" not in await kinds(here, meals)


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1",), more="planner: {preempt: false}\n")
    async with hospital(path) as here:
        meals = await drives_to_the_ward(here)
        stat = await here.deliver("pharmacy", "laboratory", goods="medicine", priority="stat")
        await here.until_ended(meals, stat)
        assert here.deeds.loaded == [meals, stat]


async def test_a_task_gives_way_only_so_often(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        meals = await drives_to_the_ward(here)
        for _ in range(5):
            stat = await here.deliver("laboratory", "pharmacy", priority="stat")
            await here.until_ended(stat)
            if here.task(meals).state.ended:
                break
            await here.until(lambda: here.task(meals).state is TaskState.UNDERWAY)
            await asyncio.sleep(5)
        await here.until_ended(meals)
        assert here.task(meals).state is TaskState.DONE
        assert (await kinds(here, meals)).count("task_preempted") == 3


async def test_a_cancel_wins_over_a_turn(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as here:
        meals = await drives_to_the_ward(here)
        stat = await here.deliver("pharmacy", "laboratory", goods="medicine", priority="stat")
        await here.service.task_desk.cancel(meals)
        await here.until_ended(meals, stat)
        assert here.task(meals).state is TaskState.CANCELLED
        assert here.task(stat).state is TaskState.DONE


@pytest.mark.parametrize("pause_s", [0.0, 0.5, 1.0, 2.0, 4.0, 9.0])
async def test_killed_while_a_cart_turns_round(tmp_path: Path, pause_s: float) -> None:
    path = scenario_file(tmp_path, homes=("park-1",))
    async with process_place(path, tmp_path / "story.sqlite") as here:
        meals = {"kind": "delivery", "item": "meals", "goods": "food", "mass_kg": 5.0}
        first = await here.submit(**meals, **{"from": "ward"}, to=["laboratory"])
        await here.until(lambda: here.service.task(first).state is TaskState.UNDERWAY)
        await asyncio.sleep(5)
        await here.submit(kind="medicine", item="insulin", to="laboratory", priority="stat")
        await asyncio.sleep(pause_s)
        await here.restart()
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert sorted(here.deeds.loaded) == sorted(here.accepted)


@pytest.mark.long
async def test_nothing_starves_under_an_endless_stream_of_urgent_tasks(tmp_path: Path) -> None:
    """There is always more urgent work than one cart can do; waste is done all the same.

    Searches are short and few: thousands of full ones would take a minute.
    """
    short = "planner: {stages: [ruin_recreate], improve_iterations: 10, improve_period_s: 600}\n"
    path = scenario_file(tmp_path, homes=("park-1",), more=short)
    async with hospital(path) as here:
        begin_s = here.service.clock.now_s()
        waste = await here.deliver("ward", "laboratory", goods="general", priority="background")
        while not here.task(waste).state.ended:
            assert here.service.clock.now_s() < begin_s + 12 * 3600
            waiting = sum(task.priority is Priority.URGENT for task in here.service.open_tasks())
            if waiting < 10:
                await here.deliver("ward", "laboratory", priority="urgent")
            await asyncio.sleep(60)
        assert here.task(waste).state is TaskState.DONE
