"""A conformance session: one robot is asked, driven and stopped, and each answer is judged.

The robot must be idle and nobody else's for as long as it lasts. It is driven over three nodes
and back; what a robot may refuse for good reasons is told as not tried, not as broken.

Source: VDA 5050 2.1.0, chapters 6.6 (orders), 6.8 (actions), 6.10 (state) and 6.14 (connection).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from fleet.mission import Waypoint
from fleet.vda5050.conform_stand import (
    STATE_PERIOD_S,
    Answer,
    Finding,
    NotReady,
    Stand,
    Wishes,
    at,
    holds,
)
from fleet.vda5050.conform_zones import try_release, try_zone_sets
from fleet.vda5050.error_types import REFUSALS, ErrorType, in_version_2
from fleet.vda5050.order_messages import Action
from fleet.vda5050.orders import Draft, first, update
from fleet.vda5050.state_messages import ActionState, State
from fleet.vda5050.terms import ActionStatus, BlockingType, ConnectionState
from fleet.vda5050.view import mode_of
from fleet.vehicle import Mode
from routing.geometry import Point
from routing.site import NodeId

__all__ = ["Answer", "Finding", "NotReady", "Session", "Wishes"]


class Session(Stand):
    """One robot under examination; `run` once."""

    async def run(self) -> list[Finding]:
        """Try all that was wished for.

        Raises:
            NotReady: it is silent, busy or not in automatic mode.
        """
        async with self.listening():
            await self._greet()
            await self._try_words()
            if self.config.v3:
                await self._try_words_of_3()
            if self.wishes.drive:
                await self._try_driving()
            else:
                self.untried("all about orders", "it was not to be driven")
            await self._try_will()
            self._judge_conduct()
        return self.findings

    # --- words ---

    async def _greet(self) -> None:
        await self.link.outbox.ask("stateRequest")
        limit_s = max(self.wishes.answer_s, STATE_PERIOD_S + 5)
        if await self.until(lambda _: True, limit_s) is None:
            raise NotReady(self._silence(limit_s))
        state = self.state
        if mode_of(state) is not Mode.AUTOMATIC:
            mode = state.operating_mode or "not told"
            raise NotReady(f"its operatingMode is {mode}; put it into AUTOMATIC and begin again")
        if state.busy:
            raise NotReady(
                f"it has the order {state.order_id!r} in hand; end or cancel it, and see that no "
                "other master is at work"
            )

    def _silence(self, limit_s: float) -> str:
        config, inbox = self.config, self.link.inbox
        where = config.topic("state")
        said = "; ".join(f"{b.words}: {b.detail}" for b in self.link.conduct.breaches)
        if said:
            return f"no state of it can be used: {said}"
        seen = f"it is {inbox.connection}" if inbox.connection else "nothing on connection either"
        return (
            f"no state on {where} in {limit_s:.0f} s ({seen}); check MANUFACTURER/SERIAL, --prefix "
            "and --version, and the robot's rights at the broker"
        )

    async def _try_words(self) -> None:
        inbox = self.link.inbox
        self.find(
            "connection is ONLINE and retained",
            inbox.connection is ConnectionState.ONLINE,
            note=f"{inbox.connection or 'nothing said'}",
        )
        self._header()
        before = self.state
        await self.link.outbox.ask("stateRequest")
        took_s = await self.until(lambda s: s is not before, self.wishes.answer_s, ask=False)
        self.took("stateRequest brings a state", took_s)
        await self.link.outbox.ask("factsheetRequest")
        took_s = await self.until(lambda _: inbox.factsheet is not None, self.wishes.answer_s)
        sheet = inbox.factsheet
        actions = ", ".join(sorted(sheet.node_actions())) if sheet else ""
        self.find(
            "factsheetRequest brings a factsheet",
            sheet is not None,
            took_s=took_s,
            note=f"node actions: {actions}" if actions else "",
        )
        if not self.wishes.period:
            self.untried(f"a state at least every {STATE_PERIOD_S:.0f} s", "skipped")
            return
        before = self.state
        took_s = await self.until(lambda s: s is not before, STATE_PERIOD_S + 2, ask=False)
        self.took(f"a state at least every {STATE_PERIOD_S:.0f} s", took_s)

    def _header(self) -> None:
        state, config = self.state, self.config
        names = state.manufacturer, state.serial_number
        faults: list[str] = []
        if names != (config.manufacturer, config.serial):
            faults.append(f"names {'/'.join(names)!r}")
        if state.version != config.full_version:
            faults.append(f"version {state.version!r}")
        if not state.timestamp.endswith("Z"):
            faults.append(f"timestamp {state.timestamp!r} is not UTC with Z")
        self.find("its header is right", not faults, note=", ".join(faults))

    async def _try_words_of_3(self) -> None:
        ended, took_s = await self.act_at_once("stateRequest")
        apart = any(a is ended or a == ended for a in self.state.instant_action_states or ())
        note = "" if apart else f"it lists {ended}" if ended else "it is not listed"
        self.find("instant actions stand in instantActionStates", apart, took_s=took_s, note=note)
        await self.act_at_once("clearInstantActions")
        kept = [a for a in self.state.instant_action_states or () if ended and a == ended]
        self.find(
            "clearInstantActions clears those that have ended", ended is not None and not kept
        )
        await try_zone_sets(self)

    # --- driving ---

    async def _try_driving(self) -> None:
        route = self._route()
        if route is None:
            self.untried(
                "all about orders",
                "its place is not known to us; give --site, or have it localised",
            )
            return
        if await self._try_base(route):
            await self._try_update(route)
        await self.idle()
        await self._try_cancel(tuple(reversed(route)))
        await self.idle()
        await self._try_refusals()
        if self.config.v3:
            await self.idle()
            await try_release(self, self._route())
        for action in self.wishes.actions:
            await self.idle()
            await self._try_action(action)

    def _route(self) -> Sequence[Waypoint] | None:
        if self.wishes.route is not None:
            return self.wishes.route(self.state)
        here = self.here()
        if here is None:
            return None
        pose = self.state.agv_position
        theta = (pose.theta if pose else None) or 0.0
        dx, dy = _direction(theta)
        step_m = self.wishes.step_m
        steps = [
            replace(
                here,
                node=NodeId(f"conform-{n}"),
                point=Point(here.point.x_m + n * step_m * dx, here.point.y_m + n * step_m * dy),
            )
            for n in (1, 2)
        ]
        return here, *steps

    async def _try_base(self, route: Sequence[Waypoint]) -> bool:
        """An order of which one step is released; whether all the rest can be tried."""
        self._told = self.mission(route)
        self._draft = draft = first(self._told, route, 2, self.order_config())
        took_s = await self.send(draft)
        refused = self.refusal(self.state)
        if not self.took("takes an order and echoes it", took_s, refused):
            self.untried("updates, pause, base and horizon", "the order was not taken")
            return False
        if took_s is not None and await self._expect_no_error(draft):
            await self._refuses(
                "refuses another order while it has one",
                first(self.mission(route), route, 3, self.order_config()),
                held=draft,
            )
        await self._try_pause()
        return await self._try_horizon(route)

    async def _expect_no_error(self, draft: Draft) -> bool:
        """The same order again is to be borne in silence."""
        before = self.state.errors
        await self.link.outbox.send_order(draft)
        await self.new_states(2)
        new = [e.error_type for e in self.state.errors if e not in before]
        note = f"says {', '.join(new)}" if new else ""
        self.find("bears the same order twice in silence", not new, note=note)
        return self.state.order_id == draft.order_id

    async def _refuses(self, rule: str, draft: Draft, *, held: Draft | None) -> None:
        """An order that a robot must not take: it says so, and keeps what it has."""
        before = self.state.errors
        await self.link.outbox.send_order(draft)
        said = await self.until(
            lambda s: self._new_refusal(s, before) is not None or holds(s, draft),
            self.wishes.answer_s,
        )
        state = self.state
        if holds(state, draft):
            self.find(rule, honours=False, note="it took it")
            return
        error = self._new_refusal(state, before)
        kept = held is None or holds(state, held)
        note = error or "keeps what it has, but reports no error"
        self.find(rule, error is not None and kept, took_s=said, note=note)

    @staticmethod
    def _new_refusal(state: State, before: Sequence[object]) -> str | None:
        return next(
            (e.error_type for e in state.errors if e.error_type in REFUSALS and e not in before),
            None,
        )

    async def _try_pause(self) -> None:
        await self.link.outbox.ask("startPause")
        took_s = await self.until(lambda s: bool(s.paused) and not s.driving, self.limit_s())
        self.took("startPause: it stands, and says paused", took_s)
        await self.link.outbox.ask("stopPause")
        took_s = await self.until(lambda s: not s.paused, self.wishes.answer_s)
        self.took("stopPause: it goes on", took_s)

    async def _try_horizon(self, route: Sequence[Waypoint]) -> bool:
        end = route[1].node
        gone = route[2].node
        took_s = await self.until(
            lambda s: (at(s, end, 2) and not s.driving) or at(s, gone, 4), self.limit_s()
        )
        if not self.took("drives to the end of its base", took_s):
            return False
        await self.until(lambda s: at(s, gone, 4), 5.0)
        state = self.state
        stays = at(state, end, 2) and not state.driving
        self.find("stays there, and keeps off its horizon", stays)
        passed = all(n.sequence_id > 2 for n in state.node_states)
        self.find("nodes leave nodeStates when it has passed them", passed)
        asked = bool(state.new_base_request)
        answer = Answer.HONOURS if asked else Answer.LACKS
        self.add(Finding(rule="newBaseRequest at the end of its base", answer=answer))
        return stays

    async def _try_update(self, route: Sequence[Waypoint]) -> None:
        more = update(self._draft, self._told, route, 3, self.order_config())
        if more is None:
            return
        took_s = await self.send(more)
        if not self.took("takes an update", took_s, self.refusal(self.state)):
            return
        await self._refuses("refuses an older update", self._draft, held=more)
        end = route[2].node
        took_s = await self.until(lambda s: at(s, end, 4) and not s.driving, self.limit_s())
        self.took("drives to the end", took_s)
        await self.new_states(1)
        state = self.state
        self.find(
            "is idle then, and keeps its orderId",
            not state.busy and state.order_id == more.order_id,
            note="it still lists nodes, edges or actions" if state.busy else "",
        )

    async def _try_cancel(self, route: Sequence[Waypoint]) -> None:
        if self.state.busy:
            self.untried("cancelOrder", "it still lists an order")
            return
        lone, told = await self._cancel_nothing()
        failed = lone is not None and lone.action_status == ActionStatus.FAILED
        listed = f"lists it as {lone.action_status}" if lone else "does not list it"
        note = f"{listed}, {'reports' if told else 'does not report'} noOrderToCancel"
        rule = "cancelOrder without an order: FAILED, noOrderToCancel"
        self.find(rule, failed and told, note="" if failed and told else note)
        here = self.here()
        if here is not None and self.wishes.route is None:
            route = (here, *route[1:])
        if self.state.last_node_id != route[0].node:
            self.untried("cancelOrder", f"it is not at {route[0].node}")
            return
        draft = first(self.mission(route), route, len(route), self.order_config())
        if await self.send(draft) is None:
            self.untried("cancelOrder", f"its order was not taken: {self.refusal(self.state)}")
            return
        ended, took_s = await self.act_at_once("cancelOrder", self.limit_s())
        finished = ended is not None and ended.action_status == ActionStatus.FINISHED
        note = "" if finished else f"it says {ended.action_status if ended else 'nothing'}"
        self.find("cancelOrder with an order: FINISHED", finished, took_s=took_s, note=note)
        await self.new_states(1)
        state = self.state
        gone = not state.node_states and not state.edge_states and not state.driving
        self.find("after it, it stands and lists nothing", gone)
        self.find("after it, it keeps its orderId", state.order_id == draft.order_id)

    async def _cancel_nothing(self) -> tuple[ActionState | None, bool]:
        """How an idle robot lists a cancelOrder, and whether it reported noOrderToCancel."""
        action, told = self.link.outbox.instant("cancelOrder"), False

        def answered(state: State) -> bool:
            nonlocal told  # some report it in one state only
            told |= any(
                in_version_2(e.error_type) == ErrorType.NO_ORDER_TO_CANCEL for e in state.errors
            )
            return told and action.action_id in self.link.results

        await self.link.outbox.send_instant(action)
        await self.until(answered, self.wishes.answer_s)
        return self.link.results.get(action.action_id), told

    async def _try_refusals(self) -> None:
        here = self.here()
        if here is None or self.state.busy:
            self.untried("refusals", "it still lists an order, or has no place")
            return
        away = Point(here.point.x_m + 5000.0, here.point.y_m + 5000.0)
        far = [replace(here, node=NodeId(f"conform-far-{n}"), point=away) for n in (1, 2)]
        draft = first(self.mission(far), far, 2, self.order_config())
        await self._refuses("refuses an order that begins far away", draft, held=None)
        await self.idle()

    async def _try_action(self, kind: str) -> None:
        here = self.here()
        if here is None or self.state.busy:
            self.untried(f"action {kind}", "it still lists an order, or has no place")
            return
        mission = self.mission([here])
        id_ = f"{mission.id}.1"
        draft = first(mission, [here], 1, self.order_config())
        action = Action(action_type=kind, action_id=id_, blocking_type=BlockingType.HARD)
        node = structs.replace(draft.nodes[0], actions=(action,))
        await self.link.outbox.send_order(replace(draft, nodes=(node,)))
        took_s = await self.until(lambda _: id_ in self.link.results, self.wishes.drive_s)
        ended = self.link.results.get(id_)
        fine = ended is not None and ended.action_status == ActionStatus.FINISHED
        said = ended.action_status if ended else self.refusal(self.state)
        self.find(f"action {kind}: FINISHED", fine, took_s=took_s, note="" if fine else said)
        await self.new_states(2)
        listed = any(a.action_id == id_ for a in self.state.action_states)
        if ended is not None:
            self.find(f"action {kind}: stays listed once it has ended", listed)

    # --- the end ---

    async def _try_will(self) -> None:
        rule = "its last will says CONNECTIONBROKEN"
        if not self.wishes.unplug_s:
            self.untried(rule, "give --unplug SECONDS and cut its power meanwhile")
            return
        inbox = self.link.inbox
        took_s = await self.until(
            lambda _: inbox.connection is ConnectionState.CONNECTIONBROKEN,
            self.wishes.unplug_s,
            ask=False,
        )
        self.took(rule, took_s, f"it is {inbox.connection}")

    def _judge_conduct(self) -> None:
        """What was noticed on the way."""
        for breach in self.link.conduct.breaches:
            note = f"{breach.words}, {breach.count} times: {breach.detail}"
            self.find(f"noticed: {breach.rule}", honours=False, note=note)


def _direction(theta: float) -> tuple[float, float]:

    return math.cos(theta), math.sin(theta)
