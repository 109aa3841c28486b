"""``wardline submit``: one command for each kind of task, made from the kind's schema."""

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.commands.http import HERE, Api, AsJson, Url
from dispatcher.commands.words import FAILED, answering, fault_line, say, say_json
from dispatcher.desks.schemas import task_schemas

WRONG_USE = 2
ROWS_AT_ONCE = 200
_TYPES: Mapping[str, type[object]] = {
    "string": str,
    "number": float,
    "integer": int,
    "boolean": bool,
    "array": list[str],
}


def register(app: typer.Typer) -> None:
    """Hang ``submit`` and its sub-commands into ``wardline``."""
    group = typer.Typer(name="submit", help="Queue tasks.", invoke_without_command=True)
    group.callback()(submit_file)
    for kind, schema in task_schemas().items():
        group.command(kind, help=schema["description"])(_command(kind, schema))
    app.add_typer(group)


def submit_file(
    ctx: typer.Context,
    file: Annotated[
        str | None,
        typer.Option(help="Queue all tasks of this JSON file; - reads standard input."),
    ] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Queue tasks: one by its kind, or many from a file."""
    if ctx.invoked_subcommand is not None:
        if file is not None:
            raise typer.BadParameter("give either --file or a kind of task, not both")
        return
    if file is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(WRONG_USE)
    rows = _rows(file)
    with answering(as_json=as_json):
        _submit_rows(Api(url), rows, as_json=as_json)


def _submit_rows(api: Api, rows: Sequence[Any], *, as_json: bool) -> None:
    results: list[dict[str, Any]] = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        for result in api.post("tasks", "batch", body={"tasks": part})["results"]:
            results.append({**result, "row": start + result["row"]})
            if not as_json:
                _say_row(results[-1])
    refused = sum("errors" in result for result in results)
    if as_json:
        accepted = len(results) - refused
        say_json({"results": results, "accepted": accepted, "refused": refused})
    else:
        say(f"{len(results) - refused} queued, {refused} refused")
    if refused:
        raise typer.Exit(FAILED)


def _say_row(result: Mapping[str, Any]) -> None:
    number = result["row"] + 1
    if "task" in result:
        say(f"{number}: {result['task']['id']}")
    for fault in result.get("errors", ()):
        typer.echo(f"{number}: {fault_line(fault)}", err=True)


def _rows(file: str) -> Sequence[Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise typer.BadParameter(f"{file} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from None
    rows = data.get("tasks") if isinstance(data, dict) else data
    if not isinstance(rows, list) or not rows:
        raise typer.BadParameter(f'{file} holds no tasks; write [...] or {{"tasks": [...]}}')
    return rows


def _command(kind: str, schema: Mapping[str, Any]) -> Callable[..., None]:
    """A function whose options are the schema's properties."""
    fields = {name: field for name, field in schema["properties"].items() if name != "kind"}

    def submit(url: str, as_json: bool, key: str | None, **options: Any) -> None:
        asked = {name: options[_variable(name)] for name in fields}
        given = {name: value for name, value in asked.items() if value not in (None, [])}
        with answering(as_json=as_json):
            task = Api(url).post("tasks", body={"kind": kind, **given}, key=key)
            if as_json:
                say_json(task)
            else:
                say(f"{task['id']} queued, due {task['due_at']}")

    own = [_option(name, field, name in schema["required"]) for name, field in fields.items()]
    submit.__signature__ = inspect.Signature([*own, *_COMMON])  # pyright: ignore
    submit.__annotations__ = {option.name: option.annotation for option in (*own, *_COMMON)}
    return submit


def _option(name: str, field: Mapping[str, Any], required: bool) -> inspect.Parameter:
    words = [str(field["x-label"]["en"])]
    if "default" in field and field["default"] not in ("", []):
        words.append(f"[default: {field['default']}]")
    if field["type"] == "array":
        words.append("Repeat it for more than one.")
    kind: Any = _TYPES[field["type"]]
    if "enum" in field:
        kind = StrEnum(name, {value: value for value in field["enum"]})
    flag = f"--{name.replace('_', '-')}"
    declared = typer.Option(flag, help=" ".join(words), show_default=False)
    return _parameter(_variable(name), kind if required else kind | None, declared, required)


def _parameter(name: str, kind: Any, declared: Any, required: bool) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, declared],
        default=inspect.Parameter.empty if required else None,
    )


def _variable(name: str) -> str:
    return f"{name}_"


_COMMON = [
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, annotation=Url, default=HERE),
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, annotation=AsJson, default=False),
    _parameter(
        "key",
        str | None,
        typer.Option("--key", help="Idempotency key: the same one again queues nothing twice."),
        required=False,
    ),
]
