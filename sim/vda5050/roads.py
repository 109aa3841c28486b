"""The lanes that a simulated robot is told to drive, found on its own map and minded as it must."""

import math
from dataclasses import replace

from fleet.vda5050 import order_messages as vda
from routing.geometry import Point
from routing.site import Edge, NodeId, Site
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

_SAME_M = 0.001


class Roads:
    """What an order's nodes and edges are on the robot's own map, by the zones that it knows."""

    def __init__(self, body: GroundBody, site: Site, zones: ZoneBook) -> None:
        self._body, self._site, self._zones = body, site, zones

    def edge(self, told: vda.Edge) -> Edge:
        """The lane as it is on the map."""
        return self._site.edge(NodeId(told.start_node_id), NodeId(told.end_node_id))

    def road(self, told: vda.Edge) -> Edge:
        """The lane that it is told to drive, no faster than it is told; or the one it is on."""
        edge = self.edge(told)
        on = self._body.edge
        if on is not None and (on.start, on.end) == (edge.start, edge.end):
            return on
        own_m_s = edge.lane.speed_limit_m_s or math.inf
        told_m_s = min(told.max_speed or math.inf, self._zones.limit_m_s(edge))
        if told_m_s >= own_m_s:
            return edge
        return replace(edge, lane=replace(edge.lane, speed_limit_m_s=told_m_s))

    def beside(self, told: vda.Node) -> Point | None:
        """Where it is told to be at a node, if that is not where the node is on its own map."""
        position, own = told.node_position, self._site.nodes[NodeId(told.node_id)].point
        if position is None:
            return None
        point = Point(position.x, position.y)
        return point if point.distance_m(own) > _SAME_M else None

    def barred(self, told: vda.Edge) -> str | None:
        """Why its zones bar an edge; None = they don't, or it only stays where it is."""
        return self._zones.barred(self.edge(told)) if is_driven(told) else None

    def may_drive(self, told: vda.Edge) -> bool:
        """Whether its zones let it."""
        if not is_driven(told):
            return True
        road = self.edge(told)
        return self._zones.may_enter(road) and self._zones.barred(road) is None


def is_driven(told: vda.Edge) -> bool:
    """Whether an edge leads to another node."""
    return told.start_node_id != told.end_node_id
