"""How a simulated robot is heard: its connection to the broker, and what it says over it."""

from fleet.bus import Bus, Will
from fleet.clock import Clock
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.headers import Headers
from fleet.vda5050.state_messages import Connection, State
from fleet.vda5050.terms import ConnectionState
from fleet.vda5050.zone_messages import ZoneType
from fleet.vehicle import VehicleSpec
from sim.vda5050.factsheet import factsheet
from sim.vda5050.words import Words

WILL_AFTER_S = 30.0
"""How long a broker takes to notice that a robot is gone."""


class Voice:
    """Publishes a robot's messages while its link is up.

    Many simulated robots may share one connection to a broker, so the broker's last will is said
    here: some time after the link was cut.
    """

    def __init__(self, bus: Bus, config: Vda5050Config, clock: Clock) -> None:
        self.headers = Headers(config, clock)
        self.words = Words(config)
        self._bus, self._config, self._clock = bus, config, clock
        self._state_topic = config.topic("state")
        self._said: ConnectionState | None = None
        self._down_since_s: float | None = None
        self._will = Connection(
            **Headers(config, clock).next("connection"),
            connection_state=ConnectionState.CONNECTIONBROKEN,
        )

    @property
    def down(self) -> bool:
        """Whether the link is cut."""
        return self._down_since_s is not None

    @down.setter
    def down(self, down: bool) -> None:
        if down != self.down:
            self._down_since_s = self._clock.now_s() if down else None
            self._said = self._said if down else None

    @property
    def will(self) -> Will:
        """What the broker should say when the robot's own connection to it breaks."""
        return Will(
            topic=self._config.topic("connection"), payload=self.words.connection(self._will)
        )

    def will_at_s(self) -> float | None:
        """When the broker will have noticed that the link is cut; None = nothing to notice."""
        if self._down_since_s is None or self._said is not ConnectionState.ONLINE:
            return None
        return self._down_since_s + WILL_AFTER_S

    async def say_will(self) -> None:
        """Say, for the broker, that the robot is gone."""
        self._said = ConnectionState.CONNECTIONBROKEN
        await self._bus.publish(self.will.topic, self.will.payload, qos=1, retain=True)

    async def say_hello(self) -> None:
        """Say that the robot is there, unless that has been said."""
        if self._said is not ConnectionState.ONLINE:
            await self._say_connection(ConnectionState.ONLINE)

    async def say_goodbye(self) -> None:
        """Say that the robot leaves in good order."""
        if not self.down:
            await self._say_connection(ConnectionState.OFFLINE)

    async def say_asleep(self) -> None:
        """Say that the robot is well, and will be silent."""
        await self._say_connection(ConnectionState.HIBERNATING)

    async def say_state(self, state: State) -> None:
        """Say everything."""
        await self._bus.publish(self._state_topic, self.words.state(state))

    async def say_factsheet(self, spec: VehicleSpec) -> None:
        """Say what type of robot it is."""
        zones = tuple(ZoneType) if self._config.v3 else None
        sheet = factsheet(spec, self.headers.next("factsheet"), zones)
        await self._bus.publish(
            self._config.topic("factsheet"),
            self.words.factsheet(sheet),
            retain=self._config.v3,
        )

    def restart(self) -> None:
        """Connect anew and count from the start, as after a reboot."""
        self.headers.restart()
        self._said = None

    async def _say_connection(self, state: ConnectionState) -> None:
        self._said = state
        message = Connection(**self.headers.next("connection"), connection_state=state)
        await self._bus.publish(
            self._config.topic("connection"), self.words.connection(message), qos=1, retain=True
        )
