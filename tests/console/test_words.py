"""The words of the console, read as files: no browser needed."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dispatcher.desks.observations import Sight
from dispatcher.domain.task import Goods, Kind, Method, Priority, TaskState
from dispatcher.domain.views import Activity
from dispatcher.missions import handovers
from routing.search.work import CODES
from routing.site import Zone
from tests.folders import ROOT

STATIC = ROOT / "dispatcher" / "console" / "static"
REFUSALS = {"Refusal", "Obstacle", "_refusal", "_fatal"}


def words(language: str) -> dict[str, str]:
    text = (STATIC / "i18n" / f"{language}.js").read_text(encoding="utf-8")
    table = text[text.index("{", text.index("export")) : text.rindex("}") + 1]
    return json.loads(re.sub(r",(\s*)\}$", r"\1}", table), object_pairs_hook=each_once)


def each_once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), "a second word for one key is never seen"
    return dict(pairs)


EN, ZH = words("en"), words("zh")


@cache
def calls() -> list[tuple[str, str]]:
    """All calls in the package sources whose first argument is literal: of what, with what."""
    found: list[tuple[str, str]] = []
    for package in ("dispatcher", "fleet", "routing"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    word = node.args[0]
                    if isinstance(word, ast.Constant):
                        found.append((name, str(word.value)))
    return found


def first_words(*functions: str) -> Iterator[str]:
    """The literal first arguments of all calls of these functions in the package sources."""
    return (word for name, word in calls() if name in functions)


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    assert list(EN) == list(ZH)
    for key, sentence in EN.items():
        places = sorted(re.findall(r"\{(\w+)\}", sentence))
        assert sorted(re.findall(r"\{(\w+)\}", ZH[key])) == places, key


@pytest.mark.long
def test_every_refusal_has_its_sentence() -> None:
    assert {code for code in first_words(*REFUSALS) if f"reason.{code}" not in EN} == set()


def test_every_obstacle_of_the_planner_has_its_sentence() -> None:
    assert {code for code in CODES[1:] if f"reason.{code}" not in EN} == set()


def test_every_fault_of_a_drawn_area_has_sentence_and_remedy() -> None:
    text = (ROOT / "routing" / "air" / "drawn.py").read_text("utf-8")
    codes = set(re.findall(r"code=\"(\w+)\"", text))
    assert len(codes) > 7
    assert {c for c in codes if f"reason.{c}" not in EN or f"remedy.{c}" not in EN} == set()


def test_every_alert_has_its_sentence() -> None:
    path = ROOT / "dispatcher"
    opened = {
        word
        for source in path.rglob("*.py")
        for word in re.findall(r"\.open\(\s*\"(\w+)\", Severity", source.read_text("utf-8"))
    }
    assert opened
    assert {code for code in opened if f"alert.{code}" not in EN} == set()


def test_every_alert_about_a_workcell_has_its_sentence_and_what_is_done() -> None:
    for code in (handovers.OUT, *handovers.CODES):
        assert {f"reason.{code}", f"alert.{code}", f"alert.{code}.doing"} <= EN.keys(), code
        assert "{workcell}" in EN[f"alert.{code}"]
        assert "{workcell}" in EN[f"reason.{code}"]


def test_every_event_of_a_task_has_its_words() -> None:
    events = {e for e in first_words("event") if e.startswith(("task_", "stop_", "mission_"))}
    events |= {handovers.ASKED, handovers.DONE}
    events |= {e for e in first_words("_note") if e.startswith("handover_")}
    assert len(events) > 12
    assert {event for event in events if f"event.{event}" not in EN} == set()


def test_every_fault_of_a_field_has_sentence_and_remedy() -> None:
    from dispatcher.desks import intake, intake_faults

    sources = [Path(str(module.__file__)).read_text("utf-8") for module in (intake, intake_faults)]
    codes = set(re.findall(r"_fault\(\s*[^,]+, \"(\w+)\"", sources[0]))
    codes |= set(re.findall(r"(?:return|: \() ?\"(\w+)\", ", sources[1]))
    assert {"missing", "unknown_place", "out_of_range", "same_place"} <= codes
    assert {c for c in codes if f"reason.{c}" not in EN or f"remedy.{c}" not in EN} == set()


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("kind", Kind),
        ("priority", Priority),
        ("state", TaskState),
        ("goods", Goods),
        ("method", Method),
        ("activity", Activity),
        ("sight", Sight),
    ],
)
def test_every_word_of_the_program_has_a_name(group: str, members: type[Kind]) -> None:
    assert [m for m in members if f"{group}.{m.value}" not in EN] == []


def test_every_zone_has_a_name() -> None:
    assert [zone for zone in Zone if f"zone.{zone.name.lower()}" not in EN] == []


def test_every_literal_key_in_the_modules_exists() -> None:
    asked = {
        key
        for path in STATIC.rglob("*.js")
        for key in re.findall(r"\bt\(\"([\w.]+)\"", path.read_text("utf-8"))
    }
    assert len(asked) > 80
    assert {key for key in asked if key not in EN} == set()


def test_no_module_ever_parses_markup() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    found = [p.name for p in STATIC.rglob("*.js") if forbidden.search(p.read_text("utf-8"))]
    assert found == []
