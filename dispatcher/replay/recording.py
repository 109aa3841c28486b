"""Writes a run down as screens were shown it: line by line to a file, nothing held in memory.

A line is a JSON object with ``t``, whole milliseconds since the recording's clock began. The first
one says what the recording is of; each other one has one of

- ``task``, ``vehicle`` or ``alert``, an id, and ``is``: what has changed about it (`rows`);
- ``pose``, a vehicle's id, and ``is``: where it was at ``t`` (`track`); it may come some seconds
  late, but in order for each vehicle;
- ``violation``, a kind, and ``is``: what happened;
- ``end``: the run is over. A recording without it was broken off.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from dispatcher.domain.task import TaskId
from dispatcher.records.feed import Change
from dispatcher.records.journal import canonical
from dispatcher.replay.rows import Row, Rows, difference, of_spec
from dispatcher.replay.track import Sample, Thinner, of_sample
from fleet.clock import Clock
from fleet.vehicle import VehicleId, VehicleSpec, VehicleState
from routing.site import Site
from routing.sites.site_yaml import dump

FILE = "recording.jsonl"
VERSION = 1


class Recording:
    """One run's recording.

    Args:
        out: gets each line, with its line end.
        name: what a person calls this run.
        timezone: where the site's days begin and end.
    """

    def __init__(
        self,
        out: Callable[[str], object],
        site: Site,
        clock: Clock,
        vehicles: Sequence[VehicleSpec],
        *,
        name: str,
        timezone: str,
    ) -> None:
        self._out, self._clock = out, clock
        self._rows = Rows(site, clock)
        self._last: dict[tuple[str, str], Row] = {}
        self._tracks = {vehicle.id: Thinner() for vehicle in vehicles}
        header = {
            "recording": VERSION,
            "name": name,
            "epoch": _iso(clock.epoch),
            "timezone": timezone,
            "vehicles": [of_spec(vehicle) for vehicle in vehicles],
            "site": dump(site),
        }
        self._out(canonical(header) + "\n")

    def changed(self, change: Change) -> None:
        """Something is different now."""
        if change.task is not None:
            self._put("task", change.task.id, self._rows.of_task(change.task))
            if change.task.state.ended:
                self._forget(change.task.id)
        if change.vehicle is not None:
            self._put("vehicle", change.vehicle.spec.id, self._rows.of_vehicle(change.vehicle))
        if change.alert is not None:
            self._put("alert", change.alert.id, self._rows.of_alert(change.alert))

    def heard(self, vehicle: VehicleId, state: VehicleState) -> None:
        """A vehicle has said something."""
        if state.position is not None:
            sample = Sample(self._now_ms(), state.position, state.driving)
            self._write_track(vehicle, self._tracks[vehicle].add(sample))

    def violated(self, kind: str, what: str) -> None:
        """Something has happened that must never happen."""
        self._line(self._now_ms(), violation=kind, **{"is": what})

    def close(self) -> None:
        """The run is over."""
        for vehicle, thinner in self._tracks.items():
            self._write_track(vehicle, thinner.flush())
        self._line(self._now_ms(), end=True)

    def _put(self, kind: str, id_: str, row: Row) -> None:
        news = difference(self._last.get((kind, id_)), row)
        self._last[kind, id_] = row
        if news:
            self._line(self._now_ms(), **{kind: id_, "is": news})

    def _forget(self, task: TaskId) -> None:
        """Nothing more will happen to it, and a long run has many."""
        del self._last["task", task]

    def _write_track(self, vehicle: VehicleId, samples: Sequence[Sample]) -> None:
        for sample in samples:  # most lines by far: written by hand, they cost half
            level, *numbers = of_sample(sample)
            where = ",".join(map(repr, numbers))
            self._out(
                f'{{"is":[{canonical(level)},{where}],'
                f'"pose":{canonical(vehicle)},"t":{sample.at_ms}}}\n'
            )

    def _line(self, at_ms: int, **values: object) -> None:
        self._out(canonical({"t": at_ms, **values}) + "\n")

    def _now_ms(self) -> int:
        return self._rows.ms(self._clock.now_s())


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
