"""Shortest ways on the roads, under the rules of one kind of vehicle.

Hygiene needs no second dimension: a vehicle's exposure is the zone of the node it stands on, so
whether an edge may be driven, and whether a stay in a decontamination station comes before it, is
a property of that edge alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import Unreachable
from routing.roads.trees import Arc, Net, Tree
from routing.site import Edge, LaneId, NodeId, Role, Site

UNREACHABLE_S = 1_000_000_000
"""Stands in a travel matrix where there is no way; larger than any sum of true times."""

IntTable = tuple[tuple[int, ...], ...]

ROLE_TRANSIT_S = 30.0
"""Longest detour, in seconds, that is preferred to passing over a charger, station or parking."""
PLACE_TRANSIT_S = 5.0
"""The same for any other place, where somebody may be loading."""


class Rules(NamedTuple):
    """What decides where a vehicle may drive and how long it takes.

    Args:
        kind: the word of the lanes for vehicles like this one.
        decontamination: whether it may be decontaminated on the way; not with goods on board.
    """

    speed_m_s: float
    width_m: float
    kind: str
    decontamination: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A drive from ``start`` along ``edges``.

    Args:
        seconds: driving, doors, lifts and decontamination; no waiting for others.
        decontaminations: indexes into ``nodes`` where it is decontaminated before it drives on.
    """

    start: NodeId
    edges: tuple[Edge, ...]
    seconds: float
    decontaminations: tuple[int, ...] = ()

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """All nodes on the way, first and last included."""
        return (self.start, *(edge.end for edge in self.edges))

    @property
    def length_m(self) -> float:
        """Metres driven; a ride in a lift is not driven."""
        return sum(edge.lane.length_m for edge in self.edges if edge.lane.lift is None)


@dataclass(frozen=True, slots=True)
class Fan:
    """Best ways from one node to all: arrays over the nodes in the order of the site.

    Args:
        seconds: infinite where there is no way.
        edge: the last edge of each way, by its number in `Roads.edges`; -1 where there is none.
        back: the nodes that lie 1, 2, 4, 8, ... edges back on each way, or at its start.
    """

    seconds: NDArray[np.float64]
    edge: NDArray[np.int32]
    back: tuple[NDArray[np.int32], ...]


class Roads:
    """The roads of a site as one kind of vehicle sees them; answers are cached.

    Args:
        closed: lanes that nobody may use now.
        avoid: nodes that a way may start or end at but not pass, such as other robots' homes.
    """

    def __init__(
        self,
        site: Site,
        rules: Rules,
        closed: frozenset[LaneId] = frozenset(),
        avoid: frozenset[NodeId] = frozenset(),
    ) -> None:
        self.site = site
        self.rules = rules
        self._ids = tuple(site.nodes)
        self._number = {node: number for number, node in enumerate(self._ids)}
        self.edges: list[tuple[Edge, float]] = []
        """All edges that may be driven, each with its seconds."""
        self.nowhere = [UNREACHABLE_S] * (len(self._ids) + 1)
        """The seconds from a spot that no road leads to, by `column`."""
        arcs = [self._arcs_from(node, closed) for node in self._ids]
        self._net = Net(arcs, [node in avoid for node in self._ids])
        self._trees: dict[tuple[NodeId, bool], Tree] = {}
        self._rows: dict[NodeId | None, tuple[list[int], list[int]]] = {}
        self._fans: dict[NodeId, Fan] = {}

    def shortest(
        self,
        start: NodeId,
        goal: NodeId,
        *,
        load: Mapping[NodeId, float] | None = None,
        lane_load: Mapping[LaneId, float] | None = None,
        clean_start: bool = False,
        shut: Mapping[LaneId, Sequence[tuple[float, float]]] | None = None,
    ) -> Way:
        """The way to prefer: quick, and not over places where others stand.

        Args:
            load: seconds to add for entering a node, to steer around busy corridors; they do
                not count in the seconds of the way. ``lane_load`` does the same for lanes.
            clean_start: it stands in a decontamination station and has been through it.
            shut: when lanes can't be driven, in seconds from the departure; it does not wait for
                one to open.

        Raises:
            Unreachable: no way under these rules; the caller leaves that task open.
        """
        tree, load, lane_load = self._tree(start, clean_start), load or {}, lane_load or {}
        way = self._way(tree, start, goal, clean_start)
        more_s = sum(
            load.get(edge.end, 0.0) + lane_load.get(edge.lane.id, 0.0) for edge in way.edges
        )
        if not shut and more_s == 0.0:
            return way  # loads only make others dearer
        source, target = self._number[start], self._number[goal]
        most_s = math.inf if shut else tree.costs[target] + more_s
        tree = self._net.between(source, target, clean_start, load, lane_load, shut or {}, most_s)
        return self._way(tree, start, goal, clean_start)

    def seconds(self, start: NodeId, goal: NodeId, *, clean_start: bool = False) -> float:
        """How long the way of `shortest` takes; raises Unreachable like it."""
        seconds = self._tree(start, clean_start).seconds[self._number[goal]]
        if seconds == math.inf:
            raise Unreachable(start, goal)
        return seconds

    def whole_seconds(self, start: NodeId | None, goal: NodeId | None) -> int:
        """One entry of `times`."""
        return self._whole_row(start)[0][self.column(goal)]

    def reaches(self, start: NodeId, goal: NodeId) -> bool:
        """Whether there is a way."""
        return self._tree(start, False).seconds[self._number[goal]] < math.inf

    def reachable(self, start: NodeId, *, clean_start: bool = False) -> frozenset[NodeId]:
        """All nodes that can be driven to from ``start``, itself included."""
        seconds = self._tree(start, clean_start).seconds
        return frozenset(node for node in self._ids if seconds[self._number[node]] < math.inf)

    def matrix(self, nodes: Sequence[NodeId]) -> NDArray[np.int64]:
        """Driving times between all pairs of nodes: see `travel_matrix`."""
        seconds, _ = self.tables(nodes)
        return np.array(seconds, dtype=np.int64).reshape(len(nodes), len(nodes))

    def distances(self, nodes: Sequence[NodeId]) -> NDArray[np.int64]:
        """Metres driven on the ways of `matrix`, in the same shape."""
        _, metres = self.tables(nodes)
        return np.array(metres, dtype=np.int64).reshape(len(nodes), len(nodes))

    def tables(self, nodes: Sequence[NodeId | None]) -> tuple[IntTable, IntTable]:
        """Whole seconds and metres between all pairs of nodes, rounded up; row = from.

        None stands for a spot that no road leads to: `UNREACHABLE_S` both ways.
        """
        return self.times(nodes), self.lengths(nodes)

    def times(self, nodes: Sequence[NodeId | None]) -> IntTable:
        """The seconds of `tables`."""
        rows = [self._whole_row(node)[0] for node in nodes]
        return at_columns(rows, [self.column(node) for node in nodes])

    def lengths(self, nodes: Sequence[NodeId | None]) -> IntTable:
        """The metres of `tables`."""
        rows = [self._whole_row(node)[1] for node in nodes]
        return at_columns(rows, [self.column(node) for node in nodes])

    def column(self, node: NodeId | None) -> int:
        """A node's place among all nodes; the last place but one more for None."""
        return len(self._ids) if node is None else self._number[node]

    def fan(self, start: NodeId) -> Fan:
        """The ways from one node to all others."""
        if start not in self._fans:
            tree = self._tree(start, False)
            last = list(enumerate(tree.arcs))
            self._fans[start] = Fan(
                np.array(tree.seconds),
                np.array([-1 if arc is None else arc.number for _, arc in last], dtype=np.int32),
                _doubled([n if arc is None else self._number[arc.edge.start] for n, arc in last]),
            )
        return self._fans[start]

    def _whole_row(self, node: NodeId | None) -> tuple[list[int], list[int]]:
        """Whole seconds and metres from one node to every node, and to nowhere."""
        if node not in self._rows:
            if node is None:
                self._rows[node] = self.nowhere, self.nowhere
            else:
                tree = self._tree(node, False)
                self._rows[node] = whole(np.array(tree.seconds)), whole(np.array(tree.metres))
        return self._rows[node]

    def _arcs_from(self, node: NodeId, closed: frozenset[LaneId]) -> tuple[Arc, ...]:
        edges = self.site.edges_from[node]
        arcs = (self._arc(edge) for edge in edges if edge.lane.id not in closed)
        return tuple(arc for arc in arcs if arc is not None)

    def _arc(self, edge: Edge) -> Arc | None:
        lane, rules, nodes = edge.lane, self.rules, self.site.nodes
        if lane.width_m < rules.width_m or (lane.kinds and rules.kind not in lane.kinds):
            return None
        service_s = None
        if nodes[edge.end].zone < nodes[edge.start].zone:
            service_s = _station_s(self.site, edge.start)
            if service_s is None or not rules.decontamination:
                return None
        drive_s = drive_seconds(self.site, edge, rules.speed_m_s)
        length_m = lane.length_m if lane.lift is None else 0.0
        aversion_s = _aversion_s(self.site, edge.end)
        self.edges.append((edge, drive_s))
        number = len(self.edges) - 1
        return Arc(self._number[edge.end], drive_s, length_m, service_s, aversion_s, edge, number)

    def _tree(self, start: NodeId, clean_start: bool) -> Tree:
        key = (start, clean_start)
        if key not in self._trees:
            self._trees[key] = self._net.from_one(self._number[start], clean_start)
        return self._trees[key]

    def _way(self, tree: Tree, start: NodeId, goal: NodeId, clean_start: bool) -> Way:
        found: list[Arc] = []
        here = goal
        while here != start:
            arc = tree.arcs[self._number[here]]
            if arc is None:
                raise Unreachable(start, goal)
            found.append(arc)
            here = arc.edge.start
        found.reverse()
        stations = [i for i, arc in enumerate(found) if arc.service_s is not None]
        return Way(
            start=start,
            edges=tuple(arc.edge for arc in found),
            seconds=tree.seconds[self._number[goal]],
            decontaminations=tuple(i for i in stations if i or not clean_start),
        )


def drive_seconds(site: Site, edge: Edge, speed_m_s: float) -> float:
    """How long one edge takes at cruise speed: the drive, its door, or the ride in its lift."""
    lane = edge.lane
    if lane.lift is not None:
        lift = site.lifts[lane.lift]
        return 2 * lift.door_s + lane.length_m / lift.speed_m_s
    door_s = site.doors[lane.door].opening_s if lane.door is not None else 0.0
    lock = site.lock_at.get(edge.start)
    if lock is not None and lane.door in lock.doors:  # the door behind it closes first
        door_s += max(site.doors[door].opening_s for door in lock.doors if door != lane.door)
    return door_s + lane.length_m / min(speed_m_s, lane.speed_limit_m_s or math.inf)


def travel_matrix(
    site: Site,
    rules: Rules,
    nodes: Sequence[NodeId],
    *,
    closed: frozenset[LaneId] = frozenset(),
    avoid: frozenset[NodeId] = frozenset(),
) -> NDArray[np.int64]:
    """Driving times between all pairs of nodes.

    Returns:
        (n, n) whole seconds, rounded up; row = from, column = to; zeros on the diagonal,
        `UNREACHABLE_S` where there is no way.
    """
    return Roads(site, rules, closed, avoid).matrix(nodes)


def _doubled(parents: Sequence[int]) -> tuple[NDArray[np.int32], ...]:
    """Who is 1, 2, 4, ... steps back from each, until all are at a start."""
    found = [np.array(parents, dtype=np.int32)]
    while not np.array_equal(further := found[-1][found[-1]], found[-1]):
        found.append(further)
    return tuple(found)


def at_columns(rows: Sequence[Sequence[int]], columns: Sequence[int]) -> IntTable:
    """What some rows have at some columns."""
    if len(columns) == 1:
        return tuple((row[columns[0]],) for row in rows)
    return tuple(map(itemgetter(*columns), rows)) if columns else ()


def whole(row: NDArray[np.float64]) -> list[int]:
    """Rounded up, `UNREACHABLE_S` for what is infinite and for what is nowhere, at the end."""
    rounded = np.where(np.isinf(row), float(UNREACHABLE_S), np.ceil(row - 1e-9))
    return [*rounded.astype(np.int64).tolist(), UNREACHABLE_S]


def _station_s(site: Site, node: NodeId) -> float | None:
    """The service of the decontamination station on a node; None where there is none."""
    for place in site.places_at.get(node, ()):
        if Role.DECONTAMINATION in place.roles:
            return place.service_s
    return None


def _aversion_s(site: Site, node: NodeId) -> float:
    places = site.places_at.get(node, ())
    if any(place.roles for place in places):
        return ROLE_TRANSIT_S
    return PLACE_TRANSIT_S if places else 0.0
