"""What there is to be seen; the first camera that comes by reports it, as its program would."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from dispatcher.desks.observations import ObservationIn
from fleet.config import Frozen
from fleet.mission import Action, ActionKind
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.site import NodeId
from sim.judges.watch_monitor import CAMERA_M_PER_M, LEAST_HEIGHT_M
from sim.moments import Duration, Moment
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import Observer, World

LOOK_S = 1.0


class SightRow(Frozen):
    """One line of ``sights:``: what whoever comes by sees, from a moment on."""

    at: Moment
    lasts: Annotated[Duration | None, Field(alias="for")] = None
    """None = to the end."""
    seen: ObservationIn

    @model_validator(mode="after")
    def _fits(self) -> "SightRow":
        if self.seen.vehicle is not None:
            raise ValueError("seen has no vehicle: whoever comes by sees it; leave that out")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSight:
    """Something to be seen for a while; seconds after the start.

    Args:
        asked: what is reported, but for the vehicle.
        node: where a robot looks around to see it; None = it is seen from the air alone.
    """

    at_s: float
    until_s: float
    asked: ObservationIn
    point: Point
    node: NodeId | None = None


class Sights(Observer):
    """Shows planned sights to the bodies.

    Args:
        elapsed_s: seconds since the start.
        report: hands an observation to the dispatcher.
    """

    def __init__(
        self,
        world: World,
        sights: Sequence[PlannedSight],
        elapsed_s: Callable[[], float],
        report: Callable[[ObservationIn], Awaitable[object]],
    ) -> None:
        self._world, self._elapsed_s, self._report = world, elapsed_s, report
        self._hidden = sorted(sights, key=lambda one: one.at_s)
        self._seen: list[tuple[PlannedSight, VehicleId]] = []
        self._news = Signal()

    async def run(self) -> None:
        """Look once a second while there is anything to be seen, until cancelled."""
        while self._hidden or self._seen:
            now_s = self._elapsed_s()
            self._hidden = [one for one in self._hidden if one.until_s > now_s]
            for sight in self._shown(now_s):
                self._look(sight)
            while self._seen:
                sight, vehicle = self._seen.pop(0)
                await self._report(sight.asked.model_copy(update={"vehicle": vehicle}))
            if self._hidden:
                await self._news.wait(max(LOOK_S, self._hidden[0].at_s - now_s))

    def acted(self, body: GroundBody, action: Action) -> None:
        """A robot has looked around where it stands."""
        if action.kind is ActionKind.OBSERVE:
            for sight in self._shown(self._elapsed_s()):
                if sight.node == body.node:
                    self._see(sight, body.id)

    def _shown(self, now_s: float) -> list[PlannedSight]:
        return [one for one in self._hidden if one.at_s <= now_s < one.until_s]

    def _look(self, sight: PlannedSight) -> None:
        for vehicle, aircraft in self._world.aircraft.items():
            position = aircraft.position()
            height_m = self._world.agl_m(aircraft, position)
            near = position.point.distance_m(sight.point) <= CAMERA_M_PER_M * height_m / 2
            if aircraft.airborne and height_m >= LEAST_HEIGHT_M and near:
                self._see(sight, vehicle)
                return

    def _see(self, sight: PlannedSight, vehicle: VehicleId) -> None:
        self._hidden.remove(sight)
        self._seen.append((sight, vehicle))
        self._news.fire()
