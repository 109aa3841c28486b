import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
import websockets

from dispatcher.api.live import EVENTS_WAITING, Live
from dispatcher.commands.serve import serve_app
from dispatcher.desks.intake import parse
from dispatcher.domain.task import Task, TaskId, TaskState
from dispatcher.domain.views import Activity
from dispatcher.records.alerts import Severity
from fleet.vehicle import Position, VehicleId
from routing.geometry import Point
from routing.site import LevelId
from tests.dispatcher.browser import Browser
from tests.dispatcher.ward import Ward

CART = VehicleId("cart-1")


@pytest_asyncio.fixture
async def ward() -> AsyncIterator[Ward]:
    ward = await Ward.open(vehicles=2)
    yield ward
    await ward.store.close()


@asynccontextmanager
async def looking(ward: Ward, *browsers: Browser) -> AsyncGenerator[None]:
    """Some browsers look at the ward, until the end of the block."""
    live = Live(ward, timezone="Asia/Shanghai")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(live.run())
        for browser in browsers:
            group.create_task(live.attend(browser.socket))
        await asyncio.sleep(0.01)
        yield
        for browser in browsers:
            browser.leave()
        running.cancel()


async def queue(ward: Ward, **more: Any) -> Task:
    request = parse({"kind": "disinfection", "room": "icu", **more})
    assert not isinstance(request, list)
    return await ward.submit(request)


async def finish(ward: Ward, task: Task) -> None:
    for state in (TaskState.ASSIGNED, TaskState.UNDERWAY, TaskState.DONE):
        await ward.move(task.id, state)


async def test_a_screen_first_gets_all_there_is(ward: Ward) -> None:
    done, waiting = await queue(ward), await queue(ward)
    await finish(ward, done)
    ward.book.open("door_stuck", Severity.HIGH, door="d1")
    browser = Browser()
    async with looking(ward, browser):
        pass
    first = browser.heard[0]
    assert (first["type"], first["seq"]) == ("snapshot", 1)
    assert first["now"].startswith("2026-03-01T06:00:00.0")
    assert (first["simulation"], first["speed"]) == (True, None)
    assert first["site"] == {"id": "ward", "name": {"en": "Ward", "zh": "病区"}}
    assert [vehicle["id"] for vehicle in first["vehicles"]] == ["cart-1", "cart-2"]
    assert [(t["id"], t["state"]) for t in first["tasks"]] == [
        (done.id, "done"),
        (waiting.id, "queued"),
    ]
    assert [alert["code"] for alert in first["alerts"]] == ["door_stuck"]
    assert first["counts"] == {"open": 1, "done_today": 1, "on_time_ratio": 1.0}


async def test_positions_come_twice_a_second_without_a_gap(ward: Ward) -> None:
    browser = Browser()
    async with looking(ward, browser):
        await asyncio.sleep(3)
        moved = Position(level=LevelId("L1"), point=Point(3.14159, 4.0), height_agl_m=2.0)
        ward.fleet[CART] = replace(
            ward.fleet[CART], state=replace(ward.fleet[CART].state, position=moved)
        )
        await asyncio.sleep(0.5)
    assert [message["seq"] for message in browser.heard] == list(range(1, 9))
    assert len(browser.of("pos")) == 7
    assert browser.of("pos")[0]["v"][0] == ["cart-1", "L1", 1.23, 2.0, 1.571, 0.0, 0.5]
    assert browser.of("pos")[-1]["v"][0] == ["cart-1", "L1", 3.14, 4.0, 0.0, 2.0, 3.5]


async def test_positions_keep_the_walls_pace_when_the_clock_runs_faster(ward: Ward) -> None:
    ward.speed = 10.0
    browser = Browser()
    async with looking(ward, browser):
        await asyncio.sleep(30)
    assert browser.heard[0]["speed"] == 10.0
    assert len(browser.of("pos")) == 6


async def test_every_change_is_told_with_the_counts(ward: Ward) -> None:
    browser = Browser()
    async with looking(ward, browser):
        task = await queue(ward, due_at="2026-03-01T06:00:01Z")
        await asyncio.sleep(2)
        await finish(ward, task)
        ward.book.open("door_stuck", Severity.HIGH, door="d1")
        await asyncio.sleep(0.1)
    events = browser.of("event")
    states = [event["task"]["state"] for event in events if "task" in event]
    assert states == ["queued", "assigned", "underway", "done"]
    assert events[0]["counts"] == {"open": 1, "done_today": 0, "on_time_ratio": None}
    assert events[3]["counts"] == {"open": 0, "done_today": 1, "on_time_ratio": 0.0}
    assert events[4]["alert"]["code"] == "door_stuck"


async def test_a_vehicle_that_only_moves_makes_no_event(ward: Ward) -> None:
    browser = Browser()
    cart = ward.fleet[CART]
    async with looking(ward, browser):
        ward.show(replace(cart, activity=Activity.WORKING))
        for step in range(5):
            moved = Position(level=LevelId("L1"), point=Point(float(step), 0.0))
            state = replace(cart.state, position=moved, heard_at_s=1.0)
            ward.show(replace(cart, activity=Activity.WORKING, state=state))
        low = replace(cart.state, charge_ratio=0.5)
        ward.show(replace(cart, activity=Activity.WORKING, state=low))
        await asyncio.sleep(0.1)
    told = [event["vehicle"]["charge_ratio"] for event in browser.of("event")]
    assert told == [0.877, 0.5]


async def test_a_new_screen_is_told_again_what_older_ones_know(ward: Ward) -> None:
    cart = ward.fleet[CART]
    working, idle = (replace(cart, activity=a) for a in (Activity.WORKING, Activity.IDLE))
    live = Live(ward)
    browsers = Browser(), Browser()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(live.run())
        group.create_task(live.attend(browsers[0].socket))
        await asyncio.sleep(0.1)
        ward.show(working)
        await asyncio.sleep(0.1)
        browsers[0].leave()
        await asyncio.sleep(0.1)
        ward.show(idle)  # nobody looks
        await asyncio.sleep(0.1)
        group.create_task(live.attend(browsers[1].socket))
        await asyncio.sleep(0.1)
        ward.show(working)
        await asyncio.sleep(0.1)
        browsers[1].leave()
        running.cancel()
    (event,) = browsers[1].of("event")
    assert event["vehicle"]["activity"] == "working"


async def test_a_slow_screen_gets_the_latest_positions_and_every_event(ward: Ward) -> None:
    slow, quick = Browser(), Browser()
    async with looking(ward, slow, quick):
        slow.takes.clear()
        for _ in range(20):
            await queue(ward)
            await asyncio.sleep(1)
        slow.takes.set()
        await asyncio.sleep(0.1)
    assert len(quick.of("pos")) == 40
    assert len(slow.of("pos")) <= 3
    assert [e["task"]["id"] for e in slow.of("event")] == [
        e["task"]["id"] for e in quick.of("event")
    ]
    assert [message["seq"] for message in slow.heard] == list(range(1, len(slow.heard) + 1))
    assert slow.of("pos")[-1]["v"] == quick.of("pos")[-1]["v"]


async def test_a_screen_that_stands_still_is_disconnected(ward: Ward) -> None:
    dead, quick = Browser(), Browser()
    async with looking(ward, dead, quick):
        dead.takes.clear()
        for _ in range(EVENTS_WAITING + 5):
            ward.book.open("door_stuck", Severity.HIGH, door="d1")
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        assert dead.closed == 1013
        assert quick.closed is None
    assert len(quick.of("event")) == EVENTS_WAITING + 5


async def test_when_changes_were_missed_all_screens_begin_anew(ward: Ward) -> None:
    browser, later = Browser(), Browser()
    live = Live(ward)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(live.run())
        group.create_task(live.attend(browser.socket))
        await asyncio.sleep(0.1)
        for _ in range(3000):  # without a turn for anybody else
            ward.book.open("door_stuck", Severity.HIGH, door="d1")
        await asyncio.sleep(0.1)
        assert browser.closed == 1013
        group.create_task(live.attend(later.socket))
        await asyncio.sleep(0.1)
        ward.book.open("other", Severity.INFO)
        await asyncio.sleep(0.1)
        later.leave()
        running.cancel()
    assert later.heard[0]["alerts"][0]["count"] == 3000
    assert [event["alert"]["code"] for event in later.of("event")] == ["other"]


async def test_what_happens_while_the_snapshot_is_made_is_not_lost(ward: Ward) -> None:
    task = await queue(ward)
    browser = Browser()
    live = Live(ward)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(live.run())
        await asyncio.sleep(0.01)
        group.create_task(live.attend(browser.socket))
        await asyncio.sleep(0)  # between its first word and the snapshot's end
        await finish(ward, task)
        await asyncio.sleep(0.1)
        browser.leave()
        running.cancel()
    shown = {t["id"]: t["state"] for t in browser.heard[0]["tasks"]}
    for event in browser.of("event"):
        shown[event["task"]["id"]] = event["task"]["state"]
    assert shown == {task.id: "done"}


async def test_a_day_begins_at_the_sites_midnight(ward: Ward) -> None:
    await finish(ward, await queue(ward))
    browser = Browser()
    await asyncio.sleep(10 * 3600 - 60)  # 06:00 UTC is 14:00 in Shanghai
    async with looking(ward, browser):
        await finish(ward, await queue(ward))
        await asyncio.sleep(120)
        await finish(ward, await queue(ward))
        await asyncio.sleep(1)
    done = [e["counts"]["done_today"] for e in browser.of("event") if e["task"]["state"] == "done"]
    assert (browser.heard[0]["counts"]["done_today"], done) == (1, [2, 1])


async def test_the_snapshot_holds_the_open_tasks_and_the_latest_ended(ward: Ward) -> None:
    for _ in range(250):
        await ward.cancel((await queue(ward)).id)
    waiting = [await queue(ward) for _ in range(3)]
    browser = Browser()
    async with looking(ward, browser):
        pass
    shown = [task["id"] for task in browser.heard[0]["tasks"]]
    assert len(shown) == 200
    assert {task.id for task in waiting} <= set(shown)
    assert TaskId("T-000250") in shown
    assert TaskId("T-000001") not in shown


async def test_pages_of_other_sites_may_not_listen(ward: Ward) -> None:
    foreign, own = Browser(origin="http://elsewhere"), Browser(origin="http://ward")
    async with looking(ward, foreign, own):
        assert foreign.closed is not None
    assert (foreign.heard, len(own.heard)) == ([], 1)


def test_over_a_real_socket_it_is_the_same() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
        ward, ready = await Ward.open(), asyncio.Event()
        serving = asyncio.create_task(serve_app(ward, "127.0.0.1", port, ready=ready))
        await ready.wait()
        async with websockets.connect(f"ws://127.0.0.1:{port}/api/v1/live") as link:
            first = json.loads(await link.recv())
            assert (first["type"], first["seq"]) == ("snapshot", 1)
            await link.send("hello?")
            task = await queue(ward)
            message = json.loads(await link.recv())
            while message["type"] == "pos":
                message = json.loads(await link.recv())
            assert message["task"]["id"] == task.id
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(f"ws://127.0.0.1:{port}/api/v1/nothing")
            serving.cancel()
            await link.wait_closed()
            assert link.close_code == 1012
        await asyncio.wait([serving])
        await ward.store.close()

    asyncio.run(main())
