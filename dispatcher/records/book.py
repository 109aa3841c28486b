"""The book of open tasks: the one owner of their states, always on disk before anybody acts."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.shifts import Shift, ShiftId
from dispatcher.domain.task import NEXT, Task, TaskId, TaskState
from dispatcher.errors import IllegalMove, KeyTaken, NotFound
from dispatcher.records.feed import Change, Hub
from dispatcher.records.journal import Event, Journal
from dispatcher.records.store import Store
from fleet.clock import Clock
from fleet.mission import Mission, MissionId
from fleet.vehicle import VehicleId

KEEP_ENDED = 200
"""How many ended tasks are kept in memory for screens; the rest are in the store."""


class TaskBook:
    """Open tasks in memory and all of them in the store; every move is legal, noted and told."""

    def __init__(self, store: Store, journal: Journal, clock: Clock, hub: Hub) -> None:
        self.store = store
        self.journal = journal
        self._clock = clock
        self._hub = hub
        self._open: dict[TaskId, Task] = {}
        self._ended: dict[TaskId, Task] = {}
        self._next_task = self._next_mission = self._next_shift = 1
        self._listeners: list[Callable[[Task], None]] = []
        self._failed = asyncio.Event()
        self._fault: BaseException | None = None

    async def load(self) -> None:
        """Read the store: what was open when the last process ended is open still."""
        numbers = await self.store.next_numbers()
        self._next_task, self._next_mission = numbers.task, numbers.mission
        self._next_shift = numbers.shift
        self._open = {task.id: task for task in await self.store.open_tasks()}

    def on_move(self, listener: Callable[[Task], None]) -> None:
        """Have ``listener`` called with each task that was accepted or has moved."""
        self._listeners.append(listener)

    def __getitem__(self, task: TaskId) -> Task:
        found = self._open.get(task) or self._ended.get(task)
        if found is None:
            raise NotFound("task", task)
        return found

    def find(self, task: TaskId | None) -> Task | None:
        """A task that is in memory, or None."""
        if task is None:
            return None
        return self._open.get(task) or self._ended.get(task)

    def open(self) -> list[Task]:
        """All open tasks, in the order of acceptance."""
        return list(self._open.values())

    def ended(self) -> list[Task]:
        """Those that ended lately, the latest last."""
        return list(self._ended.values())

    def new_task_id(self) -> TaskId:
        """An id that no task ever had."""
        self._next_task += 1
        return TaskId(f"T-{self._next_task - 1:06d}")

    def new_mission_id(self) -> MissionId:
        """An id that no mission ever had."""
        self._next_mission += 1
        return MissionId(f"M-{self._next_mission - 1:06d}")

    def new_shift_id(self) -> ShiftId:
        """An id that no shift ever had."""
        self._next_shift += 1
        return ShiftId(f"S-{self._next_shift - 1:06d}")

    async def accept(self, tasks: Sequence[Task]) -> None:
        """Write new tasks down, together with what is planned for them at once.

        Returns when they are on disk; before that they are planned, and no vehicle is told.

        Raises:
            KeyTaken: another task in memory has the same key; none is accepted.
        """
        if keys := {task.key for task in tasks} - {None}:
            for other in (*self._open.values(), *self._ended.values()):
                if other.key in keys:
                    raise KeyTaken(str(other.key))
        events = [
            self.journal.event("task_accepted", task=t.id, kind_of_task=t.kind, priority=t.priority)
            for t in tasks
        ]
        self._open |= {task.id: task for task in tasks}
        await self.post(tasks=tasks, events=events)

    def move(self, task: TaskId, state: TaskState | None = None, **changes: Any) -> Task:
        """A task as it will be after a legal move; put it on disk with `commit`, then act.

        Raises:
            NotFound, IllegalMove: nothing has changed.
        """
        old = self[task]
        if state is not None and state is not old.state:
            if state not in NEXT[old.state]:
                raise IllegalMove(task, old.state, state)
            changes["state"] = state
            if not NEXT[state]:
                changes.setdefault("ended_s", self.now_s())
        new = replace(old, **changes)
        self._open[task] = new
        if new.state.ended:
            del self._open[task]
            self._ended[task] = new
            while len(self._ended) > KEEP_ENDED:
                del self._ended[next(iter(self._ended))]
        return new

    async def commit(
        self,
        *,
        tasks: Iterable[Task] = (),
        events: Sequence[Event] = (),
        missions: Sequence[MissionRecord] = (),
        shifts: Sequence[Shift] = (),
    ) -> None:
        """One decision, on disk as a whole; then everybody is told."""
        moved = list(tasks)
        await self.store.commit(tasks=moved, events=events, missions=missions, shifts=shifts)
        self._tell(moved)

    def post(
        self,
        *,
        tasks: Sequence[Task] = (),
        events: Sequence[Event] = (),
        missions: Sequence[MissionRecord] = (),
    ) -> asyncio.Future[None]:
        """The same for a decision that only leads to the next one, which need not wait for it.

        People are told at once. It is on disk before, or with, any later one, so before a vehicle
        is told of either.

        Returns:
            Done when it is there; if it can't be written, `run` ends with the reason, too.
        """
        written = self.store.put(tasks=tasks, events=events, missions=missions, soon=False)
        written.add_done_callback(self._posted)
        self._tell(tasks)
        return written

    def _posted(self, written: asyncio.Future[None]) -> None:
        if not written.cancelled() and written.exception() is not None:
            self._fault = self._fault or written.exception()
            self._failed.set()

    async def run(self) -> None:
        """Raise what kept a posted decision from the disk; while nothing does, never return."""
        await self._failed.wait()
        assert self._fault is not None
        raise self._fault

    async def note(self, kind: str, *, vehicle: VehicleId | None = None, **facts: Any) -> None:
        """Journal something that is not about a task."""
        await self.store.commit(events=[self.journal.event(kind, vehicle=vehicle, **facts)])

    def record(
        self,
        mission: Mission,
        vehicle: VehicleId,
        *,
        task: TaskId | None,
        purpose: str,
        stop_index: int,
    ) -> MissionRecord:
        """A mission about to be sent, for `commit`."""
        return MissionRecord(
            id=mission.id,
            vehicle=vehicle,
            task=task,
            purpose=purpose,
            stop_index=stop_index,
            mission=mission,
            state="sent",
            at_s=self.now_s(),
        )

    def now(self) -> datetime:
        """This moment as UTC."""
        return self._clock.now()

    def now_s(self) -> float:
        """This moment in loop seconds."""
        return self._clock.now_s()

    def _tell(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            for listener in self._listeners:
                listener(task)
            self._hub.tell(Change(task=task))
