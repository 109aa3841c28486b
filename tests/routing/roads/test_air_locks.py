"""Air locks in a site file: what lies between their doors, and what can't be one."""

from dataclasses import replace

import pytest

from dispatcher.commands.site import summary
from routing.errors import Fault
from routing.roads.air_locks import between
from routing.roads.paths import drive_seconds
from routing.site import AirLockId, DoorId, Lane, LaneId, NodeId, Site
from routing.sites.drawing import draw
from routing.sites.site_yaml import dump, examine_text, loads
from tests.folders import SMALL_SITES

TEXT = (SMALL_SITES / "air_lock.yaml").read_text(encoding="utf-8")
LOCK = "lock-1: {name: {en: Air lock, zh: 气闸}, doors: [outer, inner]}"


@pytest.fixture
def site() -> Site:
    return loads(TEXT)


def faults_of(text: str) -> tuple[Fault, ...]:
    return examine_text(text, "test").faults


def test_what_lies_between_its_doors_is_inside(site: Site) -> None:
    lock = site.air_locks[AirLockId("lock-1")]
    assert lock.inside == ("lock",)
    assert site.lock_at[NodeId("lock")] is site.lock_of[DoorId("inner")] is lock


def test_a_way_round_outside_leaves_the_small_space_inside() -> None:
    site = loads(TEXT.replace("- [b1, b2]", "- [b1, b2]\n      - {path: [a1, b2], length_m: 60}"))
    assert site.air_locks[AirLockId("lock-1")].inside == ("lock",)


def test_a_lift_may_stand_in_an_air_lock() -> None:
    upstairs = """  L2:
    name: {en: Level 2, zh: 二层}
    elevation_m: 4
    nodes: {u: [12, -8]}
    places: {attic: {name: {en: Attic, zh: 阁楼}, at: [20, -8], joins: [u]}}
lifts:
  up: {name: {en: Up, zh: 上}, cabins: {L1: [12, -4], L2: [12, -4]}, joins: {L1: [lock], L2: [u]}}
air_locks:"""
    site = loads(TEXT.replace("air_locks:", upstairs))
    assert site.air_locks[AirLockId("lock-1")].inside == ("lock",)


def test_it_survives_being_written_and_read(site: Site) -> None:
    assert loads(dump(site)) == site
    unnamed = loads(TEXT.replace(LOCK, "lock-1: {doors: [outer, inner]}"))
    assert loads(dump(unnamed)) == unnamed


def test_whoever_leaves_waits_until_the_door_behind_is_shut(site: Site) -> None:
    into, out = site.edge(NodeId("a2"), NodeId("lock")), site.edge(NodeId("lock"), NodeId("b1"))
    assert drive_seconds(site, into, 1.0) == 3 + 4
    assert drive_seconds(site, out, 1.0) == 3 + 4 + 4


def test_check_tells_and_draws_it(site: Site) -> None:
    assert ("air locks", "1: lock-1 (outer, inner)") in summary(site)
    assert "<title>Air lock 气闸</title>" in draw(site)


CASES = {
    "unknown door": ("doors: [outer, inner]", "doors: [outer, iner]", "no door 'iner'", "'inner'"),
    "one door": ("doors: [outer, inner]", "doors: [outer]", "has 1 door(s)", "two doors"),
    "a door twice": ("doors: [outer, inner]", "doors: [outer, outer]", "twice in", "remove it"),
    "two locks": (LOCK, f"{LOCK}\n  lock-2: {{doors: [inner, third]}}", "'lock-1' and in", "one"),
    "no doors": ("doors: [outer, inner]", "door: [outer, inner]", "has no 'doors'", "add it"),
    "an idle door": ("[a2, lock], door: outer", "[a2, lock]", "no lane goes through", "correct"),
    "the corridor": (
        "{path: [a2, lock], door: outer}\n      - {path: [lock, b1], door: inner}",
        "[a2, lock, b1]\n      - {path: [a2, r1], door: outer}\n"
        "      - {path: [b1, r2], door: inner}",
        "larger than what lies outside",
        "small space",
    ),
    "parking inside": (
        "doors:\n      outer",
        "doors:\n      outer",
        "parking 'nook' is inside air lock 'lock-1'",
        "move it out",
    ),
}


def test_doors_that_share_no_space_are_told(site: Site) -> None:
    far = replace(site.lanes[LaneId("b1~b2")], door=DoorId("inner"))
    near = replace(site.lanes[LaneId("a1~a2")], door=DoorId("outer"))
    inside, wrong = between([DoorId("outer"), DoorId("inner")], [near, far], ())
    assert (inside, wrong) == ((), "its doors lead into no common space")


def test_two_spaces_of_one_size_are_told(site: Site) -> None:
    one = replace(site.lanes[LaneId("a1~a2")], door=DoorId("outer"))
    back = Lane(id=LaneId("x"), start=one.end, end=one.start, length_m=9, door=DoorId("inner"))
    _, wrong = between([DoorId("outer"), DoorId("inner")], [one, back], ())
    assert "two spaces of one size" in wrong


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_line_and_remedy(case: str) -> None:
    old, new, what, remedy = CASES[case]
    text = TEXT
    if case == "the corridor":
        text = TEXT.replace("b2: [24, 0]}", "b2: [24, 0], r1: [8, 9], r2: [16, 9]}")
    if case == "parking inside":
        nook = "nook: {name: {en: Nook, zh: 凹室}, at: [12, 5], joins: [lock], roles: [parking]}"
        text = text.replace("      bay-1:", f"      {nook}\n      bay-1:")
    assert old in text
    faults = faults_of(text.replace(old, new, 1))
    told = [fault for fault in faults if what in fault.what]
    assert len(told) == 1, faults
    assert told[0].line > 1
    assert remedy in told[0].remedy
