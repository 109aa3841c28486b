"""Where a robot is tried: what it is told and how long its answers are waited for, and findings."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import LinkLost
from fleet.mission import Mission, MissionId, Waypoint
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.link import Link
from fleet.vda5050.orders import Draft
from fleet.vda5050.state_messages import ActionState, State
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


class Stand:
    """One robot's wire, and what has been found of it so far."""

    def __init__(self, bus: Bus, config: Vda5050Config, clock: Clock, wishes: Wishes) -> None:
        self._bus, self.config, self.wishes = bus, config, wishes
        self.link = Link(bus, config, clock, lambda: None)
        self.findings: list[Finding] = []
        self._said: Callable[[Finding], None] = lambda _: None
        self._era = f"conform-{int(clock.now().timestamp())}"
        self._orders = 0

    def on_finding(self, listener: Callable[[Finding], None]) -> None:
        """Have ``listener`` called with each finding at once."""
        self._said = listener

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Hear the robot meanwhile."""
        with ExitStack() as subscriptions:
            for topic, handler in self.link.inbox.topics().items():
                subscriptions.callback(self._bus.subscribe(topic, handler).close)
            yield

    @property
    def state(self) -> State:
        """Its latest state; NotReady if there is none."""
        state = self.link.state
        if state is None:
            raise NotReady(f"nothing is heard of {self.config.serial}")
        return state

    async def until(
        self, true: Callable[[State], bool], within_s: float, *, ask: bool = True
    ) -> float | None:
        """Wait until a state says something; returns how long it took, None = it never did.

        Args:
            ask: for a state now and then, as not all robots send one at each change.
        """
        began_s = self.link.now_s()
        ends_s, ask_s = began_s + within_s, began_s + _ASK_EVERY_S
        while True:
            rung = self.link.news.rung
            if self.link.state is not None and true(self.link.state):
                return self.link.now_s() - began_s
            now_s = self.link.now_s()
            if now_s >= ends_s:
                return None
            if ask and now_s >= ask_s:
                await self.link.outbox.ask("stateRequest")
                ask_s = now_s + _ASK_EVERY_S
            await self.link.news.wait(rung, min(ends_s, ask_s) if ask else ends_s)

    async def new_states(self, count: int) -> None:
        """Ask for a state, so many times, and wait for each."""
        for _ in range(count):
            before = self.link.state
            await self.link.outbox.ask("stateRequest")
            await self.until(lambda state, b=before: state is not b, self.wishes.answer_s)

    def find(
        self, rule: str, honours: bool, *, took_s: float | None = None, note: str = ""
    ) -> bool:
        """A finding; returns ``honours``."""
        answer = Answer.HONOURS if honours else Answer.BREAKS
        self.add(Finding(rule=rule, answer=answer, took_s=took_s, note=note))
        return honours

    def took(self, rule: str, took_s: float | None, note: str = "") -> bool:
        """A finding about something that is to happen in time."""
        note = "" if took_s is not None else note or "not in time"
        return self.find(rule, took_s is not None, took_s=took_s, note=note)

    def untried(self, rule: str, why: str) -> None:
        """A rule that can't be tried with this robot, or now."""
        self.add(Finding(rule=rule, answer=Answer.UNTRIED, note=why))

    def add(self, finding: Finding) -> None:
        """Keep a finding, and tell it."""
        self.findings.append(finding)
        self._said(finding)

    def here(self) -> Waypoint | None:
        """Where it stands, as a node."""
        state = self.state
        pose = state.agv_position
        if pose is None or pose.x is None or pose.y is None or not pose.map_id:
            return None
        node = NodeId(state.last_node_id or "conform-0")
        return Waypoint(node=node, level=LevelId(pose.map_id), point=Point(pose.x, pose.y))

    def name(self, what: str) -> str:
        """An id that no other session of ours has used."""
        return f"{self._era}-{what}"

    def mission(self, route: Sequence[Waypoint]) -> Mission:
        """A mission without actions, under a new id."""
        self._orders += 1
        return Mission(id=MissionId(self.name(str(self._orders))), route=tuple(route))

    async def send(self, draft: Draft) -> float | None:
        """Send an order; how long its echo took, None = there was none."""
        await self.link.outbox.send_order(draft)
        return await self.until(
            lambda s: (s.order_id, s.order_update_id) == (draft.order_id, draft.update_id),
            self.wishes.answer_s,
        )

    @staticmethod
    def refusal(state: State) -> str:
        """What it says instead of an echo."""
        texts = [f"{e.error_type}: {e.error_description or ''}" for e in state.errors]
        return f"it says {'; '.join(texts)}"[:200] if texts else "no echo"

    async def act_at_once(
        self, kind: str, within_s: float | None = None, **parameters: str
    ) -> tuple[ActionState | None, float | None]:
        """Have an instant action done; its end, or its last word, and how long that took."""
        action = self.link.outbox.instant(kind, **parameters)
        await self.link.outbox.send_instant(action)
        took_s = await self.until(
            lambda _: action.action_id in self.link.results, within_s or self.wishes.answer_s
        )
        ended = self.link.results.get(action.action_id)
        listed = (a for a in self.state.all_actions if a.action_id == action.action_id)
        return ended or next(listed, None), took_s

    async def idle(self) -> None:
        """See that it has nothing in hand before the next check."""
        if not self.state.busy:
            return
        await self.act_at_once("cancelOrder", self.limit_s())
        await self.until(lambda s: not s.busy and not s.driving, self.wishes.answer_s)

    def limit_s(self) -> float:
        """How long a step may take."""
        return self.wishes.drive_s

    def order_config(self) -> Vda5050Config:
        """The configuration for orders that show all of their horizon."""
        return self.config.model_copy(update={"horizon_nodes": None})


def holds(state: State, draft: Draft) -> bool:
    """Whether a robot has an order message."""
    return (state.order_id, state.order_update_id) == (draft.order_id, draft.update_id)


def at(state: State, node: str, sequence: int) -> bool:
    """Whether a robot has come to a node of its order."""
    return state.last_node_id == node and state.last_node_sequence_id == sequence
