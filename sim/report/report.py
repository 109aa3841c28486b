"""The report of a run: a folder with one page to read and the figures behind it as CSV."""

import json
import shutil
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
    """All that a report needs to know of a run; times are loop seconds.

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


def write_report(folder: Path, result: RunResult) -> Path:
    """Write ``report.html``, the CSV files, ``summary.json`` and the journal into ``folder``.

    The folder is made if need be; files of the same names are replaced. The page holds all it
    shows and asks nothing of the network.

    Returns:
        The page.
    """
    # both pull in the plotting library, which costs a second: only those who want a report pay
    from sim.report.page import page
    from sim.report.tables import write_tables

    folder.mkdir(parents=True, exist_ok=True)
    write_tables(folder, result)
    text = json.dumps(result.summary, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    if result.journal is not None and result.journal.resolve().parent != folder.resolve():
        shutil.copyfile(result.journal, folder / "journal.jsonl")
    file = folder / "report.html"
    file.write_text(page(result), encoding="utf-8")
    return file
