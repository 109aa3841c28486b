"""One sloppy robot in a fleet of three: its task is done, or a person is told; the others go on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dispatcher.domain.task import Task, TaskState
from dispatcher.records.alerts import Alert
from fleet.vehicle import VehicleId
from tests.sim.hospital import Hospital, hospital
from tests.sim.vda5050 import sloppy
from tests.sim.vda5050.sloppy import Fault, SloppyWires

SITE = """
# Two corridors with three ways across; nobody need wait for anybody for long
site: rings
name: {en: Rings, zh: 环廊}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0.0
    nodes:
      r1: [0, 0]
      r2: [10, 0]
      r3: [20, 0]
      r4: [30, 0]
      r5: [30, 10]
      r6: [20, 10]
      r7: [10, 10]
      r8: [0, 10]
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [0, -5], joins: [r1]}
      ward: {name: {en: Ward, zh: 病房}, kind: ward, at: [30, -5], joins: [r4]}
      surgery: {name: {en: Surgery, zh: 手术室}, kind: ward, at: [30, 15], joins: [r5]}
      laboratory: {name: {en: Laboratory, zh: 检验科}, kind: laboratory, at: [0, 15], joins: [r8]}
      park-1: {name: {en: Bay 1, zh: 车位1}, at: [10, -5], joins: [r2], roles: [parking]}
      park-2: {name: {en: Bay 2, zh: 车位2}, at: [20, 15], joins: [r6], roles: [parking]}
      park-3: {name: {en: Bay 3, zh: 车位3}, at: [10, 15], joins: [r7], roles: [parking]}
    lanes:
      - [r1, r2, r3, r4, r5, r6, r7, r8, r1]
      - [r2, r7]
      - [r3, r6]
"""
MODEL = """
    make: Porter
    kind: cart
    speed_m_s: 1.2
    width_m: 0.7
    length_m: 1.0
    payload_kg: 60
    payload_l: 200
    skills: [carry]
    energy: {capacity_wh: 400, idle_w: 15, move_w: 120, work_w: 60, charge_w: 800}
    link: {vda5050: {version: "2.1", manufacturer: Porter, ack_timeout_s: 2, resends: 3}}
"""
STORY = f"""# three carts
scenario: rings
site: site.yaml
duration: 24h
models:
  porter:
    load_types: [food]{MODEL}
  runner:
    load_types: [specimen]{MODEL}
vehicles:
  - {{model: porter, ids: [C1, C2], homes: [park-1, park-2]}}
  - {{model: runner, ids: [C3], homes: [park-3]}}
"""
C1 = VehicleId("C1")
LONG_S = 2400.0


@pytest.fixture
def story(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    path = tmp_path / "story.yaml"
    path.write_text(STORY, encoding="utf-8")
    return path


@dataclass
class Day:
    """What was asked, and how it ended."""

    meals: list[Task] = field(default_factory=list[Task])
    specimens: list[Task] = field(default_factory=list[Task])
    alerts: list[Alert] = field(default_factory=list[Alert])
    rules: dict[str, int] = field(default_factory=dict[str, int])
    seconds: list[float] = field(default_factory=list[float])
    """How long each specimen took."""

    @property
    def named(self) -> set[str]:
        """Codes of the alerts about the sloppy robot, or a task of its."""
        mine = {task.id for task in self.meals}
        return {a.code for a in self.alerts if a.vehicle == C1 or a.task in mine}


@asynccontextmanager
async def fleet(story: Path, fault: Fault, *forgiven: str) -> AsyncGenerator[Hospital]:
    async with hospital(story, wires=SloppyWires("C1", fault), forgiven=forgiven) as place:
        yield place


async def live(place: Hospital, *, cancel: bool = False) -> Day:
    """Two meals, of which the sloppy robot gets one, and two specimens for a robot that is not."""
    meals = [await place.deliver("kitchen", "ward"), await place.deliver("ward", "kitchen")]
    specimens = [
        await place.deliver("laboratory", "surgery", goods="specimen"),
        await place.deliver("surgery", "laboratory", goods="specimen"),
    ]
    if cancel:
        await place.until(lambda: place.task(meals[0]).state is TaskState.UNDERWAY)
        await asyncio.sleep(4)
        await place.service.task_desk.cancel(meals[0])
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + LONG_S
    while loop.time() < ends_s:
        if all(place.task(t).state.ended for t in (*meals, *specimens)):
            break
        await asyncio.sleep(5)
    await asyncio.sleep(120)
    (view,) = [v for v in place.service.vehicles() if v.spec.id == C1]
    day = Day(
        meals=[place.task(t) for t in meals],
        specimens=[place.task(t) for t in specimens],
        alerts=place.service.alerts(),
        rules={breach.rule: breach.count for breach in view.state.breaches},
    )
    day.seconds = [(t.ended_s or ends_s) - t.created_s for t in day.specimens]
    return day


DAYS: dict[bool, Day] = {}


async def without_fault(story: Path, *, cancel: bool = False) -> Day:
    """The same day with three strict robots."""
    if cancel not in DAYS:
        async with fleet(story, Fault()) as place:
            DAYS[cancel] = await live(place, cancel=cancel)
    return DAYS[cancel]


GOES_ON: dict[type[Fault], set[str]] = {
    sloppy.NeverEmpties: {"non_conformant"},
    sloppy.Nulls: {"non_conformant"},
    sloppy.NotNumbers: {"non_conformant"},
    sloppy.OldStamps: {"non_conformant"},
    sloppy.OneHeaderId: {"non_conformant"},
    sloppy.OneHeader: {"non_conformant"},
    sloppy.Long: set(),
    sloppy.ShownOnce: {"non_conformant"},
    sloppy.WaitsAgain: {"non_conformant"},
    sloppy.RefusesRepeat: {"non_conformant"},
    sloppy.HidesActions: {"non_conformant"},
    sloppy.NeverCounts: {"non_conformant"},
    sloppy.Junk: {"non_conformant"},
}
"""It is worked around: the robot does its task, and what it does wrong is named."""
ELSEWHERE: dict[type[Fault], set[str]] = {
    sloppy.ForeignOrder: {"non_conformant", "set_aside"},
    sloppy.DropsThird: {"non_conformant", "set_aside"},
    sloppy.Huge: {"non_conformant", "vehicle_offline"},
    sloppy.OrderIdIsNumber: {"non_conformant", "vehicle_offline"},
    sloppy.NoConnection: {"vehicle_offline"},
    sloppy.RefusesAll: {"set_aside"},
    sloppy.Deaf: {"non_conformant", "set_aside"},
    sloppy.WrongName: {"non_conformant", "vehicle_offline"},
    sloppy.OldVersion: {"non_conformant", "vehicle_offline"},
    sloppy.StrangeMap: {"non_conformant", "vehicle_fault"},
}
"""Another does its task, and a person is told why."""


def undisturbed(day: Day, polite: Day) -> None:
    """The robot that meets the sloppy one on the way, but depends on it for nothing."""
    assert {task.state for task in day.specimens} == {TaskState.DONE}
    for took_s, polite_s in zip(day.seconds, polite.seconds, strict=True):
        assert took_s <= 1.1 * polite_s + 15


@pytest.mark.parametrize("fault", [*GOES_ON, *ELSEWHERE], ids=lambda fault: fault.__name__)
async def test_with_each_fault_all_is_done_and_it_is_named(story: Path, fault: type[Fault]) -> None:
    polite = await without_fault(story)
    assert polite.rules == {}
    assert polite.named == set()
    async with fleet(story, fault()) as place:
        day = await live(place)
    undisturbed(day, polite)
    assert {task.state for task in day.meals} == {TaskState.DONE}
    assert ("C1" in {task.vehicle for task in day.meals}) == (fault in GOES_ON)
    assert day.named == {**GOES_ON, **ELSEWHERE}[fault]
    assert fault.rule is None or fault.rule in day.rules


async def test_a_last_will_that_comes_late_does_not_end_a_robot(story: Path) -> None:
    polite = await without_fault(story)
    async with fleet(story, sloppy.LateWill()) as place:
        day = await live(place)
    undisturbed(day, polite)
    assert {task.vehicle for task in day.meals} == {"C1", "C2"}
    assert "says_offline" in day.rules
    assert "vehicle_offline" not in {a.code for a in day.alerts if a.cleared_s is None}


async def test_a_robot_that_ignores_a_cancel_ends_it_late_and_gets_no_more_work(
    story: Path,
) -> None:
    polite = await without_fault(story, cancel=True)
    async with fleet(story, sloppy.IgnoresCancel()) as place:
        day = await live(place, cancel=True)
    undisturbed(day, polite)
    assert [task.state for task in day.meals] == [TaskState.CANCELLED, TaskState.DONE]
    assert day.named >= {"non_conformant", "set_aside"}
    assert "ignores_cancel" in day.rules


async def test_a_cancel_that_never_ends_is_a_person_s(story: Path) -> None:
    polite = await without_fault(story, cancel=True)
    async with fleet(story, sloppy.CancelsForEver(), "deadlock") as place:
        day = await live(place, cancel=True)
    undisturbed(day, polite)
    assert day.meals[0].state is TaskState.CANCELLING
    (fault,) = [a for a in day.alerts if a.code == "vehicle_fault"]
    assert fault.facts["why"] == "keeps_order"
    assert "way_blocked" in day.named


async def test_who_drives_into_the_horizon_is_shown_none_any_more(story: Path) -> None:
    """The first time can't be helped: nothing but its state tells that it has gone on."""
    polite = await without_fault(story)
    async with fleet(story, sloppy.IntoHorizon(), "collision") as place:
        day = await live(place)
        undisturbed(day, polite)
        assert {task.state for task in day.meals} == {TaskState.DONE}
        assert day.named == {"non_conformant", "set_aside"}
        assert "beyond_base" in day.rules
        met = place.world.violations["collision"]
        await place.service.fleet_desk.set_in_service(C1, on=True)
        again = await live(place)
        undisturbed(again, polite)
        assert {task.vehicle for task in again.meals} == {"C1", "C2"}
        assert again.rules["beyond_base"] == day.rules["beyond_base"]
        assert place.world.violations["collision"] == met


async def test_two_robots_of_one_name_are_told_nothing(story: Path) -> None:
    polite = await without_fault(story)
    async with fleet(story, sloppy.Twin(), "deadlock") as place:
        day = await live(place)
        (view,) = [v for v in place.service.vehicles() if v.spec.id == C1]
    undisturbed(day, polite)
    assert "two_robots" in [error.code for error in view.state.errors]
    assert day.named >= {"non_conformant", "set_aside", "safety_stop", "vehicle_fault"}
    assert all(task.state is TaskState.DONE or "way_blocked" in day.named for task in day.meals)


def error(level: str) -> dict[str, object]:
    return {"errors": [{"errorType": "motor", "errorLevel": level}]}


@pytest.mark.parametrize(
    ("says", "alert"),
    [
        (error("WARNING"), None),
        (error("FATAL"), "vehicle_fault"),
        ({"operatingMode": "SEMIAUTOMATIC"}, None),
        ({"operatingMode": "SERVICE"}, "vehicle_manual"),
        ({"safetyState": {"eStop": "REMOTE", "fieldViolation": False}}, "safety_stop"),
    ],
    ids=str,
)
async def test_each_level_and_mode_has_its_consequence(
    story: Path, says: dict[str, object], alert: str | None
) -> None:
    polite = await without_fault(story)
    async with fleet(story, sloppy.Says(**says)) as place:
        day = await live(place)
    undisturbed(day, polite)
    assert {task.state for task in day.meals} == {TaskState.DONE}
    assert ("C1" in {task.vehicle for task in day.meals}) == (alert is None)
    assert day.named == ({alert} if alert else set())
