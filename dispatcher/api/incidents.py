"""The API's routes for incidents."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.views import ReasonOut, View
from dispatcher.desks.incident_desk import IncidentDesk
from dispatcher.desks.incident_sheet import flight_of, geojson_of, sheet_of
from dispatcher.desks.incidents_in import CloseIn, IncidentIn, NoteIn
from dispatcher.domain.incidents import Incident, IncidentId, IncidentState, Source
from dispatcher.domain.task import Priority
from dispatcher.flight_log.recorder import FlightRecorder
from dispatcher.records.journal import Event
from fleet.clock import Clock
from routing.site import Site

GEOJSON = "application/geo+json"
Form = Callable[[Incident, Sequence[Event], Sequence[Mapping[str, Any]], Site, Clock], str]
"""Writes an incident as a file."""


class VehicleReason(View):
    """Why one drone can't be sent."""

    vehicle: str
    reason: ReasonOut


class UnitOut(View):
    """Another drone that could have come, in seconds from the call."""

    vehicle: str
    arrives_s: float
    in_flight: bool


class IncidentOut(View):
    """One incident as it stands."""

    id: str
    external_id: str | None
    source: Source
    priority: Priority
    state: IncidentState
    text: str
    place: str | None
    x_m: float
    y_m: float
    lat_deg: float
    lon_deg: float
    by: str
    reported_at: datetime
    vehicle: str | None
    sent_at: datetime | None
    expected_at: datetime | None
    arrived_at: datetime | None
    left_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    notes: str
    promised: str | None
    reasons: list[VehicleReason]


class IncidentEventOut(View):
    """One line of its timeline."""

    at: datetime
    event: str
    vehicle: str | None
    facts: dict[str, Any]


class IncidentDetail(IncidentOut):
    """One incident with its timeline and who else could have come."""

    others: list[UnitOut]
    timeline: list[IncidentEventOut]


class IncidentsOut(View):
    """Incidents, the newest first; ``next`` is the cursor of the next page."""

    incidents: list[IncidentOut]
    next: int | None


def incident_out(incident: Incident, site: Site, clock: Clock) -> IncidentOut:
    """An incident as screens and programs see it."""
    return IncidentOut(**_fields(incident, site, clock))


def _fields(incident: Incident, site: Site, clock: Clock) -> dict[str, Any]:
    def moment(at_s: float | None) -> datetime | None:
        return None if at_s is None else clock.to_utc(at_s)

    geo = site.frame.to_geo(incident.at)
    return {
        "id": incident.id,
        "external_id": incident.external_id,
        "source": incident.source,
        "priority": incident.priority,
        "state": incident.state,
        "text": incident.text,
        "place": incident.place,
        "x_m": round(incident.at.x_m, 2),
        "y_m": round(incident.at.y_m, 2),
        "lat_deg": round(geo.lat_deg, 7),
        "lon_deg": round(geo.lon_deg, 7),
        "by": incident.by,
        "reported_at": moment(incident.reported_s),
        "vehicle": incident.vehicle,
        "sent_at": moment(incident.sent_s),
        "expected_at": moment(incident.expected_s),
        "arrived_at": moment(incident.arrived_s),
        "left_at": moment(incident.left_s),
        "closed_at": moment(incident.closed_s),
        "closed_by": incident.closed_by,
        "notes": incident.notes,
        "promised": incident.promised,
        "reasons": [
            VehicleReason(vehicle=id_, reason=ReasonOut(code=r.code, facts=dict(r.facts)))
            for id_, r in incident.reasons
        ],
    }


def _event_out(event: Event, clock: Clock) -> IncidentEventOut:
    facts = {name: value for name, value in event.facts.items() if name != "incident"}
    at = clock.to_utc(event.at_s)
    return IncidentEventOut(at=at, event=event.kind, vehicle=event.vehicle, facts=facts)


def incident_routes(
    desk: IncidentDesk, log: FlightRecorder, site: Site, clock: Clock, once: Once
) -> APIRouter:
    """All routes of incidents.

    Args:
        log: knows the flights to each.
    """
    router = APIRouter(tags=["incidents"])

    def out(incident: Incident) -> IncidentOut:
        return incident_out(incident, site, clock)

    def said(incident: Incident) -> str:
        return out(incident).model_dump_json()

    async def written(incident: str, form: Form) -> str:
        """A file of an incident: each of its flights, and then the whole, beside the loop."""
        found = await desk.find(IncidentId(incident))
        timeline = await desk.store.timeline(found.id)
        flights = await log.of_incident(found.id, found.reported_s)
        lines = [await desk.store.aside(flight_of, one, site, clock) for one in flights]
        return await desk.store.aside(form, found, timeline, lines, site, clock)

    @router.get("/incidents", response_model=IncidentsOut)
    async def list_incidents(
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
    ) -> Response:
        """The newest incidents, open and closed, page by page."""
        found, following = await desk.store.latest(out, limit=limit, cursor=cursor)
        page = IncidentsOut(incidents=found, next=following)
        return Response(page.model_dump_json(), media_type="application/json")

    @router.post("/incidents", status_code=201, response_model=IncidentOut)
    async def report_incident(request: Request, asked: IncidentIn, key: Key = None) -> Response:
        """Report an incident: the first drone that can help and get home is sent at once.

        If none can, `state` is `waiting`, `reasons` say why for each, and it is tried again.
        """

        async def write() -> str:
            return said(await desk.report(asked))

        return await once.run(request, key, write, status=201)

    @router.get("/incidents/{incident}")
    async def show_incident(incident: str) -> IncidentDetail:
        """One incident, its timeline, and who else could have come."""
        found = await desk.find(IncidentId(incident))
        timeline = await desk.store.timeline(found.id)
        return IncidentDetail(
            **_fields(found, site, clock),
            others=[
                UnitOut(
                    vehicle=one.vehicle, arrives_s=round(one.arrives_s), in_flight=one.in_flight
                )
                for one in desk.others(found.id)
            ],
            timeline=[_event_out(event, clock) for event in timeline],
        )

    @router.post("/incidents/{incident}/notes", response_model=IncidentOut)
    async def note_incident(
        request: Request, incident: str, noted: NoteIn, key: Key = None
    ) -> Response:
        """Keep a remark on its timeline."""

        async def write() -> str:
            return said(await desk.note(IncidentId(incident), noted.text, noted.by))

        return await once.run(request, key, write)

    @router.post("/incidents/{incident}/close", response_model=IncidentOut)
    async def close_incident(
        request: Request, incident: str, closed: CloseIn, key: Key = None
    ) -> Response:
        """It is over: a drone that is on its way or there comes home."""

        async def write() -> str:
            return said(await desk.close(IncidentId(incident), closed.notes, closed.by))

        return await once.run(request, key, write)

    @router.get("/incidents/{incident}/geojson")
    async def incident_geojson(incident: str) -> Response:
        """The scene, the tracks of its drones and its timeline as GeoJSON."""
        return Response(await written(incident, geojson_of), media_type=GEOJSON)

    @router.get("/incidents/{incident}/sheet")
    async def incident_sheet(incident: str) -> Response:
        """A sheet to print, with the SHA-256 of the record that it holds."""
        text = await written(incident, sheet_of)
        return Response(text, media_type="text/html; charset=utf-8")

    return router
