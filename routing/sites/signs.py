"""The signs of a site's picture: tokens of the look, light theme, and the forms on the map."""

from html import escape
from math import ceil

from routing.site import AirKind, Airspace, Area, Name, NodeId, Place, PlaceId, Role, Zone
from routing.sites.labels import text_width

BG, PANEL, INK, MUTE, LINE = "#f6f7f8", "#ffffff", "#16202a", "#5b6874", "#dfe4e8"
ACCENT, WAIT, CRITICAL, IDLE = "#0b6b63", "#b45309", "#b42318", "#7b8794"
ZONES = {
    Zone.CLEAN: ("#eef5f3", "#cfe0dc"),
    Zone.SEMI: ("#fbf3de", "#ead9a8"),
    Zone.CONTAMINATED: ("#fbe9ea", "#e6bfc3"),
}
GROUND = {"building": PANEL, "street": PANEL, "yard": "#f1f3f4", "water": "#dfe4e8"}
FONT = "system-ui, 'Noto Sans', 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
TAG, SECOND, TITLE = 11.0, 12.5, 15.0
SIDE = 24.0

DEFS = f"""<defs>
<pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse"
 patternTransform="rotate(45)"><path d="M0 0V7" stroke="#e6bfc3" stroke-width="1.6"/></pattern>
<pattern id="forbidden" width="7" height="7" patternUnits="userSpaceOnUse"
 patternTransform="rotate(-45)"><path d="M0 0V7" stroke="{CRITICAL}" stroke-width="1"
 stroke-opacity=".35"/></pattern>
</defs>"""


AIR = {
    AirKind.GEOFENCE: f'fill="none" stroke="{ACCENT}" stroke-width="1.6" stroke-dasharray="8 5"',
    AirKind.NO_FLY: f'fill="url(#forbidden)" stroke="{CRITICAL}" stroke-width="1.4"',
    AirKind.PATROL: f'fill="{ACCENT}" fill-opacity=".06" stroke="{ACCENT}" stroke-opacity=".6"',
    AirKind.CORRIDOR: f'fill="{IDLE}" fill-opacity=".12" stroke="{IDLE}" stroke-dasharray="2 4"',
}


def air_ink(space: Airspace) -> str:
    """The colour of the name of a volume of air."""
    return CRITICAL if space.kind is AirKind.NO_FLY else ACCENT


def sign(place: Place, x: float, y: float) -> str:
    """A place's sign; its form tells what it offers, colour only repeats that."""
    if Role.PAD in place.roles:
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{PANEL}" stroke="{ACCENT}" '
        bars = f"M{x - 2.4:.1f} {y - 3.4:.1f}v6.8m4.8 0v-6.8m-4.8 3.4h4.8"
        return f'{ring}stroke-width="1.5"/><path d="{bars}" stroke="{ACCENT}" stroke-width="1.5"/>'
    if Role.DECONTAMINATION in place.roles:
        shape = f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7Z"
        drop = f"M{x:.1f} {y - 3.4:.1f}q5 6 0 6q-5 0 0 -6Z"
        fill = f'<path d="{shape}" fill="{PANEL}" stroke="{WAIT}" stroke-width="1.6"/>'
        return f'{fill}<path d="{drop}" fill="{WAIT}"/>'
    if Role.CHARGER in place.roles:
        bolt = f"M{x + 1:.1f} {y - 4.5:.1f}l-4 5.2h2.6l-.9 3.9l4 -5.2h-2.6Z"
        return (
            rect(x - 6, y - 6, 12, 12, PANEL, ACCENT, radius=3)
            + f'<path d="{bolt}" fill="{ACCENT}"/>'
        )
    if Role.PARKING in place.roles:
        return rect(x - 6, y - 6, 12, 12, PANEL, IDLE, radius=3) + text_at(
            x, y + 3.6, "P", 10, MUTE, weight=600, anchor="middle"
        )
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{PANEL}" '
    return f'{circle}stroke="{INK}" stroke-width="1.6"/>'


def legend(top: float, width: float) -> tuple[list[str], float]:
    """What the signs mean, in rows as wide as the picture; also the height of it all."""
    entries: list[tuple[str, str]] = [
        (_zone_sign(Zone.CLEAN), "clean zone"),
        (_zone_sign(Zone.SEMI), "buffer (semi)"),
        (_zone_sign(Zone.CONTAMINATED), "contaminated zone"),
        (rect(0, -9, 18, 18, PANEL, INK, radius=3), "lift"),
        (f'<rect x="7" y="-7" width="3.6" height="14" rx="1" fill="{INK}"/>', "door"),
        (f'<path d="M0 0H18" stroke="{IDLE}" stroke-width="1.4"/>', "two-way lane"),
        (
            f'<path d="M0 0H18" stroke="{IDLE}" stroke-width="1.4"/>'
            f'<path d="M7 -3.2L14 0L7 3.2Z" fill="{MUTE}"/>',
            "one-way lane",
        ),
        *((sign(_sample(role), 9, 0), word) for role, word in _SIGN_WORDS),
        *(
            (f'<rect x="0" y="-6" width="18" height="12" {AIR[kind]}/>', word)
            for kind, word in _AIR_WORDS
        ),
    ]
    parts: list[str] = []
    x, y = SIDE, top + 4
    for drawn, word in entries:
        wide = 26 + text_width(word, TAG) + 20
        if x + wide > width - SIDE and x > SIDE:
            x, y = SIDE, y + 26
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{drawn}</g>')
        parts.append(text_at(x + 25, y + 4, word, TAG, MUTE))
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
    fill, line = ZONES[zone]
    plain = rect(0, -7, 18, 14, fill, line, radius=2)
    hatch = '<rect x="0" y="-7" width="18" height="14" fill="url(#hatch)"/>'
    return plain + hatch if zone is Zone.CONTAMINATED else plain


def colours(area: Area) -> tuple[str, str]:
    """Fill and line of an area."""
    fill, line = ZONES[area.zone]
    if area.zone is not Zone.CLEAN or area.kind == "corridor":
        return fill, line
    return (fill if area.kind == "park" else GROUND.get(area.kind, PANEL)), LINE


def rect(
    x: float, y: float, width: float, height: float, fill: str, line: str, *, radius: float
) -> str:
    """A rectangle with round corners."""
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect {at} fill="{fill}" stroke="{line}"/>'


def text_at(
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
    """A text whose baseline starts (or ends, or has its middle) at a spot."""
    style = f'font-size="{size:g}" fill="{ink}"'
    if weight != 400:
        style += f' font-weight="{weight}"'
    if anchor != "start":
        style += f' text-anchor="{anchor}"'
    if halo:
        style += f' paint-order="stroke" stroke="{PANEL}" stroke-width="3" stroke-opacity=".8"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
