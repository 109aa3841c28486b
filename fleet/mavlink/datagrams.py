"""Datagrams to and from drones: one UDP port, or an ether within this process."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from fleet.errors import ConfigError

log = logging.getLogger(__name__)

Peer = tuple[str, int]
"""Address and port."""

Receiver = Callable[[bytes, Peer], None]


class Datagrams(Protocol):
    """One port that many peers send to and are answered from. Any datagram may get lost."""

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each datagram; it never raises."""
        ...

    def send(self, data: bytes, peer: Peer) -> None:
        """Send a datagram; lost while the port is not open."""
        ...

    async def run(self) -> None:
        """Keep the port open; runs until cancelled."""
        ...


class UdpDatagrams:
    """A real UDP port.

    Args:
        host: address to listen at; ``127.0.0.1`` keeps it on this machine.
        port: 0 = any free one; see `opened`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 14550) -> None:
        self._host, self._port = host, port
        self._receiver: Receiver | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._opened = asyncio.Event()

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each datagram."""
        self._receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:
        """Send a datagram; lost while the port is not open."""
        if self._transport is not None:
            self._transport.sendto(data, peer)

    async def opened(self) -> int:
        """Wait until the port is open; returns its number."""
        await self._opened.wait()
        return self._port

    async def run(self) -> None:
        """Keep the port open; runs until cancelled.

        Raises:
            ConfigError: the port can't be had, most often because another program holds it.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: _Protocol(self._receiver), local_addr=(self._host, self._port)
            )
        except OSError as error:
            where = f"{self._host}:{self._port}"
            raise ConfigError(
                f"MAVLink port {where} can't be opened ({error.strerror}); choose another port, "
                "or stop the program that holds it"
            ) from error
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]
        self._opened.set()
        try:
            await protocol.closed
        finally:
            self._transport = None
            self._opened.clear()
            transport.close()


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, receiver: Receiver | None) -> None:
        self._receiver = receiver
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        if self._receiver is not None:
            self._receiver(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        log.debug("a datagram was not taken: %s", exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closed.done():
            return
        if exc is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(exc)


class MemoryEther:
    """Carries datagrams between ports of this process: in order, in the loop's next step.

    Args:
        lost: asked for each datagram (data, sender, receiver) whether it gets lost.
    """

    def __init__(self, lost: Callable[[bytes, Peer, Peer], bool] | None = None) -> None:
        self.lost = lost
        self._ports: dict[Peer, MemoryDatagrams] = {}

    def port(self, peer: Peer) -> "MemoryDatagrams":
        """Open a port; ValueError where it is already open."""
        if peer in self._ports:
            raise ValueError(f"port {peer} is already open")
        self._ports[peer] = MemoryDatagrams(self, peer)
        return self._ports[peer]

    def carry(self, data: bytes, sender: Peer, receiver: Peer) -> None:
        """Bring a datagram from one port to another; lost where nobody listens."""
        port = self._ports.get(receiver)
        if port is None or (self.lost is not None and self.lost(data, sender, receiver)):
            return
        asyncio.get_running_loop().call_soon(port.deliver, data, sender)


class MemoryDatagrams:
    """One port of a `MemoryEther`."""

    def __init__(self, ether: MemoryEther, address: Peer) -> None:
        self.address = address
        self._ether = ether
        self._receiver: Receiver | None = None

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each datagram."""
        self._receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:
        """Send a datagram to another port of the same ether."""
        self._ether.carry(data, self.address, peer)

    def deliver(self, data: bytes, sender: Peer) -> None:
        """Hand one datagram to the receiver."""
        if self._receiver is not None:
            self._receiver(data, sender)

    async def run(self) -> None:
        """Wait for ever: the port is always open."""
        await asyncio.get_running_loop().create_future()
