"""Drones behind a TCP port: a simulator, a router, or a serial line that a bridge has put there.

All of them come through one connection, and are told apart by their system ids.
"""

import asyncio
import logging
from collections.abc import Sequence

from fleet.mavlink.datagrams import Datagrams, Peer, Receiver

log = logging.getLogger(__name__)

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0
CONNECT_S = 10.0
_CHUNK_BYTES = 4096
_ROOM_BYTES = 64 * 1024
"""For what the other side has not taken yet; more than that gets lost, as on a radio."""
_PEERS_MOST = 512


class TcpDatagrams:
    """One connection, made again whenever it ends; what is sent meanwhile gets lost.

    Pieces arrive as they come, not frame by frame.
    """

    def __init__(self, host: str, port: int) -> None:
        self._peer: Peer = (host, port)
        self._receiver: Receiver | None = None
        self._writer: asyncio.StreamWriter | None = None

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each piece."""
        self._receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:  # noqa: ARG002 - there is but one
        """Send a frame; lost while there is no connection, or the other side is too slow."""
        writer = self._writer
        if writer is None or writer.transport.get_write_buffer_size() > _ROOM_BYTES:
            return
        writer.write(data)

    async def run(self) -> None:
        """Keep the connection; runs until cancelled."""
        pause_s = FIRST_RETRY_S
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_connection(*self._peer)
            except (OSError, TimeoutError) as error:
                log.warning("no drones at %s:%d: %s", *self._peer, error or "no answer")
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)
                continue
            log.info("connected to drones at %s:%d", *self._peer)
            pause_s = FIRST_RETRY_S
            await self._read(reader, writer)
            log.warning("the connection to %s:%d has ended", *self._peer)
            await asyncio.sleep(pause_s)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what comes in, until the other side ends it."""
        self._writer = writer
        try:
            while data := await reader.read(_CHUNK_BYTES):
                if self._receiver is not None:
                    self._receiver(data, self._peer)
        except OSError as error:
            log.debug("%s:%d: %s", *self._peer, error)
        finally:
            self._writer = None
            writer.close()


class JoinedDatagrams:
    """Several doors as one: whoever came in by one of them is answered through it."""

    def __init__(self, doors: Sequence[Datagrams]) -> None:
        self._doors = tuple(doors)
        self._came_by: dict[Peer, Datagrams] = {}

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for all that comes in."""
        for door in self._doors:
            door.receive(self._through(door, receiver))

    def _through(self, door: Datagrams, receiver: Receiver) -> Receiver:
        def take(data: bytes, peer: Peer) -> None:
            if self._came_by.get(peer) is not door:
                if len(self._came_by) >= _PEERS_MOST:
                    self._came_by.pop(next(iter(self._came_by)))
                self._came_by[peer] = door
            receiver(data, peer)

        return take

    def send(self, data: bytes, peer: Peer) -> None:
        """Send through the door that the peer came in by."""
        door = self._came_by.get(peer)
        if door is not None:
            door.send(data, peer)

    async def run(self) -> None:
        """Keep all doors open; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, door in enumerate(self._doors):
                group.create_task(door.run(), name=f"mavlink.door[{number}]")
