"""A robot's state as the rest of the program sees it."""

import math
from collections.abc import Sequence
from typing import Final

from fleet.mission import MissionId
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import OF_ORDERS, one_spelling
from fleet.vda5050.state_messages import AgvPosition, BatteryState, Load, RobotError, State
from fleet.vda5050.terms import ErrorLevel, EStop, OperatingMode
from fleet.vehicle import Breach, Mode, Position, Severity, VehicleError, VehicleState
from routing.geometry import Point
from routing.site import LevelId, NodeId, Site

_MODES = {
    OperatingMode.STARTUP: Mode.MANUAL,
    OperatingMode.AUTOMATIC: Mode.AUTOMATIC,
    OperatingMode.SEMIAUTOMATIC: Mode.AUTOMATIC,
    OperatingMode.MANUAL: Mode.MANUAL,
    OperatingMode.SERVICE: Mode.MANUAL,
    OperatingMode.TEACHIN: Mode.MANUAL,
    "TEACH_IN": Mode.MANUAL,
    OperatingMode.INTERVENED: Mode.MANUAL,
}

_MILD = {ErrorLevel.WARNING, ErrorLevel.URGENT, ErrorLevel.CRITICAL, "INFO"}
"""With these it takes orders; a critical one ends the order in hand."""

SHOWN: Final = 20
"""How many errors, and how many loads, are shown of a robot that lists more."""
_LONGEST_TEXT = 300

UNKNOWN_MAP: Final = "unknown_map"
TWO_ROBOTS: Final = "two_robots"


def mode_of(state: State) -> Mode:
    """Who is in control; in semi-automatic a person sets the speed, but we the way."""
    return _MODES.get(state.operating_mode, Mode.UNKNOWN)


def e_stop_of(state: State) -> str:
    """The emergency stop's kind; ``NONE`` where there is none or the robot doesn't say."""
    return state.safety_state.e_stop if state.safety_state else EStop.NONE


def snapshot(
    state: State,
    position: Position | None,
    breaches: tuple[Breach, ...],
    site: Site,
    *,
    heard_at_s: float | None,
    online: bool,
    busy: bool,
    lost_on: str | None,
    arrives_s: float | None = None,
) -> VehicleState:
    """The robot's last word, and how fresh it is.

    Args:
        position: where it is, by the newest of its words.
        busy: whether it has an order in hand.
        lost_on: the map that it is on, if that is none of the site's.
        arrives_s: when it will be at its mission's end, as far as it says.
    """
    battery = state.battery_state
    return VehicleState(
        heard_at_s=heard_at_s,
        online=online,
        position=position,
        last_node=NodeId(state.last_node_id) if state.last_node_id in site.nodes else None,
        mission=MissionId(state.order_id) if state.order_id and busy else None,
        base=_base(state, site) if state.node_states and busy else (),
        driving=state.driving,
        arrives_s=arrives_s,
        paused=bool(state.paused),
        charge_ratio=charge_of(battery),
        charging=bool(battery and battery.charging),
        mode=mode_of(state),
        safety_stop=e_stop_of(state) != EStop.NONE,
        errors=_all_errors(state, breaches, lost_on)
        if state.errors or breaches or lost_on is not None
        else (),
        loads=_loads(state.loads) if state.loads else (),
        breaches=breaches,
    )


def _loads(loads: Sequence[Load]) -> tuple[str, ...]:
    return tuple((load.load_id or load.load_type or "?")[:_LONGEST_TEXT] for load in loads[:SHOWN])


def charge_of(battery: BatteryState | None) -> float | None:
    """How full the battery is, 0 to 1; None where it isn't told, or makes no sense."""
    charge = battery.battery_charge if battery else None
    if charge is None or not -5 <= charge <= 105:
        return None
    return min(1.0, max(0.0, charge / 100))


def _base(state: State, site: Site) -> tuple[NodeId, ...]:
    ahead = sorted(state.node_states, key=lambda node: node.sequence_id)
    return tuple(NodeId(n.node_id) for n in ahead if n.released and n.node_id in site.nodes)


def position_of(pose: AgvPosition | None, config: Vda5050Config, site: Site) -> Position | None:
    """Where it says that it is; None while it doesn't know, or names a map that we don't know."""
    if pose is None or pose.x is None or pose.y is None or not pose.position_initialized:
        return None
    level = _level_of(pose, config, site)
    if level is None or not (math.isfinite(pose.x) and math.isfinite(pose.y)):
        return None
    yaw_rad = pose.theta if pose.theta is not None and math.isfinite(pose.theta) else 0.0
    return Position(level=level, point=Point(pose.x, pose.y), yaw_rad=yaw_rad)


def stranger_map(pose: AgvPosition | None, config: Vda5050Config, site: Site) -> str | None:
    """The map that it says it is on, if that is none of the site's."""
    if pose is None or not pose.map_id or not pose.position_initialized:
        return None
    return None if _level_of(pose, config, site) is not None else pose.map_id[:_LONGEST_TEXT]


def _level_of(pose: AgvPosition, config: Vda5050Config, site: Site) -> LevelId | None:
    level = LevelId(pose.map_id or "")
    if not config.maps:
        return level if level in site.levels else None
    named = (ours for ours, theirs in config.maps.items() if theirs == pose.map_id)
    level = LevelId(next(named, level))
    known = level in site.levels and config.maps.get(level, level) == pose.map_id
    return level if known else None


def _all_errors(
    state: State, breaches: Sequence[Breach], lost_on: str | None
) -> tuple[VehicleError, ...]:
    errors = [_error(*error) for error in _worst_first(state)]
    if lost_on is not None:
        errors.append(VehicleError(code=UNKNOWN_MAP, severity=Severity.FATAL, text=lost_on))
    if breaches:
        text = ", ".join(breach.words for breach in breaches)
        errors.append(VehicleError(code="non_conformant", severity=Severity.WARNING, text=text))
    return tuple(errors)


def _worst_first(state: State) -> list[tuple[str, Severity, str]]:
    """The robot's errors, no more than can be shown: what makes it unfit is not left out."""
    told = [
        (_code(error), _severity(error), error.error_description or "") for error in state.errors
    ]
    if len(told) > SHOWN:
        told.sort(key=lambda error: error[1] is not Severity.FATAL)
    return told[:SHOWN]


def _code(error: RobotError) -> str:
    return one_spelling(error.error_type)[:_LONGEST_TEXT]


def _severity(error: RobotError) -> Severity:
    """Whoever complains of what was sent, as fatal or for ever, can still drive."""
    mild = error.error_level in _MILD or error.error_type in OF_ORDERS
    return Severity.WARNING if mild else Severity.FATAL


def _error(code: str, severity: Severity, text: str) -> VehicleError:
    return VehicleError(code=code, severity=severity, text=text[:_LONGEST_TEXT])
