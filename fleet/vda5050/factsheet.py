"""The factsheet: what a type of robot is, can do, and can bear on the wire.

Source: VDA 5050, versions 2.0.0, 2.1.0 and 3.0.0, factsheet schemas.
"""

from collections.abc import Mapping
from typing import Final

from fleet.vda5050.codec import Codec, Patient


class TypeSpecification(Patient):
    """What class of vehicle it is; masses in kg."""

    series_name: str = ""
    series_description: str | None = None
    agv_kinematic: str = ""
    agv_class: str = ""
    max_load_mass: float | None = None
    localization_types: tuple[str, ...] = ()
    navigation_types: tuple[str, ...] = ()
    supported_zones: tuple[str, ...] | None = None
    """The types of zone that it can mind; version 3.0."""


class PhysicalParameters(Patient):
    """Speeds in m/s, accelerations in m/s2, lengths in m."""

    speed_min: float | None = None
    speed_max: float | None = None
    acceleration_max: float | None = None
    deceleration_max: float | None = None
    height_max: float | None = None
    width: float | None = None
    length: float | None = None


class Timing(Patient):
    """Shortest and usual intervals between messages, in seconds."""

    min_order_interval: float = 0.0
    min_state_interval: float = 0.0
    default_state_interval: float | None = None


class ProtocolLimits(Patient):
    """How much it can take in; 0 or absent = no limit."""

    max_string_lens: Mapping[str, int | bool] = {}
    max_array_lens: Mapping[str, int] = {}
    timing: Timing = Timing()


class OptionalParameter(Patient):
    """An optional field that the robot understands or needs."""

    parameter: str
    support: str = "SUPPORTED"


class AgvActionParameter(Patient):
    """One parameter of an action."""

    key: str
    value_data_type: str = "STRING"
    is_optional: bool | None = None


class AgvAction(Patient):
    """One action that the robot can do, and where it may stand in a message."""

    action_type: str
    action_scopes: tuple[str, ...] = ()
    action_parameters: tuple[AgvActionParameter, ...] | None = None


class ProtocolFeatures(Patient):
    """What it understands."""

    optional_parameters: tuple[OptionalParameter, ...] = ()
    agv_actions: tuple[AgvAction, ...] = ()


class LoadSpecification(Patient):
    """What it can carry, and where."""

    load_positions: tuple[str, ...] | None = None


class AgvGeometry(Patient):
    """Its outline; we use the physical parameters."""


class Factsheet(Patient):
    """All of it."""

    header_id: int | None = None
    timestamp: str | None = None
    version: str = ""
    manufacturer: str = ""
    serial_number: str = ""
    type_specification: TypeSpecification = TypeSpecification()
    physical_parameters: PhysicalParameters = PhysicalParameters()
    protocol_limits: ProtocolLimits = ProtocolLimits()
    protocol_features: ProtocolFeatures = ProtocolFeatures()
    agv_geometry: AgvGeometry | None = None
    load_specification: LoadSpecification = LoadSpecification()

    def node_actions(self) -> frozenset[str]:
        """The actions that it can do at a node; empty = it doesn't say."""
        actions = self.protocol_features.agv_actions
        return frozenset(a.action_type for a in actions if "NODE" in a.action_scopes)


_IN_3: Final = {
    "maximumAcceleration": "accelerationMax",
    "maximumArrayLengths": "maxArrayLens",
    "maximumDeceleration": "decelerationMax",
    "maximumHeight": "heightMax",
    "maximumLoadMass": "maxLoadMass",
    "maximumSpeed": "speedMax",
    "maximumStringLengths": "maxStringLens",
    "minimumOrderInterval": "minOrderInterval",
    "minimumSpeed": "speedMin",
    "minimumStateInterval": "minStateInterval",
    "mobileRobotActions": "agvActions",
    "mobileRobotClass": "agvClass",
    "mobileRobotGeometry": "agvGeometry",
    "mobileRobotKinematics": "agvKinematic",
}

FACTSHEET: Final = Codec(Factsheet, spelled=_IN_3)
