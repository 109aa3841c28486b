"""One vehicle in the traffic: what it has been granted and told, and the words of its ways."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dispatcher.traffic.cabins import Cabins
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.halves import Halves
from fleet.mission import Clearance, Waypoint
from fleet.vehicle import VehicleSpec
from routing.refusal import Refusal
from routing.roads.cabins import SPARE_M
from routing.roads.passing import SLACK_M
from routing.site import DoorId, Edge, LiftId, NodeId, Site


def chain(site: Site, start: NodeId, nodes: Iterable[NodeId]) -> tuple[Edge, ...]:
    """The edges from ``start`` over ``nodes``, as far as there are such edges."""
    edges: list[Edge] = []
    for node in nodes:
        here = edges[-1].end if edges else start
        edge = next((edge for edge in site.edges_from[here] if edge.end == node), None)
        if edge is None:
            break
        edges.append(edge)
    return tuple(edges)


def waypoints(site: Site, start: NodeId, edges: Iterable[Edge]) -> tuple[Waypoint, ...]:
    """A way in the words of a mission, its first node included."""
    first = site.nodes[start]
    route = [Waypoint(node=first.id, level=first.level, point=first.point)]
    for edge in edges:
        node = site.nodes[edge.end]
        route.append(
            Waypoint(
                node=node.id,
                level=node.level,
                point=node.point,
                lane=edge.lane.id,
                speed_limit_m_s=edge.lane.speed_limit_m_s,
            )
        )
    return tuple(route)


@dataclass(slots=True)
class Pilot:
    """One vehicle's hand on doors and lifts."""

    spec: VehicleSpec
    claim: Claim
    halves: Halves | None = None
    """What it needs where it passes others; None = it never does."""
    cabins: Cabins | None = None
    """What it needs where it shares cabins with others; None = it never does."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever anybody has moved on."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there are other roads."""
    clearance: Clearance | None = None
    doors: dict[int, DoorId] = field(default_factory=dict[int, DoorId])
    """Doors held open, by the edge that leads through them."""
    behind: list[DoorId] = field(default_factory=list[DoorId])
    """Doors to let go of."""
    lift: LiftId | None = None
    left: tuple[Edge, ...] = ()
    """What it was told on its last drive and has not driven: it may still do so."""
    told: int = 0
    """Edges of the next drive that a former process has released already."""
    again: list[int] = field(default_factory=list[int])
    """Edges that a former process released, whose door or lift must be asked for once more."""
    flees: bool = False
    """Is on its way out of people's way."""
    halting: bool = False
    """Is to stop as soon as it is outside lifts."""
    since_s: float = 0.0
    """Since when it waits for its next stretch."""
    asked_s: float = 0.0
    """Since when it asks for a way that it is not given."""
    ride_s: tuple[float, float] = (0.0, 0.0)
    """Seconds planned and measured for getting into the lift that it is in."""
    goal: NodeId | None = None
    goods: frozenset[str] = frozenset()
    """The classes of what it has on board; told only where lanes have windows."""
    shut_out: Refusal | None = None
    """What it waits for, if that is a window of the day."""

    def stood_on(self) -> tuple[NodeId, ...]:
        """Where it stands, and wherever it may still drive by itself."""
        claim = self.claim
        ahead = (*claim.edges[claim.passed : claim.granted], *self.left)
        return claim.stand, *(edge.end for edge in ahead)

    def route(self, site: Site, start: NodeId, edges: Sequence[Edge]) -> tuple[Waypoint, ...]:
        """A way in the words of its mission, as it drives it.

        It is on the right where others pass, and at its own place in a cabin that others share.
        """
        route = waypoints(site, start, edges)
        if self.halves is not None:
            stands = start == self.claim.stand and not self.claim.passed
            whole = not stands or start in site.lift_at
            ground = self.halves.node(start) if whole else self.claim.ground
            spots = self.halves.spots(start, edges, ground)
            route = tuple(
                waypoint if spot is None else replace(waypoint, point=spot, slack_m=SLACK_M)
                for waypoint, spot in zip(route, spots, strict=True)
            )
        return route if self.cabins is None else tuple(map(self._in_cabin, route))

    def _in_cabin(self, waypoint: Waypoint) -> Waypoint:
        spot = None if self.cabins is None else self.cabins.spot(waypoint.node)
        return waypoint if spot is None else replace(waypoint, point=spot, slack_m=SPARE_M)
