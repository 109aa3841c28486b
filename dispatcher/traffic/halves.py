"""What a vehicle needs of lanes and nodes of which half is enough for it."""

from collections.abc import Iterable, Sequence

from dispatcher.traffic.resources import Resources
from fleet.vehicle import Position
from routing.geometry import Point
from routing.roads.passing import Half, KeepRight
from routing.site import Edge, NodeId


class Halves(Resources):
    """The resources of a site as a vehicle needs them that keeps right.

    They are those of ``whole``: who is too wide for a half needs both, with the same bits.
    """

    def __init__(self, whole: Resources, keeps: KeepRight) -> None:
        self._whole, self._keeps = whole, keeps
        self._known: dict[tuple[NodeId, NodeId, Half], int] = {}

    def node(self, node: NodeId) -> int:
        """Both halves of a node."""
        return self._whole.node(node)

    def is_enclosed(self, node: NodeId) -> bool:
        """Whether a vehicle on ``node`` is inside a lift or an air lock."""
        return self._whole.is_enclosed(node)

    def arrived(self, edge: Edge) -> int:
        """What it holds at the end of an edge."""
        return self._whole.half(edge.end, self._keeps.arrived(edge))

    def found(self, node: NodeId, position: Position | None) -> int:
        """What it holds of a node at which it stands, or that it has left on a lane."""
        if position is None:
            return self.node(node)
        return self._whole.half(node, self._keeps.half_at(node, position.point))

    def masks(self, edges: Sequence[Edge], ground: int, passed: int = 0) -> list[int]:
        """What each edge needs, where it holds ``ground`` of the first one's start."""
        ahead = edges[passed:]
        if not ahead:
            return [0] * passed
        stands = self._stands(ahead[0].start, ground)
        found = [0] * passed
        for edge in ahead:
            found.append(self._mask(edge, stands))
            stands = self._keeps.arrived(edge)
        return found

    def spots(self, start: NodeId, edges: Iterable[Edge], ground: int) -> list[Point | None]:
        """Where it is to be at the start of a way and at the end of each edge; None = on the node.

        Args:
            ground: what it holds of ``start``.
        """
        keeps = self._keeps
        ends = [keeps.spot(edge.end, keeps.arrived(edge)) for edge in edges]
        return [keeps.spot(start, self._stands(start, ground)), *ends]

    def _stands(self, node: NodeId, ground: int) -> Half:
        """The half of a node in which it stands, by what it holds of it."""
        if ground == self._whole.node(node):
            return Half.BOTH
        return Half.AHEAD if ground == self._whole.half(node, Half.AHEAD) else Half.BACK

    def _mask(self, edge: Edge, stands: Half) -> int:
        key = edge.start, edge.end, stands
        if key not in self._known:
            step, whole = self._keeps.step(edge, stands), self._whole
            self._known[key] = (
                whole.half(edge.start, step.start)
                | whole.half(edge.lane.id, step.lane)
                | whole.half(edge.end, step.end)
            )
        return self._known[key]
