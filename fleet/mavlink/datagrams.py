"""Datagrams to and from drones: one UDP port, or an ether within this process."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol

from fleet.errors import ConfigError

log = logging.getLogger(__name__)

_AT_ONCE = 128
"""So many datagrams are taken in before others have their turn."""
_LONGEST_BYTES = 8192
"""Of a datagram; a frame has at most 280."""
_ROOM_BYTES = 4 << 20
"""For datagrams that wait while the loop is busy; the system may grant less."""

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

    All that has come in is read at each wake-up: one datagram at a time, as asyncio's own
    transport does it, costs a turn of the loop for each.

    Args:
        host: address to listen at; ``127.0.0.1`` keeps it on this machine.
        port: 0 = any free one; see `opened`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 14550) -> None:
        self._host, self._port = host, port
        self._receiver: Receiver | None = None
        self._socket: socket.socket | None = None
        self._opened = asyncio.Event()
        self._fault: asyncio.Future[None] | None = None

    def receive(self, receiver: Receiver) -> None:
        """Have ``receiver(data, peer)`` called for each datagram."""
        self._receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:
        """Send a datagram; lost while the port is not open, or the system has no room for it."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(data, peer)
        except OSError as error:
            log.debug("a datagram was not taken: %s", error)

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
        self._fault = loop.create_future()
        with await self._bound(loop) as port:
            self._socket, self._port = port, port.getsockname()[1]
            loop.add_reader(port, self._drain, port)
            self._opened.set()
            try:
                await self._fault
            finally:
                loop.remove_reader(port)
                self._socket = None
                self._opened.clear()

    async def _bound(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        port: socket.socket | None = None
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            port = socket.socket(family, kind, protocol)
            port.setblocking(False)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
            port.bind(address)
        except OSError as error:
            if port is not None:
                port.close()
            where = f"{self._host}:{self._port}"
            raise ConfigError(
                f"MAVLink port {where} can't be opened ({error.strerror}); choose another port, "
                "or stop the program that holds it"
            ) from error
        return port

    def _drain(self, port: socket.socket) -> None:
        """Hand on what has come in; after so many, others have their turn."""
        receiver = self._receiver
        for _ in range(_AT_ONCE):
            try:
                data, (host, number, *_) = port.recvfrom(_LONGEST_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                log.debug("a datagram did not come through: %s", error)
                continue
            if receiver is not None:
                try:
                    receiver(data, (host, number))
                except Exception as fault:  # noqa: BLE001 - handed to whoever runs us
                    self._break(fault)

    def _break(self, fault: Exception) -> None:
        if self._fault is not None and not self._fault.done():
            self._fault.set_exception(fault)


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
