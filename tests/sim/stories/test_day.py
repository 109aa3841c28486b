"""Stories of a day: a person asks, a vehicle moves, and no rule is broken on the way."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Priority, TaskState
from dispatcher.errors import IllegalMove, Refused
from fleet.vehicle import VehicleId
from routing.site import LaneId
from tests.sim.hospital import DRONE, hospital, scenario_file


async def test_a_delivery_goes_upstairs_and_is_done(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.deeds.unloaded == [(task, "ward")]


async def test_medicine_overtakes_meals(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        first = await place.deliver("laboratory", "ward")
        meals = [await place.deliver("laboratory", "ward", goods="general") for _ in range(3)]
        insulin = await place.submit(kind="medicine", item="Insulin", to="ward", priority="stat")
        await place.until_ended(first, insulin, *meals)
        ended = [place.task(task).ended_s or 0.0 for task in (insulin, *meals)]
        assert ended[0] == min(ended)


async def test_out_of_isolation_only_through_decontamination(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        into = await place.submit(kind="disinfection", room="isolation")
        await place.until_ended(into)
        await place.until(lambda: place.world.ground[VehicleId("C1")].node == "park-1")
        assert place.world.violations["zone"] == 0


async def test_cancelled_before_loading_nothing_is_carried(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("ward", "laboratory")
        await place.until(lambda: place.task(task).state is TaskState.UNDERWAY)
        await asyncio.sleep(20)
        await place.service.task_desk.cancel(task)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.CANCELLED
        assert place.deeds.loaded == []
        with pytest.raises(IllegalMove):
            await place.service.task_desk.cancel(task)


async def test_cancelled_while_it_is_unloaded_the_stop_is_still_in_the_journal(
    tmp_path: Path,
) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        await place.until(lambda: place.world.ground[VehicleId("C1")].node == "ward")
        await place.service.task_desk.cancel(task)
        await place.until_ended(task)
        told = await place.service.store.timeline(task)
        kinds = [event.kind for event in told[-4:]]
        assert kinds == ["cancel_asked", "mission_done", "stop_done", "task_cancelled"]
        assert place.deeds.unloaded == [(task, "ward")]


async def test_cancelled_with_goods_on_board_they_are_brought_back(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        await asyncio.sleep(10)
        await place.service.task_desk.cancel(task)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.CANCELLED
        assert place.deeds.unloaded == [(task, "laboratory")]


async def test_a_closed_lane_is_waited_for_and_the_task_is_not_lost(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        lane = LaneId("a3~a4")
        until_s = place.service.clock.now_s() + 900
        await place.service.lane_desk.close_lane(lane, until_s=until_s)
        task = await place.deliver("laboratory", "ward")
        await asyncio.sleep(600)
        assert place.task(task).state is not TaskState.DONE
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert (place.task(task).ended_s or 0) > until_s


async def test_goods_that_can_not_be_brought_on_are_not_taken_into_a_dirtier_zone(
    tmp_path: Path,
) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        cart = place.world.ground[VehicleId("C1")]
        task = await place.deliver("ward", "laboratory", goods="specimen")
        await place.until(lambda: cart.node == "ward")
        until_s = place.service.clock.now_s() + 600
        await place.service.lane_desk.close_lane(LaneId("laboratory~a3"), until_s=until_s)
        room = await place.submit(kind="disinfection", room="isolation")
        while place.service.clock.now_s() < until_s:
            await asyncio.sleep(10)
            assert cart.node not in ("b3", "b4", "isolation")
        await place.until_ended(task, room)
        assert place.deeds.unloaded == [(task, "laboratory")]
        assert {place.task(t).state for t in (task, room)} == {TaskState.DONE}


async def test_a_robot_that_stops_for_a_while_loses_nothing(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        vehicle = place.task(task).vehicle
        assert vehicle is not None
        await asyncio.sleep(5)
        place.world.ground[vehicle].fail("wheel_stuck")
        await asyncio.sleep(300)
        assert any(a.code == "vehicle_fault" and not a.cleared_s for a in place.service.alerts())
        place.world.ground[vehicle].repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert all(a.cleared_s for a in place.service.alerts() if a.code == "vehicle_fault")


async def test_a_silent_robot_finishes_once_it_is_heard_again(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        task = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(task).stops_done == 1)
        vehicle = place.task(task).vehicle
        assert vehicle is not None
        robot = place.simulation.stage.robots[vehicle]
        robot.link_down = True
        await asyncio.sleep(240)
        assert any(a.code == "vehicle_offline" for a in place.service.alerts())
        robot.link_down = False
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.deeds.loaded == [task]


async def test_it_charges_before_the_reserve_is_touched(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-3",))) as place:
        body = place.world.ground[VehicleId("C1")]
        body.set_charge(0.4)
        tasks = [await place.deliver("laboratory", "ward") for _ in range(12)]
        lowest = 1.0
        while not all(place.task(task).state.ended for task in tasks):
            await asyncio.sleep(20)
            lowest = min(lowest, body.charge_ratio())
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}
        assert lowest >= body.spec.energy.reserve_ratio


NO_NET = "dispatch: {charge_below_ratio: 0.0, idle_charge_below_ratio: 0.0}\n"
"""No rule makes a vehicle charge: only the plan does."""


@pytest.mark.parametrize("home", ["park-1", "park-3"])
async def test_it_charges_for_its_plan_and_no_longer(tmp_path: Path, home: str) -> None:
    async with hospital(scenario_file(tmp_path, homes=(home,), more=NO_NET)) as place:
        body = place.world.ground[VehicleId("C1")]
        body.set_charge(0.225)
        await asyncio.sleep(60)  # so that it is known
        tasks = [await place.deliver("laboratory", "ward", goods="general") for _ in range(6)]
        charges = [body.charge_ratio()]
        while not all(place.task(task).state.ended for task in tasks):
            await asyncio.sleep(5)
            charges.append(body.charge_ratio())
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}
        assert min(charges) >= body.spec.energy.reserve_ratio
        assert 0.24 < max(charges) < 0.5


async def test_an_idle_robot_waits_for_cheap_hours(tmp_path: Path) -> None:
    more = 'start: 2026-02-03T20:00:00+08:00\nplanner: {cheap_hours: ["22:00-06:00"]}\n'
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=more)) as place:
        body = place.world.ground[VehicleId("C1")]
        body.set_charge(0.5)
        await asyncio.sleep(7000)
        assert 0.6 < body.charge_ratio() < 0.8
        await asyncio.sleep(3600)
        assert body.charge_ratio() > 0.94


async def test_out_of_service_means_no_new_work(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        await place.service.fleet_desk.set_in_service(VehicleId("C1"), on=False)
        task = await place.deliver("laboratory", "ward")
        await asyncio.sleep(600)
        assert place.task(task).state is TaskState.QUEUED
        assert place.task(task).reason is not None
        await place.service.fleet_desk.set_in_service(VehicleId("C1"), on=True)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


async def test_what_nobody_can_do_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        with pytest.raises(Refused) as heavy:
            await place.deliver("laboratory", "ward", mass_kg=500.0)
        assert [fault.field for fault in heavy.value.faults] == ["mass_kg"]
        with pytest.raises(Refused) as pad:
            await place.deliver("laboratory", "dock-1")
        assert pad.value.faults[0].reason.code == "unreachable"
        assert place.service.open_tasks() == []


async def test_a_batch_has_one_answer_for_each_row(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        rows = [
            {"kind": "disinfection", "room": "ward"},
            {"kind": "disinfection", "room": "nowhere"},
            {"kind": "disinfection", "room": "ward", "colour": "red"},
        ]
        answers = await place.service.task_desk.submit_batch(
            [parse(row) for row in rows], key="round-1"
        )
        again = await place.service.task_desk.submit_batch(
            [parse(row) for row in rows], key="round-1"
        )
        assert [isinstance(answer, Refused) for answer in answers] == [False, True, True]
        assert again[0] == answers[0]
        assert len(place.service.open_tasks()) == 1


async def test_the_same_key_is_the_same_task(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path)) as place:
        request = parse({"kind": "disinfection", "room": "ward"})
        assert not isinstance(request, list)
        one = await place.service.task_desk.submit(request, key="k")
        two = await place.service.task_desk.submit(request, key="k")
        assert one.id == two.id


async def test_a_raised_priority_is_served_first(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        tasks = [await place.deliver("laboratory", "ward", goods="general") for _ in range(4)]
        await place.until(lambda: any(place.task(t).state is TaskState.UNDERWAY for t in tasks))
        waiting = [t for t in tasks if place.task(t).state is TaskState.ASSIGNED]
        last = max(waiting, key=lambda t: place.task(t).eta_s or 0.0)
        await place.service.task_desk.prioritise(last, Priority.STAT)
        await place.until_ended(*tasks)
        ended = {task: place.task(task).ended_s or 0.0 for task in waiting}
        assert ended[last] == min(ended.values())


async def test_a_drone_looks_at_an_area_and_comes_home(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, more=DRONE)) as place:
        task = await place.submit(kind="patrol", area="yard-patrol")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.task(task).vehicle == "D1"
        aircraft = place.world.aircraft[VehicleId("D1")]
        assert not aircraft.airborne
        assert aircraft.charge_ratio() < 1.0


async def test_places_on_foot_are_for_robots(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, more=DRONE)) as place:
        task = await place.submit(kind="patrol", points=["ward", "laboratory"], rounds=2)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.task(task).vehicle != "D1"
