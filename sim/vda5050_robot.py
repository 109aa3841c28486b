"""A simulated robot that speaks VDA 5050 2.0, 2.1 or 3.0: polite, strict, and true to its body.

It does its actions one after the other and standing, whatever their blocking type, drives no
further than its base, and says so in a state at each change and every 30 s.
"""

import asyncio
import logging
import math
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from pydantic.alias_generators import to_snake

from fleet import mission
from fleet.bus import Bus, Will
from fleet.clock import Clock
from fleet.vda5050 import messages as vda
from fleet.vda5050.bell import Bell
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.messages import (
    Action,
    ActionStatus,
    EStop,
    Load,
    OperatingMode,
    Order,
    RobotError,
    State,
)
from fleet.vda5050.orders import ACTION_TYPES
from fleet.vda5050.zone_messages import RESPONSES, ZONE_SET
from routing.geometry import Point
from routing.site import Edge, NodeId, Site
from sim.bodies import GroundBody
from sim.vda5050_at_once import do_at_once
from sim.vda5050_factsheet import STATE_INTERVAL_S
from sim.vda5050_job import INSTANT_KEPT, Job
from sim.vda5050_outlook import SEEN, outlook
from sim.vda5050_rules import about, error, refuse_foreign, refuse_new, refuse_update
from sim.vda5050_senses import Senses
from sim.vda5050_voice import Voice
from sim.vda5050_zones import ZoneBook

log = logging.getLogger(__name__)

_KINDS = {wire: kind for kind, wire in ACTION_TYPES.items()}
_SAME_M = 0.001
_COALESCE_S = 0.02
_INSTANT_KEPT_3 = 200
"""In version 3.0 a master clears them."""
_AWAY = frozenset({OperatingMode.MANUAL, OperatingMode.SERVICE, OperatingMode.TEACHIN})
"""Who comes into one of these modes gives up its order, in version 3.0."""
_AT_WORK = frozenset(
    {OperatingMode.AUTOMATIC, OperatingMode.SEMIAUTOMATIC, OperatingMode.INTERVENED}
)
"""In these modes a robot of version 3.0 takes orders."""
_DURATIONS_S = {"pick": 10.0, "drop": 10.0}
"""Of actions whose master doesn't tell one."""


class Vda5050Robot:
    """The software of one robot, between the bus and its body.

    Args:
        config: the same that its master has: version, names, topics.
    """

    def __init__(
        self, body: GroundBody, bus: Bus, config: Vda5050Config, clock: Clock, site: Site
    ) -> None:
        self.body = body
        self.refuses: dict[str, str] = {}
        """Action types that will fail, each with what the robot says then; a fault sets it. An
        action that may be tried again becomes RETRIABLE instead."""
        self.senses = Senses(body, config)
        self._bus, self._config, self._clock, self._site = bus, config, clock, site
        self._voice = Voice(bus, config, clock)
        self._words = self._voice.words
        self._maps = frozenset(config.maps.get(level, level) for level in site.levels)
        self._job = self._new_job()
        self.zones = ZoneBook(site, config.maps, body.spec.width_m)
        self._gives_up = self._asleep = False
        self._zone_errors: tuple[RobotError, ...] = ()
        self._instant_errors: tuple[RobotError, ...] = ()
        self._set_errors: tuple[RobotError, ...] = ()
        self._mode = OperatingMode.AUTOMATIC
        self._e_stop = EStop.NONE
        self._paused = False
        self._silent = False
        self._down = self._restarted = False
        self._serving: asyncio.Task[None] | None = None
        self._cancels: list[Action] = []
        self._order_errors: tuple[RobotError, ...] = ()
        self._cancel_errors: tuple[RobotError, ...] = ()
        self._work, self._dirty = Bell(), Bell()
        self._built: State | None = None
        self._built_at = -1
        self._factsheets_due = 0

    @property
    def link_down(self) -> bool:
        """Whether its radio is cut: it says and hears nothing, but drives on to its base's end."""
        return self._silent

    @link_down.setter
    def link_down(self, down: bool) -> None:
        self._silent = down
        self._tune()

    @property
    def mode(self) -> OperatingMode:
        """Who is in control; only in AUTOMATIC it drives by itself."""
        return self._mode

    @mode.setter
    def mode(self, mode: OperatingMode) -> None:
        self._mode = mode
        if self._words.v3 and mode in _AWAY:
            self._gives_up = True
        if mode is not OperatingMode.AUTOMATIC:
            self.zones.clear_requests()
        self._changed()

    @property
    def e_stop(self) -> EStop:
        """Its emergency stop; anything but NONE holds the body where it is."""
        return self._e_stop

    @e_stop.setter
    def e_stop(self, kind: EStop) -> None:
        self._e_stop = kind
        if kind is EStop.NONE:
            self.body.repair()
        else:
            self.body.fail("emergency_stop")
        self._changed()

    @property
    def last_will(self) -> Will:
        """What a broker should say when this robot's own connection to it breaks."""
        return self._voice.will

    def go_down(self) -> None:
        """Its software stops, as for a restart: so do its wheels and its work, and it is silent."""
        self._down = self._restarted = True
        if self._serving is not None:
            self._serving.cancel()
        self._tune()

    def come_up(self) -> None:
        """Its software starts. It has forgotten its order, but not where it stands.

        Who was between two nodes first rolls on to the next one, which was its own to drive to,
        and is heard when it stands there.
        """
        self._down = False
        self._work.ring()

    def reboot(self) -> None:
        """Forget the order and all numbers, as after a switch off and on; the body stays."""
        self._job = self._new_job()
        self._cancels.clear()
        self._order_errors = self._cancel_errors = self._instant_errors = self._set_errors = ()
        self._gives_up = self._asleep = False
        self._paused = False
        self._voice.restart()
        self._changed()

    async def run(self) -> None:
        """Listen, work and report until cancelled; then say goodbye."""
        topic = self._config.topic
        with ExitStack() as subscriptions:
            for name, handler in (
                ("order", self._take_order),
                ("instantActions", self._take_instant_actions),
                *(
                    (("zoneSet", self._take_zone_set), ("responses", self._take_responses))
                    if self._words.v3
                    else ()
                ),
            ):
                subscriptions.callback(self._bus.subscribe(topic(name), handler).close)
            self.body.on_change(self._changed)
            try:
                async with asyncio.TaskGroup() as group:
                    name = f"robot[{self.body.spec.id}]"
                    group.create_task(self._live(), name=f"{name}.live")
                    group.create_task(self._report(), name=f"{name}.report")
            finally:
                await self._voice.say_goodbye()

    def _new_job(self) -> Job:
        return Job(self.body.node, _INSTANT_KEPT_3 if self._words.v3 else INSTANT_KEPT)

    def _tune(self) -> None:
        self._voice.down = self._silent or self._down or self._restarted
        self._dirty.ring()

    def _changed(self) -> None:
        if self.body.edge is None and not self._job.active:
            self._job.last_node_id = self.body.node  # a lift may have taken it along
        edge = self._job.edges[0] if self._job.edges else None
        waits = edge is not None and not edge.released and not self.body.driving
        self.body.next_node = NodeId(edge.end_node_id) if edge and waits else None
        if self._words.v3:
            self._look_at_zones()
        self._work.ring()
        self._dirty.ring()

    def _look_at_zones(self) -> None:
        here = self.body.node if self.body.edge is None else None
        held = self._mode is not OperatingMode.AUTOMATIC
        ahead = () if held else tuple(self._job.edges)
        self.zones.look(here, [self._edge(e) for e in ahead if e.start_node_id != e.end_node_id])
        barred = self._barred()
        self._zone_errors = (
            (error(ErrorType3.NODE_UNREACHABLE, barred, nodeId=self._job.nodes[0].node_id),)
            if barred is not None
            else ()
        )

    def _barred(self) -> str | None:
        """Why the next edge, though released, may not be driven by its zones."""
        edge = self._job.next_edge
        if edge is None or self.body.edge is not None or edge.start_node_id == edge.end_node_id:
            return None
        return self.zones.barred(self._edge(edge))

    # orders and instant actions: taken in at once, carried out by `_serve`

    @property
    def _deaf(self) -> bool:
        return self._voice.down or self._asleep

    def _take_order(self, topic: str, payload: bytes) -> None:
        if self._deaf:
            return
        try:
            order = self._words.read_order(payload)
        except ValueError as fault:
            log.info("%s: %s", topic, fault)
            self._order_errors = (error(ErrorType3.VALIDATION_FAILURE, "not a valid order"),)
        else:
            self._consider(order)
        self._changed()

    def _consider(self, order: Order) -> None:
        job = self._job
        same = order.order_id == job.order_id
        if same and order.order_update_id == job.update_id:
            if self._words.v3 and not job.repeats(order):
                text = f"update {job.update_id} was another one"
                self._order_errors = (about(ErrorType3.SAME_ORDER_UPDATE_ID, text, order),)
            return
        refused = self._refuse(order, same) or (
            self._refuse_3(order, same) if self._words.v3 else None
        )
        if refused is not None:
            self._order_errors = (refused,)
            return
        self._order_errors = self._cancel_errors = ()
        self.zones.new_order()
        if same:
            job.extend(order)
            self._roll_on(job)
            return
        if not self._words.v3:
            job.clear_instant()  # only version 3.0 keeps them until it is told otherwise
        job.take(order)

    def _refuse(self, order: Order, same: bool) -> RobotError | None:
        job = self._job
        end = None if self._cancels else job.base_end
        if same:
            return refuse_update(
                order, self._site, self._maps, update_id=job.update_id, last_released=end
            )
        if job.active or self._cancels:
            return refuse_foreign(order, job.order_id)
        stands_at = self.body.node if self.body.edge is None else None
        return refuse_new(order, self._site, self._maps, stands_at=stands_at)

    def _refuse_3(self, order: Order, same: bool) -> RobotError | None:
        if self._mode not in _AT_WORK:
            text = f"is in mode {self._mode}"
            return about(ErrorType3.MOBILE_ROBOT_NOT_AVAILABLE, text, order)
        if not same and order.order_update_id != 0:
            text = f"a new order begins with update 0, not {order.order_update_id}"
            return about(ErrorType3.VALIDATION_FAILURE, text, order)
        for edge in order.edges:
            if edge.released and edge.start_node_id != edge.end_node_id:
                barred = self.zones.barred(self._edge(edge))
                if barred is not None:
                    return about(ErrorType3.NO_ROUTE_TO_TARGET, barred, order)
        return None

    def _take_zone_set(self, topic: str, payload: bytes) -> None:
        if self._deaf:
            return
        try:
            message = ZONE_SET.decode(payload)
        except ValueError as fault:
            log.info("%s: %s", topic, fault)
            return
        refused = self.zones.store(message.zone_set)
        self._set_errors = (refused,) if refused is not None else ()
        self._changed()

    def _take_responses(self, topic: str, payload: bytes) -> None:
        if self._deaf:
            return
        try:
            message = RESPONSES.decode(payload)
        except ValueError as fault:
            log.info("%s: %s", topic, fault)
            return
        self.zones.answer(message.responses)
        self._changed()

    def _take_instant_actions(self, topic: str, payload: bytes) -> None:
        if self._voice.down:
            return
        try:
            message = self._words.read_instant_actions(payload)
        except ValueError as fault:
            log.info("%s: %s", topic, fault)
            text = "not valid instant actions"
            self._order_errors = (error(ErrorType3.VALIDATION_FAILURE, text),)
        else:
            for action in message.actions:
                asleep = self._asleep and action.action_type != "stopHibernation"
                if action.action_id not in self._job.instant and not asleep:
                    self._do_at_once(action)
        self._changed()

    def _do_at_once(self, action: Action) -> None:
        done, text = ActionStatus.FINISHED, None
        self._instant_errors = ()
        match action.action_type:
            case "stateRequest":
                pass
            case "factsheetRequest":
                self._factsheets_due += 1
            case "startPause" | "stopPause":
                self._paused = action.action_type == "startPause"
            case "startCharging" | "stopCharging":
                done, text = self._switch_charger(action.action_type == "startCharging")
            case "cancelOrder" if self._job.active and self._means_ours(action):
                self._cancels.append(action)
                done = ActionStatus.RUNNING
            case "cancelOrder":
                done, text = ActionStatus.FAILED, "no order to cancel"
                self._cancel_errors = (
                    error(ErrorType3.NO_ORDER_TO_CANCEL, text, actionId=action.action_id),
                )
            case "startHibernation" if self._words.v3:
                self._cancels.append(action)
                done = ActionStatus.RUNNING
            case "stopHibernation" if self._words.v3:
                self._asleep = False
            case _:
                known = do_at_once(action, self._job, self.zones) if self._words.v3 else None
                done, text = known or self._unknown(action)
        self._job.note_instant(action, done, text)

    def _means_ours(self, cancel: Action) -> bool:
        order = cancel.parameter("orderId")
        return not self._words.v3 or order in (None, self._job.order_id)

    def _unknown(self, action: Action) -> tuple[ActionStatus, str]:
        text = f"cannot {action.action_type}"
        if self._words.v3:
            kind = ErrorType3.INVALID_INSTANT_ACTION
            self._instant_errors = (error(kind, text, actionId=action.action_id),)
        return ActionStatus.FAILED, text

    def _switch_charger(self, on: bool) -> tuple[ActionStatus, str | None]:
        if not on:
            self.body.disconnect_charger()
        elif not self.body.connect_charger():
            return ActionStatus.FAILED, "no charger here"
        return ActionStatus.FINISHED, None

    # work: one thing at a time

    async def _live(self) -> None:
        """Serve, from one start of the software to the next."""
        while True:
            rung = self._work.rung
            if self._down:
                await self._work.wait(rung)
                continue
            async with asyncio.TaskGroup() as life:
                name = f"robot[{self.body.spec.id}].serve"
                self._serving = life.create_task(self._serve(), name=name)

    async def _start(self) -> None:
        """The software has started: find out where the body stands, and say so."""
        while self.body.riding:
            await self.body.changed.wait()
        if self.body.edge is not None:
            await self.body.drive(self.body.edge, onward=False)
        self._restarted = False
        self.reboot()
        self._tune()

    async def _serve(self) -> None:
        if self._restarted:
            await self._start()
        while True:
            rung, job = self._work.rung, self._job
            if self._cancels or self._gives_up:
                self._finish_cancel()
            elif self._held_up() or job.stumbled is not None:
                await self._work.wait(rung)
            elif job.todo:
                await self._act(job, job.todo.popleft())
            elif job.next_edge is not None and self._may_drive(job.next_edge):
                await self._drive(job)
            else:
                await self._work.wait(rung)

    def _held_up(self) -> bool:
        return self._paused or self._asleep or self._mode is not OperatingMode.AUTOMATIC

    def _may_drive(self, edge: vda.Edge) -> bool:
        """Whether its zones let it."""
        if edge.start_node_id == edge.end_node_id:
            return True
        road = self._edge(edge)
        return self.zones.may_enter(road) and self.zones.barred(road) is None

    def _finish_cancel(self) -> None:
        self._job.cancel()
        self._gives_up = False
        for action in self._cancels:
            self._job.note_instant(action, ActionStatus.FINISHED)
            self._asleep |= action.action_type == "startHibernation"
        self._cancels.clear()
        self._changed()

    async def _drive(self, job: Job) -> None:
        edge = job.next_edge
        if edge is None:
            return
        if edge.start_node_id != edge.end_node_id:
            rolls_on = job.rolls_on and not self._held_up() and self._may_drive(job.edges[1])
            beside = self._beside(job.nodes[0])
            await self.body.drive(self._road(edge), onward=rolls_on, beside=beside)
        if job is self._job:
            job.arrive()
        else:
            self._job.last_node_id = self.body.node
        self._changed()

    def _beside(self, told: vda.Node) -> Point | None:
        """Where it is told to be at a node, if that is not where the node is on its own map."""
        position, own = told.node_position, self._site.nodes[NodeId(told.node_id)].point
        if position is None:
            return None
        point = Point(position.x, position.y)
        return point if point.distance_m(own) > _SAME_M else None

    def _roll_on(self, job: Job) -> None:
        """On its way to what was the end of its base, it need not stop there any more."""
        edge = job.next_edge
        if edge is None or self.body.edge is None or edge.end_node_id != self.body.edge.end:
            return
        if job.rolls_on and not self._held_up() and self._may_drive(job.edges[1]):
            self.body.roll_on()

    def _road(self, told: vda.Edge) -> Edge:
        """The lane that it is told to drive, no faster than it is told; or the one it is on."""
        edge = self._edge(told)
        on = self.body.edge
        if on is not None and (on.start, on.end) == (edge.start, edge.end):
            return on
        own_m_s = edge.lane.speed_limit_m_s or math.inf
        told_m_s = min(told.max_speed or math.inf, self.zones.limit_m_s(edge))
        if told_m_s >= own_m_s:
            return edge
        return replace(edge, lane=replace(edge.lane, speed_limit_m_s=told_m_s))

    def _edge(self, told: vda.Edge) -> Edge:
        return self._site.edge(NodeId(told.start_node_id), NodeId(told.end_node_id))

    async def _act(self, job: Job, action: Action) -> None:
        job.note(action, ActionStatus.INITIALIZING)
        text = self.refuses.get(action.action_type) or self._impossible(action)
        if text is not None and action.retriable and self._words.v3:
            job.note(action, ActionStatus.RETRIABLE, text)
            job.stumbled = action
            job.todo.appendleft(action)
        elif text is not None:
            job.note(action, ActionStatus.FAILED, text)
        else:
            job.note(action, ActionStatus.RUNNING)
            self._changed()
            await self.body.act(_as_mission_action(action))
            job.note(action, ActionStatus.FINISHED)
        self._changed()

    def _impossible(self, action: Action) -> str | None:
        load = action.parameter("loadId")
        if action.action_type == "drop" and load is not None and load not in self.body.loads:
            return f"{load} is not on board"
        if action.action_type == "startCharging" and not self.body.connect_charger():
            return "no charger here"
        return None

    # reports

    async def _report(self) -> None:
        while True:
            rung = self._dirty.rung
            if self._voice.down:
                until_s = self._voice.will_at_s()
                if until_s is not None and self._clock.now_s() >= until_s:
                    await self._voice.say_will()
                    continue
            else:
                await self._say_all()
                until_s = self._clock.now_s() + STATE_INTERVAL_S
                if self._asleep:
                    await self._sleep()
            await self._dirty.wait(rung, until_s)
            if self._dirty.rung > rung:
                await asyncio.sleep(_COALESCE_S)  # what else changes goes into one message

    async def _sleep(self) -> None:
        """Say nothing until woken, or cut off."""
        await self._voice.say_asleep()
        while self._asleep and not self._voice.down:
            await self._dirty.wait(self._dirty.rung)

    async def _say_all(self) -> None:
        await self._voice.say_hello()
        while self._factsheets_due:
            self._factsheets_due -= 1
            await self._voice.say_factsheet(self.body.spec)
        await self._voice.say_state(self._state())

    def _state(self) -> State:
        """What it says now; what only changes when the bell has rung is made once for each ring."""
        fresh: dict[str, Any] = {
            **self._voice.headers.next("state"),
            "agv_position": self.senses.position(),
            "battery_state": self.senses.battery(),
            "errors": self._errors(),
            "safety_state": self.senses.safety(self._e_stop),
            **(self._more() if self._words.v3 else {}),
        }
        if self._built_at == self._dirty.rung and self._built is not None:
            self._built = self._built.model_copy(update=fresh)
        else:
            self._built = self._new_state(fresh)
            self._built_at = self._dirty.rung
        return self._built

    def _new_state(self, fresh: dict[str, Any]) -> State:
        job, body = self._job, self.body
        actions = job.action_states()
        return State(
            **fresh,
            order_id=job.order_id,
            order_update_id=job.update_id,
            last_node_id=job.last_node_id,
            last_node_sequence_id=job.last_sequence_id,
            driving=body.driving,
            paused=self._paused,
            new_base_request=job.wants_base,
            operating_mode=self._mode,
            node_states=job.node_states(),
            edge_states=job.edge_states(),
            loads=tuple(Load(load_id=load) for load in body.loads),
            action_states=actions if self._words.v3 else actions + job.instant_action_states(),
        )

    def _errors(self) -> tuple[RobotError, ...]:
        errors = (
            *self._order_errors,
            *self._cancel_errors,
            *self._instant_errors,
            *self._set_errors,
            *self._zone_errors,
            *self.senses.errors(self._e_stop),
        )
        return tuple(self._words.error(fault) for fault in errors) if errors else ()

    def _more(self) -> dict[str, Any]:
        """What version 3 says besides."""
        return {
            "instant_action_states": self._job.instant_action_states(),
            "zone_sets": self.zones.stored(),
            "zone_requests": self.zones.requests(),
            "edge_requests": (),
            "intermediate_path": self._outlook(),
        }

    def _outlook(self) -> vda.IntermediatePath | None:
        ahead = [e for e in self._job.edges if e.released and e.start_node_id != e.end_node_id]
        roads = [self._road(edge) for edge in ahead[:SEEN]]
        return outlook(self.body, self._site, roads, self._clock.now())


def _as_mission_action(action: Action) -> mission.Action:
    parameters = {p.key: p.value for p in action.action_parameters or ()}
    duration = parameters.pop("duration", None)
    return mission.Action(
        id=action.action_id,
        kind=_KINDS[action.action_type],
        duration_s=float(duration)
        if isinstance(duration, int | float)
        else _DURATIONS_S.get(action.action_type, 0.0),
        facts={
            to_snake(key): value
            for key, value in parameters.items()
            if isinstance(value, str | float)
        },
    )
