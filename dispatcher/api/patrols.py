"""The API's routes for patrols: what one would take, and the watches that go on."""

from datetime import datetime

from fastapi import APIRouter

from dispatcher.api.ports import Previewing, Showing
from dispatcher.api.views import FaultOut, View, fault_out
from dispatcher.desks.task_in import PatrolIn
from dispatcher.errors import Refused
from dispatcher.patrols.patrol_judge import Forecast
from dispatcher.patrols.watch_views import PostView, WatchView
from fleet.clock import Clock
from routing.geometry import Point

Line = list[tuple[float, float]]


class PreviewOut(View):
    """What a patrol would take; with ``errors`` it would be refused."""

    lines: list[Line]
    minutes: float | None
    battery_ratio: float | None
    vehicles_needed: int | None
    vehicles_able: int
    vehicles_engaged: int
    vehicles_used: int | None
    sorties: int | None
    errors: list[FaultOut]


class PostOut(View):
    """One post of a watch: who is there, who comes, and when the last of them leaves."""

    outline: Line | None
    points: list[str]
    on_station: list[str]
    coming: list[str]
    leaves_at: datetime | None
    idle_s: float | None


class WatchOut(View):
    """One watch that goes on; ``gap_s`` > 0 = a gap is foreseen."""

    task: str
    revisit_s: float
    until: datetime
    gap_s: float
    posts: list[PostOut]


class WatchesOut(View):
    """All watches that go on, the oldest first."""

    watches: list[WatchOut]


def preview_out(forecast: Forecast) -> PreviewOut:
    """A forecast as screens and programs see it."""
    return PreviewOut(
        lines=[_line(line) for line in forecast.lines],
        minutes=forecast.minutes,
        battery_ratio=forecast.battery_ratio,
        vehicles_needed=forecast.needed,
        vehicles_able=forecast.able,
        vehicles_engaged=forecast.engaged,
        vehicles_used=forecast.used,
        sorties=forecast.sorties,
        errors=[fault_out(fault) for fault in forecast.faults],
    )


def watch_out(watch: WatchView, clock: Clock) -> WatchOut:
    """A watch as screens and programs see it."""
    return WatchOut(
        task=watch.task,
        revisit_s=watch.revisit_s,
        until=clock.to_utc(watch.ends_s),
        gap_s=round(watch.gap_s, 1),
        posts=[_post(post, clock) for post in watch.posts],
    )


def patrol_views(service: Showing) -> APIRouter:
    """The route that looks at watches."""
    router = APIRouter(tags=["patrols"])

    @router.get("/watches")
    async def list_watches() -> WatchesOut:
        """All watches, with who is on station and who comes next."""
        clock = service.clock
        return WatchesOut(watches=[watch_out(one, clock) for one in service.watches()])

    return router


def patrol_orders(judge: Previewing) -> APIRouter:
    """The route that asks what a patrol would take."""
    router = APIRouter(tags=["patrols"])

    @router.post("/patrols/preview")
    async def preview(asked: PatrolIn) -> PreviewOut:
        """Lines, minutes, battery and vehicles needed; or every reason why it can't be had."""
        try:
            return preview_out(await judge.preview(asked))
        except Refused as refused:
            return preview_out(Forecast(faults=tuple(refused.faults)))

    return router


def _post(view: PostView, clock: Clock) -> PostOut:
    area = view.post.area
    return PostOut(
        outline=None if area is None else _line(area.outline),
        points=list(view.post.points),
        on_station=list(view.on_station),
        coming=list(view.coming),
        leaves_at=None if view.leaves_s is None else clock.to_utc(view.leaves_s),
        idle_s=None if view.idle_s is None else round(view.idle_s, 1),
    )


def _line(points: tuple[Point, ...]) -> Line:
    return [(round(point.x_m, 1), round(point.y_m, 1)) for point in points]
