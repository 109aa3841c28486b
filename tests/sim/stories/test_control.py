"""Stories of who commands: orders in flight, over a restart, and what the log of flights says."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.air.air_in_use import AirInUse
from dispatcher.desks.control_desk import Order, Reply
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.task import TaskState
from dispatcher.flight_log.log import Flight, FlightQuery
from fleet.vehicle import VehicleId
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.process import Place
from tests.sim.process import place as process

D1, C1 = VehicleId("D1"), VehicleId("C1")


async def in_the_air(place: Hospital | Place) -> Any:
    """D1 over the park, a minute after its take-off."""
    for other in ("D2", "D3"):
        await place.service.fleet_desk.set_in_service(VehicleId(other), on=False)
    patrol = await place.submit(kind="patrol", area="park")
    await place.until(lambda: place.world.aircraft[D1].airborne)
    await asyncio.sleep(60)
    return patrol


async def tell(place: Hospital | Place, order: Order, by: str = "Wu") -> Reply:
    (told,) = await place.service.control.command(order, by, [D1])
    return told.reply


@pytest.mark.long
async def test_on_hold_and_on_again_the_patrol_is_flown_to_its_end(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        patrol = await in_the_air(place)
        await place.service.control.take(D1, "Wu")
        assert await tell(place, Order.HOLD) is Reply.ACKNOWLEDGED
        await asyncio.sleep(3)
        stood = place.world.aircraft[D1].position()
        await asyncio.sleep(100)
        assert place.world.aircraft[D1].position() == stood
        assert await tell(place, Order.GO_ON) is Reply.ACKNOWLEDGED
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE


@pytest.mark.long
async def test_called_home_it_stays_there_until_it_may_go_on(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        patrol = await in_the_air(place)
        assert await tell(place, Order.RECALL) is Reply.ACKNOWLEDGED
        await place.until(lambda: not place.world.aircraft[D1].airborne)
        await asyncio.sleep(600)
        assert not place.world.aircraft[D1].airborne
        assert place.task(patrol).state is not TaskState.DONE
        await place.service.control.take(D1, "Li")
        assert await tell(place, Order.GO_ON, "Li") is Reply.ACKNOWLEDGED
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE


async def test_a_restart_changes_nothing_about_who_commands(tmp_path: Path) -> None:
    async with process(district(tmp_path), tmp_path / "store.sqlite") as here:
        await in_the_air(here)
        await here.service.control.take(D1, "Wu")
        await here.service.control.stop("Li")
        await asyncio.sleep(3)
        stood = here.world.aircraft[D1].position()
        await here.restart()
        await asyncio.sleep(60)
        assert here.world.aircraft[D1].position() == stood
        assert here.service.control.holder(D1) == "Wu"
        assert here.service.control.stopped[D1] == "Li"
        assert await tell(here, Order.GO_ON) is Reply.STOPPED
        assert await tell(here, Order.RECALL) is Reply.ACKNOWLEDGED
        await here.until(lambda: not here.world.aircraft[D1].airborne, 600)
        await here.service.control.let_go("Wu")
        assert here.service.control.stopped == {}


async def test_stopped_while_it_waits_for_its_take_off_it_stays_on_the_ground(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[AirInUse] = []

    def full(air: AirInUse, *_: Any) -> list[VehicleId]:
        asked.append(air)
        return [VehicleId("D9")]

    async with hospital(district(tmp_path)) as place:
        with monkeypatch.context() as held:
            held.setattr(AirInUse, "in_the_way", full)
            patrol = await place.submit(kind="patrol", area="park")
            await place.until(lambda: bool(asked))
            await place.service.control.stop("Li")
            await asyncio.sleep(5)
        await asyncio.sleep(120)
        assert not any(one.airborne for one in place.world.aircraft.values())
        await place.service.control.let_go("Li")
        await place.until_ended(patrol)
        assert place.task(patrol).state is TaskState.DONE


async def test_the_emergency_stop_holds_robots_with_what_they_carry(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        body = place.world.ground[C1]
        await place.until(lambda: bool(body.loads) and body.edge is not None)
        told = await place.service.control.stop("Li")
        assert [one.reply for one in told] == [Reply.ACKNOWLEDGED]
        await asyncio.sleep(20)
        stood = body.position()
        await asyncio.sleep(120)
        assert body.position() == stood
        await place.service.control.let_go("Li")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


async def flights_of(place: Hospital | Place) -> list[Flight]:
    await asyncio.sleep(5)
    pages = place.service.flights.store.pages(FlightQuery(limit=10), list)
    return [flight async for page, _ in pages for flight in page][::-1]


async def test_the_log_says_who_had_the_drone_do_what(tmp_path: Path) -> None:
    async with hospital(district(tmp_path)) as place:
        await place.service.control.take(D1, "Wu")
        patrol = await in_the_air(place)
        assert await tell(place, Order.HOLD) is Reply.ACKNOWLEDGED
        await asyncio.sleep(30)
        assert await tell(place, Order.RECALL) is Reply.ACKNOWLEDGED
        await place.until(lambda: not place.world.aircraft[D1].airborne)
        (flight,) = await flights_of(place)
        assert flight.commanded_by == "Wu"
        assert flight.tasks == (patrol,)
        assert [(one.what, one.by) for one in flight.told[1:]] == [("hold", "Wu"), ("recall", "Wu")]
        assert flight.ended_s is not None
        assert flight.breaches == ()
        assert max(fix.height_agl_m for fix in flight.track) > 35


async def test_a_restart_in_flight_leaves_one_flight_in_the_log(tmp_path: Path) -> None:
    async with process(district(tmp_path), tmp_path / "store.sqlite") as here:
        await asyncio.sleep(30)
        asked = IncidentIn(x_m=700.0, y_m=100.0, on_scene_s=60.0)
        incident = await here.service.incidents.report(asked)
        await asyncio.sleep(45)
        await here.restart()
        await asyncio.sleep(30)
        await here.until(lambda: not any(b.airborne for b in here.world.aircraft.values()), 900)
        (flight,) = await flights_of(here)
        assert flight.cut
        assert flight.incidents == (incident.id,)
        assert flight.ended_s is not None
