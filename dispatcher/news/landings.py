"""When the first leg of a delivery is expected to be over: its drone landed, its goods unloaded."""

from collections.abc import Callable, Mapping
from itertools import pairwise

from dispatcher.domain.stops import Handling, stops_of
from dispatcher.domain.task import Task
from dispatcher.news.looks import Looks
from dispatcher.planning.transfers import Outlook
from dispatcher.work.worker import Worker
from fleet.mission import Clearance
from fleet.roster import Roster
from fleet.vehicle import Medium, Position, VehicleId, VehicleSpec
from routing.refusal import Refusal

ABOVE_M = 10.0
"""A drone this near to where it lands, on the map, is on its way down."""


class Landings:
    """Foresees the ends of first legs."""

    def __init__(
        self,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        looks: Callable[[], Looks],
        handling: Handling,
        now_s: Callable[[], float],
    ) -> None:
        self._roster, self._workers, self._looks = roster, workers, looks
        self._handling, self._now_s = handling, now_s

    def outlook(self, task: Task) -> Outlook:
        """When a task that is open will be done."""
        worker = self._workers.get(task.vehicle) if task.vehicle is not None else None
        if worker is None:
            return Outlook(None, task.reason)
        if not task.state.begun:
            return Outlook(task.eta_s)
        vehicle, state = self._roster[worker.id], worker.state()
        waits = self._looks().glance(vehicle, state).waiting_for or task.reason
        if waits is not None:
            return Outlook(None, waits)
        if not state.online:
            return Outlook(None, Refusal("offline"))
        now_s = self._now_s()
        hand, stops = worker.hand, stops_of(task, self._handling)
        if hand.task == task.id and hand.stop_index == len(stops) - 1:
            current, here = worker.current, state.position
            if current is not None and here is not None and worker.spec.medium is Medium.AIR:
                left_s = flight_left_s(worker.spec, here, current[1])
                return Outlook(now_s + left_s + stops[-1].service_s)
            return Outlook(max(now_s, hand.ready_s))
        return Outlook(None if task.eta_s is None else max(now_s, task.eta_s))


def flight_left_s(spec: VehicleSpec, here: Position, clearance: Clearance) -> float:
    """How long a flight still takes to the ground: what is left of its way, and its way down.

    Like `AirMover`, it takes coming down for twice as slow as climbing.
    """
    ahead = [here.point, *(w.point for w in clearance.route[clearance.passed + 1 :])]
    metres = sum(a.distance_m(b) for a, b in pairwise(ahead))
    if metres < ABOVE_M:
        return 2 * here.height_agl_m / spec.climb_m_s
    up_m = max(0.0, spec.cruise_agl_m - here.height_agl_m)
    return metres / spec.speed_m_s + (up_m + 2 * spec.cruise_agl_m) / spec.climb_m_s
