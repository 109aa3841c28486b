"""The zones that a simulated robot of version 3.0 has been told of, and how it minds them.

It drives along lanes, so it knows beforehand which zones its contour, or its centre, will enter.

Source: VDA 5050 3.0.0, chapters 6.4 and 6.9.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import structs
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.state_messages import RobotError, StoredZoneSet, ZoneRequest
from fleet.vda5050.zone_messages import GrantType, Response, Zone, ZoneSet, ZoneType
from routing.site import Edge, LevelId, NodeId, Site
from sim.vda5050.rules import error

SUPPORTED: Final = tuple(ZoneType)
_BY_CENTRE: Final = frozenset({ZoneType.PRIORITY, ZoneType.DIRECTED})
_TOUCH_M: Final = 0.05
_RIGHT_ANGLE: Final = math.pi / 2

Key = tuple[str, str]
"""Zone set and zone."""


class ZoneBook:
    """What one robot knows of zones, and what it has asked for.

    Args:
        maps: the robot's ``mapId`` of each level that has one of its own.
    """

    def __init__(self, site: Site, maps: Mapping[str, str], width_m: float) -> None:
        self._site, self._maps, self._width_m = site, maps, width_m
        self._sets: dict[str, ZoneSet] = {}
        self._enabled: dict[str, str] = {}
        self._shapes: dict[Key, Polygon] = {}
        self._around: dict[NodeId, tuple[Key, ...]] = {}
        self._in_way: dict[tuple[NodeId, NodeId], tuple[tuple[Key, Zone], ...]] = {}
        self._requests: dict[Key, ZoneRequest] = {}
        self._rejected: dict[Key, None] = {}
        self._numbers = itertools.count(1)

    # sets

    def store(self, zone_set: ZoneSet) -> RobotError | None:
        """Take a set in; it is not in force yet."""
        if zone_set.zone_set_id in self._sets:
            text = f"{zone_set.zone_set_id} is known already"
            about = {"zoneSetId": zone_set.zone_set_id}
            return error(ErrorType3.DUPLICATE_ZONE_SET, text, **about)
        self._sets[zone_set.zone_set_id] = zone_set
        return None

    def enable(self, zone_set: str) -> str | None:
        """Drive by a set from now on, instead of any other of its map; returns why not."""
        known = self._sets.get(zone_set)
        if known is None:
            return f"there is no zone set {zone_set}"
        self._enabled[known.map_id] = zone_set
        self._in_way.clear()
        self._around.clear()
        return None

    def delete(self, zone_set: str) -> str | None:
        """Forget a set; returns why not."""
        if zone_set in self._enabled.values():
            return f"{zone_set} is in use"
        if self._sets.pop(zone_set, None) is None:
            return f"there is no zone set {zone_set}"
        return None

    def stored(self) -> tuple[StoredZoneSet, ...]:
        """All sets, as a state lists them."""
        in_force = self._enabled.values()
        return tuple(
            StoredZoneSet(
                zone_set_id=known.zone_set_id,
                map_id=known.map_id,
                zone_set_status="ENABLED" if known.zone_set_id in in_force else "DISABLED",
            )
            for known in self._sets.values()
        )

    # what they order

    def limit_m_s(self, edge: Edge) -> float:
        """The lowest speed limit on the way."""
        return min(
            (zone.maximum_speed or math.inf for _, zone in self._on(edge)),
            default=math.inf,
        )

    def barred(self, edge: Edge) -> str | None:
        """Why an edge may not be driven at all."""
        for _, zone in self._on(edge):
            if zone.zone_type is ZoneType.BLOCKED:
                return f"zone {zone.zone_id} is blocked"
            against = zone.directed_limitation in ("RESTRICTED", "STRICT")
            if zone.direction is not None and against and self._opposes(edge, zone.direction):
                return f"zone {zone.zone_id} is one way"
        return None

    def may_enter(self, edge: Edge) -> bool:
        """Whether all zones on the way that need a release have been granted."""
        return all(
            key in self._requests and self._requests[key].request_status == GrantType.GRANTED
            for key, zone in self._on(edge)
            if zone.zone_type is ZoneType.RELEASE
        )

    # requests

    def requests(self) -> tuple[ZoneRequest, ...]:
        """What it asks for now."""
        return tuple(self._requests.values())

    def new_order(self) -> None:
        """What was rejected may be asked for again."""
        self._rejected.clear()

    def look(self, here: NodeId | None, ahead: Iterable[Edge]) -> None:
        """Ask for what lies on the way, and stop asking for what is left behind.

        Args:
            here: the node it stands on; None = it is on the first edge of ``ahead``.
        """
        wanted: dict[Key, None] = {}
        if here is not None:
            wanted |= dict.fromkeys(self._releases_at(here))
        for edge in ahead:
            for key, zone in self._on(edge):
                if zone.zone_type is ZoneType.RELEASE and key not in self._rejected:
                    wanted[key] = None
        before = self._requests
        self._requests = {
            key: before.get(key) or self._request(key) for key in wanted if key[0] in self._sets
        }

    def answer(self, responses: Iterable[Response]) -> None:
        """Take in what the master says to the requests."""
        by_id = {request.request_id: key for key, request in self._requests.items()}
        for response in responses:
            key = by_id.get(response.request_id)
            if key is None:
                continue
            match response.grant_type:
                case GrantType.GRANTED:
                    self._requests[key] = structs.replace(
                        self._requests[key], request_status=GrantType.GRANTED.value
                    )
                case GrantType.QUEUED:
                    pass  # no status of a state's schema says so
                case GrantType.REJECTED:
                    self._rejected[key] = None
                    del self._requests[key]
                case GrantType.REVOKED:
                    del self._requests[key]

    def clear_requests(self) -> None:
        """Ask for nothing any more, as when a person takes over."""
        self._requests.clear()

    def _request(self, key: Key) -> ZoneRequest:
        return ZoneRequest(
            request_id=f"zone-{next(self._numbers)}", zone_set_id=key[0], zone_id=key[1]
        )

    # where they are

    def _on(self, edge: Edge) -> tuple[tuple[Key, Zone], ...]:
        if not self._enabled:
            return ()
        ends = edge.start, edge.end
        found = self._in_way.get(ends)
        if found is None:
            found = self._in_way[ends] = tuple(self._find(edge))
        return found

    def _find(self, edge: Edge) -> Iterable[tuple[Key, Zone]]:
        start, end = self._site.nodes[edge.start], self._site.nodes[edge.end]
        if start.level != end.level:
            yield from self._at(start.id)
            yield from self._at(end.id)
            return
        line = LineString(
            [(start.point.x_m, start.point.y_m), (end.point.x_m, end.point.y_m)],
        )
        contour = line.buffer(self._width_m / 2, cap_style="flat")
        for key, zone in self._in_force(start.level):
            centre = zone.zone_type in _BY_CENTRE
            if _enters(line if centre else contour, self._shape(key, zone), centre=centre):
                yield key, zone

    def _releases_at(self, node: NodeId) -> tuple[Key, ...]:
        found = self._around.get(node)
        if found is None:
            release = ZoneType.RELEASE
            found = tuple(key for key, zone in self._at(node) if zone.zone_type is release)
            self._around[node] = found
        return found

    def _at(self, node: NodeId) -> Iterable[tuple[Key, Zone]]:
        spot = self._site.nodes[node]
        point = Point(spot.point.x_m, spot.point.y_m)
        for key, zone in self._in_force(spot.level):
            if self._shape(key, zone).contains(point):
                yield key, zone

    def _in_force(self, level: LevelId) -> Iterable[tuple[Key, Zone]]:
        zone_set = self._sets.get(self._enabled.get(self._maps.get(level, level), ""))
        for zone in zone_set.zones if zone_set is not None else ():
            yield (zone_set.zone_set_id, zone.zone_id), zone  # pyright: ignore[reportOptionalMemberAccess]

    def _shape(self, key: Key, zone: Zone) -> Polygon:
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = Polygon([(v.x, v.y) for v in zone.vertices])
        return shape

    def _opposes(self, edge: Edge, direction: float) -> bool:
        start, end = self._site.nodes[edge.start].point, self._site.nodes[edge.end].point
        heading = math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)
        off = abs(math.remainder(heading - direction, 2 * math.pi))
        return off > _RIGHT_ANGLE


def _enters(way: BaseGeometry, zone: Polygon, *, centre: bool) -> bool:
    common = way.intersection(zone)
    return common.length > 2 * _TOUCH_M if centre else common.area > _TOUCH_M**2
