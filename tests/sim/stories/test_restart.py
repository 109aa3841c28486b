"""The dispatcher dies at any moment; robots and store live on, and a new one takes over."""

import asyncio
import json
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.vda5050.terms import EStop
from fleet.vehicle import VehicleId
from routing.site import LaneId
from tests.sim.hospital import DRONE, scenario_file, told_at_length
from tests.sim.process import Place, place

C1, D1 = VehicleId("C1"), VehicleId("D1")
MEALS = {
    "kind": "delivery",
    "item": "meals",
    "goods": "food",
    "from": "laboratory",
    "to": ["ward"],
    "mass_kg": 5.0,
}
REQUESTS = [
    MEALS,
    {"kind": "medicine", "item": "insulin", "to": "ward"},
    {"kind": "disinfection", "room": "isolation"},
    {"kind": "patrol", "points": ["ward", "laboratory"], "rounds": 1},
]


def alone(folder: Path) -> Path:
    return scenario_file(folder, homes=("park-1",))


async def until_loaded(here: Place, node: str) -> None:
    body = here.world.ground[C1]
    await here.until(lambda: bool(body.loads) and body.node == node)


@pytest.mark.parametrize(
    "pause_s", [41.0, *told_at_length(5.0, 7.0, 11.0, 17.0, 23.0, 31.0, 53.0, 67.0, 97.0)]
)
async def test_killed_again_and_again_every_task_is_done_once(
    tmp_path: Path, pause_s: float
) -> None:
    async with place(scenario_file(tmp_path), tmp_path / "story.sqlite") as here:
        for request in REQUESTS:
            await here.submit(**request)
        for _ in range(12):
            await asyncio.sleep(pause_s)
            await here.restart()
        ended = await here.until_all_ended()
        assert set(ended.values()) == {TaskState.DONE}
        carried = sorted(here.accepted[:2])
        assert sorted(here.deeds.loaded) == carried
        assert sorted(load for load, _ in here.deeds.unloaded) == carried


@pytest.mark.parametrize("pause_s", [41.0, *told_at_length(7.0, 11.0, 23.0)])
async def test_killed_again_and_again_no_zone_is_refused_to_whom_it_was_granted(
    tmp_path: Path, pause_s: float
) -> None:
    path, told = alone(tmp_path), list[str]()
    path.write_text(path.read_text("utf-8").replace('"2.1"', '"3.0"'), "utf-8")
    async with place(path, tmp_path / "story.sqlite") as here:

        def note(_: str, payload: bytes) -> None:
            told.extend(one["grantType"] for one in json.loads(payload)["responses"])

        listening = here.wires.bus.subscribe("vda5050/v3/Porter/C1/responses", note)
        await here.submit(**MEALS)
        for _ in range(12):
            await asyncio.sleep(pause_s)
            await here.restart()
        ended = await here.until_all_ended()
        listening.close()
        assert set(ended.values()) == {TaskState.DONE}
        assert "GRANTED" in told
        assert not {"REJECTED", "REVOKED"} & set(told)


@pytest.mark.parametrize("pause_s", [13.0, 29.0, 61.0])
async def test_killed_while_a_drone_flies(tmp_path: Path, pause_s: float) -> None:
    path = scenario_file(tmp_path, homes=("park-1",), more=DRONE)
    async with place(path, tmp_path / "story.sqlite") as here:
        await here.submit(kind="patrol", area="yard-patrol")
        for _ in range(4):
            await asyncio.sleep(pause_s)
            await here.restart()
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert not here.world.aircraft[D1].airborne


@pytest.mark.parametrize("pause_s", [0.0, 3.0, 20.0])
async def test_a_cancel_holds_over_a_restart(tmp_path: Path, pause_s: float) -> None:
    async with place(alone(tmp_path), tmp_path / "story.sqlite") as here:
        task = await here.submit(**MEALS)
        await until_loaded(here, "a3")
        await here.service.task_desk.cancel(task)
        await asyncio.sleep(pause_s)
        await here.restart()
        assert (await here.until_all_ended())[task] is TaskState.CANCELLED
        assert here.deeds.unloaded == [(task, "laboratory")]


async def test_what_was_stopped_for_safety_stays_so_over_a_restart(tmp_path: Path) -> None:
    async with place(alone(tmp_path), tmp_path / "story.sqlite") as here:
        task = await here.submit(**MEALS)
        await until_loaded(here, "a3")
        robot, body = here.stage.robots[C1], here.world.ground[C1]
        robot.e_stop = EStop.MANUAL
        await asyncio.sleep(60)
        await here.restart()
        robot.e_stop = EStop.NONE
        await asyncio.sleep(60)
        stands = body.node
        await asyncio.sleep(300)
        assert body.node == stands
        assert [a.code for a in here.service.alerts() if not a.cleared_s] == ["safety_stop"]
        await here.service.fleet_desk.set_in_service(C1, on=True)
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert here.deeds.loaded == [task]


async def test_stopped_while_nobody_was_there_to_see_it(tmp_path: Path) -> None:
    async with place(alone(tmp_path), tmp_path / "story.sqlite") as here:
        task = await here.submit(**MEALS)
        await until_loaded(here, "a3")
        robot = here.stage.robots[C1]
        await here.process.kill()
        robot.e_stop = EStop.MANUAL
        await asyncio.sleep(10)
        await here.process.start()
        await asyncio.sleep(120)
        assert "safety_stop" in [a.code for a in here.service.alerts() if not a.cleared_s]
        robot.e_stop = EStop.NONE
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert here.deeds.loaded == [task]


@pytest.mark.parametrize("silent_s", [20.0, 200.0])
async def test_a_robot_is_silent_when_the_new_one_starts(tmp_path: Path, silent_s: float) -> None:
    """It drives on to the end of what it was told, unheard; then it takes up where it is."""
    async with place(alone(tmp_path), tmp_path / "story.sqlite") as here:
        task = await here.submit(**MEALS)
        body, robot = here.world.ground[C1], here.stage.robots[C1]
        await here.until(lambda: body.node == "a1")
        await here.process.kill()
        robot.link_down = True
        await here.process.start()
        await asyncio.sleep(silent_s)
        robot.link_down = False
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert here.deeds.loaded == [task]


async def test_a_robot_has_forgotten_its_order_meanwhile(tmp_path: Path) -> None:
    async with place(alone(tmp_path), tmp_path / "story.sqlite") as here:
        task = await here.submit(**MEALS)
        await until_loaded(here, "a3")
        await here.process.kill()
        await asyncio.sleep(60)
        here.stage.robots[C1].reboot()
        await here.process.start()
        assert (await here.until_all_ended())[task] is TaskState.DONE
        assert here.deeds.loaded == [task]


async def test_what_people_ordered_holds_over_a_restart(tmp_path: Path) -> None:
    async with place(scenario_file(tmp_path), tmp_path / "story.sqlite") as here:
        until_s = here.service.clock.now_s() + 600
        await here.service.lane_desk.close_lane(LaneId("a3~a4"), until_s=until_s)
        await here.service.fleet_desk.set_in_service(VehicleId("C2"), on=False)
        await here.restart()
        out = [view.spec.id for view in here.service.vehicles() if not view.in_service]
        assert out == ["C2"]
        assert [alert.facts["lane"] for alert in here.service.alerts()] == ["a3~a4"]
        await asyncio.sleep(700)
        assert all(alert.cleared_s for alert in here.service.alerts())
