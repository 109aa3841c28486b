"""The wires between a simulated stage and its dispatcher: in this process, or real ones."""

import asyncio
from typing import Protocol

from fleet.bus import Bus, MemoryBus, MqttBus
from fleet.mavlink.datagrams import Datagrams, MemoryEther, Peer, UdpDatagrams

GROUND_STATION: Peer = ("127.0.0.1", 14550)


class Wires(Protocol):
    """Both ends of every wire. ``carried`` counts messages both ways, where they can be seen."""

    carried_vda5050: int
    carried_mavlink: int
    ground_station: Peer

    @property
    def bus(self) -> Bus:
        """The dispatcher's end of the robots' wire."""
        ...

    @property
    def stage_bus(self) -> Bus:
        """The robots' end of it."""
        ...

    def station(self) -> Datagrams:
        """The dispatcher's port for drones."""
        ...

    def drone(self, system_id: int) -> Datagrams:
        """One drone's port."""
        ...

    async def run(self) -> None:
        """Keep the buses; runs until cancelled. Ports are kept by those who hold them."""
        ...


class MemoryWires:
    """No broker, no port, no loss, and the same order in every run."""

    def __init__(self, *, prefixes: tuple[str, ...] = ("uagv/", "vda5050/")) -> None:
        self.ground_station = GROUND_STATION
        self._bus = _CountedBus(self, prefixes)
        self._ether = MemoryEther(self._count)
        self.carried_vda5050 = self.carried_mavlink = 0

    @property
    def bus(self) -> Bus:
        """The one bus that all share."""
        return self._bus

    @property
    def stage_bus(self) -> Bus:
        """The same."""
        return self._bus

    def station(self) -> Datagrams:
        """The dispatcher's port for drones."""
        return self._ether.port(self.ground_station)

    def drone(self, system_id: int) -> Datagrams:
        """One drone's port."""
        return self._ether.port(("127.0.0.1", 14600 + system_id))

    async def run(self) -> None:
        """Wait until cancelled."""
        await self._bus.run()

    def _count(self, data: bytes, sender: Peer, receiver: Peer) -> bool:  # noqa: ARG002
        self.carried_mavlink += 1
        return False


class _CountedBus(MemoryBus):
    def __init__(self, wires: MemoryWires, prefixes: tuple[str, ...]) -> None:
        super().__init__()
        self._wires, self._prefixes = wires, prefixes

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Count the robots' messages, and deliver."""
        if topic.startswith(self._prefixes):
            self._wires.carried_vda5050 += 1
        await super().publish(topic, payload, qos=qos, retain=retain)


class RealWires:
    """Robots over an MQTT broker where one is given, drones over UDP ports where one is.

    Args:
        broker: host and port; None = the bus stays in this process.
        station: where drones call in; None = the air stays in this process.
    """

    def __init__(self, broker: tuple[str, int] | None, station: Peer | None) -> None:
        inner = MemoryWires()
        self._inner = inner
        self.carried_vda5050 = self.carried_mavlink = 0
        self.ground_station = station or inner.ground_station
        self._station = station
        if broker is None:
            self._bus = self._stage_bus = inner.bus
        else:
            self._bus = MqttBus(*broker, client_id="wardline")
            self._stage_bus = MqttBus(*broker, client_id="wardline-stage")

    @property
    def bus(self) -> Bus:
        """The dispatcher's connection to the broker."""
        return self._bus

    @property
    def stage_bus(self) -> Bus:
        """The robots' connection to the broker."""
        return self._stage_bus

    def station(self) -> Datagrams:
        """The dispatcher's port for drones."""
        if self._station is None:
            return self._inner.station()
        return UdpDatagrams(*self._station)

    def drone(self, system_id: int) -> Datagrams:
        """One drone's port: any free one."""
        if self._station is None:
            return self._inner.drone(system_id)
        return UdpDatagrams("127.0.0.1", 0)

    async def run(self) -> None:
        """Keep the connections; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bus.run(), name="wires.bus")
            if self._stage_bus is not self._bus:
                group.create_task(self._stage_bus.run(), name="wires.stage_bus")
