"""What a vehicle has in hand, and why it is on its way."""

from dataclasses import dataclass, field

from dispatcher.domain.stops import TaskStop
from dispatcher.domain.task import Task, TaskId
from dispatcher.domain.urgency import RANKS
from dispatcher.domain.views import Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Why the vehicle is on its way."""

    purpose: str
    rank: tuple[int, float]
    task: TaskId | None = None
    stop_index: int = -1


def stop_trip(task: Task, stop_index: int, now_s: float) -> Trip:
    """For a stop of a task; -1 = for one that only its cancel asks for."""
    return Trip(
        purpose="stop", rank=(RANKS[task.priority], now_s), task=task.id, stop_index=stop_index
    )


def urgent_trip(purpose: str, now_s: float) -> Trip:
    """One that goes before every task."""
    return Trip(purpose=purpose, rank=(-1, now_s))


def idle_trip(purpose: str, now_s: float) -> Trip:
    """One that every task goes before."""
    return Trip(purpose=purpose, rank=(len(RANKS), now_s))


@dataclass(slots=True)
class Hand:
    """What a vehicle has in hand."""

    activity: Activity = Activity.IDLE
    task: TaskId | None = None
    stop: TaskStop | None = None
    stop_index: int = -1
    ready_s: float = 0.0
    """When the stop at hand is expected to be over."""
    watch: TaskId | None = None
    """The watch that it makes a shift for."""
    aboard: dict[TaskId, None] = field(default_factory=dict[TaskId, None])

    def take_up(self, task: TaskId, stop: TaskStop, index: int) -> None:
        """It is at a stop of a task from here on."""
        self.task, self.stop, self.stop_index = task, stop, index

    def put_down(self) -> None:
        """It is at no stop any more."""
        self.task = self.stop = None
        self.stop_index = -1
