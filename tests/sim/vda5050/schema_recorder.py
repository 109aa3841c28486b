"""Hears every message of robots of all versions, and holds each against its own version's schema.

It shares no code with what it judges: topics are taken apart here, schemas are read as published,
and, since they let unknown fields pass, each object is closed first.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import FormatChecker
from jsonschema.validators import validator_for

from tests.folders import SHARED

SCHEMAS = SHARED / "vda5050"
FOLDERS = {"2.0": "2.0.0", "2.1": "2.1.0", "3.0": "3.0.0-main-20260702"}
OF_MASTER = ("order", "instantActions", "zoneSet", "responses")

Json = dict[str, Any]


class SchemaRecorder:
    """Counts the messages of each robot and topic, and notes what is wrong with them.

    Args:
        versions: the version of each robot, by serial number.
    """

    def __init__(self, versions: Mapping[str, str]) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """Messages by version and topic."""
        self.faults: list[str] = []
        self.messages: list[tuple[str, str, Json]] = []
        """Serial number, topic and content of what a master said."""
        self._versions = versions
        self._validators = {
            (version, path.stem): _validator(path, version)
            for version, folder in FOLDERS.items()
            for path in sorted((SCHEMAS / folder).iterdir())
        }
        self._numbers: dict[str, int] = {}

    def note(self, topic: str, payload: bytes) -> None:
        """Take in one message."""
        interface, major, manufacturer, serial, name = topic.split("/")
        version = self._versions[serial]
        message: Json = json.loads(payload)
        self.counts[version, name] += 1
        if name in OF_MASTER:
            self.messages.append((serial, name, message))
        wrong = list(self._wrong(version, name, message))
        if (interface, major) != (("vda5050", "v3") if version == "3.0" else ("uagv", "v2")):
            wrong.append("is on the topics of another version")
        if message["version"] != f"{version}.0":
            wrong.append(f"says version {message['version']}")
        if (message["manufacturer"], message["serialNumber"]) != (manufacturer, serial):
            wrong.append("names another robot than its topic")
        self.faults += [f"{topic}: {fault}" for fault in wrong]

    def said(self, serial: str, field: str) -> set[str]:
        """All values that a master ever sent to a robot in fields of one name, however deep."""
        return {
            value
            for one, _, message in self.messages
            if one == serial
            for value in _values(message, field)
        }

    def _wrong(self, version: str, name: str, message: Json) -> Iterable[str]:
        judged = json.loads(json.dumps(message))
        if (version, name) == ("2.0", "instantActions"):  # its schema misnames a field
            for action in judged["actions"]:
                action["actionName"] = action.pop("actionType")
        for error in self._validators[version, name].iter_errors(judged):
            yield f"{error.json_path}: {error.message}"
        stamp = message["timestamp"]
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp):
            yield f"{stamp} is no moment in UTC with milliseconds"
        datetime.fromisoformat(stamp)


def _validator(path: Path, version: str) -> Any:
    schema: Json = json.loads(path.read_text("utf-8"))
    _close(schema)
    if version == "2.0" and path.stem == "instantActions":
        schema["required"] = ["headerId", "timestamp", "version", "manufacturer", "serialNumber"]
    return validator_for(schema)(schema, format_checker=FormatChecker())


def _close(schema: object) -> None:
    """Let no object have a field that its schema doesn't name."""
    if isinstance(schema, dict):
        branches = [part.get("then", {}) for part in schema.get("allOf", ())]
        if "properties" in schema and "additionalProperties" not in schema:
            for branch in branches:
                for name in branch.get("properties", {}):
                    schema["properties"].setdefault(name, {})
            schema["additionalProperties"] = False
        for name, part in schema.items():
            if name not in ("if", "then", "else", "required", "enum"):
                _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def _values(part: object, field: str) -> Iterable[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == field:
                yield value
            yield from _values(value, field)
    elif isinstance(part, list):
        for value in part:
            yield from _values(value, field)
