"""Missions as VDA 5050 orders, and clearances as updates of them. Pure functions.

One mission is one order; its id is the order's. Waypoint *i* of the route has ``sequenceId`` 2 *i*,
the edge to it 2 *i* - 1. What the clearance releases is the base, the rest of the route the
horizon. An update begins at the last node that was released before, with the same content, and
adds to the base or replaces the horizon. The mission's actions stand at the last node, so no node
that an update begins at ever has any.

Source: VDA 5050 2.1.0, chapters 6.6.1 to 6.6.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from msgspec import structs
from pydantic.alias_generators import to_camel

from fleet.mission import Action, ActionKind, Mission, Waypoint
from fleet.vda5050 import order_messages as vda
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.state_messages import State
from fleet.vda5050.terms import BlockingType

ACTION_TYPES: Final[Mapping[ActionKind, str]] = {
    ActionKind.LOAD: "pick",
    ActionKind.UNLOAD: "drop",
    ActionKind.CHARGE: "startCharging",
    ActionKind.STOP_CHARGING: "stopCharging",
    ActionKind.DISINFECT: "disinfect",
    ActionKind.OBSERVE: "observe",
    ActionKind.DECONTAMINATE: "decontaminate",
}
"""The last three are ours; ``docs/reference/vda5050.md`` says what a robot should do."""


_parameter_key = cache(to_camel)

MESSAGE_PARTS_KEPT = 4096
"""Each update says again what it does not change: nodes and edges are kept to be said again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One order message without its header, and what it promises.

    Args:
        released: how many waypoints of the route the base has, from its very first.
        stops: how many nodes the whole order has, seen from its very first.
        complete: it ends the order: nothing may be added.
        horizon: ids of the nodes shown beyond the base.
        work: the mission's actions, as every message that reaches its last node has them; None =
            not put into words yet.
    """

    order_id: str
    update_id: int
    released: int
    stops: int
    complete: bool
    horizon: tuple[str, ...]
    nodes: tuple[vda.Node, ...] = ()
    edges: tuple[vda.Edge, ...] = ()
    work: tuple[vda.Action, ...] | None = None


def first(
    mission: Mission, route: Sequence[Waypoint], released: int, config: Vda5050Config
) -> Draft:
    """The message that gives a robot a new order."""
    return _draft(mission, route, 0, released, 0, config, None)


def update(
    last: Draft,
    mission: Mission,
    route: Sequence[Waypoint],
    released: int,
    config: Vda5050Config,
) -> Draft | None:
    """The message that follows ``last``, of the same mission; None where nothing is new.

    Where the route was cut off at a node that is in the base already, work remains to be done
    there, and the base may not change: the node is then named once more at the end.

    Raises:
        ValueError: the route goes on beyond the end of a complete order.
    """
    if last.complete:
        if len(route) > last.stops:
            raise ValueError(f"{mission.id}: the order is complete, it can't get a longer route")
        return None
    stops = tuple(route)
    if mission.actions and last.released >= len(route):
        stops = (*route[: last.released], route[-1])
        released = len(stops)
    released = max(released, last.released)
    start, number = last.released - 1, last.update_id + 1
    draft = _draft(mission, stops, start, released, number, config, last.work)
    same = draft.released == last.released and draft.horizon == last.horizon
    return None if same and draft.complete == last.complete else draft


def held(mission: Mission, route: Sequence[Waypoint], state: State) -> Draft | None:
    """What a robot holds of ``mission``'s order, as its state tells it.

    None where it drives other nodes than ``route`` has: then it can't be followed.
    """
    last = state.last_node_sequence_id
    nodes = {node.sequence_id: node for node in state.node_states if node.sequence_id > last}
    base = max((s for s, node in nodes.items() if node.released), default=last)
    end = max(nodes, default=last)
    stops = tuple(route)
    if base == 2 * len(route):
        stops = (*route, route[-1])
    if base % 2 or base // 2 >= len(stops):
        return None
    told = {**{s: n.node_id for s, n in nodes.items() if n.released}, last: state.last_node_id}
    if any(sequence % 2 or stops[sequence // 2].node != node for sequence, node in told.items()):
        return None
    return Draft(
        order_id=mission.id,
        update_id=state.order_update_id,
        released=base // 2 + 1,
        stops=end // 2 + 1,
        complete=base // 2 + 1 == len(stops) and end == base,
        horizon=tuple(node.node_id for s, node in sorted(nodes.items()) if s > base),
    )


def index_of(draft: Draft, route: Sequence[Waypoint], state: State) -> int | None:
    """Index of the waypoint that the robot has reached; None where that can't be told.

    A node named twice at the order's end counts as the one waypoint that it is.
    """
    index, odd = divmod(state.last_node_sequence_id, 2)
    if odd or index >= max(draft.stops, len(route)):
        return None
    index = min(index, len(route) - 1)
    return index if route[index].node == state.last_node_id else None


def instant(action_type: str, action_id: str, /, **parameters: str) -> vda.Action:
    """An action to be done at once; parameters in snake_case."""
    blocking = BlockingType.HARD if action_type == "cancelOrder" else BlockingType.NONE
    return vda.Action(
        action_type=action_type,
        action_id=action_id,
        blocking_type=blocking,
        action_parameters=tuple(
            vda.ActionParameter(key=_parameter_key(key), value=value)
            for key, value in parameters.items()
        )
        or None,
    )


def _draft(
    mission: Mission,
    stops: Sequence[Waypoint],
    start: int,
    released: int,
    update_id: int,
    config: Vda5050Config,
    work: tuple[vda.Action, ...] | None,
) -> Draft:
    if work is None:
        work = tuple(_action(action, config) for action in mission.actions)
    room = start + (config.max_order_nodes or len(stops))
    base = min(released, room)
    horizon = len(stops) if config.horizon_nodes is None else config.horizon_nodes
    end = min(len(stops), base + horizon, room)
    nodes: list[vda.Node] = []
    edges: list[vda.Edge] = []
    for index in range(start, end):
        actions = work if index == len(stops) - 1 else ()
        if index > start:
            edges.append(_edge(index, stops[index - 1], stops[index], index < base))
        nodes.append(_node(index, stops[index], index < base, actions, config))
    return Draft(
        order_id=mission.id,
        update_id=update_id,
        released=base,
        stops=end,
        complete=base == len(stops),
        horizon=tuple(stop.node for stop in stops[base:end]),
        nodes=tuple(nodes),
        edges=tuple(edges),
        work=work,
    )


def _node(
    index: int,
    waypoint: Waypoint,
    released: bool,
    actions: tuple[vda.Action, ...],
    config: Vda5050Config,
) -> vda.Node:
    deviation_m = config.deviation_m
    if index == 0 and config.start_deviation_m is not None:
        deviation_m = config.start_deviation_m
    elif deviation_m is not None and waypoint.slack_m is not None:
        deviation_m = min(deviation_m, waypoint.slack_m)
    map_id = config.maps.get(waypoint.level, waypoint.level)
    x_m, y_m = waypoint.point.x_m, waypoint.point.y_m
    node = _bare_node(waypoint.node, 2 * index, released, x_m, y_m, deviation_m, map_id)
    return structs.replace(node, actions=actions) if actions else node


def _edge(index: int, start: Waypoint, end: Waypoint, released: bool) -> vda.Edge:
    lane = end.lane or f"{start.node}~{end.node}"
    return _bare_edge(lane, 2 * index - 1, released, start.node, end.node, end.speed_limit_m_s)


# What is kept goes by names and numbers alone: hashing a whole waypoint takes as long as the rest.


@lru_cache(MESSAGE_PARTS_KEPT)
def _bare_node(
    node: str,
    sequence: int,
    released: bool,
    x_m: float,
    y_m: float,
    deviation_m: float | None,
    map_id: str,
) -> vda.Node:
    position = vda.NodePosition(
        x=round(x_m, 4), y=round(y_m, 4), allowed_deviation_xy=deviation_m, map_id=map_id
    )
    return vda.Node(node_id=node, sequence_id=sequence, released=released, node_position=position)


@lru_cache(MESSAGE_PARTS_KEPT)
def _bare_edge(
    edge: str, sequence: int, released: bool, start: str, end: str, max_speed: float | None
) -> vda.Edge:
    return vda.Edge(
        edge_id=edge,
        sequence_id=sequence,
        released=released,
        start_node_id=start,
        end_node_id=end,
        max_speed=max_speed,
    )


def _action(action: Action, config: Vda5050Config) -> vda.Action:
    kind = ACTION_TYPES[action.kind]
    told = {_parameter_key(key): value for key, value in action.facts.items()}
    if config.send_durations and action.duration_s > 0:
        told["duration"] = round(action.duration_s, 3)
    told |= config.action_parameters.get(kind, {})
    parameters = tuple(vda.ActionParameter(key=key, value=value) for key, value in told.items())
    return vda.Action(
        action_type=kind,
        action_id=action.id,
        blocking_type=config.blocking.get(kind, BlockingType.HARD),
        action_parameters=parameters or None,
        retriable=True if config.v3 and config.retries else None,
    )
