"""What a sweep has run already: one line of JSON for each run, added as soon as it has ended.

A run is known by all that decides it: the text of its scenario and site, what is set, its seed
and end, and the program. Change one of them and it is run again; all else is taken from the file.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from dispatcher.errors import ConfigFault
from routing.errors import Fault
from sim.sweeps.sweep import Setting

FILE = "runs.jsonl"
BEGINS = '{"key": "'
"""How each line begins."""
PACKAGES = ("dispatcher", "fleet", "routing", "sim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a sweep, in plain values that go into another process.

    Args:
        key: what tells it from all that may end otherwise; see `key_of`.
        site: another site than the scenario's.
    """

    key: str
    scenario: str
    site: str | None
    setting: Setting
    seed: int
    until_s: float | None


def key_of(sources: Sequence[str], setting: Setting, seed: int, until_s: float | None) -> str:
    """The key of a run.

    Args:
        sources: the text of its scenario and of its site.
    """
    facts = [*sources, setting.overrides, seed, until_s, _program()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]


@cache
def _program() -> str:
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Store:
    """The runs in a folder.

    Raises:
        ConfigFault: the file there is none of ours.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        self._runs = dict(_lines(self._path)) if self._path.exists() else {}

    def get(self, run: Run) -> dict[str, Any] | None:
        """The summary of a run, if it has ended."""
        return self._runs.get(run.key)

    def add(self, run: Run, summary: dict[str, Any]) -> None:
        """Keep the summary of a run."""
        self._runs[run.key] = summary
        line = {
            "key": run.key,
            "set": run.setting.overrides,
            "seed": run.seed,
            "summary": summary,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    rest = text[len(whole) :]
    lines = whole.splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            read = cast("dict[str, Any]", json.loads(line))
            yield str(read["key"]), cast("dict[str, Any]", read["summary"])
        except (ValueError, KeyError, TypeError):
            raise _foreign(path, number) from None
    if rest and not rest.startswith(BEGINS[: len(rest)]):
        raise _foreign(path, len(lines) + 1)
    if rest:  # cut off while it was written: that run is run again
        path.write_text(whole, encoding="utf-8")


def _foreign(path: Path, number: int) -> ConfigFault:
    remedy = "name another folder with --out, or remove this file"
    return ConfigFault(str(path), [Fault(number, "this is no run of a sweep", remedy)])
