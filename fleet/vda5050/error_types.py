"""The errors that the standard names, as each version spells them.

Source: VDA 5050, versions 2.0.0 and 2.1.0, chapter 6.6.4; 3.0.0, chapter 6.6.5.4.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ErrorType(StrEnum):
    """The types of version 2."""

    ORDER = "orderError"
    ORDER_UPDATE = "orderUpdateError"
    VALIDATION = "validationError"
    NO_ROUTE = "noRouteError"
    NO_ORDER_TO_CANCEL = "noOrderToCancel"


class ErrorType3(StrEnum):
    """The types of version 3.0."""

    UNSUPPORTED_PARAMETER = "UNSUPPORTED_PARAMETER"
    NO_ORDER_TO_CANCEL = "NO_ORDER_TO_CANCEL"
    VALIDATION_FAILURE = "VALIDATION_FAILURE"
    INVALID_ORDER_ACTION = "INVALID_ORDER_ACTION"
    INVALID_INSTANT_ACTION = "INVALID_INSTANT_ACTION"
    OUTDATED_ORDER_UPDATE = "OUTDATED_ORDER_UPDATE"
    SAME_ORDER_UPDATE_ID = "SAME_ORDER_UPDATE_ID"
    ORDER_UPDATE_FOLLOWING_CANCEL = "ORDER_UPDATE_FOLLOWING_CANCEL"
    OUTSIDE_OF_CORRIDOR = "OUTSIDE_OF_CORRIDOR"
    INSUFFICIENT_MEMORY = "INSUFFICIENT_MEMORY"
    DUPLICATE_MAP = "DUPLICATE_MAP"
    BLOCKED_ZONE_VIOLATION = "BLOCKED_ZONE_VIOLATION"
    DUPLICATE_ZONE_SET = "DUPLICATE_ZONE_SET"
    RELEASE_LOST = "RELEASE_LOST"
    ZONE_ACTION_CONFLICT = "ZONE_ACTION_CONFLICT"
    NODE_UNREACHABLE = "NODE_UNREACHABLE"
    LOCALIZATION_ERROR = "LOCALIZATION_ERROR"
    NO_ROUTE_TO_TARGET = "NO_ROUTE_TO_TARGET"
    OTHER_ORDER_ACTIVE = "OTHER_ORDER_ACTIVE"
    START_NODE_OUT_OF_RANGE = "START_NODE_OUT_OF_RANGE"
    MOBILE_ROBOT_NOT_AVAILABLE = "MOBILE_ROBOT_NOT_AVAILABLE"
    UNKNOWN_MAP_ID = "UNKNOWN_MAP_ID"


IN_VERSION_2: Final[Mapping[str, ErrorType]] = {
    ErrorType3.UNSUPPORTED_PARAMETER: ErrorType.ORDER,
    ErrorType3.NO_ORDER_TO_CANCEL: ErrorType.NO_ORDER_TO_CANCEL,
    ErrorType3.VALIDATION_FAILURE: ErrorType.VALIDATION,
    ErrorType3.INVALID_ORDER_ACTION: ErrorType.ORDER,
    ErrorType3.OUTDATED_ORDER_UPDATE: ErrorType.ORDER_UPDATE,
    ErrorType3.SAME_ORDER_UPDATE_ID: ErrorType.ORDER_UPDATE,
    ErrorType3.ORDER_UPDATE_FOLLOWING_CANCEL: ErrorType.ORDER_UPDATE,
    ErrorType3.INSUFFICIENT_MEMORY: ErrorType.ORDER,
    ErrorType3.NO_ROUTE_TO_TARGET: ErrorType.NO_ROUTE,
    ErrorType3.OTHER_ORDER_ACTIVE: ErrorType.ORDER_UPDATE,
    ErrorType3.START_NODE_OUT_OF_RANGE: ErrorType.NO_ROUTE,
    ErrorType3.MOBILE_ROBOT_NOT_AVAILABLE: ErrorType.ORDER,
    ErrorType3.UNKNOWN_MAP_ID: ErrorType.ORDER,
}
"""What a robot of version 2 says for the same."""

REFUSALS: Final = frozenset(
    {
        *(kind for kind in IN_VERSION_2 if kind != ErrorType3.NO_ORDER_TO_CANCEL),
        *(kind for kind in ErrorType if kind is not ErrorType.NO_ORDER_TO_CANCEL),
        "INVALID_ORDER",
    }
)
"""What a robot says of an order that it does not take. The last one stands in the list of the
state's fields in 3.0.0, though not in its table of errors."""


OF_ORDERS: Final = REFUSALS | {ErrorType.NO_ORDER_TO_CANCEL, ErrorType3.NO_ORDER_TO_CANCEL}
"""Errors about what was sent, not about the robot."""


def in_version_2(error_type: str) -> str:
    """The type that a robot of version 2 would have told, if it has one for this."""
    return IN_VERSION_2.get(error_type, error_type)


def one_spelling(error_type: str) -> str:
    """The type in camelCase: ``PATH_BLOCKED`` and ``pathBlocked`` are one thing to us."""
    if not error_type.isupper():
        return error_type
    first, *rest = error_type.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
