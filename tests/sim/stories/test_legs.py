"""Stories of deliveries in two legs: a drone brings goods to a pad, a robot takes them on."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from dispatcher.api.app import create_app
from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.intake import parse
from dispatcher.domain.task import Priority, Task, TaskId, TaskState
from dispatcher.errors import FieldFault, IllegalMove, Refused
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import NodeId
from tests.sim.hospital import Hospital, hospital
from tests.sim.stories.leg_site import BLOOD, SAMPLE, bloodline

C1, D1, D2 = VehicleId("C1"), VehicleId("D1"), VehicleId("D2")
BESIDE, PAD = NodeId("beside-pad"), NodeId("pad")


def first_of(place: Hospital, second: TaskId) -> Task:
    leg = place.task(second).leg
    assert leg is not None
    return place.task(leg.other)


def states(place: Hospital, second: TaskId) -> tuple[TaskState, TaskState]:
    return first_of(place, second).state, place.task(second).state


def code(reason: Refusal | None) -> str | None:
    return None if reason is None else reason.code


def on_pad(place: Hospital) -> bool:
    body = place.world.aircraft[D1]
    spot = place.service.site.nodes[PAD].point
    return not body.airborne and body.position().point.distance_m(spot) < 5


def there(place: Hospital) -> bool:
    return place.world.ground[C1].node == BESIDE


async def test_blood_flies_to_the_pad_and_is_carried_on_by_a_robot_that_is_there(
    tmp_path: Path,
) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        loop = asyncio.get_running_loop()
        second = await place.submit(**BLOOD, priority="urgent")
        came_s = landed_s = None
        while not place.task(second).state.ended:
            await asyncio.sleep(1)
            if came_s is None and there(place):
                came_s = loop.time()
            if landed_s is None and on_pad(place):
                landed_s = loop.time()
            if place.world.ground[C1].loads:
                assert first_of(place, second).state is TaskState.DONE
        assert states(place, second) == (TaskState.DONE, TaskState.DONE)
        assert came_s is not None
        assert landed_s is not None
        assert 0 < landed_s - came_s < 90
        assert place.deeds.loaded.count(second) == 1
        assert (second, "ward") in place.deeds.unloaded
        assert place.open_codes() == set()


async def test_over_the_api_it_is_one_delivery_with_two_legs(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        transport = httpx.ASGITransport(create_app(place.service), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x/api/v1") as api:
            headers = {"Idempotency-Key": "blood-1"}
            answer = await api.post("/tasks", json={**BLOOD, "via": "pad"}, headers=headers)
            assert answer.status_code == 201
            second = answer.json()
            assert second["leg"] == {"number": 2, "other": "T-000001", "via": "pad"}
            assert (second["from"], second["to"]) == ("beside-pad", ["ward"])
            first = (await api.get("/tasks/T-000001")).json()
            assert first["leg"] == {"number": 1, "other": second["id"], "via": "pad"}
            assert (first["from"], first["to"]) == ("depot", ["pad"])
            again = await api.post("/tasks", json={**BLOOD, "via": "pad"}, headers=headers)
            assert again.json()["id"] == second["id"]
            rows = {"tasks": [BLOOD, {**BLOOD, "mass_kg": 4.0}]}
            batch = (await api.post("/tasks/batch", json=rows)).json()
            assert (batch["accepted"], batch["refused"]) == (1, 1)
            assert (await api.get("/tasks")).json()["total"] == 4
            await api.post("/tasks/T-000001/priority", json={"priority": "stat"})
            shown = (await api.get(f"/tasks/{second['id']}")).json()
            assert shown["priority"] == "stat"
            await api.post("/tasks/T-000001/cancel", json={})
            shown = (await api.get(f"/tasks/{second['id']}")).json()
            assert shown["state"] == "cancelled"


async def test_no_robot_waits_for_a_drone_that_nobody_expects(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        await place.service.fleet_desk.set_in_service(D1, on=False)
        second = await place.submit(**BLOOD)
        await asyncio.sleep(600)
        assert not there(place)
        reason, why = place.task(second).reason, first_of(place, second).reason
        assert why is not None
        assert reason is not None
        assert (reason.code, reason.facts["why"]) == ("other_leg_held", why.code)
        await place.service.task_desk.prioritise(second, Priority.URGENT)
        assert first_of(place, second).priority is Priority.URGENT
        await place.service.fleet_desk.set_in_service(D1, on=True)
        await place.until_ended(second)
        assert states(place, second) == (TaskState.DONE, TaskState.DONE)


async def test_a_robot_leaves_when_its_drone_is_lost_and_the_receiver_is_told(
    tmp_path: Path,
) -> None:
    path = bloodline(tmp_path, more="faults:\n  - {at: 30min, vehicle: D1, fault: gps_loss}\n")
    async with hospital(path) as place:
        drone = place.world.aircraft[D1]
        await asyncio.sleep(1800 - 165)
        second = await place.submit(**BLOOD)
        await place.until(lambda: place.task(second).state is TaskState.UNDERWAY)
        await place.until(lambda: not drone.airborne and not on_pad(place), at_most_s=400)
        await place.until(lambda: code(place.task(second).reason) == "other_leg_held", 120)
        reason = place.task(second).reason
        assert reason is not None
        assert reason.facts["why"] == "not_on_a_pad"
        await place.until(lambda: place.world.ground[C1].node == NodeId("bay-1"), at_most_s=600)
        assert place.task(second).state is TaskState.QUEUED
        assert place.task(second).vehicle is None


async def test_samples_are_driven_to_the_pad_and_the_drone_takes_off_when_they_are_there(
    tmp_path: Path,
) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        second = await place.submit(**SAMPLE)
        while not place.task(second).state.ended:
            await asyncio.sleep(1)
            if place.world.aircraft[D1].airborne:
                assert first_of(place, second).state is TaskState.DONE
        assert states(place, second) == (TaskState.DONE, TaskState.DONE)


async def test_when_the_first_leg_fails_so_does_the_second_with_the_reason(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        second = await place.submit(**SAMPLE)
        robot, body = place.simulation.stage.robots[C1], place.world.ground[C1]
        await place.until(lambda: bool(body.loads) and body.edge is not None)
        while not first_of(place, second).state.ended:
            robot.go_down()
            await asyncio.sleep(30)
            robot.come_up()
            await asyncio.sleep(25)
        await asyncio.sleep(5)
        assert states(place, second) == (TaskState.FAILED, TaskState.FAILED)
        reason, why = place.task(second).reason, first_of(place, second).reason
        assert why is not None
        assert reason == Refusal(
            "leg_failed", {**why.facts, "task": first_of(place, second).id, "why": why.code}
        )


async def test_cancelled_before_anything_has_begun(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        later = place.service.clock.now() + timedelta(hours=1)
        second = await place.submit(**BLOOD, earliest_at=later.isoformat())
        first = first_of(place, second).id
        await place.service.task_desk.cancel(first)
        assert states(place, second) == (TaskState.CANCELLED, TaskState.CANCELLED)
        with pytest.raises(IllegalMove):
            await place.service.task_desk.cancel(first)


async def test_cancelled_in_the_air_the_blood_goes_back(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        second = await place.submit(**BLOOD)
        drone = place.world.aircraft[D1]
        await place.until(lambda: drone.airborne and first_of(place, second).stops_done == 1)
        await asyncio.sleep(20)
        await place.service.task_desk.cancel(second)
        await place.until_ended(second, first_of(place, second).id)
        assert states(place, second) == (TaskState.CANCELLED, TaskState.CANCELLED)
        spot = place.service.site.nodes[NodeId("depot")].point
        assert drone.position().point.distance_m(spot) < 5
        await place.until(lambda: place.world.ground[C1].node == NodeId("bay-1"))
        assert place.deeds.loaded == []
        assert "goods_at_pad" not in place.open_codes()


async def test_cancelled_at_the_pad_a_person_is_told_of_the_goods(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        await place.service.fleet_desk.set_in_service(C1, on=False)
        second = await place.submit(**BLOOD)
        first = first_of(place, second).id
        await place.until_ended(first)
        await asyncio.sleep(330)
        assert "goods_at_pad" in place.open_codes(), "nobody fetches them"
        assert (await place.service.task_desk.cancel(first)).id == second
        assert states(place, second) == (TaskState.DONE, TaskState.CANCELLED)
        assert "goods_at_pad" in place.open_codes()


async def test_cancelled_on_the_robot_the_blood_goes_back_to_the_pad(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        second = await place.submit(**BLOOD)
        body = place.world.ground[C1]
        await place.until(lambda: bool(body.loads) and body.edge is not None)
        await place.service.task_desk.cancel(second)
        await place.until_ended(second)
        assert states(place, second) == (TaskState.DONE, TaskState.CANCELLED)
        assert place.deeds.unloaded == [(second, BESIDE)]
        assert "goods_at_pad" in place.open_codes()


async def refused(place: Hospital, **changed: object) -> FieldFault:
    asked = parse({**BLOOD, **changed})
    assert not isinstance(asked, list)
    with pytest.raises(Refused) as found:
        await place.service.task_desk.submit(asked)
    assert place.service.open_tasks() == []
    return found.value.faults[0]


async def test_it_is_said_which_leg_cant_be_done_and_why(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        for changed, field, why in (
            ({"mass_kg": 4.0}, "mass_kg", "over_payload"),
            ({"volume_l": 11.0}, "volume_l", "over_volume"),
            ({"goods": "food"}, "goods", "goods_not_allowed"),
            ({"mass_kg": 4.0, "via": "pad"}, "mass_kg", "over_payload"),
        ):
            fault = await refused(place, **changed)
            assert (fault.field, fault.reason.code) == (field, "leg_impossible")
            facts = fault.reason.facts
            assert (facts["leg"], facts["medium"], facts["why"]) == (1, "air", why)
            assert (facts["start"], facts["goal"]) == ("depot", "pad")


async def test_a_pad_where_nothing_can_change_over_is_refused(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        for changed, field, reason in (
            ({"via": "ward"}, "via", "no_change_over"),
            ({"via": "dock"}, "via", "no_change_over"),
            ({"via": "padd"}, "via", "unknown_place"),
            ({"via": "pad", "by": "air"}, "by", "via_and_by"),
            ({"by": "ground"}, "from", "unreachable"),
            ({"from": "surgery", "to": "ward", "via": "pad"}, "to", "leg_impossible"),
        ):
            fault = await refused(place, **changed)
            assert (fault.field, fault.reason.code) == (field, reason)


async def test_a_named_pad_is_taken_and_what_one_vehicle_can_do_stays_one_task(
    tmp_path: Path,
) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        second = await place.submit(**BLOOD, via="pad")
        leg = place.task(second).leg
        assert leg is not None
        assert (leg.number, leg.via) == (2, "pad")
        assert first_of(place, second).due_s < place.task(second).due_s
        alone = await place.submit(**{**BLOOD, "from": "surgery"})
        assert place.task(alone).leg is None


async def test_a_weather_hold_is_told_to_the_receiver_with_what_people_said(tmp_path: Path) -> None:
    async with hospital(bloodline(tmp_path)) as place:
        asked = {"kind": "weather", "reason": "thunderstorm", "by": "Sgt Wu"}
        desk = place.service.emergency_desk
        hold = await desk.begin(EmergencyIn.model_validate(asked))
        second = await place.submit(**BLOOD)
        await asyncio.sleep(120)
        assert not there(place)
        reason = place.task(second).reason
        assert reason is not None
        assert (reason.code, reason.facts["why"]) == ("other_leg_held", "weather_hold")
        assert reason.facts["because"] == "thunderstorm"
        await desk.end(hold.id, "Sgt Wu")
        await place.until_ended(second)
        assert states(place, second) == (TaskState.DONE, TaskState.DONE)
