"""Stories of incidents: the first drone that can help goes at once, and all of it is kept."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.incidents import Incident, IncidentState
from dispatcher.domain.task import TaskState
from dispatcher.errors import Refused
from dispatcher.missions.help_flights import Call
from dispatcher.work.worker import Worker
from fleet.vehicle import VehicleId
from routing.geometry import Point
from sim.judges.incident_watch import Seen
from sim.scenario.config import PlannedIncident
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital, told_at_length
from tests.sim.process import place as process

D1, D2, D3 = VehicleId("D1"), VehicleId("D2"), VehicleId("D3")


async def call(town: Hospital, /, **asked: Any) -> Incident:
    return await town.service.incidents.report(IncidentIn.model_validate(asked))


async def now(place: Hospital, incident: Incident) -> Incident:
    return await place.service.incidents.find(incident.id)


async def until_state(place: Hospital, incident: Incident, state: IncidentState) -> Incident:
    desk = place.service.incidents

    def so() -> bool:
        return any(one.id == incident.id and one.state is state for one in desk.shown)

    await place.until(so, 1200)
    return await now(place, incident)


async def kinds(place: Hospital, incident: Incident) -> list[str]:
    return [event.kind for event in await place.service.incidents.store.timeline(incident.id)]


def at_home(place: Hospital, drone: VehicleId) -> bool:
    body = place.world.aircraft[drone]
    home = place.service.roster[drone].spec.home
    site = place.service.site
    there = site.nodes[site.places[home].node].point
    return not body.airborne and body.position().point.distance_m(there) < 2


async def test_from_its_dock_the_nearest_takes_off_within_seconds(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await asyncio.sleep(60)
        since_s = asyncio.get_running_loop().time()
        incident = await call(place, place="station", text="fight", on_scene_s=120)
        assert (incident.state, incident.vehicle) == (IncidentState.SENT, D2)
        await place.until(lambda: place.world.aircraft[D2].airborne)
        assert asyncio.get_running_loop().time() - since_s <= 3
        there = await until_state(place, incident, IncidentState.ON_SCENE)
        body = place.world.aircraft[D2]
        assert body.position().point.distance_m(there.at) < 5
        left = await until_state(place, incident, IncidentState.OBSERVED)
        assert left.arrived_s is not None
        assert left.left_s is not None
        assert left.left_s - left.arrived_s == pytest.approx(120, abs=3)
        await place.until(lambda: at_home(place, D2))
        await asyncio.sleep(5)
        await place.service.incidents.close(incident.id, "two people warned", "Sgt Wu")
        assert await kinds(place, incident) == [
            "incident_reported",
            "incident_drone_sent",
            "incident_drone_arrived",
            "incident_drone_left",
            "incident_drone_home",
            "incident_closed",
        ]


async def patrolled(place: Hospital) -> Any:
    """D1 over the park, the others out of service."""
    for other in (D2, D3):
        await place.service.fleet_desk.set_in_service(other, on=False)
    patrol = await place.submit(kind="patrol", area="park")
    body = place.world.aircraft[D1]
    await place.until(lambda: body.airborne)
    await asyncio.sleep(60)
    return patrol


async def test_a_drone_on_patrol_turns_and_its_patrol_is_done_afterwards(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        patrol = await patrolled(place)
        body = place.world.aircraft[D1]
        since_s = asyncio.get_running_loop().time()
        incident = await call(place, x_m=700, y_m=100, on_scene_s=60)
        assert incident.vehicle == D1
        told = place.simulation.stage.autopilots[D1].copter.sent
        turned: list[float] = []
        told.listen(lambda: turned.append(asyncio.get_running_loop().time()))
        await until_state(place, incident, IncidentState.ON_SCENE)
        assert turned[0] - since_s <= 2
        assert body.position().point.distance_m(Point(700, 100)) < 5
        assert place.task(patrol).state in (TaskState.QUEUED, TaskState.ASSIGNED)
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE
        assert (await now(place, incident)).state is IncidentState.OBSERVED


async def test_the_way_to_the_scene_leads_around_the_hospital(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await place.service.fleet_desk.set_in_service(D2, on=False)
        await place.service.fleet_desk.set_in_service(D3, on=False)
        incident = await call(place, x_m=1500, y_m=1100, on_scene_s=60)
        await until_state(place, incident, IncidentState.OBSERVED)
        await place.until(lambda: at_home(place, D1))


async def test_the_same_call_twice_is_one_incident(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        asked = {"external_id": "CAD-17", "place": "station"}
        both = await asyncio.gather(call(place, **asked), call(place, **asked))
        assert both[0].id == both[1].id
        assert (await call(place, **asked)).id == both[0].id
        assert len(place.service.incidents.shown) == 1


async def test_two_incidents_get_two_drones(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        first = await call(place, place="station")
        second = await call(place, x_m=1500, y_m=1250)
        assert first.vehicle == D2
        assert second.vehicle == D3
        for incident in (first, second):
            await until_state(place, incident, IncidentState.OBSERVED)


async def test_nobody_able_is_told_with_a_reason_for_each_and_tried_again(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        for drone in (D1, D2, D3):
            await place.service.fleet_desk.set_in_service(drone, on=False)
        incident = await call(place, place="station")
        assert incident.state is IncidentState.WAITING
        assert {(id_, reason.code) for id_, reason in incident.reasons} == {
            (drone, "out_of_service") for drone in (D1, D2, D3)
        }
        assert "incident_without_drone" in place.open_codes()
        await place.service.fleet_desk.set_in_service(D3, on=True)
        sent = await until_state(place, incident, IncidentState.SENT)
        assert sent.vehicle == D3
        assert "incident_without_drone" not in place.open_codes()


async def test_who_is_stood_down_after_the_call_gives_it_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_out = Worker.call_out

    def called_and_stopped(worker: Worker, call: Call) -> None:
        call_out(worker, call)
        if worker.id == D2:
            worker.stand_down()

    monkeypatch.setattr(Worker, "call_out", called_and_stopped)
    async with hospital(district(tmp_path)) as place:
        await asyncio.sleep(60)
        incident = await call(place, place="station", on_scene_s=60)
        assert incident.vehicle == D2
        await until_state(place, incident, IncidentState.OBSERVED)
        assert (await now(place, incident)).vehicle != D2
        assert not place.world.aircraft[D2].airborne


@pytest.mark.long
async def test_who_helps_is_given_no_other_work_before_it_is_home(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        for other in (D1, D3):
            await place.service.fleet_desk.set_in_service(other, on=False)
        await asyncio.sleep(60)
        incident = await call(place, place="station", on_scene_s=300)
        await place.until(lambda: place.world.aircraft[D2].airborne)
        patrol = await place.submit(kind="patrol", area="park")
        while not at_home(place, D2):
            assert place.task(patrol).state is TaskState.QUEUED
            await asyncio.sleep(5)
        assert (await now(place, incident)).state is IncidentState.OBSERVED
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE


async def test_a_scene_outside_the_fence_is_no_drones(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        incident = await call(place, x_m=4000, y_m=0)
        assert {reason.code for _, reason in incident.reasons} == {"no_way_through_the_air"}


async def test_closed_while_under_way_the_drone_comes_home(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        incident = await call(place, place="station")
        await place.until(lambda: place.world.aircraft[D2].position().height_agl_m > 50)
        await asyncio.sleep(20)
        await place.service.incidents.close(incident.id, "false alarm", "Sgt Wu")
        await place.until(lambda: at_home(place, D2), 600)
        assert await kinds(place, incident) == [
            "incident_reported",
            "incident_drone_sent",
            "incident_closed",
        ]


async def test_on_its_way_home_it_turns_to_the_next_one(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        first = await call(place, place="station", on_scene_s=30)
        await until_state(place, first, IncidentState.OBSERVED)
        await asyncio.sleep(10)
        second = await call(place, x_m=1600, y_m=900, on_scene_s=30)
        assert second.vehicle == D2
        assert place.world.aircraft[D2].airborne
        await until_state(place, second, IncidentState.OBSERVED)
        await place.until(lambda: at_home(place, D2))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "missing"),
        ({"place": "station", "x_m": 1}, "named_in_two_ways"),
        ({"place": "statoin"}, "unknown_place"),
        ({"x_m": 1}, "missing"),
        ({"lat_deg": 114.3, "lon_deg": 30.59}, "lat_lon_swapped"),
        ({"lat_deg": 31.5, "lon_deg": 114.3}, "far_away"),
    ],
)
async def test_a_call_from_nowhere_is_refused(
    tmp_path: Path, asked: dict[str, Any], code: str
) -> None:
    async with hospital(district(tmp_path)) as place:
        with pytest.raises(Refused) as refused:
            await call(place, **asked)
        assert [fault.reason.code for fault in refused.value.faults] == [code]
        assert place.service.incidents.shown == []


@pytest.mark.long
async def test_how_soon_help_came_is_counted_from_the_bodies(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await patrolled(place)
        await place.service.fleet_desk.set_in_service(D2, on=True)
        for x_m, y_m in ((700, 100), (1800, 400)):
            asked = IncidentIn(x_m=x_m, y_m=y_m, on_scene_s=60.0)
            await place.simulation.report_incident(PlannedIncident(at_s=0, asked=asked))
            await asyncio.sleep(30)
        await asyncio.sleep(600)
        found: Any = place.simulation.incidents.summary()
        assert (found["count"], found["answered"]) == (2, 2)
        assert found["worst_s"] <= 2
        assert found["arrival"]["over_best_worst"] <= 1.05
        assert found["arrival"]["over_best_p50"] >= 0.98, "nobody is there before it can be"


async def test_who_flies_past_is_not_there(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await patrolled(place)
        body = place.simulation.stage.autopilots[D1].body
        await place.until(lambda: body.velocity()[0] > 10)
        here, loop = body.position().point, asyncio.get_running_loop()
        ahead = Point(here.x_m + 60, here.y_m)
        seen = Seen(at=ahead, called_s=loop.time(), best_s=None)
        following = asyncio.create_task(place.simulation.incidents.follow(seen))
        nearest_m = 100.0
        for _ in range(100):
            await asyncio.sleep(0.1)
            nearest_m = min(nearest_m, body.position().point.distance_m(ahead))
        following.cancel()
        assert nearest_m < 2
        assert seen.there_s is None


@pytest.mark.parametrize("lands_there", [False, True])
async def test_over_the_pads_of_others_it_flies_while_nobody_is_to_land_there(
    tmp_path: Path, lands_there: bool
) -> None:
    async with hospital(district(tmp_path)) as place:
        fleet = place.service.fleet_desk
        for other in (D1, D3):
            await fleet.set_in_service(other, on=False)
        if lands_there:
            await place.submit(kind="patrol", area="park")
            await place.until(lambda: place.world.aircraft[D2].airborne)
            await asyncio.sleep(60)
        await fleet.set_in_service(D2, on=False)
        await fleet.set_in_service(D1, on=True)
        incident = await call(place, x_m=2200, y_m=0, on_scene_s=10)
        assert incident.vehicle == D1
        body, pad, nearest_m = place.world.aircraft[D1], Point(2000, 0), 3000.0
        while body.position().point.distance_m(Point(2200, 0)) > 5:
            nearest_m = min(nearest_m, body.position().point.distance_m(pad))
            await asyncio.sleep(0.25)
        assert (nearest_m > 9) is lands_there


@pytest.mark.parametrize("after_s", [20.0, *told_at_length(0.0, 1.0, 75.0, 130.0)])
@pytest.mark.parametrize("patrols", [False, True])
async def test_killed_at_any_moment_help_still_comes(
    tmp_path: Path, after_s: float, *, patrols: bool
) -> None:
    async with process(district(tmp_path), tmp_path / "store.sqlite") as here:
        await asyncio.sleep(30)
        if patrols:
            await here.submit(kind="patrol", area="park")
            await here.until(lambda: any(b.airborne for b in here.world.aircraft.values()))
            await asyncio.sleep(60)
        asked = IncidentIn(external_id="CAD-1", x_m=700.0, y_m=100.0, on_scene_s=60.0)
        reported = await here.service.incidents.report(asked)
        await asyncio.sleep(after_s)
        await here.restart()
        assert (await here.service.incidents.report(asked)).id == reported.id
        scene, seen = Point(700, 100), False

        def observed() -> bool:
            nonlocal seen
            bodies = [body for body in here.world.aircraft.values() if body.airborne]
            seen = seen or any(b.position().point.distance_m(scene) < 5 for b in bodies)
            states = [one.state for one in here.service.incidents.shown]
            return states == [IncidentState.OBSERVED]

        await here.until(observed, 1200)
        assert seen or after_s > 100
        await here.until(lambda: not any(b.airborne for b in here.world.aircraft.values()), 2400)
        timeline = await here.service.incidents.store.timeline(reported.id)
        assert [event.kind for event in timeline].count("incident_reported") == 1
