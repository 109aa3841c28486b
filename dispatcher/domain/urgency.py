"""How urgent a task is: what being late costs by its priority, and how waiting lifts it."""

from collections.abc import Mapping

from dispatcher.domain.task import Priority, Task

RANKS: Mapping[Priority, int] = {priority: rank for rank, priority in enumerate(Priority)}
LATE_WEIGHT: Mapping[Priority, int] = {
    Priority.STAT: 60,
    Priority.URGENT: 10,
    Priority.ROUTINE: 6,
    Priority.BACKGROUND: 1,
}
LATE_LIFT_S, WAIT_LIFT_S = 3600.0, 3 * 3600.0
"""Each so many seconds that a task is late, or waits, it is planned as of the next higher class."""
PRESSING = frozenset({Priority.STAT, Priority.URGENT})
"""Each second counts from the moment these may begin, not only from when they are due."""
DROP_PENALTY: Mapping[Priority, int] = {
    Priority.STAT: 100_000_000,
    Priority.URGENT: 30_000_000,
    Priority.ROUTINE: 10_000_000,
    Priority.BACKGROUND: 3_000_000,
}


def urgency(task: Task, now_s: float) -> tuple[bool, int, float, str]:
    """What goes into a plan first: what is begun, then by class and due time.

    Waiting lifts a task (`lifts`), so that nothing waits for ever.
    """
    rank = RANKS[task.priority] - lifts(task, now_s)
    return not task.state.begun, rank, task.due_s, task.id


def lifts(task: Task, now_s: float) -> int:
    """By how many classes waiting has lifted a task: one per hour late, one per three waited."""
    late_s, waited_s = max(0.0, now_s - task.due_s), max(0.0, now_s - task.earliest_s)
    return int(late_s // LATE_LIFT_S + waited_s // WAIT_LIFT_S)


def lifted(task: Task, now_s: float) -> Priority:
    """The class as which a task is planned by now."""
    return list(Priority)[max(0, RANKS[task.priority] - lifts(task, now_s))]
