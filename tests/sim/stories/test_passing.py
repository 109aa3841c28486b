"""Robots that meet in a passing corridor: who waits, who doesn't, and how near they come."""

import asyncio
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import VehicleId
from sim.judges.standstill import wants
from sim.world.outlines import gap_m
from tests.sim.hospital import Hospital, hospital, told_at_length
from tests.sim.passage import PASSAGE, passage
from tests.sim.process import place as place_

C1, C2, C3 = VehicleId("C1"), VehicleId("C2"), VehicleId("C3")


class Watch:
    """What is seen of all robots, a few times a second."""

    def __init__(self, place: Hospital) -> None:
        self.place = place
        self.nearest_m = float("inf")
        """The least distance between two bodies."""
        self.passed_at_m: list[float] = []
        """Where along the corridor two were side by side on it."""
        self.waits_s: dict[VehicleId, float] = {}
        """How long each stood in the corridor and wanted to go on."""

    def look(self, lasts_s: float) -> None:
        bodies = list(self.place.world.ground.values())
        for body in bodies:
            waits = wants(body) is not None and body.node.startswith("p")
            if waits:
                self.waits_s[body.id] = self.waits_s.get(body.id, 0.0) + lasts_s
        for one, other in combinations(bodies, 2):
            a, b = one.position().point, other.position().point
            if a.distance_m(b) > 4:
                continue
            self.nearest_m = min(self.nearest_m, gap_m(one, other))
            if abs(a.x_m - b.x_m) < 0.5 and abs(a.y_m) < 1 and abs(b.y_m) < 1:
                self.passed_at_m.append(a.x_m)

    async def until_ended(self, tasks: Sequence[TaskId], at_most_s: float = 1800.0) -> None:
        """Look on until these tasks have ended."""
        ends_s = asyncio.get_running_loop().time() + at_most_s
        while not all(self.place.task(task).state.ended for task in tasks):
            assert asyncio.get_running_loop().time() < ends_s, "they never end"
            await asyncio.sleep(0.2)
            self.look(0.2)

    def all_done(self, tasks: Sequence[TaskId]) -> None:
        """All went well, and nobody touched anybody."""
        states = {task: self.place.task(task).state for task in tasks}
        assert set(states.values()) == {TaskState.DONE}, states
        assert sum(self.place.world.violations.values()) == 0, self.place.world.incidents
        assert self.nearest_m > 0.05


async def meet(place: Hospital) -> Watch:
    """One robot goes from west to east, another from east to west."""
    watch = Watch(place)
    tasks = [await place.deliver("west", "far-east"), await place.deliver("east", "far-west")]
    await watch.until_ended(tasks)
    watch.all_done(tasks)
    assert {place.task(task).vehicle for task in tasks} == {C1, C2}
    return watch


@pytest.mark.parametrize("version", ["2.0", "2.1", "3.0"])
async def test_two_narrow_ones_pass_without_waiting(tmp_path: Path, version: str) -> None:
    robots = ("cart", "bay-1"), ("cart", "bay-2")
    async with hospital(passage(tmp_path, *robots, version=version)) as place:
        watch = await meet(place)
        assert watch.passed_at_m, "they met in the corridor"
        assert watch.waits_s == {}
        assert 0.2 < watch.nearest_m < 0.4


async def test_without_passing_one_of_them_waits(tmp_path: Path) -> None:
    site = PASSAGE.replace(", passing: true", "")
    robots = ("cart", "bay-1"), ("cart", "bay-2")
    async with hospital(passage(tmp_path, *robots, site=site)) as place:
        watch = await meet(place)
        assert watch.passed_at_m == []


@pytest.mark.parametrize("other", ["bed", "cart"])
async def test_a_wide_one_passes_nobody(tmp_path: Path, other: str) -> None:
    robots = ("bed", "bay-1"), (other, "bay-2"), ("cart", "bay-3")
    async with hospital(passage(tmp_path, *robots)) as place:
        await place.service.fleet_desk.set_in_service(C3, on=False)
        watch = await meet(place)
        assert watch.passed_at_m == []
        assert watch.nearest_m > 1.0


async def test_a_dead_one_is_passed_on_the_other_side(tmp_path: Path) -> None:
    """By one that comes towards it and lives beyond: it must be able to get home, too."""
    robots = ("cart", "bay-1"), ("cart", "bay-2")
    async with hospital(passage(tmp_path, *robots)) as place:
        watch, dead, other = Watch(place), place.world.ground[C2], place.world.ground[C1]
        await place.service.fleet_desk.set_in_service(C1, on=False)
        first = await place.deliver("west", "far-east")
        await place.until(lambda: dead.node == "p3")
        await place.service.fleet_desk.set_in_service(C1, on=True)
        second = await place.deliver("east", "far-west")
        await place.until(lambda: bool(dead.loads) and dead.edge is not None and dead.node == "p3")
        dead.fail("wheel_stuck")
        assert other.position().point.x_m > 24, "it is on the other side"
        await watch.until_ended([second])
        assert place.task(second).vehicle == C1
        assert place.task(second).state is TaskState.DONE
        assert C1 not in watch.waits_s
        assert any(16 < x_m < 24 for x_m in watch.passed_at_m), "on the lane where it stands"
        dead.repair()
        await watch.until_ended([first])
        watch.all_done([first, second])


async def test_behind_a_dead_one_nobody_drives_into_it(tmp_path: Path) -> None:
    robots = ("cart", "bay-1"), ("cart", "bay-2"), ("cart", "bay-3")
    async with hospital(passage(tmp_path, *robots)) as place:
        watch, dead = Watch(place), place.world.ground[C1]
        first = await place.deliver("west", "far-east")
        await place.until(lambda: bool(dead.loads) and dead.edge is not None and dead.node == "p4")
        dead.fail("wheel_stuck")
        second = await place.deliver("west", "east")
        await asyncio.sleep(300)
        dead.repair()
        await watch.until_ended([first, second])
        watch.all_done([first, second])


async def test_one_that_is_stopped_between_two_nodes_is_passed_and_goes_home(
    tmp_path: Path,
) -> None:
    robots = ("cart", "bay-1"), ("cart", "bay-2")
    async with hospital(passage(tmp_path, *robots)) as place:
        watch, body = Watch(place), place.world.ground[C2]
        task, other = (
            await place.deliver("east", "far-west"),
            await place.deliver("west", "far-east"),
        )
        await place.until(lambda: body.edge is not None and body.edge.end == "p4")
        await place.service.task_desk.cancel(task)
        await watch.until_ended([task, other])
        await place.until(lambda: body.node == "bay-2" and body.edge is None)
        watch.all_done([other])


@pytest.mark.parametrize("moment_s", [3.0, *told_at_length(1.0, 5.0, 7.0, 9.0, 11.0)])
async def test_a_dispatcher_that_starts_anew_knows_their_sides(
    tmp_path: Path, moment_s: float
) -> None:
    """It is killed while two robots are beside each other, and a moment before and after."""
    robots = ("cart", "bay-1"), ("cart", "bay-2")
    async with place_(passage(tmp_path, *robots), tmp_path / "story.sqlite") as here:
        request = {"kind": "delivery", "item": "box", "goods": "food", "mass_kg": 5.0}
        await here.submit(**request, **{"from": "west"}, to=["far-east"])
        await here.submit(**request, **{"from": "east"}, to=["far-west"])
        bodies = here.world.ground[C1], here.world.ground[C2]
        apart_m: list[float] = []

        async def look_on(lasts_s: float) -> None:
            for _ in range(round(lasts_s / 0.2)):
                await asyncio.sleep(0.2)
                apart_m.append(gap_m(*bodies))

        await here.until(lambda: any(body.node in ("p3", "p5") for body in bodies))
        await look_on(moment_s)
        for _ in range(4):
            await here.restart()
            await look_on(2)
        while here.service.open_tasks():
            await look_on(1)
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert 0.2 < min(apart_m) < 0.4, "they passed each other"
