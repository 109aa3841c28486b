"""The road graph as plain numbers: what traffic benchmarks and traces speak.

Nodes 0..n-1 are resources of the same number; then comes one resource for each lane, then one
for each lift, which all of its lanes share.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.site import NodeId, Site

_FORMAT = (
    "nodes 0..n-1 are capacity-1 resources with the same number; edges "
    "[from,to,nominal_ms,resource]; two directed edges sharing a resource number form a "
    "one-lane stretch; lift edges between floors share one resource per lift"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadGraph:
    """The roads of a site, numbered in the order of the site."""

    name: str
    fastest_m_s: float
    names: tuple[NodeId, ...]
    """The node of each number."""
    numbers: Mapping[NodeId, int]
    """The number of each node."""
    resources: int
    rooms: tuple[int, ...]
    """Nodes that have a place and a road."""
    lift_resources: tuple[int, ...]
    lift_nodes: tuple[tuple[int, ...], ...]
    """The cabin nodes of each lift."""
    edges: tuple[tuple[int, int, int, int], ...]
    """From, to, nominal milliseconds, resource."""
    kinds: Mapping[int, tuple[str, ...]]
    """The kinds of vehicle of those lane resources that are not open to all."""
    levels: tuple[str, ...]
    """The level of each node."""

    def to_json(self) -> dict[str, object]:
        """The graph as a JSON object, in the form of the traffic benchmarks."""
        floors = len(set(self.levels))
        return {
            "name": self.name,
            "params": {
                "floors": floors,
                "lifts": [list(nodes) for nodes in self.lift_nodes],
                "fastest_m_s": self.fastest_m_s,
            },
            "format": _FORMAT,
            "nodes": len(self.names),
            "resources": self.resources,
            "rooms": list(self.rooms),
            "lift_resources": list(self.lift_resources),
            "edges": [list(edge) for edge in self.edges],
            "names": list(self.names),
            "levels": list(self.levels),
            "kinds": {str(resource): list(kinds) for resource, kinds in self.kinds.items()},
        }


def road_graph(site: Site, fastest_m_s: float = 1.5) -> RoadGraph:
    """The roads of ``site`` as numbers.

    Args:
        fastest_m_s: speed of the fastest vehicle, > 0; a lane's own limit caps it. Lifts have
            their own speed; the time of their doors is not in it.
    """
    if fastest_m_s <= 0:
        raise ValueError(f"fastest_m_s must be positive, not {fastest_m_s}")
    numbers = {node: number for number, node in enumerate(site.nodes)}
    plain = [lane for lane in site.lanes.values() if not lane.lift]
    resource_of = {lane.id: len(numbers) + index for index, lane in enumerate(plain)}
    first_lift = len(numbers) + len(plain)
    lift_resource = {lift: first_lift + index for index, lift in enumerate(site.lifts)}
    edges: list[tuple[int, int, int, int]] = []
    for node, leaving in site.edges_from.items():
        for edge in leaving:
            lane = edge.lane
            if lane.lift:
                speed_m_s, resource = site.lifts[lane.lift].speed_m_s, lift_resource[lane.lift]
            else:
                speed_m_s = min(fastest_m_s, lane.speed_limit_m_s or fastest_m_s)
                resource = resource_of[lane.id]
            nominal_ms = max(1, round(lane.length_m / speed_m_s * 1000))
            edges.append((numbers[node], numbers[edge.end], nominal_ms, resource))
    driven = {number for edge in edges for number in edge[:2]}
    rooms = {numbers[place.node] for place in site.places.values()} & driven
    return RoadGraph(
        name=site.id,
        fastest_m_s=fastest_m_s,
        names=tuple(site.nodes),
        numbers=numbers,
        resources=first_lift + len(lift_resource),
        rooms=tuple(sorted(rooms)),
        lift_resources=tuple(lift_resource.values()),
        lift_nodes=tuple(
            tuple(numbers[node] for node in lift.cabins.values()) for lift in site.lifts.values()
        ),
        edges=tuple(edges),
        kinds={resource_of[lane.id]: tuple(sorted(lane.kinds)) for lane in plain if lane.kinds},
        levels=tuple(str(node.level) for node in site.nodes.values()),
    )
