"""Shifts: one vehicle's stretch on one post of a watch, from being told to being home again.

A flight over a part of an area is a shift too; its post is the part's number, and it has one round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from dispatcher.domain.task import TaskId
from fleet.vehicle import VehicleId

ShiftId = NewType("ShiftId", str)

SHIFT = "shift"
"""The purpose of the missions of a shift."""
PART = "part"
"""Why there is a shift that sees a part of an area once."""
MARGIN = 1.25
"""So much more energy than planned a shift may take."""
MOST_WAYPOINTS = 500
"""Autopilots hold so many mission items, and some more. Source: ArduCopter 4.5 on small boards."""
SET_OUT_S = 40.0
"""From being told to leaving the ground."""


class ShiftState(StrEnum):
    """Where a shift is on its way."""

    GIVEN = "given"
    """Its vehicle is to set out."""
    UNDERWAY = "underway"
    """On the way to the post."""
    ON_STATION = "on_station"
    LEAVING = "leaving"
    """On the way home: relieved, needed elsewhere, or low."""
    DONE = "done"
    LOST = "lost"
    """Its vehicle did not come, or not stay: somebody else was sent at once."""

    @property
    def ended(self) -> bool:
        """Whether its vehicle is free again."""
        return not SHIFT_NEXT[self]

    @property
    def counts(self) -> bool:
        """Whether the post is seen to by it, now or soon."""
        return self in (ShiftState.GIVEN, ShiftState.UNDERWAY, ShiftState.ON_STATION)


_OVER = frozenset({ShiftState.DONE, ShiftState.LOST})
SHIFT_NEXT: Mapping[ShiftState, frozenset[ShiftState]] = {
    ShiftState.GIVEN: frozenset({ShiftState.UNDERWAY, ShiftState.LEAVING}) | _OVER,
    ShiftState.UNDERWAY: frozenset({ShiftState.ON_STATION, ShiftState.LEAVING}) | _OVER,
    ShiftState.ON_STATION: frozenset({ShiftState.LEAVING}) | _OVER,
    ShiftState.LEAVING: _OVER,
    ShiftState.DONE: frozenset(),
    ShiftState.LOST: frozenset(),
}
"""The legal moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlan:
    """What is expected of a shift; all it takes to follow it after a restart.

    Args:
        first, last: indices in the mission's route where the rounds begin and end; a drone's.
        each: waypoints of one round.
        out_s, back_s: the ways there and home, with climb and landing.
        round_wh, back_wh: energy of a round, and from anywhere on it home.
        by_s: how long after setting out it must be on its way home, for a no-fly volume closes;
            None = it need not.
        rounds: as many as it makes, if nobody calls it off; 0 = as long as its battery lasts.
    """

    first: int = 0
    last: int = 0
    each: int = 1
    round_s: float
    rounds: int = 0
    out_s: float
    back_s: float = 0.0
    round_wh: float = 0.0
    back_wh: float = 0.0
    by_s: float | None = None

    @property
    def stretch_s(self) -> float:
        """How long it is on station as planned; a ground robot's own battery says it later."""
        return self.rounds * self.round_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One shift as it stands now; it changes by `dataclasses.replace` in `patrols` alone.

    Args:
        post: number of the post within its task.
        why: ``first``, ``relief``, ``replaces`` somebody who was lost, or `PART`.
    """

    id: ShiftId
    task: TaskId
    post: int
    vehicle: VehicleId
    state: ShiftState
    why: str
    plan: ShiftPlan
    given_s: float
    begun_s: float | None = None
    station_s: float | None = None
    """When it came on station."""
    ended_s: float | None = None
