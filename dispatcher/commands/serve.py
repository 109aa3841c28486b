"""``wardline serve``: dispatcher, API and console in one process."""

import asyncio
import logging
import signal
import socket
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import typer
import uvicorn
from fastapi import FastAPI

from dispatcher.api.app import create_app
from dispatcher.api.ports import Service
from dispatcher.broker import BrokerConfig
from dispatcher.commands.checked import Checked
from dispatcher.config import Installation, MavlinkDoor, load
from dispatcher.errors import ConfigFault, DispatchError
from dispatcher.installed import running
from routing.errors import SiteError

MAX_SAID_BYTES = 64 * 1024
"""Longest message that a screen may send; it has nothing to say."""
LAST_ANSWERS_S = 3
KEEP_ALIVE_S = 5
PING_S = 20.0


def serve_site(file: Path, host: str | None, port: int | None) -> None:
    """Dispatch the site of a serving configuration until SIGINT or SIGTERM.

    Args:
        host, port: instead of the configuration's.

    Raises:
        ConfigFault, SiteError, StoreFault, ConfigError, DoorTaken: a person must mend something.
    """
    logging.getLogger().setLevel(min(logging.getLogger().level, logging.INFO))
    installation = load(file)
    host = host or installation.config.host
    port = port or installation.config.port
    asyncio.run(until_told(_serve(installation, host, port)))


async def _serve(installation: Installation, host: str, port: int) -> None:
    ready = asyncio.Event()
    async with running(installation) as service, asyncio.TaskGroup() as group:
        zone = installation.config.timezone
        group.create_task(serve_app(service, host, port, timezone=zone, ready=ready), name="web")
        await ready.wait()
        typer.echo(f"{service.site.name.en}: http://{host}:{port}")


def check_serve(file: Path) -> Checked:
    """What `wardline check` says of a serving configuration."""
    what = "serving configuration"
    try:
        found = load(file)
    except (ConfigFault, SiteError) as error:
        return Checked(what=what, faults=error.faults)
    kinds = Counter(f"{vehicle.make} {vehicle.kind}" for vehicle in found.vehicles)
    return Checked(
        what=what,
        summary=(
            ("site", f"{found.site.id}, {found.site.name.en}"),
            ("database", found.database),
            ("broker", _told(found.config.broker)),
            ("mavlink", _doors(found.config.mavlink)),
            ("serves at", f"http://{found.config.host}:{found.config.port}"),
            ("vehicles", ", ".join(f"{many} x {kind}" for kind, many in kinds.items())),
        ),
        site=found.site,
    )


def _told(broker: BrokerConfig | None) -> str:
    if broker is None:
        return "none: ground robots in this process only"
    return f"{broker.address}, MQTT {broker.protocol}, {'TLS' if broker.tls else 'no TLS'}"


def _doors(door: MavlinkDoor | None) -> str:
    if door is None:
        return "none"
    udp = [] if door.listen is None else [door.listen]
    signed = " (signed)" if door.signed else ""
    return ", ".join([*udp, *(f"tcp {address}" for address in door.connect)]) + signed


class DoorTaken(DispatchError):
    """The address to serve at can't be had; the message says what to do."""


async def serve_app(
    service: Service,
    host: str,
    port: int,
    *,
    timezone: str = "UTC",
    ready: asyncio.Event | None = None,
) -> None:
    """Serve API, live link and console of a running service, until cancelled.

    Args:
        timezone: where the site's days begin and end.
        ready: set when the first request would be answered.

    Raises:
        DoorTaken: host and port can't be had.
    """
    app = create_app(service, timezone=timezone)
    await serve_door(app, host, port, pace=service.speed or 1.0, ready=ready)


async def serve_door(
    app: FastAPI, host: str, port: int, *, pace: float = 1.0, ready: asyncio.Event | None = None
) -> None:
    """Serve a web application and feed its live link, until cancelled.

    Args:
        pace: how many times as fast as the wall's the loop's clock runs.
        ready: set when the first request would be answered.

    Raises:
        DoorTaken: host and port can't be had.
    """
    door = _open_door(host, port)
    server = _Server(_settings(app, pace))
    async with asyncio.TaskGroup() as group:
        live = group.create_task(app.state.live.run(), name="live.run")
        try:
            await server.serve_at(door, ready)
        finally:
            live.cancel()


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` until it ends or SIGINT or SIGTERM comes; then end it in order.

    A second signal ends the process at once.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, name="work")
    told = False

    def tell() -> None:
        nonlocal told
        told = True
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            task.cancel()
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """uvicorn inside our loop: it leaves signals to us and ends in order when cancelled."""

    async def serve_at(self, door: socket.socket, ready: asyncio.Event | None) -> None:
        """Serve on an open socket until cancelled."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        try:
            await self.startup([door])
            if ready is not None:
                ready.set()
            await self.main_loop()
        finally:
            await self.shutdown([door])
            door.close()


def _settings(app: Any, speed: float) -> uvicorn.Config:
    """uvicorn counts seconds of the loop, which runs ``speed`` times as fast as the wall's."""
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MAX_SAID_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S * speed,
        ws_ping_timeout=PING_S * speed,
        timeout_keep_alive=round(KEEP_ALIVE_S * speed),
        timeout_graceful_shutdown=round(LAST_ANSWERS_S * speed),
    )


def _open_door(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise DoorTaken(
            f"can't serve at {host}:{port}: {why}; choose another with --host and --port"
        ) from None
    door.setblocking(False)
    return door
