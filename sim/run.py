"""A headless run from a scenario file to a result: what `wardline run` does."""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from dispatcher.records.executors import warm_up
from dispatcher.records.heap import settled
from dispatcher.records.journal import canonical
from fleet.vehicle import VehicleSpec
from sim import loops
from sim.judges.expect import ExpectResult, evaluate
from sim.judges.outcome import percentile, summary_of_tasks, summary_of_vehicles
from sim.judges.watch_monitor import as_summary
from sim.report.report import RunResult
from sim.running.direct import direct
from sim.running.scenario import Simulation
from sim.scenario.config import Scenario

TICK_S = 300.0
"""Virtual seconds between two words of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person wants of one run.

    Args:
        until_s: end there instead of at the scenario's own end.
        journal: file for the journal; trace: file for the ground bodies' truth.
        recording: file for what screens would be shown, for `wardline replay`.
        progress: called with virtual seconds gone by, now and then.
        direct: see `sim.running.direct`.
    """

    seed: int = 0
    until_s: float | None = None
    journal: Path | None = None
    trace: Path | None = None
    recording: Path | None = None
    progress: Callable[[float], None] | None = None
    direct: bool = False


def run(scenario: Scenario, wishes: Wishes) -> RunResult:
    """Simulate in virtual time; the same scenario and seed give the same journal."""
    with ExitStack() as files:
        journal, trace, recording = (
            _opened(path, files) for path in (wishes.journal, wishes.trace, wishes.recording)
        )

        def sink(line: str) -> None:
            if journal is not None:
                journal.write(line + "\n")

        async def all_of_it() -> RunResult:
            simulation = Simulation(
                scenario, seed=wishes.seed, sink=sink, trace=trace, recording=recording
            )
            await simulation.open()
            simulation.on_progress(TICK_S, wishes.progress)
            try:
                with settled():
                    await simulation.run(wishes.until_s)
                return await _result(simulation, wishes, since)
            finally:
                await simulation.close()

        warm_up(partial(print, file=sys.stderr))
        since = time.perf_counter(), time.process_time()
        with direct(on=wishes.direct):
            return loops.run(all_of_it())


def _opened(path: Path | None, files: ExitStack) -> TextIO | None:
    """A file to write, with its folder, closed with ``files``."""
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return files.enter_context(path.open("w", encoding="utf-8"))


async def _result(simulation: Simulation, wishes: Wishes, since: tuple[float, float]) -> RunResult:
    scenario, service, world = simulation.scenario, simulation.service, simulation.stage.world
    start_s, end_s = simulation.clock.loop_s, simulation.clock.now_s()
    tasks = await simulation.tasks()
    specs: list[VehicleSpec] = [vehicle.to_spec() for vehicle in scenario.vehicles]
    solves = sorted([*service.solve_times.insertions_ms, *service.solve_times.improvements_ms])
    summary: dict[str, object] = {
        "scenario": scenario.name,
        "site": scenario.site.id,
        "seed": wishes.seed,
        "virtual_s": round(end_s - start_s, 3),
        "wall_s": round(time.perf_counter() - since[0], 2),
        "cpu_s": round(time.process_time() - since[1], 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "journal_sha256": service.journal.sha256,
        **summary_of_tasks(tasks, end_s),
        **summary_of_vehicles(specs, simulation.recorder.samples),
        "wire": {
            "vda5050": simulation.wires.carried_vda5050,
            "mavlink": simulation.wires.carried_mavlink,
        },
        "violations": dict(world.violations),
        "faults": dict(Counter(h.fault.fault for h in simulation.faults.happened if not h.over)),
        **({"incidents": simulation.incidents.summary()} if scenario.incidents else {}),
        "planner": {
            "solves": len(solves),
            "p50_ms": _rounded(percentile(solves, 0.5)),
            "p99_ms": _rounded(percentile(solves, 0.99)),
            "improved": service.solve_times.adopted,
        },
    }
    watch = simulation.monitors.watches.figures()
    if watch is not None:
        summary["watch"] = as_summary(watch)
    judged = evaluate(scenario.expect, summary)
    summary["expect"] = {
        "passed": [str(result) for result in judged if result.ok],
        "failed": [str(result) for result in judged if not result.ok],
    }
    return RunResult(
        summary=summary,
        site=scenario.site,
        clock=simulation.clock,
        start_s=start_s,
        end_s=end_s,
        tasks=tasks,
        vehicles=specs,
        samples=simulation.recorder.samples,
        alerts=service.alerts(),
        incidents=list(world.incidents),
        faults=list(simulation.faults.happened),
        expect=judged,
        journal=wishes.journal,
    )


def failed(result: RunResult) -> list[ExpectResult]:
    """What the scenario promised and the run did not keep."""
    return [line for line in result.expect if not line.ok]


def as_json(result: RunResult) -> str:
    """The summary as one JSON object."""
    return canonical(result.summary)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
