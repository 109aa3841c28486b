"""What days of very heavy faults have shown, each as a small story."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.mission import Action, ActionKind
from fleet.vehicle import VehicleId
from routing.site import LaneId
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.world import Observer
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.stories.street import street
from tests.sim.stories.test_outages import lift_of, side_by_side

C1, C3 = VehicleId("C1"), VehicleId("C3")
ONE = ("park-1",)


class GoesDown(Observer):
    """Restarts a robot at the moment when it has done something, before it can say so."""

    def __init__(self, robot: Vda5050Robot, kind: ActionKind, *, silent: bool = False) -> None:
        self.robot, self.kind, self.silent = robot, kind, silent
        self.times = 0

    def acted(self, body: GroundBody, action: Action) -> None:
        if action.kind is self.kind and not self.times:
            self.times += 1
            self.robot.link_down = self.silent
            self.robot.go_down()


async def restart(robot: Vda5050Robot, *, after_s: float = 30.0) -> None:
    robot.go_down()
    await asyncio.sleep(after_s)
    robot.come_up()


def only_body(place: Hospital) -> tuple[GroundBody, Vda5050Robot]:
    return place.world.ground[C1], place.simulation.stage.robots[C1]


@pytest.mark.parametrize("drops", [("ward",), ("ward", "laboratory")])
@pytest.mark.parametrize("kind", [ActionKind.LOAD, ActionKind.UNLOAD])
@pytest.mark.parametrize("silent_s", [0.0, 600.0])
async def test_work_that_was_done_but_never_reported_is_not_ordered_twice(
    tmp_path: Path, kind: ActionKind, drops: tuple[str, ...], silent_s: float
) -> None:
    """The robot restarts within the 20 ms before it tells of its pick or drop.

    Even if it is silent for longer than anybody's patience: its loads tell what it has done.
    """
    async with hospital(scenario_file(tmp_path, homes=ONE)) as place:
        robot = only_body(place)[1]
        fault = GoesDown(robot, kind, silent=silent_s > 0)
        place.world.observe(fault)
        request = {"item": "box", "goods": "food", "mass_kg": 5.0, "from": "pharmacy"}
        task = await place.submit(kind="delivery", to=list(drops), **request)
        await place.until(lambda: bool(fault.times))
        await asyncio.sleep(40 + silent_s)
        robot.come_up()
        await asyncio.sleep(1)
        robot.link_down = False
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert len(place.deeds.loaded) == len(place.deeds.unloaded) == len(drops)
        assert len(set(place.deeds.loaded)) == len(drops)
        await place.until(lambda: not place.open_codes() - {"task_late"})


async def test_what_is_half_loaded_when_its_task_is_cancelled_is_told(tmp_path: Path) -> None:
    """Nobody can say where to bring half of it: a person must take it off."""
    async with hospital(scenario_file(tmp_path, homes=ONE)) as place:
        robot = only_body(place)[1]
        fault = GoesDown(robot, ActionKind.LOAD)
        place.world.observe(fault)
        request = {"item": "box", "goods": "food", "mass_kg": 5.0, "from": "pharmacy"}
        task = await place.submit(kind="delivery", to=["ward", "laboratory"], **request)
        await place.until(lambda: bool(fault.times))
        await place.service.task_desk.cancel(task)
        await asyncio.sleep(40)
        robot.come_up()
        await place.until(lambda: "safety_stop" in place.open_codes())
        assert place.task(task).state is TaskState.CANCELLED
        assert place.deeds.loaded == [f"{task}.1"]
        (alert,) = [a for a in place.service.alerts() if a.code == "goods_stranded"]
        assert (alert.vehicle, alert.task, alert.cleared_s) == (C1, task, None)


async def test_a_robot_that_restarts_again_and_again_still_brings_what_it_carries(
    tmp_path: Path,
) -> None:
    """Each time it was well for minutes: nobody has to take the goods off and do without it."""
    journal: list[str] = []
    async with hospital(scenario_file(tmp_path, homes=ONE), sink=journal.append) as place:
        body, robot = only_body(place)
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: bool(body.loads))
        body.slow = 0.02
        for end in ("a3", "a4", "lift-1@L1"):
            await place.until(lambda end=end: body.edge is not None and body.edge.end == end)
            await asyncio.sleep(130)
            await restart(robot)
        body.slow = 1.0
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
    assert sum('"mission_failed"' in line for line in journal) == 3


async def test_one_that_restarts_whenever_it_is_told_is_given_up(tmp_path: Path) -> None:
    """It may be the order itself that it can't stand: a person must look."""
    async with hospital(scenario_file(tmp_path, homes=ONE)) as place:
        body, robot = only_body(place)
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: bool(body.loads) and body.edge is not None)
        while not place.task(task).state.ended:
            await restart(robot)
            await asyncio.sleep(25)
        assert place.task(task).state is TaskState.FAILED
        assert {"goods_stranded", "safety_stop"} <= place.open_codes()


async def test_a_robot_that_its_lift_takes_along_says_where_it_is(tmp_path: Path) -> None:
    """It restarts in a cabin that is stuck between two levels, and then goes up with it."""
    journal: list[str] = []
    async with hospital(side_by_side(tmp_path), sink=journal.append) as place:
        body, robot = only_body(place)
        lift = lift_of(place, "left")
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and body.node == "a")
        await place.until(lambda: lift.moving and body.node == "left@L1")
        lift.fail(between=True)
        await place.until(lambda: not lift.moving)
        await restart(robot, after_s=5)
        await asyncio.sleep(1)
        lift.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
    assert not any("order_refused" in line for line in journal)


async def test_who_is_cut_off_from_home_keeps_its_goods_and_waits(tmp_path: Path) -> None:
    """Its way home is closed, and its way on where one comes towards it: it keeps the goods."""
    async with hospital(street(tmp_path, "bay-1", "bay-2")) as place:
        bodies = place.world.ground.values()
        out = await place.deliver("room-5", "room-3")
        await place.until(lambda: any(body.working for body in bodies))
        (inner,) = (body for body in bodies if body.working)
        inner.fail("stopped")
        (outer,) = (body for body in bodies if body is not inner)
        inward = await place.deliver("room-2", "room-4")
        await place.until(lambda: outer.edge is not None and outer.edge.end == "s3")
        inner.repair()
        closed = LaneId("s2~s3"), LaneId("s3~s4")
        for lane in closed:
            await place.service.lane_desk.close_lane(lane, until_s=None)
        await restart(place.simulation.stage.robots[outer.id], after_s=40)
        await asyncio.sleep(600)
        assert {place.task(task).state for task in (out, inward)} == {TaskState.UNDERWAY}
        assert "safety_stop" not in place.open_codes()
        for lane in closed:
            await place.service.lane_desk.open_lane(lane)
        await place.until_ended(out, inward)
        assert {place.task(task).state for task in (out, inward)} == {TaskState.DONE}


async def test_two_whom_a_dead_robot_keeps_from_home_do_not_drive_into_each_other(
    tmp_path: Path,
) -> None:
    """Neither can get home before it moves again; afterwards they must still be able to."""
    async with hospital(street(tmp_path, "bay-1", "bay-2", "bay-3")) as place:
        bodies, third = place.world.ground.values(), place.world.ground[C3]
        await place.service.fleet_desk.set_in_service(C3, on=False)
        tasks = [await place.deliver("room-4", "room-5"), await place.deliver("room-5", "room-4")]
        ends = {"room-4", "room-5"}
        await place.until(lambda: ends <= {body.node for body in bodies})
        await place.service.fleet_desk.set_in_service(C3, on=True)
        await place.deliver("room-1", "room-2")
        await place.until(lambda: third.node == "s3")
        third.fail("motor_dead")
        await asyncio.sleep(1200)
        third.repair()
        await place.until_ended(*tasks)
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}
