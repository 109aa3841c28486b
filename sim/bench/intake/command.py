"""``wardline bench intake``: how soon a request becomes an order on a robot's wire."""

from dataclasses import asdict
from typing import Annotated

import typer

from dispatcher.commands.words import say_json, say_table
from fleet.errors import FleetError
from sim.bench.options import fail, within
from sim.options import WrongUse, address_of

MOST_TASKS, MOST_VEHICLES, MOST_CALLERS, LONGEST_PAUSE_S = 100_000, 500, 100, 3600.0


def intake(
    tasks: Annotated[int, typer.Option(help="How many are asked for.")] = 2000,
    vehicles: Annotated[int, typer.Option(help="How many robots there are.")] = 20,
    callers: Annotated[
        int, typer.Option(help="How many ask at once, each for one task after the other.")
    ] = 1,
    pause_s: Annotated[
        float, typer.Option(help="How long each waits between two tasks; robots end theirs.")
    ] = 0.1,
    broker: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="A broker that is there; none = no broker."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON: one object.")] = False,
) -> None:
    """Ask for deliveries while robots are free: how long until the order is on the wire?"""
    from sim.bench.intake.serving import Asked, measure

    try:
        within("--tasks", tasks, MOST_TASKS, least=1)
        within("--vehicles", vehicles, MOST_VEHICLES, least=1)
        within("--callers", callers, MOST_CALLERS, least=1)
        if pause_s:
            within("--pause-s", pause_s, LONGEST_PAUSE_S)
        asked = Asked(
            tasks=tasks,
            vehicles=vehicles,
            callers=callers,
            pause_s=pause_s,
            broker=address_of(broker),
        )
        found = asdict(measure(asked))
    except (WrongUse, FleetError) as error:
        fail(str(error))
    row = {
        "tasks": tasks,
        "vehicles": vehicles,
        "callers": callers,
        "pause_s": pause_s,
        "broker": broker,
        **found,
    }
    if as_json:
        say_json(row)
    else:
        say_table(("figure", "value"), list(row.items()))
