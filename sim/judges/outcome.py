"""What a run achieved, in numbers: counted per kind of task, timed, and set against due times."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from dispatcher.domain.asked_for import asked_for
from dispatcher.domain.task import Kind, Priority, Task, TaskState
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from sim.judges.recorder import Samples


@dataclass(slots=True)
class Tally:
    """How many tasks of one kind came to what."""

    submitted: int = 0
    done: int = 0
    late: int = 0
    """Done after they were due, or still open after it."""
    failed: int = 0
    cancelled: int = 0
    open: int = 0

    def as_dict(self) -> dict[str, int]:
        """By name, for the summary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def is_late(task: Task, end_s: float) -> bool:
    """Whether a task was done after it was due, or is still open after it."""
    if task.state is TaskState.DONE:
        return task.ended_s is not None and task.ended_s > task.due_s
    return not task.state.ended and end_s > task.due_s


def tallies(tasks: Iterable[Task], end_s: float) -> dict[Kind, Tally]:
    """One `Tally` for each of the four kinds.

    Args:
        end_s: loop second at which the run ended.
    """
    found = {kind: Tally() for kind in Kind}
    for task in tasks:
        tally = found[task.kind]
        tally.submitted += 1
        tally.done += task.state is TaskState.DONE
        tally.failed += task.state is TaskState.FAILED
        tally.cancelled += task.state is TaskState.CANCELLED
        tally.open += not task.state.ended
        tally.late += is_late(task, end_s)
    return found


def done_ratio(tasks: Iterable[Task], end_s: float) -> float:
    """Share of the tasks that should have been done by the end, and were.

    Cancelled ones, and open ones that are not yet due, do not count; 1 when there are none.
    """
    counted = [t for t in tasks if t.state.ended or end_s > t.due_s]
    counted = [t for t in counted if t.state is not TaskState.CANCELLED]
    done = sum(task.state is TaskState.DONE for task in counted)
    return done / len(counted) if counted else 1.0


def on_time_ratio(tasks: Iterable[Task], end_s: float) -> float:
    """Share of the same tasks that were done by the time they were due."""
    counted = [t for t in tasks if t.state.ended or end_s > t.due_s]
    counted = [t for t in counted if t.state is not TaskState.CANCELLED]
    kept = sum(t.state is TaskState.DONE and not is_late(t, end_s) for t in counted)
    return kept / len(counted) if counted else 1.0


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that ``share`` of all values do not exceed; None of nothing.

    Source: nearest-rank method.
    """
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency_s(task: Task) -> float | None:
    """Seconds from request to done; None if it was not done.

    A task that was not to be begun before a certain time counts from then.
    """
    if task.state is not TaskState.DONE or task.ended_s is None:
        return None
    return task.ended_s - max(task.created_s, task.earliest_s)


def latencies(tasks: Iterable[Task]) -> dict[Kind, list[float]]:
    """`latency_s` of all tasks that were done."""
    found: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    for task in tasks:
        if (seconds := latency_s(task)) is not None:
            found[task.kind].append(seconds)
    return found


def summary_of_tasks(tasks: Sequence[Task], end_s: float) -> dict[str, object]:
    """The part of a summary that speaks of tasks: counts, ratios and times, also per kind.

    A delivery of two legs is one; how its legs went stands beside.
    """
    asked = asked_for(tasks)
    tasks = [one.task for one in asked]
    counts = tallies(tasks, end_s)
    legs = [one.legs for one in asked if one.legs]
    return {
        "tasks": {str(kind): tally.as_dict() for kind, tally in counts.items()},
        "done_ratio": round(done_ratio(tasks, end_s), 4),
        "on_time_ratio": round(on_time_ratio(tasks, end_s), 4),
        "kinds_done": {str(kind): tally.done for kind, tally in counts.items()},
        "latency": {str(kind): _spread(times) for kind, times in latencies(tasks).items()},
        "by_priority": {
            str(priority): _of_priority([t for t in tasks if t.priority is priority], end_s)
            for priority in Priority
        },
        **({"legs": _of_legs(legs)} if legs else {}),
    }


def _of_legs(legs: Sequence[Sequence[Task]]) -> dict[str, object]:
    """How many deliveries had two, and how long each leg took: the second from the pad on."""
    first_s = [seconds for first, _ in legs if (seconds := latency_s(first)) is not None]
    on_s = [b.ended_s - a.ended_s for a, b in legs if a.ended_s and b.ended_s and _both_done(a, b)]
    return {"deliveries": len(legs), "to_pad": _spread(first_s), "from_pad": _spread(on_s)}


def _both_done(*legs: Task) -> bool:
    return all(leg.state is TaskState.DONE for leg in legs)


def _of_priority(tasks: Sequence[Task], end_s: float) -> dict[str, float | None]:
    times = [seconds for task in tasks if (seconds := latency_s(task)) is not None]
    on_time = round(on_time_ratio(tasks, end_s), 4)
    return {"submitted": len(tasks), "on_time_ratio": on_time, **_spread(times)}


def _spread(times: Sequence[float]) -> dict[str, float | None]:
    return {"p50_s": _whole(percentile(times, 0.5)), "p95_s": _whole(percentile(times, 0.95))}


def summary_of_vehicles(vehicles: Sequence[VehicleSpec], samples: Samples) -> dict[str, object]:
    """The part of a summary that speaks of vehicles: how many, and how far."""
    of = {medium: [v for v in vehicles if v.medium is medium] for medium in Medium}
    return {
        "vehicles": {str(medium): len(group) for medium, group in of.items()},
        "distance_m": {
            str(medium): round(sum(samples.distance_m.get(v.id, 0.0) for v in group))
            for medium, group in of.items()
        },
    }


USES: Mapping[str, str] = {
    "working": "working",
    "decontaminating": "decontaminating",
    "returning": "returning",
    "waiting": "waiting",
    "charging": "charging",
    "idle": "idle",
}
"""How a report sums up what vehicles are at; all other words are ``away``."""


def use_of(activities: Sequence[str]) -> dict[str, float]:
    """Shares of a vehicle's time, by use; they sum to 1 unless there are no samples."""
    found = dict.fromkeys((*USES.values(), "away"), 0.0)
    for activity in activities:
        found[USES.get(activity, "away")] += 1 / len(activities)
    return found


def use_of_all(samples: Samples) -> dict[VehicleId, dict[str, float]]:
    """`use_of` each vehicle."""
    return {vehicle: use_of(words) for vehicle, words in samples.activity.items()}


def _whole(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
