"""Making one stop of a task: tried again, handed back or given up, as far as is right."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dispatcher.domain.stops import TaskStop, on_board
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.errors import reason_of
from dispatcher.missions.execution import Mover
from dispatcher.missions.handovers import Handovers
from dispatcher.planning.transfers import LOOK_S, Transfers
from dispatcher.records.book import TaskBook
from dispatcher.work.break_off import BreakOff
from dispatcher.work.hand import Hand, stop_trip
from dispatcher.work.retreat import Retreat
from dispatcher.work.standing import Standing
from dispatcher.work.steps import Steps
from fleet.errors import (
    HandoverFailed,
    HandoverUnsure,
    MissionCancelled,
    MissionFailed,
    SafetyStop,
)
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import LiftId

TRIES = 3
"""How often a stop is tried again, once its goods are on board, before a person must look."""
PAUSE_S = 20.0
"""Before it is tried again."""
AT_ONCE_S = 120.0
"""A vehicle that restarts so soon after it was told may do so because of what it was told."""


class StopTries:
    """Has one vehicle make a stop, whatever comes between.

    Args:
        why_drop: why a task of which nothing is on board goes back at once; None = it need not.
        pause: takes `PAUSE_S`, unless the vehicle is called.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        steps: Steps,
        retreat: Retreat,
        standing: Standing,
        break_off: BreakOff,
        handovers: Handovers,
        transfers: Transfers,
        *,
        why_drop: Callable[[], Refusal | None],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._vehicle, self._mover, self._hand, self._book = vehicle, mover, hand, book
        self._steps, self._retreat = steps, retreat
        self._standing, self._break_off = standing, break_off
        self._handovers, self._transfers = handovers, transfers
        self._why_drop, self._pause = why_drop, pause

    async def make(self, id_: TaskId, stop: TaskStop, index: int) -> None:
        """Go there and do it; SafetyStop if a person has to take goods off."""
        tries = 0
        while True:
            task = self._book[id_]
            if task.state is TaskState.CANCELLING:
                if not on_board(task):
                    await self._steps.end_cancelled(task)
                    if await self._holds(id_, stop, index):
                        self._steps.strand(id_, "mission_cancelled")
                        raise SafetyStop(Refusal("goods_stranded", {"task": id_}))
                return  # what is on board is brought back next
            drop = self._why_drop() or self._transfers.why_leave(task)
            if drop is not None and not (on_board(task) or await self._holds(id_, stop, index)):
                await self._steps.hand_back(task, drop)
                return
            await self._retreat.hold(id_, stop)
            if self._retreat.wanted:
                await self._retreat.sit_out()
                continue
            since_s = self._book.now_s()
            try:
                if self._transfers.awaited(task):
                    await self._wait_for_goods(task, stop, index)
                    continue
                await self._mover.go(stop, stop_trip(task, index, since_s))
            except MissionCancelled:
                if self._hand.task != id_:
                    return
                by, stepped = self._break_off.take_turn(), self._break_off.take_step()
                if self._book[id_].state is TaskState.CANCELLING:
                    continue
                drop = self._why_drop()
                given = await self._given(id_, stop, index)
                if drop is not None and not (on_board(task) or given):
                    await self._steps.hand_back(task, drop)
                    return
                if stepped and not (index or given or self._hand.aboard or self._carries_of(stop)):
                    await self._steps.hand_back(task, Refusal("lift_stopped"))
                    return
                if by is None or given:
                    continue
                await self._steps.give_way(task, by)
                return
            except HandoverUnsure as error:
                await self._steps.fail(self._book[id_], error.reason)
                raise
            except (MissionFailed, Unreachable) as error:
                if self._hand.task != id_:
                    return
                if self._book[id_].state is TaskState.CANCELLING:
                    continue
                kept = self._retreat.reason(stop) if isinstance(error, Unreachable) else None
                reason = kept or reason_of(error)
                lasted_s = self._book.now_s() - since_s
                tries += reason.code != "vehicle_restarted" or lasted_s < AT_ONCE_S
                given = await self._given(id_, stop, index)
                holds = on_board(task) or given or self._carries_of(stop)
                if isinstance(error, HandoverFailed) and not holds:
                    await self._steps.fail(task, reason)
                    return
                if not (self._hand.aboard or holds):
                    await self._steps.hand_back(task, reason)
                    self._standing.handed_back(error)
                    await self._pause()
                    return
                not_taken = isinstance(error, HandoverFailed)
                self._steps.strand(id_, "handover_failed" if not_taken else reason.code)
                if tries >= TRIES:
                    await self._steps.fail(task, reason, given=given)
                    return
                await asyncio.sleep(PAUSE_S)
            else:
                if self._hand.task != id_:  # it could not be stopped in time
                    self._steps.strand(id_, "mission_cancelled")
                    raise SafetyStop(Refusal("goods_stranded", {"task": id_}))
                self._standing.made_stop()
                await self._steps.stop_done(id_, stop, index)
                return

    def leave_to_others(self, lift: LiftId) -> None:
        """It is shut in a lift on its way to a first stop: another vehicle may do that task.

        Its own drive for it ends as soon as it is outside.
        """
        hand, task = self._hand, self._book.find(self._hand.task)
        if task is None or hand.stop_index != 0 or hand.aboard:
            return
        if task.state is TaskState.UNDERWAY and self._break_off.step_back():
            self._steps.leave(task, Refusal("shut_in_lift", {"lift": lift}))
            hand.put_down()

    async def _holds(self, id_: TaskId, stop: TaskStop, index: int) -> bool:
        """Whether it has some of what it is to take at a stop."""
        return self._carries_of(stop) or await self._given(id_, stop, index)

    async def _given(self, id_: TaskId, stop: TaskStop, index: int) -> bool:
        """Whether a workcell has handed it what it is to take, though it may not say so."""
        return stop.workcell is not None and await self._handovers.made(id_, index)

    async def _wait_for_goods(self, task: Task, stop: TaskStop, index: int) -> None:
        """Be where the other leg's goods come to, and wait there a little."""
        self._hand.ready_s = max(self._hand.ready_s, task.earliest_s + stop.service_s)
        if self._mover.stand == self._mover.free_at(stop):
            await asyncio.sleep(LOOK_S)
            return
        there = replace(stop, work=(), load_g=0, load_ml=0, workcell=None, handover_s=0.0)
        await self._mover.go(there, stop_trip(task, index, self._book.now_s()))

    def _carries_of(self, stop: TaskStop) -> bool:
        """Whether it has taken part of what it is to take at a stop."""
        loads = {str(work.facts["load_id"]) for work in stop.work if "load_id" in work.facts}
        return not loads.isdisjoint(self._vehicle.state().loads)
