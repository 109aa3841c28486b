"""Judges whether bodies come too near to each other; it knows where they drive, and no claims."""

from fleet.vehicle import VehicleId
from routing.site import Edge, NodeId, Site
from sim.world.bodies import GroundBody
from sim.world.outlines import swept
from sim.world.world import Observer, World


class Collisions(Observer):
    """Two bodies on or towards one node, on one lane, or in one lift.

    A body has its node; while it drives also the lane and the node ahead. Of a lift it has all,
    from the lobby before to the lobby after. On a passing lane, and at its ends, there is room for
    several: there it is judged by what they really cover from now to the ends of their legs,
    however slowly or quickly each of them gets on.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._holder: dict[str, GroundBody] = {}
        self._roomy = {thing: dict[VehicleId, GroundBody]() for thing in _roomy(world.site)}
        self._claims: dict[tuple[NodeId, NodeId], tuple[str, ...]] = {}
        for body in world.ground.values():
            for thing in self._standing(body.node):
                self._take(body, thing)

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """It takes the lane and the node ahead."""
        beside: dict[VehicleId, str] = {}
        for thing in self._of(edge):
            self._take(body, thing)
            for other in self._roomy.get(thing, ()):
                beside.setdefault(other, thing)
        for other, thing in beside.items():
            if other != body.id:
                self._judge(body, self._world.ground[other], thing)

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        """It gives up all but the node where it stands."""
        keeps = self._standing(edge.end)
        for thing in self._of(edge):
            if thing in keeps:
                continue
            if self._holder.get(thing) is body:
                del self._holder[thing]
            if thing in self._roomy:
                self._roomy[thing].pop(body.id, None)

    def _take(self, body: GroundBody, thing: str) -> None:
        if thing in self._roomy:
            self._roomy[thing][body.id] = body
            return
        other = self._holder.setdefault(thing, body)
        if other is not body:
            self._meet(body, other, thing)
            self._holder[thing] = body

    def _judge(self, body: GroundBody, other: GroundBody, thing: str) -> None:
        if swept(body).intersects(swept(other)):
            self._meet(body, other, thing)

    def _meet(self, body: GroundBody, other: GroundBody, thing: str) -> None:
        self._world.violate("collision", f"{body.id} meets {other.id}: {thing}")

    def _standing(self, node: NodeId) -> tuple[str, ...]:
        lift = self._world.site.lift_at.get(node)
        here = f"node {node}"
        return (here,) if lift is None else (here, f"lift {lift.id}")

    def _of(self, edge: Edge) -> tuple[str, ...]:
        key = (edge.start, edge.end)
        claims = self._claims.get(key)
        if claims is None:
            ends = (*self._standing(edge.start), *self._standing(edge.end))
            claims = tuple(dict.fromkeys((*ends, f"lane {edge.lane.id}")))
            self._claims[key] = claims
        return claims


def _roomy(site: Site) -> list[str]:
    """The passing lanes, and the nodes at their ends."""
    lanes = [lane for lane in site.lanes.values() if lane.passing]
    nodes = dict.fromkeys(node for lane in lanes for node in (lane.start, lane.end))
    return [*(f"lane {lane.id}" for lane in lanes), *(f"node {node}" for node in nodes)]
