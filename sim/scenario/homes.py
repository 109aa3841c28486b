"""Where vehicles can live on a site that nobody has prepared for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx as nx

from fleet.vehicle import Medium
from routing.site import Edge, NodeId, Place, PlaceId, Role, Site

AT_MOST = 6
"""How many vehicles ``count: auto`` gives."""
LEAST_PLACES = 3
"""A road network with fewer places is no use to anybody."""


@dataclass(frozen=True, slots=True)
class Berth:
    """A home for one vehicle, and the word of the lanes for who may drive there.

    Args:
        kind: None where the lanes don't ask.
    """

    home: PlaceId
    kind: str | None = None


def find_berths(
    site: Site, medium: Medium, *, width_m: float, taken: Iterable[PlaceId] = ()
) -> list[Berth]:
    """All homes that vehicles could have at the same time, the best first.

    On the ground these are parking places and chargers, dead ends and chargers first, chosen so
    that all other places can still be driven between without passing over anybody's home; in the
    air they are pads.

    Args:
        taken: homes that are given away already.
    """
    gone = frozenset(taken)
    if medium is Medium.AIR:
        pads = sorted(site.with_role(Role.PAD), key=lambda pad: Role.CHARGER not in pad.roles)
        return [Berth(pad.id) for pad in pads if pad.id not in gone]
    networks = [_Network(site, kind, width_m, gone) for kind in _kinds(site)]
    most = max((len(network.served()) for network in networks), default=0)
    networks = [n for n in networks if len(n.served()) >= max(LEAST_PLACES, most / 2)]
    queues = list(networks)
    found: list[Berth] = []
    while queues:
        for network in tuple(queues):
            place = network.next_home(networks)
            if place is None:
                queues.remove(network)
            else:
                found.append(Berth(place, network.kind))
                for other in networks:
                    other.give_away(place)
    return found


def shared_out(total: int, groups: int) -> list[int]:
    """``total`` things for ``groups`` takers, the first ones first."""
    return [total // groups + (number < total % groups) for number in range(groups)]


class _Network:
    """The roads of one kind of vehicle, as a graph."""

    def __init__(
        self, site: Site, kind: str | None, width_m: float, taken: frozenset[PlaceId]
    ) -> None:
        self.kind = kind
        self._site = site
        self._graph: nx.DiGraph[NodeId] = nx.DiGraph()
        self._graph.add_nodes_from(site.nodes)
        for edges in site.edges_from.values():
            self._graph.add_edges_from(
                (e.start, e.end) for e in edges if _may_drive(site, e, kind, width_m)
            )
        homes = {*site.with_role(Role.PARKING), *site.with_role(Role.CHARGER)}
        wanted = [p for p in site.places.values() if p in homes and Role.PAD not in p.roles]
        self._homes: set[NodeId] = {site.places[place].node for place in taken}
        self._left = sorted((p for p in wanted if p.id not in taken), key=self._rank)

    def served(self) -> frozenset[NodeId]:
        """The nodes with places that can be driven between, nobody's home being passed over."""
        return self._served(self._homes)

    def next_home(self, networks: Sequence["_Network"]) -> PlaceId | None:
        """The next best home that cuts nothing off in any network; None if there is none left."""
        while self._left:
            place = self._left.pop(0)
            if self._reaches(place) and all(n.can_spare(place) for n in networks):
                return place.id
        return None

    def can_spare(self, place: Place) -> bool:
        """Whether all others could still get about if somebody lived at ``place``."""
        if place.node in self._homes:
            return False
        kept = self._served({*self._homes, place.node})
        return len(kept) >= LEAST_PLACES and not self._served(self._homes) - {place.node} - kept

    def give_away(self, place: PlaceId) -> None:
        """Somebody lives there now."""
        self._homes.add(self._site.places[place].node)

    def _reaches(self, place: Place) -> bool:
        """Whether one gets from there to the others, and back."""
        island = self._island({*self._homes, place.node})
        leaves = any(node in island for node in self._graph.successors(place.node))
        return leaves and any(node in island for node in self._graph.predecessors(place.node))

    def _served(self, homes: set[NodeId]) -> frozenset[NodeId]:
        return self._island(homes) & self._site.places_at.keys()

    def _island(self, homes: set[NodeId]) -> frozenset[NodeId]:
        """The strongly connected part with the most places."""
        free = self._graph.subgraph([node for node in self._graph if node not in homes])
        stands = self._site.places_at
        parts = [frozenset(part) for part in nx.strongly_connected_components(free)]
        return max(parts, key=lambda p: (len(p & stands.keys()), len(p)), default=frozenset())

    def _rank(self, place: Place) -> tuple[bool, bool, int]:
        ways = len({*self._graph.successors(place.node), *self._graph.predecessors(place.node)})
        return ways > 1, Role.CHARGER not in place.roles, ways


def _kinds(site: Site) -> Sequence[str | None]:
    kinds = sorted({kind for lane in site.lanes.values() for kind in lane.kinds})
    return kinds or (None,)


def _may_drive(site: Site, edge: Edge, kind: str | None, width_m: float) -> bool:
    lane = edge.lane
    if lane.width_m < width_m or (lane.kinds and kind not in lane.kinds):
        return False
    if site.nodes[edge.end].zone >= site.nodes[edge.start].zone:
        return True
    places = site.places_at.get(edge.start, ())
    return any(Role.DECONTAMINATION in place.roles for place in places)
