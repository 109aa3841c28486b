"""The tasks' JSON Schemas as forms want them: flat, and with words in both languages.

Each property has ``x-label`` {en, zh}, ``x-order``, ``x-more`` (true = behind "More") and
``x-widget``: text, choice, place, places, area, outline, mass, volume, dose, duration, number,
time, flag.
A choice has ``x-labels`` {value: {en, zh}}.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel

from dispatcher.desks.task_in import MAX_STOPS, MODELS
from dispatcher.domain.task import Goods, Kind, Method, Priority, VisitOrder
from fleet.vehicle import Medium

Words = tuple[str, str]

_KINDS: Mapping[Kind, Words] = {
    Kind.DELIVERY: ("Delivery", "配送"),
    Kind.MEDICINE: ("Medicine", "药品"),
    Kind.PATROL: ("Patrol", "巡逻"),
    Kind.DISINFECTION: ("Disinfection", "消毒"),
}
_CHOICES: Mapping[StrEnum, Words] = {
    Priority.STAT: ("STAT", "特急"),
    Priority.URGENT: ("Urgent", "紧急"),
    Priority.ROUTINE: ("Routine", "常规"),
    Priority.BACKGROUND: ("Background", "不急"),
    Goods.STERILE: ("Sterile goods", "无菌物品"),
    Goods.MEDICINE: ("Medicine", "药品"),
    Goods.FOOD: ("Food", "餐食"),
    Goods.CLEAN_LINEN: ("Clean linen", "洁净被服"),
    Goods.GENERAL: ("General goods", "一般物品"),
    Goods.SPECIMEN: ("Specimens", "标本"),
    Goods.DIRTY_LINEN: ("Dirty linen", "污染被服"),
    Goods.WASTE: ("Waste", "生活垃圾"),
    Goods.INFECTIOUS_WASTE: ("Infectious waste", "感染性废物"),
    Method.UV_C: ("UV-C lamp", "紫外线灯"),
    Method.SPRAY: ("Spray", "喷雾"),
    VisitOrder.GIVEN: ("As given", "按所给顺序"),
    VisitOrder.BEST: ("The quickest", "最快"),
    VisitOrder.RANDOM: ("Unforeseeable", "不可预测"),
    Medium.GROUND: ("Ground robot", "地面机器人"),
    Medium.AIR: ("Drone", "无人机"),
}
_ENUMS: Mapping[str, type[StrEnum]] = {
    e.__name__: e for e in (Priority, Goods, Method, Medium, VisitOrder)
}


@cache
def task_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of task, by kind."""
    return {kind.value: _schema(kind, model) for kind, model in MODELS.items()}


def _schema(kind: Kind, model: type[BaseModel]) -> dict[str, Any]:
    raw = model.model_json_schema(by_alias=True)
    shown = {n: p for n, p in raw["properties"].items() if "x-widget" in p or n == "kind"}
    properties = {name: _property(prop) for name, prop in shown.items()}
    properties["kind"] = {"const": kind.value, "type": "string"}
    ordered = sorted(properties.items(), key=lambda item: item[1].get("x-order", 0))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.value,
        "description": raw["description"],
        "type": "object",
        "x-label": _label(_KINDS[kind]),
        "additionalProperties": False,
        "required": raw["required"],
        "properties": dict(ordered),
    }


def _property(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in raw.items() if name not in ("title", "$ref", "anyOf")}
    if "x-widget" not in found:
        return found
    options = [raw, *raw.get("anyOf", [])]
    for option in options:
        if "$ref" in option:
            found.update(_choice(_ENUMS[option["$ref"].rsplit("/", 1)[1]]))
    if found["x-widget"] == "places":
        return _places(found)
    rest = [o for o in options[1:] if o.get("type") != "null" and "$ref" not in o]
    found.update(*rest)
    if found.get("default", ...) is None:
        del found["default"]
    return found


def _places(found: dict[str, Any]) -> dict[str, Any]:
    """A list of places; the API takes one alone as well."""
    least = found.pop("minLength", 0)
    items = {"type": "string", "minLength": 1}
    return found | {"type": "array", "items": items, "minItems": least, "maxItems": MAX_STOPS}


def _choice(words: type[StrEnum]) -> dict[str, Any]:
    return {
        "type": "string",
        "enum": [word.value for word in words],
        "x-labels": {word.value: _label(_CHOICES[word]) for word in words},
    }


def _label(words: Words) -> dict[str, str]:
    return {"en": words[0], "zh": words[1]}
