"""Stories of wind and weather: who is sent against it, who stays on the ground, and who is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.emergencies import Emergency
from dispatcher.domain.incidents import Incident, IncidentState
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from fleet.vehicle import VehicleId
from sim.world.multirotor import Wind
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital
from tests.sim.process import Place
from tests.sim.process import place as process_of

D1, D2, D3 = VehicleId("D1"), VehicleId("D2"), VehicleId("D3")
SCENE = {"x_m": 950.0, "y_m": -100.0}
"""Nearer to dock 1 in the west than to dock 2 in the east."""


def blow(place: Hospital, x_m_s: float, y_m_s: float = 0.0) -> None:
    for autopilot in place.simulation.stage.autopilots.values():
        autopilot.body.set_wind(Wind(x_m_s, y_m_s))


def limited(folder: Path, limit_m_s: float) -> Path:
    """The district with a limit of wind for its drones."""
    path = district(folder)
    line = f"    cruise_agl_m: 50\n    wind_limit_m_s: {limit_m_s}\n"
    text = path.read_text("utf-8").replace("    cruise_agl_m: 50\n", line)
    path.write_text(text, encoding="utf-8")
    return path


async def call(town: Hospital | Place, /, **asked: Any) -> Incident:
    asked = {"on_scene_s": 60, **SCENE, **asked}
    return await town.service.incidents.report(IncidentIn.model_validate(asked))


async def hold(town: Hospital | Place, reason: str = "gusts at the river") -> Emergency:
    asked = EmergencyIn.model_validate({"kind": "weather", "reason": reason, "by": "Sgt Wu"})
    return await town.service.emergency_desk.begin(asked)


async def patrolling(place: Hospital, only: VehicleId = D1) -> TaskId:
    """One drone over the park for a minute and a half; the others go back into service."""
    others = [drone for drone in (D1, D2, D3) if drone != only]
    for other in others:
        await place.service.fleet_desk.set_in_service(other, on=False)
    patrol = await place.submit(kind="patrol", area="park")
    await place.until(lambda: place.world.aircraft[only].airborne)
    await asyncio.sleep(90)
    for other in others:
        await place.service.fleet_desk.set_in_service(other, on=True)
    return patrol


def code_of_task(place: Hospital, task: TaskId) -> str | None:
    reason = place.task(task).reason
    return None if reason is None else reason.code


async def arrived_s(place: Hospital, incident: Incident) -> float:
    """Seconds from the call to the arrival."""
    since_s = asyncio.get_running_loop().time()
    desk = place.service.incidents

    def there() -> bool:
        states = {one.id: one.state for one in desk.shown}
        return states[incident.id] is IncidentState.ON_SCENE

    await place.until(there, 1200)
    return asyncio.get_running_loop().time() - since_s


@pytest.mark.parametrize(("x_m_s", "sent"), [(0.0, D1), (-8.0, D2), (8.0, D1)])
async def test_who_comes_with_the_wind_is_sent(
    tmp_path: Path, x_m_s: float, sent: VehicleId
) -> None:
    async with hospital(district(tmp_path)) as place:
        blow(place, x_m_s)
        patrol = await patrolling(place, D3)
        await place.until_ended(patrol)
        await asyncio.sleep(30)
        incident = await call(place)
        assert incident.vehicle == sent
        assert incident.expected_s is not None
        now_s = place.simulation.clock.now_s()
        expected_s = incident.expected_s - now_s
        assert await arrived_s(place, incident) == pytest.approx(expected_s, abs=5)


async def test_without_a_word_the_nearest_is_sent_whatever_blows(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        blow(place, -8.0)
        await asyncio.sleep(60)
        assert (await call(place)).vehicle == D1


@pytest.mark.long
async def test_above_its_limit_no_drone_takes_off_and_all_goes_on_when_it_dies_down(
    tmp_path: Path,
) -> None:
    async with hospital(limited(tmp_path, 9.0)) as place:
        patrol = await patrolling(place)
        blow(place, 0.0, 10.5)
        drone = place.world.aircraft[D1]
        await place.until(lambda: "wind_above_limit" in place.open_codes(), 120)
        await place.until(lambda: not drone.airborne, 300)
        second = await place.submit(kind="patrol", area="park")
        await asyncio.sleep(60)
        assert code_of_task(place, second) == "wind_above_limit"
        reason = place.task(second).reason
        assert reason is not None
        assert reason.facts["limit_m_s"] == 9.0
        assert float(reason.facts["wind_m_s"]) > 9.0
        assert place.code_of("D2") == "wind_above_limit"
        incident = await call(place)
        assert {why.code for _, why in incident.reasons} == {"wind_above_limit"}
        await asyncio.sleep(300)
        assert not any(body.airborne for body in place.world.aircraft.values())
        alerts = [a for a in place.service.alerts() if a.code == "wind_above_limit"]
        assert [alert.count for alert in alerts] == [1]
        blow(place, 0.0)
        await asyncio.sleep(1200)
        assert "wind_above_limit" not in place.open_codes()
        await place.until_ended(patrol, second)
        assert {place.task(one).state for one in (patrol, second)} == {TaskState.DONE}


async def test_who_has_a_higher_limit_flies_on(tmp_path: Path) -> None:
    async with hospital(limited(tmp_path, 11.0)) as place:
        blow(place, 0.0, 10.5)
        patrol = await patrolling(place)
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE
        assert "wind_above_limit" not in place.open_codes()


@pytest.mark.long
async def test_a_weather_hold_brings_drones_home_and_tells_why(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        patrol = await patrolling(place)
        held = await hold(place)
        assert "weather" in place.open_codes()
        drone = place.world.aircraft[D1]
        await place.until(lambda: not drone.airborne, 300)
        second = await place.submit(kind="patrol", area="park")
        incident = await call(place)
        await asyncio.sleep(300)
        for task in (patrol, second):
            reason = place.task(task).reason
            assert reason is not None
            assert (reason.code, reason.facts["why"]) == ("weather_hold", "gusts at the river")
        assert {why.code for _, why in incident.reasons} == {"weather_hold"}
        assert not any(body.airborne for body in place.world.aircraft.values())
        await place.service.emergency_desk.end(held.id, "Sgt Wu")
        await place.until_ended(patrol, second)
        assert place.task(second).state is TaskState.DONE
        assert "weather" not in place.open_codes()


async def test_who_helps_already_goes_on_in_a_weather_hold(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await asyncio.sleep(30)
        incident = await call(place)
        await asyncio.sleep(30)
        await hold(place)
        await arrived_s(place, incident)
        await place.until(lambda: not place.world.aircraft[D1].airborne, 600)
        desk = place.service.incidents
        assert (await desk.find(incident.id)).state is IncidentState.OBSERVED


async def test_called_off_in_a_weather_hold_it_comes_home(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await asyncio.sleep(30)
        incident = await call(place)
        await asyncio.sleep(40)
        await hold(place)
        await place.service.incidents.close(incident.id, "false alarm", "Sgt Wu")
        await place.until(lambda: not place.world.aircraft[D1].airborne, 600)
        assert place.service.roster[D1].state().last_node == "dock-1"


async def test_robots_do_not_care_for_the_weather(tmp_path: Path) -> None:
    cart = "  - {model: cart, ids: [C1], homes: [bay]}\n"
    path = district(tmp_path, more=cart)
    site = tmp_path / "site.yaml"
    bay = (
        "      bay: {name: {en: Bay, zh: 车位}, kind: parking, at: [10, 50], joins: [n1],"
        " roles: [parking, charger]}\n"
    )
    rooms = "      shop: {name: {en: Shop, zh: 店}, kind: stores, at: [50, 50], joins: [n2]}\n"
    ways = "    nodes: {n1: [10, 55], n2: [50, 55]}\n    lanes: [[n1, n2]]\n"
    text = site.read_text("utf-8").replace("air:\n", ways + "air:\n")
    site.write_text(text.replace("      station:", bay + rooms + "      station:"), "utf-8")
    async with hospital(path) as place:
        await hold(place)
        task = await place.deliver("shop", "bay")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


async def test_a_hold_lasts_over_a_restart(tmp_path: Path) -> None:
    async with process_of(district(tmp_path), tmp_path / "story.sqlite") as here:
        held = await hold(here)
        patrol = await here.submit(kind="patrol", area="park")
        await here.restart()
        shown = here.service.emergencies()
        assert [(one.id, one.reason) for one in shown] == [(held.id, "gusts at the river")]
        await asyncio.sleep(300)
        assert not any(body.airborne for body in here.world.aircraft.values())
        await here.service.emergency_desk.end(held.id, "Sgt Wu")
        assert (await here.until_all_ended())[patrol] is TaskState.DONE


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"kind": "weather"}, "reason"),
        ({"kind": "weather", "reason": "  "}, "reason"),
        ({"kind": "weather", "reason": "gusts", "level": "ground"}, "level"),
        ({"kind": "fire", "reason": "gusts"}, "reason"),
    ],
)
async def test_a_hold_says_why_and_is_of_the_whole_site(
    tmp_path: Path, asked: dict[str, str], field: str
) -> None:
    async with hospital(district(tmp_path)) as place:
        with pytest.raises(Refused) as refused:
            await place.service.emergency_desk.begin(EmergencyIn.model_validate(asked))
        assert [fault.field for fault in refused.value.faults] == [field]
