"""What a robot that asks for a zone is told: just what traffic has released to it. Pure functions.

Source: VDA 5050 3.0.0, chapter 6.9.
"""

from collections.abc import Mapping

from fleet.mission import Clearance
from fleet.vda5050.state_messages import State, ZoneRequest
from fleet.vda5050.zone_messages import GrantType
from fleet.vda5050.zones import SiteZone


def decide(
    request: ZoneRequest,
    zones: Mapping[str, SiteZone],
    state: State,
    clearance: Clearance | None,
) -> GrantType:
    """The answer to a request, as far as traffic's rights go now.

    Args:
        zones: the RELEASE zones of the set that the request names, by id.
        clearance: of the mission in hand.
    """
    zone = zones.get(request.zone_id)
    if request.request_type != "ACCESS" or zone is None:
        return GrantType.REJECTED
    if state.last_node_id in zone.nodes:
        return GrantType.GRANTED
    held = request.request_status == GrantType.GRANTED
    if clearance is None:
        return GrantType.REVOKED if held else GrantType.REJECTED
    entry = _entry(zone, clearance)
    if entry is not None:
        released = entry < clearance.released
        return GrantType.GRANTED if released else GrantType.REVOKED if held else GrantType.QUEUED
    if held and _came_through(zone, clearance):
        return GrantType.GRANTED  # its tail may still be in there; it says when it has left
    return GrantType.REVOKED if held else GrantType.REJECTED


def due(request: ZoneRequest, answer: GrantType, said: GrantType | None) -> bool:
    """Whether an answer is news to the robot, which was told ``said`` before.

    What got lost is seen by its status; QUEUED has none in a state's schema, so it is told once.
    """
    status = request.request_status
    if answer is GrantType.GRANTED:
        return status != GrantType.GRANTED
    if answer is GrantType.QUEUED:
        return said is not GrantType.QUEUED and status != GrantType.QUEUED
    return status not in (GrantType.REVOKED, "EXPIRED")


def _entry(zone: SiteZone, clearance: Clearance) -> int | None:
    """Index of the first waypoint ahead whose way leads into the zone."""
    for index in range(clearance.passed + 1, len(clearance.route)):
        waypoint = clearance.route[index]
        if waypoint.node in zone.nodes or waypoint.lane in zone.lanes:
            return index
    return None


def _came_through(zone: SiteZone, clearance: Clearance) -> bool:
    return any(
        waypoint.node in zone.nodes or waypoint.lane in zone.lanes
        for waypoint in clearance.route[: clearance.passed + 1]
    )
