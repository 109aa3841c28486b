"""What a master says: orders, and actions to do at once. Their camelCase ends here.

One model for versions 2.0, 2.1 and 3.0, with the names of version 2; `fleet.vda5050.dialects`
renames what goes out. It is strict: unknown fields and values are errors.

Source: VDA 5050, versions 2.0.0, 2.1.0 and 3.0.0, and their JSON schemas.
"""

from typing import Annotated, Final

from msgspec import Meta, field

from fleet.vda5050.codec import Codec, Strict
from fleet.vda5050.terms import BlockingType


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


ORDER: Final = Codec(Order, spelled={"allowedDeviationXy": "allowedDeviationXY"})
INSTANT_ACTIONS: Final = Codec(InstantActions, spelled={"instantActions": "actions"})
