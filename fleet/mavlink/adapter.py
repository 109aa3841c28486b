"""A MAVLink drone as a vehicle: flies missions, sleeps in its dock, survives our restarts."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.dock import Dock
from fleet.errors import (
    FleetError,
    LinkError,
    LinkLost,
    LinkTimeout,
    MissionCancelled,
    MissionFailed,
)
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.config import MavlinkConfig
from fleet.mavlink.dialects import DIALECTS
from fleet.mavlink.drone import Drone
from fleet.mavlink.flight import Flight
from fleet.mavlink.groundwork import Groundwork, why_not
from fleet.mavlink.hands import Hands
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.missions import flight_plan
from fleet.mavlink.safeguards import Needs, Safeguards
from fleet.mavlink.waits import Waits
from fleet.mavlink.whereabouts import Whereabouts
from fleet.mission import Clearance, Mission, MissionId, Outcome, Waypoint
from fleet.vehicle import Mode, Position, Severity, VehicleError, VehicleSpec, VehicleState
from routing.geometry import LocalFrame, Point
from routing.refusal import Refusal
from routing.site import Node

log = logging.getLogger(__name__)

_REMEMBERED = 32


class MavlinkVehicle:
    """One ArduCopter-like drone behind the `Vehicle` protocol.

    A drone with a dock sleeps in it without power and counts as online there; a mission wakes it.

    Args:
        frame: lays the site on the earth.
        home: where its own dock or pad is.
        pads: where else it may stand.
        dock: None = it is always powered.
        needs: what it must do by itself in need; None = that is not looked at.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        link: MavlinkLink,
        config: MavlinkConfig,
        frame: LocalFrame,
        *,
        home: Node,
        pads: Sequence[Node] = (),
        dock: Dock | None = None,
        needs: Needs | None = None,
    ) -> None:
        self._spec, self._config, self._frame, self._dock = spec, config, frame, dock
        self._home = home
        self._drone = Drone(link, config)
        self._said = self._drone.telemetry
        self._times = link.timeouts
        self._where = Whereabouts(self._said, frame, home, pads, config.pad_radius_m)
        may_set = config.safety is not None and config.safety.set_parameters
        self._guards = Safeguards(self._drone, needs, may_set=may_set) if needs else None
        self._groundwork = Groundwork(self._drone, gripper=config.gripper)
        self._listeners: list[Callable[[], None]] = []
        self._mission: Mission | None = None
        self._departed: MissionId | None = None
        self._finished: OrderedDict[MissionId, Outcome] = OrderedDict()
        self._work: asyncio.Task[Outcome] | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._instead: asyncio.Task[None] | None = None
        """What it does instead of a mission that it has given up."""
        self._idle_since_s = 0.0
        self._waking = False
        self._turning = False
        """Without a mission in the air, until it is given the next one."""
        self._called_back = False
        """It comes home because it was told to, not by itself."""
        self._hands = Hands(self._drone)
        self._waits = Waits(self._drone, self._hands)
        self._snapshot: tuple[tuple[object, ...], VehicleState] | None = None
        """The last one that was asked for, with all that it was made from."""
        self._drone.watch(self._tell)
        if dock is not None:
            dock.watch(self._on_dock)

    # --- what it is and how it is -------------------------------------------------------------

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    def state(self) -> VehicleState:
        """Its latest snapshot; asleep in its dock it counts as online."""
        dock = self._dock.state if self._dock else None
        line, now_s = self._drone.line, self._drone.now_s
        basis = (
            self._said.words,
            dock,
            line.age_s(now_s) <= self._times.stale_s,
            line.collides(now_s),
            self._waking,
            self._mission,
            self._groundwork.loads,
            self._guards.errors if self._guards else (),
            self._position_is_old(now_s),
            self._drone.held,
        )
        if self._snapshot is None or self._snapshot[0] != basis:
            self._snapshot = basis, self._look()
        return self._snapshot[1]

    def _look(self) -> VehicleState:
        asleep = self._asleep
        dock = self._dock.state if self._dock else None
        pad = self._home if asleep else self._where.pad()
        airborne, told = self._said.airborne and not asleep, self._said.wind.last
        return VehicleState(
            heard_at_s=dock.heard_at_s if asleep and dock else self._drone.line.heard_at_s,
            online=asleep or self._waking or self._drone.online,
            position=self._position(),
            last_node=pad.id if pad else None,
            mission=self._mission.id if self._mission else None,
            driving=airborne,
            airborne=airborne,
            returning=airborne and self._said.returning,
            charge_ratio=self._charge_ratio(),
            charging=dock is not None and dock.charging,
            mode=self._mode(),
            safety_stop=self._said.emergency and not asleep,
            errors=(*self._unfit(), *self._collision(), *(() if asleep else self._errors(pad))),
            loads=self._groundwork.loads,
            powered_down=asleep,
            wind=told.on_site(self._frame.bearing_deg) if told else None,
        )

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the drone or its dock."""
        self._listeners.append(changed)

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why it could not carry out ``mission``; None = it could."""
        return next(filter(None, (why_not(action, self._spec) for action in mission.actions)), None)

    @property
    def _asleep(self) -> bool:
        dock = self._dock.state if self._dock else None
        return dock is not None and dock.occupied and not dock.powered

    @property
    def _in_dock(self) -> bool:
        return self._dock is not None and self._dock.state is not None and self._dock.state.occupied

    def _position(self) -> Position | None:
        return self._where.at_home() if self._asleep else self._where.position()

    def _charge_ratio(self) -> float | None:
        """As the dock says while it stands there, for the drone's own word may be old."""
        dock = self._dock.state if self._dock else None
        known = dock is not None and dock.occupied and dock.charge_ratio is not None
        return dock.charge_ratio if dock and known else self._said.charge_ratio

    def _mode(self) -> Mode:
        if self._asleep or self._waking:
            return Mode.AUTOMATIC
        if self._said.heartbeat is None:
            return Mode.UNKNOWN
        said, dialect = self._said, self._said.dialect
        ours = said.mode in dialect.ours or (self._drone.held and said.mode in dialect.holding)
        hands_off = not said.armed or said.returning or ours
        return Mode.AUTOMATIC if hands_off else Mode.MANUAL

    def _unfit(self) -> tuple[VehicleError, ...]:
        """What it would not do by itself in need, as far as is known."""
        return self._guards.errors if self._guards else ()

    def _position_is_old(self, now_s: float) -> bool:
        """Whether it is heard in flight, but has not said for a while where it is."""
        allowed_s = self._times.stale_s + 1 / self._config.rates.position_hz
        if now_s - self._said.positioned_at_s <= allowed_s:
            return False
        return self._said.airborne and self._drone.online

    def _collision(self) -> tuple[VehicleError, ...]:
        if not self._drone.line.collides(self._drone.now_s):
            return ()
        return (_fatal("system_id_collision", f"system id {self._config.system_id}"),)

    def _errors(self, pad: Node | None) -> tuple[VehicleError, ...]:
        found: list[VehicleError] = []
        beat = self._said.heartbeat
        if beat is not None and beat.autopilot not in DIALECTS:
            found.append(_fatal("unknown_autopilot", f"MAV_AUTOPILOT {beat.autopilot}"))
        if self._position_is_old(self._drone.now_s):
            text = "flies, and does not say where"
            found.append(VehicleError(code="position_old", severity=Severity.WARNING, text=text))
        if pad is None and self._where.known and not self._said.armed:
            found.append(_fatal("not_on_a_pad", "stands where no pad is"))
        return tuple(found)

    # --- missions -----------------------------------------------------------------------------

    def adopt(self, mission: Mission) -> None:
        """After a restart of ours: it holds ``mission``, and `execute` will go on with it."""
        self._mission = mission

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Fly one mission and do the work at its end; see `fleet.vehicle.Vehicle.execute`."""
        if self._work is not None:
            raise ValueError(f"{self._spec.id} is already carrying out a mission")
        if mission.id in self._finished:
            return self._finished[mission.id]
        held = self._mission is not None and self._mission.id == mission.id
        self._mission = mission
        name = f"vehicle[{self._spec.id}].mission"
        self._work = asyncio.create_task(self._carry_out(mission, clearance, held), name=name)
        try:
            outcome = await self._work
        except asyncio.CancelledError:
            if self._stopping is None:
                raise
            await asyncio.shield(self._stopping)
            self._mission = None
            raise MissionCancelled from None
        except LinkError:
            raise
        except CommandRefused as refused:
            self._mission = None
            raise MissionFailed(Refusal("command_refused", {"text": str(refused)})) from refused
        except FleetError:
            self._mission = None
            raise
        finally:
            self._work, self._drone.loading = None, False
            self._idle_since_s = self._drone.now_s
            self._tell()
        self._mission = None
        self._finished[mission.id] = outcome
        if len(self._finished) > _REMEMBERED:
            self._finished.popitem(last=False)
        return outcome

    async def cancel(self) -> None:
        """Call it back to where it took off; returns when it stands there with its motors off.

        Raises:
            LinkError: it does not answer, or does not come down.
        """
        await self._give_up(self._come_down)

    async def turn_away(self, to: Waypoint | None = None) -> None:
        """Give up the mission and wait in the air for the next one, on the way ``to`` its first."""

        async def wait() -> None:
            if to is None:
                await self._hands.wait_in_the_air(called_back=self._called_back)
            else:
                geo = self._frame.to_geo(to.point)
                height_m = to.height_agl_m or self._spec.cruise_agl_m
                called_back = self._called_back
                await self._hands.wait_in_the_air(geo, height_m, called_back=called_back)

        await self._give_up(wait)
        self._turning = True

    async def _give_up(self, then: Callable[[], Awaitable[None]]) -> None:
        """Give up the mission for something else; what was asked for last holds."""
        before, stopping = self._instead, self._stopping
        if stopping is None:
            stopping = self._stopping = asyncio.get_running_loop().create_future()
        name = f"vehicle[{self._spec.id}].instead"
        mine = self._instead = asyncio.create_task(self._without_mission(then, before), name=name)
        try:
            await asyncio.wait([mine])
        finally:
            if not mine.done():
                mine.cancel()
                await asyncio.wait([mine])
            if self._instead is mine:
                self._instead = self._stopping = self._mission = None
                self._drone.held = self._called_back = False
                stopping.set_result(None)
        if not mine.cancelled():
            mine.result()

    async def _without_mission(
        self, then: Callable[[], Awaitable[None]], before: "asyncio.Task[None] | None"
    ) -> None:
        unwanted = [task for task in (before, self._work) if task is not None]
        for task in unwanted:
            task.cancel()
        if unwanted:
            await asyncio.wait(unwanted)
        await then()

    async def hold(self) -> None:
        """Stop in the air where it is."""
        await self._hands.hold()
        self._tell()

    async def go_on(self) -> None:
        """Fly on."""
        await self._hands.go_on(follows=self._work is not None)
        self._tell()

    async def wait_on_way(self) -> None:
        """Stop in the air, if it flies its mission: nothing that it does by itself is undone."""
        await self._waits.begin()
        self._tell()

    async def end_wait(self) -> None:
        """Fly on, if it still waits."""
        await self._waits.end(follows=self._work is not None)
        self._tell()

    async def recall(self) -> None:
        """Return to launch."""
        await self._hands.recall()
        self._tell()

    async def land(self) -> None:
        """Come down where it is."""
        await self._hands.land()
        self._tell()

    async def _come_down(self) -> None:
        said, asked_s = self._said, self._drone.now_s
        give_up_s = asked_s + self._times.landing_s
        if self._asleep or not (said.armed or self._drone.online):
            return
        await self._drone.until(lambda: said.beat_at_s > asked_s, self._times.stale_s)
        while said.armed and not self._asleep:
            airborne = said.airborne
            try:
                if airborne:
                    self._called_back = self._called_back or not said.returning
                    await self._drone.do(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)
                else:
                    await self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
            except CommandRefused as refused:
                log.warning("%s: %s", self._spec.id, refused)
                await asyncio.sleep(self._times.arm_pause_s)
            else:
                await self._drone.until(
                    lambda was=airborne: not said.armed or said.airborne is not was,
                    give_up_s - self._drone.now_s,
                )

    async def _carry_out(self, mission: Mission, clearance: Clearance, held: bool) -> Outcome:
        refusal = self.why_not(mission)
        if refusal is not None:
            raise MissionFailed(refusal)
        flown = len(mission.route) > 1
        if flown:
            await self._fly(mission, clearance, held)
        results = {
            action.id: await self._groundwork.do(action, flown=flown, in_dock=self._in_dock)
            for action in mission.actions
        }
        return Outcome(mission=mission.id, finished_at_s=self._drone.now_s, results=results)

    async def _fly(self, mission: Mission, clearance: Clearance, held: bool) -> None:
        """Fly it, or what is left of it if the drone has it already."""
        version = clearance.version
        while not clearance.complete:
            version = await clearance.changed(version)
        route, said, where = clearance.route, self._said, self._where
        plan = flight_plan(
            route, mission.actions, self._frame, cruise_agl_m=self._spec.cruise_agl_m
        )
        flight = Flight(self._drone, plan, clearance, where.stands_at)
        await self._wake()
        turning, self._turning = self._turning and said.airborne, False
        joins = said.airborne and route[0].height_agl_m > 0
        away = said.armed or not where.stands_at(route[0].point)
        ours = not turning and (held or away) and await flight.is_on_board()
        if joins and self._drone.held and not ours:
            raise MissionFailed(Refusal("already_flying", {"mission": mission.id}))
        if joins and not (ours and (said.in_auto or self._drone.held)):
            await flight.join()
            ours = True
        elif route[0].height_agl_m > 0 and not (ours or said.armed):
            raise MissionFailed(Refusal("not_in_the_air", {"mission": mission.id}))
        elif mission.urgent and held and not joins and self._went_ahead:
            await flight.catch_up()
            ours = True
        elif away and not ours:
            code = "already_flying" if said.armed else "not_at_start"
            raise MissionFailed(Refusal(code, {"mission": mission.id}))
        grounded = not said.armed or self._armed_at(route[0].point)
        if ours and not said.armed and (away or self._departed == mission.id):
            flight.conclude()
            return
        if grounded and not joins:
            await self._assure()
            if mission.urgent and not ours:
                await flight.start(ahead=True)
                await flight.catch_up()
            else:
                if not ours:
                    await flight.load()
                await flight.start()
        self._departed = mission.id
        await flight.follow()

    @property
    def _went_ahead(self) -> bool:
        """Whether it has left the ground before it had the mission, and waits for it."""
        said = self._said
        waits = self._drone.held or (said.mode in said.dialect.ours and not said.in_auto)
        return said.airborne and (waits or said.returning)

    def _armed_at(self, start: Point) -> bool:
        """Whether it was armed and never started: the answer to one of our words got lost."""
        return not self._said.in_auto and self._where.stands_at(start)

    async def _assure(self) -> None:
        """Only a drone that would help itself in need may fly."""
        if self._guards is None:
            return
        await self._guards.assure()
        if self._guards.errors:
            first = self._guards.errors[0]
            raise MissionFailed(Refusal(first.code, {"text": first.text}))

    # --- sleep and wake -----------------------------------------------------------------------

    async def _wake(self) -> None:
        """Give it power if it sleeps, and wait until it speaks and says where it is."""
        line, dock = self._drone.line, self._dock
        line.wanted = True
        fresh_s = self._drone.now_s - self._times.stale_s
        try:
            if dock is not None:
                await self._drone.until(
                    lambda: self._drone.online or dock.state is not None, self._times.boot_s
                )
                if self._asleep:
                    fresh_s = self._drone.now_s
                    self._waking = True
                    await dock.power(True)
            await self._drone.until(
                lambda: self._drone.online and (line.heard_at_s or 0.0) >= fresh_s,
                self._times.boot_s,
            )
        except LinkTimeout as error:
            raise LinkLost(f"{self._spec.id} does not wake up") from error
        finally:
            self._waking = False
        if self._said.positioned_at_s < fresh_s:
            await self._drone.ask_for_streams()
        try:
            await self._drone.until(
                lambda: self._said.positioned_at_s >= fresh_s, self._times.ready_s
            )
        except LinkTimeout as error:
            if not self._drone.online:
                raise LinkLost(f"{self._spec.id} fell silent") from error
            raise MissionFailed(Refusal("no_position")) from error

    async def run(self) -> None:
        """Keep its streams flowing while it is awake; let it sleep when idle in its dock."""
        self._idle_since_s = self._drone.now_s
        while True:
            silent_since_s = self._drone.now_s
            await self._until_heard()
            if self._guards and self._drone.now_s - silent_since_s > self._times.unfit_s:
                self._guards.doubt()
            while self._drone.online:
                await self._drone.ask_for_streams()
                await self._drone.ask_for_wind()
                if self._guards:
                    await self._guards.keep()
                await self._sleep_if_idle()
                await asyncio.sleep(self._times.watch_s)
            if self._guards:
                self._guards.fall_silent()
            self._tell()

    async def _until_heard(self) -> None:
        """Wait until it speaks. On standby it is woken, before anybody calls, until it does."""
        level = logging.WARNING
        while not self._drone.online:
            if not self._config.standby:
                await self._drone.until(lambda: self._drone.online)
                return
            try:
                await self._wake()
            except (LinkError, MissionFailed) as error:
                log.log(level, "%s is not ready to take off: %s", self._spec.id, error)
                level = logging.INFO
                with suppress(LinkTimeout):
                    await self._drone.until(lambda: self._drone.online, self._times.unfit_s)

    async def _sleep_if_idle(self) -> None:
        """Off with the power, if nothing is to be done and nobody is flying it."""
        busy = self._work is not None or self._mission is not None or self._said.armed
        busy = busy or bool(self._unfit())
        idle_s = self._drone.now_s - self._idle_since_s
        if self._dock is None or self._config.standby:
            return
        if not self._in_dock or self._asleep or busy:
            return
        if idle_s < self._times.sleep_s:
            return
        self._drone.line.wanted = False
        try:
            await self._dock.power(False)
        except LinkTimeout as error:
            self._drone.line.wanted = True
            log.warning("%s: %s", self._spec.id, error)

    def _on_dock(self) -> None:
        self._drone.line.mute = self._asleep
        self._drone.nudge()
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _fatal(code: str, text: str) -> VehicleError:
    return VehicleError(code=code, severity=Severity.FATAL, text=text)
