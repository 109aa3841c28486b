"""All that a report needs to know of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dispatcher.domain.asked_for import Asked, asked_for
from dispatcher.domain.task import Task
from dispatcher.records.alerts import Alert
from fleet.clock import Clock
from fleet.vehicle import VehicleSpec
from routing.site import Site
from sim.judges.expect import ExpectResult
from sim.judges.recorder import Samples
from sim.running.faults import Happened


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run, as its report tells it; times are loop seconds.

    Args:
        summary: the same figures that the command line prints; see docs/reference/report.md.
        clock: turns loop seconds into the site's local time.
        tasks: every task of the run, as it stood at the end.
        incidents: violations: loop second, kind, what happened.
        faults: what broke on purpose, and when it was well again.
        journal: the journal's file, if one was written.
    """

    summary: Mapping[str, object]
    site: Site
    clock: Clock
    start_s: float
    end_s: float
    tasks: Sequence[Task]
    vehicles: Sequence[VehicleSpec]
    samples: Samples
    alerts: Sequence[Alert] = ()
    incidents: Sequence[tuple[float, str, str]] = ()
    faults: Sequence[Happened] = ()
    expect: Sequence[ExpectResult] = ()
    journal: Path | None = None

    @cached_property
    def asked(self) -> Sequence[Asked]:
        """What was asked for: deliveries of two legs once."""
        return asked_for(self.tasks)

    @cached_property
    def wholes(self) -> Sequence[Task]:
        """The same, each as one task."""
        return [one.task for one in self.asked]
