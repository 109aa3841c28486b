"""From the shape of a site file to the `Site`: ids get their things, nodes their zones."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations, pairwise
from pathlib import Path

from shapely import Point as ShapelyPoint
from shapely import Polygon

from routing.air.relief import relief_m
from routing.errors import Fault, RasterError
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.roads.air_locks import between
from routing.site import (
    AirLock,
    AirLockId,
    Airspace,
    AirspaceId,
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
    Workcell,
    WorkcellId,
    Zone,
)
from routing.sites.file import (
    AirLockFile,
    AreaFile,
    LevelFile,
    LiftFile,
    NameFile,
    PassengersFile,
    PlaceFile,
    SiteFile,
    WindowFile,
    WorkcellFile,
)
from routing.sites.marked_yaml import Step
from routing.terrain import Terrain, read_terrain
from routing.windows import PassengersFirst, Window, faults

Spot = tuple[float, float]
LineOf = Callable[..., int]
Key = tuple[str, str]
"""What a line belongs to: ``("place", "pharmacy")``."""


class ZoneMap:
    """The zones that areas give to the spots within them."""

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        self._rings: dict[LevelId, list[tuple[Polygon, Zone]]] = {}
        for area in areas:
            self.add(area)

    def add(self, area: Area) -> bool:
        """Take one more area; False if its outline is no polygon."""
        ring = Polygon([(point.x_m, point.y_m) for point in area.outline])
        sound = bool(ring.is_valid and ring.area > 0)
        if sound:
            self._rings.setdefault(area.level, []).append((ring, area.zone))
        return sound

    def at(self, level: LevelId, point: Point) -> Zone:
        """The zone of the smallest area around a spot; clean where there is none."""
        spot = ShapelyPoint(point.x_m, point.y_m)
        rings = self._rings.get(level, ())
        around = [(ring.area, zone) for ring, zone in rings if ring.covers(spot)]
        return min(around)[1] if around else Zone.CLEAN


class SiteBuilder:
    """Builds one site, collecting what does not fit together.

    Args:
        file: what the text says.
        line: gives the line of a path in the text.
        lost: ids that were dropped for a fault of their own; None = any id may be one.
        folder: where the files are that the text names; None = here.
    """

    def __init__(
        self,
        file: SiteFile,
        line: LineOf,
        lost: frozenset[str] | None,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder or Path()
        self.faults: list[Fault] = []
        self.lines: dict[Key, int] = {}
        self._file = file
        self._line = line
        self._lost = lost
        self._nodes: dict[NodeId, Node] = {}
        self._lanes: dict[LaneId, Lane] = {}
        self._places: dict[PlaceId, Place] = {}
        self._doors: dict[DoorId, Door] = {}
        self._workcells: dict[WorkcellId, Workcell] = {}
        self._areas: dict[str, Area] = {}
        self._zones = ZoneMap()

    def build(self) -> Site:
        """The site, as far as the text is sound; look at ``faults`` before using it."""
        file = self._file
        for key, level in file.levels.items():
            self._stand(LevelId(key), level)
        for key, lift in file.lifts.items():
            self._cabins(key, lift)
        for key, level in file.levels.items():
            self._join(LevelId(key), level)
        lifts = {LiftId(key): self._lift(LiftId(key), lift) for key, lift in file.lifts.items()}
        anchor = GeoPoint(file.anchor.lat_deg, file.anchor.lon_deg)
        airspaces = {AirspaceId(key): self._airspace(key) for key in file.air}
        terrain, relief_m = self._terrain(airspaces.values())
        return Site(
            id=file.site,
            name=_name(file.name),
            frame=LocalFrame(anchor, file.anchor.bearing_deg),
            levels={LevelId(key): _level(key, level) for key, level in file.levels.items()},
            nodes=self._nodes,
            lanes=self._lanes,
            places=self._places,
            doors=self._doors,
            lifts=lifts,
            workcells=self._workcells,
            air_locks=self._air_locks(lifts.values()),
            areas=self._areas,
            airspaces=airspaces,
            terrain=terrain,
            relief_m=relief_m,
        )

    def _terrain(self, airspaces: Iterable[Airspace]) -> tuple[Terrain | None, tuple[float, float]]:
        """The raster of the ground, and the lowest and highest ground below the air."""
        file, flat = self._file.terrain, (0.0, 0.0)
        if file is None:
            return None, flat
        try:
            terrain = read_terrain(self._folder / file.raster, file.keep_agl_m)
            pads = [self._nodes[p.node].point for p in self._places.values() if Role.PAD in p.roles]
            return terrain, relief_m(terrain, list(airspaces), pads)
        except RasterError as error:
            self._fault(("terrain", "raster"), error.what, error.remedy)
            return None, flat

    # -- things that stand somewhere -------------------------------------------------------

    def _stand(self, level: LevelId, file: LevelFile) -> None:
        for index, area in enumerate(file.areas):
            self._area(level, index, area)
        for key, door in file.doors.items():
            if self._new("door", key, self._doors, ("levels", level, "doors", key)):
                self._doors[DoorId(key)] = Door(
                    id=DoorId(key), name=_name(door.name), level=level, opening_s=door.opening_s
                )
        for key, cell in file.workcells.items():
            self._workcell(key, level, cell)
        for key, node in file.nodes.items():
            self._node(key, level, node.at, node.zone, ("levels", level, "nodes", key))
        for key, place in file.places.items():
            if place.at is not None:
                self._node(key, level, place.at, place.zone, ("levels", level, "places", key))

    def _workcell(self, key: str, level: LevelId, file: WorkcellFile) -> None:
        path, id_ = ("levels", level, "workcells", key), WorkcellId(key)
        if not self._new("workcell", key, self._workcells, path):
            return
        if file.limit_s <= file.handover_s:
            what = f"workcell {key!r} may take {file.limit_s:g} s and takes {file.handover_s:g} s"
            self._fault((*path, "limit_s"), what, "raise limit_s well above handover_s")
        self._workcells[id_] = Workcell(
            id=id_,
            name=_name(file.name),
            level=level,
            dispenses="dispenses" in file.does,
            ingests="ingests" in file.does,
            handover_s=file.handover_s,
            limit_s=file.limit_s,
        )

    def _area(self, level: LevelId, index: int, file: AreaFile) -> None:
        path = ("levels", level, "areas", index)
        if (file.rect is None) == (file.outline is None):
            remedy = "give it either rect: [x0, y0, x1, y1] or outline: [[x, y], ...]"
            self._fault(path, f"area {file.id!r} needs one shape", remedy)
            return
        if not self._new("area", file.id, self._areas, path):
            return
        outline = _points(file.outline or _corners(file.rect or (0, 0, 0, 0)))
        area = Area(
            id=file.id,
            name=_name(file.name),
            level=level,
            kind=file.kind,
            zone=Zone[file.zone.upper()],
            outline=outline,
        )
        self._areas[file.id] = area
        if not self._zones.add(area):
            remedy = "give the corners in order, without crossing lines"
            self._fault(path, f"the outline of area {file.id!r} is no polygon", remedy)

    def _node(
        self, key: str, level: LevelId, at: Spot, zone: str | None, path: Sequence[Step]
    ) -> None:
        if not self._new("node", key, self._nodes, path):
            return
        point = Point(*at)
        found = Zone[zone.upper()] if zone else self._zones.at(level, point)
        self._nodes[NodeId(key)] = Node(id=NodeId(key), level=level, point=point, zone=found)

    def _cabins(self, key: str, lift: LiftFile) -> None:
        self.lines["lift", key] = self._line("lifts", key)
        for level, at in lift.cabins.items():
            path = ("lifts", key, "cabins", level)
            if level in self._file.levels:
                self._node(f"{key}@{level}", LevelId(level), at, lift.zone, path)
            elif self._lost is not None:
                self._unknown(path, "level", level, self._file.levels)
        if len(lift.cabins) < 2:
            what = f"lift {key!r} serves {len(lift.cabins)} level(s)"
            self._fault(("lifts", key), what, "give it cabins on two levels or more, or remove it")

    # -- things that join ------------------------------------------------------------------

    def _join(self, level: LevelId, file: LevelFile) -> None:
        for key, place in file.places.items():
            self._place(key, level, place)
        for index, lane in enumerate(file.lanes):
            path = ("levels", level, "lanes", index)
            door = self._door(lane.door, level, (*path, "door"))
            windows = self._windows(lane.windows, path)
            if lane.length_m is not None and len(lane.path) > 2:
                remedy = "write one lane for each pair of nodes, each with its length"
                self._fault(path, "length_m is given for a chain of lanes", remedy)
            known = [
                (node, self._known_node(node, level, (*path, "path", step)))
                for step, node in enumerate(lane.path)
            ]
            for (start, start_known), (end, end_known) in pairwise(known):
                if start_known and end_known:
                    self._lane(
                        NodeId(start),
                        NodeId(end),
                        path,
                        two_way=not lane.one_way,
                        width_m=lane.width_m,
                        speed_limit_m_s=lane.speed_limit_m_s,
                        door=door,
                        kinds=frozenset(lane.kinds),
                        length_m=lane.length_m,
                        windows=windows,
                        passing=lane.passing,
                    )

    def _place(self, key: str, level: LevelId, file: PlaceFile) -> None:
        path = ("levels", level, "places", key)
        if not self._new("place", key, self._places, path):
            return
        if (file.at is None) == (file.node is None):
            remedy = "write at: [x, y] for a new node, or node: c1 for one that is there"
            self._fault(path, f"place {key!r} needs one of at and node", remedy)
            return
        if file.node is not None:
            if file.node != key and key in self._nodes:
                what = f"place {key!r} has the id of a node that is not its own"
                self._fault(path, what, "rename one of the two")
            if not self._known_node(file.node, level, (*path, "node")):
                return
        own = NodeId(file.node or key)
        if own not in self._nodes:
            return
        self._places[PlaceId(key)] = Place(
            id=PlaceId(key),
            name=_name(file.name),
            node=own,
            kind=file.kind,
            roles=frozenset(file.roles),
            service_s=file.service_s,
            workcell=self._its_workcell(file.workcell, level, (*path, "workcell")),
        )
        door = self._door(file.door, level, (*path, "door"))
        if file.door and not file.joins:
            remedy = "the door stands on the way to a node that it joins; give joins"
            self._fault(path, f"place {key!r} has a door but joins nothing", remedy)
        for index, other in enumerate(file.joins):
            where = (*path, "joins", index)
            if self._known_node(other, level, where):
                self._lane(own, NodeId(other), where, door=door)

    def _lane(
        self,
        start: NodeId,
        end: NodeId,
        path: Sequence[Step],
        *,
        two_way: bool = True,
        width_m: float = 2.0,
        speed_limit_m_s: float | None = None,
        door: DoorId | None = None,
        kinds: frozenset[str] = frozenset(),
        length_m: float | None = None,
        windows: tuple[Window, ...] = (),
        passing: bool = False,
    ) -> None:
        straight_m = self._nodes[start].point.distance_m(self._nodes[end].point)
        if start == end or straight_m <= 0:
            what = f"the lane from {start} to {end} has no length"
            self._fault(path, what, "move one of its ends, or remove the lane")
            return
        if length_m is not None and length_m < straight_m * 0.99:
            what = (
                f"the lane from {start} to {end} is {straight_m:.2f} m straight, not {length_m:g} m"
            )
            self._fault(path, what, "correct length_m or leave it out")
        lane = LaneId(f"{start}~{end}")
        back = self._lanes.get(LaneId(f"{end}~{start}"))
        if lane in self._lanes or (back and (two_way or back.two_way)):
            first = self.lines["lane", lane if lane in self._lanes else f"{end}~{start}"]
            what = f"{start} and {end} are joined twice (first on line {first})"
            self._fault(path, what, "remove one of the two lanes")
            return
        self.lines["lane", lane] = self._line(*path)
        self._lanes[lane] = Lane(
            id=lane,
            start=start,
            end=end,
            length_m=length_m if length_m is not None else straight_m,
            two_way=two_way,
            width_m=width_m,
            speed_limit_m_s=speed_limit_m_s,
            door=door,
            kinds=kinds,
            windows=windows,
            passing=passing,
        )

    def _lift(self, lift: LiftId, file: LiftFile) -> Lift:
        for level, others in file.joins.items():
            path = ("lifts", lift, "joins", level)
            if level not in file.cabins:
                what = f"lift {lift!r} joins nodes on {level!r}, where it has no cabin"
                self._fault(path, what, f"add {level} to its cabins or remove it here")
                continue
            cabin = NodeId(f"{lift}@{level}")
            for index, other in enumerate(others):
                where = (*path, index)
                if cabin in self._nodes and self._known_node(other, LevelId(level), where):
                    self._lane(cabin, NodeId(other), where)
        cabins = {
            LevelId(level): NodeId(f"{lift}@{level}")
            for level in file.cabins
            if level in self._file.levels
        }
        for low, high in combinations(cabins, 2):
            self._shaft(lift, low, high, cabins)
        return Lift(
            id=lift,
            name=_name(file.name),
            cabins=cabins,
            speed_m_s=file.speed_m_s,
            door_s=file.door_s,
            windows=self._windows(file.windows, ("lifts", lift)),
            passengers=_passengers(file.passengers),
        )

    def _shaft(
        self, lift: LiftId, low: LevelId, high: LevelId, cabins: Mapping[LevelId, NodeId]
    ) -> None:
        levels = self._file.levels
        height_m = abs(levels[high].elevation_m - levels[low].elevation_m)
        if height_m <= 0:
            what = f"lift {lift!r} joins {low} and {high}, which have the same elevation"
            self._fault(("lifts", lift), what, "correct elevation_m of one of the levels")
            return
        lane = LaneId(f"{lift}:{low}-{high}")
        self.lines["lane", lane] = self._line("lifts", lift)
        self._lanes[lane] = Lane(
            id=lane, start=cabins[low], end=cabins[high], length_m=height_m, lift=lift
        )

    def _windows(self, files: Sequence[WindowFile], path: Sequence[Step]) -> tuple[Window, ...]:
        windows = tuple(
            Window(only=frozenset(file.only), from_s=file.from_, to_s=file.to) for file in files
        )
        for what, remedy in faults(windows):
            self._fault((*path, "windows"), what, remedy)
        return windows

    def _air_locks(self, lifts: Iterable[Lift]) -> dict[AirLockId, AirLock]:
        cabins = {cabin for lift in lifts for cabin in lift.cabins.values()}
        lock_of: dict[DoorId, str] = {}
        found: dict[AirLockId, AirLock] = {}
        for key, file in self._file.air_locks.items():
            self.lines["air lock", key] = self._line("air_locks", key)
            doors = self._lock_doors(key, file, lock_of)
            if len(file.doors) < 2:
                what = f"air lock {key!r} has {len(file.doors)} door(s)"
                self._fault(("air_locks", key), what, "give it two doors or more, or remove it")
            if self.faults or self._lost != frozenset():  # a lane of it may be missing
                continue
            inside, wrong = between(doors, self._lanes.values(), cabins)
            if wrong:
                remedy = "its doors are on lanes into one small space; correct doors or lanes"
                self._fault(("air_locks", key), f"air lock {key!r}: {wrong}", remedy)
            name = _name(file.name) if file.name else Name(en=key, zh=key)
            id_ = AirLockId(key)
            found[id_] = AirLock(id=id_, name=name, doors=doors, inside=inside)
        return found

    def _lock_doors(
        self, key: str, file: AirLockFile, lock_of: dict[DoorId, str]
    ) -> tuple[DoorId, ...]:
        """The doors of an air lock that are there and may belong to it."""
        found: list[DoorId] = []
        for index, name in enumerate(file.doors):
            path, door = ("air_locks", key, "doors", index), self._doors.get(DoorId(name))
            if door is None:
                self._unknown(path, "door", name, self._doors)
            elif door.id in lock_of:
                again = lock_of[door.id] == key
                where = "twice in" if again else f"in {lock_of[door.id]!r} and in"
                what = f"door {name!r} is {where} air lock {key!r}"
                self._fault(path, what, "a door belongs to one air lock, once; remove it here")
            elif found and door.level != self._doors[found[0]].level:
                what = f"doors {found[0]!r} and {name!r} of air lock {key!r} are on two levels"
                self._fault(path, what, "an air lock is on one level; correct the id")
            else:
                found.append(door.id)
                lock_of[door.id] = key
        return tuple(found)

    def _airspace(self, key: str) -> Airspace:
        file = self._file.air[key]
        self.lines["air", key] = self._line("air", key)
        return Airspace(
            id=AirspaceId(key),
            name=_name(file.name),
            kind=file.kind,
            outline=_points(file.outline),
            holes=tuple(_points(hole) for hole in file.holes),
            floor_agl_m=file.floor_agl_m,
            ceiling_agl_m=file.ceiling_agl_m,
            hours=tuple(file.hours),
        )

    # -- references ------------------------------------------------------------------------

    def _new(self, kind: str, key: str, known: Container[str], path: Sequence[Step]) -> bool:
        if key in known:
            what = f"the {kind} {key!r} is there already (line {self.lines[kind, key]})"
            self._fault(path, what, "ids are unique over the whole site; rename one of the two")
            return False
        self.lines[kind, key] = self._line(*path)
        return True

    def _known_node(self, key: str, level: LevelId, path: Sequence[Step]) -> bool:
        node = self._nodes.get(NodeId(key))
        if node is None:
            self._unknown(path, "node", key, self._nodes)
            return False
        if node.level != level:
            what = f"node {key!r} is on level {node.level}, not on {level}"
            self._fault(path, what, "only lifts join levels; correct the id")
            return False
        return True

    def _door(self, key: str | None, level: LevelId, path: Sequence[Step]) -> DoorId | None:
        if key is None:
            return None
        door = self._doors.get(DoorId(key))
        if door is None:
            self._unknown(path, "door", key, self._doors)
            return None
        if door.level != level:
            what = f"door {key!r} is on level {door.level}, not on {level}"
            self._fault(path, what, "correct the id, or move the door to this level")
        return door.id

    def _its_workcell(
        self, key: str | None, level: LevelId, path: Sequence[Step]
    ) -> WorkcellId | None:
        if key is None:
            return None
        cell = self._workcells.get(WorkcellId(key))
        if cell is None:
            self._unknown(path, "workcell", key, self._workcells)
            return None
        if cell.level != level:
            what = f"workcell {key!r} is on level {cell.level}, not on {level}"
            self._fault(path, what, "correct the id, or move the workcell to this level")
        return cell.id

    def _unknown(self, path: Sequence[Step], kind: str, key: str, known: Iterable[str]) -> None:
        if self._lost is None or key in self._lost:
            return
        close = get_close_matches(key, list(known), n=1)
        remedy = f"did you mean {close[0]!r}?" if close else "define it or correct the id"
        self._fault(path, f"there is no {kind} {key!r}", remedy)

    def _fault(self, path: Sequence[Step], what: str, remedy: str) -> None:
        self.faults.append(Fault(self._line(*path), what, remedy))


def _name(file: NameFile) -> Name:
    return Name(en=file.en, zh=file.zh)


def _passengers(file: PassengersFile | None) -> PassengersFirst | None:
    return None if file is None else PassengersFirst(share=file.share, hours=tuple(file.hours))


def _level(key: str, file: LevelFile) -> Level:
    return Level(
        id=LevelId(key),
        name=_name(file.name),
        elevation_m=file.elevation_m,
        outdoors=file.outdoors,
    )


def _points(ring: Iterable[Spot]) -> tuple[Point, ...]:
    return tuple(Point(*spot) for spot in ring)


def _corners(rect: tuple[float, float, float, float]) -> list[Spot]:
    x0, y0, x1, y1 = rect
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
