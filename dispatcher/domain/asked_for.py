"""What people asked for, each once: a delivery of two legs is two tasks, but one delivery.

All that counts or times what was done counts this. A delivery lasts from its request to the last
hand-over, is due when it was asked to be, and has the id of its second leg, as its caller knows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.domain.task import Delivery, Leg, Medicine, Task, TaskId, TaskState
from fleet.vehicle import VehicleId


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that was asked for.

    Args:
        task: as one, from request to end.
        legs: the tasks that it is made of; none = ``task`` itself is all.
    """

    task: Task
    legs: tuple[Task, ...] = ()

    @property
    def vehicles(self) -> tuple[VehicleId, ...]:
        """Who did it, in their order."""
        return tuple(t.vehicle for t in self.legs or (self.task,) if t.vehicle is not None)


def is_whole(leg: Leg | None) -> bool:
    """Whether a task of this leg ends what was asked for: any but a first one does."""
    return leg is None or leg.number != 1


def id_of(task: Task) -> TaskId:
    """The id of what it belongs to: its own, or that of the second leg."""
    return task.id if task.leg is None or is_whole(task.leg) else task.leg.other


def asked_for(tasks: Sequence[Task]) -> list[Asked]:
    """All that was asked for, in the order of the tasks; a leg whose other is missing is alone."""
    known = {task.id: task for task in tasks}
    found: list[Asked] = []
    for task in tasks:
        other = None if task.leg is None else known.get(task.leg.other)
        if other is None:
            found.append(Asked(task))
        elif is_whole(task.leg):
            found.append(Asked(_as_one(other, task), (other, task)))
    return found


def _as_one(first: Task, second: Task) -> Task:
    spec = second.spec
    if isinstance(spec, Delivery | Medicine) and isinstance(first.spec, Delivery | Medicine):
        spec = replace(spec, origin=first.spec.origin, by=None)
    return replace(
        second,
        spec=spec,
        state=_state(first, second),
        created_s=first.created_s,
        earliest_s=first.earliest_s,
        vehicle=second.vehicle or first.vehicle,
        leg=None,
    )


def _state(first: Task, second: Task) -> TaskState:
    """That of the second leg once it ended or was begun; before, that of the first."""
    if second.state.ended or second.state.begun:
        return second.state
    return TaskState.UNDERWAY if first.state.ended else first.state
