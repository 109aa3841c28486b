"""A simulated autopilot's end of the link: who is heard, who is told, and how frames are packed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.datagrams import Datagrams, Peer
from fleet.mavlink.parser import Message, Parser
from fleet.mavlink.signing import Signing
from sim.mavlink.missions import Sender

_PEERS_MOST = 8
_FORGET_PEER_S = 60.0

Handlers = Mapping[int, Callable[..., None]]
"""Who takes a message, by its id: called with the sender and the message."""


class AutopilotLink:
    """One port, and all ground stations that speak to it.

    Args:
        ground: the ground stations that are told of everything from the start.
        signing: None = it neither signs nor wants signatures.
    """

    def __init__(
        self,
        datagrams: Datagrams,
        system_id: int,
        component_id: int,
        ground: Sequence[Peer],
        signing: Signing | None,
    ) -> None:
        self._datagrams, self._system_id = datagrams, system_id
        self._ground, self._signing = ground, signing
        self._packer = mav.MAVLink(None, system_id, component_id)
        self._handlers: Handlers = {}
        self._parsers: dict[Peer, Parser] = {}
        self._peers: dict[Peer, float] = {}
        self._peer_of: dict[Sender, Peer] = {}
        self.speaks = False
        """Whether it has power."""
        self.listens = False
        """Whether it has booted, too."""
        self.down = False
        """Fault: nothing gets through in either direction."""
        datagrams.receive(self._received)

    async def run(self) -> None:
        """Keep the port; runs until cancelled."""
        await self._datagrams.run()

    def hear(self, handlers: Handlers) -> None:
        """Who takes what is addressed to this system or to all; the rest is passed over."""
        self._handlers = handlers

    def forget(self) -> None:
        """It restarts: it listens to nobody, and nobody but the ground is told anything."""
        self.listens = False
        self._peers.clear()
        self._peer_of.clear()

    # --- speaking -----------------------------------------------------------------------------

    def tell_all(self, message: Message) -> None:
        """Send a message to all who have been heard lately, and to the ground."""
        data = self._pack(message)
        for peer in self._audience():
            self._send(data, peer)

    def reply(self, to: Sender, message: Message) -> None:
        """Send a message to one who has been heard."""
        peer = self._peer_of.get(to)
        if peer is not None:
            self._send(self._pack(message), peer)

    def _audience(self) -> list[Peer]:
        now_s = asyncio.get_running_loop().time()
        others = [p for p, at_s in self._peers.items() if now_s - at_s < _FORGET_PEER_S]
        return [*self._ground, *(p for p in others if p not in self._ground)]

    def _pack(self, message: Message) -> bytes:
        packer, signing = self._packer, self._signing
        data = signing.pack(message, packer) if signing else message.pack(packer)
        packer.seq = (packer.seq + 1) % 256
        return data

    def _send(self, data: bytes, peer: Peer) -> None:
        if self.speaks and not self.down:
            self._datagrams.send(data, peer)

    # --- listening ----------------------------------------------------------------------------

    def _received(self, data: bytes, peer: Peer) -> None:
        if not self.speaks or not self.listens or self.down:
            return
        for message in self._parser(peer).messages(data):
            self._hear(message, peer)

    def _parser(self, peer: Peer) -> Parser:
        if peer not in self._parsers:
            if len(self._parsers) >= _PEERS_MOST:
                self._parsers.pop(next(iter(self._parsers)))
            self._parsers[peer] = Parser(self._signing.admits if self._signing else None)
        return self._parsers[peer]

    def _hear(self, message: Message, peer: Peer) -> None:
        sender = (message.get_srcSystem(), message.get_srcComponent())
        self._peers[peer] = asyncio.get_running_loop().time()
        self._peer_of[sender] = peer
        while len(self._peers) > _PEERS_MOST:
            self._peers.pop(next(iter(self._peers)))
        while len(self._peer_of) > _PEERS_MOST:
            self._peer_of.pop(next(iter(self._peer_of)))
        target = getattr(message, "target_system", self._system_id)
        handler = self._handlers.get(message.get_msgId())
        if handler is not None and target in (0, self._system_id):
            handler(sender, message)
