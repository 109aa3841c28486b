"""One robot's wire in both directions, as the workers of the adapter share it."""

import logging
import math
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import LinkLost, LinkTimeout, SafetyStop
from fleet.vda5050.bell import Bell
from fleet.vda5050.conduct import Conduct, Rule
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import ErrorType, in_version_2
from fleet.vda5050.inbox import Inbox
from fleet.vda5050.outbox import Outbox, Repeat
from fleet.vda5050.state_messages import ActionState, RobotError, State
from fleet.vda5050.terms import ENDED, ActionStatus
from routing.refusal import Refusal

log = logging.getLogger(__name__)

_KEPT = 500
_LONGEST = 200
"""Characters of an id that is kept; ours are shorter by far."""
_STATES_OF_AN_IDLER = 3
_LONGEST_PAUSE_S = 30.0
"""A factsheet that asks for more between two orders is not believed."""


class Link:
    """Inbox, outbox, and what must not be forgotten from one state to the next.

    Args:
        changed: called after each new word of the robot.
    """

    def __init__(
        self, bus: Bus, config: Vda5050Config, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self.config = config
        self.now_s = clock.now_s
        self.outbox = Outbox(bus, config, clock)
        self.conduct = Conduct(config.serial, clock.now_s, changed)
        """In what ways the robot departs from the standard, as far as we noticed."""
        self.inbox = Inbox(
            config,
            now_s=clock.now_s,
            now=clock.now,
            heard=self._hear,
            connected=self._connect,
            conduct=self.conduct,
        )
        self.news = Bell()
        """Rings with each new state and each change of the connection."""
        self.connects = Bell()
        """Rings with each message on the connection topic."""
        self.results: dict[str, ActionState] = {}
        """How actions ended, by id; some robots drop that after a state or two."""
        self.carried: dict[str, None] = {}
        """Loads that it has had on board, by id."""
        self.plea = ""
        """The action that a person must see to before the robot can go on; empty = none."""
        self.awaited: frozenset[str] = frozenset()
        """Actions of the mission in hand: how they ended is kept whatever else the robot lists."""
        self.ours: dict[str, None] = {}
        """Orders that we sent or followed of late."""
        self.finished = ""
        """The order that was seen to its end, whatever the robot lists of it still."""
        self._ended_before: tuple[str, frozenset[str]] = "", frozenset()
        self._changed = changed
        self._repeats: list[Repeat] = []

    @property
    def state(self) -> State | None:
        """The robot's latest state."""
        return self.inbox.state

    def order_config(self) -> Vda5050Config:
        """The configuration as this robot can bear it.

        The factsheet's limit stands where we have none of our own. Who has driven beyond its base
        is shown no horizon any more: it can't drive into what it does not know.
        """
        changes: dict[str, object] = {}
        if self.conduct.has(Rule.BEYOND_BASE):
            changes["horizon_nodes"] = 0
        factsheet = self.inbox.factsheet
        limit = factsheet.protocol_limits.max_array_lens.get("order.nodes") if factsheet else None
        if limit is not None and limit >= 2 and self.config.max_order_nodes is None:
            changes["max_order_nodes"] = limit
        return self.config.model_copy(update=changes) if changes else self.config

    def own(self, order: str) -> None:
        """An order is ours."""
        if len(self.ours) >= _KEPT:
            del self.ours[next(iter(self.ours))]
        self.ours[order] = None

    def order_pause_s(self) -> float:
        """How long the robot wants to be left alone between two order messages, in seconds."""
        factsheet = self.inbox.factsheet
        pause_s = factsheet.protocol_limits.timing.min_order_interval if factsheet else 0.0
        return min(max(0.0, pause_s), _LONGEST_PAUSE_S) if math.isfinite(pause_s) else 0.0

    def busy(self, state: State) -> bool:
        """Whether the robot has an order in hand that is not seen to its end yet."""
        return state.order_id != self.finished and state.busy

    def stale_at_s(self) -> float:
        """When its last state will be too old to go by: at this very moment it is."""
        return (self.inbox.heard_at_s or self.now_s()) + self.config.fresh_s

    def odd(self, rule: Rule, detail: str = "") -> None:
        """Note that the robot does something that the standard doesn't allow."""
        self.conduct.note(rule, detail)

    def ask_person(self, action: str) -> None:
        """Have a person see to an action that the robot can't do by itself."""
        self.plea = action
        log.warning("waits for a person: %s", action, extra={"robot": self.config.serial})
        self._changed()

    async def online(self) -> State:
        """Wait for a fresh state.

        Raises:
            LinkLost: there was none for ``patience_s``.
        """
        until_s = self.now_s() + self.config.patience_s
        while True:
            rung = self.news.rung
            if self.inbox.online and self.state is not None:
                return self.state
            if self.now_s() >= until_s:
                raise LinkLost(f"{self.config.serial} is not heard")
            await self.news.wait(rung, until_s)

    async def say(self, repeat: Repeat, message: Callable[[], Awaitable[None]]) -> None:
        """Say a thing for the first time, or again if that is due; else ask for a state, or wait.

        Raises:
            LinkTimeout: it has been said ``resends`` times more, and the robot goes on without it.
        """
        now_s = self.now_s()
        if repeat.attempts and not repeat.due(now_s):
            return
        if repeat.attempts and not repeat.ripe:
            await self.outbox.ask("stateRequest")
            repeat.asked(now_s)
            return
        if repeat.attempts > self.config.resends:
            raise LinkTimeout(f"{self.config.serial} does not take what it is told")
        await message()
        repeat.said(now_s)

    async def stop_order(self, order: str) -> None:
        """Have the robot give up its order; return when it stands still with nothing to do.

        A robot of version 3.0 is told which order is meant.

        Source: VDA 5050 2.1.0, chapter 6.6.3.2, ``cancelOrder``.

        Raises:
            LinkLost: it is not heard any more.
            LinkTimeout: it is heard, but does not answer.
            SafetyStop: it refuses to stop.
        """
        which = {"order_id": order} if self.config.v3 and order else {}
        cancel = self.outbox.instant("cancelOrder", **which)
        repeat = Repeat(self.config.ack_timeout_s)
        with self.repeating(repeat):
            while True:
                rung, state = self.news.rung, await self.online()
                until_s = self.stale_at_s()
                if self._stopped(state, cancel.action_id, repeat):
                    return
                if cancel.action_id not in self._listed(state):
                    try:
                        await self.say(repeat, lambda: self.outbox.send_instant(cancel))
                    except LinkTimeout:
                        self.odd(Rule.IGNORES_CANCEL, state.order_id)
                        raise
                    until_s = min(until_s, repeat.deadline_s)
                await self.news.wait(rung, until_s)

    @contextmanager
    def repeating(self, repeat: Repeat) -> Generator[None]:
        """Count the robot's states for what is to be said."""
        self._repeats.append(repeat)
        try:
            yield
        finally:
            self._repeats.remove(repeat)

    def _listed(self, state: State) -> set[str]:
        return {action.action_id for action in state.all_actions} | self.results.keys()

    def _stopped(self, state: State, cancel_id: str, repeat: Repeat) -> bool:
        """Whether ``state`` says that the robot has given up its order."""
        ended = self.results.get(cancel_id)
        if state.driving:
            return False
        if not self.busy(state):
            return ended is not None or repeat.ripe
        if ended is None:
            return False
        if ended.action_status == ActionStatus.FAILED and state.node_states:
            if any(map(_finds_no_order, state.errors)):
                self.odd(Rule.NEVER_EMPTIES, state.order_id)
                return True
            raise SafetyStop(Refusal("cancel_refused", {"text": ended.result_description or ""}))
        if repeat.states >= _STATES_OF_AN_IDLER:
            self.odd(Rule.KEEPS_CANCELLED, state.order_id)
            return True
        return False

    def _hear(self, state: State) -> None:
        for load in state.loads or ():
            if load.load_id and load.load_id not in self.carried and len(load.load_id) <= _LONGEST:
                if len(self.carried) >= _KEPT:
                    del self.carried[next(iter(self.carried))]
                self.carried[load.load_id] = None
        for action in state.all_actions:
            self._hear_action(action)
        self._compare(state)
        for repeat in self._repeats:
            repeat.heard()
        self.news.ring()
        self._changed()

    def _hear_action(self, action: ActionState) -> None:
        ended = action.action_status in ENDED
        if action.action_id in self.results:
            if not ended and not action.aside:
                self.odd(Rule.REOPENS_ACTION, f"{action.action_id} {action.action_status}")
        elif ended and len(action.action_id) <= _LONGEST:
            if len(self.results) >= _KEPT:
                del self.results[next(r for r in self.results if r not in self.awaited)]
            self.results[action.action_id] = action

    def _compare(self, state: State) -> None:
        """Look whether it has dropped an action that it ended, of an order that it still has."""
        order, before = self._ended_before
        if not before and not state.action_states:
            self._ended_before = state.order_id, before
            return
        own = [action for action in state.action_states if not action.aside]
        gone = before - {a.action_id for a in own} if order == state.order_id else frozenset()
        if gone:
            self.odd(Rule.FORGETS_RESULT, min(gone))
        ended = frozenset(a.action_id for a in own if a.action_status in ENDED)
        self._ended_before = state.order_id, ended

    def _connect(self) -> None:
        self.connects.ring()
        self.news.ring()
        self._changed()


def _finds_no_order(error: RobotError) -> bool:
    return in_version_2(error.error_type) == ErrorType.NO_ORDER_TO_CANCEL
