"""``wardline bench traffic``: robots on a graph all day, and how many trips a scheme gets done."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispatcher.commands.words import say_json, say_table
from sim.bench.options import MOST_HOURS, fail, progress_bar
from sim.judges.outcome import percentile
from sim.options import WrongUse

if TYPE_CHECKING:  # loaded by those who drive
    from sim.bench.traffic.faults import Outage
    from sim.bench.traffic.graph import Graph
    from sim.bench.traffic.model import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What names a run, and what came of it; times of calls are processor times."""

    graph: str
    robots: int
    hours: float
    seed: int
    delays: str
    scheme: str
    faults: str
    outages: int
    trips_per_h: float
    deadlocks: int
    collisions: int
    call_ms_p50: float
    call_ms_p99: float
    cpu_ms_per_trip: float
    longest_wait_s: float


def traffic(
    graph: Annotated[Path, typer.Argument(help="Graph (JSON) or site (YAML).", show_default=False)],
    robots: Annotated[int, typer.Option(help="How many; fewer than rooms.")] = 16,
    hours: Annotated[float, typer.Option(help="How long they drive.")] = 4.0,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    delays: Annotated[str, typer.Option(help="How often and long: default, long, heavy.")] = (
        "default"
    ),
    scheme: Annotated[
        str, typer.Option(help="Who goes when: sipp+tail, sipp, banker.")
    ] = "sipp+tail",
    faults: Annotated[
        str, typer.Option(help="Robots break down, lanes and lifts close: none, some.")
    ] = "none",
    trace: Annotated[Path | None, typer.Option(help="File for all departures, arrivals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON: one object.")] = False,
) -> None:
    """Robots drive from room to room: how many trips an hour, and does anybody get stuck?"""
    from sim.bench.traffic.faults import FAULTS, HOUR_MS, draw_outages
    from sim.bench.traffic.graph import WrongGraph
    from sim.bench.traffic.robot import DELAYS
    from sim.bench.traffic.schemes import SCHEMES
    from sim.bench.traffic.site import read_building

    try:
        _require_named("--delays", delays, DELAYS)
        _require_named("--scheme", scheme, SCHEMES)
        _require_named("--faults", faults, FAULTS)
        if not 0 < hours <= MOST_HOURS:  # not a number is neither
            raise WrongUse(f"--hours {hours:g} is not above 0 and at most {MOST_HOURS:g}; write 4")
        if hours * 3600 < 1:
            raise WrongUse(f"--hours {hours:g} is shorter than a second; write more, such as 4")
        found = read_building(graph)
        most = len(found.rooms) - 1
        if not 1 <= robots <= most:
            raise WrongUse(
                f"--robots {robots} is not between 1 and {most}: {found.name} has "
                f"{len(found.rooms)} rooms, and one must be free to drive to"
            )
        outages = draw_outages(found, robots, seed, FAULTS[faults], round(hours * HOUR_MS))
        ended = _drive(found, robots, hours, seed, delays, scheme, outages, trace)
    except (WrongUse, WrongGraph) as error:
        fail(str(error))
    row = asdict(
        Row(
            graph=found.name,
            robots=robots,
            hours=hours,
            seed=seed,
            delays=delays,
            scheme=scheme,
            faults=faults,
            outages=len(outages),
            trips_per_h=round(ended.trips_per_h, 2),
            deadlocks=ended.deadlocks,
            collisions=ended.collisions,
            call_ms_p50=round(percentile(ended.call_ms, 0.5) or 0.0, 3),
            call_ms_p99=round(percentile(ended.call_ms, 0.99) or 0.0, 3),
            cpu_ms_per_trip=round(ended.cpu_ms / max(ended.trips, 1), 3),
            longest_wait_s=ended.longest_wait_s,
        )
    )
    if as_json:
        say_json(row)
    else:
        say_table(("figure", "value"), list(row.items()))


def _drive(
    graph: "Graph",
    robots: int,
    hours: float,
    seed: int,
    delays: str,
    scheme: str,
    outages: "Sequence[Outage]",
    trace: Path | None,
) -> "Ended":
    from sim.bench.traffic.model import Model
    from sim.bench.traffic.robot import DELAYS
    from sim.bench.traffic.schemes import SCHEMES

    with ExitStack() as stack:
        model = Model(
            graph,
            SCHEMES[scheme](graph.net),
            robots=robots,
            hours=hours,
            seed=seed,
            delays=DELAYS[delays],
            outages=outages,
            record=_recorder(trace, stack),
        )
        bar = stack.enter_context(progress_bar())
        job = bar.add_task(f"{scheme}, {robots} robots", total=hours * 3_600_000)
        for now_ms in model.run():
            bar.update(job, completed=now_ms)
    return model.ended()


def _recorder(trace: Path | None, stack: ExitStack) -> Callable[[dict[str, Any]], None]:
    """Writes records as lines of JSON; the stack closes the file."""
    if trace is None:
        return lambda _: None
    try:
        out = stack.enter_context(trace.open("w", encoding="utf-8"))
    except OSError as error:
        raise WrongUse(
            f"--trace {trace}: {error.strerror}; name a file that can be written"
        ) from error

    def write(record: dict[str, Any]) -> None:
        out.write(json.dumps(record, separators=(",", ":")) + "\n")

    return write


def _require_named(option: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise WrongUse(f"{option} {name}: unknown; choose from {', '.join(names)}")
