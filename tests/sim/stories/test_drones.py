"""Stories of drones: two of them share pads and air, and none waits for the other for ever."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from fleet.vehicle import VehicleId
from routing.site import NodeId
from sim.mavlink.copter_modes import RTL
from tests.sim.drone_field import SITE
from tests.sim.hospital import MODELS, Hospital, hospital

D1, D2 = VehicleId("D1"), VehicleId("D2")
VEHICLES = """
vehicles:
  - model: drone
    ids: [D1, D2]
    homes: [dock-1, dock-2]
    docks: [dock-1, dock-2]
    system_ids: [1, 2]
    cruise_agl_m: [40, 60]
"""


@pytest.fixture
def field(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    path = tmp_path / "field.yaml"
    head = "# two drones\nscenario: field\nsite: site.yaml\nduration: 24h\n"
    path.write_text(head + MODELS + VEHICLES, encoding="utf-8")
    return path


async def kit(place: Hospital, origin: str = "depot", to: str = "clinic") -> TaskId:
    return await place.deliver(origin, to, item="kit", goods="general", mass_kg=1.0)


def ends(place: Hospital, *tasks: TaskId) -> set[TaskState]:
    return {task.state for task in place.service.ended_tasks() if task.id in tasks}


async def test_goods_fly_from_pad_to_pad(field: Path) -> None:
    async with hospital(field) as place:
        task = await place.deliver("depot", "clinic", goods="general", mass_kg=1.0, by="air")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        vehicle = place.task(task).vehicle
        assert vehicle is not None
        drone = place.world.aircraft[vehicle]
        dock = "dock-1" if vehicle == D1 else "dock-2"
        home = place.service.site.nodes[NodeId(dock)].point
        await place.until(
            lambda: not drone.airborne and drone.position().point.distance_m(home) < 2
        )


async def test_two_drones_share_two_pads(field: Path) -> None:
    async with hospital(field) as place:
        there = [await kit(place) for _ in range(3)]
        back = [await kit(place, "clinic", "depot") for _ in range(3)]
        waits: set[str] = set()
        while not all(place.task(task).state.ended for task in (*there, *back)):
            await asyncio.sleep(5)
            waits |= {code for v in ("D1", "D2") if (code := place.code_of(v))}
        assert ends(place, *there, *back) == {TaskState.DONE}
        assert waits & {"waits_for_pad", "waits_for_airspace"}
        assert {place.task(task).vehicle for task in (*there, *back)} == {D1, D2}


async def test_a_cancelled_flight_gives_its_pads_back(field: Path) -> None:
    async with hospital(field) as place:
        await place.service.fleet_desk.set_in_service(D2, on=False)
        first = await kit(place)
        await place.until(lambda: place.world.aircraft[D1].airborne)
        await asyncio.sleep(15)
        await place.service.task_desk.cancel(place.task(first).id)
        await place.until_ended(first)
        await place.until(lambda: not place.world.aircraft[D1].airborne)
        await place.service.fleet_desk.set_in_service(D1, on=False)
        await place.service.fleet_desk.set_in_service(D2, on=True)
        second = await kit(place)
        await place.until_ended(second)
        assert ends(place, first) == {TaskState.CANCELLED}
        assert ends(place, second) == {TaskState.DONE}


async def test_cancelled_while_it_waits_for_a_pad_it_does_not_fly(field: Path) -> None:
    async with hospital(field) as place:
        tasks = [await kit(place) for _ in range(6)]
        await place.until(lambda: "waits_for_pad" in {place.code_of("D1"), place.code_of("D2")})
        waiting = next(v for v in (D1, D2) if place.code_of(v) == "waits_for_pad")
        view = next(view for view in place.service.vehicles() if view.spec.id == waiting)
        unwanted = view.tasks[0]
        await place.service.task_desk.cancel(unwanted)
        await asyncio.sleep(1)
        assert place.task(unwanted).state is TaskState.CANCELLED
        await place.until_ended(*tasks)
        assert ends(place, *(task for task in tasks if task != unwanted)) == {TaskState.DONE}


async def test_no_flight_to_where_no_pad_is(field: Path) -> None:
    async with hospital(field) as place:
        with pytest.raises(Refused) as refused:
            await kit(place, to="gate")
        assert [fault.field for fault in refused.value.faults] == ["to"]


async def test_goods_for_a_dock_are_brought_by_its_own_drone_and_by_nobody_else(
    field: Path,
) -> None:
    async with hospital(field) as place:
        await place.service.fleet_desk.set_in_service(D2, on=False)
        task = await kit(place, to="dock-2")
        other = await kit(place)
        await place.until_ended(other)
        assert place.task(other).vehicle == D1, "it waits for no dock, and is free for others"
        waiting = place.task(task)
        assert waiting.state is TaskState.QUEUED
        assert waiting.reason is not None, "why it waits is told"
        await place.service.fleet_desk.set_in_service(D2, on=True)
        await place.until_ended(task)
        assert (place.task(task).state, place.task(task).vehicle) == (TaskState.DONE, D2)


async def test_no_delivery_between_the_docks_of_two_drones(field: Path) -> None:
    async with hospital(field) as place:
        with pytest.raises(Refused) as refused:
            await kit(place, "dock-1", "dock-2")
        [fault] = refused.value.faults
        assert fault.field in ("from", "to")
        assert fault.reason.code == "dock_of_another"
        assert fault.reason.facts["by"] in (D1, D2)


@pytest.fixture
def only_looked_at(field: Path) -> Path:
    """Drones without docks, whose failsafes only a person may set."""
    checked = "{mavlink: {safety: {set_parameters: false, fence: false}}}"
    text = field.read_text(encoding="utf-8").replace("{mavlink: {}}", checked)
    field.write_text(text.replace("    docks: [dock-1, dock-2]\n", ""), encoding="utf-8")
    return field


async def test_a_drone_with_its_failsafes_off_gets_no_work_until_they_are_set(
    only_looked_at: Path,
) -> None:
    async with hospital(only_looked_at) as place:
        await place.until(lambda: "vehicle_fault" in place.open_codes())
        alerts = [alert for alert in place.service.alerts() if alert.code == "vehicle_fault"]
        assert {alert.vehicle for alert in alerts} == {D1, D2}
        assert {alert.facts["why"] for alert in alerts} == {"gcs_failsafe_off"}
        view = place.service.vehicles()[0]
        assert view.waiting_for is not None
        assert view.waiting_for.facts == {"text": "FS_GCS_ENABLE is 0, not 1"}
        task = await kit(place)
        await asyncio.sleep(600)
        assert not place.task(task).state.ended
        for autopilot in place.simulation.stage.autopilots.values():
            for name, value in (("FS_GCS_ENABLE", 1), ("FS_OPTIONS", 18)):
                autopilot.params.set(name, value)
        place.simulation.stage.autopilots[D1].params.set("RTL_ALT", 4000)
        await place.until_ended(task)
        assert place.task(task).vehicle == D1


async def test_who_does_not_get_home_at_the_fourth_time_is_told_to_people(field: Path) -> None:
    async with hospital(field) as place:
        task = await kit(place)
        await place.until_ended(task)
        vehicle = place.task(task).vehicle
        assert vehicle is not None
        copter = place.simulation.stage.autopilots[vehicle].copter

        def told() -> bool:
            if "keeps_failing" in place.open_codes():
                return True
            if copter.body.position().height_agl_m > 20 and copter.mode != RTL:
                copter.set_mode(RTL)
            return False

        await place.until(told)
        (alert,) = [a for a in place.service.alerts() if a.code == "keeps_failing"]
        assert (alert.vehicle, alert.facts["why"]) == (vehicle, "drone_turned_back")
        await place.until(lambda: "keeps_failing" not in place.open_codes())
