"""Travel tables at the pace that was measured: the ways stay, their seconds change."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.roads.paths import IntTable, Roads, whole
from routing.site import Edge, NodeId


class Paced:
    """Roads whose edges take longer, or less long, than planned.

    Args:
        word: the name under which an edge's pace is known.
    """

    def __init__(self, roads: Roads, word: Callable[[Edge], str]) -> None:
        self._roads = roads
        self._words: dict[str, int] = {}
        numbers = [self._words.setdefault(word(edge), len(self._words)) for edge, _ in roads.edges]
        self._word_of = np.array(numbers, dtype=np.int32)
        self._drive_s: NDArray[np.float64] = np.array([drive_s for _, drive_s in roads.edges])
        self._late_s: NDArray[np.float64] = np.zeros(len(numbers) + 1)
        self._rows: dict[NodeId | None, list[int]] = {}

    def set(self, ratios: Mapping[str, float]) -> None:
        """Let edges take so many times as long as planned, by their words; others just as long."""
        extra = np.array([ratios.get(word, 1.0) - 1.0 for word in self._words])
        self._late_s[:-1] = self._drive_s * extra[self._word_of]
        self._rows.clear()

    def seconds(self, start: NodeId | None, goal: NodeId | None) -> int:
        """Whole seconds from one node to another; `UNREACHABLE_S` where there is no way."""
        return self._row(start)[self._roads.column(goal)]

    def times(self, nodes: Sequence[NodeId | None]) -> IntTable:
        """Whole seconds between all pairs of nodes, like `Roads.times`."""
        columns = [self._roads.column(node) for node in nodes]
        rows = [self._row(node) for node in nodes]
        return tuple(tuple([row[c] for c in columns]) for row in rows)

    def _row(self, node: NodeId | None) -> list[int]:
        if node not in self._rows:
            self._rows[node] = self._new_row(node)
        return self._rows[node]

    def _new_row(self, node: NodeId | None) -> list[int]:
        """Delays summed along all ways at once, by doubling the steps back to the start."""
        if node is None:
            return self._roads.nowhere
        fan = self._roads.fan(node)
        late, back = self._late_s[fan.edge], fan.parent
        while True:
            late, further = late + late[back], back[back]
            if np.array_equal(further, back):
                return whole(np.maximum(0.0, fan.seconds + late))
            back = further
