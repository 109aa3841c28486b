"""What the commands of all benchmarks have in common: limits, progress, and a no."""

from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sim.options import WrongUse

MOST_HOURS = 24.0 * 7
USE_WRONG = 2


def within(option: str, value: float, most: float, least: float | None = None) -> float:
    """A number above 0, or of at least ``least``, and not too large."""
    if least is not None and not least <= value <= most:
        raise WrongUse(f"{option} {value:g} is not between {least:g} and {most:g}")
    if not 0 < value <= most:  # not a number is neither
        raise WrongUse(f"{option} {value:g} is not above 0 and at most {most:g}")
    return value


def progress_bar() -> Progress:
    """On a terminal only; it leaves nothing behind."""
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


def fail(message: str) -> NoReturn:
    """End the command because it was used wrongly."""
    typer.echo(message, err=True)
    raise typer.Exit(USE_WRONG)
