"""The API's routes for the log of flights."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from dispatcher.api.views import View
from dispatcher.desks.incident_store import IncidentStore
from dispatcher.errors import FieldFault, NotFound, Refused
from dispatcher.flight_log.files import csv_form, geojson_form, kml_form
from dispatcher.flight_log.log import Flight, FlightId, FlightQuery, FlightStore
from dispatcher.flight_log.month import Flown, flown
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import Site

Month = Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}$", description="such as 2026-03")]
Format = Literal["json", "csv", "geojson", "kml"]


class FixOut(View):
    """Where it was, seconds after the take-off."""

    at_s: float
    x_m: float
    y_m: float
    height_agl_m: float


class ToldOut(View):
    """What it was told, seconds after the take-off, and by whom."""

    at_s: float
    what: str
    by: str


class FlightOut(View):
    """One flight."""

    id: str
    vehicle: str
    began_at: datetime
    ended_at: datetime | None
    minutes: float
    metres: float
    commanded_by: str
    tasks: list[str]
    incidents: list[str]
    charge_at_start: float | None
    charge_at_end: float | None
    breaches: list[str]
    cut: bool


class FlightDetail(FlightOut):
    """One flight with its track and what it was told."""

    track: list[FixOut]
    told: list[ToldOut]


class FlightsOut(View):
    """Flights, the newest first; of a month, the oldest first.

    ``next`` is the cursor of the next page.
    """

    flights: list[FlightOut]
    next: int | None


class MonthOut(View):
    """What flew in a month."""

    month: str
    flights: int
    minutes: float
    kilometres: float
    incidents: int
    answered: int
    breaches: int
    minutes_by_vehicle: dict[str, float]


def flight_routes(
    log: FlightStore, called: IncidentStore, site: Site, clock: Clock, timezone: str
) -> APIRouter:
    """All routes of the log.

    Args:
        called: the incidents of a month are counted with its flights.
        timezone: where months begin and end.
    """
    router = APIRouter(tags=["flights"])
    zone = ZoneInfo(timezone)

    forms = {
        "csv": csv_form(clock),
        "geojson": geojson_form(site, clock),
        "kml": kml_form(site, clock),
    }

    def outs(flights: list[Flight]) -> list[FlightOut]:
        return [flight_out(one, clock) for one in flights]

    async def listed(query: FlightQuery) -> FlightsOut:
        found: list[tuple[list[FlightOut], int | None]]
        found = [page async for page in log.pages(query, outs)]
        return FlightsOut(flights=[one for page, _ in found for one in page], next=found[-1][1])

    @router.get("/flights", response_model=FlightsOut)
    async def list_flights(
        month: Month = None,
        vehicle: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
        form: Annotated[Format, Query(alias="format")] = "json",
    ) -> Response:
        """The latest flights, or those of a month, as JSON page by page.

        As CSV, GeoJSON or KML: the latest so many, or all of a month, whatever the limit.
        """
        since, until = (None, None) if month is None else _span(month, zone)
        query = FlightQuery(
            since=since,
            until=until,
            vehicle=None if vehicle is None else VehicleId(vehicle),
            limit=None if month is not None and form != "json" else limit,
            cursor=cursor,
        )
        if form == "json":
            out = await listed(query)
            return Response(out.model_dump_json(), media_type="application/json")
        file = forms[form]
        texts = (text async for text, _ in log.pages(query, file.page))
        return StreamingResponse(file.written(texts), media_type=file.media_type)

    @router.get("/flights/report")
    async def monthly_report(
        month: Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")],
    ) -> MonthOut:
        """Flights, minutes, incidents and breaches of one month."""
        since, until = _span(month, zone)
        sum_ = Flown()
        async for more, _ in log.pages(FlightQuery(since=since, until=until), flown):
            sum_ += more
        incidents, answered = await called.tally(since, until)
        return MonthOut(
            month=month,
            flights=sum_.flights,
            minutes=round(sum_.minutes, 1),
            kilometres=round(sum_.kilometres, 2),
            incidents=incidents,
            answered=answered,
            breaches=sum_.breaches,
            minutes_by_vehicle={id_: round(m, 1) for id_, m in sum_.by_vehicle.items()},
        )

    def detail(flight: Flight) -> str:
        return FlightDetail(
            **flight_out(flight, clock).model_dump(),
            track=[FixOut(**asdict(fix)) for fix in flight.track],
            told=[ToldOut(**asdict(one)) for one in flight.told],
        ).model_dump_json()

    @router.get("/flights/{flight}", response_model=FlightDetail)
    async def show_flight(flight: str) -> Response:
        """One flight with its track and what it was told."""
        found = await log.find(FlightId(flight), detail)
        if found is None:
            raise NotFound("flight", flight)
        return Response(found, media_type="application/json")

    return router


def flight_out(flight: Flight, clock: Clock) -> FlightOut:
    """A flight as programs see it."""
    return FlightOut(
        id=flight.id,
        vehicle=flight.vehicle,
        began_at=clock.to_utc(flight.began_s),
        ended_at=None if flight.ended_s is None else clock.to_utc(flight.ended_s),
        minutes=round(flight.minutes, 1),
        metres=round(flight.metres),
        commanded_by=flight.commanded_by,
        tasks=list(flight.tasks),
        incidents=list(flight.incidents),
        charge_at_start=flight.charge_at_start,
        charge_at_end=flight.charge_at_end,
        breaches=list(flight.breaches),
        cut=flight.cut,
    )


def _span(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a month, and of the next one; Refused where there is no such month."""
    year, number = int(month[:4]), int(month[5:])
    if not 1 <= number <= 12 or not 1 <= year < 9999:
        reason = Refusal("out_of_range", {"value": month})
        raise Refused([FieldFault("month", reason, "send a month such as 2026-03")])
    first = datetime(year, number, 1, tzinfo=zone)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return first.astimezone(UTC), after.astimezone(UTC)
