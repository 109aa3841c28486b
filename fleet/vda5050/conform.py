"""A conformance session: one robot is asked, driven and stopped, and each answer is judged.

The robot must be idle and nobody else's for as long as it lasts. It is driven over three nodes
and back; what a robot may refuse for good reasons is told as not tried, not as broken.

Source: VDA 5050 2.1.0, chapters 6.6 (orders), 6.8 (actions), 6.10 (state) and 6.14 (connection).
"""

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import LinkLost
from fleet.mission import Mission, MissionId, Waypoint
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import REFUSALS, ErrorType, in_version_2
from fleet.vda5050.link import Link
from fleet.vda5050.messages import (
    Action,
    ActionState,
    ActionStatus,
    BlockingType,
    ConnectionState,
    State,
)
from fleet.vda5050.orders import Draft, first, update
from fleet.vda5050.view import mode_of
from fleet.vehicle import Mode
from routing.geometry import Point
from routing.site import LevelId, NodeId

STATE_PERIOD_S: Final = 30.0
_ASK_EVERY_S = 2.0


class Answer(StrEnum):
    """What came of one check."""

    HONOURS = "honours"
    BREAKS = "breaks"
    LACKS = "lacks"
    """It does without something that is optional."""
    UNTRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule, and whether the robot honours it."""

    rule: str
    answer: Answer
    took_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What to try.

    Args:
        answer_s: how long the robot may take for an answer.
        drive_s: how long it may take from one node to the next.
        step_m: length of the two steps that it is driven straight on, where there is no route.
        route: where it may be driven, from where it stands: three nodes; None = straight on.
        actions: types of node actions to have done on the spot.
        unplug_s: how long to wait for somebody to cut its power; 0 = the last will is not tried.
    """

    answer_s: float = 10.0
    drive_s: float = 120.0
    drive: bool = True
    step_m: float = 1.0
    route: Callable[[State], Sequence[Waypoint] | None] | None = None
    actions: Sequence[str] = ()
    period: bool = True
    unplug_s: float = 0.0


class NotReady(LinkLost):
    """The robot can't be tried now; the message says what to do."""


class Session:
    """One robot under examination; `run` once."""

    def __init__(self, bus: Bus, config: Vda5050Config, clock: Clock, wishes: Wishes) -> None:
        self._bus, self._config, self._clock, self._wishes = bus, config, clock, wishes
        self._link = Link(bus, config, clock, lambda: None)
        self._findings: list[Finding] = []
        self._said: Callable[[Finding], None] = lambda _: None
        self._era = f"conform-{int(clock.now().timestamp())}"
        self._orders = 0

    def on_finding(self, listener: Callable[[Finding], None]) -> None:
        """Have ``listener`` called with each finding at once."""
        self._said = listener

    async def run(self) -> list[Finding]:
        """Try all that was wished for.

        Raises:
            NotReady: it is silent, busy or not in automatic mode.
        """
        async with self._listening():
            await self._greet()
            await self._try_words()
            if self._wishes.drive:
                await self._try_driving()
            else:
                self._untried("all about orders", "it was not to be driven")
            await self._try_will()
            self._judge_conduct()
        return self._findings

    # --- the wire ---

    @asynccontextmanager
    async def _listening(self) -> AsyncGenerator[None]:
        with ExitStack() as subscriptions:
            for topic, handler in self._link.inbox.topics().items():
                subscriptions.callback(self._bus.subscribe(topic, handler).close)
            yield

    @property
    def _state(self) -> State:
        state = self._link.state
        if state is None:
            raise NotReady(f"nothing is heard of {self._config.serial}")
        return state

    async def _until(
        self, true: Callable[[State], bool], within_s: float, *, ask: bool = True
    ) -> float | None:
        """Wait until a state says something; returns how long it took, None = it never did.

        Args:
            ask: for a state now and then, as not all robots send one at each change.
        """
        began_s = self._link.now_s()
        ends_s, ask_s = began_s + within_s, began_s + _ASK_EVERY_S
        while True:
            rung = self._link.news.rung
            if self._link.state is not None and true(self._link.state):
                return self._link.now_s() - began_s
            now_s = self._link.now_s()
            if now_s >= ends_s:
                return None
            if ask and now_s >= ask_s:
                await self._link.outbox.ask("stateRequest")
                ask_s = now_s + _ASK_EVERY_S
            await self._link.news.wait(rung, min(ends_s, ask_s) if ask else ends_s)

    async def _new_states(self, count: int) -> None:
        for _ in range(count):
            before = self._link.state
            await self._link.outbox.ask("stateRequest")
            await self._until(lambda state, b=before: state is not b, self._wishes.answer_s)

    def _find(
        self, rule: str, honours: bool, *, took_s: float | None = None, note: str = ""
    ) -> bool:
        answer = Answer.HONOURS if honours else Answer.BREAKS
        self._add(Finding(rule=rule, answer=answer, took_s=took_s, note=note))
        return honours

    def _took(self, rule: str, took_s: float | None, note: str = "") -> bool:
        """A finding about something that is to happen in time."""
        note = "" if took_s is not None else note or "not in time"
        return self._find(rule, took_s is not None, took_s=took_s, note=note)

    def _untried(self, rule: str, why: str) -> None:
        self._add(Finding(rule=rule, answer=Answer.UNTRIED, note=why))

    def _add(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._said(finding)

    # --- words ---

    async def _greet(self) -> None:
        await self._link.outbox.ask("stateRequest")
        limit_s = max(self._wishes.answer_s, STATE_PERIOD_S + 5)
        if await self._until(lambda _: True, limit_s) is None:
            raise NotReady(self._silence(limit_s))
        state = self._state
        if mode_of(state) is not Mode.AUTOMATIC:
            mode = state.operating_mode or "not told"
            raise NotReady(f"its operatingMode is {mode}; put it into AUTOMATIC and begin again")
        if state.busy:
            raise NotReady(
                f"it has the order {state.order_id!r} in hand; end or cancel it, and see that no "
                "other master is at work"
            )

    def _silence(self, limit_s: float) -> str:
        config, inbox = self._config, self._link.inbox
        where = config.topic("state")
        said = "; ".join(f"{b.words}: {b.detail}" for b in self._link.conduct.breaches)
        if said:
            return f"no state of it can be used: {said}"
        seen = f"it is {inbox.connection}" if inbox.connection else "nothing on connection either"
        return (
            f"no state on {where} in {limit_s:.0f} s ({seen}); check MANUFACTURER/SERIAL, --prefix "
            "and --version, and the robot's rights at the broker"
        )

    async def _try_words(self) -> None:
        inbox = self._link.inbox
        self._find(
            "connection is ONLINE and retained",
            inbox.connection is ConnectionState.ONLINE,
            note=f"{inbox.connection or 'nothing said'}",
        )
        self._header()
        before = self._state
        await self._link.outbox.ask("stateRequest")
        took_s = await self._until(lambda s: s is not before, self._wishes.answer_s, ask=False)
        self._took("stateRequest brings a state", took_s)
        await self._link.outbox.ask("factsheetRequest")
        took_s = await self._until(lambda _: inbox.factsheet is not None, self._wishes.answer_s)
        sheet = inbox.factsheet
        actions = ", ".join(sorted(sheet.node_actions())) if sheet else ""
        self._find(
            "factsheetRequest brings a factsheet",
            sheet is not None,
            took_s=took_s,
            note=f"node actions: {actions}" if actions else "",
        )
        if not self._wishes.period:
            self._untried(f"a state at least every {STATE_PERIOD_S:.0f} s", "skipped")
            return
        before = self._state
        took_s = await self._until(lambda s: s is not before, STATE_PERIOD_S + 2, ask=False)
        self._took(f"a state at least every {STATE_PERIOD_S:.0f} s", took_s)

    def _header(self) -> None:
        state, config = self._state, self._config
        names = state.manufacturer, state.serial_number
        faults: list[str] = []
        if names != (config.manufacturer, config.serial):
            faults.append(f"names {'/'.join(names)!r}")
        if state.version != config.full_version:
            faults.append(f"version {state.version!r}")
        if not state.timestamp.endswith("Z"):
            faults.append(f"timestamp {state.timestamp!r} is not UTC with Z")
        self._find("its header is right", not faults, note=", ".join(faults))

    # --- driving ---

    async def _try_driving(self) -> None:
        route = self._route()
        if route is None:
            self._untried(
                "all about orders",
                "its place is not known to us; give --site, or have it localised",
            )
            return
        if await self._try_base(route):
            await self._try_update(route)
        await self._idle()
        await self._try_cancel(tuple(reversed(route)))
        await self._idle()
        await self._try_refusals()
        for action in self._wishes.actions:
            await self._idle()
            await self._try_action(action)

    def _route(self) -> Sequence[Waypoint] | None:
        if self._wishes.route is not None:
            return self._wishes.route(self._state)
        here = self._here()
        if here is None:
            return None
        pose = self._state.agv_position
        theta = (pose.theta if pose else None) or 0.0
        dx, dy = _direction(theta)
        step_m = self._wishes.step_m
        steps = [
            replace(
                here,
                node=NodeId(f"conform-{n}"),
                point=Point(here.point.x_m + n * step_m * dx, here.point.y_m + n * step_m * dy),
            )
            for n in (1, 2)
        ]
        return here, *steps

    def _here(self) -> Waypoint | None:
        """Where it stands, as a node."""
        state = self._state
        pose = state.agv_position
        if pose is None or pose.x is None or pose.y is None or not pose.map_id:
            return None
        node = NodeId(state.last_node_id or "conform-0")
        return Waypoint(node=node, level=LevelId(pose.map_id), point=Point(pose.x, pose.y))

    def _mission(self, route: Sequence[Waypoint]) -> Mission:
        self._orders += 1
        return Mission(id=MissionId(f"{self._era}-{self._orders}"), route=tuple(route))

    async def _send(self, draft: Draft) -> float | None:
        """Send an order; how long its echo took, None = there was none."""
        await self._link.outbox.send_order(draft)
        return await self._until(
            lambda s: (s.order_id, s.order_update_id) == (draft.order_id, draft.update_id),
            self._wishes.answer_s,
        )

    async def _try_base(self, route: Sequence[Waypoint]) -> bool:
        """An order of which one step is released; whether all the rest can be tried."""
        self._told = self._mission(route)
        self._draft = draft = first(self._told, route, 2, self._order_config())
        took_s = await self._send(draft)
        refused = self._refusal(self._state)
        if not self._took("takes an order and echoes it", took_s, refused):
            self._untried("updates, pause, base and horizon", "the order was not taken")
            return False
        if took_s is not None and await self._expect_no_error(draft):
            await self._refuses(
                "refuses another order while it has one",
                first(self._mission(route), route, 3, self._order_config()),
                held=draft,
            )
        await self._try_pause()
        return await self._try_horizon(route)

    async def _expect_no_error(self, draft: Draft) -> bool:
        """The same order again is to be borne in silence."""
        before = self._state.errors
        await self._link.outbox.send_order(draft)
        await self._new_states(2)
        new = [e.error_type for e in self._state.errors if e not in before]
        note = f"says {', '.join(new)}" if new else ""
        self._find("bears the same order twice in silence", not new, note=note)
        return self._state.order_id == draft.order_id

    async def _refuses(self, rule: str, draft: Draft, *, held: Draft | None) -> None:
        """An order that a robot must not take: it says so, and keeps what it has."""
        before = self._state.errors
        await self._link.outbox.send_order(draft)
        said = await self._until(
            lambda s: self._new_refusal(s, before) is not None or _holds(s, draft),
            self._wishes.answer_s,
        )
        state = self._state
        if _holds(state, draft):
            self._find(rule, honours=False, note="it took it")
            return
        error = self._new_refusal(state, before)
        kept = held is None or _holds(state, held)
        note = error or "keeps what it has, but reports no error"
        self._find(rule, error is not None and kept, took_s=said, note=note)

    @staticmethod
    def _new_refusal(state: State, before: Sequence[object]) -> str | None:
        return next(
            (e.error_type for e in state.errors if e.error_type in REFUSALS and e not in before),
            None,
        )

    @staticmethod
    def _refusal(state: State) -> str:
        texts = [f"{e.error_type}: {e.error_description or ''}" for e in state.errors]
        return f"it says {'; '.join(texts)}"[:200] if texts else "no echo"

    async def _try_pause(self) -> None:
        await self._link.outbox.ask("startPause")
        took_s = await self._until(lambda s: bool(s.paused) and not s.driving, self._limit_s())
        self._took("startPause: it stands, and says paused", took_s)
        await self._link.outbox.ask("stopPause")
        took_s = await self._until(lambda s: not s.paused, self._wishes.answer_s)
        self._took("stopPause: it goes on", took_s)

    async def _try_horizon(self, route: Sequence[Waypoint]) -> bool:
        end = route[1].node
        gone = route[2].node
        took_s = await self._until(
            lambda s: (_at(s, end, 2) and not s.driving) or _at(s, gone, 4), self._limit_s()
        )
        if not self._took("drives to the end of its base", took_s):
            return False
        await self._until(lambda s: _at(s, gone, 4), 5.0)
        state = self._state
        stays = _at(state, end, 2) and not state.driving
        self._find("stays there, and keeps off its horizon", stays)
        passed = all(n.sequence_id > 2 for n in state.node_states)
        self._find("nodes leave nodeStates when it has passed them", passed)
        asked = bool(state.new_base_request)
        answer = Answer.HONOURS if asked else Answer.LACKS
        self._add(Finding(rule="newBaseRequest at the end of its base", answer=answer))
        return stays

    async def _try_update(self, route: Sequence[Waypoint]) -> None:
        more = update(self._draft, self._told, route, 3, self._order_config())
        if more is None:
            return
        took_s = await self._send(more)
        if not self._took("takes an update", took_s, self._refusal(self._state)):
            return
        await self._refuses("refuses an older update", self._draft, held=more)
        end = route[2].node
        took_s = await self._until(lambda s: _at(s, end, 4) and not s.driving, self._limit_s())
        self._took("drives to the end", took_s)
        await self._new_states(1)
        state = self._state
        self._find(
            "is idle then, and keeps its orderId",
            not state.busy and state.order_id == more.order_id,
            note="it still lists nodes, edges or actions" if state.busy else "",
        )

    async def _try_cancel(self, route: Sequence[Waypoint]) -> None:
        if self._state.busy:
            self._untried("cancelOrder", "it still lists an order")
            return
        lone, told = await self._cancel_nothing()
        failed = lone is not None and lone.action_status == ActionStatus.FAILED
        listed = f"lists it as {lone.action_status}" if lone else "does not list it"
        note = f"{listed}, {'reports' if told else 'does not report'} noOrderToCancel"
        rule = "cancelOrder without an order: FAILED, noOrderToCancel"
        self._find(rule, failed and told, note="" if failed and told else note)
        here = self._here()
        if here is not None and self._wishes.route is None:
            route = (here, *route[1:])
        if self._state.last_node_id != route[0].node:
            self._untried("cancelOrder", f"it is not at {route[0].node}")
            return
        draft = first(self._mission(route), route, len(route), self._order_config())
        if await self._send(draft) is None:
            self._untried("cancelOrder", f"its order was not taken: {self._refusal(self._state)}")
            return
        ended, took_s = await self._act_at_once("cancelOrder", self._limit_s())
        finished = ended is not None and ended.action_status == ActionStatus.FINISHED
        note = "" if finished else f"it says {ended.action_status if ended else 'nothing'}"
        self._find("cancelOrder with an order: FINISHED", finished, took_s=took_s, note=note)
        await self._new_states(1)
        state = self._state
        gone = not state.node_states and not state.edge_states and not state.driving
        self._find("after it, it stands and lists nothing", gone)
        self._find("after it, it keeps its orderId", state.order_id == draft.order_id)

    async def _cancel_nothing(self) -> tuple[ActionState | None, bool]:
        """How an idle robot lists a cancelOrder, and whether it reported noOrderToCancel."""
        action, told = self._link.outbox.instant("cancelOrder"), False

        def answered(state: State) -> bool:
            nonlocal told  # some report it in one state only
            told |= any(
                in_version_2(e.error_type) == ErrorType.NO_ORDER_TO_CANCEL for e in state.errors
            )
            return told and action.action_id in self._link.results

        await self._link.outbox.send_instant(action)
        await self._until(answered, self._wishes.answer_s)
        return self._link.results.get(action.action_id), told

    async def _try_refusals(self) -> None:
        here = self._here()
        if here is None or self._state.busy:
            self._untried("refusals", "it still lists an order, or has no place")
            return
        away = Point(here.point.x_m + 5000.0, here.point.y_m + 5000.0)
        far = [replace(here, node=NodeId(f"conform-far-{n}"), point=away) for n in (1, 2)]
        draft = first(self._mission(far), far, 2, self._order_config())
        await self._refuses("refuses an order that begins far away", draft, held=None)
        await self._idle()

    async def _try_action(self, kind: str) -> None:
        here = self._here()
        if here is None or self._state.busy:
            self._untried(f"action {kind}", "it still lists an order, or has no place")
            return
        mission = self._mission([here])
        id_ = f"{mission.id}.1"
        draft = first(mission, [here], 1, self._order_config())
        action = Action(action_type=kind, action_id=id_, blocking_type=BlockingType.HARD)
        node = draft.nodes[0].model_copy(update={"actions": (action,)})
        await self._link.outbox.send_order(replace(draft, nodes=(node,)))
        took_s = await self._until(lambda _: id_ in self._link.results, self._wishes.drive_s)
        ended = self._link.results.get(id_)
        fine = ended is not None and ended.action_status == ActionStatus.FINISHED
        said = ended.action_status if ended else self._refusal(self._state)
        self._find(f"action {kind}: FINISHED", fine, took_s=took_s, note="" if fine else said)
        await self._new_states(2)
        listed = any(a.action_id == id_ for a in self._state.action_states)
        if ended is not None:
            self._find(f"action {kind}: stays listed once it has ended", listed)

    async def _act_at_once(
        self, kind: str, within_s: float | None = None
    ) -> tuple[ActionState | None, float | None]:
        """Have an instant action done; its end, or its last word, and how long that took."""
        action = self._link.outbox.instant(kind)
        await self._link.outbox.send_instant(action)
        took_s = await self._until(
            lambda _: action.action_id in self._link.results, within_s or self._wishes.answer_s
        )
        ended = self._link.results.get(action.action_id)
        listed = (a for a in self._state.all_actions if a.action_id == action.action_id)
        return ended or next(listed, None), took_s

    async def _idle(self) -> None:
        """See that it has nothing in hand before the next check."""
        if not self._state.busy:
            return
        await self._act_at_once("cancelOrder", self._limit_s())
        await self._until(lambda s: not s.busy and not s.driving, self._wishes.answer_s)

    def _limit_s(self) -> float:
        return self._wishes.drive_s

    def _order_config(self) -> Vda5050Config:
        return self._config.model_copy(update={"horizon_nodes": None})

    # --- the end ---

    async def _try_will(self) -> None:
        rule = "its last will says CONNECTIONBROKEN"
        if not self._wishes.unplug_s:
            self._untried(rule, "give --unplug SECONDS and cut its power meanwhile")
            return
        inbox = self._link.inbox
        took_s = await self._until(
            lambda _: inbox.connection is ConnectionState.CONNECTIONBROKEN,
            self._wishes.unplug_s,
            ask=False,
        )
        self._took(rule, took_s, f"it is {inbox.connection}")

    def _judge_conduct(self) -> None:
        """What was noticed on the way."""
        for breach in self._link.conduct.breaches:
            note = f"{breach.words}, {breach.count} times: {breach.detail}"
            self._find(f"noticed: {breach.rule}", honours=False, note=note)


def _holds(state: State, draft: Draft) -> bool:
    return (state.order_id, state.order_update_id) == (draft.order_id, draft.update_id)


def _at(state: State, node: str, sequence: int) -> bool:
    return state.last_node_id == node and state.last_node_sequence_id == sequence


def _direction(theta: float) -> tuple[float, float]:

    return math.cos(theta), math.sin(theta)
