"""How soon help came to incidents, as the bodies show it, beside the best that could have been.

Nothing here is the dispatcher's word: a drone is told something when its autopilot accepts it, and
is there when its body stands still in the air above the scene. What would have been best is
reckoned until the same moment, from where all bodies were and what their batteries held at the
moment of the call, in the wind and with the closed air of that moment. It knows no courtesy: such
a drone flies over the pads of others, too.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dispatcher.desks.incidents_in import IncidentIn, spot_of
from fleet.vehicle import VehicleId
from routing.air.airspace import air_way, not_shut
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import NodeId, Site
from sim.judges.outcome import percentile
from sim.mavlink.autopilot import MavlinkAutopilot
from sim.world.motion import profile
from sim.world.multirotor import Multirotor

THERE_M = 5.0
"""So near to a scene, in the air, a drone is there ..."""
STILL_M_S = 0.5
"""... once it is no faster than this: another one that flies past is no help."""
AHEAD_S = 600.0
"""Air that closes within this is closed."""
GIVE_UP_S = 3600.0
POLL_S = 0.25
LEAST_ON_SCENE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Seen:
    """One incident as the bodies saw it; seconds of the loop."""

    at: Point
    called_s: float
    best_s: float | None
    """When the best drone could have been there; None = none could."""
    by: VehicleId | None = None
    told_s: float | None = None
    """When the drone that came was last told to take off or turn."""
    there_s: float | None = None


class IncidentWatch:
    """Watches all aircraft of a run.

    Args:
        clock_s: seconds since midnight.
    """

    def __init__(
        self,
        site: Site,
        autopilots: Mapping[VehicleId, MavlinkAutopilot],
        clock_s: Callable[[], float],
    ) -> None:
        self._site, self._autopilots, self._clock_s = site, autopilots, clock_s
        self._told_s: dict[VehicleId, float] = {}
        self.seen: list[Seen] = []
        for id_, autopilot in autopilots.items():
            autopilot.copter.sent.listen(self._teller(id_))

    def called(self, asked: IncidentIn, bound: Sequence[VehicleId]) -> Seen:
        """An incident is about to be reported.

        Args:
            bound: drones that are at another incident, or on their way there.
        """
        now_s = asyncio.get_running_loop().time()
        at = spot_of(self._site, asked)
        arrivals = [
            arrival_s
            for id_ in self._autopilots
            if id_ not in bound and (arrival_s := self._could_arrive_s(id_, at)) is not None
        ]
        best_s = now_s + min(arrivals) if arrivals else None
        self.seen.append(Seen(at=at, called_s=now_s, best_s=best_s))
        return self.seen[-1]

    async def follow(self, seen: Seen) -> None:
        """Wait until a drone is there."""
        loop = asyncio.get_running_loop()
        while loop.time() < seen.called_s + GIVE_UP_S:
            for id_, autopilot in self._autopilots.items():
                if _stands_above(autopilot.body, seen.at):
                    seen.by, seen.there_s = id_, loop.time()
                    seen.told_s = max(seen.called_s, self._told_s.get(id_, seen.called_s))
                    return
            await asyncio.sleep(POLL_S)

    def summary(self) -> dict[str, object]:
        """For the summary of a run: from the call to the command, and the arrivals."""
        told = [s.told_s - s.called_s for s in self.seen if s.told_s is not None]
        there = [s.there_s - s.called_s for s in self.seen if s.there_s is not None]
        ratios = [
            (s.there_s - s.called_s) / max(1.0, s.best_s - s.called_s)
            for s in self.seen
            if s.there_s is not None and s.best_s is not None
        ]
        return {
            "count": len(self.seen),
            "answered": len(there),
            "p50_s": _rounded(percentile(told, 0.5)),
            "p95_s": _rounded(percentile(told, 0.95)),
            "worst_s": _rounded(max(told, default=None)),
            "arrival": {
                "p50_s": _rounded(percentile(there, 0.5)),
                "p95_s": _rounded(percentile(there, 0.95)),
                "worst_s": _rounded(max(there, default=None)),
                "over_best_p50": _rounded(percentile(ratios, 0.5), 3),
                "over_best_worst": _rounded(max(ratios, default=None), 3),
            },
        }

    def _teller(self, vehicle: VehicleId) -> "_Teller":
        return _Teller(self._told_s, vehicle)

    def _could_arrive_s(self, vehicle: VehicleId, at: Point) -> float | None:
        """Seconds from now until a drone could be there, if it gets home again."""
        autopilot = self._autopilots[vehicle]
        body, spec = autopilot.body, autopilot.body.spec
        if body.empty or autopilot.link_down or "camera" not in spec.skills:
            return None
        here, energy = body.position(), spec.energy
        home = self._site.nodes[NodeId(self._site.places[spec.home].node)].point
        try:
            out_s, back_s = (
                self._flight_s(vehicle, here.point, at),
                self._flight_s(vehicle, at, home),
            )
        except Unreachable:
            return None
        climb_s = max(0.0, spec.cruise_agl_m - here.height_agl_m) / spec.climb_m_s
        down_s = spec.cruise_agl_m / spec.climb_m_s
        need_j = (out_s + back_s) * energy.move_w + climb_s * energy.climb_w
        need_j += (LEAST_ON_SCENE_S + down_s) * energy.hover_w
        has_j = (body.energy_wh - energy.reserve_ratio * energy.capacity_wh) * 3600
        if need_j > has_j:
            return None
        if body.airborne:
            return max(climb_s, out_s)
        wakes_s = 0.0
        if not autopilot.powered:
            wakes_s = autopilot.config.boot_s + autopilot.config.position_s
        return wakes_s + climb_s + out_s

    def _flight_s(self, vehicle: VehicleId, start: Point, goal: Point) -> float:
        body = self._autopilots[vehicle].body
        spec = body.spec
        if start.distance_m(goal) < 0.01:
            return 0.0
        over = not_shut(self._site, self._clock_s(), AHEAD_S)
        way = air_way(self._site, start, goal, height_agl_m=spec.cruise_agl_m, over=over)
        return sum(
            profile(
                a.distance_m(b),
                start_m_s=0.0,
                cruise_m_s=body.wind.ground_speed_m_s(spec.speed_m_s, _along(a, b)),
                acceleration_m_s2=spec.acceleration_m_s2,
                stop=True,
            ).duration_s
            for a, b in pairwise(way)
        )


def _stands_above(body: Multirotor, scene: Point) -> bool:
    x_m_s, y_m_s, _ = body.velocity()
    near = body.airborne and body.position().point.distance_m(scene) <= THERE_M
    return near and math.hypot(x_m_s, y_m_s) <= STILL_M_S


def _along(start: Point, goal: Point) -> tuple[float, float]:
    way_m = start.distance_m(goal)
    return (goal.x_m - start.x_m) / way_m, (goal.y_m - start.y_m) / way_m


@dataclass(frozen=True, slots=True)
class _Teller:
    told_s: dict[VehicleId, float]
    vehicle: VehicleId

    def __call__(self) -> None:
        self.told_s[self.vehicle] = asyncio.get_running_loop().time()


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
