"""The live link: one WebSocket for each screen, fed with a snapshot and then with changes.

Positions are packed once a tick for all screens; a screen that is too slow for them gets the
latest only. Everything else is never left out: who can't keep up is disconnected, comes back and
begins with a new snapshot.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from dispatcher.api.control import controls_out
from dispatcher.api.emergencies import EmergencyOut, emergency_out
from dispatcher.api.incidents import IncidentOut, incident_out
from dispatcher.api.ports import Showing
from dispatcher.api.roads import RoadRuleOut, road_rule_out
from dispatcher.api.views import VehicleOut, age_s, alert_out, task_out, vehicle_out
from dispatcher.domain.asked_for import id_of, is_whole
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.domain.views import VehicleView
from dispatcher.records.feed import Change, Overrun
from dispatcher.records.store import TaskQuery

log = logging.getLogger(__name__)

TICK_S = 0.5
"""Wall seconds between two positions."""
EVENTS_WAITING = 1000
POSITIONS_WAITING = 2
TASKS_SHOWN = 200
TRY_AGAIN_LATER = 1013
CLOSE_S = 5.0
_MOVES = {"age_s", "level", "x_m", "y_m", "yaw_rad", "height_agl_m", "charge_ratio", "breaches"}
"""What the positions tell, or what changes all the time; no event for these alone."""


@dataclass(slots=True, eq=False)
class Screen:
    """What waits to be sent to one client, each text without its head."""

    events: deque[str] = field(default_factory=deque[str])
    positions: deque[str] = field(default_factory=lambda: deque[str](maxlen=POSITIONS_WAITING))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    overrun: asyncio.Event = field(default_factory=asyncio.Event)
    anew: bool = True
    """Whether it needs a snapshot first."""
    seq: int = 0

    def put_event(self, text: str) -> None:
        """One more event; too many of them end the connection."""
        if len(self.events) >= EVENTS_WAITING:
            self.overrun.set()
            return
        self.events.append(text)
        self.wake.set()

    def put_position(self, text: str) -> None:
        """The latest positions; what waits too long falls out."""
        self.positions.append(text)
        self.wake.set()

    def begin_anew(self) -> None:
        """All that waits is of no use any more: a snapshot comes instead."""
        self.events.clear()
        self.positions.clear()
        self.anew = True
        self.wake.set()

    def headed(self, kind: str, text: str) -> str:
        """A text with its head: its kind and this client's next number."""
        self.seq += 1
        return f'{{"type":"{kind}","seq":{self.seq},{text}'


class Live:
    """All screens.

    Args:
        timezone: where the site's days begin and end.
        tick_s: loop seconds between two positions.
    """

    def __init__(
        self, service: Showing, *, timezone: str = "UTC", tick_s: float | None = None
    ) -> None:
        self._service = service
        self._tick_s = TICK_S * (service.speed or 1.0) if tick_s is None else tick_s
        self._screens: list[Screen] = []
        self._timezone = timezone
        self._counts = DayCounts(service, ZoneInfo(timezone))
        self._told: dict[str, dict[str, Any]] = {}

    async def run(self) -> None:
        """Pack positions and changes for all screens until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="live.follow")
            group.create_task(self._tick(), name="live.tick")

    async def attend(self, socket: WebSocket) -> None:
        """Serve one screen until it leaves or falls behind; pages of other sites are refused."""
        origin = socket.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
            await socket.close()
            return
        await socket.accept()
        screen = Screen()
        self._screens.append(screen)
        try:
            await _first(self._send(socket, screen), _until_gone(socket), screen.overrun.wait())
            if screen.overrun.is_set():
                log.info("a screen could not keep up and was disconnected")
                async with asyncio.timeout(CLOSE_S):
                    await socket.close(TRY_AGAIN_LATER, "too slow")
        finally:
            self._screens.remove(screen)

    async def _send(self, socket: WebSocket, screen: Screen) -> None:
        try:
            while True:
                while screen.anew or screen.events or screen.positions:
                    if screen.anew:
                        screen.anew = False
                        text = screen.headed("snapshot", await self._snapshot())
                    elif screen.events:
                        text = screen.headed("event", screen.events.popleft())
                    else:
                        text = screen.headed("pos", screen.positions.popleft())
                    await socket.send_text(text)
                await screen.wake.wait()
                screen.wake.clear()
        except WebSocketDisconnect:
            return  # it left while we spoke

    async def _snapshot(self) -> str:
        service, clock = self._service, self._service.clock
        ended = tuple(state for state in TaskState if state.ended)
        room = TASKS_SHOWN - len(service.open_tasks())
        query = TaskQuery(states=ended, limit=max(room, 1))
        latest = (await service.store.page(query)).tasks if room > 0 else ()
        counts = await self._counts.now()
        self._told.clear()  # from here on all is taken at one moment
        shown = {task.id: task for task in (*latest, *service.open_tasks())}
        return _packed(
            now=clock.now(),
            simulation=service.simulation,
            speed=service.speed,
            replay=None if service.play is None else asdict(service.play),
            timezone=self._timezone,
            site={"id": service.site.id, "name": asdict(service.site.name)},
            vehicles=[vehicle_out(view, clock.now_s()) for view in service.vehicles()],
            tasks=[task_out(task, service.site, clock) for task in shown.values()],
            alerts=[alert_out(alert, clock) for alert in service.alerts()],
            road_rules=self._road_rules(),
            emergencies=self._emergencies(),
            incidents=self._incidents(),
            control=controls_out(service),
            counts=counts,
        )

    async def _follow(self) -> None:
        while True:
            feed = self._service.subscribe()
            try:
                async for change in feed:
                    self._counts.note(change.task)
                    if change.anew:
                        self._counts.forget()
                        for screen in self._screens:
                            screen.begin_anew()
                    elif self._screens:
                        await self._tell(change)
            except Overrun:
                log.warning("the live link fell behind; all screens begin anew")
                self._counts.forget()
                for screen in self._screens:
                    screen.overrun.set()
            finally:
                feed.close()

    async def _tell(self, change: Change) -> None:
        service, clock = self._service, self._service.clock
        parts: dict[str, Any] = {}
        if change.task is not None:
            parts["task"] = task_out(change.task, service.site, clock)
        if change.vehicle is not None:
            vehicle = vehicle_out(change.vehicle, clock.now_s())
            if self._is_news(vehicle):
                parts["vehicle"] = vehicle
        if change.alert is not None:
            parts["alert"] = alert_out(change.alert, clock)
        if change.roads:
            parts["road_rules"] = self._road_rules()
            parts["emergencies"] = self._emergencies()
        if change.incidents:
            parts["incidents"] = self._incidents()
            parts["control"] = controls_out(service)
        if parts:
            text = _packed(now=clock.now(), **parts, counts=await self._counts.now())
            for screen in self._screens:
                screen.put_event(text)

    def _road_rules(self) -> list[RoadRuleOut]:
        rules = self._service.road_rules()
        return [road_rule_out(rule, self._service.clock) for rule in rules]

    def _emergencies(self) -> list[EmergencyOut]:
        return [emergency_out(one, self._service.clock) for one in self._service.emergencies()]

    def _incidents(self) -> list[IncidentOut]:
        service = self._service
        shown = service.incidents_shown()
        return [incident_out(one, service.site, service.clock) for one in shown]

    def _is_news(self, vehicle: VehicleOut) -> bool:
        """Whether more has changed than what the positions tell anyway."""
        rest = vehicle.model_dump(exclude=_MOVES)
        if vehicle.charge_ratio is not None:
            rest["percent"] = round(vehicle.charge_ratio * 100)
        rest["rules"] = [breach.rule for breach in vehicle.breaches]
        if self._told.get(vehicle.id) == rest:
            return False
        self._told[vehicle.id] = rest
        return True

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            if self._screens:
                text = self._positions()
                for screen in self._screens:
                    screen.put_position(text)

    def _positions(self) -> str:
        clock = self._service.clock
        now_s = clock.now_s()
        rows = [_position(view, now_s) for view in self._service.vehicles() if view.state.position]
        return _packed(now=clock.now(), v=rows)


class DayCounts:
    """How many tasks are open, were done today, and how many of those in time."""

    def __init__(self, service: Showing, zone: ZoneInfo) -> None:
        self._service = service
        self._zone = zone
        self._since_s: float | None = None
        self._done: dict[TaskId, bool] = {}

    def note(self, task: Task | None) -> None:
        """A task has changed."""
        if task is not None and task.state is TaskState.DONE and is_whole(task.leg):
            self._done[task.id] = (task.ended_s or 0.0) <= task.due_s

    def forget(self) -> None:
        """Changes were missed: count anew."""
        self._since_s = None

    async def now(self) -> Mapping[str, float | None]:
        """The counts as the screens want them."""
        service = self._service
        midnight = datetime.combine(service.clock.now().astimezone(self._zone), time(), self._zone)
        since_s = service.clock.to_loop(midnight)
        if since_s != self._since_s:
            self._since_s = since_s
            self._done.clear()
            self._done |= await service.store.done_since(since_s)
        done, on_time = len(self._done), sum(self._done.values())
        return {
            "open": len({id_of(task) for task in service.open_tasks()}),
            "done_today": done,
            "on_time_ratio": round(on_time / done, 3) if done else None,
        }


def _position(view: VehicleView, now_s: float) -> list[Any]:
    position = view.state.position
    assert position is not None
    return [
        view.spec.id,
        position.level,
        round(position.point.x_m, 2),
        round(position.point.y_m, 2),
        round(position.yaw_rad, 3),
        round(position.height_agl_m, 2),
        age_s(view, now_s),
    ]


def _packed(**parts: Any) -> str:
    """Named values as the rest of a JSON object, without its opening brace."""
    return ",".join(f'"{name}":{_json(value)}' for name, value in parts.items()) + "}"


def _json(value: Any) -> str:
    match value:
        case BaseModel():
            return value.model_dump_json(by_alias=True)
        case [BaseModel(), *_]:
            return f"[{','.join(_json(item) for item in value)}]"
        case datetime():
            return f'"{_moment(value)}"'
        case _:
            return json.dumps(value, separators=(",", ":"), default=_moment)


def _moment(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat(timespec="milliseconds")


async def _until_gone(socket: WebSocket) -> None:
    """Until the other side leaves; what it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Do all of these until one is done, then end the others."""
    tasks = [asyncio.create_task(work, name=f"screen.{work.__name__}") for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
