"""Writes a `Site` as the YAML that a person would have written."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import yaml

from routing.geometry import Point
from routing.site import (
    AirLock,
    Airspace,
    Area,
    Door,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    Name,
    Node,
    NodeId,
    Place,
    Role,
    Room,
    Site,
    Workcell,
    Zone,
)
from routing.sites.faults import fully_connected
from routing.sites.zone_map import ZoneMap
from routing.windows import GOODS, PassengersFirst, Window, clock

_PLAIN = re.compile(r"[^\W\d_][\w./-]*( [\w./()-]+)*")
_DEFAULT_WIDTH_M = 2.0
_WRAP = 12
"""Nodes of one written chain."""


def dump(site: Site) -> str:
    """The site as YAML; loading it gives an equal site."""
    return "\n".join(_Writer(site).lines()) + "\n"


class _Writer:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._zones = ZoneMap(site.areas.values())
        self._made = {p.node for p in site.places.values() if str(p.node) == str(p.id)}
        self._cabins = set(site.lift_at)
        self._told: set[LaneId] = set()

    def lines(self) -> Iterator[str]:
        site = self._site
        anchor = site.frame.anchor
        counts = f"{len(site.levels)} levels, {len(site.places)} places, {len(site.lanes)} lanes"
        yield f"# {_comment(site.name.en)}: {counts}."
        yield ""
        yield f"site: {_text(site.id)}"
        yield f"name: {_name(site.name)}"
        lat, lon = _number(anchor.lat_deg), _number(anchor.lon_deg)
        bearing = _number(site.frame.bearing_deg)
        yield f"anchor: {{lat_deg: {lat}, lon_deg: {lon}, bearing_deg: {bearing}}}"
        if not fully_connected(site):
            yield "connected: false   # not every place can reach every other"
        yield ""
        yield "levels:"
        for level in site.levels.values():
            yield from self._level(level)
        if site.lifts:
            yield ""
            yield "lifts:"
            yield from (f"  {_text(lift.id)}: {self._lift(lift)}" for lift in site.lifts.values())
        if site.air_locks:
            yield ""
            yield "air_locks:"
            locks = site.air_locks.values()
            yield from (f"  {_text(lock.id)}: {_air_lock(lock)}" for lock in locks)
        if site.airspaces:
            yield ""
            yield "air:"
            yield from (f"  {_text(s.id)}: {_airspace(s)}" for s in site.airspaces.values())

    def _level(self, level: Level) -> Iterator[str]:
        site = self._site
        yield f"  {_text(level.id)}:"
        yield f"    name: {_name(level.name)}"
        yield f"    elevation_m: {_number(level.elevation_m)}"
        if level.outdoors:
            yield "    outdoors: true"
        here = [node for node in site.nodes.values() if node.level == level.id]
        nodes = [n for n in here if n.id not in self._made and n.id not in self._cabins]
        places = [p for p in site.places.values() if site.nodes[p.node].level == level.id]
        doors = [door for door in site.doors.values() if door.level == level.id]
        told = [f"{_text(place.id)}: {self._place(place)}" for place in places]
        self._tell_cabins(level.id)
        yield from _block("areas", (f"- {_area(a)}" for a in self._areas(level.id)))
        yield from _block("nodes", (f"{_text(node.id)}: {self._node(node)}" for node in nodes))
        yield from _block("places", told)
        yield from _block("lanes", (f"- {lane}" for lane in self._lanes(level.id)))
        yield from _block(
            "doors",
            (f"{_text(door.id)}: {_door(door)}" for door in doors),
        )
        cells = [cell for cell in site.workcells.values() if cell.level == level.id]
        yield from _block("workcells", (f"{_text(c.id)}: {_workcell(c)}" for c in cells))

    def _areas(self, level: LevelId) -> list[Area]:
        return [area for area in self._site.areas.values() if area.level == level]

    def _node(self, node: Node) -> str:
        zone = self._own_zone(node)
        return f"{{at: {_spot(node.point)}, zone: {zone}}}" if zone else _spot(node.point)

    def _own_zone(self, node: Node) -> str | None:
        """The node's zone, if no area says it."""
        inherited = self._zones.at(node.level, node.point) is node.zone
        return None if inherited else _zone(node.zone)

    def _place(self, place: Place) -> str:
        parts = [f"name: {_name(place.name)}", f"kind: {_text(place.kind)}"]
        if place.node in self._made and str(place.node) == str(place.id):
            node = self._site.nodes[place.node]
            parts.append(f"at: {_spot(node.point)}")
            joins = self._joins(place.node)
            if joins:
                parts.append(f"joins: {_list(lane.end for lane in joins)}")
                if joins[0].door:
                    parts.append(f"door: {_text(joins[0].door)}")
            zone = self._own_zone(node)
            if zone:
                parts.append(f"zone: {zone}")
        else:
            parts.append(f"node: {_text(place.node)}")
        if place.roles:
            parts.append(f"roles: {_list(role.value for role in Role if role in place.roles)}")
        if place.service_s:
            parts.append(f"service_s: {_number(place.service_s)}")
        if place.workcell:
            parts.append(f"workcell: {_text(place.workcell)}")
        return "{" + ", ".join(parts) + "}"

    def _joins(self, node: NodeId, *, doors: bool = True) -> list[Lane]:
        """The plain lanes out of a place or cabin that ``joins`` can tell; they count as told."""
        lanes = [
            lane
            for lane in self._site.lanes.values()
            if lane.start == node and self._plain(lane) and (doors or not lane.door)
        ]
        lanes = [lane for lane in lanes if lane.door == lanes[0].door]
        self._told.update(lane.id for lane in lanes)
        return lanes

    def _tell_cabins(self, level: LevelId) -> None:
        for lift in self._site.lifts.values():
            if level in lift.cabins:
                self._joins(lift.cabins[level], doors=False)

    def _plain(self, lane: Lane) -> bool:
        return (
            lane.two_way
            and lane.lift is None
            and lane.width_m == _DEFAULT_WIDTH_M
            and lane.speed_limit_m_s is None
            and not lane.kinds
            and not lane.windows
            and not lane.passing
            and self._straight(lane)
            and lane.id not in self._told
        )

    def _straight(self, lane: Lane) -> bool:
        nodes = self._site.nodes
        return lane.length_m == nodes[lane.start].point.distance_m(nodes[lane.end].point)

    def _lanes(self, level: LevelId) -> Iterator[str]:
        nodes = self._site.nodes
        left = [
            lane
            for lane in self._site.lanes.values()
            if nodes[lane.start].level == level and not lane.lift and lane.id not in self._told
        ]
        chain: list[NodeId] = []
        facts = ""
        for lane in left:
            mine = self._lane_facts(lane)
            goes_on = bool(chain) and chain[-1] == lane.start and facts == mine
            if goes_on and len(chain) < _WRAP and self._straight(lane):
                chain.append(lane.end)
                continue
            if chain:
                yield _chain(chain, facts)
            chain, facts = [lane.start, lane.end], mine
        if chain:
            yield _chain(chain, facts)

    def _lane_facts(self, lane: Lane) -> str:
        facts = ""
        if not lane.two_way:
            facts += ", one_way: true"
        if lane.width_m != _DEFAULT_WIDTH_M:
            facts += f", width_m: {_number(lane.width_m)}"
        if lane.speed_limit_m_s is not None:
            facts += f", speed_limit_m_s: {_number(lane.speed_limit_m_s)}"
        if lane.door:
            facts += f", door: {_text(lane.door)}"
        if lane.kinds:
            facts += f", kinds: {_list(sorted(lane.kinds))}"
        if lane.windows:
            facts += f", windows: {_windows(lane.windows)}"
        if lane.passing:
            facts += ", passing: true"
        if not self._straight(lane):
            facts += f", length_m: {_number(lane.length_m)}"
        return facts

    def _lift(self, lift: Lift) -> str:
        nodes = self._site.nodes
        cabins = [f"{_text(at)}: {_spot(nodes[node].point)}" for at, node in lift.cabins.items()]
        parts = [f"name: {_name(lift.name)}", f"cabins: {{{', '.join(cabins)}}}"]
        joins: list[str] = []
        for level, cabin in lift.cabins.items():
            ends = [
                lane.end
                for lane in self._site.lanes.values()
                if lane.start == cabin and lane.id in self._told
            ]
            if ends:
                joins.append(f"{_text(level)}: {_list(ends)}")
        if joins:
            parts.append(f"joins: {{{', '.join(joins)}}}")
        parts.append(f"speed_m_s: {_number(lift.speed_m_s)}")
        parts.append(f"door_s: {_number(lift.door_s)}")
        if lift.windows:
            parts.append(f"windows: {_windows(lift.windows)}")
        if lift.passengers is not None:
            parts.append(f"passengers: {_passengers(lift.passengers)}")
        if lift.room is not None:
            parts.append(f"room: {_room(lift.room)}")
        zones = [self._own_zone(nodes[node]) for node in lift.cabins.values()]
        own = next((zone for zone in zones if zone), None)
        return "{" + ", ".join([*parts, f"zone: {own}"] if own else parts) + "}"


def _block(key: str, lines: Iterable[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        if index == 0:
            yield f"    {key}:"
        yield f"      {line}"


def _chain(chain: Sequence[NodeId], facts: str) -> str:
    return f"{{path: {_list(chain)}{facts}}}" if facts else _list(chain)


def _room(room: Room) -> str:
    width, depth = _number(room.width_m), _number(room.depth_m)
    return f"{{width_m: {width}, depth_m: {depth}, robots: {room.robots}}}"


def _door(door: Door) -> str:
    return f"{{name: {_name(door.name)}, opening_s: {_number(door.opening_s)}}}"


def _workcell(cell: Workcell) -> str:
    does = [w for w, so in (("dispenses", cell.dispenses), ("ingests", cell.ingests)) if so]
    parts = [f"name: {_name(cell.name)}", f"does: {_list(does)}"]
    parts.append(f"handover_s: {_number(cell.handover_s)}")
    parts.append(f"limit_s: {_number(cell.limit_s)}")
    return "{" + ", ".join(parts) + "}"


def _windows(windows: Iterable[Window]) -> str:
    written = (
        f"{{only: {_list(word for word in GOODS if word in window.only)}, "
        f'from: "{clock(window.from_s)}", to: "{clock(window.to_s)}"}}'
        for window in windows
    )
    return f"[{', '.join(written)}]"


def _passengers(first: PassengersFirst) -> str:
    hours = ", ".join(f'"{clock(a)}-{clock(b)}"' for a, b in first.hours)
    return f"{{share: {_number(first.share)}, hours: [{hours}]}}"


def _air_lock(lock: AirLock) -> str:
    doors = f"doors: {_list(lock.doors)}"
    own = lock.name != Name(en=lock.id, zh=lock.id)
    return f"{{name: {_name(lock.name)}, {doors}}}" if own else f"{{{doors}}}"


def _area(area: Area) -> str:
    parts = [f"id: {_text(area.id)}", f"name: {_name(area.name)}", f"kind: {_text(area.kind)}"]
    parts.append(f"zone: {_zone(area.zone)}")
    parts.append(_shape(area.outline))
    return "{" + ", ".join(parts) + "}"


def _shape(outline: Sequence[Point]) -> str:
    if len(outline) == 4:
        low, high = outline[0], outline[2]
        rect = (low, Point(high.x_m, low.y_m), high, Point(low.x_m, high.y_m))
        if rect == tuple(outline):
            return f"rect: [{', '.join(map(_number, (low.x_m, low.y_m, high.x_m, high.y_m)))}]"
    return f"outline: {_ring(outline)}"


def _airspace(space: Airspace) -> str:
    parts = [f"name: {_name(space.name)}", f"kind: {space.kind.value}"]
    parts.append(f"outline: {_ring(space.outline)}")
    if space.holes:
        parts.append(f"holes: [{', '.join(_ring(hole) for hole in space.holes)}]")
    parts.append(f"floor_agl_m: {_number(space.floor_agl_m)}")
    parts.append(f"ceiling_agl_m: {_number(space.ceiling_agl_m)}")
    if space.hours:
        spans = ", ".join(f'"{clock(from_s)}-{clock(to_s)}"' for from_s, to_s in space.hours)
        parts.append(f"hours: [{spans}]")
    return "{" + ", ".join(parts) + "}"


def _zone(zone: Zone) -> str:
    return zone.name.lower()


def _ring(ring: Iterable[Point]) -> str:
    return f"[{', '.join(_spot(point) for point in ring)}]"


def _spot(point: Point) -> str:
    return f"[{_number(point.x_m)}, {_number(point.y_m)}]"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(_text(item) for item in items)}]"


def _name(name: Name) -> str:
    return f"{{en: {_text(name.en)}, zh: {_text(name.zh)}}}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e9 else repr(value)


@lru_cache(maxsize=10_000)
def _text(text: str) -> str:
    """A text as YAML reads it back: plain where that is safe, else in quotes."""
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _comment(text: str) -> str:
    return " ".join(text.split())
