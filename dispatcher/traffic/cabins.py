"""What a vehicle needs of lifts in whose cabins several ride together: one place, or all."""

from collections.abc import Mapping, Sequence

from dispatcher.traffic.resources import Resources
from routing.geometry import Point
from routing.roads.cabins import Cabin
from routing.site import Edge, LiftId, NodeId, Site


class Cabins(Resources):
    """The resources of a site as a vehicle needs them that fits into one place of some cabins.

    They are those of ``inner``, but of each such lift only the place that is its own now. Who
    carries what no other may be near to has all places, like those who are too large.

    Args:
        inner: as it needs them but for that.
        cabins: those that it fits into, by their nodes.
        places: the bits of the places of each lift.
        number: of the vehicle, so that not all count on the same place.
        mixed: it carries now this and now that: others count on it to need all places on its way
            home, so that what it takes on board changes nothing for them.
    """

    def __init__(
        self,
        inner: Resources,
        site: Site,
        cabins: Mapping[NodeId, Cabin],
        places: Mapping[LiftId, tuple[int, ...]],
        *,
        number: int = 0,
        mixed: bool = False,
    ) -> None:
        self.halved = inner.halved
        self._inner, self._site, self._cabins, self._mixed = inner, site, cabins, mixed
        self.places = {cabin.lift.id: places[cabin.lift.id] for cabin in cabins.values()}
        self._own = {lift: bits[number % len(bits)] for lift, bits in self.places.items()}
        self._alone = False
        self._all = sum(sum(bits) for bits in self.places.values())
        self._settle()

    def _settle(self) -> None:
        self._spare = 0 if self._alone else self._all & ~sum(self._own.values())

    # --- which place is its own ---

    @property
    def alone(self) -> bool:
        """Whether it needs all places, for what it carries."""
        return self._alone

    @alone.setter
    def alone(self, alone: bool) -> None:
        self._alone = alone
        self._settle()

    def own(self, lift: LiftId) -> int:
        """What it needs of a lift."""
        return self._own[lift]

    def take(self, lift: LiftId, bits: int) -> None:
        """These places of a lift are its own; measure its claim again."""
        self._own[lift] = bits
        self._settle()

    def find(self, node: NodeId, point: Point | None) -> int | None:
        """It stands on a node; the place in a cabin that is its own by that, all if nobody knows.

        None = the node is in no cabin that it shares.
        """
        cabin = self._cabins.get(node)
        if cabin is None:
            return None
        bits = self.places[cabin.lift.id]
        middle = self._site.nodes[node].point
        place = None if point is None else cabin.place_at(middle, point)
        self.take(cabin.lift.id, sum(bits) if place is None else bits[place])
        return self._own[cabin.lift.id]

    def spot(self, node: NodeId) -> Point | None:
        """Where it is to stand in a cabin; None = on the node itself."""
        cabin = self._cabins.get(node)
        if cabin is None or self._alone:
            return None
        bits, own = self.places[cabin.lift.id], self._own[cabin.lift.id]
        if own not in bits:
            return None
        return cabin.spot(self._site.nodes[node].point, bits.index(own))

    # --- what it needs ---

    def node(self, node: NodeId) -> int:
        """All of a node."""
        return self._inner.node(node)

    def is_enclosed(self, node: NodeId) -> bool:
        """Whether a vehicle on ``node`` is inside a lift or an air lock."""
        return self._inner.is_enclosed(node)

    def arrived(self, edge: Edge) -> int:
        """What it holds at the end of an edge."""
        return self._inner.arrived(edge) & ~self._spare

    def masks(self, edges: Sequence[Edge], ground: int, passed: int = 0) -> list[int]:
        """What each edge needs, where it holds ``ground`` of the first one's start."""
        masks = self._inner.masks(edges, self._of_inner(edges[passed:], ground), passed)
        return [mask & ~self._spare for mask in masks]

    def home_masks(self, homeward: Sequence[Edge], ground: int) -> list[int]:
        """What each edge of a way home needs."""
        if not self._mixed:
            return super().home_masks(homeward, ground)
        return self._inner.home_masks(homeward, self._of_inner(homeward, ground))

    def _of_inner(self, edges: Sequence[Edge], ground: int) -> int:
        """What it holds of the first one's start, in the words of ``inner``."""
        return self._inner.node(edges[0].start) if edges and ground & self._all else ground
