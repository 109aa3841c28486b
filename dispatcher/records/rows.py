"""The tables, and the way between their rows and the domain's values.

A row accepts any value unchecked, so rows stay behind `dispatcher.records.store`. Times are UTC in
the tables and loop seconds outside; the specification of a task and a mission are JSON.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Column, DateTime, Dialect, RowMapping, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.shifts import Shift, ShiftId, ShiftPlan, ShiftState
from dispatcher.domain.task import (
    Delivery,
    Disinfection,
    Kind,
    Leg,
    Medicine,
    Patrol,
    Priority,
    Spec,
    Task,
    TaskId,
    TaskState,
)
from dispatcher.records.journal import Event
from fleet.clock import Clock
from fleet.mission import Mission, MissionId
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


class UtcTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; databases without time zones give it back as UTC too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """Towards the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """Out of the database."""
        return None if value is None else value.replace(tzinfo=UTC)


def _time(*, optional: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(UtcTime(), nullable=optional, index=index))


class TaskRow(SQLModel, table=True):
    """One task as it stands now."""

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    kind: str
    state: str = Field(index=True)
    priority: str
    spec: str = Field(sa_type=Text)
    places: str = Field(sa_type=Text)
    """Every place and area it names, each between bars: ``|pharmacy|icu|``."""
    words: str = Field(sa_type=Text)
    """What a text search looks at, in lower case."""
    requester: str
    note: str = Field(sa_type=Text)
    created_at: datetime = _time()
    earliest_at: datetime = _time()
    due_at: datetime = _time()
    eta_at: datetime | None = _time(optional=True)
    ended_at: datetime | None = _time(optional=True, index=True)
    vehicle: str | None = Field(index=True)
    stops_done: int
    reason: str | None = Field(sa_type=Text)
    key: str | None = Field(unique=True)
    leg: str | None = Field(sa_type=Text)


class EventRow(SQLModel, table=True):
    """One event of the journal."""

    __tablename__ = "events"  # pyright: ignore[reportAssignmentType]

    seq: int = Field(primary_key=True)
    at: datetime = _time()
    kind: str = Field(index=True)
    task: str | None = Field(index=True)
    vehicle: str | None
    facts: str = Field(sa_type=Text)


class MissionRow(SQLModel, table=True):
    """One mission that a vehicle was told, and how it went."""

    __tablename__ = "missions"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    vehicle: str
    task: str | None
    purpose: str
    stop_index: int
    mission: str = Field(sa_type=Text)
    state: str = Field(index=True)
    at: datetime = _time()


class AnswerRow(SQLModel, table=True):
    """What was answered to a write, by its idempotency key; no status = not yet answered."""

    __tablename__ = "answers"  # pyright: ignore[reportAssignmentType]

    key: str = Field(primary_key=True)
    fingerprint: str
    status: int | None
    body: str | None = Field(sa_type=Text)
    at: datetime = _time()


class PaceRow(SQLModel, table=True):
    """How long a lane or lift takes in one hour of the day: weighted sums."""

    __tablename__ = "paces"  # pyright: ignore[reportAssignmentType]

    road: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    samples: float
    planned_s: float
    measured_s: float


class ShiftRow(SQLModel, table=True):
    """One vehicle's stretch on a post of a watch."""

    __tablename__ = "shifts"  # pyright: ignore[reportAssignmentType]

    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    task: str = Field(index=True)
    post: int
    vehicle: str
    state: str = Field(index=True)
    why: str
    plan: str = Field(sa_type=Text)
    given_at: datetime = _time()
    begun_at: datetime | None = _time(optional=True)
    station_at: datetime | None = _time(optional=True)
    ended_at: datetime | None = _time(optional=True)


SPECS: Mapping[str, TypeAdapter[Any]] = {
    Kind.DELIVERY: TypeAdapter(Delivery),
    Kind.MEDICINE: TypeAdapter(Medicine),
    Kind.PATROL: TypeAdapter(Patrol),
    Kind.DISINFECTION: TypeAdapter(Disinfection),
}
"""What each kind of task asks for, as JSON and back."""
LEG = TypeAdapter(Leg)
_MISSION = TypeAdapter(Mission)
_SHIFT_PLAN = TypeAdapter(ShiftPlan)


def number_of(name: str) -> int:
    """The running number at the end of an id: 7 of ``T-000007``; 0 where there is none."""
    found = re.search(r"(\d{1,18})$", name)
    return int(found[1]) if found else 0


def places_of(spec: Spec) -> tuple[str, ...]:
    """Every place and area that a task names, in the order of its stops."""
    match spec:
        case Delivery():
            return (spec.origin, *spec.drop_offs)
        case Medicine():
            return (spec.origin, spec.destination)
        case Patrol():
            return (*((spec.area,) if spec.area else ()), *spec.points)
        case Disinfection():
            return (spec.room,)


def task_values(task: Task, clock: Clock) -> dict[str, Any]:
    """A task as the values of its row."""
    item = task.spec.item if isinstance(task.spec, Delivery | Medicine) else ""
    return {
        "id": task.id,
        "number": number_of(task.id),
        "kind": task.kind.value,
        "state": task.state.value,
        "priority": task.priority.value,
        "spec": SPECS[task.kind].dump_json(task.spec).decode(),
        "places": f"|{'|'.join(places_of(task.spec))}|",
        "words": "\n".join((task.id, item, task.note, task.requester)).lower(),
        "requester": task.requester,
        "note": task.note,
        "created_at": clock.to_utc(task.created_s),
        "earliest_at": clock.to_utc(task.earliest_s),
        "due_at": clock.to_utc(task.due_s),
        "eta_at": None if task.eta_s is None else clock.to_utc(task.eta_s),
        "ended_at": None if task.ended_s is None else clock.to_utc(task.ended_s),
        "vehicle": task.vehicle,
        "stops_done": task.stops_done,
        "reason": None if task.reason is None else _refusal_text(task.reason),
        "key": task.key,
        "leg": None if task.leg is None else LEG.dump_json(task.leg).decode(),
    }


def task_of(row: RowMapping, clock: Clock) -> Task:
    """The task that a row holds."""
    return Task(
        id=TaskId(row["id"]),
        spec=SPECS[row["kind"]].validate_json(row["spec"]),
        priority=Priority(row["priority"]),
        state=TaskState(row["state"]),
        created_s=clock.to_loop(row["created_at"]),
        earliest_s=clock.to_loop(row["earliest_at"]),
        due_s=clock.to_loop(row["due_at"]),
        requester=row["requester"],
        note=row["note"],
        vehicle=row["vehicle"],
        stops_done=row["stops_done"],
        eta_s=None if row["eta_at"] is None else clock.to_loop(row["eta_at"]),
        ended_s=None if row["ended_at"] is None else clock.to_loop(row["ended_at"]),
        reason=None if row["reason"] is None else _refusal_of(row["reason"]),
        key=row["key"],
        leg=leg_of(row["leg"]),
    )


def leg_of(text: str | None) -> Leg | None:
    """The leg that a column holds."""
    return None if text is None else LEG.validate_json(text)


def event_values(event: Event, clock: Clock) -> dict[str, Any]:
    """An event as the values of its row."""
    return {
        "seq": event.seq,
        "at": clock.to_utc(event.at_s),
        "kind": event.kind,
        "task": event.task,
        "vehicle": event.vehicle,
        "facts": json.dumps(event.facts, ensure_ascii=False),
    }


def event_of(row: RowMapping, clock: Clock) -> Event:
    """The event that a row holds."""
    return Event(
        seq=row["seq"],
        at_s=clock.to_loop(row["at"]),
        kind=row["kind"],
        task=row["task"],
        vehicle=row["vehicle"],
        facts=json.loads(row["facts"]),
    )


def mission_values(record: MissionRecord, clock: Clock) -> dict[str, Any]:
    """A mission's record as the values of its row."""
    return {
        "id": record.id,
        "number": number_of(record.id),
        "vehicle": record.vehicle,
        "task": record.task,
        "purpose": record.purpose,
        "stop_index": record.stop_index,
        "mission": _MISSION.dump_json(record.mission).decode(),
        "state": record.state,
        "at": clock.to_utc(record.at_s),
    }


def mission_of(row: RowMapping, clock: Clock) -> MissionRecord:
    """The mission's record that a row holds."""
    return MissionRecord(
        id=MissionId(row["id"]),
        vehicle=VehicleId(row["vehicle"]),
        task=row["task"],
        purpose=row["purpose"],
        stop_index=row["stop_index"],
        mission=_MISSION.validate_json(row["mission"]),
        state=row["state"],
        at_s=clock.to_loop(row["at"]),
    )


def shift_values(shift: Shift, clock: Clock) -> dict[str, Any]:
    """A shift as the values of its row."""
    moments = {"given_at": shift.given_s, "begun_at": shift.begun_s}
    moments |= {"station_at": shift.station_s, "ended_at": shift.ended_s}
    return {
        "id": shift.id,
        "number": number_of(shift.id),
        "task": shift.task,
        "post": shift.post,
        "vehicle": shift.vehicle,
        "state": shift.state.value,
        "why": shift.why,
        "plan": _SHIFT_PLAN.dump_json(shift.plan).decode(),
        **{name: None if at is None else clock.to_utc(at) for name, at in moments.items()},
    }


def shift_of(row: RowMapping, clock: Clock) -> Shift:
    """The shift that a row holds."""

    def loop_s(moment: datetime | None) -> float | None:
        return None if moment is None else clock.to_loop(moment)

    return Shift(
        id=ShiftId(row["id"]),
        task=TaskId(row["task"]),
        post=row["post"],
        vehicle=VehicleId(row["vehicle"]),
        state=ShiftState(row["state"]),
        why=row["why"],
        plan=_SHIFT_PLAN.validate_json(row["plan"]),
        given_s=clock.to_loop(row["given_at"]),
        begun_s=loop_s(row["begun_at"]),
        station_s=loop_s(row["station_at"]),
        ended_s=loop_s(row["ended_at"]),
    )


def _refusal_text(refusal: Refusal) -> str:
    return json.dumps({"code": refusal.code, "facts": dict(refusal.facts)}, ensure_ascii=False)


def _refusal_of(text: str) -> Refusal:
    found = json.loads(text)
    return Refusal(found["code"], found["facts"])
