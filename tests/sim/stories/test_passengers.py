"""People in the lifts: robots leave them their share, and learn which lift is the quicker one."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.errors import ConfigFault
from routing.sites.site_yaml import dump, examine_text, loads
from sim.scenario.config import load_scenario
from sim.world.machines import LiftMachine
from tests.sim.hospital import MODELS, Hospital, hospital
from tests.sim.stories.two_lifts import SITE, lift_of

FIRST = '{share: 0.2, hours: ["07:00-09:00"]}'
CARTS, BAYS = ["C1", "C2"], ["bay-1", "bay-2"]
OWN = '{share: 1, hours: ["07:00-09:00"]}'
BUSY = "passengers:\n  - {lifts: left, per_hour: 120}\n"


def one_lift(folder: Path, start: str, *, first: str = "", more: str = "") -> Path:
    """Two carts, and tasks enough to keep the left lift busy; the right one is far away."""
    text = SITE.replace("a-right: [0, 20]", "a-right: [0, 2000]")
    text = text.replace("b-right: [0, 20]", "b-right: [0, 2000]").replace("[4, 20]", "[4, 2000]")
    if first:
        text = text.replace("L2: [b-left]}", f"L2: [b-left]}}\n    passengers: {first}")
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return scenario(folder, start, more)


def scenario(folder: Path, start: str, more: str = "", *, carts: int = 2) -> Path:
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: site.yaml\nstart: 2026-02-03T{start}+08:00\nduration: 24h\n"
        f"{MODELS}\nvehicles:\n"
        f"  - {{model: cart, ids: {CARTS[:carts]}, homes: {BAYS[:carts]}}}\n{more}",
        encoding="utf-8",
    )
    return path


async def held_ratio(lift: LiftMachine, lasts_s: int) -> float:
    """The share of the time in which a robot has the lift."""
    held = 0
    for _ in range(lasts_s):
        await asyncio.sleep(1)
        held += lift.session is not None
    return held / lasts_s


async def busy(place: Hospital) -> None:
    for _ in range(24):
        await place.deliver("kitchen", "ward", goods="general")


@pytest.mark.long
async def test_in_their_hours_people_have_the_lift_for_their_share_and_wait_less(
    tmp_path: Path,
) -> None:
    waited: list[float] = []
    for hour in ("07:00:00", "10:00:00"):
        async with hospital(one_lift(tmp_path, hour, first=FIRST, more=BUSY)) as place:
            lift, seen = lift_of(place, "left"), set[str | None]()
            await busy(place)
            looking = asyncio.create_task(held_ratio(lift, 1500))
            while not looking.done():
                await asyncio.sleep(5)
                seen |= {place.code_of("C1"), place.code_of("C2")}
            ratio, first = await looking, hour == "07:00:00"
            assert 0.1 < ratio <= 0.2 if first else ratio > 0.3
            assert ("waits_for_passengers" in seen) is first
            waited.append(lift.people_waited_s / lift.people)
    assert waited[0] < 0.7 * waited[1]


async def test_people_come_by_the_hour_and_always_the_same(tmp_path: Path) -> None:
    by_hour = [0.0] * 24
    by_hour[8] = 120.0
    more = f"passengers:\n  - {{lifts: any, per_hour: {by_hour}}}\n"
    people: list[list[int]] = []
    for _ in range(2):
        async with hospital(one_lift(tmp_path, "07:00:00", more=more), seed=3) as place:
            lifts = [lift_of(place, name) for name in ("left", "right")]
            await asyncio.sleep(3600)
            assert [lift.people for lift in lifts] == [0, 0]
            await asyncio.sleep(3600)
            people.append([lift.people for lift in lifts])
            await asyncio.sleep(1800)
            late = [lift.people for lift in lifts]
            assert max(b - a for a, b in zip(people[-1], late, strict=True)) <= 1
    assert people[0] == people[1]
    assert people[0][0] != people[0][1], "each lift has a stream of its own"
    assert all(60 < number < 140 for number in people[0])


def test_a_lift_with_people_survives_being_written_and_read() -> None:
    text = SITE.replace("L2: [b-left]}", f"L2: [b-left]}}\n    passengers: {FIRST}")
    assert loads(dump(loads(text))) == loads(text)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("share: 0.2", "share: 0", "greater than 0"),
        ("07:00-09:00", "07:00-07:00", "in quotes, such as"),
        ('["07:00-09:00"]', "[]", "at least 1"),
        ('"07:00-09:00"', "0700", "in quotes, such as"),
    ],
)
def test_wrong_passengers_are_told(old: str, new: str, what: str) -> None:
    first = FIRST.replace(old, new)
    text = SITE.replace("L2: [b-left]}", f"L2: [b-left]}}\n    passengers: {first}")
    faults = examine_text(text, "test").faults
    assert len(faults) == 1, faults
    assert what in f"{faults[0].what} {faults[0].remedy}"


def test_a_lift_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match="no lift 'lft'"):
        load_scenario(one_lift(tmp_path, "07:00:00", more=BUSY.replace("left", "lft")))


@pytest.mark.parametrize("crowded", ["left", "right"])
async def test_ways_learn_which_lift_people_are_in(tmp_path: Path, crowded: str) -> None:
    """The left lift is 4 m nearer; where people keep it busy, the right one is quicker."""
    near = SITE.replace("right: [0, 20]", "right: [0, 12]").replace("[4, 20]", "[4, 12]")
    slow = near.replace("joins: {L1: [a-", "speed_m_s: 0.1\n    joins: {L1: [a-")
    text = slow.replace("L2: [b-left]}", f"L2: [b-left]}}\n    passengers: {OWN}")
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    more = f"passengers:\n  - {{lifts: {crowded}, per_hour: 600}}\n"
    async with hospital(scenario(tmp_path, "07:00:00", more, carts=1)) as place:
        left, right = lift_of(place, "left"), lift_of(place, "right")
        for _ in range(14):
            await place.until_ended(await place.deliver("kitchen", "ward", goods="general"))
        sessions = {"left": 0, "right": 0}
        for _ in range(4):
            task = await place.deliver("kitchen", "ward", goods="general")
            while not place.task(task).state.ended:
                await asyncio.sleep(1)
                sessions["left"] += left.session is not None
                sessions["right"] += right.session is not None
        other = {"left": "right", "right": "left"}[crowded]
        assert sessions[other] > 3 * sessions[crowded]
