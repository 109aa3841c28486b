"""Draws a site: every level side by side, as one SVG that also reads in grey."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import atan2, degrees
from typing import Literal

from shapely import LineString, MultiPoint, Polygon, unary_union

from routing.geometry import Point
from routing.site import (
    Airspace,
    Area,
    Lane,
    Level,
    Name,
    Role,
    Site,
    Zone,
)
from routing.sites.labels import Box, Sheet, around, text_width, wrapped
from routing.sites.signs import (
    AIR,
    BG,
    DEFS,
    FONT,
    IDLE,
    INK,
    LINE,
    MUTE,
    PANEL,
    SECOND,
    SIDE,
    TAG,
    TITLE,
    air_ink,
    colours,
    legend,
    rect,
    sign,
    text_at,
)

Language = Literal["en", "zh"]

_GAP, _HEAD, _FOOT = 24.0, 40.0, 34.0
_WIDE, _TALL = 1120.0, 820.0
"""The most that the map of one level takes, in pixels."""


def draw(site: Site, language: Language = "en") -> str:
    """The site as an SVG picture, light theme; names in one of its two languages."""
    panels = _panels(site)
    columns = len(panels) if len(panels) < 3 else 2 if len(panels) < 5 else 3
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    parts: list[str] = []
    top, width = SIDE + 44.0, 560.0
    for row in rows:
        left = SIDE
        for panel in row:
            parts += _Canvas(site, panel, left, top, language).elements()
            left += panel.width + _GAP
        width = max(width, left - _GAP + SIDE)
        top += max(panel.height for panel in row) + _GAP
    signs, height = legend(top, width)
    title = f"{site.name.en}  {site.name.zh}" if site.name.en != site.name.zh else site.name.en
    head = text_at(SIDE, SIDE + 20, title, 20, INK, weight=700)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
    ground = f'<rect width="100%" height="100%" fill="{BG}"/>'
    return "\n".join([opening, DEFS, ground, head, *parts, *signs, "</svg>"]) + "\n"


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
        frame = rect(self._left, self._top, panel.width, panel.height, BG, LINE, radius=6)
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
            *self._air_locks(),
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
            fill, line = colours(area)
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
                yield f'<path d="{self._path(ring)}" fill="{PANEL}" stroke="{LINE}"/>'

    def _indoors(self, area: Area) -> bool:
        return not self._site.levels[area.level].outdoors

    def _air(self) -> Iterator[str]:
        for space in self._panel.air:
            holes = "".join(self._path(hole) for hole in space.holes)
            style = AIR[space.kind]
            title = f"<title>{_both(space.name)}</title>"
            path = self._path(space.outline) + holes
            yield f'<path d="{path}" fill-rule="evenodd" {style}>{title}</path>'
            height = f"{space.floor_agl_m:g}-{space.ceiling_agl_m:g} m"
            self._label_in(space.outline, f"{self._say(space.name)} · {height}", air_ink(space))

    # -- roads -----------------------------------------------------------------------------

    def _lanes(self) -> Iterator[str]:
        for lane in self._drawn_lanes():
            (x0, y0), (x1, y1) = self._ends(lane)
            for x, y in self._besides(lane):
                ends = f"M{x0 + x:.1f} {y0 + y:.1f}L{x1 + x:.1f} {y1 + y:.1f}"
                line = f'<path d="{ends}" stroke="{IDLE}" stroke-width="1.4" '
                yield line + 'stroke-linecap="round" stroke-opacity=".75"/>'
            if not lane.two_way:
                turn = degrees(atan2(y1 - y0, x1 - x0))
                x, y = x0 + (x1 - x0) * 0.55, y0 + (y1 - y0) * 0.55
                at = f"translate({x:.1f} {y:.1f}) rotate({turn:.0f})"
                yield f'<path d="M-3.5 -3.2L3.5 0L-3.5 3.2Z" fill="{MUTE}" transform="{at}"/>'

    def _besides(self, lane: Lane) -> list[tuple[float, float]]:
        """How far beside its middle a lane is drawn: a passing lane as its two halves."""
        if not lane.passing:
            return [(0.0, 0.0)]
        (x0, y0), (x1, y1) = self._ends(lane)
        aside = lane.width_m / 4 / lane.length_m
        x, y = (y1 - y0) * aside, (x0 - x1) * aside
        return [(x, y), (-x, -y)]

    def _drawn_lanes(self) -> Iterator[Lane]:
        for lane in self._site.lanes.values():
            if lane.start in self._nodes and lane.end in self._nodes:
                yield lane

    def _ends(self, lane: Lane) -> tuple[tuple[float, float], tuple[float, float]]:
        return self._xy(self._nodes[lane.start].point), self._xy(self._nodes[lane.end].point)

    def _dots(self) -> Iterator[str]:
        for node in self._nodes.values():
            x, y = self._xy(node.point)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8" fill="{MUTE}"/>'

    def _doors(self) -> Iterator[str]:
        for lane in self._drawn_lanes():
            if lane.door is None:
                continue
            (x0, y0), (x1, y1) = self._ends(lane)
            x, y = self._xy(self._door_point(lane))
            turn = degrees(atan2(y1 - y0, x1 - x0))
            at = f"translate({x:.1f} {y:.1f}) rotate({turn:.0f})"
            name = self._site.doors[lane.door].name
            bar = f'<rect x="-1.8" y="-7" width="3.6" height="14" rx="1" fill="{INK}" '
            yield f'{bar}transform="{at}"><title>{_both(name)}</title></rect>'

    def _air_locks(self) -> Iterator[str]:
        """A dashed line around each, through its doors."""
        for lock in self._site.air_locks.values():
            lanes = [lane for lane in self._drawn_lanes() if lane.door in lock.doors]
            spots = [self._door_point(lane) for lane in lanes]
            spots += [self._nodes[node].point for node in lock.inside if node in self._nodes]
            if not spots:
                continue
            hull = MultiPoint([(spot.x_m, spot.y_m) for spot in spots]).convex_hull.buffer(0.8)
            path = self._path([Point(x, y) for x, y in hull.exterior.coords])
            line = f'<path d="{path}" fill="none" stroke="{INK}" stroke-dasharray="4 3">'
            yield f"{line}<title>{_both(lock.name)}</title></path>"

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
            yield rect(x - 9, y - 9, 18, 18, PANEL, INK, radius=3)
            arrows = f"M{x - 3:.1f} {y + 5:.1f}V{y - 4:.1f}m-3 3l3 -3l3 3"
            arrows += f"M{x + 3:.1f} {y - 5:.1f}V{y + 4:.1f}m-3 -3l3 3l3 -3"
            yield f'<path d="{arrows}" fill="none" stroke="{INK}" stroke-width="1.2"/>'
            self._label_at(x, y, self._say(lift.name), INK, gap=12)

    def _signs(self) -> Iterator[str]:
        for place in self._places:
            x, y = self._xy(self._nodes[place.node].point)
            self._sheet.take(Box(x - 7, y - 7, x + 7, y + 7))
            yield f"<g>{sign(place, x, y)}<title>{_both(place.name)} ({place.id})</title></g>"

    def _pads_elsewhere(self) -> Iterator[str]:
        if not self._panel.air:
            return
        for place in self._site.with_role(Role.PAD):
            if place.node not in self._nodes:
                x, y = self._xy(self._site.nodes[place.node].point)
                self._sheet.take(Box(x - 7, y - 7, x + 7, y + 7))
                yield f'<g opacity=".6">{sign(place, x, y)}</g>'

    # -- labels ----------------------------------------------------------------------------

    def _label_places(self) -> None:
        first = sorted(self._places, key=lambda p: bool(p.roles & {Role.PARKING, Role.CHARGER}))
        for place in first:
            x, y = self._xy(self._nodes[place.node].point)
            self._label_at(x, y, self._say(place.name), INK, gap=10)

    def _label_areas(self) -> None:
        named = {self._say(place.name) for place in self._places}
        named |= {self._say(space.name) for space in self._panel.air}
        for area in self._areas:
            if self._say(area.name) not in named:
                self._label_in(area.outline, self._say(area.name), MUTE)

    def _label_at(self, x: float, y: float, text: str, ink: str, *, gap: float) -> None:
        box = self._sheet.place(around(x, y, text_width(text, TAG) + 4, TAG + 3, gap))
        if box is not None:
            self._write(box, [text], ink)

    def _label_in(self, ring: Sequence[Point], text: str, ink: str) -> None:
        spots = [self._xy(point) for point in ring]
        x0, x1 = min(x for x, _ in spots), max(x for x, _ in spots)
        y0, y1 = min(y for _, y in spots), max(y for _, y in spots)
        lines = wrapped(text, TAG, x1 - x0 - 8)
        if not lines:
            return
        wide = max(text_width(line, TAG) for line in lines) + 4
        tall = (TAG + 3) * len(lines)
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
            y = box.y0 + TAG + number * (TAG + 3)
            self._labels.append(text_at(box.x0 + 2, y, line, TAG, ink, halo=True))

    def _frame_texts(self) -> Iterator[str]:
        level, panel = self._panel.level, self._panel
        both = f"{level.name.en}  {level.name.zh}"
        said = both if level.name.en != level.name.zh else level.name.en
        yield text_at(self._left + 12, self._top + 25, said, TITLE, INK, weight=600)
        right = self._left + panel.width - 12
        kind = "outdoors, " if level.outdoors else ""
        said = f"{kind}{level.elevation_m:g} m"
        yield text_at(right, self._top + 25, said, SECOND, MUTE, anchor="end")
        metres = _round_length(120 / panel.px_per_m)
        x, y = self._left + 12, self._top + panel.height - 14
        yield (
            f'<path d="M{x:.1f} {y - 4:.1f}v4h{metres * panel.px_per_m:.1f}v-4" fill="none" '
            f'stroke="{MUTE}"/>'
        )
        yield text_at(x + metres * panel.px_per_m + 8, y + 1, f"{metres:g} m", TAG, MUTE)


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
