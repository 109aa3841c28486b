"""``wardline bench``: instances of public benchmarks, solved here and by others."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dispatcher.commands.words import say, say_json, say_table

if TYPE_CHECKING:  # what it takes to solve is only loaded by those who do
    from dispatcher.bench.table import Row

FILE_WRONG, USE_WRONG = 1, 2
DAY_S = 86_400.0
MOST_REQUESTS, MOST_VEHICLES = 5000, 500

bench = typer.Typer(
    name="bench", help="Solve instances of public benchmarks.", no_args_is_help=True
)
"""Other packages hang benchmarks of their own in here."""

Paths = Annotated[
    list[Path],
    typer.Argument(help="Instances, or folders with instances at any depth.", show_default=False),
]
Seconds = Annotated[float, typer.Option(help="Processor seconds for each instance and solver.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all chance.")]
Out = Annotated[Path | None, typer.Option(help="Folder for our answers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON: a list of rows.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into ``wardline``."""
    app.add_typer(bench)


@bench.command()
def allocation(
    paths: Paths,
    budget_s: Seconds = 5.0,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Who does which delivery, so that the sum of finish minus earliest start is small."""
    _solve(paths, "flow", budget_s, seed, (), out, as_json=as_json)


@bench.command()
def routing(
    paths: Paths,
    objective: Annotated[
        Literal["distance", "vehicles"],
        typer.Option(help="What is to be small; vehicles = their number, then the distance."),
    ],
    budget_s: Seconds,
    seed: Seed = 0,
    peers: Annotated[str, typer.Option(help="Who else: pyvrp,vroom,ortools.")] = "",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Tours with loads and time windows: Solomon, Li and Lim (PDPTW), Schneider (E-VRPTW)."""
    from dispatcher.bench.files import WrongUse
    from dispatcher.bench.run import peers_named

    try:
        names = peers_named(peers)
    except WrongUse as error:
        fail(str(error), USE_WRONG)
    _solve(paths, objective, budget_s, seed, names, out, as_json=as_json)


@bench.command()
def queue(
    requests: Annotated[int, typer.Option(min=1, max=MOST_REQUESTS, help="Open requests.")] = 1000,
    vehicles: Annotated[int, typer.Option(min=1, max=MOST_VEHICLES, help="How many.")] = 100,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON: one object.")] = False,
) -> None:
    """How quick the planner answers with a long queue, and whether the event loop feels it."""
    from dispatcher.bench.queue import PARTS, measure

    with progress_bar() as bar:
        job = bar.add_task("measuring", total=PARTS)
        figures = measure(requests, vehicles, seed, done=lambda: bar.advance(job))
    found = asdict(figures)
    if as_json:
        say_json(found)
    else:
        say_table(("figure", "value"), list(found.items()))


def _solve(
    paths: Sequence[Path],
    objective: str,
    budget_s: float,
    seed: int,
    peers: tuple[str, ...],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Read all, then solve all; an instance that can't be used stops it before it begins."""
    from dispatcher.bench.files import ALLOCATIONS, TOURS, WrongUse, find
    from dispatcher.bench.run import Asked, ours_failed, prepare_folder, run
    from dispatcher.bench.table import Row
    from routing.instances.instance import Objective

    if not 0 < budget_s <= DAY_S:
        fail(
            f"--budget-s {budget_s:g} is not between 0 and a day; write more than 0, such as 5",
            USE_WRONG,
        )
    asked = Asked(
        objective=Objective(objective), budget_s=budget_s, seed=seed, peers=peers, out=out
    )
    try:
        found = find(paths, ALLOCATIONS if asked.objective is Objective.FLOW else TOURS)
        if found.faults:
            fail("\n".join(map(str, found.faults)), FILE_WRONG)
        if out is not None:
            prepare_folder(out, found.instances)
        total = len(found.instances) * (1 + len(peers))
        with progress_bar() as bar:
            job = bar.add_task("solving", total=total)
            rows: list[Row] = []
            for row in run(asked, found.instances):
                rows.append(row)
                bar.advance(job)
    except WrongUse as error:
        fail(str(error), USE_WRONG)
    _say(rows, as_json=as_json)
    if ours_failed(rows):
        raise typer.Exit(FILE_WRONG)


def _say(rows: "Sequence[Row]", *, as_json: bool) -> None:
    from dispatcher.bench.table import cells, mean_cells

    if as_json:
        say_json([row.plain() for row in rows])
        return
    say_table(*cells(rows))
    if len(rows) > 1:
        say("")
        say_table(*mean_cells(rows))


def progress_bar() -> Progress:
    """A bar on a terminal's standard error; nothing elsewhere."""
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


def fail(message: str, code: int) -> NoReturn:
    """Say why not, and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
