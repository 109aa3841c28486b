"""The messages of VDA 5050, one model for versions 2.0, 2.1 and 3.0. Their camelCase ends here.

Fields bear the names of version 2; what a robot of version 3.0 says under another name is read
into the same field, and `fleet.vda5050.dialects` renames what goes out.

What a master sends (order, instantActions) is strict: unknown fields and values are errors. What a
robot sends (state, connection, visualization, factsheet) is read with patience: unknown fields are
skipped, unknown values of a list are kept as text, and ``null`` means "not said".

Source: VDA 5050, versions 2.0.0, 2.1.0 and 3.0.0, and their JSON schemas.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, field

from fleet.vda5050.codec import Codec, Patient, Strict


class ActionStatus(StrEnum):
    """How far an action is."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RETRIABLE = "RETRIABLE"
    """Failed, and waits to be told whether to try again; version 3.0."""
    FINISHED = "FINISHED"
    FAILED = "FAILED"


ENDED: Final = frozenset({ActionStatus.FINISHED, ActionStatus.FAILED})


ASIDE: Final = frozenset(
    {"cancelOrder", "factsheetRequest", "logReport", "startPause", "stateRequest", "stopPause"}
)
"""Instant actions that robots list among those of the order, though they are no part of it."""


class BlockingType(StrEnum):
    """What else may happen while an action runs."""

    NONE = "NONE"
    SOFT = "SOFT"
    SINGLE = "SINGLE"
    """Alone, while driving; version 3.0."""
    HARD = "HARD"


class ConnectionState(StrEnum):
    """What the connection topic says of a robot."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    HIBERNATING = "HIBERNATING"
    """Connected and well, but silent until it is woken; version 3.0."""
    CONNECTIONBROKEN = "CONNECTIONBROKEN"

    @classmethod
    def _missing_(cls, value: object) -> "ConnectionState | None":
        return cls.CONNECTIONBROKEN if value == "CONNECTION_BROKEN" else None


class OperatingMode(StrEnum):
    """Who is in control of a robot."""

    STARTUP = "STARTUP"
    """Version 3.0, like the next but one."""
    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    INTERVENED = "INTERVENED"
    MANUAL = "MANUAL"
    SERVICE = "SERVICE"
    TEACHIN = "TEACHIN"
    """``TEACH_IN`` in version 3.0."""


class EStop(StrEnum):
    """Which emergency stop is active, by who has to end it."""

    AUTOACK = "AUTOACK"
    MANUAL = "MANUAL"
    REMOTE = "REMOTE"
    NONE = "NONE"


class ErrorLevel(StrEnum):
    """How bad an error is."""

    WARNING = "WARNING"
    URGENT = "URGENT"
    """Somebody should look soon; all work goes on. Version 3.0."""
    CRITICAL = "CRITICAL"
    """The order in hand can't be gone on with; another one can be taken. Version 3.0."""
    FATAL = "FATAL"


class Header(Strict):
    """What every message begins with.

    ``header_id`` counts the messages of one topic; ``timestamp`` is UTC in ISO 8601.
    """

    header_id: int
    timestamp: str
    version: str
    manufacturer: str
    serial_number: str


class ActionParameter(Strict):
    """One detail of an action."""

    key: str
    value: str | bool | int | float | list[object] | dict[str, object]


class Action(Strict):
    """Something to do, at a node or at once."""

    action_type: str
    action_id: str
    action_description: str | None = None
    blocking_type: BlockingType = BlockingType.HARD
    action_parameters: tuple[ActionParameter, ...] | None = None
    retriable: bool | None = None
    """Version 3.0: it may become RETRIABLE where it would fail."""

    def parameter(self, key: str) -> object:
        """The value of one parameter; None where it has none of that name."""
        for parameter in self.action_parameters or ():
            if parameter.key == key:
                return parameter.value
        return None


class NodePosition(Strict):
    """Where a node lies on a robot's map, in metres and radians."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | None = None
    allowed_deviation_xy: Annotated[float, Meta(ge=0)] | None = field(
        default=None, name="allowedDeviationXY"
    )
    allowed_deviation_theta: float | None = None
    map_id: str
    map_description: str | None = None


class Node(Strict):
    """A spot of an order; base where ``released``, else horizon."""

    node_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    node_description: str | None = None
    released: bool
    node_position: NodePosition | None = None
    actions: tuple[Action, ...] = ()


class Edge(Strict):
    """The way between two nodes of an order."""

    edge_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    edge_description: str | None = None
    released: bool
    start_node_id: str
    end_node_id: str
    max_speed: float | None = None
    max_height: float | None = None
    min_height: float | None = None
    orientation: float | None = None
    orientation_type: str | None = None
    direction: str | None = None
    rotation_allowed: bool | None = None
    max_rotation_speed: float | None = None
    length: float | None = None
    trajectory: dict[str, object] | None = None
    corridor: dict[str, object] | None = None
    actions: tuple[Action, ...] = ()


class Order(Header):
    """A way to drive, and what to do on it."""

    order_id: str
    order_update_id: Annotated[int, Meta(ge=0)]
    zone_set_id: str | None = None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class InstantActions(Header):
    """Actions to be done at once; some peers of version 2.0 name the list like the message."""

    actions: tuple[Action, ...]


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

ORDER: Final = Codec(Order, spelled={"allowedDeviationXy": "allowedDeviationXY"})
INSTANT_ACTIONS: Final = Codec(InstantActions, spelled={"instantActions": "actions"})
STATE: Final = Codec(State, spelled=_STATE_IN_3, at_best=_PATHS)
CONNECTION: Final = Codec(Connection)
VISUALIZATION: Final = Codec(Visualization, spelled=_POSITION_IN_3)
