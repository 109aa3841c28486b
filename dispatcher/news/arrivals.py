"""When tasks will be done, by what vehicles under way say themselves.

A plan counts with driving times; a vehicle that tells when it will be there knows better, as of
what stands in its way. The plan itself goes on counting: one vehicle's word changes nobody's work.
"""

from collections.abc import Mapping

from dispatcher.domain.stops import Handling, stops_of
from dispatcher.domain.task import Task
from dispatcher.planning.planner import ETA_SLACK_S
from dispatcher.records.book import TaskBook
from dispatcher.work.worker import Worker
from fleet.roster import Roster
from fleet.vehicle import Vehicle, VehicleId


class Arrivals:
    """Keeps the expected end of each task whose last stop a vehicle is on its way to."""

    def __init__(
        self,
        book: TaskBook,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        handling: Handling,
    ) -> None:
        self._book, self._roster = book, roster
        self._workers, self._handling = workers, handling

    async def look(self) -> None:
        """Take in what vehicles say now."""
        moved: list[Task] = []
        for id_, worker in self._workers.items():
            told = self._told(self._roster[id_], worker)
            if told is not None:
                task, eta_s = told
                if task.eta_s is None or abs(task.eta_s - eta_s) >= ETA_SLACK_S:
                    moved.append(self._book.move(task.id, eta_s=eta_s))
        if moved:
            await self._book.commit(tasks=moved)

    def _told(self, vehicle: Vehicle, worker: Worker) -> tuple[Task, float] | None:
        """The task that a vehicle is about to end, and when, if it says so."""
        hand, current, state = worker.hand, worker.current, vehicle.state()
        if state.arrives_s is None or not state.online or current is None:
            return None
        if hand.task is None or hand.stop is None or hand.stop_index < 0:
            return None
        task, (mission, clearance) = self._book[hand.task], current
        last = hand.stop_index == len(stops_of(task, self._handling)) - 1
        bound_for = worker.free(self._book.now_s()).spot
        if (
            task.state.ended
            or not last
            or state.mission != mission.id
            or clearance.route[-1].node != bound_for
        ):
            return None
        return task, max(self._book.now_s(), state.arrives_s) + hand.stop.service_s
