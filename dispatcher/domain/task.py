"""Tasks: what a person asked for, and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NewType

from fleet.vehicle import Medium, VehicleId
from routing.air.drawn import DrawnArea
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import AirspaceId, PlaceId

TaskId = NewType("TaskId", str)


class Kind(StrEnum):
    """The four kinds of task."""

    DELIVERY = "delivery"
    MEDICINE = "medicine"
    PATROL = "patrol"
    DISINFECTION = "disinfection"


class Priority(StrEnum):
    """Priority classes, the most urgent first."""

    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"
    BACKGROUND = "background"


class Goods(StrEnum):
    """Goods classes; which may follow one another is a table of the hygiene rules."""

    STERILE = "sterile"
    MEDICINE = "medicine"
    FOOD = "food"
    CLEAN_LINEN = "clean_linen"
    GENERAL = "general"
    SPECIMEN = "specimen"
    DIRTY_LINEN = "dirty_linen"
    WASTE = "waste"
    INFECTIOUS_WASTE = "infectious_waste"


class Method(StrEnum):
    """How a room is disinfected."""

    UV_C = "uv_c"
    SPRAY = "spray"


class VisitOrder(StrEnum):
    """In which order the points of a patrol are visited."""

    GIVEN = "given"
    BEST = "best"
    """Whichever is quickest."""
    RANDOM = "random"
    """Nobody can foresee it, and still no point waits too long."""


class TaskState(StrEnum):
    """Where a task is on its way."""

    QUEUED = "queued"
    """Accepted, on disk, no vehicle yet; ``reason`` says what it waits for."""
    ASSIGNED = "assigned"
    """In a vehicle's plan; may still be given to another."""
    UNDERWAY = "underway"
    """Its vehicle has begun it."""
    CANCELLING = "cancelling"
    """Cancelled by a person; its vehicle is being stopped or brings the goods back."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return not NEXT[self]

    @property
    def begun(self) -> bool:
        """Whether its vehicle has begun it, so that no other can."""
        return self in (TaskState.UNDERWAY, TaskState.CANCELLING)


NEXT: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.ASSIGNED, TaskState.CANCELLED, TaskState.FAILED}),
    TaskState.ASSIGNED: frozenset(
        {TaskState.QUEUED, TaskState.UNDERWAY, TaskState.CANCELLED, TaskState.FAILED}
    ),
    TaskState.UNDERWAY: frozenset(
        {TaskState.QUEUED, TaskState.CANCELLING, TaskState.DONE, TaskState.FAILED}
    ),
    TaskState.CANCELLING: frozenset({TaskState.CANCELLED, TaskState.FAILED}),
    TaskState.DONE: frozenset(),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}
"""The legal moves. Underway goes back to queued only while nothing is on board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Goods from one place to one or more others."""

    item: str
    goods: Goods
    origin: PlaceId
    drop_offs: tuple[PlaceId, ...]
    mass_g: int
    volume_ml: int = 0
    by: Medium | None = None
    """Only on the ground or only by air; None = whichever can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """Medicine from the pharmacy into the right hands, in a locked compartment."""

    item: str
    origin: PlaceId
    destination: PlaceId
    recipient_role: str
    mass_g: int
    volume_ml: int = 0
    controlled: bool = False
    by: Medium | None = None
    """Only on the ground or only by air, for one leg of two; None = whichever can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPart:
    """What one flight is to see of an area: along a line, from either end.

    Args:
        by: for whom it was planned; anybody may fly it.
    """

    number: int
    line: tuple[Point, ...]
    by: VehicleId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaParts:
    """How far an area that takes several flights has come.

    Args:
        left: what nobody has seen yet in this round.
        many: how many parts there were so far, in all rounds.
        round: the one that is flown, from 1 on; 0 = nothing is planned yet.
        drones: so many fly at a time; more would not be noticeably sooner.
    """

    left: tuple[AreaPart, ...] = ()
    many: int = 0
    round: int = 0
    drones: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Patrol:
    """A look at places in turn, or at all of an area from the air; once, or without end.

    With ``revisit_s`` it is a watch: nothing may stay unseen for longer than that, until the task
    is due. It has no stops then, but shifts: see `dispatcher.patrols.patrols`. The same holds for
    an area that is flown in ``parts``: see `dispatcher.patrols.surveys`.
    """

    area: AirspaceId | None = None
    points: tuple[PlaceId, ...] = ()
    rounds: int = 1
    dwell_s: float = 20.0
    """How long to look around at each point."""
    drawn: DrawnArea | None = None
    """An area that has no name on the site."""
    by: Medium | None = None
    """Points from the air, or on the ground; None = on the ground."""
    order: VisitOrder = VisitOrder.GIVEN
    revisit_s: float | None = None
    parts: AreaParts | None = None
    """None = one vehicle makes it, in one flight for each round."""

    @property
    def medium(self) -> Medium:
        """Who can do it: areas are seen from the air."""
        if self.area is not None or self.drawn is not None:
            return Medium.AIR
        return self.by or Medium.GROUND

    @property
    def is_watch(self) -> bool:
        """Whether it goes on without a gap until its end."""
        return self.revisit_s is not None

    @property
    def by_shifts(self) -> bool:
        """Whether it has no stops: a watch, or an area in parts."""
        return self.is_watch or self.parts is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disinfection:
    """One room, by lamp or by spray."""

    room: PlaceId
    method: Method
    dose_mj_cm2: float = 10.0
    """Target dose on every surface; lamp only."""
    duration_s: float = 600.0


Spec = Delivery | Medicine | Patrol | Disinfection

KIND_OF: Mapping[type[Spec], Kind] = {
    Delivery: Kind.DELIVERY,
    Medicine: Kind.MEDICINE,
    Patrol: Kind.PATROL,
    Disinfection: Kind.DISINFECTION,
}


LEG_FAILED = "leg_failed"
LEG_CANCELLED = "leg_cancelled"
"""Why a second leg ends with the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Which leg of one delivery a task is: the first brings the goods to a pad, the second on."""

    number: Literal[1, 2]
    other: TaskId
    """The task that is the other leg."""
    via: PlaceId
    """The pad where the goods change over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as it stands now; it changes by `dataclasses.replace` in `service` alone.

    All times are loop seconds.
    """

    id: TaskId
    spec: Spec
    priority: Priority
    state: TaskState
    created_s: float
    earliest_s: float
    """Not to be begun before."""
    due_s: float
    """Should be done by then; later is late, not failed."""
    requester: str = ""
    note: str = ""
    vehicle: VehicleId | None = None
    stops_done: int = 0
    """How many of its stops are behind it; above 0 its goods are on board."""
    eta_s: float | None = None
    ended_s: float | None = None
    reason: Refusal | None = None
    """Why it waits, failed, or was refused by every vehicle."""
    key: str | None = None
    """The caller's idempotency key."""
    leg: Leg | None = None
    """Which leg of a delivery it is; None = all of what was asked for."""

    @property
    def kind(self) -> Kind:
        """Which of the four kinds it is."""
        return KIND_OF[type(self.spec)]

    @property
    def is_watch(self) -> bool:
        """Whether it is a patrol without a gap: planned by shifts, never as stops."""
        return isinstance(self.spec, Patrol) and self.spec.is_watch

    @property
    def parts(self) -> AreaParts | None:
        """Of an area that is flown in parts; None = it is none."""
        return self.spec.parts if isinstance(self.spec, Patrol) else None

    @property
    def by_shifts(self) -> bool:
        """Whether it is done by shifts of its vehicles, never planned as stops."""
        return isinstance(self.spec, Patrol) and self.spec.by_shifts
