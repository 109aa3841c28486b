"""Keep right: who fits in half of a lane, where it drives, and what it needs to turn off."""

import pytest

from routing.errors import Fault
from routing.geometry import Point
from routing.roads.passing import Half, KeepRight, Step, axes
from routing.site import Edge, NodeId, Site
from routing.sites.site_yaml import dump, examine_text, loads

TEXT = """\
site: cross
name: {en: Cross, zh: 十字}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {a: [0, 0], b: [8, 0], c: [16, 0.5], d: [24, 0], e: [24, 8], s: [8, 8]}
    places:
      home: {name: {en: Home, zh: 停车位}, at: [0, 5], joins: [a], roles: [parking]}
      ward: {name: {en: Ward, zh: 病房}, at: [16, 6], joins: [c]}
    lanes:
      - {path: [a, b, c, d, e], width_m: 2.4, passing: true}
      - {path: [b, s], passing: true}
"""
SITE = loads(TEXT, "cross")


def edge(start: str, end: str, site: Site = SITE) -> Edge:
    return site.edge(NodeId(start), NodeId(end))


def keeps(width_m: float = 0.7, length_m: float = 1.0, site: Site = SITE) -> KeepRight:
    return KeepRight(site, width_m, length_m)


def faults_of(text: str) -> tuple[Fault, ...]:
    return examine_text(text, "test").faults


def test_only_nodes_straight_between_two_passing_lanes_have_halves() -> None:
    assert set(axes(SITE)) == {"b", "c"}, "a and e are ends, d is a corner"
    with_place = TEXT.replace("at: [16, 6], joins: [c]", "node: c")
    assert set(axes(loads(with_place, "cross"))) == {"b"}, "somebody may work at a place for long"


def test_everybody_keeps_right() -> None:
    found = keeps()
    there, back = found.arrived(edge("a", "b")), found.arrived(edge("c", "b"))
    assert (there, back) == (Half.AHEAD, Half.BACK)
    right, left = found.spot(NodeId("b"), there), found.spot(NodeId("b"), back)
    assert right is not None
    assert left is not None
    assert right.y_m == pytest.approx(-0.6, abs=0.01)
    assert left.y_m == pytest.approx(0.6, abs=0.01)
    assert right.distance_m(left) == pytest.approx(1.2)


def test_who_comes_from_the_side_stands_in_the_middle() -> None:
    found = keeps()
    assert found.arrived(edge("s", "b")) is Half.BOTH
    assert found.spot(NodeId("b"), Half.BOTH) is None
    assert found.arrived(edge("c", "d")) is Half.BOTH


@pytest.mark.parametrize(("width_m", "passes"), [(0.7, True), (0.9, True), (0.91, False)])
def test_who_is_too_wide_for_half_a_lane_keeps_to_the_middle(width_m: float, passes: bool) -> None:
    found = keeps(width_m)
    assert found.passes is passes
    if not passes:
        assert found.step(edge("a", "b"), Half.BOTH) == Step(Half.BOTH, Half.BOTH, Half.BOTH)


def test_straight_on_it_needs_half_and_to_turn_off_all_of_the_node() -> None:
    found = keeps()
    assert found.step(edge("b", "c"), Half.AHEAD) == Step(Half.NONE, Half.AHEAD, Half.AHEAD)
    assert found.step(edge("c", "b"), Half.BACK) == Step(Half.NONE, Half.BACK, Half.BACK)
    assert found.step(edge("b", "s"), Half.AHEAD).start is Half.BOTH
    assert found.step(edge("b", "a"), Half.AHEAD).start is Half.BOTH, "it turns round"


def test_who_would_come_to_its_half_at_an_angle_needs_all_of_the_node() -> None:
    short = loads(TEXT.replace("a: [0, 0]", "a: [6, 0]").replace("[0, 5]", "[6, 5]"), "cross")
    assert keeps(site=short).step(edge("a", "b", short), Half.BOTH).end is Half.BOTH
    assert keeps().step(edge("a", "b"), Half.BOTH).end is Half.AHEAD, "8 m are long enough"


def test_the_half_in_which_a_vehicle_is_found() -> None:
    found, b = keeps(), NodeId("b")
    assert found.half_at(b, Point(8, -0.5)) is Half.AHEAD
    assert found.half_at(b, Point(4, 0.6)) is Half.BACK, "on its lane"
    assert found.half_at(b, Point(8, 0.1)) is Half.BOTH


def test_passing_survives_being_written_and_read() -> None:
    assert loads(dump(SITE), "cross") == SITE


@pytest.mark.parametrize(
    ("old", "new", "what", "remedy"),
    [
        ("width_m: 2.4,", "width_m: 2.4, one_way: true,", "'a~b': it is one way", "leave out"),
        ("width_m: 2.4,", "width_m: 0.6,", "0.6 m wide, and 0.3 m stay free", "width_m"),
        ("{path: [b, s],", "{path: [b, s], length_m: 11,", "it is bent", "nodes in the bends"),
        ("{path: [b, s],", "{path: [b, s], door: d,", "door 'd' is on it", "a line of its own"),
    ],
)
def test_passing_that_makes_no_sense_is_refused(old: str, new: str, what: str, remedy: str) -> None:
    text = TEXT.replace(old, new) + "    doors: {d: {name: {en: Door, zh: 门}}}\n"
    found = [fault for fault in faults_of(text) if "pass" in fault.what]
    assert found, faults_of(text)
    assert what in found[0].what
    assert remedy in found[0].remedy
    assert found[0].line == text[: text.index(new)].count("\n") + 1


def test_nobody_passes_into_a_lift_or_an_air_lock() -> None:
    text = TEXT + "  L2: {name: Two, elevation_m: 4, places: {up: {name: Up, at: [30, 9]}}}\n"
    text += "lifts:\n  up: {name: Up lift, cabins: {L1: [30, 8], L2: [30, 8]}, joins: {L2: [up]}}\n"
    text = text.replace("[b, s], passing", "[e, up@L1], passing")
    assert any("leads into lift 'up'" in fault.what for fault in faults_of(text))


def test_a_lone_passing_lane_is_warned_of() -> None:
    found = examine_text(TEXT, "test").warnings
    assert [fault.what for fault in found if "passing" in fault.what] == [
        f"passing lane {lane!r} goes straight on into no other passing lane"
        for lane in ("d~e", "b~s")
    ]
