"""What we say to one robot: headers, numbering per topic, and when to say a thing again."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import encode_instant_actions, encode_order
from fleet.vda5050.headers import Headers
from fleet.vda5050.order_messages import Action, InstantActions, Order
from fleet.vda5050.orders import Draft, instant
from fleet.vda5050.zone_messages import (
    RESPONSES,
    ZONE_SET,
    Response,
    Responses,
    ZoneSet,
    ZoneSetMessage,
)

_LONGEST_WAIT_S = 60.0
_ENOUGH_STATES = 2


class Outbox:
    """Sends orders and instant actions to one robot."""

    def __init__(self, bus: Bus, config: Vda5050Config, clock: Clock) -> None:
        self._bus, self._config, self._clock = bus, config, clock
        self._headers = Headers(config, clock)
        self._numbers = itertools.count(1)
        self._era: int | None = None

    async def send_order(self, draft: Draft) -> None:
        """Send an order or an update; sent again, it differs in its header only."""
        order = Order(
            **self._headers.next("order"),
            order_id=draft.order_id,
            order_update_id=draft.update_id,
            nodes=draft.nodes,
            edges=draft.edges,
        )
        await self._bus.publish(self._config.topic("order"), encode_order(order, self._config))

    async def send_instant(self, action: Action) -> None:
        """Send one instant action."""
        message = InstantActions(
            **self._headers.next("instantActions"),
            actions=(action,),
        )
        payload = encode_instant_actions(message, self._config)
        await self._bus.publish(self._config.topic("instantActions"), payload)

    async def send_zone_set(self, zone_set: ZoneSet) -> None:
        """Send a zone set; version 3.0."""
        message = ZoneSetMessage(**self._headers.next("zoneSet"), zone_set=zone_set)
        await self._bus.publish(self._config.topic("zoneSet"), ZONE_SET.encode(message))

    async def send_responses(self, responses: Sequence[Response]) -> None:
        """Answer the robot's requests; version 3.0."""
        message = Responses(**self._headers.next("responses"), responses=tuple(responses))
        await self._bus.publish(self._config.topic("responses"), RESPONSES.encode(message))

    async def ask(self, request: str) -> None:
        """Ask for a state or a factsheet: ``stateRequest``, ``factsheetRequest``."""
        await self.send_instant(self.instant(request))

    def instant(self, action_type: str, /, **parameters: str) -> Action:
        """A new instant action; its id is unlike any that we sent before our own restart."""
        if self._era is None:
            self._era = int(self._clock.now().timestamp() * 1000)
        action_id = f"{action_type}-{self._era}-{next(self._numbers)}"
        return instant(action_type, action_id, **parameters)


@dataclass(slots=True, eq=False)
class Repeat:
    """When to say a thing again that the robot should have echoed.

    It is due some time after it was said, and only once the robot has said something new without
    the echo: a robot that is merely slow would take a repetition for an error.
    """

    first_s: float
    deadline_s: float = 0.0
    attempts: int = 0
    _silent_waits: int = 0
    states: int = 0
    """New states of the robot since it was said last."""

    def restart(self) -> None:
        """Another thing is to be said."""
        self.attempts = 0

    def said(self, now_s: float) -> None:
        """It has been said just now."""
        self.attempts += 1
        self._silent_waits = self.states = 0
        self.deadline_s = now_s + min(self.first_s * 2 ** (self.attempts - 1), _LONGEST_WAIT_S)

    def heard(self) -> None:
        """The robot has said something else."""
        self.states += 1

    def due(self, now_s: float) -> bool:
        """Whether it is time to do something about the missing echo."""
        return now_s >= self.deadline_s

    @property
    def ripe(self) -> bool:
        """Whether the robot has said enough without the echo; if not, ask it for a state."""
        return self.states >= _ENOUGH_STATES

    def asked(self, now_s: float) -> None:
        """A state has been asked for; wait a little longer each time."""
        self._silent_waits += 1
        self.deadline_s = now_s + min(
            self.first_s * 2 ** max(0, self._silent_waits - 2), _LONGEST_WAIT_S
        )
