from dataclasses import replace

import pytest

from dispatcher.domain.task import (
    Delivery,
    Goods,
    Kind,
    Leg,
    Patrol,
    Priority,
    Spec,
    Task,
    TaskId,
    TaskState,
)
from routing.site import PlaceId
from sim.judges.outcome import (
    done_ratio,
    is_late,
    latencies,
    on_time_ratio,
    percentile,
    summary_of_tasks,
    tallies,
    use_of,
)

DELIVERY = Delivery(
    item="Meals",
    goods=Goods.FOOD,
    origin=PlaceId("kitchen"),
    drop_offs=(PlaceId("ward"),),
    mass_g=1000,
)
END_S = 10_000.0


def task(state: TaskState, *, ended_s: float | None = None, spec: Spec = DELIVERY) -> Task:
    return Task(
        id=TaskId("T-000001"),
        spec=spec,
        priority=Priority.ROUTINE,
        state=state,
        created_s=100.0,
        earliest_s=0.0,
        due_s=1000.0,
        ended_s=ended_s,
    )


KEPT = task(TaskState.DONE, ended_s=900.0)
LATE = task(TaskState.DONE, ended_s=1100.0)
FAILED = task(TaskState.FAILED, ended_s=500.0)
CANCELLED = task(TaskState.CANCELLED, ended_s=500.0)
OVERDUE = task(TaskState.QUEUED)
NOT_YET_DUE = replace(task(TaskState.UNDERWAY), due_s=END_S + 1)
ALL = (KEPT, LATE, FAILED, CANCELLED, OVERDUE, NOT_YET_DUE)


def test_late_is_done_after_the_due_time_or_still_open_after_it() -> None:
    assert [is_late(one, END_S) for one in ALL] == [False, True, False, False, True, False]


def test_every_task_is_counted_once() -> None:
    tally = tallies(ALL, END_S)[Kind.DELIVERY]
    assert tally.as_dict() == {
        "submitted": 6,
        "done": 2,
        "late": 2,
        "failed": 1,
        "cancelled": 1,
        "open": 2,
    }
    assert tallies(ALL, END_S)[Kind.PATROL].submitted == 0


def test_ratios_leave_out_what_was_cancelled_or_is_not_due() -> None:
    assert done_ratio(ALL, END_S) == pytest.approx(2 / 4)
    assert on_time_ratio(ALL, END_S) == pytest.approx(1 / 4)
    assert done_ratio((), END_S) == on_time_ratio((CANCELLED,), END_S) == 1.0


def test_latency_counts_from_when_it_could_be_begun() -> None:
    reserved = replace(KEPT, earliest_s=600.0)
    assert latencies([KEPT, reserved, FAILED])[Kind.DELIVERY] == [800.0, 300.0]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.95) == 95.0
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


def test_the_summary_has_all_four_kinds() -> None:
    look = task(TaskState.DONE, ended_s=160.0, spec=Patrol(points=(PlaceId("ward"),)))
    summary = summary_of_tasks([*ALL, look], END_S)
    assert summary["kinds_done"] == {"delivery": 2, "medicine": 0, "patrol": 1, "disinfection": 0}
    assert summary["latency"] == {
        "delivery": {"p50_s": 800.0, "p95_s": 1000.0},
        "medicine": {"p50_s": None, "p95_s": None},
        "patrol": {"p50_s": 60.0, "p95_s": 60.0},
        "disinfection": {"p50_s": None, "p95_s": None},
    }


def test_the_summary_has_all_priorities() -> None:
    stat = replace(KEPT, priority=Priority.STAT)
    summary = summary_of_tasks([*ALL, stat], END_S)
    nothing = {"submitted": 0, "on_time_ratio": 1.0, "p50_s": None, "p95_s": None}
    assert summary["by_priority"] == {
        "stat": {"submitted": 1, "on_time_ratio": 1.0, "p50_s": 800.0, "p95_s": 800.0},
        "urgent": nothing,
        "routine": {"submitted": 6, "on_time_ratio": 0.25, "p50_s": 800.0, "p95_s": 1000.0},
        "background": nothing,
    }


def test_use_sums_to_one_and_knows_no_other_words() -> None:
    use = use_of(["working", "working", "charging", "offline"])
    assert use["working"] == 0.5
    assert use["away"] == 0.25
    assert sum(use.values()) == pytest.approx(1.0)


def test_a_delivery_of_two_legs_is_counted_and_timed_once() -> None:
    pad, ids = PlaceId("pad"), (TaskId("T-000001"), TaskId("T-000002"))
    first = replace(KEPT, ended_s=400.0, leg=Leg(number=1, other=ids[1], via=pad))
    second = replace(KEPT, id=ids[1], earliest_s=390.0, leg=Leg(number=2, other=ids[0], via=pad))
    summary = summary_of_tasks([first, second], END_S)
    assert summary["kinds_done"] == {"delivery": 1, "medicine": 0, "patrol": 0, "disinfection": 0}
    assert summary["on_time_ratio"] == 1.0
    assert summary["latency"]["delivery"] == {"p50_s": 800.0, "p95_s": 800.0}  # type: ignore[index]
    assert summary["by_priority"]["routine"]["submitted"] == 1  # type: ignore[index]
    assert summary["legs"] == {
        "deliveries": 1,
        "to_pad": {"p50_s": 300.0, "p95_s": 300.0},
        "from_pad": {"p50_s": 500.0, "p95_s": 500.0},
    }
    late = replace(second, ended_s=1100.0)
    assert summary_of_tasks([first, late], END_S)["on_time_ratio"] == 0.0
    assert "legs" not in summary_of_tasks([KEPT], END_S)
