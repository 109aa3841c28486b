"""What has been asked for by place and hour is what is expected, and old days count for less."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from dispatcher.domain.stops import Handling
from dispatcher.domain.task import Delivery, Goods, Patrol, Priority, Task, TaskId, TaskState
from dispatcher.planning.forecast import DAYS, KEPT, PRIOR_H, Forecast, lately
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.store import Store
from fleet.clock import Clock
from routing.site import AirspaceId, PlaceId

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
HOUR, DAY = 3600.0, 86_400.0
WARD, LAB = PlaceId("ward"), PlaceId("lab")


def asked(at_s: float, goods: Goods = Goods.FOOD, origin: PlaceId = WARD) -> Task:
    spec = Delivery(item="box", goods=goods, origin=origin, drop_offs=(LAB,), mass_g=100)
    return Task(
        id=TaskId(f"T-{int(at_s):06d}"),
        spec=spec,
        priority=Priority.ROUTINE,
        state=TaskState.QUEUED,
        created_s=at_s,
        earliest_s=at_s,
        due_s=at_s + HOUR,
    )


class At:
    """The moment that a test sets; second 0 is the start."""

    moment_s = 0.0


def forecast(tz_h: int = 0) -> Forecast:
    At.moment_s = 0.0
    clock = Clock(START, 0.0, now_s=lambda: At.moment_s)
    return Forecast(clock, Handling(), timezone(timedelta(hours=tz_h)))


def rates(of: Forecast, at_s: float) -> dict[str, float]:
    At.moment_s = at_s
    return {f"{one.place} {one.sort.what}": one.per_hour for one in of.expected()}


def test_nothing_was_asked_nothing_is_expected() -> None:
    assert rates(forecast(), 5 * DAY) == {}


def test_one_busy_hour_is_known_the_next_day() -> None:
    known = forecast()
    for day in range(7):
        for n in range(6):
            known.count(asked(day * DAY + 8 * HOUR + n * 600))
        known.count(asked(day * DAY + 14 * HOUR, Goods.SPECIMEN))
    busy, quiet = rates(known, 7 * DAY + 7.9 * HOUR), rates(known, 7 * DAY + 19 * HOUR)
    assert busy["ward food"] == pytest.approx(6, abs=2)
    assert busy["ward food"] > 10 * quiet["ward food"]
    assert 0 < quiet["ward specimen"] < 0.1


def test_on_the_first_day_the_mean_of_its_hours_is_expected() -> None:
    known = forecast()
    for n in range(8):
        known.count(asked(n * HOUR))
    assert rates(known, 8 * HOUR)["ward food"] == pytest.approx(8 / (8 + PRIOR_H), rel=0.1)


def test_what_has_ended_long_ago_is_forgotten_by_and_by() -> None:
    known = forecast()
    for n in range(10):
        known.count(asked(8 * HOUR + n))
        known.count(asked(n * DAY + 1, Goods.SPECIMEN))
    soon, late = (rates(known, day * DAY + 8 * HOUR)["ward food"] for day in (1, 20))
    assert late < soon * KEPT**10


def test_hours_are_those_of_the_site() -> None:
    known = forecast(tz_h=8)
    for day in range(5):
        for n in range(4):
            known.count(asked(day * DAY + n * 60))  # eight in the morning there
    assert rates(known, 5 * DAY - 1000)["ward food"] > 2
    assert rates(known, 5 * DAY + 8 * HOUR)["ward food"] < 0.5


def test_the_order_in_which_tasks_are_counted_does_not_matter() -> None:
    times = [3 * HOUR, DAY + 3 * HOUR, 2 * DAY + 3 * HOUR, 2 * DAY + 5 * HOUR]
    one, other = forecast(), forecast()
    for at_s in times:
        one.count(asked(at_s))
    for at_s in reversed(times):
        other.count(asked(at_s))
    at_s = 3 * DAY + 2.6 * HOUR
    assert rates(one, at_s)["ward food"] == pytest.approx(rates(other, at_s)["ward food"])


def test_what_is_looked_at_from_the_air_begins_nowhere() -> None:
    known = forecast()
    flown = Patrol(area=AirspaceId("park"), points=(), rounds=1)
    known.count(replace(asked(0.0), spec=flown))
    assert rates(known, HOUR) == {}


async def test_at_the_start_the_last_weeks_are_read_from_the_store() -> None:
    clock = Clock.starting(START)
    store = await Store.open("sqlite://", clock, InlineExecutor())
    now_s = clock.now_s()
    ages = [(DAYS + 3) * DAY, (DAYS - 1) * DAY, *(n * 60.0 for n in range(700, 0, -1))]
    tasks = [
        replace(asked(now_s - age), id=TaskId(f"T-{number:06d}"))
        for number, age in enumerate(ages, 1)
    ]
    await store.commit(tasks=tasks)
    found = [task.id for task in await lately(store, clock)]
    await store.close()
    assert found == [task.id for task in tasks[1:]]
