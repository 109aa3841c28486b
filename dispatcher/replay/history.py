"""A recording in memory: how everything stood at any moment, by jumping there or by playing on.

Pure: lines in, values out. Each thing has its rows in order, every 32nd of them whole, so that a
jump reads at most 32 rows of a thing, however long the run was.
"""

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dispatcher.domain.task import Task, TaskId
from dispatcher.domain.views import VehicleView
from dispatcher.errors import DispatchError
from dispatcher.records.alerts import Alert
from dispatcher.replay.recording import VERSION
from dispatcher.replay.rows import COLUMNS, OPTIONAL, Row, Rows, spec_of
from dispatcher.replay.track import Sample, position_at, sample_of
from fleet.clock import Clock
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import SiteError
from routing.site import Site
from routing.sites.site_yaml import loads

KINDS = tuple(COLUMNS)
Key = tuple[str, str]
"""Kind and id of a thing."""
WHOLE_EACH = 32


class Unplayable(DispatchError):
    """A recording that can't be played; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a recording is of."""

    name: str
    site: Site
    clock: Clock
    timezone: str
    vehicles: Mapping[VehicleId, VehicleSpec]


@dataclass(slots=True)
class _Thing:
    """All rows of one thing, in order."""

    times_ms: "array[int]" = field(default_factory=lambda: array("q"))
    changes: list[Row] = field(default_factory=list[Row])
    wholes: list[Row] = field(default_factory=list[Row])
    last: Row = field(default_factory=dict[str, Any])

    def add(self, at_ms: int, change: Row, row: Row) -> None:
        """One more change, and all of it from then on."""
        self.last = row
        if len(self.changes) % WHOLE_EACH == 0:
            self.wholes.append(self.last)
        self.times_ms.append(at_ms)
        self.changes.append(change)

    def between(self, after_ms: int, upto_ms: int) -> list[Row]:
        """Its changes after one moment, up to another."""
        first = bisect_right(self.times_ms, after_ms)
        return self.changes[first : bisect_right(self.times_ms, upto_ms)]

    def at(self, at_ms: int) -> Row | None:
        """Its row as it stood at a moment; None before it was there."""
        number = bisect_right(self.times_ms, at_ms) - 1
        if number < 0:
            return None
        whole = number // WHOLE_EACH
        row = dict(self.wholes[whole])
        for change in self.changes[whole * WHOLE_EACH + 1 : number + 1]:
            row.update(change)
        return row


@dataclass(slots=True)
class Scene:
    """How everything stood at one moment, but for where the vehicles were."""

    at_ms: int
    rows: dict[Key, Row] = field(default_factory=dict[Key, Row])
    tasks: dict[TaskId, Task] = field(default_factory=dict[TaskId, Task])
    alerts: dict[str, Alert] = field(default_factory=dict[str, Alert])


class History:
    """All that a recording holds; feed it with `add`, line by line, then ask.

    ``unread`` counts lines that can't be understood, ``cut`` is whether the run's end is missing.
    """

    def __init__(self, about: About) -> None:
        self.about = about
        self.end_ms = 0
        self.cut = True
        self.unread = 0
        self.violations: list[tuple[int, str, str]] = []
        self.rows = Rows(about.site, about.clock)
        self._things: dict[Key, _Thing] = {}
        self._tracks: dict[VehicleId, list[Sample]] = {id_: [] for id_ in about.vehicles}
        self._times_ms = array("q")
        self._keys: list[Key] = []

    def add(self, line: str) -> None:
        """One more line of the recording; one that can't be understood is counted, no more."""
        try:
            self._add(json.loads(line))
        except (ValueError, TypeError, LookupError, AttributeError):
            self.unread += 1

    def _add(self, said: Mapping[str, Any]) -> None:
        at_ms = int(said["t"])
        kind = next((kind for kind in KINDS if kind in said), None)
        if kind is not None:
            self._add_change(at_ms, (kind, str(said[kind])), said["is"])
        elif "pose" in said:
            track, sample = self._tracks[said["pose"]], sample_of(at_ms, said["is"])
            if track and track[-1].at_ms > at_ms:
                raise ValueError("out of order")
            track.append(sample)
        elif "violation" in said:
            self.violations.append((at_ms, str(said["violation"]), str(said["is"])))
        elif "end" in said:
            self.cut = False
        else:
            raise ValueError("nothing that we know")
        self.end_ms = max(self.end_ms, at_ms)

    def _add_change(self, at_ms: int, key: Key, change: Row) -> None:
        thing = self._things.get(key)
        known = change.keys() <= COLUMNS[key[0]]
        whole = thing is not None or COLUMNS[key[0]] - OPTIONAL <= change.keys()
        if not known or not whole or (self._times_ms and self._times_ms[-1] > at_ms):
            raise ValueError("not the row of anything, or out of order")
        row = change if thing is None else {**thing.last, **change}
        self._understand(key, row)
        thing = self._things.setdefault(key, _Thing())
        thing.add(at_ms, change, row)
        self._times_ms.append(at_ms)
        self._keys.append(key)

    def _understand(self, key: Key, row: Row) -> Task | Alert | VehicleView:
        """What a row says; ValueError, TypeError, LookupError if it makes no sense."""
        kind, id_ = key
        match kind:
            case "task":
                return self.rows.task(id_, row)
            case "alert":
                return self.rows.alert(id_, row)
            case _:
                return self.rows.vehicle(self.about.vehicles[VehicleId(id_)], row, None, 0.0)

    @property
    def begin_ms(self) -> int:
        """When there is something to be seen for the first time: the dispatcher is ready."""
        return self._times_ms[0] if self._times_ms else 0

    # --- any moment ---

    def at(self, at_ms: int) -> Scene:
        """How everything stood at a moment, by jumping there."""
        scene = Scene(at_ms)
        for key, thing in self._things.items():
            row = thing.at(at_ms)
            if row is not None:
                self._show(scene, key, row)
        return scene

    def play(self, scene: Scene, upto_ms: int) -> list[Key]:
        """Let a scene go on to a later moment; answers what is another now, in order."""
        first = bisect_right(self._times_ms, scene.at_ms)
        last = bisect_right(self._times_ms, upto_ms)
        changed = dict.fromkeys(self._keys[first:last])
        for key in changed:
            thing = self._things[key]
            row = dict(scene.rows.get(key, {}))
            for change in thing.between(scene.at_ms, upto_ms):
                row.update(change)
            self._show(scene, key, row)
        scene.at_ms = upto_ms
        return list(changed)

    def _show(self, scene: Scene, key: Key, row: Row) -> None:
        scene.rows[key] = row
        match self._understand(key, row):
            case Task() as task:
                scene.tasks[task.id] = task
            case Alert() as alert:
                scene.alerts[alert.id] = alert
            case _:
                pass  # where a vehicle is changes all the time: it is asked for by `vehicle`

    def vehicle(self, scene: Scene, vehicle: VehicleId) -> VehicleView | None:
        """What was shown of a vehicle; None before the first word about it."""
        row = scene.rows.get(("vehicle", vehicle))
        if row is None:
            return None
        position = position_at(self._tracks[vehicle], scene.at_ms)
        now_s = self.rows.seconds(scene.at_ms)
        return self.rows.vehicle(self.about.vehicles[vehicle], row, position, now_s)

    def ends(self) -> Iterator[Task | Alert]:
        """Each task and each alert as it stood at the end, in the order in which they came."""
        for key, thing in self._things.items():
            shown = self._understand(key, thing.last)
            if not isinstance(shown, VehicleView):
                yield shown


def read(lines: Iterable[str]) -> History:
    """The history that a recording's lines tell; what can't be understood of it is left out.

    Raises:
        Unplayable: its first line is not there, or of another version.
    """
    rest = iter(lines)
    history = History(_about(next(rest, "")))
    for line in rest:
        history.add(line)
    return history


def _about(line: str) -> About:
    try:
        said = json.loads(line)
        version = said["recording"]
    except (ValueError, TypeError, KeyError):
        raise Unplayable(
            "its first line does not say what it is of, so nothing can be shown; run it again"
        ) from None
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        remedy = "replay it with the wardline that wrote it" if newer else "run it again"
        raise Unplayable(f"it is of version {version}, and this wardline reads {VERSION}; {remedy}")
    try:
        vehicles = [spec_of(row) for row in said["vehicles"]]
        return About(
            name=str(said["name"]),
            site=loads(said["site"], "the recorded site"),
            clock=Clock(datetime.fromisoformat(said["epoch"]), 0.0),
            timezone=ZoneInfo(said["timezone"]).key,
            vehicles={spec.id: spec for spec in vehicles},
        )
    except (ValueError, TypeError, KeyError, ValidationError, SiteError) as error:
        raise Unplayable(f"its first line can't be used: {error}; run it again") from None
