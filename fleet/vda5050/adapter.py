"""A robot that speaks VDA 5050, as a `Vehicle`."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import FleetError, LinkTimeout, MissionFailed, NotSupported
from fleet.mission import Clearance, Mission, Outcome
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.follower import Follower
from fleet.vda5050.link import Link
from fleet.vda5050.messages import AgvPosition, ConnectionState, State
from fleet.vda5050.orders import ACTION_TYPES
from fleet.vda5050.pause import pause
from fleet.vda5050.view import mode_of, snapshot
from fleet.vehicle import Mode, Severity, VehicleError, VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.site import Site

log = logging.getLogger(__name__)

KEEPS_ORDER = VehicleError(code="keeps_order", severity=Severity.FATAL)
"""What it complains of on behalf of a robot that does not give up an order that has failed."""


class Vda5050Vehicle:
    """One robot on the bus. See `fleet.vehicle.Vehicle` for what its methods promise.

    A mission that fails while the robot still holds its order is cancelled at the robot before
    the failure is reported, so that the next one finds it idle; it has not failed if the robot
    does all of it before it gives up. After a `SafetyStop` or a lost link the robot keeps its
    order: executing the same mission again follows it.
    """

    def __init__(
        self, spec: VehicleSpec, bus: Bus, config: Vda5050Config, site: Site, clock: Clock
    ) -> None:
        self._spec, self._bus, self._config, self._site = spec, bus, config, site
        self._link = Link(bus, config, clock, self._tell)
        self._listeners: list[Callable[[], None]] = []
        self._follower: Follower | None = None
        self._cancelling = asyncio.Lock()
        self._shown: tuple[State | None, AgvPosition | None, int] = (None, None, 0)
        self._snapshot = VehicleState(heard_at_s=None)
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
        inbox, oddities = self._link.inbox, self._link.oddities
        state, pose, heard_at_s, online = inbox.state, inbox.pose, inbox.heard_at_s, inbox.online
        now, shown = self._snapshot, self._shown
        if state is not None and (
            state is not shown[0] or pose is not shown[1] or len(oddities) != shown[2]
        ):
            self._shown = state, pose, len(oddities)
            self._snapshot = now = snapshot(
                state,
                pose,
                tuple(oddities),
                self._config,
                self._site,
                heard_at_s=heard_at_s,
                online=online,
            )
        elif now.online is not online or now.heard_at_s != heard_at_s:
            self._snapshot = now = replace(now, online=online, heard_at_s=heard_at_s)
        return replace(now, errors=(*now.errors, KEEPS_ORDER)) if self._keeps else now

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
        if state is None or not state.busy or state.order_id != mission.id:
            return
        loop = asyncio.get_running_loop()
        complaint = loop.call_later(self._config.tidy_up_s, self._complain, mission, failed)
        try:
            while not await self._stops():
                log.warning(
                    "%s: no answer to cancelOrder", mission.id, extra={"vehicle": self._spec.id}
                )
        finally:
            complaint.cancel()
            self._keeps = False
            self._tell()

    async def _stops(self) -> bool:
        try:
            await self._link.stop_order()
        except LinkTimeout:
            return False
        return True

    def _complain(self, mission: Mission, failed: MissionFailed) -> None:
        log.warning(
            "%s failed (%s), and the robot keeps its order",
            mission.id,
            failed,
            extra={"vehicle": self._spec.id},
        )
        self._keeps = True
        self._tell()

    async def cancel(self) -> None:
        """Have the robot give up what it is at; return when it stands still."""
        async with self._cancelling:
            follower, state = self._follower, self._link.state
            if follower is None and (state is None or not state.busy):
                return
            if follower is not None:
                follower.stopping = True
            try:
                await self._link.stop_order()
            except FleetError:
                if follower is not None:
                    follower.stopping = False
                raise
            if follower is not None:
                follower.stopped = True
                self._link.news.ring()

    async def hold(self) -> None:
        """Have the robot stand still with its order in hand."""
        await pause(self._link, on=True)

    async def go_on(self) -> None:
        """Let the robot drive on."""
        await pause(self._link, on=False)

    async def recall(self) -> None:
        """NotSupported: a robot finds its way home by an order alone."""
        raise NotSupported("a ground robot is called home by taking it out of service")

    async def land(self) -> None:
        """NotSupported: it is on the ground."""
        raise NotSupported("a ground robot can't land")

    async def run(self) -> None:
        """Listen to the robot; ask for its state at first, when it connects, and when it dozes."""
        inbox = self._link.inbox
        with ExitStack() as subscriptions:
            for topic, handler in inbox.topics().items():
                subscriptions.callback(self._bus.subscribe(topic, handler).close)
            while True:
                await self._greet()
                await self._drowsy()

    async def _greet(self) -> None:
        state, inbox = self._link.state, self._link.inbox
        if state is not None and mode_of(state) is Mode.MANUAL:
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
        for listener in self._listeners:
            listener()
