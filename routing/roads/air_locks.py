"""Air locks: which nodes lie between the doors that are never open together."""

from collections.abc import Collection, Iterable, Sequence

import networkx as nx

from routing.site import DoorId, Lane, NodeId


def between(
    doors: Collection[DoorId], lanes: Iterable[Lane], cabins: Collection[NodeId]
) -> tuple[tuple[NodeId, ...], str]:
    """The space that all of these doors lead into, and that is no larger than what lies outside.

    Cabins are shut off by doors of their own, so a lift may stand in an air lock.

    Returns:
        The nodes in the order of the lanes, and ""; or none, and what is wrong.
    """
    lanes = list(lanes)
    order = {node: n for n, node in enumerate(n for lane in lanes for n in (lane.start, lane.end))}
    parts = _parts(doors, lanes, cabins)
    part_of = {node: number for number, part in enumerate(parts) for node in part}
    met = {door: _met(door, lanes, part_of) for door in doors}
    idle = next((door for door, numbers in met.items() if not numbers), None)
    if idle is not None:
        return (), f"no lane goes through its door {idle!r}"
    largest = max(len(parts[number]) for numbers in met.values() for number in numbers)
    common = set.intersection(*met.values())
    if not common:
        return (), "its doors lead into no common space"
    spaces = sorted((len(parts[number]), number) for number in common)
    if len(spaces) > 1 and spaces[0][0] == spaces[1][0]:
        return (), "its doors lead into two spaces of one size, and either could be its inside"
    size, number = spaces[0]
    if size == largest > 1:
        return (), "what lies between its doors is larger than what lies outside"
    return tuple(sorted(parts[number], key=order.__getitem__)), ""


def _parts(
    doors: Collection[DoorId], lanes: Sequence[Lane], cabins: Collection[NodeId]
) -> list[set[NodeId]]:
    roads: nx.Graph[NodeId] = nx.Graph()
    for lane in lanes:
        roads.add_nodes_from((lane.start, lane.end))
        opens = lane.lift is not None or lane.door in doors
        if not opens and lane.start not in cabins and lane.end not in cabins:
            roads.add_edge(lane.start, lane.end)
    return [set(part) for part in nx.connected_components(roads)]


def _met(door: DoorId, lanes: Iterable[Lane], part_of: dict[NodeId, int]) -> set[int]:
    ends = (end for lane in lanes if lane.door == door for end in (lane.start, lane.end))
    return {part_of[end] for end in ends}
