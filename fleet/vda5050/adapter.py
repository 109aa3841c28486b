"""A robot that speaks VDA 5050, as a `Vehicle`."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import FleetError, LinkTimeout, MissionFailed, NotSupported
from fleet.mission import Clearance, Mission, Outcome
from fleet.vda5050.attendant import Attendant
from fleet.vda5050.conduct import Rule
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.follower import Follower
from fleet.vda5050.foresight import seconds_left
from fleet.vda5050.link import Link
from fleet.vda5050.orders import ACTION_TYPES
from fleet.vda5050.pauser import Pauser
from fleet.vda5050.state_messages import AgvPosition, State
from fleet.vda5050.terms import ConnectionState
from fleet.vda5050.view import TWO_ROBOTS, mode_of, position_of, snapshot, stranger_map
from fleet.vda5050.zones import Atlas
from fleet.vehicle import Breach, Mode, Severity, VehicleError, VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.roads.road_rules import RoadRules
from routing.site import Site

log = logging.getLogger(__name__)

NEEDS_PERSON = "action_needs_person"
"""What it complains of on behalf of a robot that has tried an action several times in vain."""
KEEPS_ORDER = VehicleError(code="keeps_order", severity=Severity.FATAL)
"""What it complains of on behalf of a robot that does not give up an order that has failed."""
DOUBLED = VehicleError(code=TWO_ROBOTS, severity=Severity.FATAL)
"""Where two robots answer to one name, nothing is said to either but what a person asks for."""


class Vda5050Vehicle:
    """One robot on the bus. See `fleet.vehicle.Vehicle` for what its methods promise.

    A mission that fails while the robot still holds its order is cancelled at the robot before
    the failure is reported, so that the next one finds it idle; it has not failed if the robot
    does all of it before it gives up. After a `SafetyStop` or a lost link the robot keeps its
    order: executing the same mission again follows it.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        bus: Bus,
        config: Vda5050Config,
        site: Site,
        clock: Clock,
        atlas: Atlas | None = None,
    ) -> None:
        self._spec, self._bus, self._config, self._site = spec, bus, config, site
        self._link = Link(bus, config, clock, self._tell)
        self._listeners: list[Callable[[], None]] = []
        self._follower: Follower | None = None
        self._cancelling = asyncio.Lock()
        self._shown: tuple[State | None, AgvPosition | None, Sequence[Breach]] = (None, None, ())
        self._snapshot = VehicleState(heard_at_s=None)
        self._said: tuple[VehicleState, object, float] = self._snapshot, None, -math.inf
        """What `state` said last, what that was made of, and until when it holds."""
        self._attendant = Attendant(self._link, site, spec, self._clearance, self._taken_up, atlas)
        self._pauser = Pauser(self._link)
        self._stray: str | None = None
        """The order of somebody else that it has; empty = none, None = not known yet."""
        self._was_on: tuple[str | None, bool] | None = None
        self._lost_on: str | None = None
        """The map that it says it is on, while that is none of ours."""
        self._keeps = False
        """It was told to give up an order, and has not done so for long."""

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    @property
    def junk(self) -> int:
        """How many of the robot's messages could not be read."""
        return self._link.inbox.junk

    def state(self) -> VehicleState:
        """Its latest snapshot; built at most once per word of the robot."""
        inbox = self._link.inbox
        said, known, until_s = self._said
        now_s = self._link.now_s()
        news = inbox.words, self._link.conduct.notes, self._link.plea, self._keeps
        if now_s >= until_s or news != known:
            self._said = said, _, _ = self._say(), news, inbox.changes_s(now_s)
        return said

    def _say(self) -> VehicleState:
        inbox, breaches = self._link.inbox, self._link.conduct.breaches
        state, pose, heard_at_s, online = inbox.state, inbox.pose, inbox.heard_at_s, inbox.online
        now, shown = self._snapshot, self._shown
        if state is None and breaches is not shown[2]:
            self._shown = None, None, breaches
            self._snapshot = now = replace(now, breaches=breaches)
        elif state is not None and (
            state is not shown[0] or pose is not shown[1] or breaches is not shown[2]
        ):
            self._shown, same = (state, pose, breaches), pose is shown[1]
            self._snapshot = now = snapshot(
                state,
                now.position if same else position_of(pose, self._config, self._site),
                breaches,
                self._site,
                heard_at_s=heard_at_s,
                online=online,
                busy=self._link.busy(state),
                lost_on=self._lost_on,
                arrives_s=self._arrives_s(state),
            )
        elif now.online is not online or now.heard_at_s != heard_at_s:
            self._snapshot = now = replace(now, online=online, heard_at_s=heard_at_s)
        if now.asleep is not inbox.asleep:
            self._snapshot = now = replace(now, asleep=inbox.asleep)
        pleas = self._pleas()
        return replace(now, errors=(*now.errors, *pleas)) if pleas else now

    def _arrives_s(self, state: State) -> float | None:
        """When it will be at the end of the mission in hand, as far as it says."""
        follower, heard_at_s = self._follower, self._link.inbox.heard_at_s
        if follower is None or follower.order != state.order_id or heard_at_s is None:
            return None
        ahead = follower.clearance.route[follower.clearance.passed :]
        left_s = seconds_left(state, ahead, self._config, self._spec.speed_m_s)
        return None if left_s is None else heard_at_s + left_s

    def _pleas(self) -> tuple[VehicleError, ...]:
        """What a person must see to, as far as we know it and the robot doesn't say it."""
        found = (KEEPS_ORDER,) if self._keeps else ()
        if self._link.plea:
            plea = VehicleError(code=NEEDS_PERSON, severity=Severity.FATAL, text=self._link.plea)
            found = (*found, plea)
        return (*found, DOUBLED) if self._link.inbox.doubled else found

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the robot."""
        self._listeners.append(changed)

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why the robot could not carry out ``mission``, by its site and its factsheet."""
        for waypoint in mission.route:
            if waypoint.node not in self._site.nodes:
                return Refusal("unknown_node", {"node": waypoint.node})
            if waypoint.height_agl_m > 0:
                return Refusal("cannot_fly", {"node": waypoint.node})
        factsheet = self._link.inbox.factsheet
        known = factsheet.node_actions() if factsheet else frozenset[str]()
        for action in mission.actions:
            if known and ACTION_TYPES[action.kind] not in known:
                return Refusal("unsupported_action", {"action": action.kind.value})
        return None

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Carry out one mission as an order of the same id."""
        if self._follower is not None:
            raise ValueError(f"{self._spec.id} is at another mission; cancel that first")
        refusal = self.why_not(mission)
        if refusal is not None:
            raise MissionFailed(refusal)
        self._follower = follower = Follower(self._link, mission, clearance)
        try:
            return await follower.run()
        except MissionFailed as failed:
            await self._tidy_up(mission, failed)
            follower.catch_up()
            outcome = follower.late_outcome()
            if outcome is None:
                raise
            log.info("%s was done after all", mission.id, extra={"vehicle": self._spec.id})
            return outcome
        finally:
            self._follower = None

    async def _tidy_up(self, mission: Mission, failed: MissionFailed) -> None:
        """Have the robot give up an order that has failed; until then nobody else may have it.

        It may be at an action that it can't break off, and take the goods after all. If that
        lasts longer than ``tidy_up_s``, the robot is called unfit, so a person looks.

        Raises:
            LinkLost: it is not heard any more.
            SafetyStop: it refuses to give the order up.
        """
        state = self._link.state
        if state is None or not self._link.busy(state) or state.order_id != mission.id:
            return
        loop = asyncio.get_running_loop()
        why = f"{mission.id} failed ({failed})"
        complaint = loop.call_later(self._config.tidy_up_s, self._complain, why)
        try:
            while not await self._stops(mission.id):
                log.warning(
                    "%s: no answer to cancelOrder", mission.id, extra={"vehicle": self._spec.id}
                )
        finally:
            complaint.cancel()
            self._calm()

    async def _stops(self, order: str) -> bool:
        try:
            await self._link.stop_order(order)
        except LinkTimeout:
            return False
        return True

    def _complain(self, why: str) -> None:
        log.warning("%s, and the robot keeps its order", why, extra={"vehicle": self._spec.id})
        self._keeps = True
        self._tell()

    def _calm(self) -> None:
        if self._keeps:
            self._keeps = False
            self._tell()

    async def cancel(self) -> None:
        """Have the robot give up what it is at; return when it stands still."""
        async with self._cancelling:
            follower, state = self._follower, self._link.state
            if follower is None and (state is None or not self._link.busy(state)):
                return
            if follower is not None:
                follower.stopping = True
            order = (follower and follower.order) or (state.order_id if state else "")
            loop, longest_s = asyncio.get_running_loop(), self._longest_stop_s(follower)
            complaint = loop.call_later(longest_s, self._complain, "cancelOrder does not end")
            try:
                await self._link.stop_order(order)
            except FleetError:
                if follower is not None:
                    follower.stopping = False
                raise
            finally:
                complaint.cancel()
                self._calm()
            if follower is not None:
                follower.stopped = True
                self._link.news.ring()

    def set_paused(self, paused: bool) -> None:
        """Have it stand still in the middle of its order, or go on; its state tells when."""
        self._pauser.want(paused)

    def set_rules(self, rules: RoadRules) -> None:
        """Other rules of the road hold from now on: draw a robot's zones by them."""
        self._attendant.set_rules(rules)

    def _clearance(self) -> Clearance | None:
        return self._follower.clearance if self._follower is not None else None

    def _taken_up(self, state: State) -> bool:
        """Whether it is known who leads it; an order that it holds may yet be taken up again."""
        if not self._link.busy(state):
            return True
        follower = self._follower
        return state.order_id == (self._stray if follower is None else follower.order)

    def _longest_stop_s(self, follower: Follower | None) -> float:
        """How long a robot may take to stop: it may have to end an action first."""
        work_s = follower.longest_action_s if follower is not None else 0.0
        return self._config.tidy_up_s + 2 * work_s

    async def hold(self) -> None:
        """Have the robot stand still with its order in hand."""
        await self._pauser.bring(True)

    async def go_on(self) -> None:
        """Let the robot drive on."""
        await self._pauser.bring(False)

    async def recall(self) -> None:
        """NotSupported: a robot finds its way home by an order alone."""
        raise NotSupported("a ground robot is called home by taking it out of service")

    async def land(self) -> None:
        """NotSupported: it is on the ground."""
        raise NotSupported("a ground robot can't land")

    async def run(self) -> None:
        """Listen to the robot; look after it, if it is ours and its version wants that."""
        async with asyncio.TaskGroup() as group:
            name = f"vda5050[{self._config.serial}]"
            group.create_task(self._listen(), name=f"{name}.listen")
            group.create_task(self._pauser.run(), name=f"{name}.pause")
            if self._config.v3 and not self._spec.watched:
                group.create_task(self._attendant.run(), name=f"{name}.attend")

    async def _listen(self) -> None:
        """Ask for its state at first, when it connects, and when it dozes."""
        inbox = self._link.inbox
        with ExitStack() as subscriptions:
            for topic, handler in inbox.topics().items():
                subscriptions.callback(self._bus.subscribe(topic, handler).close)
            while True:
                await self._greet()
                await self._drowsy()

    async def _greet(self) -> None:
        state, inbox = self._link.state, self._link.inbox
        if inbox.asleep or inbox.doubled or (state is not None and mode_of(state) is Mode.MANUAL):
            return
        await self._link.outbox.ask("stateRequest")
        if inbox.factsheet is None:
            await self._link.outbox.ask("factsheetRequest")

    async def _drowsy(self) -> None:
        """Return when the robot connects anew, or has said nothing for most of its time."""
        inbox, connects = self._link.inbox, self._link.connects
        quiet_s = 0.8 * self._config.fresh_s
        until_s = self._link.now_s() + quiet_s
        while self._link.now_s() < until_s:
            was, rung = inbox.connection, connects.rung
            await connects.wait(rung, until_s)
            if was is not ConnectionState.ONLINE and inbox.connection is ConnectionState.ONLINE:
                return
            if inbox.heard_at_s is not None:
                until_s = max(until_s, inbox.heard_at_s + quiet_s)

    def _tell(self) -> None:
        self._note_map()
        self._note_stray()
        for listener in self._listeners:
            listener()

    def _note_stray(self) -> None:
        """Note when it takes an order under our eyes that somebody else gave it.

        What it held when we came may be a former process's; a robot that we only watch is led by
        others anyway.
        """
        state = self._link.state
        if state is None or self._spec.watched or self._follower is not None:
            return
        if not self._link.busy(state) or state.order_id in self._link.ours:
            self._stray = ""
        elif self._stray is not None and self._stray != state.order_id:
            self._stray = state.order_id
            self._link.odd(Rule.STRAY_ORDER, state.order_id)

    def _note_map(self) -> None:
        """Note when it comes to a map that we don't know, once for each time."""
        pose = self._link.inbox.pose
        where = (pose.map_id, pose.position_initialized) if pose is not None else None
        if where == self._was_on:
            return
        self._was_on = where
        lost = stranger_map(pose, self._config, self._site)
        if lost != self._lost_on:
            self._lost_on = lost
            if lost is not None:
                self._link.odd(Rule.UNKNOWN_MAP, lost)
