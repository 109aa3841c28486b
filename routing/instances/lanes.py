"""Driving times where nobody has measured them: shortest ways over the lanes of the graph."""

from collections.abc import Sequence
from math import dist, inf

import networkx as nx

from routing.instances.allocation_file import AllocationFile


def driving_times(file: AllocationFile, waypoints: Sequence[int]) -> tuple[tuple[float, ...], ...]:
    """Seconds between waypoints: straight length / speed, plus the lift's time where one is.

    Returns:
        Row = from, column = to, in the order of ``waypoints``; inf = no way. Without turning and
        acceleration, so robots take longer.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(file.graph.waypoints)))
    spots = [(waypoint.x, waypoint.y) for waypoint in file.graph.waypoints]
    for lane in file.graph.lanes:
        drive_s = dist(spots[lane.start], spots[lane.goal]) / file.robot.v + lane.lift_s
        known_s = graph.get_edge_data(lane.start, lane.goal, {"weight": inf})["weight"]
        graph.add_edge(lane.start, lane.goal, weight=min(drive_s, known_s))
    reach = {
        waypoint: nx.single_source_dijkstra_path_length(graph, waypoint) for waypoint in waypoints
    }
    return tuple(tuple(reach[a].get(b, inf) for b in waypoints) for a in waypoints)
