"""The shifts that one desk has given and that have not ended: each move is on disk, then told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from dispatcher.domain.shifts import SHIFT_NEXT, Shift, ShiftState
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.records.book import TaskBook
from dispatcher.records.journal import Event
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


class OnShift(Protocol):
    """One who has a shift, and what its desk knows of that."""

    shift: Shift


T = TypeVar("T", bound=OnShift)


class OpenShifts(Generic[T]):
    """Moves shifts along.

    Args:
        changed: called when another vehicle is free.
        send_home: has one that is under way come home.
    """

    def __init__(
        self, book: TaskBook, changed: Callable[[], None], send_home: Callable[[T], None]
    ) -> None:
        self._book, self._changed, self._send_home = book, changed, send_home
        self.by_vehicle: dict[VehicleId, T] = {}
        self._left_over: list[Shift] = []

    # --- after a restart ---

    def restore(
        self,
        shifts: Sequence[Shift],
        in_hand: Mapping[VehicleId, TaskId | None],
        take_up: Callable[[Shift], T | None],
    ) -> None:
        """Take up the shifts that vehicles are still at; the others are lost.

        Args:
            in_hand: the vehicles that are still on a mission of a shift, and the shift's task.
            take_up: None = there is no such vehicle.
        """
        for shift in shifts:
            one = take_up(shift) if in_hand.get(shift.vehicle) == shift.task else None
            if one is not None:
                self.by_vehicle[shift.vehicle] = one
            else:
                self._left_over.append(shift)

    async def lose_left_over(self) -> None:
        """Write down what a restart has ended."""
        for shift in self._left_over:
            lost = replace(shift, state=ShiftState.LOST, ended_s=self._book.now_s())
            await self._book.commit(shifts=[lost], events=[self.event("shift_ended", lost)])
        self._left_over.clear()

    # --- moves ---

    async def move(
        self,
        one: T,
        state: ShiftState,
        *,
        why: Refusal | None = None,
        tasks: Sequence[Task] = (),
        **changes: Any,
    ) -> None:
        """Move one shift, and tasks with it."""
        shift, ended = one.shift, not SHIFT_NEXT[state]
        if state not in SHIFT_NEXT[shift.state]:
            raise ValueError(f"{shift.id} can't go from {shift.state} to {state}")
        if ended:
            changes["ended_s"] = self._book.now_s()
        one.shift = replace(shift, state=state, **changes)
        event = self.event(f"shift_{'ended' if ended else state.value}", one.shift, reason=why)
        await self._book.commit(tasks=tasks, shifts=[one.shift], events=[event])

    async def call_off(self, one: T, why: Refusal | None = None) -> None:
        """Have a vehicle come home; one that has not set out yet is free at once."""
        if one.shift.state.ended:
            return
        if one.shift.state is ShiftState.GIVEN:
            await self.move(one, ShiftState.DONE, why=why)
            self.by_vehicle.pop(one.shift.vehicle, None)
            self._changed()
        else:
            await self.move(one, ShiftState.LEAVING, why=why)
            self._send_home(one)

    async def call_all_off(self, task: TaskId) -> None:
        """Have all come home who are at a task."""
        for one in list(self.by_vehicle.values()):
            if one.shift.task == task and one.shift.state.counts:
                await self.call_off(one)

    async def conclude(self, task: TaskId) -> None:
        """A task that is being cancelled is over when the last one is home."""
        found = self._book.find(task)
        if found is None or found.state is not TaskState.CANCELLING:
            return
        if not any(one.shift.task == task for one in self.by_vehicle.values()):
            event = self._book.journal.event("task_cancelled", task=task)
            ended = self._book.move(task, TaskState.CANCELLED, reason=None)
            await self._book.commit(tasks=[ended], events=[event])

    def event(self, kind: str, shift: Shift, **facts: Any) -> Event:
        """Something that happens to a shift."""
        return self._book.journal.event(
            kind, task=shift.task, vehicle=shift.vehicle, shift=shift.id, **facts
        )
