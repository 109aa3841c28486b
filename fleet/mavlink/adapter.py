"""A MAVLink drone as a vehicle: flies missions, sleeps in its dock, survives our restarts."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

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
from fleet.mavlink.config import MavlinkConfig
from fleet.mavlink.drone import Drone
from fleet.mavlink.flight import Flight
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.missions import flight_plan
from fleet.mavlink.telemetry import AUTO, GUIDED, RETURNING
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId, Outcome
from fleet.vehicle import (
    Mode,
    Position,
    Severity,
    VehicleError,
    VehicleSpec,
    VehicleState,
)
from routing.geometry import LocalFrame, Point
from routing.refusal import Refusal
from routing.site import Node

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 32
_OURS = RETURNING | {AUTO, GUIDED}
_WORK = frozenset(
    {
        ActionKind.LOAD,
        ActionKind.UNLOAD,
        ActionKind.OBSERVE,
        ActionKind.CHARGE,
        ActionKind.STOP_CHARGING,
    }
)


class MavlinkVehicle:
    """One ArduCopter-like drone behind the `Vehicle` protocol.

    A drone with a dock sleeps in it without power and counts as online there; a mission wakes it.
    Loading and unloading are a person's work at the pad, or a gripper's: the drone waits for it.

    Args:
        frame: lays the site on the earth.
        home: where its own dock or pad is.
        pads: where else it may stand.
        dock: None = it is always powered.
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
    ) -> None:
        self._spec, self._config, self._frame, self._dock = spec, config, frame, dock
        self._home = home
        self._pads = (home, *(pad for pad in pads if pad.id != home.id))
        self._drone = Drone(link, config)
        self._said = self._drone.telemetry
        self._times = link.timeouts
        self._listeners: list[Callable[[], None]] = []
        self._mission: Mission | None = None
        self._departed: MissionId | None = None
        self._work: asyncio.Task[Outcome] | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._idle_since_s = 0.0
        self._waking = False
        self._loads: tuple[str, ...] = ()
        self._finished: dict[MissionId, Outcome] = {}
        self._acted: dict[str, str] = {}
        self._drone.watch(self._tell)
        if dock is not None:
            dock.watch(self._on_dock)

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    # --- what it is and how it is -------------------------------------------------------------

    def state(self) -> VehicleState:
        """Its latest snapshot; asleep in its dock it counts as online."""
        asleep = self._asleep
        dock = self._dock.state if self._dock else None
        pad = self._pad()
        return VehicleState(
            heard_at_s=dock.heard_at_s if asleep and dock else self._drone.line.heard_at_s,
            online=asleep or self._waking or self._drone.online,
            position=self._position(),
            last_node=pad.id if pad else None,
            mission=self._mission.id if self._mission else None,
            driving=not asleep and self._said.airborne,
            airborne=not asleep and self._said.airborne,
            charge_ratio=self._charge_ratio(),
            charging=dock is not None and dock.charging,
            mode=self._mode(),
            safety_stop=not asleep and self._said.emergency,
            errors=() if asleep else self._errors(pad),
            loads=self._loads,
        )

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the drone or its dock."""
        self._listeners.append(changed)

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why it could not carry out ``mission``; None = it could."""
        for action in mission.actions:
            if action.kind not in _WORK:
                return Refusal("action_not_supported", {"action": action.kind})
            load_type = action.facts.get("load_type")
            if action.kind is ActionKind.LOAD and load_type not in {None, *self._spec.load_types}:
                return Refusal("load_type_not_carried", {"load_type": str(load_type)})
        return None

    @property
    def _asleep(self) -> bool:
        dock = self._dock.state if self._dock else None
        return dock is not None and dock.occupied and not dock.powered

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
        hands_off = not self._said.armed or self._said.mode in _OURS
        return Mode.AUTOMATIC if hands_off else Mode.MANUAL

    def _errors(self, pad: Node | None) -> tuple[VehicleError, ...]:
        found: list[VehicleError] = []
        if self._drone.line.collides(self._drone.now_s):
            found.append(_fatal("system_id_collision", f"system id {self._config.system_id}"))
        beat = self._said.heartbeat
        if beat is not None and beat.autopilot != mav.MAV_AUTOPILOT_ARDUPILOTMEGA:
            found.append(_fatal("unknown_autopilot", f"MAV_AUTOPILOT {beat.autopilot}"))
        if pad is None and self._said.geo is not None and not self._said.armed:
            found.append(_fatal("not_on_a_pad", "landed where it should not"))
        return tuple(found)

    def _position(self) -> Position | None:
        if self._asleep or self._said.geo is None:
            at_home = self._asleep or self._waking
            return Position(level=self._home.level, point=self._home.point) if at_home else None
        pad = self._pad()
        heading_rad = self._said.heading_rad or 0.0
        return Position(
            level=pad.level if pad else self._home.level,
            point=self._point(),
            yaw_rad=math.pi / 2 - heading_rad + math.radians(self._frame.bearing_deg),
            height_agl_m=max(0.0, self._said.height_agl_m),
        )

    def _point(self) -> Point:
        return self._frame.to_point(self._said.geo) if self._said.geo else self._home.point

    def _pad(self) -> Node | None:
        """The pad that it stands on, or last stood on by the end of its mission."""
        if self._asleep:
            return self._home
        if self._said.geo is None or self._said.airborne:
            return None
        point = self._point()
        pad = min(self._pads, key=lambda node: node.point.distance_m(point))
        return pad if pad.point.distance_m(point) <= self._config.pad_radius_m else None

    # --- missions -----------------------------------------------------------------------------

    def adopt(self, mission: Mission) -> None:
        """After a restart of ours: it holds ``mission``, and `execute` will go on with it."""
        self._mission = mission

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Fly one mission and do the work at its end; see `fleet.vehicle.Vehicle.execute`."""
        if self._work is not None:
            raise ValueError(f"{self._spec.id} already carries out {self._mission}")
        if mission.id in self._finished:
            return self._finished[mission.id]
        held = self._mission is not None and self._mission.id == mission.id
        self._mission = mission
        self._work = asyncio.create_task(
            self._carry_out(mission, clearance, held), name=f"vehicle[{self._spec.id}].mission"
        )
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
        except FleetError:
            self._mission = None
            raise
        else:
            self._mission = None
            _remember(self._finished, mission.id, outcome)
            return outcome
        finally:
            self._work = None
            self._idle_since_s = self._drone.now_s
            self._tell()

    async def cancel(self) -> None:
        """Call it back to where it took off; returns when it stands there with its motors off.

        Raises:
            LinkError: it does not answer, or does not come down.
        """
        self._stopping = asyncio.get_running_loop().create_future()
        try:
            if self._work is not None:
                self._work.cancel()
                await asyncio.wait([self._work])
            await self._come_down()
        finally:
            self._stopping.set_result(None)
            self._stopping = None

    async def _come_down(self) -> None:
        if self._asleep or not self._said.armed:
            return
        if self._said.airborne:
            await self._drone.do(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)
        else:
            await self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
        await self._drone.until(lambda: not self._said.armed, self._times.landing_s)

    async def _carry_out(self, mission: Mission, clearance: Clearance, held: bool) -> Outcome:
        refusal = self.why_not(mission)
        if refusal is not None:
            raise MissionFailed(refusal)
        if len(mission.route) > 1:
            await self._fly(mission, clearance, held)
        results = {action.id: await self._act(action, mission) for action in mission.actions}
        return Outcome(mission=mission.id, finished_at_s=self._drone.now_s, results=results)

    async def _fly(self, mission: Mission, clearance: Clearance, held: bool) -> None:
        version = clearance.version
        while not clearance.complete:
            version = await clearance.changed(version)
        plan = flight_plan(
            clearance.route, mission.actions, self._frame, cruise_agl_m=self._spec.cruise_agl_m
        )
        start, goal = clearance.route[0].point, clearance.route[-1].point
        flight = Flight(self._drone, plan, clearance, lambda: self._stands_at(goal))
        await self._wake()
        ours = (held or self._said.armed) and await flight.is_on_board()
        if self._said.armed and not ours:
            raise MissionFailed(Refusal("already_flying"))
        moved_on = self._departed == mission.id or not self._stands_at(start)
        if ours and not self._said.armed and moved_on and self._stands_at(goal):
            clearance.reached(len(clearance.route) - 1)
            return
        if not self._said.armed:
            if not ours:
                await flight.load()
            await flight.start()
        self._departed = mission.id
        await flight.follow()

    def _stands_at(self, point: Point) -> bool:
        near = self._point().distance_m(point) <= self._config.pad_radius_m
        return near and not self._said.airborne

    async def _act(self, action: Action, mission: Mission) -> str:
        """One piece of work on the ground; done once, however often it is asked for."""
        if action.id in self._acted:
            return self._acted[action.id]
        match action.kind:
            case ActionKind.LOAD | ActionKind.UNLOAD:
                await self._handle_goods(action)
            case ActionKind.OBSERVE if len(mission.route) == 1:
                await asyncio.sleep(action.duration_s)
            case ActionKind.CHARGE if not self._in_dock:
                raise MissionFailed(Refusal("not_in_dock"))
            case _:
                pass
        _remember(self._acted, action.id, "done")
        return "done"

    async def _handle_goods(self, action: Action) -> None:
        load = str(action.facts.get("load_id", action.id))
        loading = action.kind is ActionKind.LOAD
        if self._config.gripper and loading:
            await asyncio.sleep(action.duration_s)
        if self._config.gripper:
            grip = mav.GRIPPER_ACTION_GRAB if loading else mav.GRIPPER_ACTION_RELEASE
            await self._drone.do(mav.MAV_CMD_DO_GRIPPER, 1, grip)
        if not (self._config.gripper and loading):
            await asyncio.sleep(action.duration_s)
        rest = tuple(held for held in self._loads if held != load)
        self._loads = (*rest, load) if loading else rest

    # --- sleep and wake -----------------------------------------------------------------------

    @property
    def _in_dock(self) -> bool:
        return self._dock is not None and self._dock.state is not None and self._dock.state.occupied

    async def _wake(self) -> None:
        """Give it power if it sleeps, and wait until it speaks and says where it is."""
        self._drone.line.wanted = True
        asked_s = self._drone.now_s
        self._waking = self._asleep
        try:
            if self._waking and self._dock is not None:
                await self._dock.power(True)
            await self._drone.until(lambda: self._drone.online, self._times.boot_s)
            await self._drone.ask_for_streams()
            position = mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT
            known_s = asked_s - self._times.stale_s
            await self._drone.until(
                lambda: (
                    self._said.heard_at_s.get(position, -math.inf) > known_s
                    and self._said.geo is not None
                ),
                self._times.boot_s,
            )
        except LinkTimeout as error:
            raise LinkLost(f"{self._spec.id} does not wake up") from error
        finally:
            self._waking = False

    async def run(self) -> None:
        """Keep its streams flowing while it is awake; let it sleep when idle in its dock."""
        while True:
            await self._drone.until(lambda: self._drone.online)
            while self._drone.online:
                await self._drone.ask_for_streams()
                await self._sleep_if_idle()
                await asyncio.sleep(self._times.watch_s)
            self._tell()

    async def _sleep_if_idle(self) -> None:
        """Off with the power, if nothing is to be done and nobody is flying it."""
        idle_s = self._drone.now_s - self._idle_since_s
        busy = self._work is not None or self._mission is not None or self._said.armed
        if self._dock is None or not self._in_dock or busy or idle_s < self._times.sleep_s:
            return
        if self._asleep:
            return
        self._drone.line.wanted = False
        try:
            await self._dock.power(False)
        except LinkTimeout as error:
            self._drone.line.wanted = True
            log.warning("%s: %s", self._spec.id, error)

    def _on_dock(self) -> None:
        self._drone.nudge()
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _fatal(code: str, text: str) -> VehicleError:
    return VehicleError(code=code, severity=Severity.FATAL, text=text)


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
