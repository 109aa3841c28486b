"""The store: what must outlive the process, in one database with one writer.

`Store.commit` returns when its values are on disk. All work runs in the executor handed in, one
piece after the other; commits that arrive while one is being written go into the next
transaction together, so a burst costs few waits for the disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Table,
    UpdateBase,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import SQLModel

from dispatcher.domain.asked_for import is_whole
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.shifts import Shift, ShiftState
from dispatcher.domain.task import Kind, Task, TaskId, TaskState
from dispatcher.records.database import Database
from dispatcher.records.executors import offload
from dispatcher.records.journal import Event
from dispatcher.records.rows import (
    AnswerRow,
    EventRow,
    MissionRow,
    PaceRow,
    ShiftRow,
    TaskRow,
    UtcTime,
    event_of,
    event_values,
    leg_of,
    mission_of,
    mission_values,
    shift_of,
    shift_values,
    task_of,
    task_values,
)
from dispatcher.records.travel_times import Pace
from dispatcher.records.writer import GroupWriter, Statements
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import AirspaceId, PlaceId

T = TypeVar("T")

ANSWERS_KEPT_S = 7 * 24 * 3600.0
"""How long the answer to a write is kept for a caller who repeats it."""


def table_of(row: type[SQLModel]) -> Table:
    """The table of a row."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


TASKS, EVENTS, MISSIONS, ANSWERS, PACES, SHIFTS = map(
    table_of, (TaskRow, EventRow, MissionRow, AnswerRow, PaceRow, ShiftRow)
)


def upsert(table: Table) -> Any:
    """The statement that writes rows, each instead of the one with its key."""
    new = insert(table)
    key = list(table.primary_key.columns)
    rest = {c.name: new.excluded[c.name] for c in table.columns if not c.primary_key}
    return new.on_conflict_do_update(index_elements=key, set_=rest)


PUT_TASK, PUT_MISSION, PUT_ANSWER, PUT_PACE, PUT_SHIFT = map(
    upsert, (TASKS, MISSIONS, ANSWERS, PACES, SHIFTS)
)
ADD_EVENT = insert(EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks a person wants to see; the newest come first.

    Args:
        states, kinds: any of these; empty = all.
        place: named anywhere in the task.
        text: found in its id, item, note or requester, whatever the case.
        cursor: `Page.next` of the page before.
    """

    states: tuple[TaskState, ...] = ()
    kinds: tuple[Kind, ...] = ()
    place: PlaceId | AirspaceId | None = None
    vehicle: VehicleId | None = None
    text: str = ""
    limit: int = 50
    cursor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some tasks out of ``total``; ``next`` is None on the last page."""

    tasks: tuple[Task, ...]
    next: int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The first numbers that no task, mission, event or shift ever had."""

    task: int
    mission: int
    event: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a write; ``status`` None = its answer was never written down."""

    key: str
    fingerprint: str
    status: int | None = None
    body: str | None = None


class Store:
    """Tasks, events and missions on disk. Open it with `Store.open`, end with `close`."""

    def __init__(self, database: Database, clock: Clock, executor: Executor) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor
        self._writer = GroupWriter(database.connection, executor, TASKS)

    @classmethod
    async def open(cls, url: str, clock: Clock, executor: Executor) -> "Store":
        """Open a database, or make it, and bring its tables up to date.

        Args:
            url: ``sqlite:///FILE``, or ``sqlite://`` for one in memory.
            executor: one thread; in line under a clock that jumps.

        Raises:
            StoreFault: the database can't be used.
        """
        store = cls(await offload(executor, Database, url), clock, executor)
        await store.forget(before_s=clock.now_s() - ANSWERS_KEPT_S)
        return store

    async def close(self) -> None:
        """Wait for what is being written, then close the database."""
        await self._writer.idle()
        await offload(self._executor, self._database.close)

    async def commit(
        self,
        *,
        tasks: Sequence[Task] = (),
        events: Sequence[Event] = (),
        missions: Sequence[MissionRecord] = (),
        shifts: Sequence[Shift] = (),
    ) -> None:
        """Write all of these or none; returns when they are on disk.

        A task, mission or shift replaces the older one of its id; an event is new.

        Raises:
            KeyTaken: a task's idempotency key belongs to another task.
        """
        await self.put(tasks=tasks, events=events, missions=missions, shifts=shifts)

    def put(
        self,
        *,
        tasks: Sequence[Task] = (),
        events: Sequence[Event] = (),
        missions: Sequence[MissionRecord] = (),
        shifts: Sequence[Shift] = (),
        soon: bool = True,
    ) -> asyncio.Future[None]:
        """The same, for who need not wait: it is on disk before all that is written later.

        Args:
            soon: False = together with what follows from it at once.

        Returns:
            Done when it is on disk; see `commit`.
        """
        clock = self._clock
        statements: list[tuple[UpdateBase, list[dict[str, Any]]]] = []
        if tasks:
            statements.append((PUT_TASK, [task_values(task, clock) for task in tasks]))
        if events:
            statements.append((ADD_EVENT, [event_values(event, clock) for event in events]))
        if missions:
            statements.append((PUT_MISSION, [mission_values(m, clock) for m in missions]))
        if shifts:
            statements.append((PUT_SHIFT, [shift_values(shift, clock) for shift in shifts]))
        return self._writer.put(statements, soon=soon)

    async def write(self, statements: Statements) -> None:
        """Write rows of other tables, all or none; returns when they are on disk."""
        await self._writer.put([(what, rows) for what, rows in statements if rows])

    async def rows(self, query: Executable, **values: Any) -> list[Any]:
        """The rows of a query; for the stores of other tables."""
        return await self._rows(query, **values)

    async def read(self, query: Executable, make: Callable[[Sequence[Any]], T], **values: Any) -> T:
        """What ``make`` makes of a query's rows, in the store's thread: commits wait for it."""
        return await self.aside(lambda: make(self._read(query, values)))

    async def aside(self, work: Callable[..., T], *args: Any) -> T:
        """``work(*args)``, done in the store's thread: for what must not hold up the loop.

        Commits wait for it, so much work is handed in in pieces.
        """
        return await offload(self._executor, work, *args)

    async def learn(self, paces: Sequence[Pace]) -> None:
        """Write down how long roads take."""
        if paces:
            await self._writer.put([(PUT_PACE, [asdict(pace) for pace in paces])])

    async def paces(self) -> list[Pace]:
        """All that was learnt of how long roads take."""
        found = select(PACES).order_by(PACES.c.road, PACES.c.hour)
        return [Pace(**row) for row in await self._rows(found)]

    async def remember(self, answer: Answer) -> None:
        """Write down what is answered to a write, for the caller who repeats it."""
        values = {
            "key": answer.key,
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "at": self._clock.now(),
        }
        await self._writer.put([(PUT_ANSWER, [values])])

    async def forget(self, *, key: str | None = None, before_s: float | None = None) -> None:
        """Drop one answer, or all that are older than a moment."""
        which = ANSWERS.c.key == bindparam("this")
        values: dict[str, Any] = {"this": key}
        if before_s is not None:
            which = ANSWERS.c.at < bindparam("this", type_=UtcTime())
            values = {"this": self._clock.to_utc(before_s)}
        await self._writer.put([(delete(ANSWERS).where(which), [values])])

    async def answer(self, key: str) -> Answer | None:
        """What is known of the write with this idempotency key."""
        row = await self._one(select(ANSWERS).where(ANSWERS.c.key == key))
        if row is None:
            return None
        return Answer(
            key=row["key"], fingerprint=row["fingerprint"], status=row["status"], body=row["body"]
        )

    async def open_tasks(self) -> list[Task]:
        """All tasks that have not ended, the oldest first."""
        states = [state.value for state in TaskState if not state.ended]
        found = select(TASKS).where(TASKS.c.state.in_(states)).order_by(TASKS.c.number)
        return [task_of(row, self._clock) for row in await self._rows(found)]

    async def by_key(self, key: str) -> Task | None:
        """The task that was asked for with this idempotency key."""
        row = await self._one(select(TASKS).where(TASKS.c.key == bindparam("key")), key=key)
        return None if row is None else task_of(row, self._clock)

    async def task(self, task: TaskId) -> Task | None:
        """One task, open or ended."""
        row = await self._one(select(TASKS).where(TASKS.c.id == bindparam("task")), task=task)
        return None if row is None else task_of(row, self._clock)

    async def page(self, query: TaskQuery) -> Page:
        """The newest tasks that match, from the cursor on."""
        wanted = _conditions(query)
        newest = select(TASKS).where(*wanted).order_by(TASKS.c.number.desc())
        if query.cursor is not None:
            newest = newest.where(TASKS.c.number < query.cursor)
        count = select(func.count().label("total")).select_from(TASKS).where(*wanted)
        rows = await self._rows(newest.limit(query.limit + 1))
        total = await self._one(count)
        shown = rows[: query.limit]
        return Page(
            tasks=tuple(task_of(row, self._clock) for row in shown),
            next=shown[-1]["number"] if len(rows) > len(shown) else None,
            total=0 if total is None else total["total"],
        )

    async def timeline(self, task: TaskId) -> list[Event]:
        """All events of one task, in their order."""
        found = select(EVENTS).where(EVENTS.c.task == bindparam("task")).order_by(EVENTS.c.seq)
        return [event_of(row, self._clock) for row in await self._rows(found, task=task)]

    async def events_of(self, kinds: Sequence[str]) -> list[Event]:
        """All events of some kinds, in their order."""
        found = select(EVENTS).where(EVENTS.c.kind.in_(kinds)).order_by(EVENTS.c.seq)
        return [event_of(row, self._clock) for row in await self._rows(found)]

    async def latest_of(self, kind: str, limit: int) -> list[Event]:
        """The newest events of one kind, the newest first."""
        found = select(EVENTS).where(EVENTS.c.kind == kind).order_by(EVENTS.c.seq.desc())
        return [event_of(row, self._clock) for row in await self._rows(found.limit(limit))]

    async def missions_in_hand(self) -> list[MissionRecord]:
        """The missions that were sent and have not ended, the oldest first."""
        sent = select(MISSIONS).where(MISSIONS.c.state == "sent").order_by(MISSIONS.c.number)
        return [mission_of(row, self._clock) for row in await self._rows(sent)]

    async def open_shifts(self) -> list[Shift]:
        """The shifts that have not ended, the oldest first."""
        states = [state.value for state in ShiftState if not state.ended]
        found = select(SHIFTS).where(SHIFTS.c.state.in_(states)).order_by(SHIFTS.c.number)
        return [shift_of(row, self._clock) for row in await self._rows(found)]

    async def next_numbers(self) -> Numbers:
        """Where to go on numbering after a restart."""
        last = [
            select(func.coalesce(func.max(column), 0)).scalar_subquery().label(name)
            for name, column in (
                ("task", TASKS.c.number),
                ("mission", MISSIONS.c.number),
                ("event", EVENTS.c.seq),
                ("shift", SHIFTS.c.number),
            )
        ]
        row = await self._one(select(*last))
        assert row is not None
        return Numbers(
            task=row["task"] + 1,
            mission=row["mission"] + 1,
            event=row["event"] + 1,
            shift=row["shift"] + 1,
        )

    async def done_since(self, since_s: float) -> dict[TaskId, bool]:
        """What was done since a moment, such as midnight, and whether each was in time.

        A delivery of two legs is there once, by the id of its second one.
        """
        on_time = (TASKS.c.ended_at <= TASKS.c.due_at).label("on_time")
        found = select(TASKS.c.id, TASKS.c.leg, on_time).where(
            TASKS.c.state == TaskState.DONE.value,
            TASKS.c.ended_at >= self._clock.to_utc(since_s),
        )
        rows = [row for row in await self._rows(found) if is_whole(leg_of(row["leg"]))]
        return {TaskId(row["id"]): bool(row["on_time"]) for row in rows}

    async def _rows(self, query: Executable, **values: Any) -> list[Any]:
        return await self.aside(self._read, query, values)

    async def _one(self, query: Executable, **values: Any) -> Any | None:
        rows = await self._rows(query, **values)
        return rows[0] if rows else None

    def _read(self, query: Executable, values: dict[str, Any]) -> list[Any]:
        connection = self._database.connection
        with connection.begin():
            return list(connection.execute(query, values).mappings())


def _conditions(query: TaskQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.states:
        wanted.append(TASKS.c.state.in_([state.value for state in query.states]))
    if query.kinds:
        wanted.append(TASKS.c.kind.in_([kind.value for kind in query.kinds]))
    if query.place is not None:
        wanted.append(TASKS.c.places.contains(f"|{query.place}|", autoescape=True))
    if query.vehicle is not None:
        wanted.append(TASKS.c.vehicle == query.vehicle)
    if query.text:
        wanted.append(TASKS.c.words.contains(query.text.lower(), autoescape=True))
    return wanted
