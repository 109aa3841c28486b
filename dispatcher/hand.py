"""What a vehicle has in hand, and why it is on its way."""

from dataclasses import dataclass, field

from dispatcher.stops import TaskStop
from dispatcher.task import TaskId
from dispatcher.views import Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Why the vehicle is on its way."""

    purpose: str
    rank: tuple[int, float]
    task: TaskId | None = None
    stop_index: int = -1


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
