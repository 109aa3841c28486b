"""Best ways over roads by numbers: Dijkstra's search, and no farther than it has to look.

Source: Dijkstra, Numerische Mathematik 1, 1959; the lower bounds are those of A*: Hart, Nilsson
and Raphael, IEEE Transactions on Systems Science and Cybernetics 4(2), 1968.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.site import Edge, LaneId, NodeId

Spans = Mapping[LaneId, Sequence[tuple[float, float]]]
"""When lanes can't be driven, in seconds from the departure."""

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Arc:
    """An edge that the vehicle may drive, by node numbers."""

    end: int
    drive_s: float
    length_m: float
    service_s: float | None
    """Decontamination before it; None = it needs none."""
    aversion_s: float
    """What is added to keep ways off the node at its end."""
    edge: Edge
    number: int
    """Its place in `Roads.edges`."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Best ways from one node: what it takes to each node, and the arc that leads to it."""

    costs: list[float]
    """The seconds, and whatever was added to keep ways off nodes and lanes."""
    seconds: list[float]
    metres: list[float]
    arcs: list[Arc | None]


class Net:
    """The roads as one kind of vehicle may drive them.

    Args:
        arcs: from each node.
        barred: nodes that a way may start or end at but not pass.
    """

    def __init__(self, arcs: Sequence[Sequence[Arc]], barred: Sequence[bool]) -> None:
        self._arcs, self._barred = arcs, barred
        self._back: list[list[tuple[int, float]]] = [[] for _ in arcs]
        """The arcs to each node: where they come from, and what they cost at the least."""
        for here, outward in enumerate(arcs):
            for arc in outward:
                cost_s = arc.drive_s + (arc.service_s or 0.0) + arc.aversion_s
                self._back[arc.end].append((here, cost_s))
        self._ahead: dict[int, list[float]] = {}

    def from_one(self, source: int, clean_start: bool) -> Tree:
        """The best ways to everywhere; equal ways: lowest number."""
        nothing = [0.0] * len(self._arcs)
        return self._grow(source, -1, clean_start, {}, {}, {}, nothing, math.inf)

    def between(
        self,
        source: int,
        target: int,
        clean_start: bool,
        load: Mapping[NodeId, float],
        lane_load: Mapping[LaneId, float],
        shut: Spans,
        most_s: float,
    ) -> Tree:
        """The best way to one node, equal ways: lowest number; only that one is to be read.

        Args:
            load: seconds to add for entering a node; ``lane_load`` does the same for lanes.
            shut: it does not wait for a lane to open.
            most_s: what the best way costs at the most, as far as that is known.
        """
        ahead = self._costs_to(target)
        return self._grow(source, target, clean_start, load, lane_load, shut, ahead, most_s)

    def _grow(
        self,
        source: int,
        target: int,
        clean_start: bool,
        load: Mapping[NodeId, float],
        lane_load: Mapping[LaneId, float],
        shut: Spans,
        ahead: Sequence[float],
        most_s: float,
    ) -> Tree:
        """Dijkstra's search; who can't get from a node to the target for ``most_s`` passes by."""
        count = len(self._arcs)
        costs = [math.inf] * count
        tree = Tree(costs, [math.inf] * count, [math.inf] * count, [None] * count)
        costs[source] = tree.seconds[source] = tree.metres[source] = 0.0
        heap, most_s = [(0.0, source)], most_s + _ROUNDING_S
        while heap:
            so_far_s, here = heapq.heappop(heap)
            if here == target:
                break
            if so_far_s > costs[here] or (self._barred[here] and here != source):
                continue
            for arc in self._arcs[here]:
                takes_s, end = arc.drive_s, arc.end
                if arc.service_s and not (clean_start and here == source):
                    takes_s += arc.service_s
                there_s = so_far_s + takes_s + arc.aversion_s
                if there_s >= costs[end] or there_s + ahead[end] > most_s:
                    continue
                if shut and _meets(shut.get(arc.edge.lane.id), tree.seconds[here], takes_s):
                    continue
                if load:
                    there_s += load.get(arc.edge.end, 0.0)
                if lane_load:
                    there_s += lane_load.get(arc.edge.lane.id, 0.0)
                if there_s < costs[end]:
                    costs[end] = there_s
                    tree.seconds[end] = tree.seconds[here] + takes_s
                    tree.metres[end] = tree.metres[here] + arc.length_m
                    tree.arcs[end] = arc
                    heapq.heappush(heap, (there_s, end))
        return tree

    def _costs_to(self, target: int) -> list[float]:
        """What the way from each node to one costs at the least."""
        if target not in self._ahead:
            costs = self._ahead[target] = [math.inf] * len(self._arcs)
            costs[target] = 0.0
            heap = [(0.0, target)]
            while heap:
                so_far_s, here = heapq.heappop(heap)
                if so_far_s > costs[here]:
                    continue
                for before, takes_s in self._back[here]:
                    if so_far_s + takes_s < costs[before]:
                        costs[before] = so_far_s + takes_s
                        heapq.heappush(heap, (costs[before], before))
        return self._ahead[target]


def _meets(spans: Sequence[tuple[float, float]] | None, enters_s: float, takes_s: float) -> bool:
    """Whether a drive falls into one of these spans."""
    return spans is not None and any(a < enters_s + takes_s and enters_s < b for a, b in spans)
