"""Incidents on disk: each as it stands, and which of the journal's events are its timeline."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, Text, bindparam, func, select
from sqlmodel import Field, SQLModel

from dispatcher.domain.incidents import Incident, IncidentId, IncidentState
from dispatcher.records.journal import Event
from dispatcher.records.pages import pages
from dispatcher.records.rows import UtcTime, event_of, event_values, number_of
from dispatcher.records.store import ADD_EVENT, EVENTS, Store, table_of, upsert
from fleet.clock import Clock

T = TypeVar("T")


class IncidentRow(SQLModel, table=True):
    """One incident as it stands now; times in ``data`` are UTC."""

    __tablename__ = "incidents"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    external_id: str | None = Field(unique=True)
    state: str = Field(index=True)
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    data: str = Field(sa_type=Text)


class IncidentEventRow(SQLModel, table=True):
    """That one event of the journal is about an incident."""

    __tablename__ = "incident_events"  # pyright: ignore[reportAssignmentType]

    seq: int = Field(primary_key=True)
    incident: str = Field(index=True)


INCIDENTS, LINKS = table_of(IncidentRow), table_of(IncidentEventRow)
PUT_INCIDENT, PUT_LINK = upsert(INCIDENTS), LINKS.insert()
_INCIDENT = TypeAdapter(Incident)
_TIMES = tuple(f.name for f in fields(Incident) if f.name.endswith("_s") and f.name != "on_scene_s")


class IncidentStore:
    """Reads and writes incidents."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def put(self, incident: Incident, events: Sequence[Event]) -> None:
        """One change of an incident with its events, on disk as a whole when this returns."""
        links = [{"seq": event.seq, "incident": incident.id} for event in events]
        await self._store.write(
            [
                (PUT_INCIDENT, [_values(incident, self._clock)]),
                (ADD_EVENT, [event_values(event, self._clock) for event in events]),
                (PUT_LINK, links),
            ]
        )

    async def open(self) -> list[Incident]:
        """All that are not closed, the oldest first."""
        found = select(INCIDENTS).where(INCIDENTS.c.state != IncidentState.CLOSED.value)
        rows = await self._store.rows(found.order_by(INCIDENTS.c.number))
        return [_incident(row, self._clock) for row in rows]

    async def latest(
        self, make: Callable[[Incident], T], *, limit: int, cursor: int | None = None
    ) -> tuple[list[T], int | None]:
        """What ``make`` makes of each, off the loop, the newest first; and where it goes on.

        Args:
            cursor: only those that came before the one of this number.
        """

        def made(rows: Sequence[Any]) -> list[T]:
            return [make(_incident(row, self._clock)) for row in rows]

        query, by = select(INCIDENTS), INCIDENTS.c.number
        read = pages(self._store, query, by, made, backwards=True, cursor=cursor, limit=limit)
        found = [page async for page in read]
        return [one for page, _ in found for one in page], found[-1][1]

    async def aside(self, work: Callable[..., T], *args: Any) -> T:
        """See `Store.aside`."""
        return await self._store.aside(work, *args)

    async def tally(self, since: datetime, until: datetime) -> tuple[int, int]:
        """How many were reported in a span of time, and to how many of them a drone came."""
        within = (INCIDENTS.c.at >= since) & (INCIDENTS.c.at < until)
        found, by = select(INCIDENTS).where(within), INCIDENTS.c.number
        reported = answered = 0
        async for (more, came), _ in pages(self._store, found, by, self._tallied):
            reported, answered = reported + more, answered + came
        return reported, answered

    def _tallied(self, rows: Sequence[Any]) -> tuple[int, int]:
        incidents = [_incident(row, self._clock) for row in rows]
        return len(incidents), sum(one.arrived_s is not None for one in incidents)

    async def find(self, incident: IncidentId) -> Incident | None:
        """One of them, open or closed."""
        return await self._one(INCIDENTS.c.id, incident)

    async def by_external_id(self, external_id: str) -> Incident | None:
        """The one that a caller knows by this number."""
        return await self._one(INCIDENTS.c.external_id, external_id)

    async def timeline(self, incident: IncidentId) -> list[Event]:
        """All events of one incident, in their order."""
        joined = EVENTS.join(LINKS, EVENTS.c.seq == LINKS.c.seq)
        found = select(EVENTS).select_from(joined).where(LINKS.c.incident == bindparam("it"))
        rows = await self._store.rows(found.order_by(EVENTS.c.seq), it=incident)
        return [event_of(row, self._clock) for row in rows]

    async def count(self) -> int:
        """The highest number that there ever was."""
        rows = await self._store.rows(select(func.max(INCIDENTS.c.number).label("last")))
        return rows[0]["last"] or 0

    async def _one(self, column: Column[Any], value: str) -> Incident | None:
        rows = await self._store.rows(select(INCIDENTS).where(column == bindparam("it")), it=value)
        return _incident(rows[0], self._clock) if rows else None


def _values(incident: Incident, clock: Clock) -> dict[str, Any]:
    data = _INCIDENT.dump_python(incident, mode="json")
    for name in _TIMES:
        if data[name] is not None:
            data[name] = clock.to_utc(data[name]).isoformat()
    return {
        "id": incident.id,
        "number": number_of(incident.id),
        "external_id": incident.external_id,
        "state": incident.state.value,
        "at": clock.to_utc(incident.reported_s),
        "data": json.dumps(data, ensure_ascii=False),
    }


def _incident(row: Any, clock: Clock) -> Incident:
    data = json.loads(row["data"])
    for name in _TIMES:
        if data[name] is not None:
            data[name] = clock.to_loop(datetime.fromisoformat(data[name]))
    return _INCIDENT.validate_python(data)
