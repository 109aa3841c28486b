"""``wardline bench response``: how soon a drone is where it was called to."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dispatcher.commands.bench import USE_WRONG, AsJson, Seed, bench
from dispatcher.commands.words import say, say_json, say_table

if TYPE_CHECKING:
    from dispatcher.bench.response import Row

MOST_DOCKS, MOST_DRONES = 50, 20


def register() -> None:
    """Hang the command into ``wardline bench``."""
    if all(command.callback is not response for command in bench.registered_commands):
        bench.command()(response)


def response(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Cases (response_*.json), or folders with them.", show_default=False),
    ],
    docks: Annotated[int, typer.Option(min=1, max=MOST_DOCKS, help="How many to place.")] = 4,
    drones: Annotated[int, typer.Option(min=1, max=MOST_DRONES, help="In each dock.")] = 2,
    patrols: Annotated[
        int, typer.Option(min=0, max=MOST_DOCKS, help="Docks whose first drone patrols.")
    ] = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Calls of a town replayed: which share has a drone above it within 120 s, by policy."""
    from dispatcher.bench.files import WrongUse
    from dispatcher.bench.response import POLICIES, choice_ms, read, run

    try:
        cases = [read(file) for path in paths for file in _files(path)]
    except WrongUse as error:
        _fail(str(error))
    rows: list[Row] = []
    for case in cases:
        rows += run(
            case,
            docks=docks,
            drones_per_dock=drones,
            patrols=patrols,
            policies=POLICIES,
            seed=seed,
        )
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    say_table(*_cells(rows))
    say("")
    say(f"one choice among 100 drones: p99 {choice_ms(100, 500, seed):.2f} ms of CPU")


def _files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return (path,)
    found = sorted(path.rglob("response_*.json"))
    if not found:
        _fail(f"{path}: no file response_*.json lies in this folder")
    return found


def _cells(rows: Sequence["Row"]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    columns = ("case", "docks", "patrols", "policy", "<= 120 s %", "p50 s", "p90 s")
    more = ("cannot return", "unanswered", "reach %", "proven", "placed in CPU s")
    return (*columns, *more), [
        (
            row.case,
            f"{row.docks} x {row.drones_per_dock}",
            row.patrols,
            row.policy,
            f"{100 * row.within_120:.1f}",
            _seconds(row.p50_s),
            _seconds(row.p90_s),
            row.cannot_return,
            row.unanswered,
            f"{100 * row.placement_share:.1f}",
            "yes" if row.placement_proven else "no",
            f"{row.placement_cpu_s:.2f}",
        )
        for row in rows
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(USE_WRONG)
