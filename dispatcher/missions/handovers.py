"""Handovers at workcells: each on disk before it is asked for, and once for each stop."""

import logging
from dataclasses import dataclass

from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import Handling, TaskStop, bring_back, stops_of
from dispatcher.domain.task import Delivery, Medicine, Task, TaskId, TaskState
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.records.journal import Event
from fleet.errors import HandoverFailed, HandoverUnsure, MissionCancelled
from fleet.mission import ActionKind
from fleet.vehicle import VehicleId
from fleet.workcell import Goods
from fleet.workcells import Workcells
from routing.refusal import Refusal
from routing.site import WorkcellId

log = logging.getLogger(__name__)

ASKED, DONE = "handover_asked", "handover_done"
CODES = ("workcell_failed", "workcell_silent", "workcell_too_slow", "workcell_unsure")
"""Alerts that are over once a workcell has handed over again."""
OUT = "workcell_out_of_service"


@dataclass(slots=True)
class _Current:
    """One handover that goes on."""

    workcell: WorkcellId
    handover: str
    off: bool = False


class Handovers:
    """Has workcells hand over what vehicles have come for.

    A handover bears the id of the mission with the vehicle's own work, which comes after it. So
    it is on disk before anybody is asked, and whoever goes on with that mission joins it.
    """

    def __init__(
        self, workcells: Workcells, book: TaskBook, alerts: Alerts, handling: Handling
    ) -> None:
        self._workcells, self._book = workcells, book
        self._alerts, self._handling = alerts, handling
        self._current: dict[VehicleId, _Current] = {}
        workcells.on_service(self._heard)

    async def make(self, record: MissionRecord) -> bool:
        """Return when a workcell has handed over what a mission is about; False = none has to.

        Raises:
            HandoverFailed, HandoverUnsure, MissionCancelled: as `Workcells.hand_over`.
        """
        task, stop = self._wanted(record)
        if task is None or stop is None or stop.workcell is None:
            return False
        current = _Current(stop.workcell, record.id)
        current.off = task.state is TaskState.CANCELLING and record.stop_index >= 0
        self._current[record.vehicle] = current
        try:
            past = await self._past(task.id, record.stop_index)
            if all(event.kind != DONE for event in past):
                await self._make(record, task, stop, current, past)
        finally:
            del self._current[record.vehicle]
        return True

    async def _make(
        self,
        record: MissionRecord,
        task: Task,
        stop: TaskStop,
        current: _Current,
        past: list[Event],
    ) -> None:
        if all(event.facts["handover"] != record.id for event in past):
            if current.off:
                raise MissionCancelled
            await self._note(ASKED, record, current, way=stop.way.value)
        goods, session = _goods(task, stop), record.vehicle
        try:
            await self._workcells.hand_over(
                current.workcell, record.id, session, stop.way, goods, wanted=not current.off
            )
        except (HandoverFailed, HandoverUnsure) as error:
            await self._note("handover_failed", record, current, reason=error.reason)
            severity = Severity.CRITICAL if isinstance(error, HandoverUnsure) else Severity.HIGH
            text = str(error.reason.facts.get("text", ""))
            self._alerts.open(
                error.reason.code, severity, workcell=current.workcell, text=text, stopped=task.id
            )
            self._workcells.acknowledge(current.workcell, record.id, session)
            raise
        except MissionCancelled:
            await self._note("handover_called_off", record, current)
            self._workcells.acknowledge(current.workcell, record.id, session)
            raise
        await self._note(DONE, record, current, way=stop.way.value)
        for code in CODES:
            self._alerts.clear(code, thing=current.workcell)
        self._workcells.acknowledge(current.workcell, record.id, session)

    def break_off(self, vehicle: VehicleId) -> bool:
        """Call off the handover that a vehicle stands for; False = there is none."""
        current = self._current.get(vehicle)
        if current is not None:
            current.off = True
            self._workcells.break_off(current.workcell, current.handover)
        return current is not None

    def forget(self, record: MissionRecord) -> None:
        """A mission of a former process will not be gone on with."""
        self._workcells.forget(record.id)

    async def made(self, task: TaskId, index: int) -> bool:
        """Whether the workcell of a stop has handed over, so that it must not do so again."""
        return any(event.kind == DONE for event in await self._past(task, index))

    # --- what is told ---

    def waits_for(self, vehicle: VehicleId) -> Refusal | None:
        """Which workcell a vehicle waits for; None = none, or it is at work."""
        current = self._current.get(vehicle)
        if current is None or self._workcells.works_at(current.workcell, current.handover):
            return None
        waits = Refusal("waits_for_workcell", {"workcell": current.workcell})
        return self._workcells.why_not(current.workcell) or waits

    def holds(self, task: Task) -> Refusal | None:
        """Why a task that nobody has begun must wait: a workcell of it is out of service."""
        if not self._handling.workcells:
            return None
        for stop in stops_of(task, self._handling):
            why = None if stop.workcell is None else self._workcells.why_not(stop.workcell)
            if why is not None and why.code == OUT:
                return why
        return None

    def _heard(self, workcell: WorkcellId, serves: bool) -> None:
        if not serves:
            self._alerts.open("workcell_out_of_service", Severity.HIGH, workcell=workcell)
            return
        for code in (OUT, *CODES):
            self._alerts.clear(code, thing=workcell)

    # --- what is written down ---

    def _wanted(self, record: MissionRecord) -> tuple[Task | None, TaskStop | None]:
        """The task and stop that a mission is for, if it is the loading or unloading there."""
        task, mission = self._book.find(record.task), record.mission
        kinds = {action.kind for action in mission.actions}
        handles = len(mission.route) == 1 and bool(kinds & {ActionKind.LOAD, ActionKind.UNLOAD})
        if not self._handling.workcells or task is None or not handles:
            return None, None
        if record.stop_index < 0:
            return task, bring_back(task, self._handling)
        return task, stops_of(task, self._handling)[record.stop_index]

    async def _past(self, task: TaskId, index: int) -> list[Event]:
        """What has been noted of handovers for one stop of a task."""
        events = await self._book.store.timeline(task)
        return [
            event
            for event in events
            if event.kind.startswith("handover_") and event.facts.get("stop") == index
        ]

    async def _note(
        self, kind: str, record: MissionRecord, current: _Current, **facts: object
    ) -> None:
        event = self._book.journal.event(
            kind,
            task=record.task,
            vehicle=record.vehicle,
            workcell=current.workcell,
            handover=current.handover,
            stop=record.stop_index,
            **facts,
        )
        await self._book.commit(events=[event])


def _goods(task: Task, stop: TaskStop) -> Goods:
    spec = task.spec
    loads = tuple(str(work.facts["load_id"]) for work in stop.work)
    kinds = [str(work.facts["load_type"]) for work in stop.work]
    return Goods(
        what=spec.item if isinstance(spec, Delivery | Medicine) else "",
        kind=kinds[0] if kinds else "",
        loads=loads,
        mass_kg=abs(stop.load_g) / 1000,
        volume_l=abs(stop.load_ml) / 1000,
    )
