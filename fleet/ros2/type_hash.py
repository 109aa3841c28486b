"""The hash by which ROS tells apart versions of a message type.

Source: REP 2011, RIHS01: SHA-256 of the type's description as JSON; type_description_interfaces,
``FieldType``.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

_KINDS = {
    "int8": 2,
    "uint8": 3,
    "int16": 4,
    "uint16": 5,
    "int32": 6,
    "uint32": 7,
    "int64": 8,
    "uint64": 9,
    "float32": 10,
    "float64": 11,
    "bool": 15,
    "str": 17,
}
_NESTED = 1
_ARRAY, _UNBOUNDED = 48, 144


def type_hash(kind: type[Any]) -> str:
    """``RIHS01_`` and 64 hex digits, for a CDR type of `fleet.ros2.messages`."""
    parts = {ros_name(part): _description(part) for part in _nested(kind)}
    described = {
        "type_description": _description(kind),
        "referenced_type_descriptions": [parts[name] for name in sorted(parts)],
    }
    return f"RIHS01_{hashlib.sha256(json.dumps(described).encode()).hexdigest()}"


def ros_name(kind: type[Any]) -> str:
    """``geometry_msgs/msg/Pose`` for ``geometry_msgs::msg::dds_::Pose_``."""
    mangled: str = kind.__idl_typename__
    return re.sub(r"_$", "", mangled.replace("::dds_::", "::")).replace("::", "/")


def _description(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    fields = [
        {"name": field.name, "type": _field_type(hints[field.name])}
        for field in dataclasses.fields(kind)
    ]
    return {"type_name": ros_name(kind), "fields": fields}


def _field_type(hint: Any) -> dict[str, Any]:
    element, added, capacity = _element(hint)
    nested = dataclasses.is_dataclass(element)
    name = element if isinstance(element, str) else getattr(element, "__name__", "")
    return {
        "type_id": (_NESTED if nested else _KINDS[name]) + added,
        "capacity": capacity,
        "string_capacity": 0,
        "nested_type_name": ros_name(element) if nested and isinstance(element, type) else "",
    }


def _element(hint: Any) -> tuple[Any, int, int]:
    """What a field holds, whether as an array or a sequence, and of how many."""
    said = getattr(hint, "__metadata__", (hint,))[0]
    if hasattr(said, "length"):
        return _element(said.subtype)[0], _ARRAY, said.length
    if hasattr(said, "subtype"):
        return _element(said.subtype)[0], _UNBOUNDED, 0
    return said, 0, 0


def _nested(kind: type[Any]) -> Iterator[type[Any]]:
    for hint in get_type_hints(kind, include_extras=True).values():
        element = _element(hint)[0]
        if isinstance(element, type) and dataclasses.is_dataclass(element):
            yield element
            yield from _nested(element)
