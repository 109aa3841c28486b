"""How a simulated robot says and hears things in the version of the standard that it speaks."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import structs

from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.error_types import IN_VERSION_2, ErrorType3
from fleet.vda5050.factsheet import FACTSHEET, Factsheet
from fleet.vda5050.order_messages import INSTANT_ACTIONS, ORDER, InstantActions, Order
from fleet.vda5050.state_messages import CONNECTION, STATE, Connection, RobotError, State
from fleet.vda5050.terms import ErrorLevel, EStop, OperatingMode
from fleet.vda5050.version_3 import Json, instant_actions_from_3, order_from_3, rename

_LEVELS_IN_3: Final[Mapping[str, ErrorLevel]] = {
    ErrorType3.UNSUPPORTED_PARAMETER: ErrorLevel.CRITICAL,
    ErrorType3.NODE_UNREACHABLE: ErrorLevel.CRITICAL,
}
_OWN_TYPES: Final[Mapping[str, str]] = {"localizationLost": ErrorType3.LOCALIZATION_ERROR}
_STATE: Final = {
    "agvPosition": "mobileRobotPosition",
    "batteryState": "powerSupply",
}
_TYPE: Final = {
    "agvKinematic": "mobileRobotKinematics",
    "agvClass": "mobileRobotClass",
    "maxLoadMass": "maximumLoadMass",
}
_BODY: Final = {
    "speedMin": "minimumSpeed",
    "speedMax": "maximumSpeed",
    "accelerationMax": "maximumAcceleration",
    "decelerationMax": "maximumDeceleration",
    "heightMax": "maximumHeight",
}
_LIMITS: Final = {"maxStringLens": "maximumStringLengths", "maxArrayLens": "maximumArrayLengths"}
_TIMING: Final = {
    "minOrderInterval": "minimumOrderInterval",
    "minStateInterval": "minimumStateInterval",
}
_MOST_SPEED: Final = "order.edges.maxSpeed"


class Words:
    """The spelling of one robot."""

    def __init__(self, config: Vda5050Config) -> None:
        self.v3 = config.v3
        """Whether it speaks version 3."""

    # what it hears

    def read_order(self, payload: bytes) -> Order:
        """An order; ValueError where it is none of this version."""
        return ORDER.decode(_edited(payload, order_from_3) if self.v3 else payload)

    def read_instant_actions(self, payload: bytes) -> InstantActions:
        """Actions to do at once; ValueError where it is no such message of this version."""
        edited = _edited(payload, instant_actions_from_3) if self.v3 else payload
        return INSTANT_ACTIONS.decode(edited)

    # what it says

    def error(self, error: RobotError) -> RobotError:
        """An error of the types of version 3, as this version has it."""
        kind = error.error_type
        if not self.v3:
            return structs.replace(error, error_type=IN_VERSION_2.get(kind, kind))
        level = _LEVELS_IN_3.get(kind, error.error_level)
        return structs.replace(error, error_type=_upper(kind), error_level=level)

    def state(self, state: State) -> bytes:
        """A state."""
        return _edited(STATE.encode(state), _state_in_3) if self.v3 else STATE.pack(state)

    def connection(self, message: Connection) -> bytes:
        """A word on the connection."""
        payload = CONNECTION.encode(message)
        return _edited(payload, _connection_in_3) if self.v3 else payload

    def factsheet(self, sheet: Factsheet) -> bytes:
        """A factsheet."""
        payload = FACTSHEET.encode(sheet)
        return _edited(payload, _factsheet_in_3) if self.v3 else payload


def _upper(kind: str) -> str:
    """``pathBlocked`` as ``PATH_BLOCKED``."""
    known = _OWN_TYPES.get(kind)
    if known is not None or kind.isupper():
        return known or kind
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in kind).upper()


def _edited(payload: bytes, edit: Callable[[Json], None]) -> bytes:
    try:
        message: Any = json.loads(payload)
        edit(message)
    except (AttributeError, KeyError, TypeError, RecursionError) as fault:
        raise ValueError(f"not of this message's shape: {fault!r}") from fault
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _state_in_3(state: Json) -> None:
    rename(state, _STATE)
    rename(state["mobileRobotPosition"], {"positionInitialized": "localized"})
    rename(state["powerSupply"], {"batteryCharge": "stateOfCharge"})
    safety: Json = state["safetyState"]
    rename(safety, {"eStop": "activeEmergencyStop"})
    if safety["activeEmergencyStop"] == EStop.AUTOACK:  # gone in 3.0: a field is violated
        safety["activeEmergencyStop"], safety["fieldViolation"] = EStop.NONE, True
    if state["operatingMode"] == OperatingMode.TEACHIN:
        state["operatingMode"] = "TEACH_IN"
    for action in (*state["actionStates"], *state["instantActionStates"]):
        rename(action, {"resultDescription": "actionResult"})


def _connection_in_3(message: Json) -> None:
    if message["connectionState"] == "CONNECTIONBROKEN":
        message["connectionState"] = "CONNECTION_BROKEN"


def _factsheet_in_3(sheet: Json) -> None:
    kind, body = sheet["typeSpecification"], sheet["physicalParameters"]
    limits, features = sheet["protocolLimits"], sheet["protocolFeatures"]
    rename(kind, _TYPE)
    kind["mobileRobotKinematics"] = "DIFFERENTIAL"
    rename(body, _BODY)
    body["minimumHeight"] = body["maximumHeight"]
    rename(limits, _LIMITS)
    rename(limits["timing"], _TIMING)
    rename(features, {"agvActions": "mobileRobotActions"})
    for action in features["mobileRobotActions"]:
        action |= {"pauseAllowed": False, "cancelAllowed": False}
    for optional in features["optionalParameters"]:
        if optional["parameter"] == _MOST_SPEED:
            optional["parameter"] = "order.edges.maximumSpeed"
    rename(sheet, {"agvGeometry": "mobileRobotGeometry"})
