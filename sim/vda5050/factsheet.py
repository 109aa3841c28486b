"""The factsheet of a simulated robot."""

from typing import Final

from fleet.vda5050.factsheet import (
    AgvAction,
    AgvGeometry,
    Factsheet,
    OptionalParameter,
    PhysicalParameters,
    ProtocolFeatures,
    ProtocolLimits,
    Timing,
    TypeSpecification,
)
from fleet.vda5050.headers import HeaderFields
from fleet.vehicle import VehicleSpec
from sim.vda5050.rules import NODE_ACTIONS

INSTANT_ACTIONS: Final = (
    "cancelOrder",
    "factsheetRequest",
    "startCharging",
    "startPause",
    "stateRequest",
    "stopCharging",
    "stopPause",
)
INSTANT_ACTIONS_3: Final = (
    *INSTANT_ACTIONS,
    "clearInstantActions",
    "deleteZoneSet",
    "enableZoneSet",
    "retry",
    "skipRetry",
    "startHibernation",
    "stopHibernation",
)
"""Those of a robot of version 3.0."""
_OPTIONAL: Final = ("order.nodes.nodePosition", "order.edges.maxSpeed")
STATE_INTERVAL_S: Final = 30.0


def factsheet(
    spec: VehicleSpec, header: HeaderFields, zones: tuple[str, ...] | None = None
) -> Factsheet:
    """What a robot built to ``spec`` says of itself.

    Args:
        zones: the types that it can mind; None = it speaks version 2.
    """
    instant = INSTANT_ACTIONS if zones is None else INSTANT_ACTIONS_3
    return Factsheet(
        **header,
        type_specification=TypeSpecification(
            series_name=spec.make,
            agv_kinematic="DIFF",
            agv_class="CARRIER",
            max_load_mass=spec.payload_g / 1000,
            localization_types=("NATURAL",),
            navigation_types=("VIRTUAL_LINE_GUIDED",),
            supported_zones=zones,
        ),
        physical_parameters=PhysicalParameters(
            speed_min=0.0,
            speed_max=spec.speed_m_s,
            acceleration_max=spec.acceleration_m_s2,
            deceleration_max=spec.acceleration_m_s2,
            height_max=1.5,
            width=spec.width_m,
            length=spec.length_m,
        ),
        protocol_limits=ProtocolLimits(
            timing=Timing(
                min_order_interval=0.0,
                min_state_interval=0.0,
                default_state_interval=STATE_INTERVAL_S,
            )
        ),
        protocol_features=ProtocolFeatures(
            optional_parameters=tuple(OptionalParameter(parameter=name) for name in _OPTIONAL),
            agv_actions=_actions(instant),
        ),
        agv_geometry=AgvGeometry(),
    )


def _actions(instant: tuple[str, ...]) -> tuple[AgvAction, ...]:
    names = dict.fromkeys((*NODE_ACTIONS, *instant))
    return tuple(
        AgvAction(
            action_type=name,
            action_scopes=tuple(
                scope
                for scope, known in (("NODE", NODE_ACTIONS), ("INSTANT", instant))
                if name in known
            ),
        )
        for name in names
    )
