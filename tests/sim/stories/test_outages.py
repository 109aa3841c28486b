"""Lifts that are out of service: who can goes another way at once, who can't waits for them."""

import asyncio
import json
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import VehicleId
from routing.site import LevelId, LiftId, NodeId
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.process import place
from tests.sim.stories.two_lifts import at_a_corridor, far_apart, lift_of, side_by_side

LEFT = LiftId("left")
LOWER, UPPER = NodeId("left@L1"), NodeId("left@L2")
C1, C2 = VehicleId("C1"), VehicleId("C2")


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


async def test_who_was_told_to_enter_a_lift_that_stops_turns_back_before_it(
    tmp_path: Path,
) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and body.node == "a")
        left.fail()
        visited = set[str]()
        body.on_change(lambda: visited.add(body.node))
        await place.until_ended(task, at_most_s=600)
        assert LOWER not in visited
        assert place.task(task).state is TaskState.DONE


async def test_who_drives_into_a_lift_that_stops_comes_out_again(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: body.edge is not None and body.edge.end == LOWER)
        left.fail()
        await place.until(lambda: body.node == LOWER, at_most_s=30)
        await place.until_ended(task, at_most_s=600)
        assert place.task(task).state is TaskState.DONE
        assert left.rides == 0
        assert place.open_codes() == {"lift_out_of_service"}


async def test_who_rides_in_a_lift_that_stops_leaves_it_where_it_opens(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: body.node == LOWER and left.moving)
        left.fail()
        await place.until_ended(task, at_most_s=300)
        assert place.task(task).state is TaskState.DONE
        assert left.rides == 1


async def test_who_is_shut_in_is_not_told_to_leave_before_the_lift_is_there(
    tmp_path: Path,
) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body, told = lift_of(place, "left"), place.world.ground[C1], list[str]()

        def hear(_: str, order: bytes) -> None:
            nodes = json.loads(order)["nodes"]
            told[:] = [node["nodeId"] for node in nodes if node["released"]]

        place.simulation.wires.bus.subscribe("uagv/v2/Porter/C1/order", hear)
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: body.node == LOWER and left.moving)
        left.fail(between=True)
        await asyncio.sleep(900)
        assert body.node == LOWER
        assert told[-1] == UPPER
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


async def test_others_drive_past_the_door_of_a_lift_with_somebody_shut_in(tmp_path: Path) -> None:
    async with hospital(at_a_corridor(tmp_path)) as place:
        lift, rider = lift_of(place, "lift"), place.world.ground[C2]
        await place.service.fleet_desk.set_in_service(C1, on=False)
        await place.deliver("store", "lab")
        await place.until(lambda: rider.node == "lift@L2" and lift.moving)
        lift.fail(between=True)
        await place.service.fleet_desk.set_in_service(C1, on=True)
        task = await place.deliver("kitchen", "ward")
        await place.until_ended(task, at_most_s=300)
        assert place.task(task).vehicle == C1
        assert rider.node == "lift@L2"
        lift.repair()
        await place.until(lambda: rider.node == "bay-2")


async def test_who_has_no_way_back_before_a_lift_that_stops_turns_round_in_it(
    tmp_path: Path,
) -> None:
    async with hospital(at_a_corridor(tmp_path)) as place:
        lift, rider = lift_of(place, "lift"), place.world.ground[C2]
        await place.service.fleet_desk.set_in_service(C1, on=False)
        task = await place.deliver("store", "lab")
        await place.until(lambda: rider.edge is not None and rider.edge.end == "lobby")
        await place.until(lambda: lift.open)
        lift.fail()
        await place.until(lambda: rider.node == "bay-2", at_most_s=120)
        assert place.task(task).state is TaskState.QUEUED
        lift.repair()
        await place.until_ended(task, at_most_s=600)


@pytest.mark.parametrize("node", ["bay-1", "m1", "a"])
async def test_another_who_is_nearer_now_takes_what_cannot_wait(tmp_path: Path, node: str) -> None:
    """Wherever its robot is when the lift stops, the one upstairs fetches it at once."""
    async with hospital(far_apart(tmp_path)) as place:
        body = place.world.ground[C1]
        await place.service.fleet_desk.set_in_service(C2, on=False)
        task = await place.deliver("ward", "kitchen", priority="stat")
        await place.until(lambda: body.edge is not None and body.edge.start == node)
        await place.service.fleet_desk.set_in_service(C2, on=True)
        lift_of(place, "left").fail()
        await place.until_ended(task, at_most_s=900)
        assert place.task(task).vehicle == C2
        assert "task_preempted" not in [e.kind for e in await place.service.store.timeline(task)]


async def test_who_is_still_the_soonest_goes_on_with_what_cannot_wait(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        task = await place.deliver("ward", "kitchen", priority="stat")
        await place.until(lambda: place.task(task).state.begun)
        lift_of(place, "left").fail()
        await place.until_ended(task, at_most_s=900)
        kinds = [e.kind for e in await place.service.store.timeline(task)]
        assert kinds.count("task_handed_back") == 0


async def shut_in_on_the_way_to_the_ward(place: Hospital) -> TaskId:
    """C1 is to fetch something upstairs, and its lift stops on the way."""
    task = await place.deliver("ward", "kitchen", priority="stat")
    left = lift_of(place, "left")
    await place.until(lambda: place.world.ground[C1].node == LOWER and left.moving)
    left.fail(between=True)
    return task


async def test_another_fetches_what_one_that_is_shut_in_was_to(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        task = await shut_in_on_the_way_to_the_ward(place)
        await place.until_ended(task, at_most_s=400)
        assert place.task(task).state is TaskState.DONE
        assert place.task(task).vehicle == C2
        alert = next(one for one in place.service.alerts() if one.code == "shut_in_lift")
        assert (alert.vehicle, alert.facts["lift"]) == (C1, "left")
        lift_of(place, "left").repair()
        await place.until(lambda: place.world.ground[C1].node == "bay-1", at_most_s=300)
        await asyncio.sleep(10)
        assert place.open_codes() == set()
        again = await place.deliver("kitchen", "ward")
        await place.until_ended(again, at_most_s=600)


async def test_what_one_that_is_shut_in_carries_waits_with_it(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: body.node == LOWER and left.moving)
        left.fail(between=True)
        await asyncio.sleep(300)
        assert place.task(task).vehicle == C1
        assert "shut_in_lift" in place.open_codes()
        left.repair()
        await place.until_ended(task, at_most_s=300)
        assert place.deeds.unloaded == [(task, "ward")]


async def test_what_was_left_to_others_is_not_fetched_by_the_old_mission_after_a_restart(
    tmp_path: Path,
) -> None:
    async with place(side_by_side(tmp_path), tmp_path / "story.sqlite") as here:
        left, body = here.stage.lifts[LEFT], here.world.ground[C1]
        more = {"item": "box", "goods": "food", "mass_kg": 5.0}
        task = await here.submit(kind="delivery", **{"from": "ward"}, to=["kitchen"], **more)
        await here.until(lambda: body.node == LOWER and left.moving)
        left.fail(between=True)
        await here.until(lambda: here.service.task(task).vehicle == C2)
        await here.restart()
        left.repair()
        await here.until_all_ended()
        assert here.deeds.loaded == [task]
