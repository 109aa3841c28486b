"""Going on after a restart: one vehicle may be anywhere along what a former process sent it."""

import logging
from collections.abc import Callable

from dispatcher.domain.incidents import IncidentId
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.shifts import SHIFT
from dispatcher.domain.stops import Handling, TaskStop, on_board, stops_of
from dispatcher.domain.task import Task, TaskState
from dispatcher.domain.views import Activity
from dispatcher.errors import reason_of
from dispatcher.missions.execution import Missions, Mover
from dispatcher.missions.help_flights import incident_of
from dispatcher.planning.planner import Planner
from dispatcher.records.book import TaskBook
from dispatcher.work.break_off import BreakOff
from dispatcher.work.hand import Hand, Trip, idle_trip
from dispatcher.work.rest import Rest
from dispatcher.work.shift_work import ShiftWork
from dispatcher.work.standing import Standing
from dispatcher.work.steps import Steps
from fleet.errors import HandoverFailed, HandoverUnsure, MissionFailed
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class Recovery:
    """Takes up one vehicle's work where the store says that it was left.

    Args:
        tell_ended: is told of the flights to incidents that end here, and why if not well.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        planner: Planner,
        handling: Handling,
        steps: Steps,
        missions: Missions,
        shifts: ShiftWork,
        standing: Standing,
        break_off: BreakOff,
        rest: Rest,
        tell_ended: Callable[[IncidentId, Refusal | None], None],
    ) -> None:
        self._vehicle, self._mover, self._hand, self._book = vehicle, mover, hand, book
        self._missions, self._planner, self._handling = missions, planner, handling
        self._steps, self._shifts, self._standing = steps, shifts, standing
        self._break_off, self._rest, self._tell_ended = break_off, rest, tell_ended
        self._unfinished: MissionRecord | None = None
        """What a former process sent and saw no end of."""

    @property
    def pending(self) -> bool:
        """Whether it may still hold something of a former process, or that nobody follows."""
        return self._unfinished is not None or self._standing.unsure

    def take_stock(self, unfinished: MissionRecord | None) -> None:
        """At the start of the program, before anything moves: what it has, and what is kept."""
        vehicle = self._vehicle.spec.id
        for task in self._book.open():
            if task.vehicle == vehicle and task.state.begun and on_board(task):
                self._hand.aboard[task.id] = None
        self._unfinished = unfinished
        if unfinished is not None:
            self._mover.keep_charger(unfinished)
            self._rest.keep_post(unfinished)

    async def settle(self) -> None:
        """Bring to an end what it is at that no part of the program has begun."""
        if self._unfinished is not None:
            record, self._unfinished = self._unfinished, None
            self._standing.unsure = False
            await self._go_on(record)
        if self._standing.unsure:
            await self._drop_what_it_holds()

    async def _drop_what_it_holds(self) -> None:
        if self._vehicle.state().mission is not None:
            await self._mover.drop_order(idle_trip("drop", self._book.now_s()))
        self._standing.unsure = False

    async def _go_on(self, record: MissionRecord) -> None:
        """Go on where a former process was killed."""
        if record.purpose == SHIFT:
            await self._shifts.resume(record)
            return
        task = self._book.find(record.task) if record.task else None
        if task is not None and record.stop_index >= 0 and self._left(task):
            await self._missions.give_up(record, task.reason or Refusal("mission_cancelled"))
            await self._mover.drop_order(idle_trip("drop", self._book.now_s()))
            return
        index = record.stop_index if task is not None and task.state.begun else -1
        self._hand.activity = Activity.WORKING if index >= 0 else Activity.RETURNING
        errand = Trip(
            purpose=record.purpose,
            rank=(0, self._book.now_s()),
            task=record.task,
            stop_index=record.stop_index,
        )
        stop = None
        if task is not None and index >= 0:
            stop = stops_of(task, self._handling)[index]
            self._hand.take_up(task.id, stop, index)
            if task.state is TaskState.CANCELLING:
                self._break_off.abandon(task.id)
        try:
            await self._mover.resume(record, errand)
            if task is not None and stop is not None and self._makes(record, stop):
                await self._steps.stop_done(task.id, stop, index)
            elif stop is not None:
                await self._plan_again()
        except HandoverUnsure as error:
            if task is not None and self._book[task.id].state.begun:
                await self._steps.fail(self._book[task.id], error.reason)
            raise
        except (MissionFailed, Unreachable) as error:
            await self._give_up(record, task, stop, error)
        finally:
            self._hand.put_down()
            self._planner.poke()
            if helped := incident_of(record.mission):
                self._tell_ended(helped[0], None)

    def _left(self, task: Task) -> bool:
        """Whether a task has been left to others while it was on its way for it."""
        begun = task.state.begun and task.vehicle == self._vehicle.spec.id
        return not (begun or task.state.ended)

    async def _give_up(
        self,
        record: MissionRecord,
        task: Task | None,
        stop: TaskStop | None,
        error: MissionFailed | Unreachable,
    ) -> None:
        vehicle = self._vehicle.spec.id
        log.warning("could not go on with %s: %s", record.id, error, extra={"vehicle": vehicle})
        await self._missions.give_up(record, reason_of(error))
        by = self._break_off.take_turn()
        underway = task is not None and self._book[task.id].state is TaskState.UNDERWAY
        not_handed = isinstance(error, HandoverFailed) and task is not None and not on_board(task)
        if task is not None and underway and not_handed:
            await self._steps.fail(self._book[task.id], reason_of(error))
        elif by and task is not None and underway:
            await self._steps.give_way(task, by)
        elif stop is not None:
            await self._plan_again()

    async def _plan_again(self) -> None:
        """The stop at hand was not made: what was planned to come after it must not come first."""
        id_ = self._hand.task
        self._hand.put_down()
        if id_ is not None:
            await self._planner.anew(id_)

    def _makes(self, record: MissionRecord, stop: TaskStop) -> bool:
        """Whether a mission was the one that makes a stop, not one on the way to it."""
        route, wanted = record.mission.route, [work.kind for work in stop.work]
        done = [action.kind for action in record.mission.actions]
        there = route[-1].node == self._mover.free_at(stop)
        return there and done == wanted and (not stop.round_trip or route[0].node == route[-1].node)
