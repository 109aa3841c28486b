"""What is left of the areas in parts: on disk with their tasks, less and less as it is seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dispatcher.domain.shifts import Shift
from dispatcher.domain.task import AreaPart, AreaParts, Patrol, Task, TaskId, TaskState
from dispatcher.domain.urgency import RANKS
from dispatcher.patrols.on_part import OnPart
from dispatcher.patrols.sorties import Sortie
from dispatcher.records.book import TaskBook
from routing.geometry import Point


class PartsLeft:
    """The parts of all areas of one site; what changes is for the caller to commit."""

    def __init__(self, book: TaskBook) -> None:
        self._book = book

    def tasks(self) -> list[Task]:
        """The areas to be seen, the most urgent first, then the oldest."""
        open_ = (task for task in self._book.open() if task.parts is not None)
        found = [task for task in open_ if self.wanted(task.id)]
        return sorted(found, key=lambda task: RANKS[task.priority])

    def wanted(self, task: TaskId) -> bool:
        """Whether nobody has cancelled it, and nothing has ended it."""
        return self._book[task].state in (TaskState.QUEUED, TaskState.UNDERWAY)

    def of(self, shift: Shift) -> AreaPart | None:
        """What is left of a shift's part; None = nothing."""
        task = self._book.find(shift.task)
        parts = None if task is None else task.parts
        left = () if parts is None else parts.left
        return next((part for part in left if part.number == shift.post), None)

    def begun(self, id_: TaskId, part: AreaPart, sortie: Sortie) -> Task:
        """The task after a flight has been composed: under way, and cut where it ends."""
        task = self._book[id_]
        if task.state is TaskState.QUEUED:
            self._book.move(id_, TaskState.ASSIGNED)
        parts = task.parts
        assert parts is not None, "it has a shift over a part"
        if sortie.rest:
            points = sortie.points[sortie.first : sortie.last + 1]
            rest = AreaPart(number=parts.many, line=sortie.rest)
            parts = replace(_with(parts, part.number, points), many=parts.many + 1)
            parts = replace(parts, left=(*parts.left, rest))
        return self.written(id_, parts, state=TaskState.UNDERWAY, reason=None)

    def seen(self, one: OnPart) -> list[Task]:
        """The task with what a flight has seen until now taken off; [] = nothing new."""
        part, task = self.of(one.shift), self._book.find(one.shift.task)
        if part is None or task is None or task.parts is None or task.state.ended:
            return []
        left = one.left_of(part)
        if left == part.line:
            return []
        return [self.written(task.id, _with(task.parts, part.number, left))]

    def written(self, task: TaskId, parts: AreaParts, **changes: Any) -> Task:
        """The task with other parts left; what is done counts as stops."""
        spec = self._book[task].spec
        assert isinstance(spec, Patrol), "only patrols have parts"
        done = parts.many - len(parts.left)
        return self._book.move(task, spec=replace(spec, parts=parts), stops_done=done, **changes)

    async def finish(self, id_: TaskId) -> None:
        """With nothing left of its last round a task is done."""
        task = self._book.find(id_)
        if task is None or task.state is not TaskState.UNDERWAY:
            return
        spec, parts = task.spec, task.parts
        if parts is None or parts.left or not isinstance(spec, Patrol):
            return
        if parts.round >= spec.rounds:
            event = self._book.journal.event("task_done", task=id_)
            done = self._book.move(id_, TaskState.DONE, eta_s=None)
            await self._book.commit(tasks=[done], events=[event])


def _with(parts: AreaParts, number: int, line: Sequence[Point]) -> AreaParts:
    """Parts with another line for one of them; without it, if nothing of that is left."""
    left = [replace(p, line=tuple(line)) if p.number == number else p for p in parts.left]
    return replace(parts, left=tuple(part for part in left if len(part.line) > 1))
