"""Lanes and lifts that are kept for some goods at some hours: who may pass and who waits."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from dispatcher.errors import Refused
from fleet.vehicle import VehicleId
from tests.sim.hospital import MODELS, Hospital, hospital
from tests.sim.stories.two_lifts import SITE

C1 = VehicleId("C1")


def story(
    folder: Path,
    start: str,
    *,
    left: str = "",
    right: str = "",
    homes: str = "bay-1, bay-2",
    changes: Mapping[str, str] | None = None,
) -> Path:
    text = SITE
    for lobby, windows in (("b-left", left), ("b-right", right)):
        row = f"L2: [{lobby}]}}\n"
        text = text.replace(row, f"{row}    windows: [{windows}]\n")
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    path = folder / "story.yaml"
    models = MODELS.replace("infectious_waste]", "waste]")
    ids = ", ".join(f"C{number + 1}" for number in range(homes.count(",") + 1))
    path.write_text(
        f"scenario: story\nsite: site.yaml\nstart: 2026-02-03T{start}+08:00\nduration: 24h\n"
        f"{models}\nvehicles:\n  - {{model: cart, ids: [{ids}], homes: [{homes}]}}\n",
        encoding="utf-8",
    )
    return path


def rides(place: Hospital, lift: str) -> int:
    return next(m.rides for id_, m in place.simulation.stage.lifts.items() if id_ == lift)


WASTE = '{only: [waste], from: "19:00", to: "21:00"}'
CLEAN = '{only: [food, medicine], from: "21:00", to: "19:00"}'


NOON = '{only: [], from: "12:00", to: "12:30"}'
ALL_DAY = '{only: [food], from: "00:00", to: "24:00"}'


async def test_in_the_window_of_waste_meals_take_the_other_lift(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, "19:30:00", left=WASTE)) as place:
        await place.until_ended(await place.deliver("kitchen", "ward"))
        assert (rides(place, "left"), rides(place, "right")) == (0, 1)


async def test_at_other_hours_they_take_the_nearer_one(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, "17:30:00", left=WASTE)) as place:
        await place.until_ended(await place.deliver("kitchen", "ward"))
        assert (rides(place, "left"), rides(place, "right")) == (1, 0)


async def test_waste_waits_for_its_window_and_says_until_when(tmp_path: Path) -> None:
    path = story(tmp_path, "18:30:00", left=f"{WASTE}, {CLEAN}", right=ALL_DAY)
    async with hospital(path) as place:
        task = await place.deliver("ward", "yard", goods="waste")
        await asyncio.sleep(600)
        waiting = place.task(task)
        assert waiting.reason is not None
        assert waiting.reason.code == "waits_for_window"
        assert waiting.reason.facts["opens_at"] == "2026-02-03T11:00:00+00:00"
        assert waiting.reason.facts["way"] in ("left", "right")
        assert waiting.vehicle is None
        await place.until_ended(task, at_most_s=2400)
        assert place.task(task).state is TaskState.DONE


async def test_nothing_is_begun_that_would_come_too_late(tmp_path: Path) -> None:
    path = story(tmp_path, "20:56:00", left=f"{WASTE}, {CLEAN}", right=ALL_DAY)
    async with hospital(path) as place:
        task = await place.deliver("ward", "yard", goods="waste")
        await asyncio.sleep(3600)
        waiting = place.task(task)
        assert waiting.reason is not None
        assert waiting.reason.code == "waits_for_window"
        assert waiting.reason.facts["opens_at"] == "2026-02-04T11:00:00+00:00"
        assert place.world.ground[C1].loads == []


@pytest.mark.parametrize("second", range(0, 200, 20))
async def test_whenever_the_hour_turns_nobody_is_in_a_shut_lane(
    tmp_path: Path, second: int
) -> None:
    """The judge of windows watches; a meal that is on its way goes round, or waits at home."""
    path = story(tmp_path, "11:54:00", left=NOON, right=NOON, homes="bay-1")
    async with hospital(path) as place:
        await asyncio.sleep(second)
        task = await place.deliver("kitchen", "ward")
        await place.until_ended(task, at_most_s=3600)
        assert place.task(task).state is TaskState.DONE


async def test_who_is_late_waits_with_its_goods_and_says_for_what(tmp_path: Path) -> None:
    path = story(tmp_path, "11:50:00", left=NOON, right=NOON, homes="bay-1")
    async with hospital(path) as place:
        task = await place.deliver("kitchen", "ward")
        body = place.world.ground[C1]
        await place.until(lambda: body.node == "kitchen")
        body.fail("stopped")
        await asyncio.sleep(900)
        body.repair()
        await place.until(lambda: place.code_of("C1") == "waits_for_window", at_most_s=300)
        await place.until_ended(task, at_most_s=3600)
        assert place.task(task).state is TaskState.DONE


LONG = {
    "[[a, a-left], [a, a-right]]": "[[a, m1, m2, m3, m4, a-left], [m4, a-right]]",
    "a-right: [0, 20]}": "a-right: [0, 20], m1: [2, 0], m2: [4, 0], m3: [6, 0], m4: [8, 0]}",
}
"""A corridor before the lifts, longer than what a robot is told at a time."""


@pytest.mark.parametrize("other", [ALL_DAY, NOON], ids=["led round", "turns back"])
async def test_who_is_on_the_way_when_the_hour_turns_is_led_round_or_turns_back(
    tmp_path: Path, other: str
) -> None:
    path = story(tmp_path, "11:50:00", left=NOON, right=other, homes="bay-1", changes=LONG)
    async with hospital(path) as place:
        task = await place.deliver("kitchen", "ward")
        body = place.world.ground[C1]
        await place.until(lambda: bool(body.loads) and body.node == "a")
        body.fail("stopped")
        await asyncio.sleep(900)
        body.repair()
        if other == NOON:
            await place.until(lambda: place.code_of("C1") == "waits_for_window", at_most_s=300)
            await place.until(lambda: body.node == "bay-1", at_most_s=300)
        await place.until_ended(task, at_most_s=3600)
        assert rides(place, "right") == (other == ALL_DAY)


async def test_of_many_tasks_those_that_would_come_too_late_wait(tmp_path: Path) -> None:
    path = story(tmp_path, "20:40:00", left=f"{WASTE}, {CLEAN}", right=ALL_DAY, homes="bay-1")
    async with hospital(path) as place:
        tasks = [await place.deliver("ward", "yard", goods="waste") for _ in range(8)]
        body = place.world.ground[C1]
        await asyncio.sleep(1500)
        assert body.loads == []
        ended = [place.task(task).state.ended for task in tasks]
        assert 2 <= sum(ended) <= 7
        reasons = [place.task(task).reason for task in tasks if not place.task(task).state.ended]
        assert {reason and reason.code for reason in reasons} == {"waits_for_window"}


async def test_who_was_held_up_does_not_begin_the_next_one_too_late(tmp_path: Path) -> None:
    path = story(tmp_path, "20:40:00", left=f"{WASTE}, {CLEAN}", right=ALL_DAY, homes="bay-1")
    async with hospital(path) as place:
        tasks = [await place.deliver("ward", "yard", goods="waste") for _ in range(2)]
        body = place.world.ground[C1]
        await place.until(lambda: bool(body.loads) and body.node == "a-left")
        assert [place.task(task).vehicle for task in tasks] == [C1, C1]
        body.slow = 0.001
        await asyncio.sleep(780)
        body.slow = 1.0
        await place.until(lambda: body.loads == [], at_most_s=300)
        await asyncio.sleep(900)
        assert body.loads == []
        assert len(place.deeds.loaded) == 1


async def test_what_no_window_ever_lets_pass_is_refused(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, "12:00:00", left=ALL_DAY, right=ALL_DAY)) as place:
        with pytest.raises(Refused) as refused:
            await place.deliver("kitchen", "ward", goods="general")
        assert refused.value.faults[0].reason.code == "unreachable"
        await place.until_ended(await place.deliver("kitchen", "ward", goods="food"))


UPSTAIRS = {
    "      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-5, -5], joins: [a], "
    "roles: [parking, charger]}\n": "",
    "at: [-5, 5], joins: [b]}\n": "at: [-5, 5], joins: [b]}\n"
    "      lab: {name: {en: Laboratory, zh: 检验科}, kind: lab, at: [5, 5], joins: [b]}\n"
    "      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-90, 0], joins: [b], "
    "roles: [parking, charger]}\n",
}
"""C2 lives upstairs, but further from the ward than C1, who has to take a lift."""


async def test_who_is_nearer_but_shut_out_leaves_it_to_who_is_not(tmp_path: Path) -> None:
    path = story(tmp_path, "12:05:00", left=NOON, right=NOON, changes=UPSTAIRS)
    async with hospital(path) as place:
        task = await place.deliver("ward", "lab", priority="stat")
        await place.until_ended(task, at_most_s=600)
        assert place.task(task).vehicle == "C2"
