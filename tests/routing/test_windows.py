"""Windows of lanes and lifts: who may pass when, in a site file and on the roads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.commands.site import summary
from dispatcher.domain.task import Goods
from routing.errors import Unreachable
from routing.roads.paths import Roads, Rules
from routing.site import LaneId, NodeId, Site
from routing.sites.site_yaml import dump, examine_text, loads
from routing.windows import DAY_S, GOODS, Window
from tests.folders import CONFIGS, SMALL_SITES

TEXT = (SMALL_SITES / "air_lock.yaml").read_text(encoding="utf-8")
KEPT = '{only: [waste, dirty_linen], from: "19:00", to: "21:00"}'
SHUT = '{only: [], from: "23:00", to: "02:00"}'


def text(windows: str) -> str:
    return TEXT.replace("- [b1, b2]", f"- {{path: [b1, b2], windows: [{windows}]}}")


@pytest.fixture
def site() -> Site:
    return loads(text(f"{KEPT}, {SHUT}"))


def test_the_words_for_goods_are_those_of_tasks() -> None:
    assert set(GOODS) == set(Goods)


def test_a_file_with_windows_survives_being_written_and_read(site: Site) -> None:
    kept, shut = site.windows[LaneId("b1~b2")]
    assert kept.only == {"waste", "dirty_linen"}
    assert (kept.from_s, kept.to_s, shut.lasts_s) == (19 * 3600, 21 * 3600, 3 * 3600)
    assert loads(dump(site)) == site


def test_a_lift_shuts_all_lanes_that_lead_into_it() -> None:
    path = CONFIGS / "sites" / "corridor.yaml"
    corridor = path.read_text(encoding="utf-8")
    old = "joins: {L1: [a4], L2: [b1]}"
    assert old in corridor
    site = loads(corridor.replace(old, f"{old}, windows: [{KEPT}]"))
    assert set(site.windows) == {"lift-1@L1~a4", "lift-1@L2~b1", "lift-1:L1-L2"}
    assert loads(dump(site)) == site


def test_check_tells_them(site: Site) -> None:
    told = "1: b1~b2 19:00-21:00 only dirty_linen, waste; 23:00-02:00 shut"
    assert ("windows", told) in summary(site)


CASES = {
    "no quotes": ('from: "19:00"', "from: 19:00", "from is 1140", "in quotes"),
    "no time": ('to: "21:00"', 'to: "25:00"', "'25:00'", "time of day"),
    "no goods": ("[waste, dirty_linen]", "[garbage]", "'garbage'", "infectious_waste"),
    "no length": ('to: "21:00"', 'to: "19:00"', "has no length", "00:00 to 24:00"),
    "too short": ('to: "21:00"', 'to: "19:10"', "too short for anybody", "15 minutes"),
    "overlap": ('to: "21:00"', 'to: "23:30"', "overlap", "where the other ends"),
    "over midnight": ('from: "19:00", to: "21:00"', 'from: "01:00", to: "03:00"', "overlap", "let"),
    "always shut": ('from: "23:00", to: "02:00"', 'from: "21:00", to: "19:00"', "", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_windows_that_nobody_can_use_are_refused(case: str) -> None:
    old, new, what, remedy = CASES[case]
    wrong = text(f"{KEPT}, {SHUT}").replace(old, new, 1)
    faults = examine_text(wrong, "test").faults
    if case == "always shut":
        assert not faults, "waste may still pass"
        faults = examine_text(wrong.replace("[waste, dirty_linen]", "[]"), "test").faults
        what, remedy = "shut all day", "leave some hours out"
    assert len(faults) == 1, faults
    assert what in faults[0].what
    assert remedy in faults[0].remedy
    assert faults[0].line == TEXT[: TEXT.index("- [b1, b2]")].count("\n") + 1


@given(
    st.integers(0, DAY_S - 1), st.integers(0, DAY_S), st.integers(0, DAY_S - 1), st.integers(0, 900)
)
def test_times_are_when_the_clock_is_in_the_window(
    from_s: int, to_s: int, clock_s: int, later_s: int
) -> None:
    window = Window(only=frozenset(), from_s=from_s, to_s=to_s)
    later = (clock_s + later_s) % DAY_S
    inside = from_s <= later < to_s if from_s < to_s else later >= from_s or later < to_s
    times = window.times(clock_s)
    assert any(begin <= later_s < end for begin, end in times) == inside


def test_a_way_leads_round_a_lane_that_is_shut_when_it_is_reached() -> None:
    both = TEXT.replace("- [b1, b2]", "- [b1, b2]\n      - {path: [b1, b2a, b2]}")
    site = loads(both.replace("b2: [24, 0]}", "b2: [24, 0], b2a: [20, 6]}"))
    roads = Roads(site, Rules(speed_m_s=1.0, width_m=0.6, kind="cart"))
    start, goal, lane = NodeId("lock"), NodeId("b2"), LaneId("b1~b2")
    straight = roads.shortest(start, goal)
    enters_s = straight.seconds - 8.0
    assert straight.nodes == ("lock", "b1", "b2")
    for span, way in (
        ((enters_s + 8.0, 900.0), straight.nodes),
        ((0.0, enters_s), straight.nodes),
        ((enters_s + 7.0, 900.0), ("lock", "b1", "b2a", "b2")),
        ((0.0, enters_s + 1.0), ("lock", "b1", "b2a", "b2")),
    ):
        assert roads.shortest(start, goal, shut={lane: [span]}).nodes == way
    other = LaneId("b1~b2a")
    with pytest.raises(Unreachable):
        roads.shortest(start, goal, shut={lane: [(0, 900)], other: [(0, 900)]})
