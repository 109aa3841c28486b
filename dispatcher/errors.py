"""What can go wrong in `dispatcher`, sorted by what the caller does about it.

DispatchError
├── Refused          a person's request can't be accepted; shown with every reason
├── NotFound         no such task, vehicle or alert
├── IllegalMove      the task is past that (cancel after done); the caller shows its state
├── KeyTaken         the idempotency key belongs to another task; the caller reads that one
├── StoreFault       the database can't be used; the program ends, the message says what to do
└── ConfigFault      the configuration file is wrong; where, and what to do
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.errors import MissionFailed
from routing.errors import Fault, Unreachable
from routing.refusal import Refusal


class DispatchError(Exception):
    """Base of all errors of this package."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field of a request that is wrong.

    Args:
        field: path of the field, such as ``drop_offs.0``; empty = the request as a whole.
        reason: code and facts; ``facts["value"]`` is the offending value where that helps.
        remedy: one English sentence that says what to send instead.
    """

    field: str
    reason: Refusal
    remedy: str


class Refused(DispatchError):
    """A request that was not accepted; nothing has been stored."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.field}: {f.reason}; {f.remedy}" for f in faults))


class NotFound(DispatchError):
    """There is no such thing."""

    def __init__(self, what: str, key: str) -> None:
        self.what = what
        self.key = key
        super().__init__(f"there is no {what} {key!r}")


class IllegalMove(DispatchError):
    """The task's state does not allow that."""

    def __init__(self, key: str, state: str, wanted: str) -> None:
        self.key = key
        self.state = state
        self.wanted = wanted
        super().__init__(f"task {key} is {state}: it can't become {wanted}")


class KeyTaken(DispatchError):
    """Another task already has this idempotency key; nothing has been stored."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"idempotency key {key!r} belongs to another task")


class StoreFault(DispatchError):
    """The database can't be opened: held by another process, too new, or no database at all."""


class ConfigFault(DispatchError):
    """A configuration file that can't be used; holds every fault with its line."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))


def reason_of(error: MissionFailed | Unreachable) -> Refusal:
    """Why a vehicle did not get where it was to go."""
    if isinstance(error, MissionFailed):
        return error.reason
    return Refusal("unreachable", {"from": error.start, "to": error.goal})
