"""What a robot says of itself: its state, connection and picture. Their camelCase ends here.

One model for versions 2.0, 2.1 and 3.0, with the names of version 2; what a robot of version 3.0
says under another name is read into the same field. It is read with patience: unknown fields are
skipped, unknown values of a list are kept as text, and ``null`` means "not said".

Source: VDA 5050, versions 2.0.0, 2.1.0 and 3.0.0, and their JSON schemas.
"""

from typing import Final

from fleet.vda5050.codec import Codec, Patient
from fleet.vda5050.terms import ASIDE, ENDED, ErrorLevel, EStop


class PatientHeader(Patient):
    """A robot's header; one without a number or a time can't be put in order."""

    header_id: int
    timestamp: str
    version: str = ""
    manufacturer: str = ""
    serial_number: str = ""


class NodeState(Patient):
    """A node that the robot has yet to reach."""

    node_id: str
    sequence_id: int
    released: bool = True


class EdgeState(Patient):
    """An edge that the robot has yet to drive."""

    edge_id: str
    sequence_id: int
    released: bool = True


class AgvPosition(Patient):
    """Where the robot is, as far as it knows."""

    x: float | None = None
    y: float | None = None
    theta: float | None = None
    map_id: str | None = None
    position_initialized: bool = True


class Velocity(Patient):
    """How fast it is, in its own frame."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class Load(Patient):
    """One thing on board."""

    load_id: str | None = None
    load_type: str | None = None
    load_position: str | None = None
    weight: float | None = None


class ActionState(Patient):
    """How far one action is."""

    action_id: str
    action_type: str | None = None
    action_description: str | None = None
    action_status: str
    result_description: str | None = None

    @property
    def aside(self) -> bool:
        """Whether it is no part of an order; where no type is told, our ids begin with it."""
        return (self.action_type or self.action_id.partition("-")[0]) in ASIDE


class BatteryState(Patient):
    """Charge in percent."""

    battery_charge: float | None = None
    battery_voltage: float | None = None
    charging: bool = False


class ErrorReference(Patient):
    """What an error is about."""

    reference_key: str = ""
    reference_value: str = ""


class RobotError(Patient):
    """What the robot complains of."""

    error_type: str = "unknown"
    error_level: str = ErrorLevel.WARNING
    error_references: tuple[ErrorReference, ...] = ()
    error_description: str | None = None
    error_hint: str | None = None

    def about(self, key: str) -> str | None:
        """What the error says under one reference key."""
        for reference in self.error_references:
            if reference.reference_key == key:
                return reference.reference_value
        return None


class SafetyState(Patient):
    """Emergency stop and protective fields."""

    e_stop: str = EStop.NONE
    field_violation: bool = False


class StoredZoneSet(Patient):
    """A zone set that the robot has; at most one of each map is enabled."""

    zone_set_id: str
    map_id: str = ""
    zone_set_status: str = "DISABLED"

    @property
    def enabled(self) -> bool:
        """Whether the robot drives by it."""
        return self.zone_set_status == "ENABLED"


class ZoneRequest(Patient):
    """The robot asks whether it may enter a zone, or plan anew in it."""

    request_id: str
    request_type: str = "ACCESS"
    zone_id: str = ""
    zone_set_id: str = ""
    request_status: str = "REQUESTED"


class EdgeRequest(Patient):
    """The robot asks whether it may use the corridor of an edge."""

    request_id: str
    request_type: str = "CORRIDOR"
    edge_id: str = ""
    sequence_id: int = 0
    request_status: str = "REQUESTED"


class SeenPoint(Patient):
    """A point of the way ahead, and when the robot will be there."""

    x: float
    y: float
    eta: str


class IntermediatePath(Patient):
    """The way as far as the robot can see; version 3.0."""

    polyline: tuple[SeenPoint, ...]


class ControlPoint(Patient):
    """What a curve leans to."""

    x: float
    y: float


class Trajectory(Patient):
    """A curve; its control points are a way that is hardly longer."""

    control_points: tuple[ControlPoint, ...]


class PlannedPath(Patient):
    """The way that the robot means to take; version 3.0."""

    trajectory: Trajectory
    traversed_nodes: tuple[str, ...] | None = None


class State(PatientHeader):
    """Everything a robot says of itself."""

    order_id: str = ""
    order_update_id: int = 0
    last_node_id: str = ""
    last_node_sequence_id: int = 0
    driving: bool = False
    paused: bool | None = None
    new_base_request: bool | None = None
    operating_mode: str = ""
    node_states: tuple[NodeState, ...] = ()
    edge_states: tuple[EdgeState, ...] = ()
    agv_position: AgvPosition | None = None
    velocity: Velocity | None = None
    loads: tuple[Load, ...] | None = None
    action_states: tuple[ActionState, ...] = ()
    instant_action_states: tuple[ActionState, ...] | None = None
    """Version 3.0, as all that follows ``safety_state``."""
    battery_state: BatteryState | None = None
    errors: tuple[RobotError, ...] = ()
    safety_state: SafetyState | None = None
    zone_sets: tuple[StoredZoneSet, ...] | None = None
    zone_requests: tuple[ZoneRequest, ...] | None = None
    edge_requests: tuple[EdgeRequest, ...] | None = None
    planned_path: PlannedPath | None = None
    intermediate_path: IntermediatePath | None = None

    @property
    def all_actions(self) -> tuple[ActionState, ...]:
        """The actions of the order, and those that were to be done at once."""
        return self.action_states + (self.instant_action_states or ())

    @property
    def busy(self) -> bool:
        """Whether it has an order in hand: anything left to drive or to do for it."""
        if self.node_states or self.edge_states:
            return True
        actions = self.action_states
        return bool(actions) and any(a.action_status not in ENDED and not a.aside for a in actions)


class Connection(PatientHeader):
    """Whether a robot is connected; also its last will."""

    connection_state: str


class Visualization(PatientHeader):
    """Position for screens only."""

    agv_position: AgvPosition | None = None
    velocity: Velocity | None = None


_POSITION_IN_3: Final = {"mobileRobotPosition": "agvPosition", "localized": "positionInitialized"}
_STATE_IN_3: Final = {
    **_POSITION_IN_3,
    "actionResult": "resultDescription",
    "activeEmergencyStop": "eStop",
    "powerSupply": "batteryState",
    "stateOfCharge": "batteryCharge",
}
_PATHS: Final = {"plannedPath": PlannedPath, "intermediatePath": IntermediatePath}

STATE: Final = Codec(State, spelled=_STATE_IN_3, at_best=_PATHS)
CONNECTION: Final = Codec(Connection)
VISUALIZATION: Final = Codec(Visualization, spelled=_POSITION_IN_3)
