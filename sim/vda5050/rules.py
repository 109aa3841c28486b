"""What a strict robot says no to: the standard's rules for orders.

They are named with the errors of version 3.0; the robot says them in its own.

Source: VDA 5050 2.1.0, chapters 6.6.1 to 6.6.4; 3.0.0, chapters 6.1.2 and 6.1.4.
"""

import itertools
from collections.abc import Collection, Sequence
from typing import Final

from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.order_messages import Node, Order
from fleet.vda5050.orders import ACTION_TYPES
from fleet.vda5050.state_messages import ErrorReference, RobotError
from fleet.vda5050.terms import ErrorLevel
from routing.site import NodeId, Site

NODE_ACTIONS: Final = tuple(ACTION_TYPES.values())


def error(kind: str, text: str, level: str = ErrorLevel.WARNING, **about: str) -> RobotError:
    """An error as a robot reports it; ``about`` names what it is about."""
    return RobotError(
        error_type=kind,
        error_level=level,
        error_description=text,
        error_references=tuple(
            ErrorReference(reference_key=key, reference_value=value) for key, value in about.items()
        ),
    )


def refuse_new(
    order: Order, site: Site, maps: Collection[str], *, stands_at: NodeId | None
) -> RobotError | None:
    """Why a robot that is idle at ``stands_at`` (None = between nodes) can't take a new order.

    Args:
        maps: each ``mapId`` that it knows.
    """
    refused = _refuse_content(order, site, maps)
    if refused is not None:
        return refused
    if order.nodes[0].node_id != stands_at:
        text = f"first node {order.nodes[0].node_id} is out of reach from {stands_at or 'the lane'}"
        return about(ErrorType3.START_NODE_OUT_OF_RANGE, text, order)
    return None


def refuse_update(
    order: Order,
    site: Site,
    maps: Collection[str],
    *,
    update_id: int,
    last_released: Node | None,
) -> RobotError | None:
    """Why a robot that holds the same order can't take an update of it.

    Args:
        update_id: what it holds.
        last_released: where its base ends; None where the order has been cancelled.
    """
    if order.order_update_id < update_id:
        text = f"update {order.order_update_id} after {update_id}"
        return about(ErrorType3.OUTDATED_ORDER_UPDATE, text, order)
    if last_released is None:
        text = "the order has been cancelled"
        return about(ErrorType3.ORDER_UPDATE_FOLLOWING_CANCEL, text, order)
    refused = _refuse_content(order, site, maps)
    if refused is not None:
        return refused
    stitch, end = order.nodes[0], last_released
    if (stitch.node_id, stitch.sequence_id) != (end.node_id, end.sequence_id):
        text = f"begins at {stitch.node_id}, but the base ends at {end.node_id}"
        return about(ErrorType3.OUTDATED_ORDER_UPDATE, text, order)
    return None


def refuse_foreign(order: Order, holds: str) -> RobotError:
    """Why a busy robot can't take another order."""
    return about(ErrorType3.OTHER_ORDER_ACTIVE, f"busy with order {holds}", order)


def _refuse_content(order: Order, site: Site, maps: Collection[str]) -> RobotError | None:
    for kind, fault in (
        (ErrorType3.VALIDATION_FAILURE, _malformed(order)),
        (ErrorType3.UNSUPPORTED_PARAMETER, _unsupported(order)),
        (ErrorType3.INVALID_ORDER_ACTION, _impossible(order)),
        (ErrorType3.UNKNOWN_MAP_ID, _off_the_maps(order, maps)),
        (ErrorType3.NO_ROUTE_TO_TARGET, _off_the_roads(order, site)),
    ):
        if fault is not None:
            return about(kind, fault, order)
    return None


def _malformed(order: Order) -> str | None:
    nodes, edges = order.nodes, order.edges
    if len(nodes) != len(edges) + 1:
        return f"{len(nodes)} nodes do not go with {len(edges)} edges"
    start = nodes[0].sequence_id
    if [n.sequence_id for n in nodes] != list(range(start, start + 2 * len(nodes), 2)):
        return "nodes are not numbered one by one"
    if [e.sequence_id for e in edges] != list(range(start + 1, start + 2 * len(edges), 2)):
        return "edges are not numbered one by one"
    if not nodes[0].released:
        return "the first node is not released"
    for edge, a, b in zip(edges, nodes[:-1], nodes[1:], strict=True):
        if (edge.start_node_id, edge.end_node_id) != (a.node_id, b.node_id):
            return f"edge {edge.edge_id} does not join {a.node_id} and {b.node_id}"
        if b.released and not a.released:
            return f"node {b.node_id} is released beyond the horizon"
        if edge.released != b.released:
            return f"edge {edge.edge_id} and its end are not released together"
    return None


def _unsupported(order: Order) -> str | None:
    for edge in order.edges:
        if edge.actions or edge.trajectory is not None or edge.corridor is not None:
            return f"edge {edge.edge_id}: actions, trajectories and corridors are not supported"
    return None


def _impossible(order: Order) -> str | None:
    for node in order.nodes:
        for action in node.actions:
            if action.action_type not in NODE_ACTIONS:
                return f"node {node.node_id}: cannot {action.action_type}"
    return None


def _off_the_maps(order: Order, maps: Collection[str]) -> str | None:
    for node in order.nodes:
        if node.node_position is not None and node.node_position.map_id not in maps:
            return f"node {node.node_id}: there is no map {node.node_position.map_id}"
    return None


def _off_the_roads(order: Order, site: Site) -> str | None:
    ids = [NodeId(node.node_id) for node in order.nodes]
    for node in ids:
        if node not in site.nodes:
            return f"there is no node {node}"
    return _gap(ids, site)


def _gap(ids: Sequence[NodeId], site: Site) -> str | None:
    for a, b in itertools.pairwise(ids):
        if a != b and b not in [edge.end for edge in site.edges_from[a]]:
            return f"there is no road from {a} to {b}"
    return None


def about(kind: str, text: str, order: Order) -> RobotError:
    """An error about an order."""
    return error(kind, text, orderId=order.order_id, orderUpdateId=str(order.order_update_id))
