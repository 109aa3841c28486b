"""What a site's parts can't say alone: whether all of it fits together and can be driven."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import networkx as nx
from shapely import Point as ShapelyPoint
from shapely import Polygon
from shapely.validation import explain_validity

from routing.errors import Fault
from routing.geometry import Point
from routing.handover import BESIDE_M, pad_beside
from routing.roads.passing import CLEARANCE_M, Axis, axes, widest_m
from routing.site import AirKind, Airspace, Lane, NodeId, Place, Role, Site

Lines = Mapping[tuple[str, str], int]

_OVERLAP = 0.2
"""Share of the smaller of two rooms from which an overlap is a mistake."""
_CLOSE_M = 0.1
"""Two nodes nearer than this are one spot."""
_NAMED = 8
"""How many things one message names."""


@dataclass(slots=True)
class WholeFaults:
    """What was found: faults forbid the use of the site, warnings don't."""

    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])


def site_faults(
    site: Site, lines: Lines | None = None, *, connected: bool = True, complete: bool = True
) -> WholeFaults:
    """All that is wrong with a site as a whole.

    Args:
        lines: the line of each thing, by kind and id.
        connected: whether every place must reach every other; if not, it is only a warning.
        complete: False if parts were left out for faults of their own; then roads are not judged.
    """
    check = _Check(site, lines or {}, connected)
    check.names()
    check.rooms()
    check.air()
    if complete:
        check.joined()
        check.crowded()
        check.idle_doors()
        check.idle_workcells()
        check.homes()
        check.air_locks()
        check.passing()
        check.reach()
    return check.found


class _Check:
    def __init__(self, site: Site, lines: Lines, connected: bool) -> None:
        self.found = WholeFaults()
        self._site = site
        self._lines = lines
        self._connected = connected

    def names(self) -> None:
        """No two places share a name in one language."""
        for language, word in (("en", "English"), ("zh", "Chinese")):
            first: dict[str, Place] = {}
            for place in self._site.places.values():
                name = getattr(place.name, language).strip().casefold()
                if name in first:
                    said = getattr(place.name, language)
                    what = (
                        f"places {first[name].id!r} and {place.id!r} have one {word} name, {said!r}"
                    )
                    self._fault("place", place.id, what, "name one of them differently")
                first.setdefault(name, place)

    def rooms(self) -> None:
        """Rooms of one level don't lie in one another."""
        by_level: dict[str, list[tuple[str, Polygon]]] = defaultdict(list)
        for area in self._site.areas.values():
            ring = _polygon(area.outline)
            if area.kind == "room" and ring.is_valid:
                by_level[area.level].append((area.id, ring))
        for rooms in by_level.values():
            for (one, a), (other, b) in combinations(rooms, 2):
                shared = a.intersection(b).area / min(a.area, b.area) if a.intersects(b) else 0
                if shared > _OVERLAP:
                    what = f"room {other!r} shares {shared:.0%} of its ground with room {one!r}"
                    self._fault("area", other, what, "correct the outline of one of them")

    def air(self) -> None:
        """Volumes are volumes, pads lie within a fence, patrols too."""
        spaces = self._site.airspaces.values()
        for space in spaces:
            for what in _air_shape(space):
                self._fault("air", space.id, what, "give the corners in order, without crossings")
            if space.ceiling_agl_m <= space.floor_agl_m:
                what = f"{space.kind} {space.id!r} has its ceiling at or below its floor"
                self._fault("air", space.id, what, "raise ceiling_agl_m above floor_agl_m")
            if space.hours and space.kind is not AirKind.NO_FLY:
                what = f"{space.kind} {space.id!r} has hours, which only no-fly volumes have"
                self._fault("air", space.id, what, "leave hours out, or make it a no_fly volume")
        fences = [_air(s) for s in spaces if s.kind is AirKind.GEOFENCE and not _air_shape(s)]
        for place in self._site.with_role(Role.PAD):
            spot = _spot(self._site.nodes[place.node].point)
            if not any(fence.covers(spot) for fence in fences):
                what = f"pad {place.id!r} lies outside every geofence"
                remedy = "move the pad, or draw a geofence around it under air:"
                self._fault("place", place.id, what, remedy)
        for place in self._site.with_role(Role.HANDOVER):
            if pad_beside(self._site, place) is None:
                what = f"no pad is within {BESIDE_M:.0f} m of the hand-over place {place.id!r}"
                self._warn("place", place.id, what, "nothing will change over between vehicles")
            if Role.PAD in place.roles:
                what = f"the hand-over place {place.id!r} is a pad, where robots must not stand"
                self._fault("place", place.id, what, "make it a place of its own beside the pad")
        for space in spaces:
            flown = space.kind in (AirKind.PATROL, AirKind.CORRIDOR) and not _air_shape(space)
            if flown and not any(fence.covers(_air(space)) for fence in fences):
                what = f"{space.kind} {space.id!r} is not wholly inside one geofence"
                self._warn("air", space.id, what, "drones won't leave the fence there")

    def joined(self) -> None:
        """Everything that a ground vehicle should come to lies on a road."""
        roads = _roads(self._site)
        for place in self._site.places.values():
            if roads.degree(place.node) or Role.PAD in place.roles:
                continue
            role = next((r for r in (Role.CHARGER, Role.PARKING) if r in place.roles), None)
            what = f"{role or 'place'} {place.id!r} is joined to no road"
            self._place_fault(place, what, "give it joins: [node], or put it on a node with a lane")
        for lift in self._site.lifts.values():
            for level, cabin in lift.cabins.items():
                lanes = (edge.lane for edge in self._site.edges_from[cabin])
                arriving = (lane for lane in self._site.lanes.values() if lane.end == cabin)
                if all(lane.lift for lane in (*lanes, *arriving)):
                    what = f"the cabin of lift {lift.id!r} is joined to nothing on {level}"
                    self._fault("lift", lift.id, what, f"give it joins: {{{level}: [node]}}")

    def crowded(self) -> None:
        """No two nodes in one spot: two vehicles would be promised the same ground."""
        cells: dict[tuple[str, int, int], list[NodeId]] = defaultdict(list)
        for node in self._site.nodes.values():
            column, row = int(node.point.x_m // _CLOSE_M), int(node.point.y_m // _CLOSE_M)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    for other in cells[node.level, column + dx, row + dy]:
                        gap_m = node.point.distance_m(self._site.nodes[other].point)
                        if gap_m < _CLOSE_M:
                            what = f"nodes {other!r} and {node.id!r} are {gap_m:.2f} m apart"
                            self._warn("node", node.id, what, "make them one node")
            cells[node.level, column, row].append(node.id)

    def idle_doors(self) -> None:
        """A door that no lane goes through was perhaps forgotten."""
        used = {lane.door for lane in self._site.lanes.values()}
        for door in self._site.doors.values():
            if door.id not in used:
                what = f"no lane goes through door {door.id!r}"
                self._warn("door", door.id, what, "name it in a lane or place, or remove it")

    def idle_workcells(self) -> None:
        """A workcell that no place names was perhaps forgotten."""
        used = {place.workcell for place in self._site.places.values()}
        for cell in self._site.workcells.values():
            if cell.id not in used:
                what = f"no place names workcell {cell.id!r}"
                self._warn("workcell", cell.id, what, "name it in a place, or remove it")

    def homes(self) -> None:
        """Somewhere a vehicle can live."""
        if not any(self._site.with_role(role) for role in (Role.PARKING, Role.CHARGER, Role.PAD)):
            what = "no vehicle can live on this site"
            self._warn("site", "", what, "give a place roles: [parking], [charger] or [pad]")

    def air_locks(self) -> None:
        """Nobody lives where all others must pass one by one."""
        for lock in self._site.air_locks.values():
            for node in lock.inside:
                for place in self._site.places_at.get(node, ()):
                    role = next((r for r in (Role.CHARGER, Role.PARKING) if r in place.roles), None)
                    if role is not None:
                        what = f"{role} {place.id!r} is inside air lock {lock.id!r}"
                        remedy = "move it out, or take away its role: who stays there shuts it"
                        self._fault("place", place.id, what, remedy)

    def passing(self) -> None:
        """Where two are to pass each other there is room, and a straight road for both."""
        halved = axes(self._site)
        for lane in self._site.lanes.values():
            if not lane.passing:
                continue
            why = self._no_passing(lane)
            if why is not None:
                what = f"nobody can pass on lane {lane.id!r}: {why[0]}"
                self._fault("lane", lane.id, what, why[1])
            elif not any(_along(halved.get(node), lane) for node in (lane.start, lane.end)):
                what = f"passing lane {lane.id!r} goes straight on into no other passing lane"
                remedy = "vehicles pass at nodes between two of them; add a node in its middle"
                self._warn("lane", lane.id, what, remedy)

    def _no_passing(self, lane: Lane) -> tuple[str, str] | None:
        """What forbids it, and the remedy."""
        nodes = self._site.nodes
        straight_m = nodes[lane.start].point.distance_m(nodes[lane.end].point)
        ends = (lane.start, lane.end)
        lift = next((lift for end in ends if (lift := self._site.lift_at.get(end))), None)
        if not lane.two_way:
            return "it is one way", "leave out passing, or one_way"
        if lane.door is not None:
            return (
                f"door {lane.door!r} is on it",
                "give the lane through the door a line of its own",
            )
        if lift is not None:
            return f"it leads into lift {lift.id!r}", "leave out passing on the lane to the lift"
        if any(end in self._site.lock_at for end in ends):
            return "it leads into an air lock, which is for one vehicle", "leave out passing"
        if lane.length_m > straight_m + _CLOSE_M:
            return "it is bent", "draw it with nodes in the bends, without length_m"
        if widest_m(lane.width_m) <= 0:
            what = f"it is {lane.width_m:g} m wide, and {CLEARANCE_M:g} m stay free between the two"
            return what, "correct width_m, or leave out passing"
        return None

    def reach(self) -> None:
        """Every place reaches every other, over roads and lifts, and by the rule of zones."""
        roads = _roads(self._site)
        parts = _parts(roads, self._grounded())
        if not parts:
            return
        whole, *rest = parts
        for part in rest:
            self._cut_off(roads, whole, part)
        self._ways_back(roads.subgraph(whole))

    def _cut_off(self, roads: "nx.DiGraph[NodeId]", whole: set[NodeId], part: set[NodeId]) -> None:
        places = self._places_on(part)
        if not places:
            return
        one, main = next(iter(part)), next(iter(whole))
        if nx.has_path(roads, main, one):
            what = f"there is no way back from {_list(places)} to the rest of the site"
        elif nx.has_path(roads, one, main):
            what = f"there is no way to {_list(places)} from the rest of the site"
        else:
            what = f"{_list(places)} can't be reached from the rest of the site, nor the other way"
        self._place_fault(
            places[0], what, "add lanes or a lift, or set connected: false at the top"
        )

    def _ways_back(self, roads: "nx.DiGraph[NodeId]") -> None:
        allowed = nx.DiGraph(roads)
        allowed.remove_edges_from([e for e in roads.edges if not lawful(self._site, *e)])
        whole, *rest = _parts(allowed, self._grounded()) or [set[NodeId]()]
        for part in rest:
            places = self._places_on(part)
            if not places:
                continue
            zone = max(self._site.nodes[place.node].zone for place in places)
            into = nx.has_path(allowed, next(iter(whole)), next(iter(part)))
            if into:
                what = f"no clean way back from {_list(places)} ({zone.name.lower()} zone)"
            else:
                what = f"no clean way to {_list(places)} ({zone.name.lower()} zone)"
            remedy = (
                "a lane into a cleaner zone starts at a place with roles: [decontamination]; "
                "add one, or correct the zones"
            )
            self._place_fault(places[0], what, remedy)

    def _grounded(self) -> Callable[[NodeId], int]:
        """How many places that ground vehicles serve are on a node."""
        at = self._site.places_at
        roads = _roads(self._site)
        return lambda node: len(at.get(node, ())) if roads.degree(node) else 0

    def _places_on(self, part: Iterable[NodeId]) -> list[Place]:
        within = set(part)
        return [place for place in self._site.places.values() if place.node in within]

    def _place_fault(self, place: Place, what: str, remedy: str) -> None:
        add = self._fault if self._connected else self._warn
        add("place", place.id, what, remedy)

    def _fault(self, kind: str, key: str, what: str, remedy: str) -> None:
        self.found.faults.append(Fault(self._lines.get((kind, key), 0), what, remedy))

    def _warn(self, kind: str, key: str, what: str, remedy: str) -> None:
        self.found.warnings.append(Fault(self._lines.get((kind, key), 0), what, remedy))


def _along(axis: Axis | None, lane: Lane) -> bool:
    return axis is not None and bool({axis.before, axis.after} & {lane.start, lane.end})


def lawful(site: Site, start: NodeId, end: NodeId) -> bool:
    """Whether the rule of zones lets a vehicle drive this edge, decontaminated if need be."""
    if site.nodes[end].zone >= site.nodes[start].zone:
        return True
    return any(Role.DECONTAMINATION in place.roles for place in site.places_at.get(start, ()))


def fully_connected(site: Site) -> bool:
    """Whether every place reaches every other by the rules that `site_faults` applies."""
    check = _Check(site, {}, connected=True)
    check.joined()
    check.reach()
    return not check.found.faults


def _roads(site: Site) -> "nx.DiGraph[NodeId]":
    roads: nx.DiGraph[NodeId] = nx.DiGraph()
    roads.add_nodes_from(site.nodes)
    roads.add_edges_from((e.start, e.end) for edges in site.edges_from.values() for e in edges)
    return roads


def _parts(graph: "nx.DiGraph[NodeId]", weight: Callable[[NodeId], int]) -> list[set[NodeId]]:
    """Strongly connected parts that hold a place, the one with the most places first."""
    order = {node: index for index, node in enumerate(graph)}
    parts = [
        sorted(part, key=order.__getitem__) for part in nx.strongly_connected_components(graph)
    ]
    parts.sort(key=lambda part: (-sum(map(weight, part)), order[part[0]]))
    return [set(part) for part in parts if any(map(weight, part))]


def _list(places: Sequence[Place]) -> str:
    named = ", ".join(place.id for place in places[:_NAMED])
    more = len(places) - _NAMED
    return f"{named} and {more} more" if more > 0 else named


def _spot(point: Point) -> ShapelyPoint:
    return ShapelyPoint(point.x_m, point.y_m)


def _polygon(ring: Sequence[Point]) -> Polygon:
    return Polygon([(point.x_m, point.y_m) for point in ring])


def _air(space: Airspace) -> Polygon:
    holes = [[(point.x_m, point.y_m) for point in hole] for hole in space.holes]
    return Polygon([(point.x_m, point.y_m) for point in space.outline], holes)


def _air_shape(space: Airspace) -> list[str]:
    ring = _air(space)
    if ring.is_valid and ring.area > 0:
        return []
    why = explain_validity(ring) if not ring.is_valid else "it has no area"
    return [f"the outline of {space.kind} {space.id!r} is no polygon ({why})"]
