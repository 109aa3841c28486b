"""The far end of a live link."""

import asyncio
import json
from typing import Any

from fastapi import WebSocket
from starlette.types import Message


class Browser:
    """The far end of a WebSocket: notes what it is sent, and may be slow to take it."""

    def __init__(self, *, origin: str | None = None) -> None:
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.takes = asyncio.Event()
        self.takes.set()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        headers = [(b"host", b"ward")] + ([(b"origin", origin.encode())] if origin else [])
        scope = {"type": "websocket", "path": "/api/v1/live", "headers": headers}
        self.socket = WebSocket(scope, self._said.get, self._take)

    async def _take(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            await self.takes.wait()
            self.heard.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]

    def leave(self) -> None:
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]
