"""What a model's errors mean to the person who sent the text: field, value, remedy."""

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dispatcher.errors import FieldFault
from routing.refusal import Fact, Refusal

LONGEST_VALUE = 80
"""How much of an offending value is said back."""

_WANTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "datetime": "a moment",
}
_LIMITS = {
    "gt": ("out_of_range", "send a number above {limit}"),
    "ge": ("out_of_range", "send at least {limit}"),
    "lt": ("out_of_range", "send a number below {limit}"),
    "le": ("out_of_range", "send at most {limit}"),
    "min_length": ("too_short", "send {limit} or more {what}"),
    "max_length": ("too_long", "send at most {limit} {what}"),
}
_PATROL = {
    "several_areas": "send one of area, outline and geojson",
    "area_by_air": "leave by out: an area is seen from the air",
    "watch_needs_both": "send both revisit_s and until for a watch, or neither",
    "manner_differs": "leave manner out; cover has an area, visit and route have points, "
    "watch has revisit_s and until",
    "random_on_the_ground": "leave order out, or have places patrolled on the ground",
    "route_has_order": "leave order out, or send manner visit",
}
_MOMENT = "send a moment with its time zone, such as 2026-03-01T08:30:00Z"


def faults_of(
    error: ValidationError | Sequence[Any], models: Mapping[Any, type[BaseModel]]
) -> list[FieldFault]:
    """Every error as a fault of one field.

    Args:
        error: of a model, or FastAPI's list of the same.
        models: by the tag in front of a field's path, to know their fields; tags are left out.
    """
    details = error.errors(include_url=False) if isinstance(error, ValidationError) else error
    return [_fault(detail, models) for detail in details]


def said(value: object) -> Fact:
    """A value as a fact: small ones as they are, long ones cut, and of big things their kind."""
    match value:
        case bool() | float():
            return value if isinstance(value, bool) or math.isfinite(value) else str(value)
        case int():
            return value if value.bit_length() < 53 else "a huge number"
        case str():
            text = value.encode("utf-8", "replace").decode()
            return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
        case None:
            return "null"
        case list() | tuple():
            return f"a list of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return "an object"
        case _:
            return type(value).__name__


def nearest(word: str, known: Sequence[str]) -> str:
    """A remedy's second half: what a mistyped word may have been meant to be."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(known[:8])
    return f"known are {shown}{' ...' if len(known) > 8 else ''}"


def _fault(detail: ErrorDetails, models: Mapping[Any, type[BaseModel]]) -> FieldFault:
    path = [step for step in detail["loc"] if step not in ("body", "query", "path")]
    model = models.get(path[0]) if path else None
    if model is not None:
        path = path[1:]
    field = ".".join(_step(step) for step in path)
    code, facts, remedy = _reason(detail, field, model, models)
    if detail["type"].startswith("union_tag"):
        field = "kind"
    return FieldFault(field, Refusal(code, facts), remedy)


def _step(step: object) -> str:
    return str(said(step))


def _reason(
    detail: ErrorDetails,
    field: str,
    model: type[BaseModel] | None,
    models: Mapping[Any, type[BaseModel]],
) -> tuple[str, dict[str, Fact], str]:
    kind, facts = detail["type"], {"value": said(detail["input"])}
    context: Mapping[str, Any] = detail.get("ctx") or {}
    match kind:
        case "missing":
            return "missing", {}, f"send {field}"
        case "union_tag_not_found":
            return "missing", {}, f"send {_any_of(models)}"
        case "union_tag_invalid":
            facts = {"value": said(context["tag"])}
            return "unknown_value", facts, f"send {_any_of(models)}"
        case "extra_forbidden":
            return "unknown_field", facts, f"leave it out; {nearest(field, _fields(model))}"
        case "enum" | "literal_error":
            allowed = str(context["expected"]).replace("'", "")
            return "unknown_value", {**facts, "allowed": allowed}, f"send {allowed}"
        case "not_a_time" | "timezone_aware" | "datetime_from_date_parsing" | "datetime_parsing":
            return "not_a_time", facts, _MOMENT
        case "finite_number":
            return "out_of_range", facts, "send a finite number"
        case "control_character" | "string_unicode":
            return "control_character", facts, "send printable text only"
        case "area_or_points":
            return "area_or_points", {}, "send either an area (by air) or points (on the ground)"
        case _ if kind in _PATROL:
            return kind, {}, _PATROL[kind]
        case _:
            return _by_limit(kind, facts, context)


def _by_limit(
    kind: str, facts: dict[str, Fact], context: Mapping[str, Any]
) -> tuple[str, dict[str, Fact], str]:
    for name, (code, remedy) in _LIMITS.items():
        if name in context:
            what = "letters" if kind.startswith("string") else "entries"
            limit = context[name]
            remedy = remedy.format(limit=f"{limit:g}", what=what)
            return code, {**facts, "limit": limit}, remedy
    wanted = _WANTED.get(kind.split("_")[0], "another value")
    return "wrong_type", {**facts, "wanted": wanted}, f"send {wanted}"


def _any_of(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _fields(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
