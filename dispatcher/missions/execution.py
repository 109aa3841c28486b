"""Carrying out: one mission written down, sent, followed to its end, and written down again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import TaskStop
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.missions.handovers import Handovers
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.records.journal import Event
from fleet.errors import LinkError, MissionCancelled, MissionFailed, SafetyStop
from fleet.mission import Clearance, Mission, Outcome
from fleet.vehicle import Vehicle
from routing.refusal import Refusal
from routing.site import NodeId, PlaceId

log = logging.getLogger(__name__)

RightOfWay = Callable[[], AbstractAsyncContextManager[Clearance]]
"""Opens the right to use a mission's route for as long as the block runs."""


REFUGE = "refuge"
"""The purpose of a drive out of people's way."""


class Errand(Protocol):
    """Why a vehicle goes somewhere: what is written down with each of its missions."""

    @property
    def task(self) -> TaskId | None:
        """The task it is for, if it is for one."""
        ...

    @property
    def purpose(self) -> str:
        """One word: ``stop``, ``charge``, ``park`` ..."""
        ...

    @property
    def stop_index(self) -> int:
        """Which of the task's stops; -1 where it has none."""
        ...

    @property
    def rank(self) -> tuple[int, float]:
        """Who goes first: priority class, then since when."""
        ...


class Mover(Protocol):
    """How one vehicle gets about: on roads or through the air."""

    interruptible: bool
    """Whether what it is at may be broken off for work."""

    async def go(self, stop: TaskStop, errand: Errand) -> None:
        """Go to a stop and do its work; raises what `Vehicle.execute` raises, and Unreachable."""
        ...

    async def go_home(self, errand: Errand) -> None:
        """Go to its own place."""
        ...

    async def wait_at(self, node: NodeId, errand: Errand) -> None:
        """Go to another place where it may wait, or to its own, if that can't be now."""
        ...

    async def take_refuge(self, nodes: Sequence[NodeId], errand: Errand) -> bool:
        """Get out of people's way, to one of these nodes; False = it could not for now."""
        ...

    async def charge(self, errand: Errand, wanted: PlaceId | None = None) -> None:
        """Go to a charger, once one is free, and connect; returns when charging has begun.

        Args:
            wanted: the one to take if it is free.
        """
        ...

    @property
    def plugged(self) -> bool:
        """Whether it is connected to a charger, and could be unplugged."""
        ...

    async def unplug(self, errand: Errand) -> None:
        """Leave off charging, and stay."""
        ...

    def keep_charger(self, record: MissionRecord) -> None:
        """At the start of the program: the charger that a former process sent it to is its own."""
        ...

    async def stop(self, *, urgent: bool = False) -> None:
        """Break off what it is at, as soon as it can be; the mission ends as cancelled.

        Args:
            urgent: before it enters a lift, even if it has been told to.
        """
        ...

    async def drop_order(self, errand: Errand) -> None:
        """Stop whatever it is at that we know nothing of."""
        ...

    async def resume(self, record: MissionRecord, errand: Errand) -> None:
        """Go on with the mission that a former process sent, to its end.

        Raises:
            MissionFailed: it could not be followed; the vehicle stands still.
        """
        ...

    @property
    def stand(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        ...

    def take_up_stand(self, home: NodeId) -> NodeId:
        """At the start of the program: where it says that it stands, or else its home."""
        ...

    def free_at(self, stop: TaskStop) -> NodeId:
        """Where it will be after a stop."""
        ...

    @property
    def home(self) -> NodeId:
        """The node of its own place."""
        ...

    def may_charge(self) -> bool:
        """Whether it could charge now without waiting for a charger, which is then its own."""
        ...

    def has_energy_for(self, stops: Sequence[TaskStop]) -> bool:
        """Whether it could make these stops and get to a charger; raises Unreachable."""
        ...

    def turns_at(self, stop: TaskStop) -> NodeId | None:
        """The node from which it can still be led elsewhere than to a stop; None = it can't."""
        ...

    def seconds_to(self, stop: TaskStop) -> float:
        """How long the way takes from where it is; raises Unreachable."""
        ...


class Missions:
    """Sends missions to one vehicle, each on disk before it is on the wire.

    Where a workcell hands over, it is asked first; the vehicle's own work comes after that.
    """

    def __init__(
        self, vehicle: Vehicle, book: TaskBook, alerts: Alerts, handovers: Handovers
    ) -> None:
        self._vehicle = vehicle
        self._book = book
        self._alerts = alerts
        self._handovers = handovers
        self._word = asyncio.Event()
        self.current: tuple[Mission, Clearance] | None = None
        self._begin_listeners: list[Callable[[], None]] = []
        self._unwanted: Mission | None = None
        """To be given up as soon as the vehicle is heard."""
        self._stopping = asyncio.Lock()
        self._stopped: Mission | None = None
        vehicle.watch(self._word.set)

    async def carry_out(
        self, mission: Mission, errand: Errand, right_of_way: RightOfWay
    ) -> Outcome:
        """Write a mission down, then send it and follow it; raises what `execute` raises.

        One for a stop of a task that has been cancelled meanwhile is not sent.
        """
        task = self._book.find(errand.task)
        if task is not None and task.state is TaskState.CANCELLING and errand.stop_index >= 0:
            raise MissionCancelled
        record = self._book.record(
            mission,
            self._vehicle.spec.id,
            task=errand.task,
            purpose=errand.purpose,
            stop_index=errand.stop_index,
        )
        await self._write(record, "mission_sent", goal=mission.route[-1].node)
        return await self.follow(record, right_of_way)

    async def follow(self, record: MissionRecord, right_of_way: RightOfWay) -> Outcome:
        """Follow a mission that is on disk, sent or not, to its end.

        That it was done is written together with what follows from it.
        """
        try:
            async with right_of_way() as clearance:
                self.current = record.mission, clearance
                for listener in self._begin_listeners:
                    listener()
                if await self._handovers.make(record):
                    self._unwanted = None  # too late: what has changed hands is taken along
                outcome = await self._insist(record.mission, clearance)
        except (MissionFailed, SafetyStop) as error:
            kind = "mission_cancelled" if isinstance(error, MissionCancelled) else "mission_failed"
            await self._write(replace(record, state="failed"), kind, reason=error.reason)
            raise
        finally:
            self.current = None
        done = replace(record, state="done")
        self._book.post(missions=[done], events=[self._event(done, "mission_done")])
        return outcome

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a mission is about to be followed."""
        self._begin_listeners.append(listener)

    async def stop(self) -> None:
        """Have the vehicle give up what it is at; if it is not heard, as soon as it is.

        Asked twice for one mission, it says so once: said late, it would mean the next one.
        """
        current = self.current
        self._unwanted = current[0] if current is not None else None
        if self._handovers.break_off(self._vehicle.spec.id):
            return
        async with self._stopping:
            if current is None:
                await self._stop(current)
            elif self.current is current and self._stopped is not current[0]:
                await self._stop(current)
                self._stopped = current[0]

    async def _stop(self, current: tuple[Mission, Clearance] | None) -> None:
        while True:
            try:
                await self._vehicle.cancel()
                return
            except LinkError as error:
                log.warning("can't be stopped: %s", error, extra={"vehicle": self._vehicle.spec.id})
                if self.current is None or self.current is not current:
                    return

    async def give_up(self, record: MissionRecord, reason: Refusal) -> None:
        """A mission that is on disk will not be followed any more."""
        self._handovers.forget(record)
        await self._write(replace(record, state="failed"), "mission_failed", reason=reason)

    async def _insist(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Execute; when only the link fails, wait for it and go on with the same mission."""
        vehicle = self._vehicle.spec.id
        while True:
            try:
                if self._unwanted is mission:
                    await self._vehicle.cancel()
                    raise MissionCancelled
                outcome = await self._vehicle.execute(mission, clearance)
            except LinkError as error:
                log.warning("link lost under way: %s", error, extra={"vehicle": vehicle})
                self._alerts.open("link_lost", Severity.HIGH, vehicle=vehicle)
                await self.until(lambda: self._vehicle.state().online)
                self._alerts.clear("link_lost", vehicle=vehicle)
            else:
                return outcome

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something about the vehicle is true; asked after each of its words."""
        while not true():
            self._word.clear()
            await self._word.wait()

    async def _write(self, record: MissionRecord, event: str, **facts: object) -> None:
        happened = self._event(record, event, **facts)
        await self._book.commit(missions=[record], events=[happened])

    def _event(self, record: MissionRecord, event: str, **facts: object) -> Event:
        return self._book.journal.event(
            event,
            task=record.task,
            vehicle=record.vehicle,
            mission=record.id,
            purpose=record.purpose,
            **facts,
        )
