"""One that can't move in everybody's only way: a person is told who, where, and who waits."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from dispatcher.records.alerts import Alert
from fleet.vehicle import VehicleId
from routing.site import LaneId
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.stories.test_detours import SITE, ring_file

C1, C2 = VehicleId("C1"), VehicleId("C2")


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return ring_file(tmp_path)


async def c2_stops_in_the_corridor(place: Hospital) -> TaskId:
    await place.service.fleet_desk.set_in_service(C1, on=False)
    task = await place.deliver("lodge", "ward")
    body = place.world.ground[C2]
    await place.until(lambda: bool(body.loads) and body.node == "n2")
    body.fail("wheel_stuck")
    await place.service.fleet_desk.set_in_service(C1, on=True)
    return task


def blocked(place: Hospital) -> list[Alert]:
    alerts = place.service.alerts()
    return [alert for alert in alerts if alert.code == "way_blocked" and alert.cleared_s is None]


async def test_the_blocker_of_the_only_way_is_named_with_its_place(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.lane_desk.close_lane(LaneId("west~s1"), until_s=None)
        first = await c2_stops_in_the_corridor(place)
        second = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(place.world.ground[C1].loads))
        await asyncio.sleep(30)
        (alert,) = blocked(place)
        assert alert.vehicle == C2
        assert alert.facts == {"waiting": "C1", "node": "n2", "level": "L1", "near": "bay-2"}
        waits = next(v.waiting_for for v in place.service.vehicles() if v.spec.id == C1)
        assert waits is not None
        assert waits.code == "waits_for_stuck_vehicle"
        assert waits.facts["by"] == C2

        place.world.ground[C2].repair()
        await place.until_ended(second, at_most_s=900)
        await place.until_ended(first)
        assert place.task(second).state is TaskState.DONE
        assert blocked(place) == []


async def test_nobody_is_called_for_one_that_others_drive_around(ring: Path) -> None:
    async with hospital(ring) as place:
        await c2_stops_in_the_corridor(place)
        task = await place.deliver("kitchen", "ward")
        await place.until_ended(task, at_most_s=900)
        assert all(alert.code != "way_blocked" for alert in place.service.alerts())


async def test_a_task_can_be_cancelled_while_its_robot_waits_to_be_let_in(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.lane_desk.close_lane(LaneId("west~s1"), until_s=None)
        await c2_stops_in_the_corridor(place)
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: place.code_of("C1") == "waits_for_stuck_vehicle")
        await asyncio.sleep(60)
        assert blocked(place) != []
        await place.service.task_desk.cancel(task)
        await place.until_ended(task, at_most_s=300)
        await asyncio.sleep(15)
        assert place.task(task).state is TaskState.CANCELLED
        assert place.world.ground[C1].loads == []


async def test_a_lift_held_by_one_that_stopped_inside_is_told(tmp_path: Path) -> None:
    """Whoever waits for a lift waits for the one that can't leave it."""
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as place:
        first = await place.deliver("pharmacy", "ward")
        lift = place.service.site.lifts
        cabins = {node for one in lift.values() for node in one.cabins.values()}
        await place.until(lambda: any(b.node in cabins for b in place.world.ground.values()))
        inside = next(b for b in place.world.ground.values() if b.node in cabins)
        inside.fail("wheel_stuck")
        second = await place.deliver("laboratory", "ward")
        await asyncio.sleep(180)
        (alert,) = blocked(place)
        assert alert.vehicle == inside.id
        inside.repair()
        await place.until_ended(first, at_most_s=900)
        await place.until_ended(second, at_most_s=900)
        assert blocked(place) == []


async def test_one_that_stands_dead_with_goods_gets_no_more_of_them(ring: Path) -> None:
    async with hospital(ring) as place:
        first = await c2_stops_in_the_corridor(place)
        await place.service.fleet_desk.set_in_service(C1, on=False)
        second = await place.deliver("kitchen", "ward")
        await asyncio.sleep(60)
        assert place.task(first).vehicle == C2
        assert place.task(second).state is TaskState.QUEUED
        assert place.task(second).vehicle is None


@pytest.mark.long
async def test_what_can_be_reached_is_done_before_what_cant(ring: Path) -> None:
    """More urgent tasks than a plan looks at wait behind the blockage; the others go on."""
    bay = "      bay-1:"
    shop = "      shop: {name: {en: Shop, zh: 小卖部}, kind: room, at: [-5, -5], joins: [west]}\n"
    (ring.parent / "site.yaml").write_text(SITE.replace(bay, shop + bay), encoding="utf-8")
    async with hospital(ring) as place:
        await place.service.lane_desk.close_lane(LaneId("west~s1"), until_s=None)
        first = await c2_stops_in_the_corridor(place)
        finder = await place.deliver("kitchen", "ward")
        await place.until(lambda: blocked(place) != [])
        await place.service.task_desk.cancel(finder)
        behind = [await place.deliver("kitchen", "ward", priority="urgent") for _ in range(30)]
        near = await place.deliver("kitchen", "shop")
        await place.until_ended(near, at_most_s=900)
        assert {place.task(task).state for task in behind} == {TaskState.QUEUED}
        place.world.ground[C2].repair()
        await place.until_ended(first, *behind, at_most_s=24 * 3600)
        assert {place.task(task).state for task in behind} == {TaskState.DONE}


async def test_roads_that_open_while_it_turns_back_are_taken(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.lane_desk.close_lane(LaneId("west~s1"), until_s=None)
        one, other = place.world.ground[C1], place.world.ground[C2]
        await place.service.fleet_desk.set_in_service(C1, on=False)
        first = await place.deliver("lodge", "ward")
        await place.until(lambda: bool(other.loads))
        other.slow = 0.1
        await place.service.fleet_desk.set_in_service(C1, on=True)
        second = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(one.loads) and one.node == "n1")
        assert other.node in ("n2", "n3", "n4"), "it is ahead"
        other.fail("wheel_stuck")
        await place.until(lambda: "way_blocked" in place.open_codes())
        views = place.service.vehicles
        await place.until(lambda: any(v.spec.id == C1 and v.goal == "bay-1" for v in views()), 60)
        assert one.node != "bay-1"
        other.slow = 1.0
        other.repair()
        await place.until_ended(first, second, at_most_s=600)
        assert place.task(second).state is TaskState.DONE
