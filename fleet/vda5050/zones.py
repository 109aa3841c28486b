"""The site and the rules of its roads, as zones for a robot of version 3.0. Pure functions.

| zone | drawn around |
| --- | --- |
| RELEASE | lift cabins, doors, the inside of air locks, contaminated areas |
| BLOCKED | lanes that people have closed, and lanes that are not for this robot |
| SPEED_LIMIT | lanes with a limit, of their own or set by people |
| DIRECTED | lanes that are one way, of their own or by order |
| PRIORITY | corridors |

Source: VDA 5050 3.0.0, chapter 6.4.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shapely.geometry import LineString, Polygon
from shapely.geometry import Point as Spot

from fleet.vda5050.zone_messages import Vertex, Zone, ZoneSet, ZoneType
from fleet.vehicle import VehicleSpec
from routing.geometry import Point
from routing.road_rules import RoadRules, ruled
from routing.site import Lane, LaneId, LevelId, NodeId, Site
from routing.site import Zone as Hygiene

PRIORITY_OF_CORRIDORS: Final = 0.5
_CABIN_M: Final = 1.0
_DOOR_M: Final = 0.5
"""Half of what a cabin, or a door, takes up at the most."""
_CLEAR_M: Final = 1.0
"""How much of a lane's ends a zone along it leaves free for who only crosses there."""
_APART_M: Final = 0.1
"""How far a zone that forbids something keeps from ways that stay allowed."""
_LEAST_M2: Final = 0.25
"""Pieces of such a zone that are smaller are left out."""
_DIGITS: Final = 3

Outline = tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteZone:
    """A zone, and what of the site lies in it: traffic grants those, and so the zone.

    Args:
        nodes, lanes: of a RELEASE zone; empty for others.
    """

    level: LevelId
    zone: Zone
    nodes: frozenset[NodeId] = frozenset()
    lanes: frozenset[LaneId] = frozenset()


def site_zones(
    site: Site,
    rules: RoadRules,
    spec: VehicleSpec,
    types: Collection[str],
    *,
    open_lanes: Collection[LaneId] = (),
) -> list[SiteZone]:
    """All zones of a site for one vehicle, in a fixed order.

    Args:
        types: the types that it can mind.
        open_lanes: closed lanes that it may drive to the end, since they were granted before.
    """
    draw: Mapping[ZoneType, Callable[[], Iterable[SiteZone]]] = {
        ZoneType.RELEASE: lambda: _releases(site),
        ZoneType.BLOCKED: lambda: _blocked(site, rules, spec, open_lanes),
        ZoneType.SPEED_LIMIT: lambda: _limits(site, rules),
        ZoneType.DIRECTED: lambda: _one_ways(site, rules),
        ZoneType.PRIORITY: lambda: _corridors(site),
    }
    return [zone for kind, drawn in draw.items() if kind in types for zone in drawn()]


def zone_sets(site: Site, zones: Iterable[SiteZone], maps: Mapping[str, str]) -> dict[str, ZoneSet]:
    """One set for each map that has zones; an id says what is in it, so it never changes.

    Args:
        maps: the robot's ``mapId`` of each level that has one of its own.
    """
    of_level: dict[LevelId, list[Zone]] = {}
    for zone in zones:
        of_level.setdefault(zone.level, []).append(zone.zone)
    return {
        map_id: zone_set(site, level, map_id, found)
        for level, found in of_level.items()
        for map_id in (maps.get(level, level),)
    }


def zone_set(site: Site, level: LevelId, map_id: str, zones: Collection[Zone]) -> ZoneSet:
    """A set of these zones, named by what it says."""
    said = "\n".join([map_id, *(zone.model_dump_json(exclude_none=True) for zone in zones)])
    digest = hashlib.sha256(said.encode()).hexdigest()[:10]
    return ZoneSet(map_id=map_id, zone_set_id=f"{id_stem(site, level)}{digest}", zones=tuple(zones))


def id_stem(site: Site, level: LevelId) -> str:
    """How the ids of all our sets of one level begin."""
    return f"{site.id}-{level}-"


# RELEASE


def _releases(site: Site) -> Iterable[SiteZone]:
    for lift in site.lifts.values():
        for node in lift.cabins.values():
            yield _release(site, f"lift:{lift.id}", node, _square(site, node))
    for lane in site.lanes.values():
        if lane.door is not None and _flat(site, lane):
            start, end = _ends(site, lane)
            far_m = start.distance_m(end)
            outline = _strip(start, end, lane.width_m, far_m / 2 - min(_DOOR_M, far_m / 4))
            zone = _zone(f"door:{lane.door}:{lane.id}", ZoneType.RELEASE, outline)
            yield _with_content(site, site.nodes[lane.start].level, zone, outline)
    for lock in site.air_locks.values():
        for node in lock.inside:
            yield _release(site, f"air-lock:{lock.id}:{node}", node, _square(site, node))
    for area in site.areas.values():
        if area.zone is Hygiene.CONTAMINATED:
            zone = _zone(f"area:{area.id}", ZoneType.RELEASE, area.outline)
            yield _with_content(site, area.level, zone, area.outline)


def _release(site: Site, name: str, node: NodeId, outline: Outline) -> SiteZone:
    zone = _zone(name, ZoneType.RELEASE, outline)
    return _with_content(site, site.nodes[node].level, zone, outline)


def _with_content(site: Site, level: LevelId, zone: Zone, outline: Outline) -> SiteZone:
    shape = Polygon([(p.x_m, p.y_m) for p in outline])
    nodes = frozenset(
        node.id
        for node in site.nodes.values()
        if node.level == level and shape.intersects(Spot(node.point.x_m, node.point.y_m))
    )
    lanes = frozenset(
        lane.id
        for lane in site.lanes.values()
        if (_flat(site, lane) and site.nodes[lane.start].level == level)
        and shape.intersects(_way(site, lane).buffer(lane.width_m / 2, cap_style="flat"))
    )
    return SiteZone(level=level, zone=zone, nodes=nodes, lanes=lanes)


def _square(site: Site, node: NodeId) -> Outline:
    """Around a node, clear of its neighbours."""
    here = site.nodes[node]
    away_m = [
        edge.lane.length_m
        for edge in site.edges_from[node]
        if site.nodes[edge.end].level == here.level
    ]
    half = min([_CABIN_M, *(0.4 * length_m for length_m in away_m)])
    x, y = here.point.x_m, here.point.y_m
    return (
        Point(x - half, y - half),
        Point(x + half, y - half),
        Point(x + half, y + half),
        Point(x - half, y + half),
    )


# along lanes


def _blocked(
    site: Site, rules: RoadRules, spec: VehicleSpec, open_lanes: Collection[LaneId]
) -> Iterable[SiteZone]:
    shut: list[Lane] = []
    for lane in site.lanes.values():
        barred = lane.width_m < spec.width_m or bool(lane.kinds and spec.kind not in lane.kinds)
        closed = lane.id in rules.closed and lane.id not in open_lanes
        if (barred or closed) and lane.lift is None and _flat(site, lane):
            shut.append(lane)
    ids = {lane.id for lane in shut}
    others = [lane for lane in site.lanes.values() if lane.id not in ids and _flat(site, lane)]
    for lane in shut:
        ways = [
            _way(site, other).buffer(spec.width_m / 2 + _APART_M, cap_style="flat")
            for other in _on_level(site, others, lane)
        ]
        outline = _apart(_outline_along(site, lane), ways)
        if outline is not None:
            zone = _zone(f"blocked:{lane.id}", ZoneType.BLOCKED, outline)
            yield SiteZone(level=site.nodes[lane.start].level, zone=zone)


def _limits(site: Site, rules: RoadRules) -> Iterable[SiteZone]:
    for lane in ruled(site, rules).lanes.values():
        if lane.speed_limit_m_s is not None and _flat(site, lane):
            outline = _outline_along(site, lane)
            limit_m_s = lane.speed_limit_m_s
            zone = _zone(f"slow:{lane.id}", ZoneType.SPEED_LIMIT, outline, maximum_speed=limit_m_s)
            yield SiteZone(level=site.nodes[lane.start].level, zone=zone)


def _one_ways(site: Site, rules: RoadRules) -> Iterable[SiteZone]:
    lanes = [lane for lane in ruled(site, rules).lanes.values() if _flat(site, lane)]
    for lane in lanes:
        if lane.two_way:
            continue
        direction = _heading(site, lane)
        against = [
            _way(site, other).buffer(_APART_M, cap_style="flat")
            for other in _on_level(site, lanes, lane)
            if other.id != lane.id and (other.two_way or _opposed(_heading(site, other), direction))
        ]
        outline = _apart(_outline_along(site, lane), against)
        if outline is not None:
            zone = _zone(
                f"one-way:{lane.id}",
                ZoneType.DIRECTED,
                outline,
                direction=round(direction, 5),
                directed_limitation="RESTRICTED",
            )
            yield SiteZone(level=site.nodes[lane.start].level, zone=zone)


def _corridors(site: Site) -> Iterable[SiteZone]:
    for area in site.areas.values():
        if area.kind == "corridor" and area.zone is not Hygiene.CONTAMINATED:
            zone = _zone(
                f"corridor:{area.id}",
                ZoneType.PRIORITY,
                area.outline,
                priority_factor=PRIORITY_OF_CORRIDORS,
            )
            yield SiteZone(level=area.level, zone=zone)


def _outline_along(site: Site, lane: Lane) -> Outline:
    start, end = _ends(site, lane)
    free_m = min(max(_CLEAR_M, lane.width_m / 2), start.distance_m(end) / 3)
    return _strip(start, end, lane.width_m, free_m)


def _apart(outline: Outline, ways: Iterable[Polygon]) -> Outline | None:
    """What is left of an outline without ways that it must not touch: its largest piece."""
    left = Polygon([(p.x_m, p.y_m) for p in outline])
    for way in ways:
        rest = left.difference(way)
        pieces = [p for p in getattr(rest, "geoms", [rest]) if isinstance(p, Polygon)]
        left = max(pieces, key=lambda piece: piece.area, default=Polygon())
        if left.area < _LEAST_M2:
            return None
    return tuple(Point(x, y) for x, y in list(left.exterior.coords)[:-1])


def _on_level(site: Site, lanes: Iterable[Lane], lane: Lane) -> list[Lane]:
    level = site.nodes[lane.start].level
    return [one for one in lanes if site.nodes[one.start].level == level]


def _opposed(heading: float, direction: float) -> bool:
    return abs(math.remainder(heading - direction, 2 * math.pi)) > math.pi / 2


def _heading(site: Site, lane: Lane) -> float:
    start, end = _ends(site, lane)
    return math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)


def _zone(name: str, kind: ZoneType, outline: Outline, **facts: object) -> Zone:
    if kind is ZoneType.RELEASE:
        # who is in a doorway goes on out of it, whatever becomes of the grant
        facts["release_loss_behavior"] = "CONTINUE"
    corners = tuple(Vertex(x=round(p.x_m, _DIGITS), y=round(p.y_m, _DIGITS)) for p in outline)
    return Zone.model_validate({"zone_id": name, "zone_type": kind, "vertices": corners, **facts})


def _strip(start: Point, end: Point, width_m: float, free_m: float) -> Outline:
    """A rectangle along a straight way, that leaves so much of both ends free."""
    dx, dy = end.x_m - start.x_m, end.y_m - start.y_m
    length_m = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length_m, dy / length_m
    free_m = min(free_m, length_m / 2 - 0.05)
    half = width_m / 2
    near = Point(start.x_m + ux * free_m, start.y_m + uy * free_m)
    far = Point(end.x_m - ux * free_m, end.y_m - uy * free_m)
    return (
        Point(near.x_m + uy * half, near.y_m - ux * half),
        Point(far.x_m + uy * half, far.y_m - ux * half),
        Point(far.x_m - uy * half, far.y_m + ux * half),
        Point(near.x_m - uy * half, near.y_m + ux * half),
    )


def _flat(site: Site, lane: Lane) -> bool:
    start, end = site.nodes[lane.start], site.nodes[lane.end]
    far = math.hypot(end.point.x_m - start.point.x_m, end.point.y_m - start.point.y_m)
    return start.level == end.level and far > 0.2


def _ends(site: Site, lane: Lane) -> tuple[Point, Point]:
    return site.nodes[lane.start].point, site.nodes[lane.end].point


def _way(site: Site, lane: Lane) -> LineString:
    start, end = _ends(site, lane)
    return LineString([(start.x_m, start.y_m), (end.x_m, end.y_m)])
