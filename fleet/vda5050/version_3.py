"""How version 3.0 spells what a master says, and how that is read back by a robot.

Our messages bear the names of version 2. Whatever a later version has dropped is left out.

Source: VDA 5050 3.0.0, chapters 7.3 and 7.5, and their schemas. The schema's
``maxRotationSpeed`` is what the text calls ``maximumRotationSpeed``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = dict[str, Any]

_NODE: Final = {"nodeDescription": "nodeDescriptor"}
_EDGE: Final = {
    "edgeDescription": "edgeDescriptor",
    "maxSpeed": "maximumSpeed",
    "maxHeight": "maximumMobileRobotHeight",
    "minHeight": "minimumLoadHandlingDeviceHeight",
}
_ACTION: Final = {"actionDescription": "actionDescriptor"}
_DROPPED_OF_EDGE: Final = ("startNodeId", "endNodeId", "rotationAllowed")
_DEVIATION: Final = "allowedDeviationXY"


def order_in_3(order: Json) -> None:
    """Rename an order's fields from version 2 to 3."""
    order.pop("zoneSetId", None)
    for node in order["nodes"]:
        rename(node, _NODE)
        position = node.get("nodePosition")
        if position is not None:
            position.pop("mapDescription", None)
            radius_m = position.pop(_DEVIATION, None)
            if radius_m is not None:
                position[_DEVIATION] = {"a": radius_m, "b": radius_m, "theta": 0.0}
    for edge in order["edges"]:
        rename(edge, _EDGE)
        for dropped in _DROPPED_OF_EDGE:
            edge.pop(dropped, None)
    for action in _actions(order):
        rename(action, _ACTION)


def order_from_3(order: Json) -> None:
    """Rename an order's fields from version 3 to 2; edges get their ends from the nodes.

    Raises:
        ValueError: it has a field that version 3 doesn't know.
    """
    _refuse(order, ("zoneSetId",))
    for node in order["nodes"]:
        rename_back(node, _NODE)
        position = node.get("nodePosition")
        if position is not None:
            _refuse(position, ("mapDescription",))
            ellipse = position.pop(_DEVIATION, None)
            if ellipse is not None:
                position[_DEVIATION] = min(ellipse["a"], ellipse["b"])
    ends = {node["sequenceId"]: node["nodeId"] for node in order["nodes"]}
    for edge in order["edges"]:
        _refuse(edge, _DROPPED_OF_EDGE)
        rename_back(edge, _EDGE)
        number = edge["sequenceId"]
        edge["startNodeId"], edge["endNodeId"] = ends.get(number - 1, ""), ends.get(number + 1, "")
    for action in _actions(order):
        rename_back(action, _ACTION)


def instant_actions_in_3(message: Json) -> None:
    """Rename the fields of instant actions; in version 3 none of them ever blocks."""
    for action in message["actions"]:
        rename(action, _ACTION)
        action["blockingType"] = "NONE"


def instant_actions_from_3(message: Json) -> None:
    """Rename back.

    Raises:
        ValueError: a field that version 3 doesn't know, or an action that blocks.
    """
    for action in message["actions"]:
        rename_back(action, _ACTION)
        if action["blockingType"] != "NONE":
            raise ValueError(f"blockingType: an instant action can't be {action['blockingType']}")


def rename(fields: Json, names: Mapping[str, str]) -> None:
    """Give each of our fields its name in version 3."""
    for ours, theirs in names.items():
        if ours in fields:
            fields[theirs] = fields.pop(ours)


def rename_back(fields: Json, names: Mapping[str, str]) -> None:
    """Give each field of version 3 our name for it; ours itself is unknown there."""
    for ours, theirs in names.items():
        _refuse(fields, (ours,))
        if theirs in fields:
            fields[ours] = fields.pop(theirs)


def _refuse(fields: Json, unknown: tuple[str, ...]) -> None:
    for name in unknown:
        if name in fields:
            raise ValueError(f"{name}: version 3 has no such field")


def _actions(order: Json) -> Iterator[Json]:
    for part in (*order["nodes"], *order["edges"]):
        yield from part.get("actions", ())
