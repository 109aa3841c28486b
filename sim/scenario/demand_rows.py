"""The lines of ``demand:``, as people write them: what is asked for, how often, between where."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from dispatcher.domain.task import Goods, Kind, Method, Priority, VisitOrder
from fleet.config import Frozen
from fleet.vehicle import Medium
from sim.moments import ClockTime, Duration

PROFILES: dict[str, tuple[float, ...]] = {
    "flat": (1,) * 24,
    "day": (0, 0, 0, 0, 0, 1, 3, 6, 8, 8, 8, 7, 5, 6, 7, 7, 6, 5, 3, 2, 1, 1, 0, 0),
    "meals": (0, 0, 0, 0, 0, 0, 10, 6, 0, 0, 4, 10, 3, 0, 0, 0, 3, 10, 4, 0, 0, 0, 0, 0),
    "linen": (0, 0, 0, 0, 0, 0, 0, 0, 6, 8, 4, 0, 1, 6, 8, 4, 0, 0, 0, 1, 1, 0, 0, 0),
    "rounds": (1, 0, 0, 0, 0, 1, 2, 8, 6, 2, 1, 4, 6, 2, 1, 3, 6, 4, 1, 4, 7, 4, 2, 1),
    "specimens": (1, 1, 1, 1, 2, 5, 8, 8, 7, 6, 5, 4, 3, 4, 4, 3, 3, 2, 2, 2, 2, 2, 1, 1),
    "night": (4, 4, 4, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4, 4),
}
"""How often in each hour of the day, from midnight on; only the proportions count."""

Weight = Annotated[float, Field(ge=0, le=1e6)]
Word = Annotated[str, Field(min_length=1, max_length=200)]


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _range(value: object) -> object:
    return [value, value] if isinstance(value, int | float) else value


def _where(value: object) -> object:
    if value == "any":
        return {"anywhere": True}
    if isinstance(value, str):
        return {"places": [value]}
    return {"places": value} if isinstance(value, list) else value


def _weights(value: object) -> object:
    return {value: 1.0} if isinstance(value, str) else value


def _due(value: object) -> object:
    return dict.fromkeys(Priority, value) if isinstance(value, str) else value


Words = Annotated[tuple[Word, ...], BeforeValidator(_one_or_many), Field(min_length=1)]


class _WhereFile(Frozen):
    """Places to draw from: ``bay-1``, ``[a, b]``, ``{kind: ward}`` or ``any``."""

    places: tuple[Word, ...] = ()
    kind: Annotated[tuple[Word, ...], BeforeValidator(_one_or_many)] = ()
    level: Word | None = None
    anywhere: bool = False


Where = Annotated[_WhereFile, BeforeValidator(_where)]
WhereFile = _WhereFile
Between = Annotated[tuple[float, float], BeforeValidator(_range)]
Mass = Annotated[tuple[float, float], BeforeValidator(_range)]


class Row(Frozen):
    """What all kinds of demand have in common: how often, how urgent, by whom."""

    name: Word | None = None
    """Names its stream of chance; without it, what the line says does."""
    per_day: Annotated[float, Field(ge=0, le=1e6)] | None = None
    total: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """So many in all, spread over the run (none in its last sixth, so that it can end)."""
    within: Duration | None = None
    """With total: spread over this first part of the run instead."""
    every: Duration | None = None
    """A timetable: once in each period, counted from midnight."""
    at: Annotated[list[ClockTime], BeforeValidator(_one_or_many)] | None = None
    """A timetable: at these times of each day."""
    offset: Duration | None = None
    between: tuple[ClockTime, ClockTime] | None = None
    """Times of day outside of which nothing is asked for."""
    profile: Literal["flat", "day", "meals", "linen", "rounds", "specimens", "night"] = "flat"
    by_hour: Annotated[list[Weight], Field(min_length=24, max_length=24)] | None = None
    priority: Annotated[dict[Priority, Weight], BeforeValidator(_weights)] = Field(
        default={Priority.ROUTINE: 1.0}
    )
    due: Annotated[dict[Priority, Duration], BeforeValidator(_due)] = Field(default={})
    requester: Annotated[str, Field(max_length=80)] = ""

    WAYS: ClassVar[tuple[str, ...]] = ("per_day", "total", "every", "at")

    @model_validator(mode="after")
    def _how_often(self) -> "Row":
        given = [way for way in self.WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none of them"
            raise ValueError(f"say how often by one of per_day, total, every and at, not by {said}")
        if self.within is not None and self.total is None:
            raise ValueError("within goes with total")
        if self.by_hour is not None and not sum(self.by_hour):
            raise ValueError("by_hour needs at least one hour above 0")
        if not sum(self.priority.values()):
            raise ValueError("priority needs at least one weight above 0")
        return self

    @property
    def weights(self) -> tuple[float, ...]:
        """How often in each hour of the day."""
        return tuple(self.by_hour) if self.by_hour is not None else PROFILES[self.profile]


class DeliveryRow(Row):
    """Goods from somewhere to somewhere else."""

    kind: Literal[Kind.DELIVERY]
    item: Words | None = None
    goods: Goods = Goods.GENERAL
    origin: Annotated[Where, Field(alias="from")]
    to: Where
    mass_kg: Mass = (1.0, 5.0)
    volume_l: Mass = (0.0, 0.0)
    drops: Annotated[int, Field(ge=1, le=20)] = 1
    """How many places one delivery goes to."""
    by: Medium | None = None


class MedicineRow(Row):
    """Medicine into the right hands."""

    kind: Literal[Kind.MEDICINE]
    item: Words = ("Medicine",)
    origin: Annotated[Where, Field(alias="from")]
    to: Where
    mass_kg: Mass = (0.2, 2.0)
    recipient_role: Word = "nurse"
    controlled: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share that is controlled."""


class PatrolRow(Row):
    """A look at places on the ground, or over an area from the air; with ``revisit`` a watch."""

    kind: Literal[Kind.PATROL]
    area: Words | None = None
    points: Where | None = None
    stops: Annotated[int, Field(ge=1, le=20)] | None = None
    """How many of the points are drawn; absent = all of them, in the order of the list."""
    rounds: Annotated[int, Field(ge=1, le=20)] = 1
    dwell_s: Annotated[float, Field(ge=0, le=3600)] = 20.0
    by: Medium | None = None
    """Who looks at points; absent = on the ground."""
    order: VisitOrder = VisitOrder.GIVEN
    revisit: Duration | None = None
    """Longest time that anything may be unseen."""
    lasts: Annotated[Duration | None, Field(alias="for")] = None
    """How long a watch goes on."""

    @model_validator(mode="after")
    def _one(self) -> "PatrolRow":
        if (self.revisit is None) != (self.lasts is None):
            raise ValueError("a watch needs both revisit: 5min and for: 8h; other patrols neither")
        if (self.area is None) == (self.points is None):
            raise ValueError("a patrol needs either an area (by air) or points (on the ground)")
        return self


class DisinfectionRow(Row):
    """A room by lamp or by spray."""

    kind: Literal[Kind.DISINFECTION]
    room: Where
    method: Method = Method.UV_C
    dose_mj_cm2: Annotated[float, Field(gt=0, le=1000)] = 10.0


DemandRow = DeliveryRow | MedicineRow | PatrolRow | DisinfectionRow
ROWS: dict[str, type[DemandRow]] = {
    Kind.DELIVERY.value: DeliveryRow,
    Kind.MEDICINE.value: MedicineRow,
    Kind.PATROL.value: PatrolRow,
    Kind.DISINFECTION.value: DisinfectionRow,
}
RawRow = dict[str, Any]
