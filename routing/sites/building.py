"""Open-RMF building maps (``*.building.yaml``) become sites.

A building map is a drawing: vertices in pixels (or degrees), most of them corners of walls, and
lanes between some of them, once for each navigation graph. One graph is one kind of vehicle:
lanes of a map with several graphs may be driven by kinds ``graph-0``, ``graph-1`` ... only.

Source of the rules: what rmf_traffic_editor's tools read and write; levels are put over one
another by the fiducials that they share with the reference level.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from shapely import LineString, Polygon

from routing.errors import Fault, SiteError
from routing.site import (
    Area,
    Door,
    DoorId,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Name,
    Node,
    NodeId,
    Place,
    PlaceId,
    Role,
    Site,
    Zone,
)
from routing.sites.building_file import Building, DrawnLevel, Segment, Vertex, frames, positive
from routing.sites.imported import (
    Ids,
    Imported,
    Names,
    Way,
    Ways,
    in_order,
    lanes_of,
    rounded,
    shafts,
    validated,
)
from routing.sites.marked_yaml import Marked, parse, read_text


def read_building(path: Path) -> Imported:
    """The site of an Open-RMF building map.

    Raises:
        SiteError: the file is no building map, or names vertices that it does not have.
        OSError: the file can't be read.
    """
    text, faults = read_text(path)
    if faults:
        raise SiteError(str(path), faults)
    marked = parse(text)
    building = validated(Building, marked, str(path), "Open-RMF building map")
    _check_vertices(building, marked, str(path))
    return _Importer(building, str(path)).site()


def _check_vertices(building: Building, marked: Marked, source: str) -> None:
    faults: list[Fault] = []
    for key, level in building.levels.items():
        for kind in ("lanes", "doors", "measurements"):
            segments: list[Segment] = getattr(level, kind)
            for index, segment in enumerate(segments):
                worst = max(segment.start, segment.end)
                if worst >= len(level.vertices):
                    what = f"vertex {worst} is not there; level {key} has {len(level.vertices)}"
                    line = marked.line("levels", key, kind, index)
                    faults.append(Fault(line, what, "save the map again from its editor"))
    if faults:
        raise SiteError(source, faults)


class _Importer:
    def __init__(self, building: Building, source: str) -> None:
        self._building = building
        self._source = source
        self._frame, self._outdoors, self._to_point = frames(building, source)
        self._ids = Ids()
        self._names = Names()
        self._notes: list[str] = []
        self._node_of: dict[tuple[str, int], NodeId] = {}
        self._nodes: dict[NodeId, Node] = {}
        self._places: dict[PlaceId, Place] = {}
        self._doors: dict[DoorId, Door] = {}
        self._areas: dict[str, Area] = {}
        self._ways: Ways = {}
        self._level_ids = {key: LevelId(Ids().free(key, "level")) for key in building.levels}

    def site(self) -> Imported:
        building = self._building
        levels = {
            self._level_ids[key]: Level(
                id=self._level_ids[key],
                name=Name(en=key, zh=key),
                elevation_m=level.elevation,
                outdoors=self._outdoors,
            )
            for key, level in building.levels.items()
        }
        lifts = self._lifts()
        for key, level in building.levels.items():
            self._vertices(key, level)
            self._floors(key, level)
        for key, level in building.levels.items():
            self._lanes(key, level)
        points = {node.id: node.point for node in self._nodes.values()}
        lanes, notes = lanes_of(self._ways, points, self._graphs())
        for lift in lifts.values():
            lanes |= shafts(lift, levels, self._source)
        cabins = [node for lift in lifts.values() for node in lift.cabins.values()]
        site = Site(
            id=Ids().free(building.name, "building"),
            name=Name(en=building.name or "building", zh=building.name or "building"),
            frame=self._frame,
            levels=levels,
            nodes=in_order(self._nodes.values(), self._places.values(), cabins),
            lanes=self._doors_on(lanes),
            places=self._places,
            doors=self._doors,
            lifts=lifts,
            areas=self._areas,
        )
        return Imported(site=site, notes=(*self._notes, *notes))

    def _graphs(self) -> list[str]:
        graphs = {_graph(lane) for level in self._building.levels.values() for lane in level.lanes}
        return sorted(graphs)

    # -- vertices --------------------------------------------------------------------------

    def _driven(self, key: str) -> list[int]:
        """The vertices of a level that some lane of its own length ends at, in order."""
        level = self._building.levels[key]
        ends = [end for lane in level.lanes for end in (lane.start, lane.end)]
        return sorted(set(ends))

    def _lifts(self) -> dict[LiftId, Lift]:
        """The lifts that have a cabin vertex on a lane on two levels or more."""
        cabins: dict[str, dict[LevelId, list[tuple[str, int]]]] = {}
        for key, level in self._building.levels.items():
            for index in self._driven(key):
                lift = str(level.vertices[index].properties.get("lift_cabin") or "")
                if lift:
                    at = cabins.setdefault(lift, {}).setdefault(self._level_ids[key], [])
                    at.append((key, index))
        found: dict[LiftId, Lift] = {}
        for name, levels in cabins.items():
            if len(levels) < 2:
                self._notes.append(f"lift {name} has a cabin on one level only and was left out")
                continue
            lift = LiftId(self._ids.free(name, "lift"))
            for level, vertices in levels.items():
                self._node_of |= {vertex: NodeId(f"{lift}@{level}") for vertex in vertices}
            nodes = {level: NodeId(f"{lift}@{level}") for level in levels}
            found[lift] = Lift(id=lift, name=Name(en=name, zh=name), cabins=nodes)
        left = [name for name in self._building.lifts if name not in cabins]
        if left:
            self._notes.append(f"no lane leads into these lifts, left out: {', '.join(left)}")
        return found

    def _vertices(self, key: str, level: DrawnLevel) -> None:
        driven = self._driven(key)
        for index in driven:
            vertex = level.vertices[index]
            node = self._node_of.get((key, index))
            if node is None:
                wish = vertex.name or f"{key}_v{index}"
                node = NodeId(self._ids.free(wish, f"v{index}"))
                self._node_of[key, index] = node
                self._place(node, vertex)
            if node not in self._nodes:
                point = rounded(self._to_point[key](vertex.x, vertex.y))
                self._nodes[node] = Node(id=node, level=self._level_ids[key], point=point)
        on_lane = set(driven)
        off = [v.name for i, v in enumerate(level.vertices) if v.name and i not in on_lane]
        if off:
            said = ", ".join(off[:12]) + (" ..." if len(off) > 12 else "")
            self._notes.append(f"{key}: {len(off)} named vertices are on no lane, left out: {said}")

    def _place(self, node: NodeId, vertex: Vertex) -> None:
        kind, roles = _purpose(vertex)
        if kind is None:
            return
        place = PlaceId(str(node))
        self._places[place] = Place(
            id=place,
            name=self._names.free(vertex.name or f"{kind} {node}"),
            node=node,
            kind=kind,
            roles=roles,
        )

    # -- lanes and doors -------------------------------------------------------------------

    def _lanes(self, key: str, level: DrawnLevel) -> None:
        dropped = 0
        for lane in level.lanes:
            start, end = self._node_of[key, lane.start], self._node_of[key, lane.end]
            if self._nodes[start].point == self._nodes[end].point:
                dropped += 1
                continue
            pairs = [(start, end), (end, start)]
            for pair in pairs if lane.properties.get("bidirectional") else pairs[:1]:
                way = self._ways.setdefault(pair, Way())
                way.merge(_graph(lane), positive(lane.properties.get("speed_limit")), None)
        if dropped:
            self._notes.append(f"{key}: {dropped} lanes without length were left out")

    def _doors_on(self, lanes: Mapping[LaneId, Lane]) -> dict[LaneId, Lane]:
        """The lanes, each with the door that it crosses."""
        found = dict(lanes)
        for key, level in self._building.levels.items():
            for index, door in enumerate(level.doors):
                ends = [level.vertices[end] for end in (door.start, door.end)]
                spots = [self._to_point[key](end.x, end.y) for end in ends]
                leaf = LineString([(spot.x_m, spot.y_m) for spot in spots])
                crossed = [lane for lane in self._on(key, lanes) if leaf.intersects(lane[1])]
                if crossed:
                    name = str(door.properties.get("name") or f"{key}_door_{index}")
                    self._hang(key, name, [lane for lane, _ in crossed], found)
        return found

    def _on(self, key: str, lanes: Mapping[LaneId, Lane]) -> Iterator[tuple[LaneId, LineString]]:
        for lane in lanes.values():
            start, end = self._nodes[lane.start], self._nodes[lane.end]
            if start.level == end.level == self._level_ids[key]:
                a, b = start.point, end.point
                yield lane.id, LineString([(a.x_m, a.y_m), (b.x_m, b.y_m)])

    def _hang(self, key: str, name: str, crossed: list[LaneId], lanes: dict[LaneId, Lane]) -> None:
        door = DoorId(self._ids.free(name, "door"))
        self._doors[door] = Door(id=door, name=Name(en=name, zh=name), level=self._level_ids[key])
        for lane in crossed:
            if lanes[lane].door:
                said = f"{lane} crosses doors {lanes[lane].door} and {door}; the first one counts"
                self._notes.append(said)
            else:
                lanes[lane] = replace(lanes[lane], door=door)

    def _floors(self, key: str, level: DrawnLevel) -> None:
        for number, floor in enumerate(level.floors, start=1):
            corners = [level.vertices[i] for i in floor.vertices if 0 <= i < len(level.vertices)]
            outline = tuple(rounded(self._to_point[key](v.x, v.y)) for v in corners)
            if len(outline) < 3 or not Polygon([(p.x_m, p.y_m) for p in outline]).is_valid:
                continue
            area = self._ids.free(f"{key}_floor_{number}", "floor")
            self._areas[area] = Area(
                id=area,
                name=Name(en=f"{key} floor {number}", zh=f"{key} 楼面 {number}"),
                level=self._level_ids[key],
                kind="building",
                zone=Zone.CLEAN,
                outline=outline,
            )


def _purpose(vertex: Vertex) -> tuple[str | None, frozenset[Role]]:
    """What kind of place a vertex is, None if it is only a bend of the road."""
    roles: set[Role] = set()
    if vertex.says("is_charger"):
        roles.add(Role.CHARGER)
    if vertex.says("is_parking_spot"):
        roles.add(Role.PARKING)
    if vertex.says("pickup_dispenser"):
        kind = "pickup"
    elif vertex.says("dropoff_ingestor"):
        kind = "dropoff"
    elif roles:
        kind = "charger" if Role.CHARGER in roles else "parking"
    elif vertex.says("is_cleaning_zone"):
        kind = "cleaning"
    elif vertex.name:
        kind = "room"
    else:
        kind = "holding" if vertex.says("is_holding_point") else None
    return kind, frozenset(roles)


def _graph(lane: Segment) -> str:
    return f"graph-{lane.properties.get('graph_idx') or 0}"
