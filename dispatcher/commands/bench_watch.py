"""``wardline bench watch``: how long points are unseen, when vehicles watch without end."""

from collections.abc import Callable, Sequence
from functools import partial
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
    from dispatcher.bench.watch import Row, Watched
    from dispatcher.bench.watch_case import WatchCase
    from routing.watch.measures import Secrecy

    Plan = Callable[[WatchCase, int], Watched]

MOST_VEHICLES = 1000
LEAST_VISITS, MOST_VISITS = 1000, 1_000_000


def register() -> None:
    """Hang the command into ``wardline bench``."""
    if all(command.callback is not watch for command in bench.registered_commands):
        bench.command()(watch)


def watch(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Cases, or folders with cases at any depth.", show_default=False),
    ],
    vehicles: Annotated[str, typer.Option(help="How many, such as 1,2,4,8.")] = "1,2,4,8",
    budget_s: Annotated[
        float, typer.Option(help="Processor seconds for each case and number of vehicles.")
    ] = 5.0,
    unpredictable: Annotated[
        bool, typer.Option("--unpredictable", help="In random order, each vehicle its own part.")
    ] = False,
    visits: Annotated[
        int,
        typer.Option(min=LEAST_VISITS, max=MOST_VISITS, help="Stops of each random vehicle."),
    ] = 100_000,
    tours: Annotated[
        float, typer.Option(min=1.0, max=100.0, help="Random: longest unseen, in tours.")
    ] = 2.0,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Watch points without end: the longest time that any of them is unseen."""
    from dispatcher.bench.files import WrongUse
    from dispatcher.bench.watch_case import find_watch_cases
    from routing.errors import InstanceError

    if not 0 < budget_s <= DAY_S:
        fail(f"--budget-s {budget_s:g} is not between 0 and a day; write 5", USE_WRONG)
    try:
        numbers = _numbers(vehicles)
        cases = find_watch_cases(paths)
        plan = _random(budget_s, seed, tours, visits) if unpredictable else _even(budget_s, seed)
        rows = _rows(cases, numbers, plan, out)
    except WrongUse as error:
        fail(str(error), USE_WRONG)
    except InstanceError as error:
        fail(str(error), FILE_WRONG)
    if as_json:
        say_json([row.plain() for row in rows])
    else:
        say_table(*(_secret_cells(rows) if unpredictable else _cells(rows)))


def _numbers(text: str) -> list[int]:
    from dispatcher.bench.files import WrongUse

    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= MOST_VEHICLES):
            raise WrongUse(
                f"--vehicles {word!r} is not between 1 and {MOST_VEHICLES}; write 1,2,4,8"
            )
    if not words:
        raise WrongUse("--vehicles names no number; write 1,2,4,8")
    return list(dict.fromkeys(map(int, words)))


def _even(budget_s: float, seed: int) -> "Plan":
    from dispatcher.bench.watch import evenly

    return partial(evenly, budget_s=budget_s, seed=seed)


def _random(budget_s: float, seed: int, tours: float, many: int) -> "Plan":
    from dispatcher.bench.watch import unpredictably

    return partial(unpredictably, budget_s=budget_s, seed=seed, tours=tours, many=many)


def _rows(
    cases: "Sequence[WatchCase]", numbers: Sequence[int], plan: "Plan", out: Path | None
) -> "list[Row]":
    """A row for each case and number of vehicles."""
    from dispatcher.bench.watch import row_of, write
    from routing.watch.rings import warm_up

    warm_up()
    rows: list[Row] = []
    with progress_bar() as bar:
        job = bar.add_task("watching", total=len(cases) * len(numbers))
        for case in cases:
            for k in numbers:
                watched = plan(case, k)
                if out is not None:
                    write(out, case, k, watched)
                rows.append(row_of(case, k, watched))
                bar.advance(job)
    return rows


def _cells(rows: "Sequence[Row]") -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    columns = ("case", "vehicles", "worst idle s", "bound s", "CPU s")
    return columns, [
        (row.case, row.k, f"{row.worst_idle_s:.1f}", f"{row.bound_s:.1f}", f"{row.cpu_s:.2f}")
        for row in rows
    ]


def _secret_cells(rows: "Sequence[Row]") -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    columns = (
        *("case", "vehicles", "tour s", "worst idle s", "worst / tour"),
        *("entropy", "detection", "entropy, passing", "detection, passing", "CPU s"),
    )
    found: list[Sequence[object]] = []
    for row in rows:
        tour_s = row.tour_s or 1.0
        ways = (f"{tour_s:.1f}", f"{row.worst_idle_s:.1f}", f"{row.worst_idle_s / tour_s:.3f}")
        shares = (*_shares(row.secret), *_shares(row.seen))
        found.append((row.case, row.k, *ways, *shares, f"{row.cpu_s:.2f}"))
    return columns, found


def _shares(found: "Secrecy | None") -> tuple[str, str]:
    return ("", "") if found is None else (f"{found.entropy:.3f}", f"{found.detection:.3f}")
