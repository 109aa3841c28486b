"""What can go wrong with a vehicle, sorted by what the caller does about it.

FleetError
├── LinkError         reconnect, then repeat what is safe to repeat
│   ├── LinkLost      nothing is heard any more
│   └── LinkTimeout   no answer to one question
├── MissionFailed     plan again, or hand the task back to a person
│   ├── MissionCancelled  because we asked for it
│   ├── MissionNotTaken   the vehicle has not begun it, and stands where it stood
│   └── HandoverFailed    the workcell there failed, not the vehicle; goods are where they were
├── CommandFailed     show the reason to who gave the command
├── SafetyStop        a person only; never retried
│   └── HandoverUnsure    nobody knows whether goods have changed hands
├── NotSupported      this vehicle will never do that; choose another
└── ConfigError       the configuration names something that can't be had
"""

from routing.refusal import Refusal


class FleetError(Exception):
    """Base of all errors of this package."""


class LinkError(FleetError):
    """The wire failed, not the vehicle."""


class LinkLost(LinkError):
    """The vehicle is no longer heard."""


class LinkTimeout(LinkError):
    """The vehicle did not answer in time."""


class MissionFailed(FleetError):
    """The vehicle lives, but this mission won't be finished.

    Args:
        reason: why, as far as the vehicle says.
    """

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(str(reason))


class MissionCancelled(MissionFailed):
    """The mission ended because `Vehicle.cancel` asked for it."""

    def __init__(self) -> None:
        super().__init__(Refusal("mission_cancelled"))


class MissionNotTaken(MissionFailed):
    """The vehicle never took the mission, and has not moved for it."""


class HandoverFailed(MissionFailed):
    """A workcell has not handed over: the goods are where they were, and the vehicle may leave."""


class SafetyStop(FleetError):
    """An emergency stop, a breached fence: a person must look."""

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(str(reason))


class CommandFailed(FleetError):
    """The vehicle says that it does not do what a person told it to do at once.

    Args:
        reason: what it was told, and what it says of that.
    """

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(str(reason))


class HandoverUnsure(SafetyStop):
    """A workcell was at work on a vehicle and is not heard of any more: it must not move."""


class NotSupported(FleetError):
    """This vehicle can never do what was asked."""


class ConfigError(FleetError):
    """The configuration asks for what can't be had; the message says what to change."""
