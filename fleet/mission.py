"""What one vehicle is told: a route, what to do at its end, and how far it may go now."""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from routing.geometry import Point
from routing.site import LaneId, LevelId, NodeId

MissionId = NewType("MissionId", str)


class ActionKind(StrEnum):
    """What a vehicle can be told to do at the end of its route."""

    LOAD = "load"
    UNLOAD = "unload"
    DISINFECT = "disinfect"
    OBSERVE = "observe"
    DECONTAMINATE = "decontaminate"
    CHARGE = "charge"
    """Connect to the charger; done when charging has started."""
    STOP_CHARGING = "stop_charging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, standing still.

    Args:
        id: unique for ever; repeating an action under its id does it once.
        duration_s: how long it is expected to take; simulated vehicles take just that.
        facts: details for the wire, such as ``{"load_type": "food", "load_id": "T-000007"}``.
    """

    id: str
    kind: ActionKind
    duration_s: float = 0.0
    facts: Mapping[str, str | float] = field(default_factory=dict[str, str | float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """One node of a route, and the lane that leads to it."""

    node: NodeId
    level: LevelId
    point: Point
    lane: LaneId | None = None
    """None at the first waypoint, and in the air."""
    speed_limit_m_s: float | None = None
    height_agl_m: float = 0.0
    slack_m: float | None = None
    """How near it must come to the point, because another vehicle may pass there; None = as it
    always does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mission:
    """One drive or flight, and the work at its end.

    The first waypoint is where the vehicle stands. A ground mission may have that one alone
    (work on the spot). A flight takes off there, follows the route and lands at the last one.
    The route may change under way; what is in force is the clearance's.
    """

    id: MissionId
    route: tuple[Waypoint, ...]
    actions: tuple[Action, ...] = ()
    urgent: bool = False
    """Whether seconds count: an aircraft may leave the ground before it knows the whole route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a mission ended well."""

    mission: MissionId
    finished_at_s: float
    results: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the vehicle said of each action, by action id, where it said anything."""


class Clearance:
    """How much of a route its vehicle may use now. Traffic grants it, the adapter follows it.

    ``released`` counts waypoints: ``route[:released]`` may be driven. It only grows; what lies
    behind it is held for the vehicle until `reached` says that it has moved on. The rest of the
    route may be replaced.
    """

    def __init__(self, route: Sequence[Waypoint], released: int = 1) -> None:
        self.route = tuple(route)
        self.released = released
        self.passed = 0
        """Index of the last waypoint that the vehicle has reached."""
        self.skips_to = 0
        """Index of the waypoint that a flight is to go on with, leaving out those before it."""
        self.version = 0
        """Grows with every change of ``released`` or ``route``."""
        self._on_reached: list[Callable[[int], None]] = []
        self._on_changed: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []

    @classmethod
    def whole(cls, mission: Mission) -> "Clearance":
        """Clearance for all of a mission's route at once."""
        return cls(mission.route, len(mission.route))

    @property
    def complete(self) -> bool:
        """Whether all of the route is released."""
        return self.released == len(self.route)

    def release(self, upto: int) -> None:
        """Let the vehicle use ``route[:upto]``."""
        if not self.released <= upto <= len(self.route):
            raise ValueError(f"cannot release {upto} of {len(self.route)} after {self.released}")
        if upto > self.released:
            self.released = upto
            self._changed()

    def skip_to(self, index: int) -> None:
        """Let a flight leave out all waypoints before ``route[index]``; it can't be taken back."""
        if not 0 <= index < len(self.route):
            raise ValueError(f"there is no waypoint {index} among {len(self.route)}")
        if index > self.skips_to:
            self.skips_to = index
            self._changed()

    def reroute(self, tail: Sequence[Waypoint]) -> None:
        """Replace all that is not released."""
        self.route = self.route[: self.released] + tuple(tail)
        self._changed()

    def on_reached(self, listener: Callable[[int], None]) -> None:
        """Have ``listener`` called with the index of each waypoint reached."""
        self._on_reached.append(listener)

    def reached(self, index: int) -> None:
        """The vehicle has come to ``route[index]``; repeats and older indices are ignored."""
        for passed in range(self.passed + 1, min(index, len(self.route) - 1) + 1):
            self.passed = passed
            for listener in self._on_reached:
                listener(passed)

    @contextmanager
    def telling(self, listener: Callable[[], None]) -> Generator[None]:
        """Have ``listener`` called after each change meanwhile."""
        self._on_changed.append(listener)
        try:
            yield
        finally:
            self._on_changed.remove(listener)

    async def changed(self, version: int) -> int:
        """Wait until the clearance is newer than ``version``; returns the new version."""
        if self.version == version:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self.version

    def _changed(self) -> None:
        self.version += 1
        for listener in self._on_changed:
            listener()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
