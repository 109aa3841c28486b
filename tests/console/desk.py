"""A served console with a small ward behind it, and a Chromium that looks at it."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from dispatcher.api.app import create_app
from tests.dispatcher.ward import Ward

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = ViewportSize(width=1400, height=860)
TABLET = ViewportSize(width=820, height=1180)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Served:
    """A web server with a live link; it can fall silent, go away and come back where it was."""

    def __init__(self, app: FastAPI) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            self._port = int(door.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._app = app
        self._live: asyncio.Task[None] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    async def start(self) -> None:
        """Serve, and speak on the live link."""
        config = uvicorn.Config(
            self._app,
            port=self._port,
            log_level="error",
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(), name="desk.serve")
        await self._server.up.wait()
        self.speak()

    def speak(self) -> None:
        """Feed the live link."""
        self._live = asyncio.create_task(self._app.state.live.run(), name="desk.live")

    async def fall_silent(self) -> None:
        """The link stays open, but nothing comes any more."""
        if self._live is not None:
            self._live.cancel()
            with suppress(asyncio.CancelledError):
                await self._live
            self._live = None

    async def stop(self) -> None:
        """Go away."""
        await self.fall_silent()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None


class Desk(Served):
    """The web server of a ward."""

    def __init__(self, ward: Ward) -> None:
        super().__init__(create_app(ward))
        self.ward = ward


class Visitor:
    """One browser page, and what it asked for and complained of."""

    def __init__(self, page: Page, desk: Served) -> None:
        self.page = page
        self.desk = desk
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda link: self.requests.append(link.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )

    async def open(self, path: str = "/") -> Page:
        """The console, live and with its site."""
        await self.page.goto(self.desk.url + path)
        await self.page.wait_for_selector(".link[data-state=live]")
        await self.page.wait_for_selector(".levels button")
        return self.page

    def foreign(self) -> list[str]:
        """Requests that left the origin."""
        own = self.desk.url.removeprefix("http")
        return [url for url in self.requests if not url.startswith((f"http{own}/", f"ws{own}/"))]

    async def missing(self) -> list[str]:
        """Words that the page lacked."""
        found = "import('/i18n/index.js').then((words) => [...words.missing])"
        return await self.page.evaluate(found)


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """The system's Chromium, or else Playwright's own."""
    async with async_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = CHROMIUM if os.access(CHROMIUM, os.X_OK) else own
        if not os.access(program, os.X_OK):
            pytest.skip(f"needs {CHROMIUM}: apt-get install chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()
