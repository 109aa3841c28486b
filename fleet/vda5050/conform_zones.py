"""Zones of version 3.0 on trial: sets that are sent, enabled and deleted, and a request for access.

A robot can be given no set of zones back as "none": where none was in force on its map, an empty
one of ours is in force when the trial is over.

Source: VDA 5050 3.0.0, chapters 6.4 and 6.9.
"""

from collections.abc import Sequence
from typing import Any, Final

from fleet.mission import Waypoint
from fleet.vda5050.conform_stand import Stand, at
from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.orders import first
from fleet.vda5050.state_messages import State, StoredZoneSet, ZoneRequest
from fleet.vda5050.terms import ActionStatus
from fleet.vda5050.zone_messages import GrantType, Response, Vertex, Zone, ZoneSet, ZoneType
from routing.geometry import Point

_FAR_M: Final = 1000.0
_LEAST_STEP_M: Final = 4.0
"""A shorter step leaves no room to stand before a zone."""
_HALF_M: Final = 1.0
_STANDS_S: Final = 10.0


async def try_zone_sets(stand: Stand) -> None:
    """Whether it takes, lists, enables and deletes zone sets, far from where it stands."""
    here, types = stand.here(), _types(stand)
    kind = next((kind for kind in _FACTS if kind in types), None)
    if kind is None or here is None:
        why = "its factsheet names no supportedZones" if kind is None else "it has no place"
        stand.untried("zone sets", why)
        return
    spot = Point(here.point.x_m + _FAR_M, here.point.y_m + _FAR_M)
    zone_set = ZoneSet(
        map_id=here.level, zone_set_id=stand.name("far"), zones=(_zone("far", kind, spot),)
    )
    if not await _store(stand, zone_set):
        return
    listed = _listed(stand, zone_set.zone_set_id)
    stand.find("a zone set is not enabled before it is told", not (listed and listed.enabled))
    await _refuses_twice(stand, zone_set)
    former = _in_force(stand, zone_set.map_id)
    if await _enable(stand, zone_set.zone_set_id, "enableZoneSet: it is listed as ENABLED"):
        await _put_back(stand, zone_set, former)


async def try_release(stand: Stand, route: Sequence[Waypoint] | None) -> None:
    """Whether it waits before a RELEASE zone on its way until it is let in.

    Args:
        route: from where it stands; its first step is driven. None = it has no place.
    """
    rule, why = "access to RELEASE zones", None
    if ZoneType.RELEASE not in _types(stand):
        why = "its factsheet does not name RELEASE among supportedZones"
    elif route is None or stand.state.last_node_id != route[0].node or stand.state.busy:
        why = "it is not at the start of a route, or still lists an order"
    elif route[0].point.distance_m(route[1].point) < _LEAST_STEP_M:
        why = f"its step is shorter than {_LEAST_STEP_M:g} m; give --site, or --step 5"
    if why is not None or route is None:
        stand.untried(rule, why or "")
        return
    former = _in_force(stand, route[1].level)
    zone = _zone("gate", ZoneType.RELEASE, route[1].point)
    zone_set = ZoneSet(map_id=route[1].level, zone_set_id=stand.name("gate"), zones=(zone,))
    if not await _store(stand, zone_set):
        return
    if not await _enable(stand, zone_set.zone_set_id, "a zone set with a RELEASE zone is enabled"):
        return
    await _try_gate(stand, route[:2], zone_set)
    await stand.idle()
    await _put_back(stand, zone_set, former)


async def _try_gate(stand: Stand, route: Sequence[Waypoint], zone_set: ZoneSet) -> None:
    draft = first(stand.mission(route), route, 2, stand.order_config())
    if await stand.send(draft) is None:
        why = f"its order was not taken: {stand.refusal(stand.state)}"
        stand.untried("access to RELEASE zones", why)
        return

    def request() -> ZoneRequest | None:
        asked = stand.state.zone_requests or ()
        return next((one for one in asked if one.zone_set_id == zone_set.zone_set_id), None)

    took_s = await stand.until(lambda _: request() is not None, stand.limit_s())
    asked = request()
    if not stand.took("asks for a RELEASE zone on its way", took_s) or asked is None:
        return
    await _answer(stand, asked, GrantType.QUEUED)

    gate = route[1]
    if not stand.find("stays out of it before that is GRANTED", await _stays_out(stand, gate)):
        return
    await _answer(stand, asked, GrantType.GRANTED)

    def granted() -> bool:
        now = request()
        return _inside(stand.state, gate) or (
            now is not None and now.request_status == GrantType.GRANTED
        )

    took_s = await stand.until(lambda _: granted(), stand.wishes.answer_s)
    stand.took("lists the request as GRANTED", took_s)
    stand.took("goes in then", await stand.until(lambda s: at(s, gate.node, 2), stand.limit_s()))


async def _stays_out(stand: Stand, gate: Waypoint) -> bool:
    """Wait until it stands for some time; whether it does so before the zone."""
    ends_s = stand.link.now_s() + stand.limit_s()
    while stand.link.now_s() < ends_s:
        moves = await stand.until(lambda s: s.driving or _inside(s, gate), _STANDS_S)
        if moves is None or _inside(stand.state, gate):
            break
        await stand.until(lambda s: not s.driving or _inside(s, gate), stand.limit_s())
    return not _inside(stand.state, gate)


def _inside(state: State, gate: Waypoint) -> bool:
    """Whether its centre is in the zone around a node."""
    pose = state.agv_position
    if pose is None or pose.x is None or pose.y is None:
        return at(state, gate.node, 2)
    off_m = max(abs(pose.x - gate.point.x_m), abs(pose.y - gate.point.y_m))
    return at(state, gate.node, 2) or off_m < _HALF_M


async def _answer(stand: Stand, request: ZoneRequest, grant: GrantType) -> None:
    response = Response(request_id=request.request_id, grant_type=grant)
    await stand.link.outbox.send_responses([response])


async def _store(stand: Stand, zone_set: ZoneSet) -> bool:
    await stand.link.outbox.send_zone_set(zone_set)
    took_s = await stand.until(
        lambda _: _listed(stand, zone_set.zone_set_id) is not None, stand.wishes.answer_s
    )
    return stand.took("takes a zone set and lists it", took_s)


async def _refuses_twice(stand: Stand, zone_set: ZoneSet) -> None:
    before = stand.state.errors
    await stand.link.outbox.send_zone_set(zone_set)
    took_s = await stand.until(
        lambda state: any(
            error.error_type == ErrorType3.DUPLICATE_ZONE_SET and error not in before
            for error in state.errors
        ),
        stand.wishes.answer_s,
    )
    stand.took("refuses a zone set that it has: DUPLICATE_ZONE_SET", took_s)


async def _enable(stand: Stand, id_: str, rule: str) -> bool:
    ended, took_s = await stand.act_at_once("enableZoneSet", zone_set_id=id_)
    await stand.until(lambda _: _is_enabled(stand, id_), stand.wishes.answer_s)
    fine = ended is not None and ended.action_status == ActionStatus.FINISHED
    note = "" if fine else f"the action is {ended.action_status if ended else 'not listed'}"
    return stand.find(rule, fine and _is_enabled(stand, id_), took_s=took_s, note=note)


async def _put_back(stand: Stand, ours: ZoneSet, former: StoredZoneSet | None) -> None:
    """Have the former set in force again, or an empty one, and ours deleted."""
    if former is None:
        empty = ZoneSet(map_id=ours.map_id, zone_set_id=f"{ours.zone_set_id}-end", zones=())
        if not await _store(stand, empty):
            return
        await _enable(stand, empty.zone_set_id, "another set of the map takes its place")
    else:
        await _enable(stand, former.zone_set_id, "another set of the map takes its place")
    await stand.act_at_once("deleteZoneSet", zone_set_id=ours.zone_set_id)
    took_s = await stand.until(
        lambda _: _listed(stand, ours.zone_set_id) is None, stand.wishes.answer_s
    )
    stand.took("deleteZoneSet: it is gone", took_s)


def _types(stand: Stand) -> Sequence[str]:
    sheet = stand.link.inbox.factsheet
    return (sheet.type_specification.supported_zones if sheet is not None else None) or ()


def _listed(stand: Stand, id_: str) -> StoredZoneSet | None:
    return next((one for one in stand.state.zone_sets or () if one.zone_set_id == id_), None)


def _is_enabled(stand: Stand, id_: str) -> bool:
    listed = _listed(stand, id_)
    return listed is not None and listed.enabled


def _in_force(stand: Stand, map_id: str) -> StoredZoneSet | None:
    sets = stand.state.zone_sets or ()
    return next((one for one in sets if one.enabled and one.map_id == map_id), None)


_FACTS: Final[dict[ZoneType, dict[str, Any]]] = {
    ZoneType.RELEASE: {"release_loss_behavior": "STOP"},
    ZoneType.BLOCKED: {},
    ZoneType.SPEED_LIMIT: {"maximum_speed": 0.5},
    ZoneType.PRIORITY: {"priority_factor": 0.5},
    ZoneType.DIRECTED: {"direction": 0.0, "directed_limitation": "SOFT"},
}
"""What a zone of each type must say, in the order in which they are tried."""


def _zone(name: str, kind: ZoneType, spot: Point) -> Zone:
    corners = [
        Vertex(x=round(spot.x_m + dx, 3), y=round(spot.y_m + dy, 3))
        for dx, dy in ((-_HALF_M, -_HALF_M), (_HALF_M, -_HALF_M), (_HALF_M, _HALF_M))
    ]
    corners.append(Vertex(x=round(spot.x_m - _HALF_M, 3), y=round(spot.y_m + _HALF_M, 3)))
    vertices, facts = tuple(corners), _FACTS[kind]
    return Zone(zone_id=f"conform-{name}", zone_type=kind, vertices=vertices, **facts)
