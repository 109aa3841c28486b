"""What a person looks for in a run: when there were alerts, violations and late tasks."""

from dataclasses import dataclass
from enum import StrEnum

from dispatcher.domain.task import Task, TaskState
from dispatcher.records.alerts import Alert
from dispatcher.replay.history import History


class MarkKind(StrEnum):
    """Why a moment is marked; what matters most comes first."""

    VIOLATION = "violation"
    ALERT = "alert"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment to look at.

    Args:
        code: of the alert, or the kind of the violation or of the task.
        what: the violation in a sentence.
        alert, task: that it is about.
    """

    at_ms: int
    kind: MarkKind
    code: str
    what: str = ""
    alert: Alert | None = None
    task: Task | None = None


def marks_of(history: History) -> list[Mark]:
    """All marks of a run, in order; of one moment, what matters most comes first."""
    found = [
        Mark(at_ms=at_ms, kind=MarkKind.VIOLATION, code=kind, what=what)
        for at_ms, kind, what in history.violations
    ]
    for thing in history.ends():
        match thing:
            case Alert():
                since_ms = history.rows.ms(thing.since_s)
                found.append(
                    Mark(at_ms=since_ms, kind=MarkKind.ALERT, code=thing.code, alert=thing)
                )
            case Task() if _was_late(thing, history):
                due_ms = history.rows.ms(thing.due_s)
                found.append(
                    Mark(at_ms=due_ms, kind=MarkKind.LATE, code=thing.kind.value, task=thing)
                )
            case _:
                pass
    order = list(MarkKind)
    return sorted(found, key=lambda mark: (mark.at_ms, order.index(mark.kind)))


def _was_late(task: Task, history: History) -> bool:
    """Whether it was still open when it was due."""
    over_s = history.rows.seconds(history.end_ms) if task.ended_s is None else task.ended_s
    return over_s > task.due_s and task.state is not TaskState.CANCELLED
