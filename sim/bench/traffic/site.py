"""Sites as graphs of the traffic model: the same buildings that the dispatcher drives in.

Rooms are places at the end of one lane that is driven both ways: who stands there is in nobody's
way. A place with several lanes, such as a decontamination station on the only way out of a wing,
is a node to drive through, and its service takes time on the way in. Places without a lane, such
as pads of drones, are left out, and so are lanes that only some kinds of vehicle may use.

A ride is one hop from the node before one door of a lift to the node behind another, and all of
a lift is one resource: nobody stops inside, and whoever rides has where to get out. So cabins
are no nodes. Zones are left out; where they matter the lanes of a site are one-way.
"""

from collections.abc import Iterator
from pathlib import Path

from routing.errors import SiteError
from routing.roads.paths import drive_seconds
from routing.site import Edge, NodeId, Role, Site
from routing.sites.site_yaml import load
from routing.traffic.spacetime import Hop, Net
from sim.bench.traffic.graph import Graph, WrongGraph, read_graph, require_ways

SPEED_M_S = 1.0


def read_building(path: Path) -> Graph:
    """The graph in a file: of a site if it is YAML, else as `read_graph` reads it.

    Raises:
        WrongGraph: see there; or there is no such site, or none with rooms to drive between.
    """
    if path.suffix not in {".yaml", ".yml"}:
        return read_graph(path)
    try:
        graph = site_graph(load(path))
    except OSError as error:
        raise WrongGraph(f"{path}: {error.strerror or error}; name a site file") from error
    except SiteError as error:
        raise WrongGraph(str(error)) from error
    require_ways(path, graph)
    return graph


def site_graph(site: Site) -> Graph:
    """The graph of a site.

    Raises:
        WrongGraph: it has fewer than two rooms.
    """
    cabins = set(site.lift_at)
    edges = [edge for edges in site.edges_from.values() for edge in edges if not edge.lane.kinds]
    nodes = [node for node in site.nodes if node not in cabins]
    number = {node: n for n, node in enumerate(nodes)}
    resource = {lane: n for n, lane in enumerate((*site.lanes, *site.lifts), len(nodes))}
    hops = [
        Hop(number[e.start], number[e.end], _ms(site, e), resource[e.lane.id])
        for e in edges
        if e.start not in cabins and e.end not in cabins
    ]
    for lift in site.lifts.values():
        inside = set(lift.cabins.values())
        for way in _rides(edges, inside):
            start, end = number[way[0].start], number[way[-1].end]
            if start != end:
                ms = sum(_ms(site, edge) for edge in way)
                hops.append(Hop(start, end, ms, resource[lift.id]))
    rooms = [node for node in nodes if node in site.places_at and _is_end(edges, node)]
    if len(rooms) < 2:
        raise WrongGraph(
            f"{site.id} has {len(rooms)} rooms where robots stand in nobody's way, and traffic "
            "needs two; give it places that are joined by one two-way lane"
        )
    return Graph(
        name=site.id,
        net=Net(_quickest(hops), [number[room] for room in rooms]),
        rooms=tuple(sorted(number[room] for room in rooms)),
        lifts=tuple(resource[lift] for lift in site.lifts),
        names={n: _name(site, node) for node, n in number.items()},
    )


def _rides(edges: list[Edge], inside: set[NodeId]) -> Iterator[tuple[Edge, Edge, Edge]]:
    """In by one door, up or down, and out by another."""
    into = [edge for edge in edges if edge.end in inside and edge.start not in inside]
    within = {(e.start, e.end): e for e in edges if e.start in inside and e.end in inside}
    out = [edge for edge in edges if edge.start in inside and edge.end not in inside]
    for first in into:
        for last in out:
            ride = within.get((first.end, last.start))
            if ride is not None:
                yield first, ride, last


def _ms(site: Site, edge: Edge) -> int:
    """How long it takes; at least a millisecond."""
    stations = (p for p in site.places_at.get(edge.end, ()) if Role.DECONTAMINATION in p.roles)
    service_s = sum(place.service_s for place in stations)
    return max(1, round(1000 * (drive_seconds(site, edge, SPEED_M_S) + service_s)))


def _is_end(edges: list[Edge], node: NodeId) -> bool:
    leaves = [edge for edge in edges if edge.start == node]
    comes = [edge for edge in edges if edge.end == node]
    return len(leaves) == len(comes) == 1 and leaves[0].lane is comes[0].lane


def _quickest(hops: list[Hop]) -> list[Hop]:
    """One hop of those between two nodes on one resource."""
    best: dict[tuple[int, int, int], Hop] = {}
    for hop in hops:
        key = hop.start, hop.end, hop.lane
        if key not in best or hop.nominal_ms < best[key].nominal_ms:
            best[key] = hop
    return list(best.values())


def _name(site: Site, node: NodeId) -> str:
    places = site.places_at.get(node, ())
    return places[0].id if places else node
