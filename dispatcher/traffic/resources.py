"""What can be held: the nodes, lanes, lifts and air locks of a site, each a bit of a whole number.

So a set operation over a whole building is one machine instruction or a few.
"""

from collections.abc import Iterable, Sequence

from routing.roads.passing import Half, axes
from routing.site import Edge, LiftId, NodeId, Site

NOWHERE = -1
"""The need of a vehicle that can't move or knows no way home: every resource there is."""

Homeward = tuple[Edge, ...] | None
"""The way home from the end of a vehicle's way; None = there is none."""


def union(masks: Iterable[int]) -> int:
    """All that is in any of these."""
    found = 0
    for mask in masks:
        found |= mask
    return found


class Resources:
    """Numbers the resources of a site: nodes and lanes one each, a lift with all its cabins one.

    A lift with room is as many as its cabin has places. An air lock is one too: all that is inside,
    and the lanes through its doors. A passing lane, and a node on the axis of two, is two: its
    halves.
    """

    halved = False
    """Whether vehicles pass each other anywhere."""

    def __init__(self, site: Site) -> None:
        self._bits: dict[str, int] = {}
        self._count = 0
        self.places: dict[LiftId, tuple[int, ...]] = {}
        """The places in the cabins of lifts with room."""
        for lift in site.lifts.values():
            places = [self._new() for _ in range(lift.room.robots if lift.room else 1)]
            bit = sum(places)
            if lift.room is not None:
                self.places[lift.id] = tuple(places)
            for cabin in lift.cabins.values():
                self._bits[cabin] = bit
            for lane in site.lanes.values():
                if lane.lift == lift.id:
                    self._bits[lane.id] = bit
        for lock in site.air_locks.values():
            bit, inside = self._new(), set(lock.inside)
            self._bits.update(dict.fromkeys(lock.inside, bit))
            for lane in site.lanes.values():
                if lane.door in lock.doors or {lane.start, lane.end} <= inside:
                    self._bits[lane.id] = bit
        halved = axes(site).keys() | {lane.id for lane in site.lanes.values() if lane.passing}
        self._halves: dict[str, tuple[int, int]] = {}
        for name in (*site.nodes, *site.lanes):
            if name in halved:
                ahead, back = self._halves[name] = self._new(), self._new()
                self._bits[name] = ahead | back
            elif name not in self._bits:
                self._bits[name] = self._new()
        self.halved = bool(halved)
        self._enclosed = frozenset(site.lift_at) | frozenset(site.lock_at)

    def _new(self) -> int:
        self._count += 1
        return 1 << self._count

    def node(self, node: NodeId) -> int:
        """What a vehicle that stands on ``node`` holds."""
        return self._bits[node]

    def half(self, name: str, half: Half) -> int:
        """Half of a node or lane, or all of it."""
        if half is Half.BOTH:
            return self._bits[name]
        return 0 if half is Half.NONE else self._halves[name][half is Half.BACK]

    def arrived(self, edge: Edge) -> int:
        """What a vehicle holds of a node to which it has come along ``edge``."""
        return self.node(edge.end)

    def edge(self, edge: Edge) -> int:
        """What a vehicle needs, on top of where it stands, to drive ``edge``."""
        return self._bits[edge.lane.id] | self._bits[edge.end]

    def masks(self, edges: Sequence[Edge], ground: int, passed: int = 0) -> list[int]:  # noqa: ARG002
        """What each edge of a way needs.

        Args:
            ground: what it holds of the node at which the first of ``edges[passed:]`` begins.
            passed: edges behind it, whose masks say nothing.
        """
        return [self.edge(edge) for edge in edges]

    def way(self, edges: Sequence[Edge], ground: int) -> int:
        """All that a way needs beyond its first node, of which a vehicle holds ``ground``."""
        return union(self.masks(edges, ground))

    def home_masks(self, homeward: Sequence[Edge], ground: int) -> list[int]:
        """What each edge of a way home needs."""
        return self.masks(homeward, ground)

    def is_enclosed(self, node: NodeId) -> bool:
        """Whether a vehicle on ``node`` is inside a lift or an air lock."""
        return node in self._enclosed

    def stretches(self, edges: Sequence[Edge]) -> list[int]:
        """Up to which edge a grant from each edge on reaches, and once more for the end.

        A lift or air lock is granted only with the way out.
        """
        count = len(edges)
        found = [count + 1]
        for end in range(count, 0, -1):
            inside = end < count and self.is_enclosed(edges[end - 1].end)
            found.append(found[-1] if inside else end)
        found.reverse()
        return found
