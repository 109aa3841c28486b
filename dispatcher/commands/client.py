"""``wardline tasks``, ``show``, ``cancel``, ``vehicles``, ``conduct``, ``alerts``: the API."""

from typing import Annotated, Any

import typer

from dispatcher.commands.http import HERE, Api, AsJson, Url
from dispatcher.commands.words import (
    answering,
    moment,
    reason_words,
    say,
    say_json,
    say_table,
)

Task = Annotated[str, typer.Argument(help="A task's id, such as T-000001.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Hang these commands into ``wardline``."""
    for command in (tasks, show, cancel, vehicles, conduct, alerts):
        app.command(command.__name__)(command)


def tasks(
    state: Annotated[list[str] | None, typer.Option(help="Only in this state.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only of this kind.")] = None,
    place: Annotated[str | None, typer.Option(help="Only with this place.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Only of this vehicle.")] = None,
    text: Annotated[str | None, typer.Option("--text", "-q", help="Only with this text.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[int | None, typer.Option(help="Go on from here.")] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """List tasks, the newest first."""
    with answering(as_json=as_json):
        page = Api(url).get(
            "tasks",
            state=state,
            kind=kind,
            place=place,
            vehicle=vehicle,
            q=text,
            limit=limit,
            cursor=cursor,
        )
    if as_json:
        say_json(page)
        return
    columns = ("id", "state", "priority", "kind", "what", "where", "vehicle", "due", "why")
    say_table(columns, [_task_row(task) for task in page["tasks"]])
    more = f"; more with --cursor {page['next']}" if page["next"] else ""
    say(f"{len(page['tasks'])} of {page['total']} tasks{more}")


def show(task: Task, url: Url = HERE, as_json: AsJson = False) -> None:
    """Show one task and all that happened to it."""
    with answering(as_json=as_json):
        found = Api(url).get("tasks", task)
    if as_json:
        say_json(found)
        return
    facts = {name: value for name, value in found["spec"].items() if value not in (None, "", [])}
    late = " (late)" if found["late"] else ""
    rows: list[tuple[str, object]] = [
        ("task", f"{found['id']} {found['kind']}, {found['priority']}"),
        ("state", f"{found['state']}{late}"),
        ("why", reason_words(found["reason"])),
        ("vehicle", found["vehicle"]),
        ("stops", f"{found['stops_done']} of {found['stops_total']} done"),
        ("created", moment(found["created_at"])),
        ("not before", moment(found["earliest_at"])),
        ("due", moment(found["due_at"])),
        ("expected", moment(found["eta_at"])),
        ("ended", moment(found["ended_at"])),
        ("requester", found["requester"]),
        ("note", found["note"]),
        *((name, _words(value)) for name, value in facts.items()),
    ]
    say_table(("", ""), [row for row in rows if row[1]])
    timeline = [
        (moment(e["at"]), e["event"].replace("_", " "), e["vehicle"], _facts(e["facts"]))
        for e in found["timeline"]
    ]
    say_table(("when", "what happened", "vehicle", "facts"), timeline)


def cancel(task: Task, url: Url = HERE, as_json: AsJson = False) -> None:
    """Cancel a task; goods that are on board are brought back first."""
    with answering(as_json=as_json):
        found = Api(url).post("tasks", task, "cancel")
    if as_json:
        say_json(found)
    else:
        say(f"{found['id']} {found['state']}")


def vehicles(url: Url = HERE, as_json: AsJson = False) -> None:
    """List vehicles: where they are, what they do, and what they wait for."""
    with answering(as_json=as_json):
        found = Api(url).get("vehicles")
    if as_json:
        say_json(found)
        return
    columns = ("id", "name", "kind", "activity", "charge", "where", "goal", "tasks", "waits for")
    say_table(columns, [_vehicle_row(vehicle) for vehicle in found["vehicles"]])


def conduct(url: Url = HERE, as_json: AsJson = False) -> None:
    """List which rules of their protocol vehicles have broken, how often, and what they did."""
    with answering(as_json=as_json):
        found = Api(url).get("vehicles")["vehicles"]
    rows = [{"vehicle": one["id"], **breach} for one in found for breach in one["breaches"]]
    if as_json:
        say_json({"breaches": rows})
        return
    columns = ("vehicle", "rule", "what it does", "weight", "count", "last, s ago", "the last time")
    names = ("vehicle", "rule", "words", "weight", "count", "last_ago_s", "detail")
    say_table(columns, [tuple(row[name] for name in names) for row in rows])
    broken = {row["vehicle"] for row in rows}
    say(f"{len(found) - len(broken)} of {len(found)} vehicles have broken no rule")


def alerts(
    acknowledge: Annotated[
        str | None, typer.Option("--acknowledge", help="Note that this alert was seen.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who has seen it.")] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """List alerts, or acknowledge one."""
    if (acknowledge is None) != (by is None):
        raise typer.BadParameter("--acknowledge ID and --by NAME go together")
    with answering(as_json=as_json):
        api = Api(url)
        if acknowledge is not None:
            found = api.post("alerts", acknowledge, "acknowledge", body={"by": by})
        else:
            found = api.get("alerts")
    if as_json:
        say_json(found)
    elif acknowledge is not None:
        say(f"{found['id']} acknowledged by {found['acknowledged_by']}")
    else:
        columns = ("id", "severity", "what", "vehicle", "task", "since", "count", "seen by", "over")
        say_table(columns, [_alert_row(alert) for alert in found["alerts"]])


def _task_row(task: dict[str, Any]) -> tuple[object, ...]:
    to = ", ".join(task["to"])
    where = f"{task['from']} → {to}" if task["from"] else to or task["spec"].get("area", "")
    state = f"{task['state']}, late" if task["late"] else task["state"]
    return (
        task["id"],
        state,
        task["priority"],
        task["kind"],
        task["item"],
        where,
        task["vehicle"],
        moment(task["due_at"]),
        reason_words(task["reason"]),
    )


def _vehicle_row(vehicle: dict[str, Any]) -> tuple[object, ...]:
    charge = "" if vehicle["charge_ratio"] is None else f"{vehicle['charge_ratio']:.0%}"
    where = ""
    if vehicle["level"] is not None:
        where = f"{vehicle['level']} {vehicle['x_m']:.1f}, {vehicle['y_m']:.1f}"
    return (
        vehicle["id"],
        vehicle["name"],
        vehicle["kind"],
        vehicle["activity"].replace("_", " "),
        charge,
        where,
        vehicle["goal"],
        ", ".join(vehicle["tasks"]),
        reason_words(vehicle["waiting_for"]),
    )


def _alert_row(alert: dict[str, Any]) -> tuple[object, ...]:
    return (
        alert["id"],
        alert["severity"],
        reason_words(alert),
        alert["vehicle"],
        alert["task"],
        moment(alert["since"]),
        alert["count"],
        alert["acknowledged_by"],
        moment(alert["cleared_at"]),
    )


def _facts(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_words(value)}" for name, value in facts.items())


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, dict) and "code" in value:
        return reason_words(value)
    return str(value)
