"""What a simulated robot hears: orders, instant actions, zone sets and answers to its requests.

All is taken in at once, and carried out later by who drives and acts.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from fleet.bus import Bus
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.zone_messages import RESPONSES, ZONE_SET
from sim.vda5050.acceptance import OrderAcceptance
from sim.vda5050.at_once import AtOnce
from sim.vda5050.memory import Memory
from sim.vda5050.rules import error
from sim.vda5050.voice import Voice
from sim.vda5050.zones import ZoneBook

log = logging.getLogger(__name__)

M = TypeVar("M")


class Inbox:
    """Reads what comes in over the bus while the link is up, and hands it to who knows of it."""

    def __init__(
        self,
        voice: Voice,
        memory: Memory,
        acceptance: OrderAcceptance,
        at_once: AtOnce,
        zones: ZoneBook,
    ) -> None:
        self._voice, self._words, self._memory = voice, voice.words, memory
        self._acceptance, self._at_once, self._zones = acceptance, at_once, zones

    @contextmanager
    def open(self, bus: Bus, config: Vda5050Config) -> Generator[None]:
        """Listen on the robot's topics inside this context."""
        handlers: dict[str, Callable[[str, bytes], None]] = {
            "order": self._take_order,
            "instantActions": self._take_instant_actions,
        }
        if config.v3:
            handlers |= {"zoneSet": self._take_zone_set, "responses": self._take_responses}
        with ExitStack() as subscriptions:
            for name, handler in handlers.items():
                subscriptions.callback(bus.subscribe(config.topic(name), handler).close)
            yield

    @property
    def _deaf(self) -> bool:
        return self._voice.down or self._memory.asleep

    def _take_order(self, topic: str, payload: bytes) -> None:
        if self._deaf:
            return
        order = _read(self._words.read_order, topic, payload)
        if order is None:
            self._not_valid("not a valid order")
        else:
            self._acceptance.consider(order)
        self._memory.changed()

    def _take_instant_actions(self, topic: str, payload: bytes) -> None:
        if self._voice.down:
            return
        message = _read(self._words.read_instant_actions, topic, payload)
        if message is None:
            self._not_valid("not valid instant actions")
        else:
            for action in message.actions:
                self._at_once.do(action)
        self._memory.changed()

    def _not_valid(self, text: str) -> None:
        self._memory.errors.order = (error(ErrorType3.VALIDATION_FAILURE, text),)

    def _take_zone_set(self, topic: str, payload: bytes) -> None:
        message = None if self._deaf else _read(ZONE_SET.decode, topic, payload)
        if message is None:
            return
        refused = self._zones.store(message.zone_set)
        self._memory.errors.zone_set = (refused,) if refused is not None else ()
        self._memory.changed()

    def _take_responses(self, topic: str, payload: bytes) -> None:
        message = None if self._deaf else _read(RESPONSES.decode, topic, payload)
        if message is None:
            return
        self._zones.answer(message.responses)
        self._memory.changed()


def _read(decode: Callable[[bytes], M], topic: str, payload: bytes) -> M | None:
    """A message; None = it is none, which is logged."""
    try:
        return decode(payload)
    except ValueError as fault:
        log.info("%s: %s", topic, fault)
        return None
