"""How the command line talks: tables for people, JSON for programs, and errors with remedies."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.commands.http import NoAnswer, Refusal

FAILED = 1
NO_TERMINAL_WIDTH = 1000
"""Lines that go into a file or another program are not wrapped."""


def say(line: str) -> None:
    """One line, as it is, to stdout."""
    typer.echo(line)


def say_json(value: Any) -> None:
    """One JSON value to stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; what was typed by people is shown as it is, never as markup."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    terminal = Console().is_terminal
    Console(width=None if terminal else NO_TERMINAL_WIDTH).print(table)


@contextmanager
def answering(*, as_json: bool) -> Generator[None]:
    """Turn a dispatcher's no, or its silence, into words and exit code 1."""
    try:
        yield
    except Refusal as refusal:
        if as_json:
            say_json({"error": refusal.problem})
        else:
            typer.echo("\n".join(problem_lines(refusal.problem)), err=True)
        raise typer.Exit(FAILED) from None
    except NoAnswer as silence:
        if as_json:
            say_json({"error": {"code": "no_answer", "message": str(silence), "fields": []}})
        else:
            typer.echo(str(silence), err=True)
        raise typer.Exit(FAILED) from None


def problem_lines(problem: Mapping[str, Any]) -> list[str]:
    """An error of the API in lines: one for each field, or its message."""
    fields = problem.get("fields") or []
    return [fault_line(fault) for fault in fields] or [str(problem["message"])]


def fault_line(fault: Mapping[str, Any]) -> str:
    """A wrong field in one line: which, its value, why, and what to do."""
    facts = dict(fault["facts"])
    value = f" = {facts.pop('value')!r}" if "value" in facts else ""
    more = ", ".join(f"{name} {fact}" for name, fact in facts.items() if name != "allowed")
    why = str(fault["code"]).replace("_", " ") + (f" ({more})" if more else "")
    return f"{fault['field'] or 'request'}{value}: {why}; {fault['remedy']}"


def reason_words(reason: Mapping[str, Any] | None) -> str:
    """Why something waits or failed, in short."""
    if reason is None:
        return ""
    facts = ", ".join(f"{name} {fact}" for name, fact in reason["facts"].items())
    return str(reason["code"]).replace("_", " ") + (f" ({facts})" if facts else "")


def moment(text: str | None) -> str:
    """A moment of the API in the time zone of this machine."""
    if text is None:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
