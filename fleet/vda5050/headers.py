"""The header that every message begins with, numbered per topic."""

import itertools
from typing import TypedDict

from fleet.clock import Clock
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import stamp_us


class HeaderFields(TypedDict):
    """The fields of a header."""

    header_id: int
    timestamp: str
    version: str
    manufacturer: str
    serial_number: str


class Headers:
    """Makes the headers of one robot's or one master's messages."""

    def __init__(self, config: Vda5050Config, clock: Clock) -> None:
        self._clock = clock
        self._numbers: dict[str, itertools.count[int]] = {}
        self._always: HeaderFields = {
            "header_id": 0,
            "timestamp": "",
            "version": config.full_version,
            "manufacturer": config.manufacturer,
            "serial_number": config.serial,
        }

    def next(self, topic: str) -> HeaderFields:
        """The header of the next message on ``topic``."""
        numbers = self._numbers.get(topic)
        if numbers is None:
            numbers = self._numbers[topic] = itertools.count()
        at = stamp_us(self._clock.now_us())
        return {**self._always, "header_id": next(numbers), "timestamp": at}

    def restart(self) -> None:
        """Count from the start again, as after a reboot."""
        self._numbers.clear()
