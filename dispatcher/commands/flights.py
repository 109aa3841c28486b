"""``wardline flights``: the log of flights from a terminal, as a table, a file, or a month."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dispatcher.commands.http import HERE, Api, AsJson, Url
from dispatcher.commands.words import answering, moment, say, say_json, say_table

PAGE = 500


def register(app: typer.Typer) -> None:
    """Hang the command into ``wardline``."""
    app.command("flights")(flights)


def flights(
    month: Annotated[str | None, typer.Option(help="All of a month, such as 2026-03.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Only of this drone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Without a month.")] = 100,
    form: Annotated[
        Literal["table", "csv", "geojson", "kml"], typer.Option("--format", help="Of the answer.")
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="Write it into this file.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="The numbers of the month instead.")
    ] = False,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """List flights, the newest first; write them as CSV, GeoJSON or KML; report a month."""
    if report and month is None:
        raise typer.BadParameter("--report wants a month, such as --month 2026-03")
    api = Api(url)
    with answering(as_json=as_json):
        if report:
            found = api.get("flights", "report", month=month)
        elif form == "table":
            found = _listed(api, month, vehicle, limit)
        else:
            asked = {"month": month, "vehicle": vehicle, "limit": limit, "format": form}
            _write(api.text("flights", **asked), out)
            return
    if as_json:
        say_json(found)
    elif report:
        _say_month(found)
    else:
        say_table(*_rows(found["flights"]))


def _listed(api: Api, month: str | None, vehicle: str | None, limit: int) -> Any:
    """The latest ones, or all of a month, page by page."""
    if month is None:
        return api.get("flights", vehicle=vehicle, limit=limit)
    flights: list[Any] = []
    cursor = None
    while True:
        page = api.get("flights", month=month, vehicle=vehicle, limit=PAGE, cursor=cursor)
        flights += page["flights"]
        cursor = page["next"]
        if cursor is None:
            return {"flights": flights, "next": None}


def _write(text: str, out: Path | None) -> None:
    if out is None:
        say(text.rstrip("\n"))
    else:
        out.write_text(text, encoding="utf-8")


def _say_month(month: Any) -> None:
    rows = [(name.replace("_", " "), value) for name, value in month.items() if name != "month"]
    say_table(("", month["month"]), rows)


def _rows(found: list[Any]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    columns = ("id", "vehicle", "began", "min", "m", "commanded by", "for", "breaches")
    return columns, [
        (
            one["id"],
            one["vehicle"],
            moment(one["began_at"]),
            f"{one['minutes']:.1f}",
            f"{one['metres']:.0f}",
            one["commanded_by"],
            " ".join((*one["tasks"], *one["incidents"])),
            " ".join(one["breaches"]),
        )
        for one in found
    ]
