"""A replay through its doors: the API and the live link that the console uses."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from dispatcher.replay.app import replay_app
from dispatcher.replay.folder import read_run
from dispatcher.replay.playback import STEP_S, Playback
from tests.dispatcher.browser import Browser
from tests.dispatcher.replay.recorded import an_hour

BEGIN = "2026-03-01T06:00:00Z"
DONE = "2026-03-01T06:30:00Z"


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_hour(tmp_path_factory.mktemp("hour") / "run")


class Door:
    """A replay that is served: its API, and its live link for those who look."""

    def __init__(self, hour: Path) -> None:
        run = read_run(hour)
        self.playback = Playback(run, speed=60)
        self.app = replay_app(run, self.playback)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://ward/api/v1")

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def steer(self, **wanted: Any) -> Any:
        answer = await self.client.post("/replay", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @asynccontextmanager
    async def playing(self, *browsers: Browser) -> AsyncGenerator[None]:
        """It lives, and some look at it, until the end of the block."""
        async with asyncio.TaskGroup() as group:
            works = [group.create_task(w.run()) for w in (self.playback, self.app.state.live)]
            for browser in browsers:
                group.create_task(self.app.state.live.attend(browser.socket))
            await asyncio.sleep(0.01)
            yield
            for browser in browsers:
                browser.leave()
            for work in works:
                work.cancel()


@pytest_asyncio.fixture
async def door(hour: Path) -> AsyncIterator[Door]:
    door = Door(hour)
    async with door.client:
        yield door


async def test_it_says_what_it_is_and_where_to_look(door: Door) -> None:
    said = await door.get("/replay")
    assert (said["name"], said["cut"], said["playing"]) == ("ward, seed 7", False, False)
    assert (said["begin"], said["now"]) == (BEGIN, BEGIN)
    assert said["end"] == "2026-03-01T07:00:00Z"
    marks = [(mark["kind"], mark["at"][11:16]) for mark in said["marks"]]
    assert marks == [("alert", "06:20"), ("late", "06:20"), ("violation", "06:40")]
    alert, late, violation = said["marks"]
    assert (alert["alert"]["vehicle"], late["task"]["id"]) == ("cart-2", "T-000001")
    assert violation["what"] == "cart-1 meets cart-2: node c1"


async def test_every_view_shows_the_moment_that_is_shown(door: Door) -> None:
    assert (await door.get("/tasks"))["total"] == 0
    assert (await door.get("/health"))["now"].startswith("2026-03-01T06:00:00.000")
    await door.steer(at="2026-03-01T06:20:05Z")
    (task,) = (await door.get("/tasks"))["tasks"]
    assert (task["state"], task["late"], task["note"]) == ("underway", True, "ring")
    detail = await door.get("/tasks/T-000001")
    assert [event["event"] for event in detail["timeline"]] == [
        "task_accepted",
        "task_assigned",
        "task_underway",
    ]
    cart, other = (await door.get("/vehicles"))["vehicles"]
    assert (cart["activity"], cart["x_m"], cart["age_s"]) == ("working", 5.0, 0.0)
    assert (other["activity"], other["online"], other["age_s"]) == ("offline", False, 35.0)
    assert await door.get("/vehicles/cart-1") == cart
    assert [alert["code"] for alert in (await door.get("/alerts"))["alerts"]] == ["vehicle_offline"]
    assert (await door.get("/site"))["id"] == "ward"
    assert set(await door.get("/schemas")) == {"delivery", "medicine", "patrol", "disinfection"}
    await door.steer(at=BEGIN)
    assert (await door.client.get("/tasks/T-000001")).status_code == 404
    assert (await door.client.get("/vehicles/cart-9")).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?state=done", 1),
        ("?state=queued,failed", 0),
        ("?kind=disinfection", 1),
        ("?kind=patrol", 0),
        ("?place=icu", 1),
        ("?place=ward-1", 0),
        ("?vehicle=cart-1", 0),
        ("?q=RING", 1),
        ("?q=blankets", 0),
        ("?cursor=1", 0),
        ("?cursor=2", 1),
    ],
)
async def test_tasks_are_looked_for_like_in_the_present(door: Door, query: str, found: int) -> None:
    await door.steer(at=DONE)
    assert len((await door.get(f"/tasks{query}"))["tasks"]) == found


@pytest.mark.parametrize(
    "path",
    [
        "/tasks",
        "/tasks/batch",
        "/tasks/T-000001/cancel",
        "/tasks/T-000001/priority",
        "/vehicles/cart-1/service",
        "/vehicles/cart-1/pause",
        "/alerts/A-00001/acknowledge",
        "/lanes/c1~c2/closure",
    ],
)
async def test_whoever_wants_to_change_something_hears_that_this_is_a_replay(
    door: Door, path: str
) -> None:
    await door.steer(at=DONE)
    before = await door.get("/tasks"), await door.get("/alerts"), await door.get("/vehicles")
    answer = await door.client.post(path, json={"in_service": False, "by": "Dr Lin"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "replay"
    assert "this is a replay of a run that is over" in answer.json()["error"]["message"]
    assert before == (
        await door.get("/tasks"),
        await door.get("/alerts"),
        await door.get("/vehicles"),
    )


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"speed": 0}, "speed"),
        ({"speed": 1e9}, "speed"),
        ({"speed": "60"}, "speed"),
        ({"playing": 1}, "playing"),
        ({"at": "2026-03-01T06:20:05"}, "at"),
        ({"at": "noon"}, "at"),
        ({"to": BEGIN}, "to"),
    ],
)
async def test_what_can_not_be_steered_is_refused_by_its_field(
    door: Door, wanted: dict[str, Any], field: str
) -> None:
    answer = await door.client.post("/replay", json=wanted)
    assert answer.status_code == 422
    (fault,) = answer.json()["error"]["fields"]
    assert fault["field"] == field
    assert fault["remedy"]


async def test_a_moment_outside_the_run_is_its_first_or_last_one(door: Door) -> None:
    assert (await door.steer(at="1999-01-01T00:00:00Z"))["now"] == BEGIN
    assert (await door.steer(at="2999-01-01T00:00:00Z"))["now"] == "2026-03-01T07:00:00Z"


async def test_it_plays_at_its_speed_pauses_and_stops_at_the_end(door: Door) -> None:
    async with door.playing():
        await door.steer(playing=True, speed=100)
        await asyncio.sleep(10.05)
        assert (await door.get("/replay"))["now"] == "2026-03-01T06:16:40Z"
        await door.steer(playing=False)
        await asyncio.sleep(10)
        assert (await door.get("/replay"))["now"] == "2026-03-01T06:16:40Z"
        await door.steer(playing=True, speed=3600)
        await asyncio.sleep(2)
        ended = await door.get("/replay")
        assert (ended["now"], ended["playing"]) == ("2026-03-01T07:00:00Z", False)
        again = await door.steer(playing=True)
        assert (again["now"], again["playing"]) == (BEGIN, True)


async def test_screens_are_told_what_the_present_would_have_told_them(door: Door) -> None:
    browser = Browser()
    async with door.playing(browser):
        await door.steer(playing=True, speed=600)
        await asyncio.sleep(4)
    assert [message["seq"] for message in browser.heard] == list(range(1, len(browser.heard) + 1))
    first = browser.of("snapshot")[0]
    assert (first["replay"]["playing"], first["speed"]) == (False, 0.0)
    assert first["replay"]["name"] == "ward, seed 7"
    second = browser.of("snapshot")[1]
    assert (second["replay"]["playing"], second["speed"]) == (True, 600)
    told = [
        (key, event[key]["id"])
        for event in browser.of("event")
        for key in ("task", "vehicle", "alert")
        if key in event
    ]
    assert told == [
        ("task", "T-000001"),
        ("task", "T-000001"),
        ("vehicle", "cart-1"),
        ("vehicle", "cart-2"),
        ("alert", "A-00001"),
        ("task", "T-000001"),
        ("vehicle", "cart-1"),
    ]
    last = [event for event in browser.of("event") if "task" in event][-1]
    assert last["task"]["state"] == "done"
    assert last["counts"] == {"open": 0, "done_today": 1, "on_time_ratio": 0.0}
    assert len(browser.of("pos")) == int(4 / STEP_S)


async def test_a_jump_shows_all_anew_and_says_that_nothing_between_was_shown(door: Door) -> None:
    browser = Browser()
    async with door.playing(browser):
        await door.steer(at=DONE)
        await asyncio.sleep(0.01)
        await door.steer(at=BEGIN)
        await asyncio.sleep(0.01)
    there, back = browser.of("snapshot")[-2:]
    assert [task["state"] for task in there["tasks"]] == ["done"]
    assert there["counts"] == {"open": 0, "done_today": 1, "on_time_ratio": 0.0}
    assert (back["tasks"], back["alerts"]) == ([], [])
    assert back["counts"] == {"open": 0, "done_today": 0, "on_time_ratio": None}
    assert back["replay"]["jumps"] == there["replay"]["jumps"] + 1
    assert browser.of("event") == []


async def test_a_thousand_jumps_at_once_do_not_choke_a_screen(door: Door) -> None:
    browser = Browser()
    async with door.playing(browser):
        for second in range(1500):
            door.playback.steer(at=door.playback.play.begin, speed=1.0 + second)
        await asyncio.sleep(1)
    assert browser.closed in (None, 1013)  # it goes on, or is told to begin anew
