"""The site as the map draws it."""

from collections.abc import Iterable
from typing import Any

from routing.geometry import Point
from routing.site import Lane, Name, Site
from routing.windows import clock

Spot = tuple[float, float]


def site_out(site: Site) -> dict[str, Any]:
    """All of a site as plain JSON values; points are [x, y] in metres."""
    anchor = site.frame.anchor
    return {
        "id": site.id,
        "name": _name(site.name),
        "anchor": {
            "lat_deg": anchor.lat_deg,
            "lon_deg": anchor.lon_deg,
            "bearing_deg": site.frame.bearing_deg,
        },
        "levels": [
            {
                "id": level.id,
                "name": _name(level.name),
                "elevation_m": level.elevation_m,
                "outdoors": level.outdoors,
            }
            for level in site.levels.values()
        ],
        "areas": [
            {
                "id": area.id,
                "name": _name(area.name),
                "level": area.level,
                "kind": area.kind,
                "zone": area.zone.name.lower(),
                "outline": _line(area.outline),
            }
            for area in site.areas.values()
        ],
        "lanes": [_lane(lane, site) for lane in site.lanes.values()],
        "places": _places(site),
        "lifts": [
            {
                "id": lift.id,
                "name": _name(lift.name),
                "cabins": {
                    level: _spot(site.nodes[node].point) for level, node in lift.cabins.items()
                },
            }
            for lift in site.lifts.values()
        ],
        "doors": _doors(site),
        "workcells": [
            {"id": cell.id, "name": _name(cell.name), "level": cell.level}
            for cell in site.workcells.values()
        ],
        "air_locks": [
            {"id": lock.id, "name": _name(lock.name), "doors": list(lock.doors)}
            for lock in site.air_locks.values()
        ],
        "airspaces": [
            {
                "id": air.id,
                "name": _name(air.name),
                "kind": air.kind.value,
                "outline": _line(air.outline),
                "holes": [_line(hole) for hole in air.holes],
                "floor_agl_m": air.floor_agl_m,
                "ceiling_agl_m": air.ceiling_agl_m,
                "hours": [f"{clock(from_s)}-{clock(to_s)}" for from_s, to_s in air.hours],
            }
            for air in site.airspaces.values()
        ],
    }


def _places(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place in site.places.values():
        node = site.nodes[place.node]
        found.append(
            {
                "id": place.id,
                "name": _name(place.name),
                "level": node.level,
                "x_m": node.point.x_m,
                "y_m": node.point.y_m,
                "kind": place.kind,
                "roles": sorted(role.value for role in place.roles),
            }
        )
    return found


def _lane(lane: Lane, site: Site) -> dict[str, Any]:
    start, end = site.nodes[lane.start], site.nodes[lane.end]
    return {
        "id": lane.id,
        "level": start.level,
        "a": _spot(start.point),
        "b": _spot(end.point),
        "two_way": lane.two_way,
        "width_m": lane.width_m,
        "passing": lane.passing,
        "lift": lane.lift,
    }


def _doors(site: Site) -> list[dict[str, Any]]:
    """Each door in the middle of the lane that it closes."""
    found: list[dict[str, Any]] = []
    lanes = {lane.door: lane for lane in site.lanes.values() if lane.door is not None}
    for door in site.doors.values():
        lane = lanes.get(door.id)
        if lane is None:
            continue
        a, b = site.nodes[lane.start].point, site.nodes[lane.end].point
        found.append(
            {
                "id": door.id,
                "name": _name(door.name),
                "level": door.level,
                "x_m": (a.x_m + b.x_m) / 2,
                "y_m": (a.y_m + b.y_m) / 2,
            }
        )
    return found


def _name(name: Name) -> dict[str, str]:
    return {"en": name.en, "zh": name.zh}


def _spot(point: Point) -> Spot:
    return point.x_m, point.y_m


def _line(points: Iterable[Point]) -> list[Spot]:
    return [_spot(point) for point in points]
