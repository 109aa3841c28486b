"""The command ``wardline``. Other packages hang their commands in by ``wardline.commands``.

Exit codes: 0 done, 1 refused or failed, 2 wrong use. What a person did wrong is told with its
remedy and never with a traceback.
"""

import logging
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.commands import (
    bench,
    bench_coverage,
    bench_response,
    bench_watch,
    broker,
    client,
    conform,
    flights,
    site,
    submit,
)
from dispatcher.errors import DispatchError
from dispatcher.records.heap import relax
from fleet.errors import FleetError
from routing.errors import RoutingError

GROUP = "wardline.commands"
FAILED = 1


def make_app() -> typer.Typer:
    """All commands: this package's, then those that other packages hang in."""
    app = typer.Typer(
        name="wardline",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(wardline)
    app.command("serve")(serve)
    app.command("replay")(replay)
    submit.register(app)
    client.register(app)
    flights.register(app)
    site.register(app)
    conform.register(app)
    bench.register(app)
    bench_coverage.register()
    bench_watch.register()
    broker.register(app)
    bench_response.register()
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            commands = entry.load()
        except ImportError as error:
            typer.echo(f"the commands of {entry.name!r} can't be loaded: {error}", err=True)
        else:
            commands(app)
    return app


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wardline {version('wardline')}")
        raise typer.Exit


def wardline(
    debug: Annotated[
        bool, typer.Option("--debug", help="Log everything; show where a mistake is.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Dispatch hospital robots and drones: deliveries, medicine, patrols, disinfection."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )


def serve(
    config: Annotated[Path, typer.Argument(help="The serving file.", show_default=False)],
    host: Annotated[str | None, typer.Option(help="Instead of the file's.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="As well.")] = None,
) -> None:
    """Dispatch a real site: vehicles, API and console, until Ctrl-C."""
    from dispatcher.commands.serve import serve_site  # its imports take a second

    serve_site(config, host, port)


def replay(
    folder: Annotated[Path, typer.Argument(metavar="REPORT_DIR", show_default=False)],
    host: Annotated[str, typer.Option(help="Where the console is served.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Times the wall's clock.")] = 60,
) -> None:
    """Play back, in the console, a run that is over: the folder that `run --report` wrote."""
    from dispatcher.commands.replay import replay_folder

    replay_folder(folder, host, port, speed=speed)


def main() -> None:
    """Run ``wardline`` with this process's arguments."""
    relax()
    try:
        make_app()()
    except Exception as error:  # the last place where one can be told in words
        if "--debug" in sys.argv:
            raise
        typer.echo(told(error), err=True)
        sys.exit(FAILED)


def told(error: Exception) -> str:
    """An error in words: what a person can mend as it is, all else as our mistake.

    Of a group, each that it holds, once.
    """
    match error:
        case ExceptionGroup(exceptions=each):
            return "\n".join(dict.fromkeys(told(inner) for inner in each))
        case DispatchError() | FleetError() | RoutingError():
            return str(error)
        case OSError(filename=str() as file, strerror=str() as why):
            return f"{file}: {why}"
        case _:
            kind = type(error).__name__
            return (
                f"a mistake in wardline itself: {kind}: {error}\n"
                "'wardline --debug ...' shows where; please report it"
            )
