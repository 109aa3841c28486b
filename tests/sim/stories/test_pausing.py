"""A robot that a person has told to stand still keeps its task, and goes on when it may."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.desks.control_desk import Order, Reply
from dispatcher.domain.task import TaskState
from dispatcher.errors import NotFound, Refused
from fleet.vehicle import VehicleId
from tests.sim.hospital import DRONE, hospital, scenario_file

C1, D1 = VehicleId("C1"), VehicleId("D1")


async def test_a_paused_robot_keeps_its_task_and_goes_on_with_it(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        await place.service.fleet_desk.set_paused(C1, paused=True)
        await place.until(lambda: place.code_of("C1") == "vehicle_paused")
        await asyncio.sleep(60)
        stands_at = place.world.ground[C1].node
        await asyncio.sleep(1200)
        assert place.world.ground[C1].node == stands_at
        assert place.task(task).state is TaskState.UNDERWAY
        await place.service.fleet_desk.set_paused(C1, paused=False)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.code_of("C1") != "vehicle_paused"


async def test_who_can_not_be_paused_says_so(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=DRONE)) as place:
        with pytest.raises(Refused) as refused:
            await place.service.fleet_desk.set_paused(D1, paused=True)
        assert refused.value.faults[0].reason.code == "cannot_pause"
        with pytest.raises(NotFound):
            await place.service.fleet_desk.set_paused(VehicleId("C9"), paused=True)


@pytest.mark.parametrize("order", ["hold", "emergency stop"])
async def test_no_pause_that_ends_lets_go_what_somebody_else_has_stopped(
    tmp_path: Path, order: str
) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        control, desk = place.service.control, place.service.fleet_desk
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        if order == "hold":
            await control.take(C1, "Wu")
            (told,) = await control.command(Order.HOLD, "Wu", [C1])
        else:
            (told,) = await control.stop("Wu", [C1])
        assert told.reply is Reply.ACKNOWLEDGED
        await asyncio.sleep(60)
        stands_at = place.world.ground[C1].position()
        with pytest.raises(Refused) as refused:
            await desk.set_paused(C1, paused=False)
        assert refused.value.faults[0].reason.code == "commanded"
        assert refused.value.faults[0].reason.facts == {"by": "Wu"}
        await desk.set_paused(C1, paused=True)
        await asyncio.sleep(600)
        assert place.world.ground[C1].position() == stands_at
        if order == "hold":
            await control.command(Order.GO_ON, "Wu", [C1])
        else:
            await control.let_go("Wu", [C1])
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
