"""Emergencies in force: whom each concerns, and which roads and lifts it wants free."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType

import shapely

from routing.refusal import Fact, Refusal
from routing.site import LaneId, LevelId, LiftId, NodeId, Role, Site, Zone

EmergencyId = NewType("EmergencyId", str)
HELD = frozenset({"emergency", "weather_hold", "wind_above_limit"})
"""The codes of the reasons why a task waits for an emergency, or bad weather, to end."""


class EmergencyKind(StrEnum):
    """What has happened."""

    FIRE = "fire"
    """All of a building, or of the site."""
    CODE_BLUE = "code_blue"
    """Somebody's heart stands still: corridors and lifts of a part must be free at once."""
    WEATHER = "weather"
    """Nothing flies: drones stay on the ground, robots don't care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """One emergency, and where it is: without any of the words, everywhere.

    Args:
        building: the id of an area of kind ``building``: all that lies above and below it, too.
        level, zone: what lies on a level, in a zone, or in both.
        by: who raised it.
        reason: in people's words.
    """

    id: EmergencyId
    kind: EmergencyKind
    since_s: float
    by: str = ""
    building: str | None = None
    level: LevelId | None = None
    zone: str | None = None
    lanes: tuple[LaneId, ...] = ()
    reason: str = ""

    def facts(self) -> dict[str, Any]:
        """What the journal holds of it."""
        return {
            "emergency": self.id,
            "emergency_kind": self.kind,
            "by": self.by,
            "building": self.building,
            "level": self.level,
            "zone": self.zone,
            "lanes": self.lanes,
            **({"reason": self.reason} if self.reason else {}),
        }

    @property
    def where(self) -> str:
        """Where it is, by ids; empty = everywhere."""
        named = (self.building, self.level, self.zone, *self.lanes[:3])
        return " ".join(word for word in named if word) + (" …" if len(self.lanes) > 3 else "")


def emergency_of(facts: Mapping[str, Any], at_s: float) -> Emergency:
    """An emergency out of the journal."""
    return Emergency(
        id=EmergencyId(facts["emergency"]),
        kind=EmergencyKind(facts["emergency_kind"]),
        since_s=at_s,
        by=facts["by"],
        building=facts["building"],
        level=facts["level"],
        zone=facts["zone"],
        lanes=tuple(LaneId(lane) for lane in facts["lanes"]),
        reason=facts.get("reason", ""),
    )


def nodes_of(emergency: Emergency, site: Site) -> frozenset[NodeId]:
    """The nodes in which an emergency is; weather is above all of them."""
    if emergency.kind is EmergencyKind.WEATHER:
        return frozenset()
    if emergency.lanes:
        lanes = [site.lanes[lane] for lane in emergency.lanes if lane in site.lanes]
        return frozenset(node for lane in lanes for node in (lane.start, lane.end))
    if emergency.building is not None:
        if emergency.building not in site.areas:
            return frozenset()
        shape = shapely.Polygon([(p.x_m, p.y_m) for p in site.areas[emergency.building].outline])
        spots = ((n.id, shapely.Point(n.point.x_m, n.point.y_m)) for n in site.nodes.values())
        return frozenset(id_ for id_, spot in spots if shapely.covers(shape, spot))
    return frozenset(
        node.id
        for node in site.nodes.values()
        if emergency.level in (None, node.level)
        and (emergency.zone is None or node.zone is Zone[emergency.zone.upper()])
    )


def lifts_of(nodes: frozenset[NodeId], site: Site) -> list[LiftId]:
    """The lifts that stop among these nodes."""
    return [lift.id for lift in site.lifts.values() if nodes & set(lift.cabins.values())]


def lanes_of(nodes: frozenset[NodeId], site: Site) -> frozenset[LaneId]:
    """All lanes that touch these nodes, and those of the lifts that stop there."""
    lifts = lifts_of(nodes, site)
    cabins = {node for lift in lifts for node in site.lifts[lift].cabins.values()}
    return frozenset(
        lane.id
        for lane in site.lanes.values()
        if {lane.start, lane.end} & (nodes | cabins) or lane.lift in lifts
    )


class Emergencies:
    """All that are in force."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._nodes: dict[EmergencyId, frozenset[NodeId]] = {}
        self._all: dict[EmergencyId, Emergency] = {}
        self.lanes: frozenset[LaneId] = frozenset()
        """What is to be free."""

    @property
    def any(self) -> bool:
        """Whether one is in force."""
        return bool(self._all)

    @property
    def all(self) -> list[Emergency]:
        """The oldest first."""
        return list(self._all.values())

    def __contains__(self, emergency: EmergencyId) -> bool:
        return emergency in self._all

    def begin(self, emergency: Emergency) -> None:
        """One more."""
        self._all[emergency.id] = emergency
        nodes = nodes_of(emergency, self._site)
        lifts = (self._site.lifts[lift] for lift in lifts_of(nodes, self._site))
        self._nodes[emergency.id] = nodes.union(*(lift.cabins.values() for lift in lifts))
        self._measure()

    def end(self, emergency: EmergencyId) -> Emergency:
        """One less."""
        self._nodes.pop(emergency)
        ended = self._all.pop(emergency)
        self._measure()
        return ended

    def _measure(self) -> None:
        lanes = (lanes_of(nodes, self._site) for nodes in self._nodes.values())
        self.lanes = frozenset[LaneId]().union(*lanes)

    def at(self, node: NodeId) -> Emergency | None:
        """The one that a node is in; a lift that is to be free belongs to it."""
        return next((self._all[id_] for id_, nodes in self._nodes.items() if node in nodes), None)

    @property
    def fire(self) -> Emergency | None:
        """A fire, wherever it is."""
        return self._first(EmergencyKind.FIRE)

    @property
    def grounds(self) -> Emergency | None:
        """The one that keeps all drones on the ground: a fire, or else the weather."""
        return self.fire or self._first(EmergencyKind.WEATHER)

    def _first(self, kind: EmergencyKind) -> Emergency | None:
        return next((one for one in self._all.values() if one.kind is kind), None)


def held_by(emergency: Emergency) -> Refusal:
    """The reason why something waits for an emergency to end."""
    if emergency.kind is EmergencyKind.WEATHER:
        return Refusal("weather_hold", {"emergency": emergency.id, "why": emergency.reason})
    facts: dict[str, Fact] = {"emergency": emergency.id, "what": emergency.kind.value}
    return Refusal("emergency", facts)


def stands_aside(site: Site, node: NodeId) -> bool:
    """Whether a node is off the corridors: a refuge, or a place in a dead end."""
    places = site.places_at.get(node, ())
    if any(Role.REFUGE in place.roles for place in places):
        return True
    return bool(places) and len({edge.end for edge in site.edges_from[node]}) == 1
