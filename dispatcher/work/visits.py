"""Taking one vehicle's visits from the plan, and bringing back what was cancelled on the way."""

from collections.abc import Callable

from dispatcher.domain.stops import Handling, TaskStop, bring_back, on_board, stops_of
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.domain.views import Activity
from dispatcher.missions.execution import Mover
from dispatcher.planning.free import Free
from dispatcher.planning.planner import Planner
from dispatcher.records.book import TaskBook
from dispatcher.work.break_off import BreakOff
from dispatcher.work.charge_wish import ChargeWish
from dispatcher.work.hand import Hand, stop_trip
from dispatcher.work.retreat import Retreat
from dispatcher.work.standing import Standing
from dispatcher.work.steps import Steps
from dispatcher.work.stop_tries import StopTries
from fleet.errors import HandoverUnsure, MissionCancelled
from fleet.vehicle import Vehicle
from routing.errors import Unreachable


class Visits:
    """What one vehicle does for tasks, stop by stop.

    Args:
        free: where and when the vehicle will be free for other work.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        planner: Planner,
        handling: Handling,
        steps: Steps,
        tries: StopTries,
        wish: ChargeWish,
        retreat: Retreat,
        standing: Standing,
        break_off: BreakOff,
        free: Callable[[], Free],
    ) -> None:
        self._id, self._mover, self._hand, self._book = vehicle.spec.id, mover, hand, book
        self._planner, self._handling = planner, handling
        self._steps, self._tries, self._wish = steps, tries, wish
        self._retreat, self._standing, self._break_off = retreat, standing, break_off
        self._free = free

    # --- by the plan ---

    def may_begin(self) -> bool:
        """Whether there is energy for the next task; what is on board is always brought on."""
        visit = self._planner.plan.next(self._id)
        if visit is None:
            return False
        task = self._book[TaskId(visit.request)]
        if on_board(task):
            return True
        if self._retreat.held_aboard():
            return False
        if self._hand.aboard:
            return True
        if not self._standing.in_service:
            return False
        if self._planner.must_wait(task, self._free):
            return False
        return self._wish.may_begin(visit)

    async def make_next(self) -> None:
        """Make the next visit of the plan, if there is one."""
        visit = self._planner.plan.begin(self._id)
        if visit is None:
            return
        task = self._book[TaskId(visit.request)]
        stop = stops_of(task, self._handling)[visit.stop]
        self._hand.activity = Activity.WORKING
        self._hand.take_up(task.id, stop, visit.stop)
        self._hand.ready_s = self._expected_s(stop)
        try:
            self._steps.begin(task, visit.stop)
            await self._tries.make(task.id, stop, visit.stop)
        finally:
            self._hand.put_down()
            self._break_off.forget_turn()
            self._planner.poke()

    def _expected_s(self, stop: TaskStop) -> float:
        try:
            return self._book.now_s() + self._mover.seconds_to(stop) + stop.service_s
        except Unreachable:
            return self._book.now_s()

    # --- cancelled under way ---

    def cancelled_aboard(self) -> Task | None:
        """A task that has been cancelled while its goods are on board."""
        for id_ in self._hand.aboard:
            if self._book[id_].state is TaskState.CANCELLING:
                return self._book[id_]
        return None

    async def bring_back(self, task: Task) -> None:
        """Take the goods of a cancelled task to where they came from."""
        stop = bring_back(task, self._handling)
        self._hand.activity = Activity.RETURNING
        try:
            await self._mover.go(stop, stop_trip(task, -1, self._book.now_s()))
        except MissionCancelled:
            return
        except HandoverUnsure as error:
            await self._steps.fail(self._book[task.id], error.reason)
            raise
        self._hand.aboard.pop(task.id, None)
        await self._steps.end_cancelled(task)
