"""The header that every message begins with, numbered per topic."""

import itertools
from typing import TypedDict

from fleet.clock import Clock
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import stamp


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
        self._config, self._clock = config, clock
        self._numbers: dict[str, itertools.count[int]] = {}

    def next(self, topic: str) -> HeaderFields:
        """The header of the next message on ``topic``."""
        number = next(self._numbers.setdefault(topic, itertools.count()))
        return {
            "header_id": number,
            "timestamp": stamp(self._clock.now()),
            "version": self._config.full_version,
            "manufacturer": self._config.manufacturer,
            "serial_number": self._config.serial,
        }

    def restart(self) -> None:
        """Count from the start again, as after a reboot."""
        self._numbers.clear()
