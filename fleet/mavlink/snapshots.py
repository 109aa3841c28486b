"""How a drone is, put together from its own words, its dock's, and what it must do in need."""

from fleet.mavlink.dialects import DIALECTS
from fleet.mavlink.drone import Drone
from fleet.mavlink.groundwork import Groundwork
from fleet.mavlink.power import Power
from fleet.mavlink.safeguards import Safeguards
from fleet.mavlink.whereabouts import Whereabouts
from fleet.mission import Mission
from fleet.vehicle import Mode, Position, Severity, VehicleError, VehicleState
from routing.site import Node


class Snapshots:
    """Makes a new snapshot of one drone when anything of it has changed.

    Args:
        guards: None = what it would do in need is not looked at.
        bearing_deg: of the site's frame; winds are told in it.
    """

    def __init__(
        self,
        drone: Drone,
        where: Whereabouts,
        power: Power,
        groundwork: Groundwork,
        guards: Safeguards | None,
        *,
        bearing_deg: float,
    ) -> None:
        self._drone, self._said, self._times = drone, drone.telemetry, drone.timeouts
        self._where, self._power = where, power
        self._groundwork, self._guards = groundwork, guards
        self._bearing_deg = bearing_deg
        self._position_lasts_s = self._times.stale_s + 1 / drone.config.rates.position_hz
        self._last: tuple[tuple[object, ...], VehicleState] | None = None
        """The last one that was asked for, with all that it was made from."""

    def take(self, mission: Mission | None) -> VehicleState:
        """The latest snapshot, with the ``mission`` that it holds."""
        line, now_s = self._drone.line, self._drone.now_s
        basis = (
            self._said.words,
            self._power.dock,
            line.age_s(now_s) <= self._times.stale_s,
            line.collides(now_s),
            self._power.waking,
            mission,
            self._groundwork.loads,
            self._guards.errors if self._guards else (),
            self._position_is_old(now_s),
            self._drone.held,
        )
        if self._last is None or self._last[0] != basis:
            self._last = basis, self._look(mission)
        return self._last[1]

    def _look(self, mission: Mission | None) -> VehicleState:
        asleep, dock = self._power.asleep, self._power.dock
        pad = self._where.home if asleep else self._where.pad()
        airborne, told = self._said.airborne and not asleep, self._said.wind.last
        unfit = self._guards.errors if self._guards else ()
        return VehicleState(
            heard_at_s=dock.heard_at_s if asleep and dock else self._drone.line.heard_at_s,
            online=asleep or self._power.waking or self._drone.online,
            position=self._position(),
            last_node=pad.id if pad else None,
            mission=mission.id if mission else None,
            driving=airborne,
            airborne=airborne,
            returning=airborne and self._said.returning,
            charge_ratio=self._charge_ratio(),
            charging=dock is not None and dock.charging,
            mode=self._mode(),
            safety_stop=self._said.emergency and not asleep,
            errors=(*unfit, *self._collision(), *(() if asleep else self._errors(pad))),
            loads=self._groundwork.loads,
            powered_down=asleep,
            wind=told.on_site(self._bearing_deg) if told else None,
        )

    def _position(self) -> Position | None:
        return self._where.at_home() if self._power.asleep else self._where.position()

    def _charge_ratio(self) -> float | None:
        """As the dock says while it stands there, for the drone's own word may be old."""
        dock = self._power.dock
        known = dock is not None and dock.occupied and dock.charge_ratio is not None
        return dock.charge_ratio if dock and known else self._said.charge_ratio

    def _mode(self) -> Mode:
        if self._power.asleep or self._power.waking:
            return Mode.AUTOMATIC
        if self._said.heartbeat is None:
            return Mode.UNKNOWN
        said, dialect = self._said, self._said.dialect
        ours = said.mode in dialect.ours or (self._drone.held and said.mode in dialect.holding)
        hands_off = not said.armed or said.returning or ours
        return Mode.AUTOMATIC if hands_off else Mode.MANUAL

    def _position_is_old(self, now_s: float) -> bool:
        """Whether it is heard in flight, but has not said for a while where it is."""
        late = now_s - self._said.positioned_at_s > self._position_lasts_s
        return late and self._said.airborne and self._drone.online

    def _collision(self) -> tuple[VehicleError, ...]:
        if not self._drone.line.collides(self._drone.now_s):
            return ()
        return (_fatal("system_id_collision", f"system id {self._drone.config.system_id}"),)

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


def _fatal(code: str, text: str) -> VehicleError:
    return VehicleError(code=code, severity=Severity.FATAL, text=text)
