import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from dispatcher.desks import incident_store
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.task import (
    Delivery,
    Disinfection,
    Goods,
    Kind,
    Leg,
    Medicine,
    Method,
    Patrol,
    Priority,
    Spec,
    Task,
    TaskId,
    TaskState,
)
from dispatcher.errors import KeyTaken, StoreFault
from dispatcher.flight_log import log as flight_log
from dispatcher.records.database import Database
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.journal import Journal
from dispatcher.records.store import Answer, Store, TaskQuery
from fleet.clock import Clock
from fleet.mission import Action, ActionKind, Mission, MissionId, Waypoint
from fleet.vehicle import Medium, VehicleId
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import AirspaceId, LaneId, LevelId, NodeId, PlaceId

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)

LINEN = Delivery(
    item="Clean linen",
    goods=Goods.CLEAN_LINEN,
    origin=PlaceId("laundry"),
    drop_offs=(PlaceId("ward-1"), PlaceId("ward-2")),
    mass_g=12_000,
    by=Medium.GROUND,
)
INSULIN = Medicine(
    item="胰岛素 50%",
    origin=PlaceId("pharmacy"),
    destination=PlaceId("icu"),
    recipient_role="nurse",
    mass_g=1_000,
    controlled=True,
)
PARK = Patrol(area=AirspaceId("park"), rounds=3)
ROOM = Disinfection(room=PlaceId("icu"), method=Method.UV_C, dose_mj_cm2=10.5)


def task(number: int, spec: Spec = LINEN, state: TaskState = TaskState.QUEUED) -> Task:
    return Task(
        id=TaskId(f"T-{number:06d}"),
        spec=spec,
        priority=Priority.ROUTINE,
        state=state,
        created_s=float(number),
        earliest_s=0.0,
        due_s=3600.0,
    )


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    store = await Store.open("sqlite://", Clock.starting(START), InlineExecutor())
    yield store
    await store.close()


@pytest.mark.parametrize("spec", [LINEN, INSULIN, PARK, ROOM])
async def test_a_task_comes_back_as_it_went_in(store: Store, spec: Spec) -> None:
    whole = replace(
        task(7, spec),
        requester="Ward 1",
        note="fragile\nthis side up",
        vehicle=VehicleId("cart-1"),
        stops_done=1,
        eta_s=125.25,
        ended_s=130.5,
        reason=Refusal("over_payload", {"mass_kg": 80.5, "limit_kg": 50, "locked": False}),
        key="k-7",
        leg=Leg(number=2, other=TaskId("T-000006"), via=PlaceId("roof-pad")),
    )
    await store.commit(tasks=[whole])
    assert await store.task(whole.id) == whole
    assert await store.by_key("k-7") == whole
    assert await store.task(TaskId("T-000008")) is None
    assert await store.by_key("k-8") is None


async def test_the_calendar_and_not_the_loop_decides_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    before = await Store.open(url, Clock(START, 500.0), InlineExecutor())
    await before.commit(tasks=[replace(task(1), created_s=500.0, due_s=800.0)])
    await before.close()

    a_minute_later = Clock(START + timedelta(minutes=1), 0.0)
    after = await Store.open(url, a_minute_later, InlineExecutor())
    (found,) = await after.open_tasks()
    assert (found.created_s, found.due_s) == (-60.0, 240.0)
    await after.close()


async def test_numbers_are_never_given_twice(store: Store) -> None:
    first = await store.next_numbers()
    assert (first.task, first.mission, first.event) == (1, 1, 1)
    journal = Journal(Clock.starting(START), first_seq=first.event)
    record = MissionRecord(
        id=MissionId("M-000031"),
        vehicle=VehicleId("cart-1"),
        task=None,
        purpose="park",
        stop_index=-1,
        mission=Mission(id=MissionId("M-000031"), route=()),
        state="done",
        at_s=0.0,
    )
    ended = task(12, state=TaskState.CANCELLED)
    await store.commit(tasks=[ended], events=[journal.event("a")], missions=[record])
    then = await store.next_numbers()
    assert (then.task, then.mission, then.event) == (13, 32, 2)


async def test_all_of_a_commit_is_written_or_none(store: Store) -> None:
    event = Journal(Clock.starting(START)).event("task_accepted", task=TaskId("T-000001"))
    await store.commit(tasks=[replace(task(1), key="k")], events=[event])
    again = replace(event, seq=2, task=TaskId("T-000002"))
    with pytest.raises(KeyTaken, match="'k'"):
        await store.commit(tasks=[replace(task(2), key="k")], events=[again])
    assert await store.task(TaskId("T-000002")) is None
    assert await store.timeline(TaskId("T-000002")) == []
    assert await store.timeline(TaskId("T-000001")) == [event]


async def test_a_changed_task_replaces_the_older_one_and_keeps_its_key(store: Store) -> None:
    asked = replace(task(1), key="k")
    await store.commit(tasks=[asked])
    await store.commit(tasks=[replace(asked, state=TaskState.ASSIGNED, vehicle=VehicleId("c"))])
    (found,) = await store.open_tasks()
    assert (found.state, found.vehicle, found.key) == (TaskState.ASSIGNED, "c", "k")


async def test_a_mission_is_in_hand_until_it_has_ended(store: Store) -> None:
    mission = Mission(
        id=MissionId("M-000001"),
        route=(
            Waypoint(node=NodeId("a"), level=LevelId("L1"), point=Point(0.1, 2.0)),
            Waypoint(
                node=NodeId("b"),
                level=LevelId("L1"),
                point=Point(3.0, 4.0),
                lane=LaneId("a~b"),
                speed_limit_m_s=0.8,
            ),
        ),
        actions=(
            Action(
                id="M-000001/1",
                kind=ActionKind.LOAD,
                duration_s=20.0,
                facts={"load_id": "T-000001", "mass_kg": 1.5},
            ),
        ),
    )
    record = MissionRecord(
        id=mission.id,
        vehicle=VehicleId("cart-1"),
        task=TaskId("T-000001"),
        purpose="stop",
        stop_index=0,
        mission=mission,
        state="sent",
        at_s=4.5,
    )
    await store.commit(missions=[record])
    assert await store.missions_in_hand() == [record]
    await store.commit(missions=[replace(record, state="done")])
    assert await store.missions_in_hand() == []


async def test_pages_follow_one_another_from_the_newest_task_on(store: Store) -> None:
    await store.commit(tasks=[task(n) for n in range(1, 6)])
    first = await store.page(TaskQuery(limit=2))
    assert [t.id for t in first.tasks] == ["T-000005", "T-000004"]
    await store.commit(tasks=[task(6)])
    second = await store.page(TaskQuery(limit=2, cursor=first.next))
    last = await store.page(TaskQuery(limit=2, cursor=second.next))
    assert [t.id for t in second.tasks + last.tasks] == ["T-000003", "T-000002", "T-000001"]
    assert (second.total, last.next) == (6, None)


async def test_people_find_their_tasks(store: Store) -> None:
    await store.commit(
        tasks=[
            replace(task(1, LINEN), vehicle=VehicleId("cart-1"), requester="Laundry"),
            task(2, INSULIN, TaskState.ASSIGNED),
            task(3, PARK, TaskState.DONE),
            task(4, ROOM),
        ]
    )

    async def found(query: TaskQuery) -> list[int]:
        return [int(t.id[2:]) for t in (await store.page(query)).tasks]

    assert await found(TaskQuery(states=(TaskState.QUEUED, TaskState.DONE))) == [4, 3, 1]
    assert await found(TaskQuery(kinds=(Kind.MEDICINE,))) == [2]
    assert await found(TaskQuery(place=PlaceId("icu"))) == [4, 2]
    assert await found(TaskQuery(place=AirspaceId("park"))) == [3]
    assert await found(TaskQuery(place=PlaceId("ward"))) == []
    assert await found(TaskQuery(vehicle=VehicleId("cart-1"))) == [1]
    assert await found(TaskQuery(text="LINEN")) == [1]
    assert await found(TaskQuery(text="laundry")) == [1]
    assert await found(TaskQuery(text="胰岛素 50%")) == [2]
    assert await found(TaskQuery(text="%")) == [2]
    assert await found(TaskQuery(text="_")) == []
    assert await found(TaskQuery(text="t-000003")) == [3]


async def test_the_days_count_knows_what_was_in_time(store: Store) -> None:
    def done(number: int, ended_s: float) -> Task:
        return replace(task(number, state=TaskState.DONE), ended_s=ended_s)

    failed = replace(task(4, state=TaskState.FAILED), ended_s=200.0)
    await store.commit(tasks=[done(1, 50.0), done(2, 3600.0), done(3, 3601.0), failed])
    assert await store.done_since(100.0) == {"T-000002": True, "T-000003": False}


async def test_an_answer_is_kept_for_a_week(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    clock = Clock.starting(START)
    store = await Store.open(url, clock, InlineExecutor())
    await store.remember(Answer(key="old", fingerprint="f"))
    await asyncio.sleep(4 * 24 * 3600)
    await store.remember(Answer(key="k", fingerprint="f"))
    await store.remember(Answer(key="k", fingerprint="f", status=200, body="{}"))
    await store.remember(Answer(key="wrong", fingerprint="f"))
    await store.forget(key="wrong")
    await asyncio.sleep(4 * 24 * 3600)
    await store.close()

    store = await Store.open(url, clock, InlineExecutor())
    assert await store.answer("k") == Answer(key="k", fingerprint="f", status=200, body="{}")
    assert await store.answer("old") is None
    assert await store.answer("wrong") is None
    await store.close()


async def test_a_database_belongs_to_one_dispatcher(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    store = await Store.open(url, Clock.starting(START), InlineExecutor())
    with pytest.raises(StoreFault, match="another dispatcher"):
        await Store.open(url, Clock.starting(START), InlineExecutor())
    await store.commit(tasks=[task(1)])
    reader = sqlite3.connect(tmp_path / "ward.sqlite")
    assert reader.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
    reader.close()
    await store.close()
    again = await Store.open(url, Clock.starting(START), InlineExecutor())
    assert len(await again.open_tasks()) == 1
    await again.close()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ward.sqlite", "write sqlite:///"),
        ("postgresql://host/ward", "not supported yet"),
        ("sqlite:////nowhere/at/all/ward.sqlite", "there is no folder /nowhere/at/all"),
    ],
)
async def test_a_wrong_url_is_refused_with_a_remedy(url: str, what: str) -> None:
    with pytest.raises(StoreFault, match=what):
        await Store.open(url, Clock.starting(START), InlineExecutor())


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleagues, " * 100)
    with pytest.raises(StoreFault, match="not a database"):
        await Store.open(f"sqlite:///{path}", Clock.starting(START), InlineExecutor())
    assert path.read_text() == "Dear colleagues, " * 100


async def test_a_newer_programs_database_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    await (await Store.open(url, Clock.starting(START), InlineExecutor())).close()
    newer = sqlite3.connect(tmp_path / "ward.sqlite")
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    with pytest.raises(StoreFault, match="newer Wardline"):
        await Store.open(url, Clock.starting(START), InlineExecutor())


async def test_a_database_of_before_there_were_legs_is_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    store = await Store.open(url, Clock.starting(START), InlineExecutor())
    await store.commit(tasks=[task(1)])
    await store.close()
    older = sqlite3.connect(tmp_path / "ward.sqlite")
    older.execute("DROP INDEX ix_events_kind")
    older.execute("ALTER TABLE tasks DROP COLUMN leg")
    older.execute("UPDATE alembic_version SET version_num = '0004'")
    older.commit()
    older.close()
    store = await Store.open(url, Clock.starting(START), InlineExecutor())
    assert await store.task(TaskId("T-000001")) == task(1)
    with_leg = replace(task(2), leg=Leg(number=1, other=TaskId("T-000003"), via=PlaceId("pad")))
    await store.commit(tasks=[with_leg])
    assert await store.open_tasks() == [task(1), with_leg]
    await store.close()


def test_the_migrations_make_the_tables_that_the_rows_describe() -> None:
    database = Database("sqlite://")
    context = MigrationContext.configure(database.connection)
    others = {flight_log.FLIGHTS, incident_store.INCIDENTS}
    assert others <= set(SQLModel.metadata.tables.values())
    assert compare_metadata(context, SQLModel.metadata) == []
    database.close()


def test_a_database_in_memory_has_all_tables_of_one_on_file_and_nobody_elses_rows(
    tmp_path: Path,
) -> None:
    asked = "SELECT name, sql FROM sqlite_master ORDER BY name"
    opened = [Database("sqlite://"), Database("sqlite://"), Database(f"sqlite:///{tmp_path / 'w'}")]
    tables = [one.connection.exec_driver_sql(asked).all() for one in opened]
    assert tables[0] == tables[1] == tables[2]
    versions = "SELECT count(*) FROM alembic_version"
    opened[0].connection.exec_driver_sql("DELETE FROM alembic_version")
    opened.append(Database("sqlite://"))
    assert [one.connection.exec_driver_sql(versions).scalar() for one in opened] == [0, 1, 1, 1]
    for one in opened:
        one.close()


def test_the_newest_of_a_kind_are_found_without_a_look_through_all_events() -> None:
    database = Database("sqlite://")
    query = "SELECT * FROM events WHERE kind = 'observed' ORDER BY seq DESC LIMIT 5"
    plan = database.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    assert "ix_events_kind" in str(plan)
    assert "TEMP B-TREE" not in str(plan), "they are in order already"
    database.close()


def test_a_burst_shares_transactions_and_a_bad_one_spoils_only_itself(tmp_path: Path) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(max_workers=1) as executor:
            url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
            store = await Store.open(url, Clock.starting(START), executor)
            first = replace(task(1), key="k")
            await store.commit(tasks=[first])
            burst = [replace(task(n), key="k" if n == 50 else f"k{n}") for n in range(2, 101)]
            answers = await asyncio.gather(
                *(store.commit(tasks=[t]) for t in burst), return_exceptions=True
            )
            faults = {t.id: a for t, a in zip(burst, answers, strict=True) if a is not None}
            assert list(faults) == ["T-000050"]
            assert isinstance(faults[TaskId("T-000050")], KeyTaken)
            assert (await store.page(TaskQuery(limit=1))).total == 99
            await store.close()

    asyncio.run(main())  # a thread writes: on the wall's clock


async def test_what_is_written_together_keeps_its_order(store: Store) -> None:
    one, other = task(1), task(2)
    changed = replace(one, note="on the left")
    for tasks in ([one, other], [changed], [replace(other, note="below"), replace(other, note="")]):
        last = store.put(tasks=tasks, soon=False)
    await last
    assert await store.task(one.id) == changed
    assert await store.task(other.id) == other


def test_a_caller_who_leaves_does_not_undo_the_others_writes(tmp_path: Path) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(max_workers=1) as executor:
            url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
            store = await Store.open(url, Clock.starting(START), executor)
            commits = [asyncio.create_task(store.commit(tasks=[task(n)])) for n in range(1, 6)]
            await asyncio.sleep(0)
            commits[2].cancel()
            await asyncio.wait(commits)
            assert [c.cancelled() for c in commits] == [False, False, True, False, False]
            await store.close()
            store = await Store.open(url, Clock.starting(START), executor)
            assert len(await store.open_tasks()) == 5
            await store.close()

    asyncio.run(main())  # a thread writes: on the wall's clock


async def keep_writing(url: str) -> None:
    """Commit task after task and say so on stdout; runs until it is killed."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        store = await Store.open(url, Clock.starting(), executor)
        numbers = await store.next_numbers()
        number = numbers.task
        while True:
            batch = range(number, number + 5)
            await asyncio.gather(*(store.commit(tasks=[task(n)]) for n in batch))
            for n in batch:
                print(n, flush=True)  # noqa: T201 - the test reads it
            number += 5


@pytest.mark.long
def test_what_was_said_to_be_written_survives_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ward.sqlite'}"
    said: list[int] = []
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, __file__, url], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        said += [int(writer.stdout.readline()) for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait()
        writer.stdout.close()
    assert len(set(said)) == len(said) >= 120

    reader = sqlite3.connect(tmp_path / "ward.sqlite")
    found = {number for (number,) in reader.execute("SELECT number FROM tasks")}
    reader.close()
    assert set(said) <= found


if __name__ == "__main__":
    asyncio.run(keep_writing(sys.argv[1]))
