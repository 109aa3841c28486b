"""What people order on roads for a while: lanes closed, driven slowly, or one way only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from routing.roads.paths import Roads
from routing.site import Edge, Lane, LaneId, NodeId, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadRules:
    """All that is in force at one moment, on top of what the site file says."""

    closed: frozenset[LaneId] = frozenset()
    limits_m_s: Mapping[LaneId, float] = field(default_factory=dict[LaneId, float])
    """> 0; a lane's own limit holds as well."""
    one_way: Mapping[LaneId, NodeId] = field(default_factory=dict[LaneId, NodeId])
    """The node to which each of these lanes may be driven."""

    def allow(self, edge: Edge) -> bool:
        """Whether a lane may be driven in this direction."""
        lane = edge.lane.id
        return lane not in self.closed and self.one_way.get(lane, edge.end) == edge.end


def ruled(site: Site, rules: RoadRules) -> Site:
    """The site with its lanes slow and one way as ``rules`` have them; closed ones stay in it."""
    if not rules.limits_m_s and not rules.one_way:
        return site
    touched = rules.limits_m_s.keys() | rules.one_way.keys()
    lanes = {
        id_: _ruled(lane, rules) if id_ in touched else lane for id_, lane in site.lanes.items()
    }
    return replace(site, lanes=lanes)


def _ruled(lane: Lane, rules: RoadRules) -> Lane:
    limit_m_s, end = rules.limits_m_s.get(lane.id), rules.one_way.get(lane.id, lane.end)
    if limit_m_s is not None:
        own_m_s = lane.speed_limit_m_s
        lane = replace(
            lane, speed_limit_m_s=limit_m_s if own_m_s is None else min(own_m_s, limit_m_s)
        )
    if lane.id in rules.one_way:
        start = lane.start if end == lane.end else lane.end
        lane = replace(lane, start=start, end=end, two_way=False)
    return lane


def homecomers(roads: Roads, home: NodeId, barred: frozenset[NodeId]) -> frozenset[NodeId]:
    """The nodes to which a vehicle gets from its home, and home again from there.

    Args:
        barred: nodes on which a way may begin and end, but over which none leads.
    """
    back: dict[NodeId, list[NodeId]] = {}
    for edge, _ in roads.edges:
        back.setdefault(edge.end, []).append(edge.start)
    found, rest = {home: None}, [home]
    while rest:
        here = rest.pop()
        for before in back.get(here, ()):
            if before not in found:
                found[before] = None
                if before not in barred:
                    rest.append(before)
    return roads.reachable(home) & found.keys()
