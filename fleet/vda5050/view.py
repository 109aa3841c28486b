"""A robot's state as the rest of the program sees it."""

from collections.abc import Sequence

from fleet.mission import MissionId
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import one_spelling
from fleet.vda5050.messages import AgvPosition, ErrorLevel, EStop, OperatingMode, State
from fleet.vehicle import Mode, Position, Severity, VehicleError, VehicleState
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


def mode_of(state: State) -> Mode:
    """Who is in control; in semi-automatic a person sets the speed, but we the way."""
    return _MODES.get(state.operating_mode, Mode.UNKNOWN)


def e_stop_of(state: State) -> str:
    """The emergency stop's kind; ``NONE`` where there is none or the robot doesn't say."""
    return state.safety_state.e_stop if state.safety_state else EStop.NONE


def snapshot(
    state: State,
    pose: AgvPosition | None,
    oddities: Sequence[str],
    config: Vda5050Config,
    site: Site,
    *,
    heard_at_s: float | None,
    online: bool,
) -> VehicleState:
    """The robot's last word, and how fresh it is."""
    battery = state.battery_state
    charge = battery.battery_charge if battery else None
    return VehicleState(
        heard_at_s=heard_at_s,
        online=online,
        position=position_of(pose, config, site),
        last_node=NodeId(state.last_node_id) if state.last_node_id in site.nodes else None,
        mission=MissionId(state.order_id) if state.order_id and state.busy else None,
        base=_base(state, site) if state.node_states else (),
        driving=state.driving,
        paused=bool(state.paused),
        charge_ratio=None if charge is None else min(1.0, max(0.0, charge / 100)),
        charging=bool(battery and battery.charging),
        mode=mode_of(state),
        safety_stop=e_stop_of(state) != EStop.NONE,
        errors=(*_errors(state), *_flags(oddities)) if state.errors or oddities else (),
        loads=tuple(load.load_id or load.load_type or "?" for load in state.loads or ()),
    )


def _base(state: State, site: Site) -> tuple[NodeId, ...]:
    ahead = sorted(state.node_states, key=lambda node: node.sequence_id)
    return tuple(NodeId(n.node_id) for n in ahead if n.released and n.node_id in site.nodes)


def position_of(pose: AgvPosition | None, config: Vda5050Config, site: Site) -> Position | None:
    """Where it says that it is; None while it doesn't know, or names a map that we don't know."""
    if pose is None or pose.x is None or pose.y is None or not pose.position_initialized:
        return None
    named = (ours for ours, theirs in config.maps.items() if theirs == pose.map_id)
    level = LevelId(next(named, pose.map_id or ""))
    if level not in site.levels or config.maps.get(level, level) != pose.map_id:
        return None
    return Position(level=level, point=Point(pose.x, pose.y), yaw_rad=pose.theta or 0.0)


def _errors(state: State) -> list[VehicleError]:
    return [
        VehicleError(
            code=one_spelling(error.error_type),
            severity=Severity.WARNING if error.error_level in _MILD else Severity.FATAL,
            text=error.error_description or "",
        )
        for error in state.errors
    ]


def _flags(oddities: Sequence[str]) -> list[VehicleError]:
    if not oddities:
        return []
    return [
        VehicleError(code="non_conformant", severity=Severity.WARNING, text=", ".join(oddities))
    ]
