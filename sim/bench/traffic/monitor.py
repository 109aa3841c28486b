"""Watches robots drive over a graph and counts collisions; it believes no planner.

It keeps its own table of who holds what: a robot on its way holds the node it left, the lane and
the node ahead; a standing one its node.
"""

from routing.traffic.spacetime import Hop


class Monitor:
    """Follows every departure and arrival."""

    def __init__(self) -> None:
        self.collisions = 0
        self._holder: dict[int, int] = {}
        self._at: dict[int, int] = {}

    def stand(self, robot: int, node: int) -> None:
        """A robot stands on a node at the beginning."""
        self._at[robot] = node
        self._take(robot, node)

    def depart(self, robot: int, hop: Hop) -> None:
        """A robot sets out."""
        if self._at[robot] != hop.start:
            raise ValueError(f"robot {robot} is on {self._at[robot]}, not on {hop.start}")
        self._take(robot, hop.lane)
        self._take(robot, hop.end)

    def arrive(self, robot: int, hop: Hop) -> None:
        """A robot has arrived and frees what is behind it."""
        self._at[robot] = hop.end
        for resource in (hop.lane, hop.start):
            if self._holder.get(resource) == robot:
                del self._holder[resource]

    def _take(self, robot: int, resource: int) -> None:
        if self._holder.get(resource, robot) != robot:
            self.collisions += 1
        self._holder[resource] = robot
