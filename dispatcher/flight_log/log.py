"""The log of flights: each one's track, who commanded it, what it was told, what it used."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NewType, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, Text, bindparam, func, select
from sqlmodel import Field, SQLModel

from dispatcher.domain.incidents import IncidentId
from dispatcher.domain.task import TaskId
from dispatcher.records.pages import pages
from dispatcher.records.rows import UtcTime, number_of
from dispatcher.records.store import Store, table_of, upsert
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.geometry import Point

FlightId = NewType("FlightId", str)
T = TypeVar("T")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightQuery:
    """Which flights a person wants to see.

    Args:
        since, until: they began in this span of time; the oldest come first. None = all flights,
            the newest first.
        limit: at most so many; None = all.
        cursor: what a page before said comes next.
    """

    since: datetime | None = None
    until: datetime | None = None
    vehicle: VehicleId | None = None
    limit: int | None = None
    cursor: int | None = None


class FlightStore:
    """Flights on disk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def put(self, flights: Sequence[Flight]) -> None:
        """Write flights as they are now."""
        await self._store.write([(PUT_FLIGHT, [_values(one, self._clock) for one in flights])])

    async def find(self, flight: FlightId, make: Callable[[Flight], T]) -> T | None:
        """What ``make`` makes of one of them, off the loop; None = there is no such flight."""

        def made(rows: Sequence[Any]) -> T | None:
            return make(_flight(rows[0], self._clock)) if rows else None

        found = select(FLIGHTS).where(FLIGHTS.c.id == bindparam("it"))
        return await self._store.read(found, made, it=flight)

    async def unended(self) -> list[Flight]:
        """Those of which nobody saw the landing."""
        found = select(FLIGHTS).where(FLIGHTS.c.ended_at.is_(None)).order_by(FLIGHTS.c.number)
        return [_flight(row, self._clock) for row in await self._store.rows(found)]

    async def pages(
        self, query: FlightQuery, make: Callable[[list[Flight]], T]
    ) -> AsyncGenerator[tuple[T, int | None]]:
        """What ``make`` makes of the flights, some at a time, and the cursor of the next.

        It is called off the loop, in the store's thread.
        """
        found = select(FLIGHTS)
        if query.vehicle is not None:
            found = found.where(FLIGHTS.c.vehicle == query.vehicle)
        if query.since is not None:
            found = found.where(FLIGHTS.c.began_at >= query.since)
        if query.until is not None:
            found = found.where(FLIGHTS.c.began_at < query.until)

        def made(rows: Sequence[Any]) -> T:
            return make([_flight(row, self._clock) for row in rows])

        spanless = query.since is None and query.until is None
        async for page in pages(
            self._store,
            found,
            FLIGHTS.c.number,
            made,
            backwards=spanless,
            cursor=query.cursor,
            limit=query.limit,
        ):
            yield page

    async def of_incident(
        self, incident: IncidentId, since: datetime, until: datetime
    ) -> list[Flight]:
        """The flights for an incident that began in a span of time, the oldest first."""

        def its(flights: list[Flight]) -> list[Flight]:
            return [one for one in flights if incident in one.incidents]

        span = FlightQuery(since=since, until=until)
        return [one async for page, _ in self.pages(span, its) for one in page]

    async def aside(self, work: Callable[..., T], *args: Any) -> T:
        """See `Store.aside`."""
        return await self._store.aside(work, *args)

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
