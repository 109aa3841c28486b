"""Wires within this process that count what they carry."""

from fleet.bus import MemoryBus
from fleet.mavlink.datagrams import MemoryEther, Peer


class CountedBus(MemoryBus):
    """A bus in memory; ``carried`` counts the messages of vehicles, both ways."""

    def __init__(self, *, prefix: str = "uagv/") -> None:
        super().__init__()
        self._prefix = prefix
        self.carried = 0

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Count and deliver."""
        if topic.startswith(self._prefix):
            self.carried += 1
        await super().publish(topic, payload, qos=qos, retain=retain)


class CountedEther(MemoryEther):
    """Datagrams in memory; ``carried`` counts them, both ways."""

    def __init__(self) -> None:
        super().__init__(self._count)
        self.carried = 0

    def _count(self, data: bytes, sender: Peer, receiver: Peer) -> bool:  # noqa: ARG002
        self.carried += 1
        return False
