"""Where vehicles went: each level's corridors, the busier the broader and darker."""

import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path

from routing.geometry import Point
from routing.site import AirKind, Area, Lane, Level, LevelId, Site, Zone
from sim.judges.recorder import AIR_PERIOD_S
from sim.report.plots import ACCENT, CRITICAL, INK, LINE, MUTE, PANEL, svg
from sim.report.report import RunResult

HALF, WHOLE = (552.0, 400.0), (1120.0, 640.0)
"""Most width and height of a map that shares its row, and of one that has it alone."""
NAMED = 3
"""How many of the busiest stretches have their number beside them."""

_ZONES = {
    Zone.CLEAN: ("#eef5f3", "#cfe0dc"),
    Zone.SEMI: ("#fbf3de", "#ead9a8"),
    Zone.CONTAMINATED: ("#fbe9ea", "#e6bfc3"),
}
_HEAT = LinearSegmentedColormap.from_list("visits", ["#a9d0cb", "#0b6b63", "#06312d"])


def levels_to_draw(result: RunResult) -> list[Level]:
    """The levels on which anything moves, indoors first."""
    driven = {result.site.nodes[lane.start].level for lane in result.site.lanes.values()}
    flown = _ground_level(result.site) if result.samples.track else None
    found = [v for v in result.site.levels.values() if v.id in driven or v.id == flown]
    return sorted(found, key=lambda level: level.outdoors)


def level_map(result: RunResult, level: Level, *, alone: bool = False) -> str:
    """One level with its corridors weighed by visits; outdoors also the flights.

    Args:
        alone: it has the full width of the page.
    """
    site = result.site
    airy = level.id == _ground_level(site) and bool(result.samples.track)
    x0, y0, x1, y1 = _window(site, level.id, airy=airy)
    width, tallest = WHOLE if alone else HALF
    scale = min(width / (x1 - x0), tallest / (y1 - y0))
    height = (y1 - y0) * scale
    spare = (width / scale - (x1 - x0)) / 2

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(x0 - spare, x1 + spare)
        axes.set_ylim(y0, y1)
        _draw_areas(axes, site, level.id, scale, ink_px=9.0 if alone else 7.5)
        if airy:
            _draw_air(axes, result)
        _draw_lanes(axes, result, level.id, scale, broad=9.0 if alone else 6.0)
        _draw_lifts(axes, site, level.id)

    return svg(f"map of {level.name.en}", width, height, draw)


def _ground_level(site: Site) -> LevelId | None:
    """The level over which aircraft are drawn."""
    outdoors = [level for level in site.levels.values() if level.outdoors]
    lowest = min(outdoors or site.levels.values(), key=lambda level: level.elevation_m)
    return lowest.id


def _window(site: Site, level: LevelId, *, airy: bool) -> tuple[float, float, float, float]:
    points = [node.point for node in site.nodes.values() if node.level == level]
    points += [p for area in site.areas.values() if area.level == level for p in area.outline]
    if airy:
        points += [p for space in site.airspaces.values() for p in space.outline]
    xs, ys = [p.x_m for p in points], [p.y_m for p in points]
    pad = max(max(xs) - min(xs), max(ys) - min(ys), 1.0) * 0.025
    return min(xs) - pad, min(ys) - pad, max(xs) + pad, max(ys) + pad


def _xy(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(point.x_m, point.y_m) for point in points]


def _draw_areas(axes: Axes, site: Site, level: LevelId, scale: float, *, ink_px: float) -> None:
    areas = [area for area in site.areas.values() if area.level == level]
    for area in sorted(areas, key=lambda area: -_extent(area.outline)):
        fill, line = _ZONES[area.zone]
        if area.kind not in ("corridor", "yard") and area.zone is Zone.CLEAN:
            fill, line = PANEL, LINE
        hatch = "///" if area.zone is Zone.CONTAMINATED else None
        axes.add_patch(
            Polygon(_xy(area.outline), facecolor=fill, edgecolor=line, linewidth=0.8, hatch=hatch)
        )
        _name_area(axes, area, scale, ink_px)


def _name_area(axes: Axes, area: Area, scale: float, ink_px: float) -> None:
    """Write a room's name into it, if there is room for it."""
    xs, ys = [p.x_m for p in area.outline], [p.y_m for p in area.outline]
    wide, tall = (max(xs) - min(xs)) * scale, (max(ys) - min(ys)) * scale
    if area.kind in ("corridor", "lift") or len(area.name.en) * ink_px * 0.6 > wide or tall < 12:
        return
    axes.text(
        min(xs) + 3 / scale,
        max(ys) - 3 / scale,
        area.name.en,
        fontsize=ink_px,
        color=MUTE,
        va="top",
    )


def _extent(points: Sequence[Point]) -> float:
    xs, ys = [p.x_m for p in points], [p.y_m for p in points]
    return (max(xs) - min(xs)) * (max(ys) - min(ys))


def _draw_lanes(
    axes: Axes, result: RunResult, level: LevelId, scale: float, *, broad: float
) -> None:
    site, visits = result.site, result.samples.lane_visits
    most = max([visits[lane.id] for lane in _drawn(site)], default=0)
    lanes = sorted(_on(site, level), key=lambda lane: visits[lane.id])
    for lane in lanes:
        a, b = site.nodes[lane.start].point, site.nodes[lane.end].point
        share = visits[lane.id] / most if most else 0.0
        colour = to_hex(_HEAT(share)) if share else "#c9d1d8"
        axes.plot(
            [a.x_m, b.x_m],
            [a.y_m, b.y_m],
            color=colour,
            linewidth=0.8 + broad * share**0.5 if share else 0.7,
            solid_capstyle="round",
        )
    _tag_busiest(axes, result, [lane for lane in reversed(lanes) if visits[lane.id]], scale)


def _tag_busiest(axes: Axes, result: RunResult, lanes: Sequence[Lane], scale: float) -> None:
    """Write their numbers beside the busiest lanes, none upon another."""
    tagged: list[Point] = []
    for lane in lanes:
        a, b = (result.site.nodes[node].point for node in (lane.start, lane.end))
        spot = Point((a.x_m + b.x_m) / 2, (a.y_m + b.y_m) / 2)
        room = all(
            abs(spot.x_m - other.x_m) * scale > 30 or abs(spot.y_m - other.y_m) * scale > 16
            for other in tagged
        )
        if room and len(tagged) < NAMED:
            tagged.append(spot)
            _tag(axes, spot.x_m, spot.y_m, str(result.samples.lane_visits[lane.id]))


def _tag(axes: Axes, x: float, y: float, text: str) -> None:
    box = {"boxstyle": "round,pad=0.18", "facecolor": PANEL, "edgecolor": "none", "alpha": 0.92}
    axes.text(x, y, text, fontsize=9.5, fontweight="bold", ha="center", va="center", bbox=box)


def _drawn(site: Site) -> Iterable[Lane]:
    return (lane for lane in site.lanes.values() if lane.lift is None)


def _on(site: Site, level: LevelId) -> Iterable[Lane]:
    return (lane for lane in _drawn(site) if site.nodes[lane.start].level == level)


def _draw_lifts(axes: Axes, site: Site, level: LevelId) -> None:
    for lift in site.lifts.values():
        if level in lift.cabins:
            spot = site.nodes[lift.cabins[level]].point
            axes.plot([spot.x_m], [spot.y_m], "s", color=PANEL, markeredgecolor=INK, markersize=7)


def _draw_air(axes: Axes, result: RunResult) -> None:
    for space in result.site.airspaces.values():
        closed = space.kind is AirKind.NO_FLY
        colour = CRITICAL if closed else ACCENT
        rings = [space.outline, *space.holes]
        path = Path.make_compound_path(*(Path([*_xy(r), _xy(r)[0]], closed=True) for r in rings))
        axes.add_patch(
            PathPatch(
                path,
                facecolor="none",
                edgecolor=colour,
                linewidth=0.8,
                linestyle=(0, (6, 4)) if space.kind is AirKind.GEOFENCE else "solid",
                hatch="\\\\\\" if closed else None,
                alpha=0.7,
            )
        )
    for points in _flights(result):
        axes.plot(
            [p.x_m for p in points],
            [p.y_m for p in points],
            color=ACCENT,
            linewidth=0.5,
            alpha=0.45,
        )


def _flights(result: RunResult) -> list[list[Point]]:
    """The track of each flight; a longer silence ends one."""
    flights: list[list[Point]] = []
    last: dict[str, tuple[float, list[Point]]] = {}
    for spot in result.samples.track:
        heard_s, points = last.get(spot.vehicle, (-math.inf, []))
        if spot.at_s - heard_s > 3 * AIR_PERIOD_S:
            points = []
            flights.append(points)
        points.append(spot.point)
        last[spot.vehicle] = (spot.at_s, points)
    return flights
