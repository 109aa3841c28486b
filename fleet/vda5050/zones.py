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
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from shapely.geometry import Point as Spot

from fleet.vda5050.zone_messages import Vertex, Zone, ZoneSet, ZoneType
from fleet.vda5050.zone_shapes import (
    Outline,
    Ways,
    along,
    apart,
    box_of,
    ends_of,
    heading_of,
    is_flat,
    opposed,
    polygon,
    square,
    strip,
)
from fleet.vehicle import VehicleSpec
from routing.roads.road_rules import RoadRules, ruled
from routing.site import Lane, LaneId, LevelId, NodeId, Site
from routing.site import Zone as Hygiene

PRIORITY_OF_CORRIDORS: Final = 0.5
_DOOR_M: Final = 0.5
"""Half of what a door takes up at the most."""
_APART_M: Final = 0.1
"""How far a zone that forbids something keeps from ways that stay allowed."""
_DIGITS: Final = 3


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


class Atlas:
    """The zones of one site, drawn once for all vehicles that mind the same types.

    Only BLOCKED ones differ from vehicle to vehicle.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rules = RoadRules()
        self._drawn: dict[ZoneType, tuple[SiteZone, ...]] = {}

    def zones(
        self,
        rules: RoadRules,
        spec: VehicleSpec,
        types: Collection[str],
        *,
        open_lanes: Collection[LaneId] = (),
    ) -> list[SiteZone]:
        """All zones for one vehicle, in a fixed order.

        Args:
            types: the types that it can mind.
            open_lanes: closed lanes that it may drive to the end, since they were granted before.
        """
        if rules is not self._rules:
            self._rules = rules
            self._drawn.clear()
        return [
            zone
            for kind in _DRAWN
            if kind in types
            for zone in (
                _blocked(self._site, rules, spec, open_lanes)
                if kind is ZoneType.BLOCKED
                else self._shared(kind)
            )
        ]

    def _shared(self, kind: ZoneType) -> tuple[SiteZone, ...]:
        found = self._drawn.get(kind)
        if found is None:
            found = self._drawn[kind] = tuple(_DRAWERS[kind](self._site, self._rules))
        return found


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
    said = "\n".join([map_id, *(msgspec.json.encode(zone).decode() for zone in zones)])
    digest = hashlib.sha256(said.encode()).hexdigest()[:10]
    return ZoneSet(map_id=map_id, zone_set_id=f"{id_stem(site, level)}{digest}", zones=tuple(zones))


def id_stem(site: Site, level: LevelId) -> str:
    """How the ids of all our sets of one level begin."""
    return f"{site.id}-{level}-"


# RELEASE


def _releases(site: Site, rules: RoadRules) -> Iterable[SiteZone]:  # noqa: ARG001
    lanes = Ways(site, site.lanes.values())
    for level, zone, outline in _release_outlines(site):
        shape = polygon(outline)
        west, south, east, north = box_of(outline)
        inside = frozenset(
            node.id
            for node in site.nodes.values()
            if node.level == level
            and west <= node.point.x_m <= east
            and south <= node.point.y_m <= north
            and shape.intersects(Spot(node.point.x_m, node.point.y_m))
        )
        through = frozenset(
            lane.id for lane, way in lanes.near(level, outline) if shape.intersects(way)
        )
        yield SiteZone(level=level, zone=zone, nodes=inside, lanes=through)


def _release_outlines(site: Site) -> Iterable[tuple[LevelId, Zone, Outline]]:
    def release(name: str, level: LevelId, outline: Outline) -> tuple[LevelId, Zone, Outline]:
        return level, _zone(name, ZoneType.RELEASE, outline), outline

    for lift in site.lifts.values():
        for level, node in lift.cabins.items():
            yield release(f"lift:{lift.id}", level, square(site, node))
    for lane in site.lanes.values():
        if lane.door is not None and is_flat(site, lane):
            start, end = ends_of(site, lane)
            far_m = start.distance_m(end)
            outline = strip(start, end, lane.width_m, far_m / 2 - min(_DOOR_M, far_m / 4))
            level = site.nodes[lane.start].level
            yield release(f"door:{lane.door}:{lane.id}", level, outline)
    for lock in site.air_locks.values():
        for node in lock.inside:
            name, level = f"air-lock:{lock.id}:{node}", site.nodes[node].level
            yield release(name, level, square(site, node))
    for area in site.areas.values():
        if area.zone is Hygiene.CONTAMINATED:
            yield release(f"area:{area.id}", area.level, area.outline)


# along lanes


def _blocked(
    site: Site, rules: RoadRules, spec: VehicleSpec, open_lanes: Collection[LaneId]
) -> Iterable[SiteZone]:
    shut: list[Lane] = []
    for lane in site.lanes.values():
        barred = lane.width_m < spec.width_m or bool(lane.kinds and spec.kind not in lane.kinds)
        closed = lane.id in rules.closed and lane.id not in open_lanes
        if (barred or closed) and lane.lift is None and is_flat(site, lane):
            shut.append(lane)
    ids, half_m = {lane.id for lane in shut}, spec.width_m / 2 + _APART_M
    others = Ways(site, (lane for lane in site.lanes.values() if lane.id not in ids), half_m)
    for lane in shut:
        level, outline = site.nodes[lane.start].level, along(site, lane)
        outline = apart(outline, [way for _, way in others.near(level, outline)])
        if outline is not None:
            zone = _zone(f"blocked:{lane.id}", ZoneType.BLOCKED, outline)
            yield SiteZone(level=level, zone=zone)


def _limits(site: Site, rules: RoadRules) -> Iterable[SiteZone]:
    for lane in ruled(site, rules).lanes.values():
        if lane.speed_limit_m_s is not None and is_flat(site, lane):
            outline = along(site, lane)
            limit_m_s = lane.speed_limit_m_s
            zone = _zone(f"slow:{lane.id}", ZoneType.SPEED_LIMIT, outline, maximum_speed=limit_m_s)
            yield SiteZone(level=site.nodes[lane.start].level, zone=zone)


def _one_ways(site: Site, rules: RoadRules) -> Iterable[SiteZone]:
    lanes = ruled(site, rules).lanes.values()
    ways = Ways(site, lanes, _APART_M)
    for lane in lanes:
        if lane.two_way or not is_flat(site, lane):
            continue
        level = site.nodes[lane.start].level
        direction, outline = heading_of(site, lane), along(site, lane)
        against = [
            way
            for other, way in ways.near(level, outline)
            if other.id != lane.id
            and (other.two_way or opposed(heading_of(site, other), direction))
        ]
        outline = apart(outline, against)
        if outline is not None:
            zone = _zone(
                f"one-way:{lane.id}",
                ZoneType.DIRECTED,
                outline,
                direction=round(direction, 5),
                directed_limitation="RESTRICTED",
            )
            yield SiteZone(level=level, zone=zone)


def _corridors(site: Site, rules: RoadRules) -> Iterable[SiteZone]:  # noqa: ARG001
    for area in site.areas.values():
        if area.kind == "corridor" and area.zone is not Hygiene.CONTAMINATED:
            zone = _zone(
                f"corridor:{area.id}",
                ZoneType.PRIORITY,
                area.outline,
                priority_factor=PRIORITY_OF_CORRIDORS,
            )
            yield SiteZone(level=area.level, zone=zone)


def _zone(name: str, kind: ZoneType, outline: Outline, **facts: Any) -> Zone:
    if kind is ZoneType.RELEASE:
        # who is in a doorway goes on out of it, whatever becomes of the grant
        facts["release_loss_behavior"] = "CONTINUE"
    corners = tuple(Vertex(x=round(p.x_m, _DIGITS), y=round(p.y_m, _DIGITS)) for p in outline)
    return Zone(zone_id=name, zone_type=kind, vertices=corners, **facts)


_DRAWERS: Final[Mapping[ZoneType, Callable[[Site, RoadRules], Iterable[SiteZone]]]] = {
    ZoneType.RELEASE: _releases,
    ZoneType.SPEED_LIMIT: _limits,
    ZoneType.DIRECTED: _one_ways,
    ZoneType.PRIORITY: _corridors,
}
_DRAWN: Final = (
    ZoneType.RELEASE,
    ZoneType.BLOCKED,
    ZoneType.SPEED_LIMIT,
    ZoneType.DIRECTED,
    ZoneType.PRIORITY,
)
"""All that we draw, in the order in which they stand in a set."""
