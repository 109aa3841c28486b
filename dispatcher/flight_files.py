"""Flights as files: CSV for tables, GeoJSON and KML for maps."""

import csv
import io
import json
from collections.abc import Sequence
from xml.sax.saxutils import escape

from dispatcher.flight_log import Flight
from fleet.clock import Clock
from routing.site import Site

COLUMNS = (
    "flight",
    "vehicle",
    "began_at",
    "ended_at",
    "minutes",
    "metres",
    "highest_m",
    "commanded_by",
    "tasks",
    "incidents",
    "charge_at_start",
    "charge_at_end",
    "told",
    "breaches",
    "cut",
)


def csv_of(flights: Sequence[Flight], clock: Clock) -> str:
    """One line for each flight; several values in a field are divided by spaces."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for flight in flights:
        ended = None if flight.ended_s is None else _moment(flight.ended_s, clock)
        highest_m = max((fix.height_agl_m for fix in flight.track), default=0.0)
        writer.writerow(
            _plain(value)
            for value in (
                flight.id,
                flight.vehicle,
                _moment(flight.began_s, clock),
                ended,
                round(flight.minutes, 1),
                round(flight.metres),
                highest_m,
                flight.commanded_by,
                " ".join(flight.tasks),
                " ".join(flight.incidents),
                flight.charge_at_start,
                flight.charge_at_end,
                "; ".join(f"{one.at_s:g} s {one.what} ({one.by})" for one in flight.told),
                " ".join(flight.breaches),
                flight.cut,
            )
        )
    return text.getvalue()


def _plain(value: object) -> object:
    """A text as a spreadsheet may read it: never as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def geojson_of(flights: Sequence[Flight], site: Site, clock: Clock) -> str:
    """A line for each flight; longitude, latitude, metres above ground (RFC 7946)."""
    features = [
        {
            "type": "Feature",
            "id": flight.id,
            "geometry": {"type": "LineString", "coordinates": _coordinates(flight, site)},
            "properties": {
                "vehicle": flight.vehicle,
                "began_at": _moment(flight.began_s, clock),
                "minutes": round(flight.minutes, 1),
                "commanded_by": flight.commanded_by,
                "tasks": list(flight.tasks),
                "incidents": list(flight.incidents),
                "breaches": list(flight.breaches),
                "seconds": [fix.at_s for fix in flight.track],
            },
        }
        for flight in flights
        if len(flight.track) > 1
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def kml_of(flights: Sequence[Flight], site: Site, clock: Clock) -> str:
    """A line for each flight, its heights counted from the ground (OGC KML 2.3)."""
    marks = [
        f"<Placemark><name>{escape(flight.id)} {escape(flight.vehicle)}</name>"
        f"<TimeSpan><begin>{_moment(flight.began_s, clock)}</begin></TimeSpan>"
        "<LineString><altitudeMode>relativeToGround</altitudeMode><coordinates>"
        + " ".join(f"{lon},{lat},{up}" for lon, lat, up in _coordinates(flight, site))
        + "</coordinates></LineString></Placemark>"
        for flight in flights
        if len(flight.track) > 1
    ]
    body = "\n".join(marks)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">'
    return f"{head}<Document>\n{body}\n</Document></kml>\n"


def _coordinates(flight: Flight, site: Site) -> list[tuple[float, float, float]]:
    spots = ((site.frame.to_geo(fix.point), fix.height_agl_m) for fix in flight.track)
    return [(round(geo.lon_deg, 7), round(geo.lat_deg, 7), height) for geo, height in spots]


def _moment(at_s: float, clock: Clock) -> str:
    return clock.to_utc(at_s).isoformat(timespec="seconds")
