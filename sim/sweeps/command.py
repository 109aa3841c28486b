"""``wardline sweep``: one scenario, many seeds and settings, and how sure one can be."""

import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dispatcher.commands.words import say_json, say_table
from sim.options import WrongUse, find, seeds_named, until_seconds
from sim.sweeps.sweep import Setting, settings_of

if TYPE_CHECKING:  # what it takes to simulate is only loaded by those who do
    from sim.sweeps.store import Run, Store

FAILED, INTERRUPTED = 1, 130
MOST_RUNS, MOST_JOBS = 10_000, 64
KILLED = "a process was ended from outside, perhaps for want of memory; try fewer --jobs"
SETS = "key=value, or key=v1,v2 to compare; may be given several times for a grid."


def sweep(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of one of ours.")],
    seeds: Annotated[str, typer.Option(help="Of all chance: 0-9, or 0,4,7.")] = "0-9",
    set_: Annotated[list[str] | None, typer.Option("--set", help=SETS)] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, help="Processes; else one per core.")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Another site than the scenario's.")] = None,
    until: Annotated[str | None, typer.Option(help="End after this long, such as 24h.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; runs that are there already are not run again.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer as JSON: a list of rows.")
    ] = False,
) -> None:
    """Run a scenario with many seeds and settings; compare means, spreads and differences."""
    from sim.sweeps.page import write_page
    from sim.sweeps.store import Store
    from sim.sweeps.table import as_plain, cells, rows_of, write_csv

    settings, chosen = _grid(set_ or (), seeds)
    file = find(scenario)
    runs = _runs(file, site, settings, chosen, until_seconds(until))
    folder = out or Path("sweeps") / file.stem
    store = Store(folder)
    try:
        failed = _run_missing(runs, store, jobs or os.cpu_count() or 1)
    except KeyboardInterrupt:
        kept = sum(store.get(run) is not None for run in runs)
        typer.echo(
            f"{kept} of {len(runs)} runs are kept; the same command goes on from there", err=True
        )
        raise typer.Exit(INTERRUPTED) from None
    ended = [(run, summary) for run in runs if (summary := store.get(run)) is not None]
    by_setting = {s: {r.seed: summary for r, summary in ended if r.setting == s} for s in settings}
    rows = rows_of(settings, by_setting)
    write_csv(folder, rows)
    page = write_page(folder, f"{file.stem}, seeds {seeds}", rows)
    if as_json:
        say_json(as_plain(rows))
    else:
        say_table(*cells(rows))
    typer.echo(f"page: {page}", err=True)
    for line in failed:
        typer.echo(line, err=True)
    if failed:
        raise typer.Exit(FAILED)


def _grid(changes: Sequence[str], seeds: str) -> tuple[list[Setting], tuple[int, ...]]:
    try:
        settings, chosen = settings_of(changes), seeds_named(seeds)
        if len(settings) * len(chosen) > MOST_RUNS:
            raise WrongUse(f"these are more than {MOST_RUNS} runs; name fewer seeds or values")
    except WrongUse as error:
        raise typer.BadParameter(str(error)) from None
    return settings, chosen


def _runs(
    file: Path,
    site: Path | None,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    until_s: float | None,
) -> "list[Run]":
    """All runs, setting by setting; a setting that makes no scenario is refused at once."""
    from sim.scenario.config import load_scenario
    from sim.sweeps.store import Run, key_of

    found: list[Run] = []
    for setting in settings:
        loaded = load_scenario(file, site=site, overrides=setting.overrides)
        paths = (loaded.source, loaded.site_source)
        texts = [Path(path).read_text(encoding="utf-8") for path in paths]
        found += [
            Run(
                key=key_of(texts, setting, seed, until_s),
                scenario=loaded.source,
                site=None if site is None else str(site),
                setting=setting,
                seed=seed,
                until_s=until_s,
            )
            for seed in seeds
        ]
    return found


def _run_missing(runs: "Sequence[Run]", store: "Store", jobs: int) -> list[str]:
    """Run what the store lacks; a line for each run that failed."""
    from dispatcher.records.executors import warm_up
    from sim.sweeps.jobs import run_all

    missing = [run for run in runs if store.get(run) is None]
    failed: list[str] = []
    if missing:
        warm_up(lambda text: typer.echo(text, err=True))
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=screen) as bar:
        job = bar.add_task("runs", total=len(runs), completed=len(runs) - len(missing))
        try:
            for run, ended in run_all(missing, jobs):
                if isinstance(ended, str):
                    failed.append(f"seed {run.seed} {run.setting.label}: {ended}")
                else:
                    store.add(run, ended)
                bar.advance(job)
        except BrokenProcessPool:
            failed.append(KILLED)
    return failed
