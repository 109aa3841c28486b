"""One writer for many callers: what arrives while it writes goes into its next transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, UpdateBase, select
from sqlalchemy.exc import IntegrityError

from dispatcher.errors import KeyTaken

Statements = Sequence[tuple[UpdateBase, Sequence[Mapping[str, Any]]]]
"""What one caller wants written: statements with the rows for each."""


TURNS = 3
"""A task is accepted, planned in the next turn, and begun by its vehicle in the one after."""


@dataclass(slots=True)
class _Batch:
    statements: Statements
    written: asyncio.Future[None]


class GroupWriter:
    """Writes what callers hand in, all of a caller's or none, in the order they came.

    Args:
        connection: used by work in ``executor`` alone.
        executor: does one piece of work at a time.
        tasks: the table whose ``key`` column must stay unique.
    """

    def __init__(self, connection: Connection, executor: Executor, tasks: Table) -> None:
        self._connection = connection
        self._executor = executor
        self._tasks = tasks
        self._pending: list[_Batch] = []  # bounded by the callers, who wait before they go on
        self._writing = False
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, statements: Statements, *, soon: bool = True) -> asyncio.Future[None]:
        """Have all of these or none written, after all that was put before.

        Args:
            soon: False = with what follows from it, if that comes within `TURNS` of the loop.

        Returns:
            Done when they are on disk; KeyTaken: an idempotency key belongs to another task.
        """
        batch = _Batch(statements, asyncio.get_running_loop().create_future())
        if not statements:
            batch.written.set_result(None)
            return batch.written
        self._pending.append(batch)
        if soon:
            self._begin()
        else:
            self._idle.clear()
            self._begin_in(TURNS)
        return batch.written

    async def idle(self) -> None:
        """Wait until nothing is left to write."""
        await self._idle.wait()

    def _begin_in(self, turns: int) -> None:
        if turns == 0:
            self._begin()
        else:
            asyncio.get_running_loop().call_soon(self._begin_in, turns - 1)

    def _begin(self) -> None:
        while self._pending and not self._writing:
            group, self._pending = self._pending, []
            self._writing = True
            self._idle.clear()
            job = self._executor.submit(self._write, [batch.statements for batch in group])
            if job.done():
                self._end(group, job)
            else:
                self._end_later(group, job)
        if not self._writing:
            self._idle.set()

    def _end_later(self, group: list[_Batch], job: "Future[list[Exception | None]]") -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            self._end(group, job)
            self._begin()

        job.add_done_callback(lambda _: loop.call_soon_threadsafe(end))

    def _end(self, group: list[_Batch], job: "Future[list[Exception | None]]") -> None:
        self._writing = False
        fault = job.exception()
        faults = job.result() if fault is None else [fault] * len(group)
        for batch, error in zip(group, faults, strict=True):
            if batch.written.done():
                continue  # its caller was cancelled; it is written all the same
            if error is None:
                batch.written.set_result(None)
            else:
                batch.written.set_exception(error)

    def _write(self, group: list[Statements]) -> list[Exception | None]:
        """In the executor: all in one transaction; only if that fails, each in its own."""
        try:
            self._transact(group)
        except IntegrityError:
            return [self._fault(statements) for statements in group]
        return [None] * len(group)

    def _fault(self, statements: Statements) -> Exception | None:
        try:
            self._transact([statements])
        except IntegrityError as error:
            return self._key_taken(statements) or error
        return None

    def _transact(self, group: list[Statements]) -> None:
        with self._connection.begin():
            for statement, rows in _joined(group):
                self._connection.execute(statement, rows)

    def _key_taken(self, statements: Statements) -> KeyTaken | None:
        tasks = self._tasks
        with self._connection.begin():
            for row in (row for _, rows in statements for row in rows if row.get("key")):
                other = (tasks.c.key == row["key"]) & (tasks.c.id != row.get("id"))
                if self._connection.execute(select(tasks.c.id).where(other)).first():
                    return KeyTaken(row["key"])
        return None


def _joined(group: Sequence[Statements]) -> list[tuple[UpdateBase, list[Mapping[str, Any]]]]:
    """What is to be done, with the rows of like statements in one go.

    Each table sees the order in which its rows came; between tables there is none to keep.
    """
    found: list[tuple[UpdateBase, list[Mapping[str, Any]]]] = []
    last: dict[object, int] = {}
    for statement, rows in (one for statements in group for one in statements):
        number = last.get(statement.table)
        if number is not None and found[number][0] is statement:
            found[number][1].extend(rows)
        else:
            last[statement.table] = len(found)
            found.append((statement, list(rows)))
    return found
