"""Flights as files: CSV for tables, GeoJSON and KML for maps."""

import csv
import io
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from dispatcher.flight_log.log import Flight
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a file of flights is written, however many they are.

    Args:
        pieces: the texts of some flights; of some there is nothing to show.
        between: stands between any two pieces.
    """

    media_type: str
    head: str
    pieces: Callable[[Sequence[Flight]], list[str]]
    between: str
    tail: str

    async def written(self, pages: AsyncIterable[str]) -> AsyncGenerator[str]:
        """The file, of which ``pages`` were made by `page`."""
        yield self.head
        begun = False
        async for page in pages:
            if page:
                yield self.between + page if begun else page
                begun = True
        yield self.tail

    def page(self, flights: Sequence[Flight]) -> str:
        """What some flights add to the file."""
        return self.between.join(self.pieces(flights))


def csv_form(clock: Clock) -> Form:
    """One line for each flight; several values in a field are divided by spaces."""
    return Form(
        media_type="text/csv; charset=utf-8",
        head=_csv_line(COLUMNS),
        pieces=lambda flights: [_csv_line(_fields(flight, clock)) for flight in flights],
        between="",
        tail="",
    )


def geojson_form(site: Site, clock: Clock) -> Form:
    """A line for each flight; longitude, latitude, metres above ground (RFC 7946)."""

    def pieces(flights: Sequence[Flight]) -> list[str]:
        shown = (_feature(flight, site, clock) for flight in flights if len(flight.track) > 1)
        return [json.dumps(feature, ensure_ascii=False) for feature in shown]

    return Form(
        media_type="application/geo+json",
        head='{"type": "FeatureCollection", "features": [',
        pieces=pieces,
        between=", ",
        tail="]}",
    )


def kml_form(site: Site, clock: Clock) -> Form:
    """A line for each flight, its heights counted from the ground (OGC KML 2.3)."""
    return Form(
        media_type="application/vnd.google-earth.kml+xml",
        head='<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n',
        pieces=lambda flights: [
            _placemark(flight, site, clock) for flight in flights if len(flight.track) > 1
        ],
        between="\n",
        tail="\n</Document></kml>\n",
    )


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(_plain(value) for value in values)
    return text.getvalue()


def _fields(flight: Flight, clock: Clock) -> tuple[object, ...]:
    """One for each of `COLUMNS`."""
    ended = None if flight.ended_s is None else _moment(flight.ended_s, clock)
    return (
        flight.id,
        flight.vehicle,
        _moment(flight.began_s, clock),
        ended,
        round(flight.minutes, 1),
        round(flight.metres),
        max((fix.height_agl_m for fix in flight.track), default=0.0),
        flight.commanded_by,
        " ".join(flight.tasks),
        " ".join(flight.incidents),
        flight.charge_at_start,
        flight.charge_at_end,
        "; ".join(f"{one.at_s:g} s {one.what} ({one.by})" for one in flight.told),
        " ".join(flight.breaches),
        flight.cut,
    )


def _plain(value: object) -> object:
    """A text as a spreadsheet may read it: never as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _feature(flight: Flight, site: Site, clock: Clock) -> dict[str, Any]:
    return {
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


def _placemark(flight: Flight, site: Site, clock: Clock) -> str:
    spots = " ".join(f"{lon},{lat},{up}" for lon, lat, up in _coordinates(flight, site))
    return (
        f"<Placemark><name>{escape(flight.id)} {escape(flight.vehicle)}</name>"
        f"<TimeSpan><begin>{_moment(flight.began_s, clock)}</begin></TimeSpan>"
        "<LineString><altitudeMode>relativeToGround</altitudeMode>"
        f"<coordinates>{spots}</coordinates></LineString></Placemark>"
    )


def _coordinates(flight: Flight, site: Site) -> list[tuple[float, float, float]]:
    spots = ((site.frame.to_geo(fix.point), fix.height_agl_m) for fix in flight.track)
    return [(round(geo.lon_deg, 7), round(geo.lat_deg, 7), height) for geo, height in spots]


def _moment(at_s: float, clock: Clock) -> str:
    return clock.to_utc(at_s).isoformat(timespec="seconds")
