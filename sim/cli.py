"""The simulator's commands: run, live, bodies; sweep and benchmarks have files of their own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sim.bench.commands import register as register_benches
from sim.options import address_of, find, until_seconds
from sim.sweeps.command import sweep

SET = "Change the scenario: key=value with a dotted key, such as duration=1h."
Address = Annotated[str | None, typer.Option(metavar="HOST:PORT")]


def commands(app: typer.Typer) -> None:
    """Hang the simulator's commands into ``wardline``."""
    app.command("run")(run)
    app.command("live")(live)
    app.command("bodies")(bodies)
    app.command("sweep")(sweep)
    register_benches()


def run(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of one of ours.")],
    site: Annotated[Path | None, typer.Option(help="Another site than the scenario's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    until: Annotated[str | None, typer.Option(help="End after this long, such as 24h.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help=SET)] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for report, CSVs, journal.")] = None,
    trace: Annotated[Path | None, typer.Option(help="File for the ground bodies' truth.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, no report.")] = False,
) -> None:
    """Simulate a scenario headless, as fast as the processor allows; exit 1 if it disappoints."""
    from dispatcher.replay.recording import FILE as RECORDING
    from sim.report.report import write_report
    from sim.run import Wishes, failed
    from sim.run import run as simulate
    from sim.scenario.config import load_scenario

    until_s = until_seconds(until)
    loaded = load_scenario(find(scenario), site=site, overrides=set_ or ())
    folder = report
    if folder is None and not as_json:
        folder = Path("reports") / f"{loaded.name}-{seed}"
    lasts_s = loaded.duration_s if until_s is None else until_s
    screen = Console(stderr=True)
    with _bar(screen) as bar:
        job = bar.add_task(f"{loaded.name}, seed {seed}", total=lasts_s)
        result = simulate(
            loaded,
            Wishes(
                seed=seed,
                until_s=until_s,
                journal=folder / "journal.jsonl" if folder is not None else None,
                trace=trace,
                recording=folder / RECORDING if folder is not None else None,
                progress=lambda gone_s: bar.update(job, completed=gone_s),
            ),
        )
        bar.update(job, completed=lasts_s)
    if as_json:
        typer.echo(json.dumps(result.summary, ensure_ascii=False))
    else:
        Console().print(_summary(result.summary))
    if folder is not None:
        typer.echo(f"report: {write_report(folder, result)}", err=True)
    for line in failed(result):
        typer.echo(f"expected of {loaded.name}: {line}", err=True)
    if failed(result):
        raise typer.Exit(1)


def live(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of one of ours.")],
    site: Annotated[Path | None, typer.Option(help="Another site than the scenario's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times the wall's clock.")] = 10,
    host: Annotated[str, typer.Option(help="Where the console is served.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    until: Annotated[str | None, typer.Option(help="End after this long, such as 1h.")] = None,
    broker: Address = None,
    mavlink: Address = None,
    database: Annotated[str, typer.Option(help="sqlite:///FILE, to keep the tasks.")] = "sqlite://",
    set_: Annotated[list[str] | None, typer.Option("--set", help=SET)] = None,
) -> None:
    """Dispatcher, console and simulator together, in scaled real time."""
    from sim.live import Place, live_until_told
    from sim.scenario.config import load_scenario

    loaded = load_scenario(find(scenario), site=site, overrides=set_ or ())
    place = Place(host=host, port=port, broker=address_of(broker), mavlink=address_of(mavlink))
    live_until_told(
        loaded, seed=seed, speed=speed, place=place, database=database, until_s=until_seconds(until)
    )


def bodies(
    scenario: Annotated[str, typer.Argument(help="A scenario or serving file.")],
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    broker: Address = None,
    mavlink: Address = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help=SET)] = None,
) -> None:
    """Only a scenario's robots, drones, doors and lifts, for a dispatcher of its own process."""
    from sim.live import Place, bodies_until_told
    from sim.scenario.config import load_scenario

    if broker is None and mavlink is None:
        raise typer.BadParameter("nobody could reach them; name --broker, --mavlink or both")
    loaded = load_scenario(find(scenario), overrides=set_ or ())
    place = Place(broker=address_of(broker), mavlink=address_of(mavlink))
    bodies_until_told(loaded, seed=seed, place=place)


def _bar(screen: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=screen,
    )


def _summary(summary: Mapping[str, object]) -> Table:
    """The figures that a person wants first."""
    title = f"{summary['scenario']}, seed {summary['seed']}; p50 and p95 in minutes"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("kind", "asked", "done", "late", "failed", "cancelled", "open", "p50", "p95"):
        table.add_column(column, justify="left" if column == "kind" else "right", no_wrap=True)
    tasks, times = summary["tasks"], summary["latency"]
    assert isinstance(tasks, dict)
    assert isinstance(times, dict)
    for kind, row in tasks.items():
        counts = [str(row[k]) for k in ("submitted", "done", "late", "failed", "cancelled", "open")]
        p50, p95 = times[kind]["p50_s"], times[kind]["p95_s"]
        table.add_row(kind, *counts, _minutes(p50), _minutes(p95))
    violations = summary["violations"]
    assert isinstance(violations, dict)
    broken = ", ".join(f"{many} {kind}" for kind, many in violations.items() if many) or "none"
    table.caption = (
        f"violations: {broken} · {float(str(summary['virtual_s'])) / 3600:g} h in "
        f"{summary['cpu_s']} CPU s · {summary['peak_rss_mb']} MB · journal "
        f"{str(summary['journal_sha256'])[:12]}"
    )
    return table


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.1f}"
