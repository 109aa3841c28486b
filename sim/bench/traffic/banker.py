"""The banker's rule as a scheme of traffic: the dispatcher's own claims, over a bare graph.

A robot's home is the room it drives to: all could get there one after another. A new trip takes
the way that is shortest if each hop takes its time once more for each other robot that is still
to come by its lane or its end.

What broke down or was closed is a long delay to it: it grants nothing to who must wait for that,
and looks for no other way. All still get home, one after another, once it works again.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count

from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.resources import Resources
from fleet.vehicle import VehicleId
from routing.site import Edge, Lane, LaneId, NodeId
from routing.traffic.spacetime import Hop, Net

LOAD = 1.0


class NetResources(Resources):
    """The resources of a net: each is the bit of its number."""

    def __init__(self) -> None:
        """There is nothing to number: names are numbers."""

    def node(self, node: NodeId) -> int:
        """What a robot that stands on ``node`` holds."""
        return 1 << int(node)

    def edge(self, edge: Edge) -> int:
        """What it needs on top to drive ``edge``."""
        return 1 << int(edge.lane.id) | 1 << int(edge.end)

    def is_enclosed(self, node: NodeId) -> bool:  # noqa: ARG002
        """A lift is but a lane: nobody stops inside."""
        return False


class Banker:
    """Grants a hop only if afterwards everybody could still get to where it goes."""

    thinks = False

    def __init__(self, net: Net) -> None:
        self._net = net
        self._resources = NetResources()
        self._claims = Claims(self._resources)
        self._robots: dict[int, Claim] = {}
        self._hops: dict[int, tuple[Hop, ...]] = {}
        self._halted: set[int] = set()
        self._closed: set[int] = set()

    def place(self, robot: int, node: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot stands on a node at the beginning."""
        name, stand = VehicleId(f"r{robot}"), NodeId(str(node))
        self._robots[robot] = self._claims.enter(name, stand, stand, ())
        self._hops[robot] = ()

    def plan(self, robot: int, goal: int, now_ms: int) -> None:  # noqa: ARG002
        """It is to drive to a room that nobody else stands in or heads for.

        Raises:
            ValueError: not everybody could get home then, which such a room rules out.
        """
        claim = self._robots[robot]
        hops = self._way(robot, int(claim.stand), goal)
        claim.home = self._resources.node(NodeId(str(goal)))
        self._hops[robot] = hops
        if not self._claims.plan(claim, [_edge(hop) for hop in hops], ()):
            raise ValueError(f"robot {robot} must not go to {goal}")

    def think_again(self, robot: int, now_ms: int) -> bool:  # noqa: ARG002
        """It keeps its way."""
        return False

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:  # noqa: ARG002
        """Who of these waiting robots sets out now, and on which hop."""
        return [
            (robot, self._next(robot))
            for robot in robots
            if self._can_go(robot) and self._claims.grant(self._robots[robot])
        ]

    def arrive(self, robot: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot has come to the end of its hop."""
        claim = self._robots[robot]
        self._claims.pass_to(claim, claim.passed + 1)

    def get_unstuck(self, robot: int, now_ms: int) -> bool:  # noqa: ARG002
        """It keeps its way."""
        return False

    def refuges(self) -> list[int]:
        """It sends nobody anywhere but to goals."""
        return []

    def halt(self, robot: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot has broken down."""
        self._halted.add(robot)

    def go_on(self, robot: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot that had broken down drives again."""
        self._halted.remove(robot)

    def close(self, lane: int, now_ms: int) -> None:  # noqa: ARG002
        """Nobody may set out on a lane."""
        self._closed.add(lane)

    def open(self, lane: int, now_ms: int) -> None:  # noqa: ARG002
        """A lane that was closed can be used again."""
        self._closed.remove(lane)

    def _next(self, robot: int) -> Hop:
        return self._hops[robot][self._robots[robot].passed]

    def _can_go(self, robot: int) -> bool:
        return robot not in self._halted and self._next(robot).lane not in self._closed

    def _way(self, robot: int, start: int, goal: int) -> tuple[Hop, ...]:
        """The shortest way, with the load of the others; it passes no room."""
        load = self._load(robot)
        number = count()
        heap = [(0.0, next(number), start, tuple[Hop, ...]())]
        seen: set[int] = set()
        while heap:
            cost, _, node, way = heappop(heap)
            if node == goal:
                return way
            if node in seen:
                continue
            seen.add(node)
            for hop in self._net.hops.get(node, ()):
                if hop.end == goal or hop.end not in self._net.rooms:
                    many = max(load.get(hop.lane, 0), load.get(hop.end, 0))
                    dearer = cost + hop.nominal_ms * (1 + LOAD * many)
                    heappush(heap, (dearer, next(number), hop.end, (*way, hop)))
        raise ValueError(f"no way from {start} to {goal}")

    def _load(self, robot: int) -> dict[int, int]:
        """How many others are still to come by each resource."""
        load: dict[int, int] = {}
        for other, claim in self._robots.items():
            if other != robot:
                for hop in self._hops[other][claim.passed :]:
                    for resource in (hop.lane, hop.end):
                        load[resource] = load.get(resource, 0) + 1
        return load


def _edge(hop: Hop) -> Edge:
    start, end = NodeId(str(hop.start)), NodeId(str(hop.end))
    lane = Lane(id=LaneId(str(hop.lane)), start=start, end=end, length_m=1.0)
    return Edge(start=start, end=end, lane=lane)
