"""A task that a test has asked for, as it stands whenever it is looked at."""

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from dispatcher.domain.task import Priority, Task, TaskId, TaskState
from dispatcher.errors import NotFound
from dispatcher.records.journal import Event
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from sim.options import WrongUse
from sim.running.scenario import Simulation

T = TypeVar("T")


class Do(Protocol):
    """Runs something in the scenario's loop."""

    def __call__(self, deed: Coroutine[Any, Any, T], /) -> T:
        """Let time pass until ``deed`` ends; returns or raises what it does."""
        ...


class AskedTask:
    """One task, always as it is now; all times are virtual seconds after the scenario's start."""

    def __init__(self, task: TaskId, simulation: Simulation, do: Do) -> None:
        self.id = task
        self._service = simulation.service
        self._do = do

    @property
    def task(self) -> Task:
        """All that the dispatcher knows of it."""
        try:
            return self._service.task(self.id)
        except NotFound:  # it has ended long ago
            found = self._do(self._service.store.task(self.id))
            assert found is not None
            return found

    @property
    def state(self) -> TaskState:
        """``queued``, ``assigned``, ``underway``, ``cancelling``, ``done``, ``failed`` ..."""
        return self.task.state

    @property
    def vehicle(self) -> VehicleId | None:
        """Who has it, or had it."""
        return self.task.vehicle

    @property
    def reason(self) -> Refusal | None:
        """Why it waits, or why it failed."""
        return self.task.reason

    @property
    def ended_s(self) -> float | None:
        """When it was done, failed or was cancelled; None = it is open."""
        return self.task.ended_s

    @property
    def history(self) -> list[Event]:
        """All that happened to it, in its order, as the API's timeline."""
        return self._do(self._service.store.timeline(self.id))

    def cancel(self) -> None:
        """Cancel it, as people do; what is on board is brought back.

        Raises:
            IllegalMove: it has ended.
        """
        __tracebackhide__ = True
        self._do(self._service.task_desk.cancel(self.id))

    def prioritise(self, priority: str) -> None:
        """Change how urgent it is.

        Raises:
            IllegalMove: it has ended.
        """
        __tracebackhide__ = True
        if priority not in list(Priority):
            raise WrongUse(f"there is no priority {priority!r}: write {', '.join(Priority)}")
        self._do(self._service.task_desk.prioritise(self.id, Priority(priority)))

    def __repr__(self) -> str:
        task = self.task
        by = f" by {task.vehicle}" if task.vehicle else ""
        why = f": {task.reason}" if task.reason else ""
        return f"<{task.kind} {self.id} {task.state}{by}{why}>"
