"""What becomes of a task under way: each step is on disk before the next thing is done."""

from dispatcher.domain.stops import Handling, TaskStop, on_board, stops_of
from dispatcher.domain.task import LEG_CANCELLED, LEG_FAILED, Task, TaskId, TaskState
from dispatcher.planning.planner import Planner
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.records.journal import Event
from dispatcher.work.hand import Hand
from fleet.errors import SafetyStop
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


class Steps:
    """Moves the tasks that one vehicle has in hand."""

    def __init__(
        self,
        vehicle: VehicleId,
        hand: Hand,
        book: TaskBook,
        planner: Planner,
        alerts: Alerts,
        handling: Handling,
    ) -> None:
        self._vehicle, self._hand, self._handling = vehicle, hand, handling
        self._book, self._planner, self._alerts = book, planner, alerts

    def begin(self, task: Task, index: int) -> None:
        """The vehicle sets out for a stop; that is on disk before its mission is."""
        events = [
            self._book.journal.event("stop_begun", task=task.id, vehicle=self._vehicle, stop=index)
        ]
        if task.state in (TaskState.QUEUED, TaskState.ASSIGNED):
            if task.state is TaskState.QUEUED:
                task = self._book.move(task.id, TaskState.ASSIGNED, vehicle=self._vehicle)
            task = self._book.move(task.id, TaskState.UNDERWAY, vehicle=self._vehicle, reason=None)
        self._book.post(tasks=[task], events=events)

    async def stop_done(self, id_: TaskId, stop: TaskStop, index: int) -> None:
        """A stop has been made; with the last one the task is done."""
        task = self._book[id_]
        last = index + 1 >= len(stops_of(task, self._handling))
        if stop.load_g > 0:
            self._hand.aboard[id_] = None
        if last:
            self._hand.aboard.pop(id_, None)
        event = self._book.journal.event("stop_done", task=id_, vehicle=self._vehicle, stop=index)
        if last and task.state is TaskState.UNDERWAY:
            done = self._book.move(id_, TaskState.DONE, stops_done=index + 1)
            events = [event, self._book.journal.event("task_done", task=id_, vehicle=self._vehicle)]
            self._alerts.clear("goods_stranded", vehicle=self._vehicle, task=id_)
            await self._book.commit(tasks=[done], events=events)
        elif last:
            await self.end_cancelled(self._book.move(id_, stops_done=index + 1), event)
        else:
            await self._book.commit(
                tasks=[self._book.move(id_, stops_done=index + 1)], events=[event]
            )

    async def hand_back(self, task: Task, reason: Refusal) -> None:
        """Nothing is on board: another vehicle may do it."""
        back, event = self._back(task, reason)
        await self._book.commit(tasks=[back], events=[event])

    def leave(self, task: Task, reason: Refusal) -> None:
        """The same while it is still on its way for it: nothing waits for that to be on disk."""
        back, event = self._back(task, reason)
        self._book.post(tasks=[back], events=[event])
        self._planner.poke()

    def _back(self, task: Task, reason: Refusal) -> tuple[Task, Event]:
        event = self._book.journal.event(
            "task_handed_back", task=task.id, vehicle=self._vehicle, reason=reason
        )
        back = self._book.move(task.id, TaskState.QUEUED, vehicle=None, reason=reason, eta_s=None)
        self._planner.plan.withdraw(task.id)
        return back, event

    async def give_way(self, task: Task, by: TaskId) -> None:
        """Nothing is on board, and another task can't wait; or it itself, and another is sooner."""
        if by == task.id:
            await self.hand_back(task, Refusal("another_is_sooner"))
            self._hand.put_down()
            await self._planner.anew(by)
            return
        event = self._book.journal.event(
            "task_preempted", task=task.id, vehicle=self._vehicle, by=by
        )
        reason = Refusal("gave_way", {"by": by})
        back = self._book.move(task.id, TaskState.QUEUED, vehicle=None, reason=reason, eta_s=None)
        self._planner.plan.withdraw(task.id)
        await self._book.commit(tasks=[back], events=[event])
        self._hand.task = self._hand.stop = None
        await self._planner.anew(by)

    def strand(self, task: TaskId, why: str) -> None:
        """Its goods are in a vehicle that does not get on; a person is told."""
        vehicle = self._vehicle
        self._alerts.open("goods_stranded", Severity.HIGH, vehicle=vehicle, task=task, why=why)

    async def fail(self, task: Task, reason: Refusal, *, given: bool = False) -> None:
        """It will not be done; SafetyStop if a person has to take goods off.

        Args:
            given: whether a workcell has put its goods on the vehicle, which has not loaded them.
        """
        event = self._book.journal.event(
            "task_failed", task=task.id, vehicle=self._vehicle, reason=reason
        )
        self._hand.aboard.pop(task.id, None)
        stranded = given or on_board(task)
        failed = self._book.move(task.id, TaskState.FAILED, reason=reason)
        await self._book.commit(tasks=[failed], events=[event])
        if stranded:
            raise SafetyStop(Refusal("goods_stranded", {"task": task.id}))

    async def end_cancelled(self, task: Task, *before: Event) -> None:
        """Nothing is left of a cancelled task; ``before`` is noted with that."""
        state, kind, reason = TaskState.CANCELLED, "task_cancelled", None
        if task.reason is not None and task.reason.code in (LEG_FAILED, LEG_CANCELLED):
            reason = task.reason
            if reason.code == LEG_FAILED:
                state, kind = TaskState.FAILED, "task_failed"
        event = self._book.journal.event(kind, task=task.id, vehicle=self._vehicle)
        ended = self._book.move(task.id, state, reason=reason)
        await self._book.commit(tasks=[ended], events=[*before, event])
