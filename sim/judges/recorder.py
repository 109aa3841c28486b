"""Writes down, once a minute, what really happens in a world; the report is drawn from it."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleet.facility import LiftWait
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.site import Edge, LaneId, NodeId
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import Observer, World

PERIOD_S = 60.0
AIR_PERIOD_S = 5.0
TRACK_POINTS_KEPT = 500_000
WAITS_KEPT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPoint:
    """Where an aircraft was."""

    at_s: float
    vehicle: VehicleId
    point: Point
    height_agl_m: float


@dataclass(kw_only=True)
class Samples:
    """What a `Recorder` has written down; sample ``i`` of each vehicle is of ``times_s[i]``.

    All times are loop seconds.
    """

    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    charge: dict[VehicleId, "array[float]"] = field(default_factory=dict[VehicleId, "array[float]"])
    """Shares of the capacity."""
    activity: dict[VehicleId, list[str]] = field(default_factory=dict[VehicleId, list[str]])
    lane_visits: Counter[LaneId] = field(default_factory=Counter[LaneId])
    node_visits: Counter[NodeId] = field(default_factory=Counter[NodeId])
    lift_waits: list[LiftWait] = field(default_factory=list[LiftWait])
    track: list[TrackPoint] = field(default_factory=list[TrackPoint])
    distance_m: dict[VehicleId, float] = field(default_factory=dict[VehicleId, float])
    dropped: int = 0
    """Track points and waits that were too many to keep."""


class Recorder(Observer):
    """Samples a world; create it when its vehicles are in place.

    Args:
        activity: what each vehicle is at, in one word; what it leaves out is ``idle``.
    """

    def __init__(self, world: World, activity: Callable[[], Mapping[VehicleId, str]]) -> None:
        self.samples = Samples()
        self._world, self._activity = world, activity
        self._last: dict[VehicleId, Point] = {}
        for vehicle in (*world.ground, *world.aircraft):
            self.samples.charge[vehicle] = array("d")
            self.samples.activity[vehicle] = []
            self.samples.distance_m[vehicle] = 0.0
        world.observe(self)

    async def run(self) -> None:
        """Sample; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._each_minute(), name="recorder[minute]")
            group.create_task(self._follow_flights(), name="recorder[air]")

    def departed(self, body: GroundBody, edge: Edge) -> None:  # noqa: ARG002
        """Another vehicle on this lane."""
        self.samples.lane_visits[edge.lane.id] += 1

    def arrived(self, body: GroundBody, edge: Edge) -> None:  # noqa: ARG002
        """Another vehicle at this node."""
        self.samples.node_visits[edge.end] += 1

    def waited(self, wait: LiftWait) -> None:
        """A wait for a lift is over; a listener for `Facilities.on_lift_wait`."""
        if len(self.samples.lift_waits) < WAITS_KEPT:
            self.samples.lift_waits.append(wait)
        else:
            self.samples.dropped += 1

    def sample(self) -> None:
        """Write down this moment."""
        samples, activity = self.samples, self._activity()
        samples.times_s.append(asyncio.get_running_loop().time())
        for vehicle, body in (*self._world.ground.items(), *self._world.aircraft.items()):
            samples.charge[vehicle].append(body.charge_ratio())
            samples.activity[vehicle].append(activity.get(vehicle, "idle"))
        for vehicle, body in self._world.ground.items():
            samples.distance_m[vehicle] = body.distance_m

    async def _each_minute(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            self.sample()

    async def _follow_flights(self) -> None:
        loop, aircraft = asyncio.get_running_loop(), self._world.aircraft
        risen = Signal()
        for one in aircraft.values():
            one.changed.listen(risen.fire)
        while True:
            for vehicle, one in aircraft.items():
                if one.airborne or vehicle in self._last:
                    self._follow(vehicle, loop.time(), airborne=one.airborne)
            aloft = bool(self._last)
            await (asyncio.sleep(AIR_PERIOD_S) if aloft else risen.wait())

    def _follow(self, vehicle: VehicleId, now_s: float, *, airborne: bool) -> None:
        position = self._world.aircraft[vehicle].position()
        last = self._last.get(vehicle, position.point)
        self.samples.distance_m[vehicle] += last.distance_m(position.point)
        if airborne:
            self._last[vehicle] = position.point
        else:
            self._last.pop(vehicle, None)
        if len(self.samples.track) < TRACK_POINTS_KEPT:
            self.samples.track.append(
                TrackPoint(
                    at_s=now_s,
                    vehicle=vehicle,
                    point=position.point,
                    height_agl_m=position.height_agl_m,
                )
            )
        else:
            self.samples.dropped += 1
