"""The door for people and their programs: REST under ``/api/v1``, the live link, the console."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI, WebSocket
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from dispatcher.api.control import control_routes
from dispatcher.api.emergencies import emergency_orders, emergency_views
from dispatcher.api.errors import ProblemOut, say_errors
from dispatcher.api.fleet import fleet_orders, fleet_views
from dispatcher.api.flights import flight_routes
from dispatcher.api.guard import Guard
from dispatcher.api.idempotency import Once
from dispatcher.api.incidents import incident_routes
from dispatcher.api.live import Live
from dispatcher.api.observations import observation_routes
from dispatcher.api.patrols import patrol_orders, patrol_views
from dispatcher.api.ports import Service, Showing
from dispatcher.api.roads import road_orders, road_views
from dispatcher.api.tasks import task_orders, task_views

PREFIX = "/api/v1"
CONSOLE = Path(__file__).parents[1] / "console" / "static"


def create_app(service: Service, *, timezone: str = "UTC") -> FastAPI:
    """The web application on a running dispatcher.

    Whoever serves it also runs ``app.state.live.run()``, which feeds the live link.

    Args:
        timezone: where the site's days begin and end.
    """
    once = Once(service.store)
    asked_most = task_orders(service, service.task_desk, once)
    app = show_app(service, Live(service, timezone=timezone), asked_most)
    site, clock, called, log = service.site, service.clock, service.incidents, service.flights
    for routes in (
        fleet_orders(service, service.fleet_desk, service.lane_desk, once),
        road_orders(service.road_desk, clock, once),
        emergency_orders(service.emergency_desk, clock, once),
        patrol_orders(service.admission),
        incident_routes(called, log, site, clock, once),
        observation_routes(service.observations, site, clock, once),
        control_routes(service, service.control),
        flight_routes(log.store, called.store, site, clock, timezone),
    ):
        app.include_router(routes, prefix=PREFIX)
    return app


def show_app(service: Showing, live: Live, *first: APIRouter) -> FastAPI:
    """The web application to look at something, with its live link and console.

    Args:
        first: routes that are looked at before all others, which takes time.
    """
    app = FastAPI(
        title="Wardline",
        summary="Tasks for the robots and drones of one site",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        responses={"4XX": {"model": ProblemOut, "description": "What is wrong, field by field"}},
    )
    app.state.live = live
    for routes in (*first, task_views(service)):
        app.include_router(routes, prefix=PREFIX)
    app.include_router(fleet_views(service), prefix=PREFIX)
    app.include_router(road_views(service), prefix=PREFIX)
    app.include_router(emergency_views(service), prefix=PREFIX)
    app.include_router(patrol_views(service), prefix=PREFIX)

    @app.websocket(f"{PREFIX}/live")
    async def live_link(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        await live.attend(socket)

    app.router.default = _Files()
    app.add_middleware(Guard)
    say_errors(app)
    return app


class _Files:
    """The console's files and Leaflet's, both out of installed packages."""

    def __init__(self) -> None:
        self._router = Router()
        self._router.mount("/vendor/leaflet", StaticFiles(directory=leaflet_folder()))
        self._router.mount("/", StaticFiles(directory=CONSOLE, html=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is no route of the API."""
        path = str(scope.get("path", ""))
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        elif path == "/api" or path.startswith("/api/"):
            raise HTTPException(404, f"there is no {path} here")
        else:
            await self._router(scope, receive, send)


def leaflet_folder() -> Path:
    """Where the installed Leaflet package keeps its files."""
    spec = find_spec("xstatic.pkg.leaflet")
    if spec is None or spec.origin is None:
        raise RuntimeError("Leaflet is missing: install the package XStatic-Leaflet")
    return Path(spec.origin).parent / "data"
