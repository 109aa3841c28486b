"""``wardline bench telemetry``: what it takes to hear a large fleet, and how late it is heard."""

from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dispatcher.commands.words import say_json, say_table
from fleet.errors import FleetError
from sim.bench.options import fail, within
from sim.options import WrongUse, address_of

if TYPE_CHECKING:
    from sim.bench.telemetry.figures import Figures

MOST_VEHICLES, MOST_HZ, MOST_SECONDS = 10_000, 50.0, 3600.0

Protocol = Literal["vda5050", "mavlink"]
MODULES: dict[str, str] = {
    "vda5050": "sim.bench.telemetry.vda5050",
    "mavlink": "sim.bench.telemetry.mavlink",
}
"""Which module's ``measure(Asked)`` hears the vehicles of a protocol."""


def telemetry(
    protocol: Annotated[Protocol, typer.Option(help="What the vehicles speak.")] = "vda5050",
    vehicles: Annotated[int, typer.Option(help="How many.")] = 2000,
    hz: Annotated[float, typer.Option(help="How often each says how it is.")] = 1.0,
    seconds: Annotated[float, typer.Option(help="How long they are listened to.")] = 30.0,
    broker: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="A broker that is there; none = no broker."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON: one object.")] = False,
) -> None:
    """Hear a large fleet: processor share, and how late each message is with the roster."""
    from sim.bench.telemetry.figures import Asked

    try:
        within("--vehicles", vehicles, MOST_VEHICLES, least=1)
        within("--hz", hz, MOST_HZ)
        within("--seconds", seconds, MOST_SECONDS)
        if broker is not None and protocol == "mavlink":
            raise WrongUse("MAVLink needs no broker; leave --broker out")
        asked = Asked(vehicles=vehicles, hz=hz, seconds=seconds, broker=address_of(broker))
        found: Figures = import_module(MODULES[protocol]).measure(asked)
    except (WrongUse, FleetError) as error:
        fail(str(error))
    row = {"protocol": protocol, "vehicles": vehicles, "hz": hz, "broker": broker, **asdict(found)}
    if as_json:
        say_json(row)
    else:
        say_table(("figure", "value"), list(row.items()))
