"""The values that fields of VDA 5050 messages take, of versions 2.0, 2.1 and 3.0."""

from enum import StrEnum
from typing import Final


class ActionStatus(StrEnum):
    """How far an action is."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RETRIABLE = "RETRIABLE"
    """Failed, and waits to be told whether to try again; version 3.0."""
    FINISHED = "FINISHED"
    FAILED = "FAILED"


ENDED: Final = frozenset({ActionStatus.FINISHED, ActionStatus.FAILED})


ASIDE: Final = frozenset(
    {"cancelOrder", "factsheetRequest", "logReport", "startPause", "stateRequest", "stopPause"}
)
"""Instant actions that robots list among those of the order, though they are no part of it."""


class BlockingType(StrEnum):
    """What else may happen while an action runs."""

    NONE = "NONE"
    SOFT = "SOFT"
    SINGLE = "SINGLE"
    """Alone, while driving; version 3.0."""
    HARD = "HARD"


class ConnectionState(StrEnum):
    """What the connection topic says of a robot."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    HIBERNATING = "HIBERNATING"
    """Connected and well, but silent until it is woken; version 3.0."""
    CONNECTIONBROKEN = "CONNECTIONBROKEN"

    @classmethod
    def _missing_(cls, value: object) -> "ConnectionState | None":
        return cls.CONNECTIONBROKEN if value == "CONNECTION_BROKEN" else None


class OperatingMode(StrEnum):
    """Who is in control of a robot."""

    STARTUP = "STARTUP"
    """Version 3.0, like the next but one."""
    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    INTERVENED = "INTERVENED"
    MANUAL = "MANUAL"
    SERVICE = "SERVICE"
    TEACHIN = "TEACHIN"
    """``TEACH_IN`` in version 3.0."""


class EStop(StrEnum):
    """Which emergency stop is active, by who has to end it."""

    AUTOACK = "AUTOACK"
    MANUAL = "MANUAL"
    REMOTE = "REMOTE"
    NONE = "NONE"


class ErrorLevel(StrEnum):
    """How bad an error is."""

    WARNING = "WARNING"
    URGENT = "URGENT"
    """Somebody should look soon; all work goes on. Version 3.0."""
    CRITICAL = "CRITICAL"
    """The order in hand can't be gone on with; another one can be taken. Version 3.0."""
    FATAL = "FATAL"
