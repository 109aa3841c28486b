"""A delivery of two legs is one thing that was asked for, wherever it is counted."""

from dataclasses import replace
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from dispatcher.api.live import DayCounts
from dispatcher.api.ports import Showing
from dispatcher.domain.asked_for import asked_for, id_of
from dispatcher.domain.task import Delivery, Goods, Leg, Medicine, Priority, Task, TaskId, TaskState
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.store import Store
from fleet.clock import Clock
from fleet.vehicle import Medium, VehicleId
from routing.site import PlaceId
from tests.dispatcher.ward import START

PAD, BESIDE = PlaceId("pad"), PlaceId("beside-pad")
FIRST = Task(
    id=TaskId("T-000001"),
    spec=Delivery(
        item="blood",
        goods=Goods.GENERAL,
        origin=PlaceId("depot"),
        drop_offs=(PAD,),
        mass_g=1000,
        by=Medium.AIR,
    ),
    priority=Priority.STAT,
    state=TaskState.DONE,
    created_s=100.0,
    earliest_s=100.0,
    due_s=600.0,
    vehicle=VehicleId("D1"),
    ended_s=500.0,
    leg=Leg(number=1, other=TaskId("T-000002"), via=PAD),
)
SECOND = replace(
    FIRST,
    id=TaskId("T-000002"),
    spec=Delivery(
        item="blood",
        goods=Goods.GENERAL,
        origin=BESIDE,
        drop_offs=(PlaceId("ward"), PlaceId("surgery")),
        mass_g=1000,
        by=Medium.GROUND,
    ),
    earliest_s=480.0,
    due_s=900.0,
    vehicle=VehicleId("C1"),
    ended_s=800.0,
    leg=Leg(number=2, other=TaskId("T-000001"), via=PAD),
)
ALONE = replace(FIRST, id=TaskId("T-000003"), leg=None)


def test_two_legs_are_one_delivery_from_the_request_to_the_last_hand_over() -> None:
    whole, alone = asked_for([FIRST, SECOND, ALONE])
    assert alone.task is ALONE
    assert (alone.legs, alone.vehicles) == ((), ("D1",))
    task = whole.task
    assert isinstance(task.spec, Delivery)
    assert (task.spec.origin, task.spec.drop_offs) == ("depot", ("ward", "surgery"))
    assert (task.id, task.leg, task.spec.by) == ("T-000002", None, None)
    assert (task.created_s, task.earliest_s, task.due_s, task.ended_s) == (100, 100, 900, 800)
    assert whole.legs == (FIRST, SECOND)
    assert whole.vehicles == ("D1", "C1")
    assert {id_of(one) for one in (FIRST, SECOND, ALONE)} == {"T-000002", "T-000003"}


def test_of_medicine_it_is_the_recipient_who_counts() -> None:
    pharmacy = Medicine(
        item="insulin",
        origin=PlaceId("pharmacy"),
        destination=PAD,
        recipient_role="pad",
        mass_g=10,
        by=Medium.GROUND,
    )
    onward = replace(
        pharmacy, origin=PAD, destination=PlaceId("icu"), recipient_role="nurse", by=Medium.AIR
    )
    legs = [replace(FIRST, spec=pharmacy), replace(SECOND, spec=onward)]
    spec = asked_for(legs)[0].task.spec
    assert spec == replace(onward, origin=PlaceId("pharmacy"), by=None)


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        (TaskState.QUEUED, TaskState.QUEUED, TaskState.QUEUED),
        (TaskState.UNDERWAY, TaskState.QUEUED, TaskState.UNDERWAY),
        (TaskState.UNDERWAY, TaskState.UNDERWAY, TaskState.UNDERWAY),
        (TaskState.DONE, TaskState.QUEUED, TaskState.UNDERWAY),
        (TaskState.DONE, TaskState.CANCELLING, TaskState.CANCELLING),
        (TaskState.FAILED, TaskState.FAILED, TaskState.FAILED),
        (TaskState.DONE, TaskState.FAILED, TaskState.FAILED),
        (TaskState.CANCELLED, TaskState.CANCELLED, TaskState.CANCELLED),
    ],
)
def test_it_stands_where_its_legs_stand(
    first: TaskState, second: TaskState, whole: TaskState
) -> None:
    (asked,) = asked_for([replace(FIRST, state=first), replace(SECOND, state=second)])
    assert asked.task.state is whole


def test_a_leg_whose_other_is_not_there_is_alone() -> None:
    assert [one.task for one in asked_for([SECOND])] == [SECOND]
    assert [one.task for one in asked_for([FIRST])] == [FIRST]


class Day:
    """What the counts of a day look at."""

    def __init__(self, store: Store, clock: Clock, tasks: list[Task]) -> None:
        self.store, self.clock, self._tasks = store, clock, tasks

    def open_tasks(self) -> list[Task]:
        return [task for task in self._tasks if not task.state.ended]


async def test_the_days_counts_have_it_once() -> None:
    clock = Clock.starting(START)
    store = await Store.open("sqlite://", clock, InlineExecutor())
    tasks = [FIRST, SECOND, ALONE]
    await store.commit(tasks=tasks)
    counts = DayCounts(cast(Showing, Day(store, clock, tasks)), ZoneInfo("UTC"))
    midnight_s = clock.to_loop(datetime(START.year, START.month, START.day, tzinfo=START.tzinfo))
    assert await store.done_since(midnight_s) == {"T-000002": True, "T-000003": True}
    assert await counts.now() == {"open": 0, "done_today": 2, "on_time_ratio": 1.0}
    counts.note(FIRST)
    assert (await counts.now())["done_today"] == 2
    underway = [replace(one, state=TaskState.UNDERWAY, ended_s=None) for one in tasks]
    counts = DayCounts(cast(Showing, Day(store, clock, underway)), ZoneInfo("UTC"))
    assert (await counts.now())["open"] == 2
    await store.close()
