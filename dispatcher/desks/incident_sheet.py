"""An incident as a file: GeoJSON for maps, and a sheet to print with a hash over its record.

The sheet holds the record itself, as canonical JSON in a script element of the id ``record``; the
hash is the SHA-256 of just that text in UTF-8, so anybody can count it again.
"""

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dispatcher.domain.incidents import Incident
from dispatcher.flight_log.log import Flight
from dispatcher.records.journal import Event, canonical
from fleet.clock import Clock
from routing.geometry import Point
from routing.site import Site

_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}
h1{font-size:1.4em}table{border-collapse:collapse;width:100%;margin:1em 0}
td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}
code{word-break:break-all}@media print{body{margin:0}}
"""


def record_of(
    incident: Incident,
    timeline: Sequence[Event],
    flights: Sequence[Mapping[str, Any]],
    site: Site,
    clock: Clock,
) -> dict[str, Any]:
    """All that is known of an incident, in plain values; ``flights`` as of `flight_of`."""
    lat, lon = _geo(incident.at, site)
    return {
        "incident": incident.id,
        "external_id": incident.external_id,
        "site": site.id,
        "state": incident.state.value,
        "priority": incident.priority.value,
        "text": incident.text,
        "place": incident.place,
        "lat_deg": lat,
        "lon_deg": lon,
        "reported_at": _moment(incident.reported_s, clock),
        "reported_by": incident.by,
        "closed_at": None if incident.closed_s is None else _moment(incident.closed_s, clock),
        "closed_by": incident.closed_by,
        "notes": incident.notes,
        "timeline": [
            {
                "at": _moment(event.at_s, clock),
                "event": event.kind,
                "vehicle": event.vehicle,
                "facts": {k: v for k, v in event.facts.items() if k != "incident"},
            }
            for event in timeline
        ],
        "flights": [dict(flight) for flight in flights],
    }


def flight_of(flight: Flight, site: Site, clock: Clock) -> dict[str, Any]:
    """A flight as the record has it; a long track takes a while."""
    return {
        "flight": flight.id,
        "vehicle": flight.vehicle,
        "began_at": _moment(flight.began_s, clock),
        "minutes": round(flight.minutes, 1),
        "commanded_by": flight.commanded_by,
        "track": [[fix.at_s, *_geo(fix.point, site), fix.height_agl_m] for fix in flight.track],
    }


def geojson_of(
    incident: Incident,
    timeline: Sequence[Event],
    flights: Sequence[Mapping[str, Any]],
    site: Site,
    clock: Clock,
) -> str:
    """The scene as a point with the record's words, and a line for each flight.

    Source: RFC 7946; positions are longitude, latitude, metres above ground.
    """
    record = record_of(incident, timeline, flights, site, clock)
    lines = record.pop("flights")
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "id": incident.id,
            "geometry": {
                "type": "Point",
                "coordinates": [record.pop("lon_deg"), record.pop("lat_deg")],
            },
            "properties": record,
        }
    ]
    for line in lines:
        track = line.pop("track")
        if len(track) > 1:
            coordinates = [[lon, lat, height] for _, lat, lon, height in track]
            line["seconds"] = [at_s for at_s, *_ in track]
            features.append(
                {
                    "type": "Feature",
                    "id": line["flight"],
                    "geometry": {"type": "LineString", "coordinates": coordinates},
                    "properties": line,
                }
            )
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def sheet_of(
    incident: Incident,
    timeline: Sequence[Event],
    flights: Sequence[Mapping[str, Any]],
    site: Site,
    clock: Clock,
) -> str:
    """A page to print; it loads nothing from anywhere."""
    record = record_of(incident, timeline, flights, site, clock)
    text = canonical(record).replace("<", "\\u003c")
    digest = hashlib.sha256(text.encode()).hexdigest()
    head = [
        ("Reported / 报告", f"{record['reported_at']} · {incident.by}"),
        ("Priority / 优先级", incident.priority.value),
        ("Place / 地点", f"{incident.place or ''} {record['lat_deg']}, {record['lon_deg']}"),
        ("What / 情况", incident.text),
        ("State / 状态", incident.state.value),
        ("Closed / 结束", f"{record['closed_at'] or ''} {incident.closed_by or ''}"),
        ("Notes / 备注", incident.notes),
    ]
    rows = [
        (line["at"], line["event"], line["vehicle"] or "", canonical(line["facts"]))
        for line in record["timeline"]
    ]
    flown = [
        (one["flight"], one["vehicle"], one["began_at"], one["minutes"], one["commanded_by"])
        for one in record["flights"]
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{html.escape(incident.id)}</title><style>{_STYLE}</style>"
        f"<h1>Incident / 事件 {html.escape(incident.id)} {html.escape(incident.external_id or '')}"
        f"</h1>{_table(head)}<h2>Timeline / 时间线</h2>{_table(rows)}"
        f"<h2>Flights / 飞行</h2>{_table(flown)}"
        f"<p>SHA-256 of the record in this file / 本文件记录的哈希: <code>{digest}</code></p>"
        f'<script type="application/json" id="record">{text}</script></html>'
    )


def _table(rows: Sequence[Sequence[object]]) -> str:
    cells = (
        "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in rows if any(row)
    )
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _geo(point: Point, site: Site) -> tuple[float, float]:
    geo = site.frame.to_geo(point)
    return round(geo.lat_deg, 7), round(geo.lon_deg, 7)


def _moment(at_s: float, clock: Clock) -> str:
    return clock.to_utc(at_s).isoformat(timespec="milliseconds")
