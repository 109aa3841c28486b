"""The API's routes for observations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.views import View
from dispatcher.desks.observations import Observation, ObservationDesk, ObservationIn, Sight
from fleet.clock import Clock
from routing.site import Site


class ObservationOut(View):
    """One thing seen, with its place and time."""

    number: int
    at: datetime
    what: Sight
    vehicle: str | None
    task: str | None
    place: str | None
    x_m: float
    y_m: float
    lat_deg: float
    lon_deg: float
    text: str
    value: float | None
    media: str
    incident: str | None


class ObservationsOut(View):
    """Some observations, the newest first."""

    observations: list[ObservationOut]


def observation_out(seen: Observation, site: Site, clock: Clock) -> ObservationOut:
    """An observation as screens and programs see it."""
    geo = site.frame.to_geo(seen.at)
    return ObservationOut(
        number=seen.number,
        at=clock.to_utc(seen.at_s),
        what=seen.what,
        vehicle=seen.vehicle,
        task=seen.task,
        place=seen.place,
        x_m=round(seen.at.x_m, 2),
        y_m=round(seen.at.y_m, 2),
        lat_deg=round(geo.lat_deg, 7),
        lon_deg=round(geo.lon_deg, 7),
        text=seen.text,
        value=seen.value,
        media=seen.media,
        incident=seen.incident,
    )


def observation_routes(desk: ObservationDesk, site: Site, clock: Clock, once: Once) -> APIRouter:
    """All routes of observations."""
    router = APIRouter(tags=["observations"])

    @router.get("/observations")
    async def list_observations(
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ObservationsOut:
        """The newest observations."""
        seen = await desk.latest(limit)
        return ObservationsOut(observations=[observation_out(one, site, clock) for one in seen])

    @router.post("/observations", status_code=201, response_model=ObservationOut)
    async def report_observation(
        request: Request, asked: ObservationIn, key: Key = None
    ) -> Response:
        """Report what was seen; with `incident` the first drone that can help is sent there."""

        async def write() -> str:
            return observation_out(await desk.report(asked), site, clock).model_dump_json()

        return await once.run(request, key, write, status=201)

    return router
