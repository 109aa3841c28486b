"""Incidents as they are reported: where they are, and what can't be."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.desks.intake_faults import nearest
from dispatcher.desks.task_in import Note, Number, Word
from dispatcher.domain.incidents import Incident, IncidentId, Source
from dispatcher.domain.task import Priority
from dispatcher.errors import FieldFault, Refused
from routing.geometry import GeoPoint, Point
from routing.refusal import Fact, Refusal
from routing.site import PlaceId, Site

FARTHEST_M = 50_000.0
"""Who is farther from the site than this has mistyped."""
ON_SCENE_S = 300.0


class Where(BaseModel):
    """A place, a point of the site, or a point of the earth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Word | None = None
    x_m: Annotated[Number, Field(ge=-1e6, le=1e6)] | None = None
    y_m: Annotated[Number, Field(ge=-1e6, le=1e6)] | None = None
    lat_deg: Annotated[Number, Field(ge=-180, le=180)] | None = None
    lon_deg: Annotated[Number, Field(ge=-180, le=180)] | None = None

    @property
    def given(self) -> bool:
        """Whether it says anything."""
        words = (self.place, self.x_m, self.y_m, self.lat_deg, self.lon_deg)
        return any(word is not None for word in words)


class IncidentIn(Where):
    """A call: what has happened, where, how bad."""

    external_id: Word | None = None
    """The caller's own number; the same one again is answered with the same incident."""
    source: Source = Source.CALL
    priority: Priority = Priority.STAT
    text: Note = ""
    on_scene_s: Annotated[Number, Field(gt=0, le=7200)] = ON_SCENE_S
    by: Word = "operator"


class NoteIn(BaseModel):
    """Something to be kept with an incident."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[Note, Field(min_length=1)]
    by: Word = "operator"


class CloseIn(BaseModel):
    """How it ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notes: Note = ""
    by: Word = "operator"


def new_incident(site: Site, asked: IncidentIn, id_: IncidentId, now_s: float) -> Incident:
    """The incident that a call asks for; Refused with every reason."""
    return Incident(
        id=id_,
        external_id=asked.external_id,
        source=asked.source,
        priority=asked.priority,
        text=asked.text,
        at=spot_of(site, asked),
        place=None if asked.place is None else PlaceId(asked.place),
        on_scene_s=asked.on_scene_s,
        by=asked.by,
        reported_s=now_s,
    )


def spot_of(site: Site, where: Where) -> Point:
    """The point of the site that is meant; Refused with every reason."""
    return _Reader(site).read(where)


class _Reader:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._faults: list[FieldFault] = []

    def read(self, asked: Where) -> Point:
        at = self._spot(asked)
        if at is None or self._faults:
            raise Refused(self._faults)
        return at

    def _spot(self, asked: Where) -> Point | None:
        local, earth = (asked.x_m, asked.y_m), (asked.lat_deg, asked.lon_deg)
        given = [asked.place is not None, any(v is not None for v in local)]
        given.append(any(v is not None for v in earth))
        if sum(given) != 1:
            remedy = "say where in one way: place, or x_m and y_m, or lat_deg and lon_deg"
            self._fault("place", "named_in_two_ways" if any(given) else "missing", {}, remedy)
            return None
        if asked.place is not None:
            return self._of_place(asked.place)
        if given[1]:
            return self._of_metres(*local)
        return self._of_earth(*earth)

    def _of_place(self, place: str) -> Point | None:
        known = self._site.places
        if place not in known:
            remedy = f"send a place of this site; {nearest(place, list(known))}"
            self._fault("place", "unknown_place", {"value": place}, remedy)
            return None
        return self._site.nodes[known[PlaceId(place)].node].point

    def _of_metres(self, x_m: float | None, y_m: float | None) -> Point | None:
        if x_m is None or y_m is None:
            field = "x_m" if x_m is None else "y_m"
            self._fault(field, "missing", {}, "send both x_m and y_m, in metres of the site")
            return None
        return self._near(Point(x_m, y_m), "x_m")

    def _of_earth(self, lat: float | None, lon: float | None) -> Point | None:
        if lat is None or lon is None:
            field = "lat_deg" if lat is None else "lon_deg"
            self._fault(field, "missing", {}, "send both lat_deg and lon_deg, in degrees (WGS 84)")
            return None
        if self._is_near(lon, lat) and not self._is_near(lat, lon):
            remedy = "latitude and longitude are in the wrong order: exchange them"
            self._fault("lat_deg", "lat_lon_swapped", {"value": lat}, remedy)
            return None
        if abs(lat) > 90:
            remedy = "a latitude is from -90 to 90 degrees"
            self._fault("lat_deg", "out_of_range", {"value": lat}, remedy)
            return None
        return self._near(self._site.frame.to_point(GeoPoint(lat, lon)), "lat_deg")

    def _is_near(self, lat: float, lon: float) -> bool:
        anchor = self._site.frame.anchor
        return abs(lat - anchor.lat_deg) < 1 and abs(lon - anchor.lon_deg) < 1

    def _near(self, point: Point, field: str) -> Point | None:
        nodes = [node.point for node in self._site.nodes.values()] or [Point(0, 0)]
        metres = min(point.distance_m(node) for node in nodes)
        if metres > FARTHEST_M:
            remedy = "this is far from the site: check the numbers, and that they are this site's"
            self._fault(field, "far_away", {"km": round(metres / 1000)}, remedy)
            return None
        return point

    def _fault(self, field: str, code: str, facts: dict[str, Fact], remedy: str) -> None:
        self._faults.append(FieldFault(field, Refusal(code, facts), remedy))
