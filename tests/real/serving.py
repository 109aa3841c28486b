"""A dispatcher in a process of its own, asked over HTTP, and what its database says afterwards."""

import asyncio
import socket
import sqlite3
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

START_S = 60.0
"""How long a start may take on a busy machine."""
COMMAND = [sys.executable, "-c", "from dispatcher.cli import main; main()"]


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


async def start(
    file: Path, log: Path, env: dict[str, str] | None = None, *, within_s: float = START_S
) -> Any:
    """A dispatcher process; returns when it answers. One that does not is not left behind."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve", str(file), stdout=asyncio.subprocess.PIPE, stderr=errors, env=env
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(within_s):
            line = await process.stdout.readline()
        assert b": http://" in line, f"did not start; see {log}"
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return process


async def insist(api: httpx.AsyncClient, key: str, asked: dict[str, Any]) -> str:
    """Ask for a task under its key until it is accepted; returns its id."""
    while True:
        try:
            answer = await api.post("/tasks", json=asked, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            continue
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])


async def open_tasks(api: httpx.AsyncClient) -> list[str]:
    """Ids of all tasks that have not ended."""
    states = "queued,assigned,underway,cancelling"
    page = (await api.get("/tasks", params={"state": states, "limit": 500})).json()
    return [task["id"] for task in page["tasks"]]


async def until_all_ended(api: httpx.AsyncClient, at_most_s: float) -> list[str]:
    """Wait; returns what is still open in the end."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + at_most_s
    while (left := await open_tasks(api)) and loop.time() < end_s:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    return left


def in_the_store(file: Path) -> tuple[list[tuple[str, str, str]], Counter[tuple[str, str]]]:
    """All tasks (id, key, state), and how often each kind of event was noted of each."""
    reader = sqlite3.connect(file)
    tasks = reader.execute("SELECT id, key, state FROM tasks").fetchall()
    events = Counter[tuple[str, str]](reader.execute("SELECT task, kind FROM events").fetchall())
    numbers = [seq for (seq,) in reader.execute("SELECT seq FROM events ORDER BY seq")]
    reader.close()
    missing = sorted(set(range(1, numbers[-1] + 1)) - set(numbers))
    assert missing == [], "the journal has gaps"
    return tasks, events
