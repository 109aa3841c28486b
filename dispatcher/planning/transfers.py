"""Deliveries of two legs: the second is planned for the moment when the first one is over.

A robot that makes the second leg sets out so that it stands beside the pad a little before the
drone lands, and takes nothing before the drone has left its goods there. If nobody knows when that
will be, the second leg waits and says why. A drone that makes a second leg takes off once the goods
lie at its pad: it can't wait in the air, and a pad is for one drone at a time.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from dispatcher.domain.stops import Handling, TaskStop, stops_of
from dispatcher.domain.task import (
    LEG_CANCELLED,
    LEG_FAILED,
    Delivery,
    Medicine,
    Task,
    TaskId,
    TaskState,
)
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.records.store import Store
from fleet.clock import Clock
from fleet.vehicle import Medium, VehicleId
from routing.errors import Unreachable
from routing.refusal import Refusal

EARLY_S = 45.0
"""So long before a drone lands its robot is to stand beside the pad."""
LATE_NEWS_S = 30.0
"""An expected landing that moves by less is not worth a word, nor a new plan."""
PATIENCE_S = 180.0
"""A robot waits beside a pad for so long while nobody knows when its drone will come."""
STANDS_S = 600.0
"""Nor does it stand there for longer than this, though the drone's time is known."""
LOOK_S = 5.0
"""How often first legs are looked at, while there are any."""
SAME_S = 60.0
"""Within this time a reason is not told again only because its numbers have changed."""
GOODS_WAIT_S = 300.0
"""Goods that lie at a pad for longer than this are brought to a person's notice."""

GOODS_AT_PAD = "goods_at_pad"
WAITS = "waits_for_leg"
HELD = "other_leg_held"


class Outlook(NamedTuple):
    """When a task will be done, in loop seconds; None = nobody knows, and ``why`` says why."""

    done_s: float | None
    why: Refusal | None = None


class Transfers:
    """Follows the two legs of every delivery that has them.

    Args:
        outlook: when a first leg will be over.
        seconds_to: how long a vehicle would take to a stop from where it stands; Unreachable.
        abandon: has a vehicle break off what it does for a task.
        poke: has the plan made anew.
    """

    def __init__(
        self,
        book: TaskBook,
        store: Store,
        clock: Clock,
        alerts: Alerts,
        handling: Handling,
        *,
        outlook: Callable[[Task], Outlook],
        seconds_to: Callable[[VehicleId, TaskStop], float],
        abandon: Callable[[VehicleId, TaskId], None],
        poke: Callable[[], None],
    ) -> None:
        self._book, self._store, self._clock = book, store, clock
        self._alerts, self._handling = alerts, handling
        self._outlook, self._seconds_to = outlook, seconds_to
        self._abandon, self._poke = abandon, poke
        self._open: dict[TaskId, None] = {}
        """The second legs that have not ended."""
        self._ended: dict[TaskId, Task] = {}
        """The first legs that have, of those."""
        self._unsure_s: dict[TaskId, float] = {}
        """Since when nobody knows when the goods of a second leg will come."""
        self._told: dict[TaskId, tuple[Refusal, float]] = {}
        self._news = asyncio.Event()
        book.on_move(self._moved)

    async def restore(self) -> None:
        """Take up the deliveries that were under way before a restart."""
        for task in self._book.open():
            if task.leg is None or task.leg.number == 1:
                continue
            self._open[task.id] = None
            if self._book.find(task.leg.other) is None:
                first = await self._store.task(task.leg.other)
                if first is not None:
                    self._ended[first.id] = first
        self._news.set()

    def remember(self, at_pads: Mapping[TaskId, str]) -> None:
        """Tell again of goods that lay at a pad before a restart, and nobody will come for."""
        for id_, place in at_pads.items():
            if self._book.find(id_) is None:
                self._alerts.open(GOODS_AT_PAD, Severity.HIGH, task=id_, place=place)

    async def run(self) -> None:
        """Have second legs follow their first ones, until cancelled."""
        while True:
            self._news.clear()
            for id_ in list(self._open):
                await self._look(id_)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._open else None):
                    await self._news.wait()

    # --- what the plan and the vehicles ask ---

    def holds(self, task: Task) -> Refusal | None:
        """Why a leg that nobody has begun is not to be planned now; None = it is."""
        first = self._first_of(task)
        if first is None or first.state is TaskState.DONE:
            return None
        if first.state.ended:
            return _because(LEG_FAILED, first, first.reason)
        done_s, why = self._outlook(first)
        if done_s is None:
            return self._tell(task, first, why)
        return Refusal(WAITS, {"task": first.id}) if _medium(task) is Medium.AIR else None

    def lead_s(self, vehicle: VehicleId, task: Task) -> float:
        """How long before goods can be taken a vehicle sets out, to be there as the drone lands."""
        first = self._first_of(task)
        if first is None or first.state.ended:
            return 0.0
        try:
            travel_s = self._seconds_to(vehicle, stops_of(task, self._handling)[0])
        except Unreachable:
            return 0.0
        return travel_s + stops_of(first, self._handling)[-1].service_s + EARLY_S

    def awaited(self, task: Task) -> bool:
        """Whether a vehicle has to wait for the goods of a second leg."""
        first = self._first_of(task)
        return first is not None and first.state is not TaskState.DONE and task.stops_done == 0

    def why_leave(self, task: Task) -> Refusal | None:
        """Why a robot should wait no longer beside a pad; None = it should."""
        first = self._first_of(task)
        if first is None or first.state.ended:
            return None
        now_s, since_s = self._clock.now_s(), self._unsure_s.get(task.id)
        lost = since_s is not None and now_s > since_s + PATIENCE_S
        done_s, why = self._outlook(first)
        if lost and done_s is None:
            return self._tell(task, first, why)
        late = done_s is not None and done_s > now_s + STANDS_S
        return Refusal(WAITS, {"task": first.id}) if late else None

    # --- second legs follow ---

    async def _look(self, id_: TaskId) -> None:
        task = self._book.find(id_)
        first = None if task is None else self._first_of(task)
        if task is None or first is None or task.state.ended:
            return
        if first.state is TaskState.DONE:
            await self._landed(task, first)
        elif first.state.ended:
            await self._end(task, first)
        elif not task.stops_done and task.state is not TaskState.CANCELLING:
            await self._follow(task, first)

    async def _follow(self, task: Task, first: Task) -> None:
        """Shift a second leg to when the first is expected to be over, and say why if not soon."""
        done_s, why = self._outlook(first)
        now_s = self._clock.now_s()
        if done_s is None:
            self._unsure_s.setdefault(id_ := task.id, now_s)
            reason = self._tell(task, first, why)
            if task.state.begun and now_s > self._unsure_s[id_] + LATE_NEWS_S:
                await self._put(task, reason=reason)
            return
        self._unsure_s.pop(task.id, None)
        self._told.pop(task.id, None)
        changes: dict[str, Any] = {}
        if abs(done_s - task.earliest_s) >= LATE_NEWS_S:
            changes["earliest_s"] = done_s
        if task.state.begun and task.reason is not None and task.reason.code in (WAITS, HELD):
            changes["reason"] = None
        if changes:
            await self._put(task, **changes)
            self._poke()

    async def _put(self, task: Task, **changes: Any) -> None:
        if any(getattr(task, name) != value for name, value in changes.items()):
            await self._book.commit(tasks=[self._book.move(task.id, **changes)])

    async def _landed(self, task: Task, first: Task) -> None:
        """The goods lie at the pad: the second leg may begin at once, and should soon."""
        now_s = self._clock.now_s()
        if task.earliest_s > now_s or (
            task.reason is not None and task.reason.code in (WAITS, HELD)
        ):
            await self._put(task, earliest_s=min(task.earliest_s, now_s), reason=None)
            self._poke()
        if task.stops_done:
            self._alerts.clear(GOODS_AT_PAD, task=task.id)
        elif now_s > (first.ended_s or now_s) + GOODS_WAIT_S:
            self._tell_of_goods(task)

    async def _end(self, task: Task, first: Task) -> None:
        """The first leg has ended without goods at the pad: so does the second, with the reason."""
        if task.state is TaskState.CANCELLING:
            return  # its vehicle is about to
        failed = first.state is TaskState.FAILED
        reason = _because(LEG_FAILED if failed else LEG_CANCELLED, first, first.reason)
        if task.state.begun and task.vehicle is not None:
            event = self._book.journal.event(
                "leg_ended", task=task.id, vehicle=task.vehicle, reason=reason
            )
            new = self._book.move(task.id, TaskState.CANCELLING, reason=reason)
            await self._book.commit(tasks=[new], events=[event])
            self._abandon(task.vehicle, task.id)
            return
        kind = "task_failed" if failed else "task_cancelled"
        event = self._book.journal.event(kind, task=task.id, reason=reason)
        new = self._book.move(task.id, first.state, vehicle=None, reason=reason, eta_s=None)
        await self._book.commit(tasks=[new], events=[event])
        self._poke()

    def _tell_of_goods(self, task: Task) -> None:
        if not self._alerts.is_open(GOODS_AT_PAD, task=task.id):
            place = self._taken_at(task)
            self._alerts.open(GOODS_AT_PAD, Severity.HIGH, task=task.id, place=place)

    def _note_goods(self, task: Task) -> None:
        """Have it known after a restart, too: nothing else of an ended task is looked at then."""
        place = self._taken_at(task)
        event = self._book.journal.event("goods_left_at_pad", task=task.id, place=place)
        self._store.put(events=[event], soon=False)

    def _taken_at(self, task: Task) -> str:
        """Where a second leg takes its goods."""
        return str(stops_of(task, self._handling)[0].place)

    def _tell(self, task: Task, first: Task, why: Refusal | None) -> Refusal:
        """The reason why a second leg waits; told anew now and then, if only numbers change."""
        new, now_s = _because(HELD if why else WAITS, first, why), self._clock.now_s()
        old, told_s = self._told.get(task.id, (new, now_s))
        same = old.code == new.code and old.facts.get("why") == new.facts.get("why")
        if same and now_s < told_s + SAME_S:
            new, now_s = old, told_s
        self._told[task.id] = new, now_s
        return new

    def _first_of(self, task: Task) -> Task | None:
        """The first leg, of a second one."""
        if task.leg is None or task.leg.number == 1:
            return None
        return self._ended.get(task.leg.other) or self._book.find(task.leg.other)

    def _moved(self, task: Task) -> None:
        """Ends are followed at once; what is expected only now and then, or plans would ring."""
        if task.leg is None:
            return
        if task.state.ended or (task.leg.number == 2 and task.id not in self._open):
            self._news.set()
        if task.leg.number == 1:
            if task.state.ended and task.leg.other in self._open:
                self._ended[task.id] = task
            second = self._book.find(task.leg.other)
            if task.state is TaskState.CANCELLED and second is not None and self._at_the_pad(task):
                self._tell_of_goods(second)
        elif not task.state.ended:
            self._open[task.id] = None
        elif task.id in self._open:
            self._forget(task)

    def _forget(self, task: Task) -> None:
        """A second leg has ended; if goods are left at the pad, a person is told."""
        assert task.leg is not None
        first = self._first_of(task)
        if task.state is TaskState.DONE:
            self._alerts.clear(GOODS_AT_PAD, task=task.id)
        elif first is not None and self._at_the_pad(first) and not _stranded(task):
            self._tell_of_goods(task)
            self._note_goods(task)
        del self._open[task.id]
        for known in (self._unsure_s, self._told):
            known.pop(task.id, None)
        self._ended.pop(task.leg.other, None)

    def _at_the_pad(self, first: Task) -> bool:
        """Whether a first leg has left its goods at the pad, even if it was cancelled then."""
        return first.stops_done == len(stops_of(first, self._handling))


def _stranded(task: Task) -> bool:
    """Whether an ended task has left its goods in a vehicle."""
    return task.state is TaskState.FAILED and task.stops_done > 0


def _medium(task: Task) -> Medium | None:
    return task.spec.by if isinstance(task.spec, Delivery | Medicine) else None


def _because(code: str, first: Task, why: Refusal | None) -> Refusal:
    """What the first leg means for the second; its own facts go with it, for the sentence.

    Where one of these is a ``why`` itself, it goes as ``because``.
    """
    if why is None:
        return Refusal(code, {"task": first.id})
    facts = {"because" if name == "why" else name: fact for name, fact in why.facts.items()}
    return Refusal(code, {**facts, "task": first.id, "why": why.code})
