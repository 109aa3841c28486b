"""The API's routes for emergencies."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.ports import EmergencyDesk, Showing
from dispatcher.api.views import View
from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.task_in import Word
from dispatcher.domain.emergencies import Emergency, EmergencyId, EmergencyKind
from fleet.clock import Clock


class EndIn(BaseModel):
    """Who says that it is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Word = "operator"


class EmergencyOut(View):
    """One emergency, and whether it lasts; without any of the words, it is everywhere."""

    id: str
    kind: EmergencyKind
    building: str | None
    level: str | None
    zone: str | None
    lanes: list[str]
    reason: str
    by: str
    since: datetime
    in_force: bool


class EmergenciesOut(View):
    """All emergencies in force, the oldest first."""

    emergencies: list[EmergencyOut]


def emergency_out(emergency: Emergency, clock: Clock, *, in_force: bool = True) -> EmergencyOut:
    """An emergency as screens and programs see it."""
    return EmergencyOut(
        id=emergency.id,
        kind=emergency.kind,
        building=emergency.building,
        level=emergency.level,
        zone=emergency.zone,
        lanes=list(emergency.lanes),
        reason=emergency.reason,
        by=emergency.by,
        since=clock.to_utc(emergency.since_s),
        in_force=in_force,
    )


def emergency_views(service: Showing) -> APIRouter:
    """The route that looks at emergencies."""
    router = APIRouter()

    @router.get("/emergencies", tags=["emergencies"])
    async def list_emergencies() -> EmergenciesOut:
        """All emergencies that last."""
        clock = service.clock
        return EmergenciesOut(
            emergencies=[emergency_out(one, clock) for one in service.emergencies()]
        )

    return router


def emergency_orders(desk: EmergencyDesk, clock: Clock, once: Once) -> APIRouter:
    """The routes that raise and end them."""
    router = APIRouter(tags=["emergencies"])

    @router.post("/emergencies", status_code=201, response_model=EmergencyOut)
    async def raise_emergency(request: Request, wanted: EmergencyIn, key: Key = None) -> Response:
        """Have corridors and lifts free at once: of a building, the site, or a part of it."""

        async def write() -> str:
            raised = await desk.begin(wanted)
            return emergency_out(raised, clock).model_dump_json()

        return await once.run(request, key, write, status=201)

    @router.post("/emergencies/{emergency}/end", response_model=EmergencyOut)
    async def end_emergency(
        request: Request, emergency: str, ended: EndIn, key: Key = None
    ) -> Response:
        """It is over: everything goes on where it was broken off."""

        async def write() -> str:
            over = await desk.end(EmergencyId(emergency), ended.by)
            return emergency_out(over, clock, in_force=False).model_dump_json()

        return await once.run(request, key, write)

    return router
