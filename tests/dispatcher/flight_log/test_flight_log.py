"""The log of flights: who writes it and reads it holds up nobody, and leaves nothing out."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from dispatcher.api.app import create_app
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.flight_log.log import Fix, Flight, FlightId
from dispatcher.flight_log.month import Flown
from dispatcher.flight_log.recorder import JUDGED_AT_ONCE, WRITE_S, FlightRecorder
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.pages import PAGE
from dispatcher.records.store import Store
from dispatcher.work.worker import Worker
from fleet.clock import Clock
from fleet.vehicle import Medium, Position, VehicleId, VehicleState
from routing.geometry import Point
from routing.site import LevelId
from tests.dispatcher.ward import START, Ward, cart

MARCH = datetime(2026, 3, 5, tzinfo=UTC)
TRACK = (Fix(0.0, 0.0, 0.0, 0.0), Fix(60.0, 30.0, 0.0, 40.0))
DRONE = replace(cart().spec, id=VehicleId("D1"), medium=Medium.AIR)


class Aside(InlineExecutor):
    """Does the work of the store, and keeps what came of it."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.made.append(future.result())
        return future


class Idle:
    """A worker without work."""

    helper = current = None


class Logged:
    """A ward, what its store's executor made, and its door."""

    def __init__(self, ward: Ward, aside: Aside, http: httpx.AsyncClient) -> None:
        self.ward, self.aside, self.http = ward, aside, http
        self.log = ward.flights.store
        workers = {DRONE.id: cast(Worker, Idle())}
        self.recorder = FlightRecorder(
            ward.site, ward.clock, self.log, workers, ward.control.holder
        )

    async def fly(self, many: int, vehicles: int = 2) -> None:
        """Write flights of March, one after the other."""
        began_s = self.ward.clock.to_loop(MARCH)
        flights = [
            Flight(
                id=FlightId(f"F-{n:06d}"),
                vehicle=VehicleId(f"D{1 + n % vehicles}"),
                began_s=began_s + n,
                ended_s=began_s + n + 90,
                track=TRACK,
            )
            for n in range(1, many + 1)
        ]
        await self.log.put(flights)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        answer = await self.http.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer

    def hear(self, x_m: float, y_m: float, *, airborne: bool = True) -> None:
        """A word of the drone, 40 m above that spot."""
        state = VehicleState(
            heard_at_s=self.ward.clock.now_s(),
            online=True,
            position=Position(
                level=LevelId("L1"),
                point=Point(x_m, y_m),
                yaw_rad=0.0,
                height_agl_m=40.0 if airborne else 0.0,
            ),
            airborne=airborne,
        )
        self.recorder.hear(DRONE, state)

    async def flight(self) -> Flight:
        found = await self.log.find(FlightId("F-000001"), lambda flight: flight)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def here() -> AsyncIterator[Logged]:
    aside, clock = Aside(), Clock.starting(START)
    ward = Ward(await Store.open("sqlite://", clock, aside), clock)
    transport = httpx.ASGITransport(create_app(ward))
    async with httpx.AsyncClient(transport=transport, base_url="http://ward") as http:
        yield Logged(ward, aside, http)
    await ward.store.close()


@pytest.mark.long
async def test_an_export_of_a_month_leaves_nothing_out(here: Logged) -> None:
    await here.fly(5003)
    lines = (await here.get("/flights", month="2026-03", format="csv")).text.split("\r\n")
    assert [line[:8] for line in lines[1:-1]] == [f"F-{n:06d}" for n in range(1, 5004)]
    features = (await here.get("/flights", month="2026-03", format="geojson")).json()["features"]
    assert [one["id"] for one in features] == [f"F-{n:06d}" for n in range(1, 5004)]
    kml = (await here.get("/flights", month="2026-03", format="kml", vehicle="D1")).text
    assert kml.count("<Placemark>") == 2501
    assert kml.endswith("</Placemark>\n</Document></kml>\n")


async def test_an_export_comes_in_pieces_of_some_flights(here: Logged) -> None:
    await here.fly(PAGE + 1)
    await here.get("/flights", month="2026-03", format="csv")
    texts = [made[0] for made in here.aside.made if isinstance(made, tuple)]
    assert [text.count("\n") for text in texts] == [PAGE, 1]


async def test_files_of_no_flights_are_whole(here: Logged) -> None:
    geo = await here.get("/flights", month="2026-03", format="geojson")
    assert json.loads(geo.text) == {"type": "FeatureCollection", "features": []}
    assert (await here.get("/flights", format="csv")).text.count("\n") == 1
    assert (await here.get("/flights")).json() == {"flights": [], "next": None}


async def test_a_list_says_where_it_goes_on(here: Logged) -> None:
    await here.fly(2 * PAGE + 3)
    for span, ids in (
        ({"month": "2026-03"}, range(1, 2 * PAGE + 4)),
        ({}, range(2 * PAGE + 3, 0, -1)),
    ):
        found: list[str] = []
        cursor: dict[str, int] = {}
        while True:
            page = (await here.get("/flights", limit=PAGE + 10, **span, **cursor)).json()
            found += [one["id"] for one in page["flights"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert found == [f"F-{n:06d}" for n in ids]
    of_one = (await here.get("/flights", vehicle="D2", limit=2)).json()
    assert [one["id"] for one in of_one["flights"]] == ["F-000103", "F-000101"]


async def test_the_numbers_of_a_month_are_added_up_beside_the_loop(here: Logged) -> None:
    await here.fly(2 * PAGE)
    month = (await here.get("/flights/report", month="2026-03")).json()
    assert (month["flights"], month["minutes"], month["kilometres"]) == (100, 150.0, 3.0)
    assert month["minutes_by_vehicle"] == {"D1": 75.0, "D2": 75.0}
    sums = [made[0] for made in here.aside.made if isinstance(made, tuple)]
    assert [one.flights for one in sums if isinstance(one, Flown)] == [PAGE, PAGE]


async def test_one_flight_is_written_beside_the_loop(here: Logged) -> None:
    await here.fly(1)
    here.aside.made.clear()
    text = (await here.get("/flights/F-000001")).text
    assert text in here.aside.made
    assert len(json.loads(text)["track"]) == len(TRACK)


async def test_files_of_an_incident_are_written_beside_the_loop_flight_by_flight(
    here: Logged,
) -> None:
    incident = await here.ward.incidents.report(IncidentIn(x_m=5, y_m=5))
    began_s = here.ward.clock.now_s()
    for n in (1, 2):
        flight = Flight(
            id=FlightId(f"F-{n:06d}"),
            vehicle=DRONE.id,
            began_s=began_s + n,
            ended_s=began_s + n + 90,
            track=TRACK,
            incidents=(incident.id,),
        )
        await here.log.put([flight])
    await asyncio.sleep(60)
    for form in ("sheet", "geojson"):
        here.aside.made.clear()
        text = (await here.get(f"/incidents/{incident.id}/{form}")).text
        assert text in here.aside.made
        lines = [made for made in here.aside.made if isinstance(made, dict) and "track" in made]
        assert [line["flight"] for line in lines] == ["F-000001", "F-000002"]


async def test_a_track_is_judged_beside_the_loop_and_as_it_grows(here: Logged) -> None:
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(here.recorder.run())
        here.hear(0, -10)
        await asyncio.sleep(20)
        here.hear(0, 60)  # the fence ends at y = x
        await asyncio.sleep(20)
        here.hear(30, -10)
        await asyncio.sleep(WRITE_S)
        assert (await here.flight()).breaches == ("fence",)
        for n in range(2 * JUDGED_AT_ONCE):
            await asyncio.sleep(0.1)
            here.hear(30, -10 if n % 2 else 25)
        here.hear(30, -10, airborne=False)
        await asyncio.sleep(1)
        writing.cancel()
    flight = await here.flight()
    assert (flight.breaches, flight.ended_s is None) == (("fence",), False)
    judged = [made for made in here.aside.made if isinstance(made, list) and "fence" in made]
    assert judged == [["fence"]]
    assert here.aside.made.count([]) >= 3
