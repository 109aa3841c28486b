"""One mission on its way: said as orders, followed by states, ended with an outcome or a reason."""

import asyncio
import logging
import math
from dataclasses import replace

from fleet.errors import (
    LinkTimeout,
    MissionCancelled,
    MissionFailed,
    MissionNotTaken,
    SafetyStop,
)
from fleet.mission import Action, Clearance, Mission, Outcome
from fleet.vda5050.conduct import Rule
from fleet.vda5050.error_types import REFUSALS, ErrorType, in_version_2, one_spelling
from fleet.vda5050.link import Link
from fleet.vda5050.orders import Draft, first, held, index_of, update
from fleet.vda5050.outbox import Repeat
from fleet.vda5050.retries import Retries
from fleet.vda5050.settled import settled
from fleet.vda5050.start import widened
from fleet.vda5050.state_messages import RobotError, State
from fleet.vda5050.terms import ActionStatus, ErrorLevel, EStop
from fleet.vda5050.view import e_stop_of, mode_of
from fleet.vehicle import Mode
from routing.refusal import Refusal
from routing.site import NodeId

log = logging.getLogger(__name__)

_SURE_STATES = 3


class Follower:
    """Gives one mission to a robot, message by message, and watches it to its end.

    At most one message is under way: the next update waits for the state that echoes the last.
    """

    def __init__(self, link: Link, mission: Mission, clearance: Clearance) -> None:
        self._link, self._mission, self._clearance = link, mission, clearance
        self._told = mission
        """The mission without what is settled already: what orders are made of."""
        self._settled: frozenset[str] = frozenset()
        self._held: Draft | None = None
        self._sent: Draft | None = None
        self._all_said: tuple[object, ...] = ()
        """What there was to say when the last message, if any, said it all."""
        self._repeat = Repeat(link.config.ack_timeout_s)
        self._retries = Retries(link)
        self._errors_before: tuple[RobotError, ...] = ()
        self._judged: State | None = None
        self._end_doubts = 0
        self._drop_doubts = 0
        self._horizon_seen = False
        self._action_ids = frozenset(action.id for action in mission.actions)
        self._known_errors: tuple[RobotError, ...] = ()
        self._critical_since_s: float | None = None
        self._resent = False
        self._said_at_s = -math.inf
        self._work_since_s: float | None = None
        self._works_on: str | None = None
        self.stopping = False
        """A cancel is under way: say no more, blame nothing."""
        self.stopped = False

    @property
    def clearance(self) -> Clearance:
        """How far it may go."""
        return self._clearance

    @property
    def order(self) -> str:
        """The order of ours that the robot has or may have; empty = none was sent."""
        said = self._sent or self._held
        return said.order_id if said is not None else ""

    @property
    def longest_action_s(self) -> float:
        """How long the longest of the mission's actions should take, in seconds."""
        return max((action.duration_s for action in self._mission.actions), default=0.0)

    async def run(self) -> Outcome:
        """See `fleet.vehicle.Vehicle.execute`."""
        self._link.own(self._mission.id)
        await self._take_up()
        self._link.news.ring()  # what it asks for can be answered now
        self._link.awaited = frozenset(action.id for action in self._mission.actions)
        try:
            with (
                self._link.repeating(self._repeat),
                self._retries.listening(),
                self._clearance.telling(self._link.news.ring),
            ):
                outcome = await self._follow()
            self._link.finished = self._mission.id
            return outcome
        finally:
            self._retries.close()

    async def _take_up(self) -> None:
        """Find out whether the robot holds this very order, or another that it must give up."""
        state = await self._link.online()
        foreign = state.order_id != self._mission.id
        if foreign and self._link.busy(state):
            await self._free(state)
            state = await self._link.online()
        self._settle(state)
        self._known_errors = state.errors
        if foreign:
            return
        self._held = held(self._mission, self._clearance.route, state)
        if self._held is None:
            raise MissionFailed(Refusal("order_differs", {"order": state.order_id}))
        log.info("follows %s, which the robot holds already", self._mission.id)
        wants_more = self._held.stops < len(self._clearance.route)
        if wants_more and not state.busy and self._link.config.horizon_nodes != 0:
            raise MissionFailed(Refusal("order_dropped", {"order": state.order_id}))

    def _settle(self, state: State) -> None:
        self._settled = settled(self._mission, state, self._link.carried)
        todo = tuple(a for a in self._mission.actions if a.id not in self._settled)
        self._told = replace(self._mission, actions=todo)

    async def _free(self, state: State) -> None:
        """Have the robot give up an order of which nobody knows any more."""
        log.info("gives up %s for %s", state.order_id, self._mission.id)
        try:
            async with asyncio.timeout(self._link.config.patience_s):
                await self._link.stop_order(state.order_id)
        except TimeoutError:
            raise MissionFailed(Refusal("vehicle_busy", {"order": state.order_id})) from None

    async def _follow(self) -> Outcome:
        while True:
            state = await self._link.online()
            outcome = self._judge(state)
            if outcome is not None:
                return outcome
            rung = self._link.news.rung
            until_s = min(
                self._link.stale_at_s(), self._work_deadline_s(), self._recovery_deadline_s()
            )
            if not self.stopping and mode_of(state) is not Mode.MANUAL:
                until_s = min(until_s, await self._speak(state))
                until_s = min(until_s, await self._retries.speak(state, self._action_ids))
            await self._link.news.wait(rung, until_s)

    async def _speak(self, state: State) -> float:
        """Say what is to be said now; returns when to look again at the latest."""
        if self._sent is None:
            self._sent = self._next()
            if self._sent is None:
                return math.inf
            self._errors_before = state.errors
            self._repeat.restart()
        draft, pause_s = self._sent, self._link.order_pause_s()
        if not self._repeat.attempts and self._link.now_s() < self._said_at_s + pause_s:
            return self._said_at_s + pause_s
        try:
            await self._link.say(self._repeat, lambda: self._send(draft))
        except LinkTimeout:
            self._link.odd(Rule.IGNORES_ORDERS, f"{draft.order_id}, update {draft.update_id}")
            raise self._not_taken(
                state, Refusal("order_ignored", {"order": draft.order_id})
            ) from None
        return self._repeat.deadline_s

    async def _send(self, draft: Draft) -> None:
        self._said_at_s = self._link.now_s()
        await self._link.outbox.send_order(draft)

    def _next(self) -> Draft | None:
        clearance, link = self._clearance, self._link
        made_of = clearance.version, link.conduct.notes, link.inbox.factsheet
        if self._held is not None and made_of == self._all_said:
            return None
        route, released, config = clearance.route, clearance.released, link.order_config()
        if self._held is None:
            draft = first(self._told, route, released, widened(config, route[0], link.inbox.pose))
        else:
            draft = update(self._held, self._told, route, released, config)
        cut = draft is not None and config.max_order_nodes is not None
        self._all_said = () if cut else made_of
        return draft

    def _judge(self, state: State) -> Outcome | None:
        """What the latest state means for the mission."""
        fresh, self._judged = state is not self._judged, state
        self._confirm(state)
        if self._held is not None and state.order_id == self._mission.id:
            self._progress(state, self._held)
            if self._done(state, self._held, fresh):
                return self._outcome()
        if self.stopped:
            raise MissionCancelled
        if not self.stopping:
            self._blame(state, fresh)
        return None

    def _confirm(self, state: State) -> None:
        sent = self._sent
        if (
            sent is not None
            and state.order_id == sent.order_id
            and state.order_update_id >= sent.update_id
        ):
            self._held, self._sent = sent, None
            self._resent = self._repeat.attempts > 1
        if self._resent and any(
            in_version_2(error.error_type) == ErrorType.ORDER_UPDATE
            and error not in self._errors_before
            for error in state.errors
        ):
            self._resent = False
            self._link.odd(Rule.REFUSES_REPEAT, state.order_id)

    def _progress(self, state: State, order: Draft) -> None:
        route, passed = self._clearance.route, self._clearance.passed
        if not self._horizon_seen:
            self._horizon_seen = any(not node.released for node in state.node_states)
        index = index_of(order, route, state)
        if index is None and state.last_node_id:
            names = [waypoint.node for waypoint in route[passed : order.released]]
            if state.last_node_id not in names:
                return
            self._link.odd(
                Rule.WRONG_COUNT, f"{state.last_node_sequence_id} at {state.last_node_id}"
            )
            index = passed + names.index(state.last_node_id)  # pyright: ignore[reportArgumentType]
        if index is None:
            return
        if index >= order.released and index >= self._clearance.released:
            self._link.odd(Rule.BEYOND_BASE, f"{state.last_node_id} in {state.order_id}")
        self._clearance.reached(index)

    def _done(self, state: State, order: Draft, fresh: bool) -> bool:
        at_end = self._clearance.passed == len(self._clearance.route) - 1
        if not (at_end and order.complete and self._sent is None) or state.driving:
            self._works_on = None
            return False
        todo = self._first_unfinished()
        if todo is not None:
            self._watch_work(todo, state)
            return False
        if self._first_failed() is not None:
            return False
        if not state.busy:
            return True
        self._end_doubts += fresh
        if self._end_doubts < _SURE_STATES:
            return False
        self._link.odd(Rule.NEVER_EMPTIES, state.order_id)
        return True

    def _first_unfinished(self) -> Action | None:
        done, settled = self._link.results, self._settled
        todo = (a for a in self._mission.actions if a.id not in done and a.id not in settled)
        return next(todo, None)

    def _first_failed(self) -> Action | None:
        results = self._link.results
        return next(
            (
                action
                for action in self._mission.actions
                if action.id in results and results[action.id].action_status == ActionStatus.FAILED
            ),
            None,
        )

    def _watch_work(self, action: Action, state: State) -> None:
        """Note since when ``action`` could be under way; an interruption starts the time anew."""
        held_up = (
            mode_of(state) is not Mode.AUTOMATIC
            or e_stop_of(state) != EStop.NONE
            or _waits_for_word(state)
        )
        if self._works_on != action.id or held_up or state.paused:
            self._works_on, self._work_since_s = action.id, self._link.now_s()

    def _work_deadline_s(self) -> float:
        if self._works_on is None or self._work_since_s is None:
            return math.inf
        action = next(a for a in self._mission.actions if a.id == self._works_on)
        return self._work_since_s + 2 * action.duration_s + self._link.config.action_grace_s

    def _blame(self, state: State, fresh: bool) -> None:
        """Raise if ``state`` means that the mission will not be finished."""
        if self._link.inbox.doubled:
            raise SafetyStop(Refusal("two_robots", {"robot": self._link.config.serial}))
        e_stop = e_stop_of(state)
        if e_stop not in (EStop.NONE, EStop.AUTOACK):
            raise SafetyStop(Refusal("emergency_stop", {"by": e_stop}))
        if self._sent is not None:
            self._blame_refusal(state, self._sent)
        if self._held is None:
            return
        if state.order_id != self._mission.id:
            code = "order_replaced" if state.order_id else "vehicle_restarted"
            if state.order_id:
                self._link.odd(Rule.FOREIGN_ORDER, f"{state.order_id} for {self._mission.id}")
            raise MissionFailed(Refusal(code, {"order": state.order_id}))
        self._blame_actions()
        self._blame_critical(state)
        self._blame_dropped(state, self._held, fresh)
        if self._link.now_s() >= self._work_deadline_s():
            if all(a.action_id != self._works_on for a in state.action_states):
                self._link.odd(Rule.HIDES_ACTION, self._works_on or "")
            raise MissionFailed(Refusal("action_timeout", {"action": self._works_on or ""}))

    def _blame_refusal(self, state: State, sent: Draft) -> None:
        for error in state.errors:
            ours = error.about("orderId") in (None, sent.order_id)
            if (
                in_version_2(error.error_type) == ErrorType.ORDER_UPDATE
                and self._repeat.attempts > 1
            ):
                continue  # some take what is sent again for an error; the echo may be under way
            if error.error_type in REFUSALS and ours and error not in self._errors_before:
                facts = {"error": error.error_type, "text": error.error_description or ""}
                raise self._not_taken(state, Refusal("order_refused", facts))

    def _not_taken(self, state: State, reason: Refusal) -> MissionFailed:
        """The error for an order without an echo: it may be one that was never begun."""
        stands = not state.driving and state.last_node_id == self._mission.route[0].node
        begun = self._held is not None or not stands or state.order_id == self._mission.id
        return MissionFailed(reason) if begun else MissionNotTaken(reason)

    def _blame_actions(self) -> None:
        failed = self._first_failed()
        if failed is not None:
            text = self._link.results[failed.id].result_description or ""
            facts = {"action": failed.kind.value, "text": text}
            raise MissionFailed(Refusal("action_failed", facts))

    def _blame_critical(self, state: State) -> None:
        """It says that it can't go on with this order, and has had time to think again."""
        if not state.errors:
            self._critical_since_s = None
            return
        found = (e for e in state.errors if e.error_level == ErrorLevel.CRITICAL)
        error = next((error for error in found if error not in self._known_errors), None)
        if error is None or state.driving or _waits_for_word(state):
            self._critical_since_s = None
        elif self._critical_since_s is None:
            self._critical_since_s = self._link.now_s()
        elif self._link.now_s() >= self._recovery_deadline_s():
            facts = {"error": one_spelling(error.error_type), "text": error.error_description or ""}
            raise MissionFailed(Refusal("cannot_go_on", facts))

    def _recovery_deadline_s(self) -> float:
        if self._critical_since_s is None:
            return math.inf
        return self._critical_since_s + self._link.config.recover_s

    def _blame_dropped(self, state: State, order: Draft, fresh: bool) -> None:
        """Somebody has ended the order at the robot itself: nothing is left, short of its end."""
        short = state.last_node_sequence_id < 2 * (order.released - 1)
        lost = short or (self._horizon_seen and order.horizon)
        if state.busy or state.driving or not lost or self._sent is not None:
            self._drop_doubts = 0
            return
        self._drop_doubts += fresh
        if self._drop_doubts >= _SURE_STATES:
            raise MissionFailed(Refusal("order_dropped", {"order": state.order_id}))

    def catch_up(self) -> None:
        """Take in how far it has come since it failed: told to stop, it drives on to a node."""
        state, order, clearance = self._link.state, self._held, self._clearance
        if state is None or order is None:
            return
        if state.order_id == self._mission.id:
            self._progress(state, order)
        told = [w.node for w in clearance.route[clearance.passed : clearance.released]]
        if state.last_node_id in told:  # it may have forgotten the order
            clearance.reached(clearance.passed + told.index(NodeId(state.last_node_id)))

    def late_outcome(self) -> Outcome | None:
        """What came of it if the robot has done all its actions by now; None = it has not.

        A mission without actions is never done late: nothing could be lost or taken twice by it.
        """
        if self._link.state is not None:
            self._settle(self._link.state)
        if not self._mission.actions or self._first_unfinished() or self._first_failed():
            return None
        return self._outcome()

    def _outcome(self) -> Outcome:
        known = self._link.results
        ended = (known[action.id] for action in self._mission.actions if action.id in known)
        told = {action.action_id: action.result_description for action in ended}
        return Outcome(
            mission=self._mission.id,
            finished_at_s=self._link.now_s(),
            results={action: text for action, text in told.items() if text},
        )


def _waits_for_word(state: State) -> bool:
    """Whether it waits to be told what to do about an action that has failed."""
    return any(one.action_status == ActionStatus.RETRIABLE for one in state.action_states)
