"""Where people ask for tasks, and change or cancel them."""

from collections.abc import Mapping, Sequence

from dispatcher.admission import Admission
from dispatcher.book import TaskBook
from dispatcher.errors import IllegalMove, NotFound, Refused
from dispatcher.forecast import Forecast
from dispatcher.intake import FieldFaults
from dispatcher.patrols import Watches
from dispatcher.planner import Planner
from dispatcher.store import Store
from dispatcher.surveys import Surveys
from dispatcher.task import Priority, Task, TaskId, TaskState
from dispatcher.task_in import TaskIn
from dispatcher.worker import Worker
from fleet.vehicle import VehicleId


class TaskDesk:
    """All that is asked for; each change is on disk before it is answered.

    Args:
        forecast: told of each task that is accepted.
    """

    def __init__(
        self,
        store: Store,
        book: TaskBook,
        admission: Admission,
        forecast: Forecast,
        planner: Planner,
        watches: Watches,
        surveys: Surveys,
        workers: Mapping[VehicleId, Worker],
    ) -> None:
        self._store, self._book = store, book
        self._admission, self._forecast = admission, forecast
        self._planner, self._watches, self._surveys = planner, watches, surveys
        self._workers = workers

    async def submit(self, request: TaskIn, *, key: str | None = None) -> Task:
        """Accept a request; it is on disk when this returns.

        Args:
            key: the caller's idempotency key: the same one again gives the same task.

        Raises:
            Refused: with every reason; nothing is stored.
        """
        if key is not None and (known := await self._store.by_key(key)) is not None:
            return known
        task = self._admission.new_task(request, key)
        await self._accept([task])
        return task

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        """Accept what can be accepted: one answer for each row, all of them on disk together."""
        answers: list[Task | Refused] = []
        for number, request in enumerate(requests):
            try:
                if isinstance(request, list):
                    raise Refused(request)
                row_key = None if key is None else f"{key}/{number}"
                known = None if row_key is None else await self._store.by_key(row_key)
                answers.append(known or self._admission.new_task(request, row_key))
            except Refused as refused:
                answers.append(refused)
        new = [a for a in answers if isinstance(a, Task) and self._book.find(a.id) is None]
        if new:
            await self._accept([t for t in new if not t.state.ended])
        return answers

    async def _accept(self, tasks: Sequence[Task]) -> None:
        await self._book.accept(tasks)
        for task in tasks:
            self._forecast.count(task)

    async def cancel(self, task: TaskId) -> Task:
        """Cancel a task; goods on board are brought back first.

        Raises:
            NotFound, IllegalMove: it is not there, or has ended.
        """
        old = await self._any_task(task)
        begun = old.state.begun
        if old.state is TaskState.CANCELLING:
            return old
        if old.is_watch:
            return await self._watches.cancel(task)
        if old.parts is not None:
            return await self._surveys.cancel(task)
        state = TaskState.CANCELLING if begun else TaskState.CANCELLED
        event = self._book.journal.event("cancel_asked", task=task, vehicle=old.vehicle)
        new = self._book.move(task, state)
        await self._book.commit(tasks=[new], events=[event])
        if begun and new.vehicle is not None:
            self._workers[new.vehicle].abandon(task)
        self._planner.poke()
        return new

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        """Change a task's priority; the plan follows.

        Raises:
            NotFound, IllegalMove: it is not there, or has ended.
        """
        old = await self._any_task(task)
        if old.state.ended:
            raise IllegalMove(task, old.state, priority)
        event = self._book.journal.event("priority_changed", task=task, priority=priority)
        new = self._book.move(task, priority=priority)
        await self._book.commit(tasks=[new], events=[event])
        self._planner.reconsider(task)
        return new

    async def _any_task(self, task: TaskId) -> Task:
        """An open task; of an ended one, the error that says so."""
        found = self._book.find(task) or await self._store.task(task)
        if found is None:
            raise NotFound("task", task)
        if found.state.ended:
            raise IllegalMove(task, found.state, "changed")
        return found
