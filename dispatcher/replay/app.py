"""The web application of a replay: the console and the API to look, and one door to steer it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from dispatcher.api.app import PREFIX, show_app
from dispatcher.api.errors import problem
from dispatcher.api.live import Live
from dispatcher.api.views import AlertOut, TaskOut, View, alert_out, task_out
from dispatcher.replay.folder import Run
from dispatcher.replay.marks import Mark, marks_of
from dispatcher.replay.playback import STEP_S, Playback

SLOWEST, FASTEST = 0.1, 3600.0
"""Times the wall's clock."""


class SteerIn(BaseModel):
    """How to go on; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    playing: StrictBool | None = None
    speed: Annotated[float, Field(ge=SLOWEST, le=FASTEST, strict=True)] | None = None
    at: AwareDatetime | None = None


class MarkOut(View):
    """One moment to look at."""

    at: datetime
    kind: str
    code: str
    what: str
    alert: AlertOut | None
    task: TaskOut | None


class ReplayOut(View):
    """How the run is played."""

    name: str
    begin: datetime
    end: datetime
    cut: bool
    now: datetime
    playing: bool
    speed: float
    jumps: int


class ReplayDetail(ReplayOut):
    """How the run is played, and all its marks."""

    marks: list[MarkOut]


def replay_app(run: Run, playback: Playback) -> FastAPI:
    """The web application of a run that is played.

    Whoever serves it also runs ``app.state.live.run()`` and ``playback.run()``.
    """
    live = Live(playback, timezone=playback.timezone, tick_s=STEP_S)
    app = show_app(playback, live)
    app.include_router(_steering(run, playback), prefix=PREFIX)
    app.include_router(_refusing(), prefix=PREFIX)
    return app


def _steering(run: Run, playback: Playback) -> APIRouter:
    router = APIRouter(tags=["replay"])
    marks = [_mark_out(mark, run, playback) for mark in marks_of(run.history)]

    def shown() -> dict[str, Any]:
        play = playback.play
        return {
            "name": play.name,
            "begin": play.begin,
            "end": play.end,
            "cut": play.cut,
            "now": playback.clock.now(),
            "playing": play.playing,
            "speed": play.speed,
            "jumps": play.jumps,
        }

    @router.get("/replay")
    async def show_replay() -> ReplayDetail:
        """Which run this is, how it is played, and when something was the matter."""
        return ReplayDetail(**shown(), marks=marks)

    @router.post("/replay")
    async def steer(wanted: SteerIn) -> ReplayOut:
        """Play, pause, change the speed, go to a moment; for all who look."""
        playback.steer(playing=wanted.playing, speed=wanted.speed, at=wanted.at)
        return ReplayOut(**shown())

    return router


def _mark_out(mark: Mark, run: Run, playback: Playback) -> MarkOut:
    clock = run.history.about.clock
    return MarkOut(
        at=clock.to_utc(run.history.rows.seconds(mark.at_ms)),
        kind=mark.kind.value,
        code=mark.code,
        what=mark.what,
        alert=None if mark.alert is None else alert_out(mark.alert, clock),
        task=None if mark.task is None else task_out(mark.task, playback.site, clock),
    )


def _refusing() -> APIRouter:
    """Answers everything that would change something."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{path:path}", methods=["POST", "PUT", "PATCH", "DELETE"])
    async def refuse(path: str) -> Response:
        """Nothing of what was can be changed."""
        said = f"this is a replay of a run that is over: {path} can't be changed; only look"
        return problem(403, "replay", said)

    return router
