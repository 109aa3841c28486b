"""Reads the folder of a run: its recording, and the journal for what happened to each task."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dispatcher.domain.task import TaskId
from dispatcher.records.journal import Event
from dispatcher.replay.history import History, Unplayable, read
from dispatcher.replay.recording import FILE
from fleet.clock import Clock
from fleet.vehicle import VehicleId

JOURNAL = "journal.jsonl"
MADE_BY = "wardline run SCENARIO --report DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that can be played.

    Args:
        timelines: the events of each task, in order.
        warnings: what is missing of it, in words.
    """

    history: History
    timelines: Mapping[TaskId, list[Event]]
    warnings: tuple[str, ...]


def read_run(folder: Path) -> Run:
    """The run in the folder of a report; what is there is shown, even if some of it is missing.

    Raises:
        Unplayable: there is nothing to show; the message says why and what to do.
        OSError: a file can't be read.
    """
    file = _recording_in(folder)
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            history = read(lines)
    except Unplayable as why:
        raise Unplayable(f"{file}: {why}") from None
    warnings: list[str] = []
    if history.cut:
        end = history.about.clock.to_utc(history.rows.seconds(history.end_ms))
        warnings.append(f"the run was broken off; it can be seen until {end:%Y-%m-%d %H:%M:%S}")
    bad = history.unread - history.cut  # the last line of a run that was broken off is half a line
    if bad > 0:
        warnings.append(f"{FILE}: lines that can't be understood were left out: {bad}")
    timelines = _timelines(folder / JOURNAL, history.about.clock)
    if timelines is None:
        warnings.append(f"there is no {JOURNAL}: tasks have no history")
    return Run(history=history, timelines=timelines or {}, warnings=tuple(warnings))


def _recording_in(folder: Path) -> Path:
    if not folder.exists():
        raise Unplayable(f"{folder}: there is no such folder; give the one that {MADE_BY} wrote")
    if folder.is_file():
        raise Unplayable(f"{folder} is a file; give the folder that {MADE_BY} wrote")
    file = folder / FILE
    if file.exists():
        return file
    if (folder / JOURNAL).exists() or (folder / "summary.json").exists():
        raise Unplayable(
            f"{folder}: this report has no {FILE}: it was written by an older wardline; "
            f"run it again with {MADE_BY}"
        )
    raise Unplayable(f"{folder} is no report of a run; give the folder that {MADE_BY} wrote")


def _timelines(file: Path, clock: Clock) -> dict[TaskId, list[Event]] | None:
    """The events of each task; a line that was cut short, or makes no sense, is left out."""
    if not file.exists():
        return None
    found: dict[TaskId, list[Event]] = {}
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            event = _event(line, clock)
            if event is not None and event.task is not None:
                found.setdefault(event.task, []).append(event)
    return found


def _event(line: str, clock: Clock) -> Event | None:
    try:
        said: Mapping[str, Any] = json.loads(line)
        return Event(
            seq=int(said["seq"]),
            at_s=clock.to_loop(datetime.fromisoformat(said["at"])),
            kind=str(said["kind"]),
            task=None if said["task"] is None else TaskId(said["task"]),
            vehicle=None if said["vehicle"] is None else VehicleId(said["vehicle"]),
            facts=dict(said["facts"]),
        )
    except (ValueError, TypeError, KeyError):
        return None
