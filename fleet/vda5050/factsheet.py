"""The factsheet: what a type of robot is, can do, and can bear on the wire.

Source: VDA 5050, versions 2.0.0, 2.1.0 and 3.0.0, factsheet schemas.
"""

from typing import Final

from pydantic import AliasChoices, Field

from fleet.vda5050.codec import Codec, Patient, spelled


class TypeSpecification(Patient):
    """What class of vehicle it is; masses in kg."""

    series_name: str = ""
    series_description: str | None = None
    agv_kinematic: str = spelled("", "agvKinematic", "mobileRobotKinematics")
    agv_class: str = spelled("", "agvClass", "mobileRobotClass")
    max_load_mass: float | None = spelled(None, "maxLoadMass", "maximumLoadMass")
    localization_types: tuple[str, ...] = ()
    navigation_types: tuple[str, ...] = ()
    supported_zones: tuple[str, ...] | None = None
    """The types of zone that it can mind; version 3.0."""


class PhysicalParameters(Patient):
    """Speeds in m/s, accelerations in m/s2, lengths in m."""

    speed_min: float | None = spelled(None, "speedMin", "minimumSpeed")
    speed_max: float | None = spelled(None, "speedMax", "maximumSpeed")
    acceleration_max: float | None = spelled(None, "accelerationMax", "maximumAcceleration")
    deceleration_max: float | None = spelled(None, "decelerationMax", "maximumDeceleration")
    height_max: float | None = spelled(None, "heightMax", "maximumHeight")
    width: float | None = None
    length: float | None = None


class Timing(Patient):
    """Shortest and usual intervals between messages, in seconds."""

    min_order_interval: float = spelled(0.0, "minOrderInterval", "minimumOrderInterval")
    min_state_interval: float = spelled(0.0, "minStateInterval", "minimumStateInterval")
    default_state_interval: float | None = None


class ProtocolLimits(Patient):
    """How much it can take in; 0 or absent = no limit."""

    max_string_lens: dict[str, int | bool] = Field(
        default_factory=dict[str, int | bool],
        validation_alias=AliasChoices("maxStringLens", "maximumStringLengths"),
        serialization_alias="maxStringLens",
    )
    max_array_lens: dict[str, int] = Field(
        default_factory=dict[str, int],
        validation_alias=AliasChoices("maxArrayLens", "maximumArrayLengths"),
        serialization_alias="maxArrayLens",
    )
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
    agv_actions: tuple[AgvAction, ...] = spelled((), "agvActions", "mobileRobotActions")


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
    agv_geometry: AgvGeometry = spelled(AgvGeometry(), "agvGeometry", "mobileRobotGeometry")
    load_specification: LoadSpecification = LoadSpecification()

    def node_actions(self) -> frozenset[str]:
        """The actions that it can do at a node; empty = it doesn't say."""
        actions = self.protocol_features.agv_actions
        return frozenset(a.action_type for a in actions if "NODE" in a.action_scopes)


FACTSHEET: Final = Codec(Factsheet)
