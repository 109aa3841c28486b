"""Robots at an air lock: from both sides at once, over a restart, and where a door breaks."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.bus import MemoryBus
from fleet.vehicle import VehicleId
from routing.site import DoorId
from routing.sites.site_yaml import load
from sim.judges.monitors import Monitors
from sim.world.machines import DoorMachine
from sim.world.world import World
from tests.folders import SMALL_SITES
from tests.sim.hospital import MODELS, Hospital, hospital, told_at_length
from tests.sim.process import place

SITE = SMALL_SITES / "air_lock.yaml"
C1 = VehicleId("C1")
OUTER, INNER = DoorId("outer"), DoorId("inner")


def at_the_lock(folder: Path, homes: str = "bay-1, bay-2, bay-3") -> Path:
    ids = ", ".join(f"C{number + 1}" for number in range(homes.count(",") + 1))
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: {SITE}\nduration: 24h\n{MODELS}\nvehicles:\n"
        f"  - {{model: cart, ids: [{ids}], homes: [{homes}]}}\n",
        encoding="utf-8",
    )
    return path


def door_of(story: Hospital, door: DoorId) -> DoorMachine:
    return story.simulation.stage.doors[door]


async def test_those_who_meet_from_both_sides_pass_one_after_the_other(tmp_path: Path) -> None:
    async with hospital(at_the_lock(tmp_path)) as story:
        there = [await story.deliver(start, "ward") for start in ("kitchen", "store", "kitchen")]
        back = [await story.deliver(start, "kitchen") for start in ("ward", "icu", "ward")]
        await story.until_ended(*there, *back, at_most_s=3600)
        assert {story.task(task).state for task in (*there, *back)} == {TaskState.DONE}


async def test_a_robot_alone_passes_it_without_delay(tmp_path: Path) -> None:
    async with hospital(at_the_lock(tmp_path, "bay-1")) as story:
        task = await story.deliver("kitchen", "ward")
        await story.until_ended(task, at_most_s=150)


async def test_where_the_door_ahead_breaks_one_inside_waits_and_then_goes_on(
    tmp_path: Path,
) -> None:
    async with hospital(at_the_lock(tmp_path, "bay-1, bay-3")) as story:
        task = await story.deliver("kitchen", "ward")
        body = story.world.ground[C1]
        await story.until(lambda: any(b.node == "lock" for b in story.world.ground.values()))
        inner = door_of(story, INNER)
        inner.jam()
        await asyncio.sleep(600)
        assert "door_out_of_service" in story.open_codes()
        assert not story.task(task).state.ended
        inner.repair()
        await story.until_ended(task)
        assert story.task(task).state is TaskState.DONE
        assert story.open_codes() == set()
        assert body.node is not None


async def test_a_door_that_jams_open_shuts_the_lock_and_is_named(tmp_path: Path) -> None:
    async with hospital(at_the_lock(tmp_path, "bay-1")) as story:
        task = await story.deliver("kitchen", "ward")
        inner = door_of(story, INNER)
        await story.until(lambda: inner.open)
        inner.jam()
        back = await story.deliver("ward", "kitchen")
        await asyncio.sleep(900)
        assert not story.task(back).state.ended
        assert story.open_codes() >= {"door_out_of_service", "air_lock_open"}
        inner.repair()
        await story.until_ended(task, back)
        assert {story.task(one).state for one in (task, back)} == {TaskState.DONE}
        assert story.open_codes() == set()


@pytest.mark.long
@pytest.mark.parametrize("pause_s", [17.0, *told_at_length(3.0, 5.0, 7.0, 11.0)])
async def test_killed_again_and_again_never_two_doors_are_open(
    tmp_path: Path, pause_s: float
) -> None:
    async with place(at_the_lock(tmp_path), tmp_path / "story.sqlite") as here:
        for start, end in (("kitchen", "ward"), ("ward", "kitchen"), ("store", "icu")):
            await here.submit(
                kind="delivery", item="box", goods="food", to=[end], mass_kg=5.0, **{"from": start}
            )
        for _ in range(25):
            await asyncio.sleep(pause_s)
            await here.restart()
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}


async def test_the_judge_counts_two_doors_that_move_at_once() -> None:
    world, bus = World(load(SITE), seed=1), MemoryBus()
    doors = [DoorMachine(world, bus, door) for door in world.site.doors.values()]
    Monitors(world)
    running = [asyncio.create_task(door.run()) for door in doors]
    await asyncio.sleep(0)
    for door in (OUTER, INNER):
        request = b'{"session": "C1", "open": true}'
        await bus.publish(f"wardline/v1/facilities/door/{door}/request", request)
    await asyncio.sleep(10)
    assert world.violations["air_lock"] == 1
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
