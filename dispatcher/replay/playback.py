"""Plays a run that is over: a moment that moves on, and everything as it was then."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.desks.control_desk import Token
from dispatcher.domain.asked_for import is_whole
from dispatcher.domain.emergencies import Emergency
from dispatcher.domain.incidents import Incident
from dispatcher.domain.road_rules import RoadRule
from dispatcher.domain.task import Delivery, Medicine, Task, TaskId, TaskState
from dispatcher.domain.views import Play, VehicleView
from dispatcher.errors import NotFound
from dispatcher.patrols.watch_views import WatchView
from dispatcher.records.alerts import Alert
from dispatcher.records.feed import Change, Feed, Hub
from dispatcher.records.journal import Event
from dispatcher.records.rows import number_of, places_of
from dispatcher.records.store import Page, TaskQuery
from dispatcher.replay.folder import Run
from dispatcher.replay.history import Scene
from fleet.vehicle import VehicleId

STEP_S = 0.2
"""Wall seconds between two moments that are shown."""
MOST_CHANGES = 300
"""If more has changed from one moment to the next, screens begin anew."""


class Playback:
    """One run, played for all who look: they all see the same moment.

    It satisfies `dispatcher.api.ports.Showing`, so that API and live link show it like the present.

    Args:
        speed: how many times as fast as the wall's clock.
    """

    simulation = True

    def __init__(self, run: Run, *, speed: float = 60.0) -> None:
        self._run, self._history = run, run.history
        about = run.history.about
        self.site = about.site
        self.timezone = about.timezone
        self._shown_s = 0.0
        self.clock = replace(about.clock, now_s=lambda: self._shown_s)
        self._hub = Hub()
        self._playing, self._speed, self._jumps = False, speed, 0
        self._scene: Scene
        self._exact_ms = 0.0
        self._show(0.0)
        self.store = Shelf(self, run.timelines)

    async def run(self) -> None:
        """Let the moment move on while it plays, until cancelled."""
        loop = asyncio.get_running_loop()
        before_s = loop.time()
        while True:
            await asyncio.sleep(STEP_S)
            now_s = loop.time()
            passed_s, before_s = now_s - before_s, now_s
            if self._playing:
                self._go_on(passed_s * self._speed)

    # --- what a person may do ---

    @property
    def speed(self) -> float:
        """How many times as fast as the wall's its clock runs now; 0 = it stands."""
        return self._speed if self._playing else 0.0

    @property
    def play(self) -> Play:
        """How it is played now."""
        to_utc, seconds = self.clock.to_utc, self._history.rows.seconds
        return Play(
            name=self._history.about.name,
            begin=to_utc(seconds(self._history.begin_ms)),
            end=to_utc(seconds(self._history.end_ms)),
            cut=self._history.cut,
            playing=self._playing,
            speed=self._speed,
            jumps=self._jumps,
        )

    def steer(
        self,
        *,
        playing: bool | None = None,
        speed: float | None = None,
        at: datetime | None = None,
    ) -> None:
        """Play or pause, change the speed, go to a moment; None = leave that as it is.

        A moment before the run's first or after its last one counts as that one. To play on from
        the end is to play again from the beginning.
        """
        if at is not None:
            self._show(self._history.rows.ms(self.clock.to_loop(at)))
            self._jumps += 1
        if speed is not None:
            self._speed = speed
        if playing is not None:
            self._playing = playing
        if playing and at is None and self._exact_ms >= self._history.end_ms:
            self._show(0.0)
            self._jumps += 1
        self._hub.tell(Change(anew=True))

    # --- what is shown ---

    def task(self, task: TaskId) -> Task:
        """A task that was there by now. Raises NotFound."""
        if task not in self._scene.tasks:
            raise NotFound("task", task)
        return self._scene.tasks[task]

    def tasks(self) -> list[Task]:
        """All tasks that were there by now, the oldest first."""
        return sorted(self._scene.tasks.values(), key=lambda task: number_of(task.id))

    def open_tasks(self) -> list[Task]:
        """All tasks that had not ended."""
        return [task for task in self._scene.tasks.values() if not task.state.ended]

    def vehicles(self) -> list[VehicleView]:
        """All vehicles as they were."""
        views = (self._vehicle(id_) for id_ in self._history.about.vehicles)
        return [view for view in views if view is not None]

    def alerts(self) -> list[Alert]:
        """All alerts until now, the oldest first."""
        return list(self._scene.alerts.values())

    def road_rules(self) -> list[RoadRule]:
        """None: a recording tells of them by its alerts."""
        return []

    def watches(self) -> list[WatchView]:
        """None: what was planned is not recorded."""
        return []

    def emergencies(self) -> list[Emergency]:
        """None: a recording tells of them by its alerts."""
        return []

    def incidents_shown(self) -> list[Incident]:
        """None: a recording tells of them by its alerts."""
        return []

    def tokens(self) -> list[Token]:
        """None: a recording does not hold who commanded what."""
        return []

    def stopped(self) -> dict[VehicleId, str]:
        """None: a recording tells of it by its alerts."""
        return {}

    def subscribe(self) -> Feed:
        """All changes from now on."""
        return self._hub.subscribe()

    # --- how it moves ---

    def _show(self, at_ms: float) -> None:
        """Jump."""
        self._exact_ms = min(max(at_ms, self._history.begin_ms), self._history.end_ms)
        self._scene = self._history.at(int(self._exact_ms))
        self._tell_time()

    def _go_on(self, by_s: float) -> None:
        end_ms = self._history.end_ms
        self._exact_ms = min(self._exact_ms + by_s * 1000, end_ms)
        changed = self._history.play(self._scene, int(self._exact_ms))
        self._tell_time()
        if self._exact_ms >= end_ms:
            self._playing = False
        if not self._playing or len(changed) > MOST_CHANGES:
            self._hub.tell(Change(anew=True))
            return
        for kind, id_ in changed:
            self._tell(kind, id_)

    def _tell(self, kind: str, id_: str) -> None:
        match kind:
            case "task":
                self._hub.tell(Change(task=self._scene.tasks[TaskId(id_)]))
            case "alert":
                self._hub.tell(Change(alert=self._scene.alerts[id_]))
            case _:
                self._hub.tell(Change(vehicle=self._vehicle(VehicleId(id_))))

    def _tell_time(self) -> None:
        self._shown_s = self._history.rows.seconds(self._exact_ms)

    def _vehicle(self, vehicle: VehicleId) -> VehicleView | None:
        return self._history.vehicle(self._scene, vehicle)


class Shelf:
    """The tasks of a run until the moment that is shown; an `Archive` like the store."""

    def __init__(self, playback: Playback, timelines: Mapping[TaskId, Sequence[Event]]) -> None:
        self._playback, self._timelines = playback, timelines

    async def page(self, query: TaskQuery) -> Page:
        """The newest tasks that match, from the cursor on."""
        fit = [task for task in reversed(self._playback.tasks()) if _fits(task, query)]
        rest = fit
        if query.cursor is not None:
            rest = [task for task in fit if number_of(task.id) < query.cursor]
        shown = rest[: query.limit]
        more = len(rest) > len(shown)
        return Page(
            tasks=tuple(shown),
            next=number_of(shown[-1].id) if more else None,
            total=len(fit),
        )

    async def task(self, task: TaskId) -> Task | None:
        """One task, if it was there by now."""
        return next((each for each in self._playback.tasks() if each.id == task), None)

    async def timeline(self, task: TaskId) -> list[Event]:
        """What had happened to a task by now."""
        now_s = self._playback.clock.now_s()
        return [event for event in self._timelines.get(task, ()) if event.at_s <= now_s]

    async def done_since(self, since_s: float) -> dict[TaskId, bool]:
        """What was done since a moment, and whether each was in time."""
        return {
            task.id: task.ended_s <= task.due_s
            for task in self._playback.tasks()
            if task.state is TaskState.DONE
            and is_whole(task.leg)
            and task.ended_s is not None
            and task.ended_s >= since_s
        }


def _fits(task: Task, query: TaskQuery) -> bool:
    """Whether a query is for this task; the store asks its database the same."""
    item = task.spec.item if isinstance(task.spec, Delivery | Medicine) else ""
    words = "\n".join((task.id, item, task.note, task.requester)).lower()
    return (
        (not query.states or task.state in query.states)
        and (not query.kinds or task.kind in query.kinds)
        and (query.place is None or query.place in places_of(task.spec))
        and (query.vehicle is None or task.vehicle == query.vehicle)
        and query.text.lower() in words
    )
