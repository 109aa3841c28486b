"""``wardline bench coverage``: how soon drones have seen all of an area."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispatcher.commands.bench import (
    DAY_S,
    FILE_WRONG,
    USE_WRONG,
    AsJson,
    Out,
    Seed,
    bench,
    fail,
    progress_bar,
)
from dispatcher.commands.words import say_json, say_table

if TYPE_CHECKING:
    from dispatcher.bench.coverage import Row


def register() -> None:
    """Hang the command into ``wardline bench``."""
    if all(command.callback is not coverage for command in bench.registered_commands):
        bench.command()(coverage)


def coverage(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Cases, or folders with cases at any depth.", show_default=False),
    ],
    budget_s: Annotated[float, typer.Option(help="Processor seconds for each case.")] = 10.0,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Survey areas with several drones: from the first take-off to the last landing."""
    from dispatcher.bench.coverage import find_coverage_cases, solve, write
    from dispatcher.bench.files import WrongUse
    from routing.errors import RoutingError
    from routing.survey.planner import warm_up

    if not 0 < budget_s <= DAY_S:
        fail(f"--budget-s {budget_s:g} is not between 0 and a day; write 10", USE_WRONG)
    rows: list[Row] = []
    try:
        cases = find_coverage_cases(paths)
        warm_up()
        with progress_bar() as bar:
            job = bar.add_task("surveying", total=len(cases))
            for case in cases:
                row, plan = solve(case, budget_s, seed)
                if out is not None:
                    write(out, case, plan)
                rows.append(row)
                bar.advance(job)
    except WrongUse as error:
        fail(str(error), USE_WRONG)
    except RoutingError as error:
        fail(str(error), FILE_WRONG)
    if as_json:
        say_json([row.plain() for row in rows])
    else:
        say_table(
            ("case", "makespan s", "covered", "valid", "sorties", "bound s", "CPU s"),
            [
                (
                    r.case,
                    f"{r.makespan_s:.1f}",
                    f"{r.covered:.4f}",
                    "yes" if r.valid else "no",
                    r.sorties,
                    f"{r.bound_s:.1f}",
                    f"{r.cpu_s:.2f}",
                )
                for r in rows
            ],
        )
    if not all(row.valid for row in rows):
        raise typer.Exit(FILE_WRONG)
