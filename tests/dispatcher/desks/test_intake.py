import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dispatcher.config import DispatchConfig
from dispatcher.desks.intake import TaskFields, parse, to_task_fields
from dispatcher.desks.schemas import task_schemas
from dispatcher.domain.task import (
    Delivery,
    Disinfection,
    Goods,
    Kind,
    Medicine,
    Method,
    Patrol,
    Priority,
)
from dispatcher.errors import FieldFault, Refused
from fleet.clock import Clock
from fleet.vehicle import Medium
from routing.site import AirspaceId, PlaceId, Site
from tests.dispatcher.ward import START, ward_site

DELIVERY: dict[str, Any] = {
    "kind": "delivery",
    "item": "Blankets",
    "from": "ward-1",
    "to": "icu",
    "mass_kg": 2,
}
MEDICINE: dict[str, Any] = {"kind": "medicine", "item": "Insulin", "to": "icu"}
PATROL: dict[str, Any] = {"kind": "patrol", "area": "park"}
DISINFECTION: dict[str, Any] = {"kind": "disinfection", "room": "icu"}


@pytest.fixture(scope="module")
def ward() -> Site:
    return ward_site()


def read(site: Site, asked: dict[str, Any]) -> TaskFields:
    request = parse(asked)
    assert not isinstance(request, list), request
    return to_task_fields(request, site, Clock.starting(START), DispatchConfig())


def faults(asked: object) -> list[FieldFault]:
    found = parse(asked)
    assert isinstance(found, list), found
    return found


def refusals(site: Site, asked: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        read(site, asked)
    return [(fault.field, fault.reason.code) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"outline": [[0, 0], [9, 0], [9, 9]]}, "several_areas"),
        ({"by": "ground"}, "area_by_air"),
        ({"revisit_s": 300}, "watch_needs_both"),
        ({"until": "2026-03-01T08:00:00Z"}, "watch_needs_both"),
        ({"manner": "watch"}, "manner_differs"),
        ({"manner": "route"}, "manner_differs"),
        ({"order": "random"}, "random_on_the_ground"),
        ({"area": None, "points": ["icu"], "manner": "route", "order": "best"}, "route_has_order"),
        ({"area": None, "points": ["icu"], "manner": "cover"}, "manner_differs"),
    ],
)
def test_a_patrol_that_contradicts_itself_is_told(more: dict[str, Any], code: str) -> None:
    (fault,) = faults(PATROL | more)
    assert fault.reason.code == code
    assert fault.remedy


async def test_a_watch_is_due_at_its_end(ward: Site) -> None:
    until = "2026-03-01T09:00:00Z"
    fields = read(ward, PATROL | {"manner": "watch", "revisit_s": 300, "until": until})
    assert fields.due_s - fields.earliest_s == 3 * 3600
    assert isinstance(fields.spec, Patrol)
    assert fields.spec.is_watch
    past = PATROL | {"revisit_s": 300, "until": "2026-03-01T05:00:00Z"}
    assert refusals(ward, past) == [("until", "in_the_past")]


async def test_the_shortest_request_of_each_kind_is_enough(ward: Site) -> None:
    assert read(ward, DELIVERY).spec == Delivery(
        item="Blankets",
        goods=Goods.GENERAL,
        origin=PlaceId("ward-1"),
        drop_offs=(PlaceId("icu"),),
        mass_g=2000,
    )
    medicine = read(ward, MEDICINE).spec
    assert isinstance(medicine, Medicine)
    assert (medicine.origin, medicine.recipient_role, medicine.mass_g) == (
        "pharmacy",
        "nurse",
        1000,
    )
    assert read(ward, PATROL).spec == Patrol(area=AirspaceId("park"))
    room = read(ward, DISINFECTION).spec
    assert isinstance(room, Disinfection)
    assert (room.method, room.duration_s) == (Method.UV_C, 600.0)


async def test_a_full_request_keeps_every_word(ward: Site) -> None:
    await asyncio.sleep(100)
    asked = DELIVERY | {
        "priority": "stat",
        "goods": "sterile",
        "to": ["icu", "pharmacy"],
        "mass_kg": 1.0015,
        "volume_l": 0.25,
        "by": "air",
        "earliest_at": "2026-03-01T06:10:00Z",
        "due_at": "2026-03-01T14:30:00+08:00",
        "requester": " Dr Lin 林 ",
        "note": "second door\nring twice",
    }
    fields = read(ward, asked)
    assert isinstance(fields.spec, Delivery)
    assert fields.spec.drop_offs == ("icu", "pharmacy")
    assert (fields.spec.mass_g, fields.spec.volume_ml) == (1002, 250)
    assert (fields.spec.goods, fields.spec.by) == (Goods.STERILE, Medium.AIR)
    assert (fields.earliest_s, fields.due_s) == (700.0, 1900.0)
    assert (fields.requester, fields.note) == ("Dr Lin 林", "second door\nring twice")


async def test_urgency_says_when_it_is_due_if_nobody_else_does(ward: Site) -> None:
    stat = read(ward, MEDICINE | {"priority": "stat"})
    later = read(ward, MEDICINE | {"earliest_at": "2026-03-01T07:00:00Z"})
    assert (stat.earliest_s, stat.due_s) == (0.0, DispatchConfig().due_s.stat)
    assert (later.earliest_s, later.due_s) == (3600.0, 3600.0 + DispatchConfig().due_s.routine)


async def test_an_earliest_time_that_has_passed_means_now(ward: Site) -> None:
    await asyncio.sleep(100)
    fields = read(ward, MEDICINE | {"earliest_at": "2026-03-01T05:00:00Z"})
    assert fields.earliest_s == 100.0


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        ({"due_at": "2026-03-01T05:59:00Z"}, ("due_at", "in_the_past")),
        ({"due_at": "0001-01-01T00:00:00+14:00"}, ("due_at", "in_the_past")),
        ({"due_at": "9999-12-31T23:59:59-14:00"}, ("due_at", "too_far_ahead")),
        ({"earliest_at": "2028-01-01T00:00:00Z"}, ("earliest_at", "too_far_ahead")),
        (
            {"earliest_at": "2026-03-01T08:00:00Z", "due_at": "2026-03-01T07:00:00Z"},
            ("due_at", "window_empty"),
        ),
    ],
)
async def test_a_window_that_cannot_be_kept_is_refused(
    ward: Site, times: dict[str, str], wrong: tuple[str, str]
) -> None:
    assert refusals(ward, MEDICINE | times) == [wrong]


async def test_unknown_places_are_named_with_the_nearest_known_one(ward: Site) -> None:
    with pytest.raises(Refused) as caught:
        read(ward, DELIVERY | {"from": "ward-2", "to": ["icu", "farmacy"]})
    first, second = caught.value.faults
    assert (first.field, first.reason.code) == ("from", "unknown_place")
    assert "did you mean ward-1?" in first.remedy
    assert (second.field, second.reason.facts) == ("to.1", {"value": "farmacy"})
    assert "did you mean pharmacy?" in second.remedy


async def test_a_fence_is_no_patrol_area(ward: Site) -> None:
    assert refusals(ward, PATROL | {"area": "fence"}) == [("area", "unknown_area")]


async def test_goods_go_from_one_place_to_others(ward: Site) -> None:
    asked = DELIVERY | {"to": ["ward-1", "icu", "icu"]}
    assert refusals(ward, asked) == [("to.0", "same_place"), ("to.2", "named_twice")]
    assert refusals(ward, MEDICINE | {"to": "pharmacy"}) == [("to", "same_place")]


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        (None, "", "wrong_type"),
        ([DELIVERY], "", "wrong_type"),
        ({}, "kind", "missing"),
        ({"kind": "taxi"}, "kind", "unknown_value"),
        ({"kind": ["delivery"]}, "kind", "unknown_value"),
        (DELIVERY | {"form": "icu"}, "form", "unknown_field"),
        (DELIVERY | {"mass_kg": "2"}, "mass_kg", "wrong_type"),
        (DELIVERY | {"mass_kg": True}, "mass_kg", "wrong_type"),
        (DELIVERY | {"mass_kg": None}, "mass_kg", "wrong_type"),
        (DELIVERY | {"mass_kg": 0}, "mass_kg", "out_of_range"),
        (DELIVERY | {"mass_kg": -1.5}, "mass_kg", "out_of_range"),
        (DELIVERY | {"mass_kg": float("nan")}, "mass_kg", "out_of_range"),
        (DELIVERY | {"mass_kg": float("inf")}, "mass_kg", "out_of_range"),
        (DELIVERY | {"mass_kg": 10**5000}, "mass_kg", "wrong_type"),
        (DELIVERY | {"to": []}, "to", "too_short"),
        (DELIVERY | {"to": [f"p{n}" for n in range(21)]}, "to", "too_long"),
        (DELIVERY | {"to": ["icu", 7]}, "to.1", "wrong_type"),
        (DELIVERY | {"item": "   "}, "item", "too_short"),
        (DELIVERY | {"item": "x" * 121}, "item", "too_long"),
        (DELIVERY | {"item": "bell\x07"}, "item", "control_character"),
        (DELIVERY | {"item": "\ud800"}, "item", "control_character"),
        (DELIVERY | {"priority": "high"}, "priority", "unknown_value"),
        (DELIVERY | {"due_at": 1772345678}, "due_at", "not_a_time"),
        (DELIVERY | {"due_at": "1772345678"}, "due_at", "not_a_time"),
        (DELIVERY | {"due_at": "2026-03-01T08:30:00"}, "due_at", "not_a_time"),
        (DELIVERY | {"due_at": "2026-02-30T08:30:00Z"}, "due_at", "not_a_time"),
        (MEDICINE | {"controlled": "yes"}, "controlled", "wrong_type"),
        (PATROL | {"points": ["icu"]}, "", "area_or_points"),
        ({"kind": "patrol"}, "", "area_or_points"),
        (PATROL | {"rounds": 1.5}, "rounds", "wrong_type"),
        (PATROL | {"rounds": 0}, "rounds", "out_of_range"),
        (DISINFECTION | {"method": "bleach"}, "method", "unknown_value"),
    ],
)
def test_each_wrong_field_is_named_with_a_code_and_a_remedy(
    asked: object, field: str, code: str
) -> None:
    (fault,) = faults(asked)
    assert (fault.field, fault.reason.code) == (field, code)
    assert fault.remedy.startswith(("send ", "leave it out"))


def test_a_mistyped_field_is_told_its_right_name() -> None:
    (fault,) = faults(DELIVERY | {"form": "icu"})
    assert fault.remedy == "leave it out; did you mean from?"
    assert fault.reason.facts == {"value": "icu"}


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = faults({"kind": "delivery", "item": "", "mass_kg": -1, "colour": "red"})
    assert {(f.field, f.reason.code) for f in found} == {
        ("item", "too_short"),
        ("mass_kg", "out_of_range"),
        ("colour", "unknown_field"),
        ("from", "missing"),
        ("to", "missing"),
    }


def test_a_huge_value_is_not_said_back_whole() -> None:
    nested: Any = []
    for _ in range(900):
        nested = [nested]
    for value in ("x" * 100_000, nested, {"a": nested}, 10**5000):
        (fault,) = faults(DELIVERY | {"goods": value})
        assert len(str(fault.reason.facts["value"])) <= 80


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({name for schema in task_schemas().values() for name in schema["properties"]})


@pytest.mark.long
@given(
    st.fixed_dictionaries({}, optional={name: JSON for name in FIELDS if name != "kind"}),
    st.sampled_from([kind.value for kind in Kind]),
)
def test_no_request_whatever_breaks_the_reader(fields: dict[str, Any], kind: str) -> None:
    found = parse(fields | {"kind": kind})
    if isinstance(found, list):
        json.dumps([dict(fault.reason.facts) for fault in found], allow_nan=False).encode()


@pytest.mark.parametrize("asked", [DELIVERY, MEDICINE, PATROL, DISINFECTION])
def test_the_forms_schema_takes_what_the_reader_takes(asked: dict[str, Any]) -> None:
    schema = task_schemas()[asked["kind"]]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    listed = asked | ({"to": [asked["to"]]} if asked["kind"] == "delivery" else {})
    assert not list(validator.iter_errors(listed))
    assert list(validator.iter_errors(listed | {"colour": "red"}))


def test_every_field_of_a_form_has_words_in_both_languages_and_a_place() -> None:
    for schema in task_schemas().values():
        assert set(schema["x-label"]) == {"en", "zh"}
        for name, field in schema["properties"].items():
            if name == "kind":
                continue
            labels = [field["x-label"], *field.get("x-labels", {}).values()]
            assert all(label["en"] and label["zh"] for label in labels)
            assert set(field.get("enum", ())) == set(field.get("x-labels", {}))
            assert field["x-widget"]
            assert name not in schema["required"] or not field["x-more"]


def test_defaults_in_the_form_are_the_readers_defaults() -> None:
    request = parse(DELIVERY)
    assert not isinstance(request, list)
    assert request.priority is Priority(
        task_schemas()["delivery"]["properties"]["priority"]["default"]
    )
