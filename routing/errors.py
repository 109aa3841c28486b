"""What can go wrong in `routing`.

RoutingError
├── SiteError      a site description is wrong; the message says where and what to do
├── RasterError    a raster of the ground that can't be read; it becomes a fault of its site
├── InstanceError  the same of a benchmark's instance
├── Unreachable    no way under the vehicle's rules; the caller leaves that task open
├── BadProblem     a planning problem contradicts itself; the caller's bug, or a file to be refused
└── NoPlan         no plan at all could be made; the caller keeps the last one
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RoutingError(Exception):
    """Base of all errors of this package."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file that a person wrote.

    Args:
        line: 1-based line in the file; 0 where no single line is to blame.
        what: what is wrong, with the offending value.
        remedy: what the person should do about it.
    """

    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.what}; {self.remedy}"


class SiteError(RoutingError):
    """A site file that can't be used; ``faults`` holds every reason, not only the first."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))


class RasterError(RoutingError):
    """A raster of the ground that can't be used: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}")


class InstanceError(RoutingError):
    """An instance of a benchmark that can't be used, and every reason, as in `SiteError`."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))


class Unreachable(RoutingError):
    """There is no way from one node to another for this kind of vehicle."""

    def __init__(self, start: str, goal: str) -> None:
        self.start = start
        self.goal = goal
        super().__init__(f"no way from {start} to {goal}")


class BadProblem(RoutingError, ValueError):
    """A planning problem that contradicts itself, or holds a number out of range."""


class NoPlan(RoutingError):
    """The solver could not make any plan."""
