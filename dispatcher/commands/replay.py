"""``wardline replay``: the console over a run that is over."""

import asyncio
from pathlib import Path

import typer
from fastapi import FastAPI

from dispatcher.commands.serve import serve_door, until_told
from dispatcher.replay.app import replay_app
from dispatcher.replay.folder import Run, read_run
from dispatcher.replay.playback import Playback


def replay_folder(folder: Path, host: str, port: int, *, speed: float) -> None:
    """Serve the run in a report's folder until SIGINT or SIGTERM; it stands at its beginning.

    Raises:
        Unplayable, DoorTaken: a person must mend something.
    """
    run = read_run(folder)
    for warning in run.warnings:
        typer.echo(f"{folder}: {warning}", err=True)
    asyncio.run(until_told(_serve(run, host, port, speed)))


async def _serve(run: Run, host: str, port: int, speed: float) -> None:
    playback = Playback(run, speed=speed)
    app: FastAPI = replay_app(run, playback)
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_door(app, host, port, ready=ready), name="web")
        group.create_task(playback.run(), name="playback.run")
        await ready.wait()
        typer.echo(f"replay of {run.history.about.name}: http://{host}:{port}")
