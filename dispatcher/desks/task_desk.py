"""Where people ask for tasks, and change or cancel them."""

from collections.abc import Mapping, Sequence

from dispatcher.desks.admission import Admission
from dispatcher.desks.intake import FieldFaults
from dispatcher.desks.task_in import TaskIn
from dispatcher.domain.task import Priority, Task, TaskId, TaskState
from dispatcher.errors import IllegalMove, NotFound, Refused
from dispatcher.patrols.patrols import Watches
from dispatcher.patrols.surveys import Surveys
from dispatcher.planning.forecast import Forecast
from dispatcher.planning.planner import Planner
from dispatcher.records.book import TaskBook
from dispatcher.records.journal import Event
from dispatcher.records.store import Store
from dispatcher.work.worker import Worker
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
        """Accept a request; it is on disk when this returns, with what is planned for it by then.

        Args:
            key: the caller's idempotency key: the same one again gives the same task.

        Returns:
            The task; of a delivery with two legs, the one that ends where it was asked to.

        Raises:
            Refused: with every reason; nothing is stored.
        """
        if key is not None and (known := await self._store.by_key(key)) is not None:
            return known
        tasks = self._admission.new_tasks(request, key)
        await self._accept(tasks)
        return self._by_now(tasks[-1])

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        """Accept what can be accepted: one answer for each row, all of them on disk together."""
        answers: list[Task | Refused] = []
        new: list[Task] = []
        for number, request in enumerate(requests):
            try:
                if isinstance(request, list):
                    raise Refused(request)
                row_key = None if key is None else f"{key}/{number}"
                known = None if row_key is None else await self._store.by_key(row_key)
                if known is None:
                    new += (tasks := self._admission.new_tasks(request, row_key))
                    known = tasks[-1]
                answers.append(known)
            except Refused as refused:
                answers.append(refused)
        if new:
            await self._accept(new)
        return [one if isinstance(one, Refused) else self._by_now(one) for one in answers]

    def _by_now(self, task: Task) -> Task:
        """A task with what has become of it since it was read or made."""
        return self._book.find(task.id) or task

    async def _accept(self, tasks: Sequence[Task]) -> None:
        await self._book.accept(tasks)
        for task in tasks:
            self._forecast.count(task)

    async def cancel(self, task: TaskId) -> Task:
        """Cancel a task; goods on board are brought back first.

        Both legs of a delivery are cancelled together, as far as they have not ended. What has
        come to the pad is brought back no farther than there.

        Returns:
            The task; of a leg that is done, the other one.

        Raises:
            NotFound, IllegalMove: it is not there, or has ended.
        """
        old = await self._open_leg(task)
        if old.state is TaskState.CANCELLING:
            return old
        if old.is_watch:
            return await self._watches.cancel(task)
        if old.parts is not None:
            return await self._surveys.cancel(task)
        moved: list[Task] = []
        events: list[Event] = []
        for one in self._whole(old):
            if one.state is TaskState.CANCELLING:
                continue
            state = TaskState.CANCELLING if one.state.begun else TaskState.CANCELLED
            events.append(
                self._book.journal.event("cancel_asked", task=one.id, vehicle=one.vehicle)
            )
            moved.append(self._book.move(one.id, state))
        await self._book.commit(tasks=moved, events=events)
        for new in moved:
            if new.state is TaskState.CANCELLING and new.vehicle is not None:
                self._workers[new.vehicle].abandon(new.id)
        self._planner.poke()
        return moved[0]

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        """Change a task's priority, and that of its other leg; the plan follows.

        Raises:
            NotFound, IllegalMove: it is not there, or has ended.
        """
        old = await self._any_task(task)
        if old.state.ended:
            raise IllegalMove(task, old.state, priority)
        whole = self._whole(old)
        events = [
            self._book.journal.event("priority_changed", task=one.id, priority=priority)
            for one in whole
        ]
        moved = [self._book.move(one.id, priority=priority) for one in whole]
        await self._book.commit(tasks=moved, events=events)
        for one in moved:
            self._planner.reconsider(one.id)
        return moved[0]

    def _whole(self, task: Task) -> list[Task]:
        """An open task, and the other leg of its delivery if that is open, too."""
        other = None if task.leg is None else self._book.find(task.leg.other)
        return [task] if other is None or other.state.ended else [task, other]

    async def _open_leg(self, task: TaskId) -> Task:
        """An open task; the other leg, of one that is done."""
        found = self._book.find(task) or await self._store.task(task)
        if found is not None and found.leg is not None and found.state is TaskState.DONE:
            return await self._any_task(found.leg.other)
        return await self._any_task(task)

    async def _any_task(self, task: TaskId) -> Task:
        """An open task; of an ended one, the error that says so."""
        found = self._book.find(task) or await self._store.task(task)
        if found is None:
            raise NotFound("task", task)
        if found.state.ended:
            raise IllegalMove(task, found.state, "changed")
        return found
