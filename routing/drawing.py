"""Draws a site: every level side by side, as one SVG that also reads in grey."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import atan2, ceil, degrees
from typing import Literal

from shapely import LineString, Polygon, unary_union

from routing.geometry import Point
from routing.labels import Box, Sheet, around, text_width, wrapped
from routing.site import (
    AirKind,
    Airspace,
    Area,
    Lane,
    Level,
    Name,
    NodeId,
    Place,
    PlaceId,
    Role,
    Site,
    Zone,
)

Language = Literal["en", "zh"]

_BG, _PANEL, _INK, _MUTE, _LINE = "#f6f7f8", "#ffffff", "#16202a", "#5b6874", "#dfe4e8"
_ACCENT, _WAIT, _CRITICAL, _IDLE = "#0b6b63", "#b45309", "#b42318", "#7b8794"
_ZONES = {
    Zone.CLEAN: ("#eef5f3", "#cfe0dc"),
    Zone.SEMI: ("#fbf3de", "#ead9a8"),
    Zone.CONTAMINATED: ("#fbe9ea", "#e6bfc3"),
}
_GROUND = {"building": _PANEL, "street": _PANEL, "yard": "#f1f3f4", "water": "#dfe4e8"}
_FONT = "system-ui, 'Noto Sans', 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
_TAG, _SECOND, _TITLE = 11.0, 12.5, 15.0
_SIDE, _GAP, _HEAD, _FOOT = 24.0, 24.0, 40.0, 34.0
_WIDE, _TALL = 1120.0, 820.0
"""The most that the map of one level takes, in pixels."""

_DEFS = f"""<defs>
<pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse"
 patternTransform="rotate(45)"><path d="M0 0V7" stroke="#e6bfc3" stroke-width="1.6"/></pattern>
<pattern id="forbidden" width="7" height="7" patternUnits="userSpaceOnUse"
 patternTransform="rotate(-45)"><path d="M0 0V7" stroke="{_CRITICAL}" stroke-width="1"
 stroke-opacity=".35"/></pattern>
</defs>"""


def draw(site: Site, language: Language = "en") -> str:
    """The site as an SVG picture, light theme; names in one of its two languages."""
    panels = _panels(site)
    columns = len(panels) if len(panels) < 3 else 2 if len(panels) < 5 else 3
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    parts: list[str] = []
    top, width = _SIDE + 44.0, 560.0
    for row in rows:
        left = _SIDE
        for panel in row:
            parts += _Canvas(site, panel, left, top, language).elements()
            left += panel.width + _GAP
        width = max(width, left - _GAP + _SIDE)
        top += max(panel.height for panel in row) + _GAP
    key, height = _key(top, width)
    title = f"{site.name.en}  {site.name.zh}" if site.name.en != site.name.zh else site.name.en
    head = _text(_SIDE, _SIDE + 20, title, 20, _INK, weight=700)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}">'
    ground = f'<rect width="100%" height="100%" fill="{_BG}"/>'
    return "\n".join([opening, _DEFS, ground, head, *parts, *key, "</svg>"]) + "\n"


# -- what is drawn where -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bounds:
    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def of(cls, points: Iterable[Point]) -> "_Bounds | None":
        spots = list(points)
        if not spots:
            return None
        xs, ys = [p.x_m for p in spots], [p.y_m for p in spots]
        return cls(min(xs), min(ys), max(xs), max(ys))

    def padded(self) -> "_Bounds":
        """With a margin, and never thinner than a quarter of its other side."""
        across, along = self.x1 - self.x0, self.y1 - self.y0
        pad = max(across, along, 4.0) * 0.03
        wide = max(0.0, along / 4 - across) / 2 + pad
        tall = max(0.0, across / 4 - along) / 2 + pad
        return _Bounds(self.x0 - wide, self.y0 - tall, self.x1 + wide, self.y1 + tall)


@dataclass(frozen=True, slots=True)
class _Panel:
    level: Level
    bounds: _Bounds
    px_per_m: float
    air: tuple[Airspace, ...]

    @property
    def width(self) -> float:
        return (self.bounds.x1 - self.bounds.x0) * self.px_per_m

    @property
    def height(self) -> float:
        return (self.bounds.y1 - self.bounds.y0) * self.px_per_m + _HEAD + _FOOT


def _panels(site: Site) -> list[_Panel]:
    """Floors share one window and scale; the ground outdoors has its own."""
    ground = _ground(site)
    inside = [p for key in site.levels if key != ground for p in _spots(site, key)]
    house = _Bounds.of(inside)
    panels: list[_Panel] = []
    for key, level in site.levels.items():
        air = tuple(site.airspaces.values()) if key == ground else ()
        aloft = [point for space in air for point in space.outline]
        own = _Bounds.of([*_spots(site, key), *aloft]) if key == ground else house
        bounds = (own or _Bounds(0, 0, 1, 1)).padded()
        across, along = bounds.x1 - bounds.x0, bounds.y1 - bounds.y0
        panels.append(_Panel(level, bounds, min(_WIDE / across, _TALL / along), air))
    return panels


def _ground(site: Site) -> str | None:
    """The level on which the air is drawn: the lowest one outdoors."""
    outdoors = [level for level in site.levels.values() if level.outdoors]
    return min(outdoors, key=lambda level: level.elevation_m).id if outdoors else None


def _spots(site: Site, level: str) -> Iterator[Point]:
    yield from (node.point for node in site.nodes.values() if node.level == level)
    for area in site.areas.values():
        if area.level == level:
            yield from area.outline


class _Canvas:
    """One level on the canvas; things further back are drawn first."""

    def __init__(
        self, site: Site, panel: _Panel, left: float, top: float, language: Language
    ) -> None:
        self._site = site
        self._panel = panel
        self._left, self._top = left, top
        self._language: Language = language
        right, bottom = left + panel.width, top + panel.height - _FOOT
        self._sheet = Sheet(Box(left + 4, top + _HEAD, right - 4, bottom - 4))
        self._nodes = {n.id: n for n in site.nodes.values() if n.level == panel.level.id}
        areas = [area for area in site.areas.values() if area.level == panel.level.id]
        self._areas = sorted(areas, key=lambda area: -_ring(area.outline).area)
        self._places = [p for p in site.places.values() if p.node in self._nodes]
        self._labels: list[str] = []

    def elements(self) -> list[str]:
        panel = self._panel
        frame = _rect(self._left, self._top, panel.width, panel.height, _BG, _LINE, radius=6)
        for lane in self._drawn_lanes():
            (x0, y0), (x1, y1) = self._ends(lane)
            self._sheet.cross(x0, y0, x1, y1)
            if lane.door:
                x, y = self._xy(self._door_point(lane))
                self._sheet.take(Box(x - 5, y - 5, x + 5, y + 5))
        signs = [*self._lifts(), *self._signs(), *self._pads_elsewhere()]
        self._label_places()
        self._label_areas()
        air = list(self._air())
        return [
            "<g>",
            frame,
            *self._ground(),
            *self._house(),
            *air,
            *self._lanes(),
            *self._dots(),
            *self._doors(),
            *signs,
            *self._labels,
            *self._frame_texts(),
            "</g>",
        ]

    def _xy(self, point: Point) -> tuple[float, float]:
        bounds, scale = self._panel.bounds, self._panel.px_per_m
        x = self._left + (point.x_m - bounds.x0) * scale
        return x, self._top + _HEAD + (bounds.y1 - point.y_m) * scale

    def _path(self, ring: Sequence[Point]) -> str:
        spots = " ".join("{:.1f},{:.1f}".format(*self._xy(point)) for point in ring)
        return f"M{spots}Z"

    def _say(self, name: Name) -> str:
        return name.en if self._language == "en" else name.zh

    # -- ground ----------------------------------------------------------------------------

    def _ground(self) -> Iterator[str]:
        for area in self._areas:
            fill, line = _colours(area)
            path = self._path(area.outline)
            title = f"<title>{_both(area.name)}</title>"
            yield f'<path d="{path}" fill="{fill}" stroke="{line}">{title}</path>'
            if area.zone is Zone.CONTAMINATED:
                yield f'<path d="{path}" fill="url(#hatch)"/>'

    def _house(self) -> Iterator[str]:
        """The walls of the house, seen from outdoors, unless buildings are drawn there."""
        if not self._panel.air or any(area.kind == "building" for area in self._areas):
            return
        inside = [area for area in self._site.areas.values() if self._indoors(area)]
        walls = unary_union([_ring(area.outline) for area in inside])
        for part in getattr(walls, "geoms", [walls]):
            if isinstance(part, Polygon) and not part.is_empty:
                ring = [Point(x, y) for x, y in part.exterior.coords]
                yield f'<path d="{self._path(ring)}" fill="{_PANEL}" stroke="{_LINE}"/>'

    def _indoors(self, area: Area) -> bool:
        return not self._site.levels[area.level].outdoors

    def _air(self) -> Iterator[str]:
        for space in self._panel.air:
            holes = "".join(self._path(hole) for hole in space.holes)
            style = _AIR[space.kind]
            title = f"<title>{_both(space.name)}</title>"
            path = self._path(space.outline) + holes
            yield f'<path d="{path}" fill-rule="evenodd" {style}>{title}</path>'
            height = f"{space.floor_agl_m:g}-{space.ceiling_agl_m:g} m"
            self._label_in(space.outline, f"{self._say(space.name)} · {height}", _air_ink(space))

    # -- roads -----------------------------------------------------------------------------

    def _lanes(self) -> Iterator[str]:
        for lane in self._drawn_lanes():
            (x0, y0), (x1, y1) = self._ends(lane)
            line = f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{_IDLE}" '
            yield line + 'stroke-width="1.4" stroke-linecap="round" stroke-opacity=".75"/>'
            if not lane.two_way:
                turn = degrees(atan2(y1 - y0, x1 - x0))
                x, y = x0 + (x1 - x0) * 0.55, y0 + (y1 - y0) * 0.55
                at = f"translate({x:.1f} {y:.1f}) rotate({turn:.0f})"
                yield f'<path d="M-3.5 -3.2L3.5 0L-3.5 3.2Z" fill="{_MUTE}" transform="{at}"/>'

    def _drawn_lanes(self) -> Iterator[Lane]:
        for lane in self._site.lanes.values():
            if lane.start in self._nodes and lane.end in self._nodes:
                yield lane

    def _ends(self, lane: Lane) -> tuple[tuple[float, float], tuple[float, float]]:
        return self._xy(self._nodes[lane.start].point), self._xy(self._nodes[lane.end].point)

    def _dots(self) -> Iterator[str]:
        for node in self._nodes.values():
            x, y = self._xy(node.point)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8" fill="{_MUTE}"/>'

    def _doors(self) -> Iterator[str]:
        for lane in self._drawn_lanes():
            if lane.door is None:
                continue
            (x0, y0), (x1, y1) = self._ends(lane)
            x, y = self._xy(self._door_point(lane))
            turn = degrees(atan2(y1 - y0, x1 - x0))
            at = f"translate({x:.1f} {y:.1f}) rotate({turn:.0f})"
            name = self._site.doors[lane.door].name
            bar = f'<rect x="-1.8" y="-7" width="3.6" height="14" rx="1" fill="{_INK}" '
            yield f'{bar}transform="{at}"><title>{_both(name)}</title></rect>'

    def _door_point(self, lane: Lane) -> Point:
        """Where the lane leaves a room, else its middle."""
        a, b = self._nodes[lane.start].point, self._nodes[lane.end].point
        way = LineString([(a.x_m, a.y_m), (b.x_m, b.y_m)])
        for area in reversed(self._areas):
            wall = _ring(area.outline).exterior.intersection(way)
            if wall.geom_type == "Point":
                return Point(wall.centroid.x, wall.centroid.y)
        return Point((a.x_m + b.x_m) / 2, (a.y_m + b.y_m) / 2)

    # -- signs -----------------------------------------------------------------------------

    def _lifts(self) -> Iterator[str]:
        for lift in self._site.lifts.values():
            cabin = lift.cabins.get(self._panel.level.id)
            if cabin is None:
                continue
            x, y = self._xy(self._nodes[cabin].point)
            self._sheet.take(Box(x - 10, y - 10, x + 10, y + 10))
            yield _rect(x - 9, y - 9, 18, 18, _PANEL, _INK, radius=3)
            arrows = f"M{x - 3:.1f} {y + 5:.1f}V{y - 4:.1f}m-3 3l3 -3l3 3"
            arrows += f"M{x + 3:.1f} {y - 5:.1f}V{y + 4:.1f}m-3 -3l3 3l3 -3"
            yield f'<path d="{arrows}" fill="none" stroke="{_INK}" stroke-width="1.2"/>'
            self._label_at(x, y, self._say(lift.name), _INK, gap=12)

    def _signs(self) -> Iterator[str]:
        for place in self._places:
            x, y = self._xy(self._nodes[place.node].point)
            self._sheet.take(Box(x - 7, y - 7, x + 7, y + 7))
            yield f"<g>{_sign(place, x, y)}<title>{_both(place.name)} ({place.id})</title></g>"

    def _pads_elsewhere(self) -> Iterator[str]:
        if not self._panel.air:
            return
        for place in self._site.with_role(Role.PAD):
            if place.node not in self._nodes:
                x, y = self._xy(self._site.nodes[place.node].point)
                self._sheet.take(Box(x - 7, y - 7, x + 7, y + 7))
                yield f'<g opacity=".6">{_sign(place, x, y)}</g>'

    # -- labels ----------------------------------------------------------------------------

    def _label_places(self) -> None:
        first = sorted(self._places, key=lambda p: bool(p.roles & {Role.PARKING, Role.CHARGER}))
        for place in first:
            x, y = self._xy(self._nodes[place.node].point)
            self._label_at(x, y, self._say(place.name), _INK, gap=10)

    def _label_areas(self) -> None:
        named = {self._say(place.name) for place in self._places}
        named |= {self._say(space.name) for space in self._panel.air}
        for area in self._areas:
            if self._say(area.name) not in named:
                self._label_in(area.outline, self._say(area.name), _MUTE)

    def _label_at(self, x: float, y: float, text: str, ink: str, *, gap: float) -> None:
        box = self._sheet.place(around(x, y, text_width(text, _TAG) + 4, _TAG + 3, gap))
        if box is not None:
            self._write(box, [text], ink)

    def _label_in(self, ring: Sequence[Point], text: str, ink: str) -> None:
        spots = [self._xy(point) for point in ring]
        x0, x1 = min(x for x, _ in spots), max(x for x, _ in spots)
        y0, y1 = min(y for _, y in spots), max(y for _, y in spots)
        lines = wrapped(text, _TAG, x1 - x0 - 8)
        if not lines:
            return
        wide = max(text_width(line, _TAG) for line in lines) + 4
        tall = (_TAG + 3) * len(lines)
        spread = [x0 + 4 + (x1 - x0 - wide - 8) * share / 8 for share in range(9)]
        shape = Polygon(spots).buffer(1)
        tries = [
            Box(x, y, x + wide, y + tall)
            for y in (y0 + 4, y1 - tall - 4, (y0 + y1 - tall) / 2)
            for x in spread
        ]
        inside = (box for box in tries if shape.covers(_box(box)))
        box = self._sheet.place(inside)
        if box is not None:
            self._write(box, lines, ink)

    def _write(self, box: Box, lines: Sequence[str], ink: str) -> None:
        for number, line in enumerate(lines):
            y = box.y0 + _TAG + number * (_TAG + 3)
            self._labels.append(_text(box.x0 + 2, y, line, _TAG, ink, halo=True))

    def _frame_texts(self) -> Iterator[str]:
        level, panel = self._panel.level, self._panel
        both = f"{level.name.en}  {level.name.zh}"
        said = both if level.name.en != level.name.zh else level.name.en
        yield _text(self._left + 12, self._top + 25, said, _TITLE, _INK, weight=600)
        right = self._left + panel.width - 12
        kind = "outdoors, " if level.outdoors else ""
        said = f"{kind}{level.elevation_m:g} m"
        yield _text(right, self._top + 25, said, _SECOND, _MUTE, anchor="end")
        metres = _round_length(120 / panel.px_per_m)
        x, y = self._left + 12, self._top + panel.height - 14
        yield (
            f'<path d="M{x:.1f} {y - 4:.1f}v4h{metres * panel.px_per_m:.1f}v-4" fill="none" '
            f'stroke="{_MUTE}"/>'
        )
        yield _text(x + metres * panel.px_per_m + 8, y + 1, f"{metres:g} m", _TAG, _MUTE)


# -- signs and texts -----------------------------------------------------------------------

_AIR = {
    AirKind.GEOFENCE: f'fill="none" stroke="{_ACCENT}" stroke-width="1.6" stroke-dasharray="8 5"',
    AirKind.NO_FLY: f'fill="url(#forbidden)" stroke="{_CRITICAL}" stroke-width="1.4"',
    AirKind.PATROL: f'fill="{_ACCENT}" fill-opacity=".06" stroke="{_ACCENT}" stroke-opacity=".6"',
    AirKind.CORRIDOR: f'fill="{_IDLE}" fill-opacity=".12" stroke="{_IDLE}" stroke-dasharray="2 4"',
}


def _air_ink(space: Airspace) -> str:
    return _CRITICAL if space.kind is AirKind.NO_FLY else _ACCENT


def _sign(place: Place, x: float, y: float) -> str:
    """A place's sign; its form tells what it offers, colour only repeats that."""
    if Role.PAD in place.roles:
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{_PANEL}" stroke="{_ACCENT}" '
        bars = f"M{x - 2.4:.1f} {y - 3.4:.1f}v6.8m4.8 0v-6.8m-4.8 3.4h4.8"
        return f'{ring}stroke-width="1.5"/><path d="{bars}" stroke="{_ACCENT}" stroke-width="1.5"/>'
    if Role.DECONTAMINATION in place.roles:
        shape = f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7Z"
        drop = f"M{x:.1f} {y - 3.4:.1f}q5 6 0 6q-5 0 0 -6Z"
        fill = f'<path d="{shape}" fill="{_PANEL}" stroke="{_WAIT}" stroke-width="1.6"/>'
        return f'{fill}<path d="{drop}" fill="{_WAIT}"/>'
    if Role.CHARGER in place.roles:
        bolt = f"M{x + 1:.1f} {y - 4.5:.1f}l-4 5.2h2.6l-.9 3.9l4 -5.2h-2.6Z"
        return (
            _rect(x - 6, y - 6, 12, 12, _PANEL, _ACCENT, radius=3)
            + f'<path d="{bolt}" fill="{_ACCENT}"/>'
        )
    if Role.PARKING in place.roles:
        return _rect(x - 6, y - 6, 12, 12, _PANEL, _IDLE, radius=3) + _text(
            x, y + 3.6, "P", 10, _MUTE, weight=600, anchor="middle"
        )
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{_PANEL}" '
    return f'{circle}stroke="{_INK}" stroke-width="1.6"/>'


def _key(top: float, width: float) -> tuple[list[str], float]:
    """What the signs mean, in rows as wide as the picture; also the height of it all."""
    entries: list[tuple[str, str]] = [
        (_zone_sign(Zone.CLEAN), "clean zone"),
        (_zone_sign(Zone.SEMI), "buffer (semi)"),
        (_zone_sign(Zone.CONTAMINATED), "contaminated zone"),
        (_rect(0, -9, 18, 18, _PANEL, _INK, radius=3), "lift"),
        (f'<rect x="7" y="-7" width="3.6" height="14" rx="1" fill="{_INK}"/>', "door"),
        (f'<path d="M0 0H18" stroke="{_IDLE}" stroke-width="1.4"/>', "two-way lane"),
        (
            f'<path d="M0 0H18" stroke="{_IDLE}" stroke-width="1.4"/>'
            f'<path d="M7 -3.2L14 0L7 3.2Z" fill="{_MUTE}"/>',
            "one-way lane",
        ),
        *((_sign(_sample(role), 9, 0), word) for role, word in _SIGN_WORDS),
        *(
            (f'<rect x="0" y="-6" width="18" height="12" {_AIR[kind]}/>', word)
            for kind, word in _AIR_WORDS
        ),
    ]
    parts: list[str] = []
    x, y = _SIDE, top + 4
    for sign, word in entries:
        wide = 26 + text_width(word, _TAG) + 20
        if x + wide > width - _SIDE and x > _SIDE:
            x, y = _SIDE, y + 26
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{sign}</g>')
        parts.append(_text(x + 25, y + 4, word, _TAG, _MUTE))
        x += wide
    return parts, ceil(y + 26)


_SIGN_WORDS = (
    (None, "place"),
    (Role.CHARGER, "charger"),
    (Role.PARKING, "parking"),
    (Role.DECONTAMINATION, "decontamination"),
    (Role.PAD, "drone pad"),
)
_AIR_WORDS = (
    (AirKind.GEOFENCE, "geofence"),
    (AirKind.NO_FLY, "no-fly"),
    (AirKind.PATROL, "patrol area"),
    (AirKind.CORRIDOR, "air corridor"),
)


def _sample(role: Role | None) -> Place:
    roles = frozenset({role}) if role else frozenset[Role]()
    return Place(id=PlaceId("key"), name=Name(en="", zh=""), node=NodeId("key"), roles=roles)


def _zone_sign(zone: Zone) -> str:
    fill, line = _ZONES[zone]
    sign = _rect(0, -7, 18, 14, fill, line, radius=2)
    hatch = '<rect x="0" y="-7" width="18" height="14" fill="url(#hatch)"/>'
    return sign + hatch if zone is Zone.CONTAMINATED else sign


def _colours(area: Area) -> tuple[str, str]:
    fill, line = _ZONES[area.zone]
    if area.zone is not Zone.CLEAN or area.kind == "corridor":
        return fill, line
    return (fill if area.kind == "park" else _GROUND.get(area.kind, _PANEL)), _LINE


def _rect(
    x: float, y: float, width: float, height: float, fill: str, line: str, *, radius: float
) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect {at} fill="{fill}" stroke="{line}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    ink: str,
    *,
    weight: int = 400,
    anchor: str = "start",
    halo: bool = False,
) -> str:
    style = f'font-size="{size:g}" fill="{ink}"'
    if weight != 400:
        style += f' font-weight="{weight}"'
    if anchor != "start":
        style += f' text-anchor="{anchor}"'
    if halo:
        style += f' paint-order="stroke" stroke="{_PANEL}" stroke-width="3" stroke-opacity=".8"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _both(name: Name) -> str:
    return escape(name.en if name.en == name.zh else f"{name.en} {name.zh}")


def _ring(ring: Sequence[Point]) -> Polygon:
    return Polygon([(point.x_m, point.y_m) for point in ring])


def _box(box: Box) -> Polygon:
    return Polygon([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)])


def _round_length(metres: float) -> float:
    """The longest of 1, 2, 5, 10 ... that is not longer."""
    steps = [m * 10**e for e in range(-1, 6) for m in (1, 2, 5)]
    return max((step for step in steps if step <= metres), default=0.1)
