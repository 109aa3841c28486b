"""Lifts that are out of service: who can goes another way at once, who can't waits for them."""

import asyncio
from pathlib import Path

from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from routing.site import LevelId, LiftId
from tests.sim.hospital import hospital, scenario_file
from tests.sim.stories.two_lifts import lift_of, side_by_side

LEFT = LiftId("left")
C1 = VehicleId("C1")


async def test_who_waits_before_a_lift_that_stops_takes_the_other_one(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left = lift_of(place, "left")
        left.fail()
        task = await place.deliver("kitchen", "ward")
        await asyncio.sleep(1)
        assert place.open_codes() == {"lift_out_of_service"}
        await place.until_ended(task, at_most_s=900)
        left.repair()
        await asyncio.sleep(1)
        assert place.open_codes() == set()


async def test_a_lift_that_stops_while_it_is_called_is_given_up(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        left.level = LevelId("L2")
        left.repair()
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and left.moving)
        assert body.node != "a-left", "it comes early"
        left.fail()
        await place.until_ended(task, at_most_s=900)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == {"lift_out_of_service"}


async def test_who_was_told_to_enter_waits_inside_until_it_runs_again(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and body.node == "a")
        left.fail()
        await asyncio.sleep(900)
        assert body.node == place.service.site.lifts[LEFT].cabins[LevelId("L1")]
        assert "lift_out_of_service" in place.open_codes()
        left.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


async def test_where_there_is_no_other_lift_all_wait_for_it(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as place:
        lift = lift_of(place, "lift-1")
        lift.fail()
        task = await place.deliver("pharmacy", "ward")
        await asyncio.sleep(1200)
        assert not place.task(task).state.ended
        assert "lift_out_of_service" in place.open_codes()
        lift.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == set()
