"""Real parts for tests: each is started for a test on a free port, and stopped after it."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio


class Mosquitto:
    """A broker of our own on a loopback port; `stop` and `start` it as often as you like."""

    host = "127.0.0.1"

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port: int = probe.getsockname()[1]
        self._program = program
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} {self.host}\nallow_anonymous true\npersistence false\n"
            "log_dest none\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    def configure(self, text: str) -> None:
        """Another configuration, from the next start on."""
        self._config.write_text(text)

    async def start(self) -> None:
        """Start it; return when it takes connections."""
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            "-c",
            str(self._config),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(10):
            while not await self._answers():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop it, with all that it has retained."""
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@pytest_asyncio.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A running broker."""
    program = shutil.which("mosquitto") or shutil.which(
        "mosquitto", path="/usr/sbin:/usr/local/sbin"
    )
    if program is None:
        pytest.skip("needs Mosquitto: apt install mosquitto")
    broker = Mosquitto(program, tmp_path)
    await broker.start()
    yield broker
    await broker.stop()
