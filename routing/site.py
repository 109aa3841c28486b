"""The site: levels, places, roads, doors, lifts, workcells, zones and air, as immutable facts.

Everything that moves is told where to go in these words. A `Lane` is one stretch of road and one
traffic resource: whoever drives it, in either direction, holds it alone; only where the site says
so, two narrow vehicles pass each other. A lift has one cabin
node on each level it serves; its lanes join every pair of them, and all of it is one resource.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import NewType

from routing.geometry import LocalFrame, Point
from routing.terrain import Terrain
from routing.windows import DAY_S, PassengersFirst, Window

NodeId = NewType("NodeId", str)
LaneId = NewType("LaneId", str)
PlaceId = NewType("PlaceId", str)
LevelId = NewType("LevelId", str)
DoorId = NewType("DoorId", str)
LiftId = NewType("LiftId", str)
WorkcellId = NewType("WorkcellId", str)
AirspaceId = NewType("AirspaceId", str)
AirLockId = NewType("AirLockId", str)


class Zone(IntEnum):
    """Hygiene zone; a higher one is dirtier.

    A vehicle carries the zone it stands in: into a cleaner one it may go only out of a
    decontamination station, after having been decontaminated there.
    """

    CLEAN = 0
    SEMI = 1
    CONTAMINATED = 2


class Role(StrEnum):
    """What a place offers to vehicles, beside being somewhere to go."""

    CHARGER = "charger"
    PARKING = "parking"
    DECONTAMINATION = "decontamination"
    PAD = "pad"
    REFUGE = "refuge"
    """Somewhere to stand out of people's way in an emergency."""
    HANDOVER = "handover"
    """Where a robot stands while goods change over between it and a drone on the pad beside it."""


class AirKind(StrEnum):
    """What a volume of air means to a drone."""

    GEOFENCE = "geofence"
    """May not be left."""
    NO_FLY = "no_fly"
    """May not be entered."""
    PATROL = "patrol"
    """Has a name, so that people can ask for a patrol of it."""
    CORRIDOR = "corridor"
    """Is preferred for flights between pads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What people call a thing, in both languages of the console."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One floor, or the ground around the buildings."""

    id: LevelId
    name: Name
    elevation_m: float
    outdoors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A room or corridor as drawn on the map; it gives its zone to the nodes within."""

    id: str
    name: Name
    level: LevelId
    kind: str
    """``room``, ``corridor``, ``building``, ``yard``: how the map draws it."""
    zone: Zone
    outline: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A spot where a vehicle can stand; one vehicle at a time."""

    id: NodeId
    level: LevelId
    point: Point
    zone: Zone = Zone.CLEAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One stretch of road between two nodes; one vehicle at a time, unless it is a passing lane."""

    id: LaneId
    start: NodeId
    end: NodeId
    length_m: float
    two_way: bool = True
    width_m: float = 2.0
    speed_limit_m_s: float | None = None
    door: DoorId | None = None
    lift: LiftId | None = None
    kinds: frozenset[str] = frozenset()
    """Kinds of vehicle that may use it; empty = all."""
    windows: tuple[Window, ...] = ()
    passing: bool = False
    """Two vehicles that are narrow enough may pass each other in it: see
    `routing.roads.passing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A lane in one direction: what a vehicle drives from one node to the next."""

    start: NodeId
    end: NodeId
    lane: Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door that a vehicle has opened for it."""

    id: DoorId
    name: Name
    level: LevelId
    opening_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AirLock:
    """Doors of which never two are open, and what lies between them: room for one vehicle."""

    id: AirLockId
    name: Name
    doors: tuple[DoorId, ...]
    inside: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """A lift for one vehicle at a time."""

    id: LiftId
    name: Name
    cabins: Mapping[LevelId, NodeId]
    """The node inside the cabin, for each level served."""
    speed_m_s: float = 1.0
    door_s: float = 4.0
    """Time to open or close its doors."""
    windows: tuple[Window, ...] = ()
    passengers: PassengersFirst | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workcell:
    """A machine that hands goods over by itself: a dispenser, an ingestor, a lift-table.

    Args:
        dispenses: whether it gives goods to vehicles.
        ingests: whether it takes goods from them.
    """

    id: WorkcellId
    name: Name
    level: LevelId
    dispenses: bool
    ingests: bool
    handover_s: float = 20.0
    """How long one handover takes, when nothing goes wrong."""
    limit_s: float = 300.0
    """How long one may take before it has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere a person can name."""

    id: PlaceId
    name: Name
    node: NodeId
    kind: str = "room"
    """What it is to people: ``ward``, ``pharmacy``, ``laboratory`` ...; demand is drawn by it."""
    roles: frozenset[Role] = frozenset()
    service_s: float = 0.0
    """How long its role takes: the minutes in a decontamination station."""
    workcell: WorkcellId | None = None
    """The machine that hands goods over there; None = robots and people do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Airspace:
    """A volume of air: a polygon between two heights, perhaps with holes."""

    id: AirspaceId
    name: Name
    kind: AirKind
    outline: tuple[Point, ...]
    holes: tuple[tuple[Point, ...], ...] = ()
    floor_agl_m: float = 0.0
    ceiling_agl_m: float = 120.0
    hours: tuple[tuple[int, int], ...] = ()
    """When it is in force: pairs of seconds since midnight, site time, over midnight too; none =
    always. No-fly volumes only."""

    def in_force(self, clock_s: float, ahead_s: float = 0.0) -> bool:
        """Whether it is in force at any time from a second since midnight on.

        Args:
            ahead_s: how long from then on; less than a day.
        """
        if not self.hours:
            return True
        for from_s, to_s in self.hours:
            lasts_s = (to_s - from_s - 1) % DAY_S + 1
            if (clock_s - from_s) % DAY_S < lasts_s or (from_s - clock_s) % DAY_S <= ahead_s:
                return True
        return False

    def shuts_in_s(self, clock_s: float) -> float:
        """Seconds until it is next in force; 0 = it is."""
        if self.in_force(clock_s):
            return 0.0
        return min((from_s - clock_s) % DAY_S for from_s, _ in self.hours)


@dataclass(frozen=True, kw_only=True)
class Site:
    """All of it. Built by `site_yaml.load` or an importer, which have checked that it fits."""

    id: str
    name: Name
    frame: LocalFrame
    levels: Mapping[LevelId, Level]
    nodes: Mapping[NodeId, Node]
    lanes: Mapping[LaneId, Lane]
    places: Mapping[PlaceId, Place]
    doors: Mapping[DoorId, Door] = field(default_factory=dict[DoorId, Door])
    lifts: Mapping[LiftId, Lift] = field(default_factory=dict[LiftId, Lift])
    workcells: Mapping[WorkcellId, Workcell] = field(default_factory=dict[WorkcellId, Workcell])
    air_locks: Mapping[AirLockId, AirLock] = field(default_factory=dict[AirLockId, AirLock])
    areas: Mapping[str, Area] = field(default_factory=dict[str, Area])
    airspaces: Mapping[AirspaceId, Airspace] = field(default_factory=dict[AirspaceId, Airspace])
    terrain: Terrain | None = None
    """How high the ground lies; None = it is taken to be flat."""
    relief_m: tuple[float, float] = (0.0, 0.0)
    """Lowest and highest ground below the site's air."""

    def ground_m(self, point: Point) -> float:
        """Elevation of the ground at a spot."""
        return 0.0 if self.terrain is None else self.terrain.ground_m(point)

    def least_agl_m(self, home: Point, height_m: float) -> float:
        """How high above the highest ground a height above the pad ``home`` is."""
        return height_m + self.ground_m(home) - self.relief_m[1] if self.terrain else height_m

    @cached_property
    def edges_from(self) -> Mapping[NodeId, tuple[Edge, ...]]:
        """The edges that leave each node, in the order of the lanes."""
        found: dict[NodeId, list[Edge]] = {node: [] for node in self.nodes}
        for lane in self.lanes.values():
            found[lane.start].append(Edge(start=lane.start, end=lane.end, lane=lane))
            if lane.two_way:
                found[lane.end].append(Edge(start=lane.end, end=lane.start, lane=lane))
        return {node: tuple(edges) for node, edges in found.items()}

    def edge(self, start: NodeId, end: NodeId) -> Edge:
        """The edge from one node to a neighbour; KeyError where there is none."""
        return self._edge_between[start, end]

    @cached_property
    def _edge_between(self) -> Mapping[tuple[NodeId, NodeId], Edge]:
        return {(e.start, e.end): e for edges in self.edges_from.values() for e in edges}

    @cached_property
    def lift_at(self) -> Mapping[NodeId, Lift]:
        """The lift whose cabin a node is in, for those nodes that are in one."""
        return {node: lift for lift in self.lifts.values() for node in lift.cabins.values()}

    @cached_property
    def windows(self) -> Mapping[LaneId, tuple[Window, ...]]:
        """The windows of lanes that have any: their own, and those of the lift they lead into."""
        cabins = {node: lift for node, lift in self.lift_at.items() if lift.windows}
        found: dict[LaneId, tuple[Window, ...]] = {}
        for lane in self.lanes.values():
            lift = cabins.get(lane.start) or cabins.get(lane.end)
            windows = (*lane.windows, *(lift.windows if lift else ()))
            if windows:
                found[lane.id] = windows
        return found

    @cached_property
    def lock_at(self) -> Mapping[NodeId, AirLock]:
        """The air lock that a node is in, for those nodes that are in one."""
        return {node: lock for lock in self.air_locks.values() for node in lock.inside}

    @cached_property
    def lock_of(self) -> Mapping[DoorId, AirLock]:
        """The air lock that a door belongs to, for those doors that belong to one."""
        return {door: lock for lock in self.air_locks.values() for door in lock.doors}

    @cached_property
    def places_at(self) -> Mapping[NodeId, tuple[Place, ...]]:
        """The places on each node that has any."""
        found: dict[NodeId, list[Place]] = {}
        for place in self.places.values():
            found.setdefault(place.node, []).append(place)
        return {node: tuple(places) for node, places in found.items()}

    def with_role(self, role: Role) -> tuple[Place, ...]:
        """All places that offer ``role``, in the order of the site file."""
        return tuple(place for place in self.places.values() if role in place.roles)
