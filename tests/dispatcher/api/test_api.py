import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from dispatcher.api.app import CONSOLE, create_app
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.records.alerts import Severity
from dispatcher.records.store import Answer
from tests.dispatcher.ward import Ward

DELIVERY: dict[str, Any] = {
    "kind": "delivery",
    "item": "Blankets",
    "from": "ward-1",
    "to": "icu",
    "mass_kg": 2,
}


@pytest_asyncio.fixture
async def ward() -> AsyncIterator[Ward]:
    ward = await Ward.open()
    yield ward
    await ward.store.close()


@pytest_asyncio.fixture
async def api(ward: Ward) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(ward), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ward/api/v1") as client:
        yield client


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error that an answer holds, after a look at its shape."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    for field in body["error"]["fields"]:
        assert set(field) == {"field", "code", "facts", "remedy"}
    return body["error"]


async def test_a_queued_task_is_shown_as_it_was_asked_for(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    answer = await api.post("/tasks", json=DELIVERY | {"note": "ring", "priority": "urgent"})
    assert answer.status_code == 201
    task = answer.json()
    assert (task["id"], task["state"], task["from"], task["to"]) == (
        "T-000001",
        "queued",
        "ward-1",
        ["icu"],
    )
    assert task["created_at"] == "2026-03-01T06:00:00Z"
    assert (task["stops_done"], task["stops_total"], task["late"]) == (0, 2, False)
    again = await api.post("/tasks", json={"kind": "delivery", **task["spec"]})
    assert again.json()["spec"] == task["spec"]

    stored = await ward.store.task(TaskId("T-000001"))
    assert stored is not None

    shown = (await api.get("/tasks/T-000001")).json()
    assert [entry["event"] for entry in shown.pop("timeline")] == ["task_accepted"]
    assert shown == task


@pytest.mark.parametrize(
    ("asked", "title", "to"),
    [
        ({"kind": "medicine", "item": "Insulin", "to": "icu"}, "Insulin", ["icu"]),
        ({"kind": "patrol", "area": "park"}, "Park", []),
        ({"kind": "patrol", "points": ["icu", "ward-1"], "rounds": 3}, "", ["icu", "ward-1"]),
        ({"kind": "disinfection", "room": "icu"}, "uv_c", ["icu"]),
    ],
)
async def test_every_kind_has_its_spec_back(
    api: httpx.AsyncClient, asked: dict[str, Any], title: str, to: list[str]
) -> None:
    task = (await api.post("/tasks", json=asked)).json()
    assert (task["item"], task["to"]) == (title, to)
    assert asked.items() <= (task["spec"] | {"kind": task["kind"]}).items()


async def test_a_task_is_late_when_its_time_has_passed(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json=DELIVERY | {"due_at": "2026-03-01T06:10:00Z"})
    await asyncio.sleep(599)
    assert (await api.get("/tasks/T-000001")).json()["late"] is False
    await asyncio.sleep(2)
    assert (await api.get("/tasks/T-000001")).json()["late"] is True


async def test_each_row_of_a_batch_has_its_own_answer(api: httpx.AsyncClient, ward: Ward) -> None:
    rows = [DELIVERY, DELIVERY | {"mass_kg": "much"}, DELIVERY | {"to": "nowhere"}, None, DELIVERY]
    answer = await api.post("/tasks/batch", json={"tasks": rows})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (2, 3)
    assert [row["row"] for row in body["results"]] == [0, 1, 2, 3, 4]
    assert body["results"][4]["task"]["id"] == "T-000002"
    said = [row["errors"][0] for row in body["results"] if "errors" in row]
    assert [(fault["field"], fault["code"]) for fault in said] == [
        ("mass_kg", "wrong_type"),
        ("to.0", "unknown_place"),
        ("", "wrong_type"),
    ]
    assert len(ward.open_tasks()) == 2


async def test_lists_are_narrowed_and_paged(api: httpx.AsyncClient, ward: Ward) -> None:
    for _ in range(5):
        await api.post("/tasks", json=DELIVERY)
    await api.post("/tasks", json={"kind": "disinfection", "room": "icu"})
    await ward.move(TaskId("T-000002"), TaskState.CANCELLED)

    async def ids(query: str) -> list[str]:
        return [t["id"][-1] for t in (await api.get(f"/tasks?{query}")).json()["tasks"]]

    assert await ids("kind=disinfection") == ["6"]
    assert await ids("state=cancelled") == ["2"]
    assert await ids("state=queued,cancelled&kind=delivery") == ["5", "4", "3", "2", "1"]
    assert await ids("state=queued&state=cancelled&q=blank") == ["5", "4", "3", "2", "1"]
    assert await ids("place=icu&limit=2") == ["6", "5"]
    first = (await api.get("/tasks?limit=4")).json()
    assert (first["total"], first["next"]) == (6, 3)
    last = (await api.get(f"/tasks?limit=4&cursor={first['next']}")).json()
    assert ([t["id"][-1] for t in last["tasks"]], last["next"]) == (["2", "1"], None)


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("state=lost", "state.0", "unknown_value"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=many", "limit", "wrong_type"),
        ("colour=red", "colour", "unknown_field"),
        ("cursor=99999999999999999999999", "cursor", "out_of_range"),
    ],
)
async def test_a_wrong_query_is_told_so(
    api: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    (fault,) = error(await api.get(f"/tasks?{query}"), 422, "invalid")["fields"]
    assert (fault["field"], fault["code"]) == (field, code)


async def test_a_refusal_names_field_value_and_remedy(api: httpx.AsyncClient, ward: Ward) -> None:
    answer = await api.post("/tasks", json=DELIVERY | {"to": "ICU", "colour": "red"})
    (fault,) = error(answer, 422, "invalid")["fields"]
    assert fault["field"] == "colour"
    answer = await api.post("/tasks", json=DELIVERY | {"to": "icuu"})
    (fault,) = error(answer, 422, "refused")["fields"]
    assert (fault["field"], fault["code"], fault["facts"]) == (
        "to.0",
        "unknown_place",
        {"value": "icuu"},
    )
    assert "icu" in fault["remedy"]
    assert ward.open_tasks() == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"kind": "delivery",}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"kind": "delivery", "item": "\\ud800"}',
        b'{"kind": NaN}',
        b"null",
        b"[]",
        b'"text"',
    ],
)
async def test_whatever_is_sent_as_json_the_answer_is_an_error_in_the_one_shape(
    api: httpx.AsyncClient, body: bytes
) -> None:
    for path in ("/tasks", "/tasks/batch"):
        headers = {"Content-Type": "application/json"}
        answer = await api.post(path, content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        error(answer, answer.status_code, answer.json()["error"]["code"])
        assert "Traceback" not in answer.text


async def test_broken_json_is_told_with_its_place(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.post("/tasks", content=b'{"kind": }', headers=headers)
    assert "character 9" in error(answer, 400, "broken_json")["message"]


async def test_only_json_is_taken_so_that_foreign_pages_cannot_give_orders(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = await api.post("/tasks", content=json.dumps(DELIVERY), headers=headers)
    assert "Content-Type: application/json" in error(answer, 415, "not_json")["message"]
    assert ward.open_tasks() == []


async def test_a_large_body_is_refused_before_all_of_it_is_read(api: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield b" " * 65536

    headers = {"Content-Type": "application/json"}
    error(await api.post("/tasks", content=endless(), headers=headers), 413, "too_large")
    assert read < 2 * 1024 * 1024
    headers["Content-Length"] = str(100 * 1024 * 1024)
    error(await api.post("/tasks", content=endless(), headers=headers), 413, "too_large")
    headers["Content-Length"] = "-5"
    error(await api.post("/tasks", content=endless(), headers=headers), 413, "too_large")


async def test_what_is_not_there_is_said_not_to_be_there(api: httpx.AsyncClient) -> None:
    error(await api.get("/tasks/T-999999"), 404, "not_found")
    error(await api.post("/tasks/T-999999/cancel"), 404, "not_found")
    error(await api.get("/vehicles/cart-9"), 404, "not_found")
    error(await api.post("/vehicles/x/service", json={"in_service": True}), 404, "not_found")
    error(await api.post("/alerts/A-9/acknowledge", json={"by": "Lin"}), 404, "not_found")
    error(await api.post("/lanes/x~y/closure", json={"closed": True}), 404, "not_found")
    error(await api.get("/nothing"), 404, "not_found")
    error(await api.post("/nothing"), 404, "not_found")


async def test_a_wrong_method_is_told_the_right_one(api: httpx.AsyncClient) -> None:
    answer = await api.delete("/tasks/T-000001")
    error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    error(await api.get("/tasks/T-000001/cancel"), 405, "method_not_allowed")


async def test_a_task_can_be_cancelled_until_it_has_ended(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    for _ in range(2):
        await api.post("/tasks", json=DELIVERY)
    cancelled = await api.post("/tasks/T-000001/cancel", json={})
    assert cancelled.json()["state"] == "cancelled"
    again = await api.post("/tasks/T-000001/cancel")
    assert (again.status_code, again.json()) == (200, cancelled.json())

    for state in (TaskState.ASSIGNED, TaskState.UNDERWAY, TaskState.DONE):
        await ward.move(TaskId("T-000002"), state)
    said = error(await api.post("/tasks/T-000002/cancel"), 409, "illegal_move")
    assert "T-000002 is done" in said["message"]


async def test_priority_can_be_changed(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json=DELIVERY)
    answer = await api.post("/tasks/T-000001/priority", json={"priority": "stat"})
    assert answer.json()["priority"] == "stat"
    answer = await api.post("/tasks/T-000001/priority", json={"priority": "soon"})
    (fault,) = error(answer, 422, "invalid")["fields"]
    assert fault["facts"]["allowed"] == "stat, urgent, routine or background"


# Idempotency


async def test_the_same_key_again_gives_the_same_task(api: httpx.AsyncClient, ward: Ward) -> None:
    headers = {"Idempotency-Key": "tablet-7/1"}
    first = await api.post("/tasks", json=DELIVERY, headers=headers)
    again = await api.post("/tasks", json=DELIVERY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(ward.open_tasks()) == 1
    other = await api.post("/tasks", json=DELIVERY, headers={"Idempotency-Key": "tablet-7/2"})
    assert other.json()["id"] == "T-000002"


async def test_a_key_belongs_to_one_request(api: httpx.AsyncClient, ward: Ward) -> None:
    headers = {"Idempotency-Key": "k"}
    await api.post("/tasks", json=DELIVERY, headers=headers)
    other = await api.post("/tasks", json=DELIVERY | {"item": "Soap"}, headers=headers)
    error(other, 409, "key_reused")
    error(await api.post("/tasks/T-000001/cancel", headers=headers), 409, "key_reused")
    assert [task.state for task in ward.open_tasks()] == [TaskState.QUEUED]


async def test_two_at_once_with_one_key_are_one(api: httpx.AsyncClient, ward: Ward) -> None:
    headers = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(api.post("/tasks", json=DELIVERY, headers=headers) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ward.submitted == 1


async def test_a_refused_request_may_be_corrected_under_its_key(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    wrong = await api.post("/tasks", json=DELIVERY | {"to": "nowhere"}, headers=headers)
    assert wrong.status_code == 422
    right = await api.post("/tasks", json=DELIVERY, headers=headers)
    assert right.status_code == 201


async def test_after_a_crash_between_task_and_answer_a_repeat_finds_the_task(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    headers = {"Idempotency-Key": "k"}
    first = (await api.post("/tasks", json=DELIVERY, headers=headers)).json()
    kept = await ward.store.answer("k")
    assert kept is not None
    await ward.store.remember(Answer(key="k", fingerprint=kept.fingerprint))  # as after a kill
    again = await api.post("/tasks", json=DELIVERY, headers=headers)
    assert again.json() == first
    assert ward.submitted == 1


async def test_every_write_can_be_repeated_with_its_key(api: httpx.AsyncClient, ward: Ward) -> None:
    batch = {"tasks": [DELIVERY, DELIVERY]}
    for _ in range(2):
        answer = await api.post("/tasks/batch", json=batch, headers={"Idempotency-Key": "b"})
        assert answer.json()["accepted"] == 2
    assert ward.submitted == 2

    ward.book.open("vehicle_silent", Severity.HIGH)
    writes: list[tuple[str, Any]] = [
        ("/tasks/T-000001/priority", {"priority": "stat"}),
        ("/tasks/T-000001/cancel", None),
        ("/vehicles/cart-1/service", {"in_service": False}),
        ("/alerts/A-00001/acknowledge", {"by": "Lin"}),
        ("/lanes/c1~c2/closure", {"closed": True}),
        ("/lanes/c1~c2/closure", {"closed": False}),
        ("/road-rules/R-1/lift", {}),
    ]
    await api.post("/road-rules", json={"kind": "closed", "lanes": "c1~c2"})
    for number, (path, body) in enumerate(writes):
        headers = {"Idempotency-Key": f"w-{number}"}
        first = await api.post(path, json=body, headers=headers)
        again = await api.post(path, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (200, 200), first.text
        assert first.text == again.text


async def test_a_key_is_short_and_not_empty(api: httpx.AsyncClient) -> None:
    for key in ("", "k" * 201):
        answer = await api.post("/tasks", json=DELIVERY, headers={"Idempotency-Key": key})
        (fault,) = error(answer, 422, "invalid")["fields"]
        assert fault["field"] == "header.Idempotency-Key"


# The rest


async def test_vehicles_are_shown_with_the_age_of_their_word(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    await asyncio.sleep(12.34)
    (cart,) = (await api.get("/vehicles")).json()["vehicles"]
    assert cart == (await api.get("/vehicles/cart-1")).json()
    assert (cart["level"], cart["x_m"], cart["age_s"]) == ("L1", 1.23, 12.3)
    assert (cart["charge_ratio"], cart["zone"]) == (0.877, "clean")
    assert cart["skills"] == ["camera", "carry"]
    answer = await api.post("/vehicles/cart-1/service", json={"in_service": False})
    assert answer.json()["in_service"] is False
    answer = await api.post("/vehicles/cart-1/service", json={"in_service": "no"})
    error(answer, 422, "invalid")
    answer = await api.post("/vehicles/cart-1/pause", json={"paused": True})
    assert answer.status_code == 200
    assert next(iter(ward.fleet.values())).state.paused
    error(await api.post("/vehicles/x/pause", json={"paused": True}), 404, "not_found")


async def test_alerts_are_seen_by_name(api: httpx.AsyncClient, ward: Ward) -> None:
    ward.book.open("door_stuck", Severity.CRITICAL, door="d1")
    (alert,) = (await api.get("/alerts")).json()["alerts"]
    assert (alert["code"], alert["facts"]) == ("door_stuck", {"door": "d1"})
    assert alert["since"] == "2026-03-01T06:00:00Z"
    seen = await api.post(f"/alerts/{alert['id']}/acknowledge", json={"by": " Dr Lin "})
    assert seen.json()["acknowledged_by"] == "Dr Lin"
    error(await api.post(f"/alerts/{alert['id']}/acknowledge", json={"by": ""}), 422, "invalid")


async def test_a_lane_is_closed_until_a_moment_to_come(api: httpx.AsyncClient, ward: Ward) -> None:
    body = {"closed": True, "until": "2026-03-01T06:30:00Z"}
    answer = await api.post("/lanes/c1~c2/closure", json=body)
    assert answer.json() == {"lane": "c1~c2", **body}
    assert ward.closed == {"c1~c2": 1800.0}
    past = await api.post("/lanes/c1~c2/closure", json=body | {"until": "2026-03-01T05:00:00Z"})
    (fault,) = error(past, 422, "refused")["fields"]
    assert fault["field"] == "until"


async def test_a_rule_of_the_road_is_set_seen_and_lifted(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    slow = {"kind": "speed_limit", "along": ["c2", "c1"], "speed_m_s": 0.5}
    headers = {"Idempotency-Key": "slow"}
    first = await api.post("/road-rules", json=slow, headers=headers)
    again = await api.post("/road-rules", json=slow, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    rule = first.json()
    assert rule == again.json()
    assert rule["lanes"] == [{"lane": "c1~c2", "to": None}]
    assert (await api.get("/road-rules")).json() == {"road_rules": [rule]}
    lifted = await api.post(f"/road-rules/{rule['id']}/lift")
    assert lifted.json() == {**rule, "in_force": False}
    assert not ward.rules
    error(await api.post(f"/road-rules/{rule['id']}/lift"), 404, "not_found")
    later = (await api.post("/road-rules", json=slow | {"from": "2026-03-01T07:00:00Z"})).json()
    assert (later["from"], later["in_force"]) == ("2026-03-01T07:00:00Z", False)


async def test_what_was_seen_is_kept_and_listed(api: httpx.AsyncClient) -> None:
    asked = {"what": "temperature", "place": "icu", "value": 38.4, "media": "cam/7.jpg"}
    key = {"Idempotency-Key": "camera-7"}
    first = await api.post("/observations", json=asked, headers=key)
    assert first.status_code == 201
    assert (await api.post("/observations", json=asked, headers=key)).json() == first.json()
    listed = (await api.get("/observations")).json()["observations"]
    assert listed == [first.json()]
    assert (listed[0]["place"], listed[0]["value"], listed[0]["incident"]) == ("icu", 38.4, None)
    help_for = {"what": "no_mask", "place": "icu", "incident": True, "media": "cam/8.jpg"}
    incident = (await api.post("/observations", json=help_for)).json()["incident"]
    found = (await api.get(f"/incidents/{incident}")).json()
    assert (found["source"], found["text"]) == ("observation", "no_mask")
    error(await api.post("/observations", json={"what": "crowd"}), 422, "refused")
    error(await api.post("/observations", json={"what": "fog", "place": "icu"}), 422, "invalid")


async def test_a_patrol_is_previewed_without_being_queued(
    api: httpx.AsyncClient, ward: Ward
) -> None:
    asked: dict[str, Any] = {"kind": "patrol", "points": ["icu", "ward-1"]}
    answer = await api.post("/patrols/preview", json=asked)
    assert answer.status_code == 200
    assert (answer.json()["vehicles_needed"], answer.json()["errors"]) == (1, [])
    assert (answer.json()["vehicles_used"], answer.json()["sorties"]) == (None, None)
    assert ward.open_tasks() == []
    crossing = {"kind": "patrol", "outline": [[0, 0], [20, 20], [20, 0], [0, 20]]}
    (wrong,) = (await api.post("/patrols/preview", json=crossing)).json()["errors"]
    assert (wrong["field"], wrong["code"]) == ("outline", "area_crosses_itself")
    error(await api.post("/patrols/preview", json={"kind": "patrol"}), 422, "invalid")
    assert (await api.get("/watches")).json() == {"watches": []}


async def test_an_emergency_is_raised_seen_and_ended(api: httpx.AsyncClient, ward: Ward) -> None:
    blue = {"kind": "code_blue", "level": "L1", "by": "Dr Lin"}
    headers = {"Idempotency-Key": "blue"}
    first = await api.post("/emergencies", json=blue, headers=headers)
    again = await api.post("/emergencies", json=blue, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    raised = first.json()
    assert raised == again.json()
    assert (raised["by"], raised["level"], raised["in_force"]) == ("Dr Lin", "L1", True)
    assert (await api.get("/emergencies")).json() == {"emergencies": [raised]}
    over = await api.post(f"/emergencies/{raised['id']}/end", json={"by": "Dr Lin"})
    assert over.json() == {**raised, "in_force": False}
    assert not ward.alarms
    error(await api.post(f"/emergencies/{raised['id']}/end", json={}), 404, "not_found")
    refused = await api.post("/emergencies", json={"kind": "fire", "building": "east"})
    (fault,) = error(refused, 422, "refused")["fields"]
    assert (fault["field"], fault["code"]) == ("building", "unknown_building")
    error(await api.post("/emergencies", json={"kind": "flood"}), 422, "invalid")


@pytest.mark.parametrize(
    ("body", "status_code", "field"),
    [
        ({"kind": "speed_limit", "lanes": ["c1~c2"], "speed_m_s": 0}, "invalid", "speed_m_s"),
        ({"kind": "speed_limit", "lanes": ["c1~c2"], "speed_m_s": -1}, "invalid", "speed_m_s"),
        ({"kind": "slow", "lanes": ["c1~c2"]}, "invalid", "kind"),
        ({"kind": "closed", "lanes": ["c1~c9"]}, "refused", "lanes.0"),
        ({"kind": "closed", "zone": "contaminated"}, "refused", "zone"),
        ({"kind": "closed", "lanes": "c1~c2", "until": "2026-03-01T05:00Z"}, "refused", "until"),
    ],
)
async def test_a_rule_that_can_not_be_says_what_to_send(
    api: httpx.AsyncClient, body: dict[str, Any], status_code: str, field: str
) -> None:
    (fault,) = error(await api.post("/road-rules", json=body), 422, status_code)["fields"]
    assert fault["field"] == field
    assert fault["remedy"]


async def test_the_site_is_all_a_map_needs(api: httpx.AsyncClient) -> None:
    site = (await api.get("/site")).json()
    assert site["name"] == {"en": "Ward", "zh": "病区"}
    assert site["anchor"] == {"lat_deg": 30.5928, "lon_deg": 114.3055, "bearing_deg": 0.0}
    lane = next(lane for lane in site["lanes"] if lane["id"] == "c1~c2")
    assert (lane["level"], lane["a"], lane["b"]) == ("L1", [0.0, 0.0], [10.0, 0.0])
    assert {place["id"] for place in site["places"]} == {"pharmacy", "icu", "ward-1"}
    assert [air["kind"] for air in site["airspaces"]] == ["geofence", "patrol"]


async def test_health_says_how_much_is_going_on(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json=DELIVERY)
    health = (await api.get("/health")).json()
    assert (health["status"], health["open_tasks"], health["vehicles_online"]) == ("ok", 1, 1)


async def test_openapi_describes_every_route_and_refers_to_nothing_missing(
    api: httpx.AsyncClient,
) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    names: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert "422" not in operation["responses"], (method, path)
            assert "4XX" in operation["responses"]
            names.append(operation["operationId"])
    assert len(names) == len(set(names)) >= 15

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: Any = document
                for step in str(node["$ref"]).removeprefix("#/").split("/"):
                    target = target[step]
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(document)


async def test_the_schemas_come_by_kind(api: httpx.AsyncClient) -> None:
    schemas = (await api.get("/schemas")).json()
    assert list(schemas) == ["delivery", "medicine", "patrol", "disinfection"]
    assert schemas["delivery"]["properties"]["to"]["x-widget"] == "places"


def test_the_console_and_leaflet_come_from_installed_packages() -> None:
    async def main() -> None:
        ward = await Ward.open()
        transport = httpx.ASGITransport(create_app(ward))
        async with httpx.AsyncClient(transport=transport, base_url="http://ward") as web:
            page = await web.get("/")
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert "default-src 'self'" in page.headers["content-security-policy"]
            assert page.headers["x-content-type-options"] == "nosniff"
            for file in ("leaflet.js", "leaflet.css", "leaflet-src.esm.js"):
                assert (await web.get(f"/vendor/leaflet/{file}")).status_code == 200
            for path in ("/nothing.js", "/vendor/leaflet/no.js", "/%2e%2e/%2e%2e/api.py"):
                error(await web.get(path), 404, "not_found")
            error(await web.post("/index.html"), 405, "method_not_allowed")
        await ward.store.close()

    assert not any(CONSOLE.rglob("leaflet-src*"))
    asyncio.run(main())  # files are read by threads: on the wall's clock


async def test_a_mistake_of_ours_shows_no_trace(api: httpx.AsyncClient, ward: Ward) -> None:
    del ward.fleet
    answer = await api.get("/vehicles")
    error(answer, 500, "internal")
    assert "Traceback" not in answer.text
    assert "fleet" not in answer.text
