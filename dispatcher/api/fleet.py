"""The API's routes for vehicles, alerts, roads and the site."""

from datetime import datetime
from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, StrictBool

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.ports import FleetDesk, LaneDesk, Showing
from dispatcher.api.site_view import site_out
from dispatcher.api.views import AlertOut, VehicleOut, View, alert_out, vehicle_out
from dispatcher.desks.task_in import Moment, Word
from dispatcher.domain.views import VehicleView
from dispatcher.errors import FieldFault, NotFound, Refused
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import LaneId


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceIn(_In):
    """Whether a vehicle is to take tasks."""

    in_service: StrictBool


class PauseIn(_In):
    """Whether a vehicle is to stand still in the middle of its work."""

    paused: StrictBool


class AcknowledgeIn(_In):
    """Who has seen an alert."""

    by: Word


class ClosureIn(_In):
    """A lane closed, for good or until a moment, or open again."""

    closed: StrictBool
    until: Moment | None = None


class VehiclesOut(View):
    """All vehicles."""

    vehicles: list[VehicleOut]


class AlertsOut(View):
    """All alerts that are remembered, the oldest first."""

    alerts: list[AlertOut]


class ClosureOut(View):
    """A lane, and whether vehicles may use it."""

    lane: str
    closed: bool
    until: datetime | None = None


class HealthOut(View):
    """That the dispatcher lives, and with how much work."""

    status: Literal["ok"]
    version: str
    site: str
    simulation: bool
    now: str
    open_tasks: int
    vehicles: int
    vehicles_online: int


def fleet_views(service: Showing) -> APIRouter:
    """The routes that look at vehicles, alerts and the site."""
    router = APIRouter()
    clock = service.clock
    site = site_out(service.site)

    @router.get("/vehicles", tags=["vehicles"])
    async def list_vehicles() -> VehiclesOut:
        """All vehicles as they are now."""
        return VehiclesOut(
            vehicles=[vehicle_out(view, clock.now_s()) for view in service.vehicles()]
        )

    @router.get("/vehicles/{vehicle}", tags=["vehicles"])
    async def show_vehicle(vehicle: str) -> VehicleOut:
        """One vehicle as it is now."""
        return vehicle_out(_find(service, vehicle), clock.now_s())

    @router.get("/alerts", tags=["alerts"])
    async def list_alerts() -> AlertsOut:
        """All alerts that are remembered, also those whose cause has gone."""
        return AlertsOut(alerts=[alert_out(alert, clock) for alert in service.alerts()])

    @router.get("/site", tags=["site"])
    async def show_site() -> dict[str, Any]:
        """Levels, areas, lanes, places, lifts, doors and air, as the map draws them."""
        return site

    @router.get("/health", tags=["site"])
    async def health() -> HealthOut:
        """Whether the dispatcher lives."""
        vehicles = service.vehicles()
        return HealthOut(
            status="ok",
            version=version("wardline"),
            site=service.site.id,
            simulation=service.simulation,
            now=clock.now().isoformat(timespec="milliseconds"),
            open_tasks=len(service.open_tasks()),
            vehicles=len(vehicles),
            vehicles_online=sum(view.state.online for view in vehicles),
        )

    return router


def fleet_orders(service: Showing, desk: FleetDesk, lanes: LaneDesk, once: Once) -> APIRouter:
    """The routes that change something about vehicles, alerts and roads."""
    router = APIRouter()
    clock = service.clock

    @router.post("/vehicles/{vehicle}/service", tags=["vehicles"], response_model=VehicleOut)
    async def set_in_service(
        request: Request, vehicle: str, wanted: ServiceIn, key: Key = None
    ) -> Response:
        """Take a vehicle out of service, after what it does now; or back in."""

        async def write() -> str:
            found = _find(service, vehicle)
            await desk.set_in_service(VehicleId(found.spec.id), wanted.in_service)
            return vehicle_out(_find(service, vehicle), clock.now_s()).model_dump_json()

        return await once.run(request, key, write)

    @router.post("/vehicles/{vehicle}/pause", tags=["vehicles"], response_model=VehicleOut)
    async def set_paused(
        request: Request, vehicle: str, wanted: PauseIn, key: Key = None
    ) -> Response:
        """Have a ground robot stand still where it is, or go on; it keeps its tasks."""

        async def write() -> str:
            found = _find(service, vehicle)
            await desk.set_paused(VehicleId(found.spec.id), wanted.paused)
            return vehicle_out(_find(service, vehicle), clock.now_s()).model_dump_json()

        return await once.run(request, key, write)

    @router.post("/alerts/{alert}/acknowledge", tags=["alerts"], response_model=AlertOut)
    async def acknowledge(
        request: Request, alert: str, seen: AcknowledgeIn, key: Key = None
    ) -> Response:
        """Note who has seen an alert."""

        async def write() -> str:
            found = await desk.acknowledge(alert, seen.by)
            return alert_out(found, clock).model_dump_json()

        return await once.run(request, key, write)

    @router.post("/lanes/{lane}/closure", tags=["site"], response_model=ClosureOut)
    async def close_lane(
        request: Request, lane: str, wanted: ClosureIn, key: Key = None
    ) -> Response:
        """Close a lane to all vehicles, or open it; who is in it may leave."""
        until_s = None if wanted.until is None else clock.to_loop(wanted.until)
        if until_s is not None and until_s <= clock.now_s():
            reason = Refusal("in_the_past", {"value": str(wanted.until)})
            raise Refused([FieldFault("until", reason, "send a moment that is still to come")])

        async def write() -> str:
            if LaneId(lane) not in service.site.lanes:
                raise NotFound("lane", lane)
            if wanted.closed:
                await lanes.close_lane(LaneId(lane), until_s=until_s)
            else:
                await lanes.open_lane(LaneId(lane))
            until = wanted.until if wanted.closed else None
            return ClosureOut(lane=lane, closed=wanted.closed, until=until).model_dump_json()

        return await once.run(request, key, write)

    return router


def _find(service: Showing, vehicle: str) -> VehicleView:
    for view in service.vehicles():
        if view.spec.id == vehicle:
            return view
    raise NotFound("vehicle", vehicle)
