"""VDMA layouts (Layout Interchange Format, ``*.lif.json``) become sites.

A LIF edge has one direction and says which vehicle types may use it; two opposite edges for the
same types are one two-way lane here. Stations become places, one on each of their interaction
nodes; nodes where vehicles charge become chargers. Node ids stay what they are on the wire.

Source of the keys: the LIF of March 2024, which VDA 5050 names for the import of layouts.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from routing.errors import Fault, SiteError
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import Level, LevelId, Name, Node, NodeId, Place, PlaceId, Role, Site
from routing.sites.imported import Ids, Imported, Names, Way, Ways, in_order, lanes_of, validated
from routing.sites.marked_yaml import Marked, read_text

_STOREY_M = 4.0
"""LIF has no heights: each further level is put this much above the one before."""
_CHARGING = {"startcharging", "stopcharging", "charge"}
_KINDS = {"pick": "pickup", "load": "pickup", "drop": "dropoff", "unload": "dropoff"}
_SAMPLES = 64
"""Straight pieces that stand for one curved trajectory."""


class _Foreign(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False
    )


class _Position(_Foreign):
    x: float
    y: float
    weight: float = 1.0


class _Action(_Foreign):
    actionType: str


class _NodeType(_Foreign):
    vehicleTypeId: str
    actions: list[_Action] = []


class _Node(_Foreign):
    nodeId: str
    nodeName: str | None = None
    nodePosition: _Position
    vehicleTypeNodeProperties: list[_NodeType] = []

    def actions(self) -> set[str]:
        return {a.actionType.lower() for t in self.vehicleTypeNodeProperties for a in t.actions}


class _Trajectory(_Foreign):
    degree: int = Field(default=3, ge=1, le=10)
    knotVector: list[float]
    controlPoints: list[_Position]


class _EdgeType(_Foreign):
    vehicleTypeId: str
    maxSpeed: float | None = None
    trajectory: _Trajectory | None = None


class _Edge(_Foreign):
    edgeId: str
    startNodeId: str
    endNodeId: str
    vehicleTypeEdgeProperties: list[_EdgeType] = []


class _Station(_Foreign):
    stationId: str
    interactionNodeIds: list[str]
    stationName: str | None = None


class _Layout(_Foreign):
    layoutId: str
    layoutName: str | None = None
    layoutLevelId: str | None = None
    nodes: list[_Node]
    edges: list[_Edge]
    stations: list[_Station]


class _Meta(_Foreign):
    projectIdentification: str = "layout"


class _Lif(_Foreign):
    metaInformation: _Meta
    layouts: list[_Layout] = Field(min_length=1)


def read_lif(path: Path) -> Imported:
    """The site of a VDMA layout file.

    Raises:
        SiteError: the file is no LIF, or names nodes that it does not have.
        OSError: the file can't be read.
    """
    text, faults = read_text(path)
    if faults:
        raise SiteError(str(path), faults)
    lif = validated(_Lif, _json(text), str(path), "VDMA layout (LIF)")
    return _Importer(lif, str(path)).site()


def _json(text: str) -> Marked:
    try:
        return Marked(json.loads(text), (), None)
    except json.JSONDecodeError as error:
        fault = Fault(error.lineno, f"this is not JSON: {error.msg}", "export the layout again")
    except RecursionError:
        fault = Fault(0, "nested too deep", "export the layout again")
    return Marked(None, (fault,), None)


class _Importer:
    def __init__(self, lif: _Lif, source: str) -> None:
        self._lif = lif
        self._source = source
        self._ids = Ids()
        self._names = Names()
        self._faults: list[Fault] = []
        self._notes: list[str] = []
        self._levels: dict[LevelId, Level] = {}
        self._level_ids: dict[str, LevelId] = {}
        self._node_ids: dict[str, NodeId] = {}
        self._nodes: dict[NodeId, Node] = {}
        self._places: dict[PlaceId, Place] = {}
        self._ways: Ways = {}
        self._types = sorted(_types(lif))

    def site(self) -> Imported:
        for layout in self._lif.layouts:
            self._layout(layout)
        for layout in self._lif.layouts:
            self._edges(layout)
            self._stations(layout)
        for layout in self._lif.layouts:
            self._chargers(layout)
        if self._faults:
            raise SiteError(self._source, self._faults)
        points = {node.id: node.point for node in self._nodes.values()}
        lanes, notes = lanes_of(self._ways, points, self._types)
        title = self._lif.metaInformation.projectIdentification or "layout"
        site = Site(
            id=Ids().free(title, "layout"),
            name=Name(en=title, zh=title),
            frame=LocalFrame(GeoPoint(0.0, 0.0)),
            levels=self._levels,
            nodes=in_order(self._nodes.values(), self._places.values(), ()),
            lanes=lanes,
            places=self._places,
        )
        return Imported(site=site, notes=(*self._notes, *notes))

    def _layout(self, layout: _Layout) -> None:
        key = layout.layoutLevelId or layout.layoutId
        if key not in self._level_ids:
            taken = Ids()
            for level in self._levels:
                taken.free(level, level)
            level = LevelId(taken.free(key, "level"))
            self._level_ids[key] = level
            height_m = _STOREY_M * len(self._levels)
            title = layout.layoutName or key
            name = Name(en=title, zh=title)
            self._levels[level] = Level(id=level, name=name, elevation_m=height_m)
            if height_m:
                said = f"level {level} was put at {height_m:g} m: layouts don't tell heights"
                self._notes.append(said)
        for node in layout.nodes:
            if node.nodeId in self._node_ids:
                self._fault(f"node {node.nodeId!r} is there twice", "rename one of the two")
                continue
            found = NodeId(self._ids.free(node.nodeId, "node"))
            if found != node.nodeId:
                self._notes.append(f"node {node.nodeId!r} is called {found} here")
            self._node_ids[node.nodeId] = found
            point = Point(node.nodePosition.x, node.nodePosition.y)
            self._nodes[found] = Node(id=found, level=self._level_ids[key], point=point)

    def _edges(self, layout: _Layout) -> None:
        for edge in layout.edges:
            start, end = self._node(edge.startNodeId, edge), self._node(edge.endNodeId, edge)
            if start is None or end is None:
                continue
            a, b = self._nodes[start], self._nodes[end]
            if a.level != b.level:
                said = f"edge {edge.edgeId} joins two levels and was left out; draw a lift there"
                self._notes.append(said)
            elif a.point == b.point:
                self._notes.append(f"edge {edge.edgeId} has no length and was left out")
            else:
                way = self._ways.setdefault((start, end), Way())
                for use in edge.vehicleTypeEdgeProperties:
                    length_m = curve_length_m(use.trajectory) if use.trajectory else None
                    way.merge(use.vehicleTypeId, use.maxSpeed, length_m)
                if not edge.vehicleTypeEdgeProperties:
                    way.kinds.update(self._types)

    def _node(self, key: str, edge: _Edge) -> NodeId | None:
        if key not in self._node_ids:
            self._fault(f"edge {edge.edgeId!r} names node {key!r}, which is not there", "add it")
        return self._node_ids.get(key)

    def _stations(self, layout: _Layout) -> None:
        nodes = {node.nodeId: node for node in layout.nodes}
        for station in layout.stations:
            for key in station.interactionNodeIds:
                node = nodes.get(key)
                if node is None:
                    what = f"station {station.stationId!r} names node {key!r}, which is not there"
                    self._fault(what, "add the node to the station's layout")
                    continue
                place = PlaceId(self._ids.free(station.stationId, "station"))
                title = station.stationName or station.stationId
                self._add(place, title, node)

    def _chargers(self, layout: _Layout) -> None:
        served = {place.node for place in self._places.values()}
        for node in layout.nodes:
            own = self._node_ids[node.nodeId]
            if _CHARGING & node.actions() and own not in served:
                self._add(PlaceId(str(own)), node.nodeName or node.nodeId, node)

    def _add(self, place: PlaceId, title: str, node: _Node) -> None:
        actions = node.actions()
        charges = bool(_CHARGING & actions)
        kinds = [_KINDS[action] for action in sorted(actions) if action in _KINDS]
        self._places[place] = Place(
            id=place,
            name=self._names.free(title),
            node=self._node_ids[node.nodeId],
            kind=kinds[0] if kinds else "charger" if charges else "station",
            roles=frozenset({Role.CHARGER}) if charges else frozenset(),
        )

    def _fault(self, what: str, remedy: str) -> None:
        self._faults.append(Fault(0, what, remedy))


def _types(lif: _Lif) -> Iterator[str]:
    """The vehicle types that any edge names."""
    found = {
        use.vehicleTypeId
        for layout in lif.layouts
        for edge in layout.edges
        for use in edge.vehicleTypeEdgeProperties
    }
    yield from sorted(found)


def curve_length_m(trajectory: _Trajectory) -> float | None:
    """Length of a NURBS trajectory in metres; None if its knots don't fit its points."""
    degree, knots = trajectory.degree, trajectory.knotVector
    points = trajectory.controlPoints
    fits = len(knots) == len(points) + degree + 1 and len(points) > degree
    if not fits or any(a > b for a, b in pairwise(knots)):
        return None
    low, high = knots[degree], knots[len(points)]
    if high <= low:
        return None
    at = [low + (high - low) * step / _SAMPLES for step in range(_SAMPLES + 1)]
    spots = [_curve_point(points, knots, degree, u) for u in at]
    return sum(a.distance_m(b) for a, b in pairwise(spots))


def _curve_point(
    points: Sequence[_Position], knots: Sequence[float], degree: int, u: float
) -> Point:
    """A point of a rational B-spline, by de Boor's recursion in homogeneous coordinates."""
    last = len(points) - 1
    span = max((k for k in range(degree, last + 1) if knots[k] <= u), default=degree)
    near = points[span - degree : span + 1]
    held = [(p.x * p.weight, p.y * p.weight, p.weight) for p in near]
    for level in range(1, degree + 1):
        for j in range(degree, level - 1, -1):
            i = span - degree + j
            width = knots[i + degree - level + 1] - knots[i]
            t = (u - knots[i]) / width if width else 0.0
            before, here = held[j - 1], held[j]
            held[j] = (
                (1 - t) * before[0] + t * here[0],
                (1 - t) * before[1] + t * here[1],
                (1 - t) * before[2] + t * here[2],
            )
    x, y, weight = held[degree]
    return Point(x / weight, y / weight) if weight else Point(near[-1].x, near[-1].y)
