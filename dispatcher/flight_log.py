"""The log of flights: each one's track, who commanded it, what it was told, what it used."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NewType

from pydantic import TypeAdapter
from sqlalchemy import Column, Text, bindparam, func, select
from sqlmodel import Field, SQLModel

from dispatcher.incidents import IncidentId
from dispatcher.rows import UtcTime, number_of
from dispatcher.store import Store, table_of, upsert
from dispatcher.task import TaskId
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.geometry import Point

FlightId = NewType("FlightId", str)


class FlightRow(SQLModel, table=True):
    """One flight; times in ``data`` are seconds after its beginning."""

    __tablename__ = "flights"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    vehicle: str = Field(index=True)
    began_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    ended_at: datetime | None = Field(sa_column=Column(UtcTime(), nullable=True, index=True))
    data: str = Field(sa_type=Text)


FLIGHTS = table_of(FlightRow)
PUT_FLIGHT = upsert(FLIGHTS)


@dataclass(frozen=True, slots=True)
class Fix:
    """Where it was, in seconds after the take-off, metres of the site, metres above ground."""

    at_s: float
    x_m: float
    y_m: float
    height_agl_m: float

    @property
    def point(self) -> Point:
        """The spot below it."""
        return Point(self.x_m, self.y_m)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that it was told, in seconds after the take-off, and by whom."""

    at_s: float
    what: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight from the ground to the ground. ``began_s`` and ``ended_s`` are loop seconds.

    Args:
        commanded_by: who had the control token at the take-off; empty = the dispatcher alone.
        breaches: ids of the volumes that it left or entered against the rules.
        cut: it began or went on while no dispatcher was there, so its track has a gap.
    """

    id: FlightId
    vehicle: VehicleId
    began_s: float
    ended_s: float | None = None
    commanded_by: str = ""
    tasks: tuple[TaskId, ...] = ()
    incidents: tuple[IncidentId, ...] = ()
    charge_at_start: float | None = None
    charge_at_end: float | None = None
    track: tuple[Fix, ...] = ()
    told: tuple[Told, ...] = ()
    breaches: tuple[str, ...] = ()
    cut: bool = False

    @property
    def minutes(self) -> float:
        """How long it took, as far as is known."""
        last_s = self.track[-1].at_s if self.track else 0.0
        return (last_s if self.ended_s is None else self.ended_s - self.began_s) / 60

    @property
    def metres(self) -> float:
        """How far it flew over ground, along its thinned track."""
        pairs = zip(self.track, self.track[1:], strict=False)
        return sum(a.point.distance_m(b.point) for a, b in pairs)


@dataclass(slots=True)
class Month:
    """What flew in one month.

    Args:
        answered: incidents to which a drone came.
    """

    flights: int = 0
    minutes: float = 0.0
    kilometres: float = 0.0
    incidents: int = 0
    answered: int = 0
    breaches: int = 0
    by_vehicle: dict[str, float] = field(default_factory=dict[str, float])
    """Minutes."""


def report(flights: Sequence[Flight], incidents: int, answered: int) -> Month:
    """The numbers of a month out of all that began in it."""
    month = Month(incidents=incidents, answered=answered)
    for flight in flights:
        month.flights += 1
        month.minutes += flight.minutes
        month.kilometres += flight.metres / 1000
        month.breaches += len(flight.breaches)
        known = month.by_vehicle.get(flight.vehicle, 0.0)
        month.by_vehicle[flight.vehicle] = round(known + flight.minutes, 1)
    month.minutes, month.kilometres = round(month.minutes, 1), round(month.kilometres, 2)
    return month


class FlightStore:
    """Flights on disk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def put(self, flights: Sequence[Flight]) -> None:
        """Write flights as they are now."""
        await self._store.write([(PUT_FLIGHT, [_values(one, self._clock) for one in flights])])

    async def find(self, flight: FlightId) -> Flight | None:
        """One of them."""
        found = select(FLIGHTS).where(FLIGHTS.c.id == bindparam("it"))
        rows = await self._store.rows(found, it=flight)
        return _flight(rows[0], self._clock) if rows else None

    async def unended(self) -> list[Flight]:
        """Those of which nobody saw the landing."""
        found = select(FLIGHTS).where(FLIGHTS.c.ended_at.is_(None)).order_by(FLIGHTS.c.number)
        return [_flight(row, self._clock) for row in await self._store.rows(found)]

    async def between(self, since: datetime, until: datetime, *, limit: int = 5000) -> list[Flight]:
        """Those that began in a span of time, the oldest first."""
        within = (FLIGHTS.c.began_at >= since) & (FLIGHTS.c.began_at < until)
        found = select(FLIGHTS).where(within).order_by(FLIGHTS.c.number).limit(limit)
        return [_flight(row, self._clock) for row in await self._store.rows(found)]

    async def latest(self, limit: int, vehicle: VehicleId | None = None) -> list[Flight]:
        """The newest first."""
        found = select(FLIGHTS).order_by(FLIGHTS.c.number.desc()).limit(limit)
        if vehicle is not None:
            found = found.where(FLIGHTS.c.vehicle == vehicle)
        return [_flight(row, self._clock) for row in await self._store.rows(found)]

    async def count(self) -> int:
        """The highest number that there ever was."""
        rows = await self._store.rows(select(func.max(FLIGHTS.c.number).label("last")))
        return rows[0]["last"] or 0


_FLIGHT = TypeAdapter(Flight)


def _values(flight: Flight, clock: Clock) -> dict[str, Any]:
    bare = replace(flight, began_s=0.0, ended_s=None)
    return {
        "id": flight.id,
        "number": number_of(flight.id),
        "vehicle": flight.vehicle,
        "began_at": clock.to_utc(flight.began_s),
        "ended_at": None if flight.ended_s is None else clock.to_utc(flight.ended_s),
        "data": _FLIGHT.dump_json(bare).decode(),
    }


def _flight(row: Mapping[str, Any], clock: Clock) -> Flight:
    bare = _FLIGHT.validate_python(json.loads(row["data"]))
    ended = row["ended_at"]
    return replace(
        bare,
        began_s=clock.to_loop(row["began_at"]),
        ended_s=None if ended is None else clock.to_loop(ended),
    )
