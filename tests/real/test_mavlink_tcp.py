"""Many drones behind one TCP port, beside others on UDP; the connection ends and comes back."""

import asyncio
from collections.abc import Callable

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink import stream
from fleet.mavlink.datagrams import UdpDatagrams
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.parser import Parser
from fleet.mavlink.stream import JoinedDatagrams, TcpDatagrams

pytestmark = pytest.mark.real

BEAT = mav.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3)


class Router:
    """A TCP port behind which there are drones, which sends in pieces of any size."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        """System ids that something was addressed to."""
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        parser = Parser()
        while data := await reader.read(1000):
            self.heard += [getattr(m, "target_system", 0) for m in parser.messages(data)]
        writer.close()

    async def say(self, *system_ids: int) -> None:
        data = b"".join(BEAT.pack(mav.MAVLink(None, one, 1)) for one in system_ids)
        for writer in self._writers:
            for at in range(0, len(data), 13):
                writer.write(data[at : at + 13])
                await writer.drain()


async def becomes(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.02)


async def test_many_drones_behind_one_port_beside_one_on_udp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "FIRST_RETRY_S", 0.1)
    router = Router()
    await router.open()
    udp = UdpDatagrams(port=0)
    link = MavlinkLink(JoinedDatagrams([TcpDatagrams("127.0.0.1", router.port), udp]))
    lines = {number: link.line(number) for number in (1, 2, 3, 4)}
    running = asyncio.create_task(link.run())
    other = UdpDatagrams(port=0)
    others = asyncio.create_task(other.run())
    heard: list[bytes] = []
    other.receive(lambda data, _: heard.append(data))
    port = await udp.opened()
    await other.opened()
    other.send(BEAT.pack(mav.MAVLink(None, 4, 1)), ("127.0.0.1", port))
    await becomes(lambda: bool(router._writers))  # pyright: ignore[reportPrivateUsage]
    await router.say(1, 2, 3, 2, 1)
    await becomes(lambda: all(line.heard_at_s is not None for line in lines.values()))
    for number in (2, 4):
        ping = mav.MAVLink_command_long_message(number, 1, 400, 0, 0, 0, 0, 0, 0, 0, 0)
        link.send(lines[number], ping)
    await becomes(lambda: 2 in router.heard and bool(heard))
    assert 4 not in router.heard
    await router.close()
    await asyncio.sleep(0.3)
    lines[3].heard_at_s = None
    await router.open()
    await becomes(lambda: bool(router._writers))  # pyright: ignore[reportPrivateUsage]
    await router.say(3)
    await becomes(lambda: lines[3].heard_at_s is not None)
    for task in (running, others):
        task.cancel()
    await asyncio.wait((running, others))
    await router.close()
