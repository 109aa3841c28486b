"""The doors for incidents, control and the log of flights, on a dispatcher that lives."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from dispatcher.api.app import create_app
from fleet.vehicle import VehicleId
from tests.sim.district import district
from tests.sim.hospital import Hospital, hospital

D2 = VehicleId("D2")


class Town:
    """A district and its API."""

    def __init__(self, place: Hospital, http: httpx.AsyncClient) -> None:
        self.place, self.http = place, http

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.http.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def text(self, path: str, **query: Any) -> str:
        answer = await self.http.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with hospital(district(tmp_path)) as place:
        await asyncio.sleep(30)
        transport = httpx.ASGITransport(create_app(place.service))
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
            yield Town(place, http)


async def flown(town: Town) -> Any:
    """An incident to which a drone came, and from which it is back."""
    asked = {"external_id": "CAD-7", "place": "station", "text": "<b>fight</b>", "on_scene_s": 30}
    incident = await town.post("/incidents", 201, **asked)
    body = town.place.world.aircraft[D2]
    await town.place.until(lambda: body.airborne)
    await town.place.until(lambda: not body.airborne)
    await asyncio.sleep(5)
    return incident


async def test_an_incident_from_the_call_to_its_sheet(town: Town) -> None:
    incident = await flown(town)
    assert (incident["state"], incident["vehicle"]) == ("sent", "D2")
    id_ = incident["id"]
    await town.post(f"/incidents/{id_}/notes", text="one ambulance on site", by="Sgt Wu")
    closed = await town.post(f"/incidents/{id_}/close", notes="calm", by="Sgt Wu")
    assert (closed["state"], closed["closed_by"]) == ("closed", "Sgt Wu")
    await town.post(f"/incidents/{id_}/close", 409, notes="", by="Sgt Wu")
    shown = await town.get(f"/incidents/{id_}")
    assert [line["event"] for line in shown["timeline"]] == [
        "incident_reported",
        "incident_drone_sent",
        "incident_drone_arrived",
        "incident_drone_left",
        "incident_drone_home",
        "incident_noted",
        "incident_closed",
    ]
    assert {unit["vehicle"] for unit in shown["others"]} == {"D1", "D3"}
    listed = await town.get("/incidents")
    assert [one["id"] for one in listed["incidents"]] == [id_]
    assert listed["next"] is None
    feature, track = (await town.get(f"/incidents/{id_}/geojson"))["features"]
    assert feature["geometry"]["type"] == "Point"
    assert track["geometry"]["type"] == "LineString"
    assert len(track["geometry"]["coordinates"]) > 10


async def test_the_sheets_hash_is_that_of_the_record_in_it(town: Town) -> None:
    incident = await flown(town)
    sheet = await town.text(f"/incidents/{incident['id']}/sheet")
    assert "<b>fight" not in sheet
    found = re.search(r'id="record">(.*?)</script>', sheet)
    said = re.search(r"<code>([0-9a-f]{64})</code>", sheet)
    assert found is not None
    assert said is not None
    assert hashlib.sha256(found[1].encode()).hexdigest() == said[1]
    record = json.loads(found[1])
    assert record["external_id"] == "CAD-7"
    assert record["text"] == "<b>fight</b>"
    assert len(record["flights"][0]["track"]) > 10


async def test_a_list_of_incidents_says_where_it_goes_on(town: Town) -> None:
    reported = [(await town.post("/incidents", 201, place="station"))["id"] for _ in range(5)]
    found: list[str] = []
    cursor: dict[str, int] = {}
    for many in (2, 2, 1):
        page = await town.get("/incidents", limit=2, **cursor)
        assert len(page["incidents"]) == many
        found += [one["id"] for one in page["incidents"]]
        cursor = {"cursor": page["next"]}
    assert cursor == {"cursor": None}
    assert found == reported[::-1]


async def test_the_flight_is_in_the_log_and_in_every_format(town: Town) -> None:
    incident = await flown(town)
    (flight,) = (await town.get("/flights"))["flights"]
    assert flight["vehicle"] == "D2"
    assert flight["incidents"] == [incident["id"]]
    assert flight["breaches"] == []
    assert flight["charge_at_end"] < flight["charge_at_start"]
    assert 2500 < flight["metres"] < 3500
    detail = await town.get(f"/flights/{flight['id']}")
    assert 10 < len(detail["track"]) < 200
    assert detail["told"][0]["what"].startswith("mission M-")
    assert (await town.text("/flights", format="csv")).count("\n") == 2
    assert "<LineString>" in await town.text("/flights", format="kml")
    geo = json.loads(await town.text("/flights", format="geojson"))
    assert geo["features"][0]["id"] == flight["id"]
    month = await town.get("/flights/report", month="2026-02")
    assert (month["flights"], month["incidents"], month["answered"]) == (1, 1, 1)
    assert month["breaches"] == 0
    assert (await town.get("/flights/report", month="2026-03"))["flights"] == 0
    answer = await town.http.get("/api/v1/flights/report", params={"month": "2026-13"})
    assert answer.status_code == 422


async def test_one_commands_and_others_watch(town: Town) -> None:
    await town.post("/vehicles/D2/control/take", by="Wu")
    refused = await town.post("/vehicles/D2/control/take", 422, by="Li")
    assert refused["error"]["fields"][0]["code"] == "not_in_control"
    asked: dict[str, Any] = {"order": "hold", "vehicles": ["D2"], "by": "Li"}
    (told,) = (await town.post("/control/order", **asked))["answers"]
    assert (told["reply"], told["text"]) == ("not_in_control", "Wu")
    await town.post("/vehicles/D2/control/hand-over", by="Wu", to="Li")
    (told,) = (await town.post("/control/order", **asked))["answers"]
    assert told["reply"] == "acknowledged"
    await town.post("/vehicles/D2/control/release", 422, by="Wu")
    await town.post("/vehicles/D2/control/take", by="Wu", force=True)
    (control,) = (await town.get("/control"))["control"]
    assert control["holder"] == "Wu"
    events = await town.place.service.store.events_of(["control_taken"])
    assert [(event.facts["by"], event.facts["from_whom"]) for event in events] == [
        ("Wu", ""),
        ("Li", "Wu"),
        ("Wu", "Li"),
    ]


async def test_recall_all_calls_home_who_flies_and_says_who_does_not_answer(town: Town) -> None:
    await town.post("/incidents", 201, place="station")
    await town.post("/incidents", 201, x_m=1400, y_m=1300)
    bodies, autopilots = town.place.world.aircraft, town.place.simulation.stage.autopilots
    await town.place.until(lambda: sum(body.airborne for body in bodies.values()) == 2)
    await asyncio.sleep(40)
    silent = next(id_ for id_, body in bodies.items() if body.airborne)
    autopilots[silent].link_down = True
    answers = (await town.post("/control/recall-all", by="Wu"))["answers"]
    replies = {told["vehicle"]: told["reply"] for told in answers}
    assert replies.pop(silent) == "not_answering"
    assert set(replies.values()) == {"acknowledged"}
    autopilots[silent].link_down = False
    for id_ in replies:
        body = bodies[VehicleId(id_)]
        await town.place.until(lambda body=body: not body.airborne)
        vehicle = town.place.service.roster[VehicleId(id_)]
        await town.place.until(lambda vehicle=vehicle: vehicle.state().last_node is not None, 60)


async def test_the_emergency_stop_stays_until_a_person_ends_it(town: Town) -> None:
    await town.post("/incidents", 201, place="station", on_scene_s=30)
    body = town.place.world.aircraft[D2]
    await town.place.until(lambda: body.airborne)
    await asyncio.sleep(60)
    answers = (await town.post("/control/emergency-stop", by="Li"))["answers"]
    assert {told["reply"] for told in answers} == {"acknowledged"}
    await asyncio.sleep(3)
    stood = body.position()
    await town.post("/vehicles/D2/control/take", by="Wu")
    asked: dict[str, Any] = {"order": "go_on", "vehicles": ["D2"], "by": "Wu"}
    (told,) = (await town.post("/control/order", **asked))["answers"]
    assert told["reply"] == "stopped"
    await asyncio.sleep(60)
    assert body.position() == stood
    assert "emergency_stop" in town.place.open_codes()
    another = await town.post("/incidents", 201, x_m=10, y_m=10)
    assert another["state"] == "waiting"
    assert {one["reason"]["code"] for one in another["reasons"]} >= {"commanded"}
    await town.post("/control/emergency-stop/end", by="Wu")
    await town.place.until(lambda: not body.airborne)
    listed = await town.get("/incidents")
    assert {one["state"] for one in listed["incidents"]} <= {"observed", "sent", "on_scene"}
