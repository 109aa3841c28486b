"""Rules of the road: which lanes are meant, what they come to, and every bad one refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.desks.road_rules_in import RoadRuleIn, RuleReader
from dispatcher.domain.road_rules import RoadRule, RuleId, RuleKind, rule_of, together
from dispatcher.errors import Refused
from dispatcher.traffic.roadbook import RoadBook
from fleet.clock import Clock
from routing.roads.paths import Roads, Rules
from routing.roads.road_rules import RoadRules, homecomers, ruled
from routing.site import LaneId, NodeId, Site
from routing.sites.site_yaml import load
from tests.dispatcher.ward import cart
from tests.folders import CONFIGS

CORRIDOR = CONFIGS / "sites" / "corridor.yaml"
CLOCK = Clock(datetime(2026, 3, 1, 6, 0, tzinfo=UTC), 0.0)


@pytest.fixture(scope="module")
def site() -> Site:
    return load(CORRIDOR)


def read(site: Site, **asked: Any) -> RoadRule:
    return RuleReader(site, Clock.starting(CLOCK.epoch)).read(
        RoadRuleIn.model_validate(asked), RuleId("R-1")
    )


async def test_a_corridor_is_named_by_its_nodes_in_either_direction(site: Site) -> None:
    there = read(site, kind="one_way", along=["a1", "a2", "a3"])
    back = read(site, kind="one_way", along=["a3", "a2", "a1"])
    assert (there.lanes, there.ends) == (("a1~a2", "a2~a3"), ("a2", "a3"))
    assert (back.lanes, back.ends) == (("a2~a3", "a1~a2"), ("a2", "a1"))


async def test_a_level_has_all_its_lanes_but_those_of_lifts(site: Site) -> None:
    level = next(iter(site.levels))
    slow = read(site, kind="speed_limit", level=level, speed_m_s=0.4)
    lanes = [site.lanes[lane] for lane in slow.lanes]
    assert all(lane.lift is None for lane in lanes)
    assert {site.nodes[lane.start].level for lane in lanes} == {level}
    turned = read(site, kind="one_way", level=level, direction="forward")
    assert not any({lane.start, lane.end} & site.lift_at.keys() for lane in lanes_of(site, turned))


def lanes_of(site: Site, rule: RoadRule) -> list[Any]:
    return [site.lanes[lane] for lane in rule.lanes]


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"kind": "closed"}, "lanes", "missing"),
        ({"kind": "closed", "lanes": ["a1~a2"], "level": "L1"}, "lanes", "named_in_two_ways"),
        ({"kind": "closed", "lanes": ["a1~a9"]}, "lanes.0", "unknown_lane"),
        ({"kind": "closed", "along": ["a1"]}, "along", "too_short"),
        ({"kind": "closed", "along": ["a1", "a3"]}, "along.1", "no_lane"),
        ({"kind": "closed", "level": "L9"}, "level", "unknown_level"),
        ({"kind": "speed_limit", "lanes": ["a1~a2"]}, "speed_m_s", "missing"),
        ({"kind": "closed", "lanes": ["a1~a2"], "speed_m_s": 1.0}, "speed_m_s", "unknown_field"),
        ({"kind": "one_way", "lanes": ["a1~a2"]}, "direction", "missing"),
        (
            {"kind": "closed", "lanes": ["a1~a2"], "direction": "forward"},
            "direction",
            "unknown_field",
        ),
        (
            {"kind": "closed", "lanes": ["a1~a2"], "until": "2026-03-01T05:59:00Z"},
            "until",
            "in_the_past",
        ),
        (
            {
                "kind": "closed",
                "lanes": ["a1~a2"],
                "from": "2026-03-01T07:00:00Z",
                "until": "2026-03-01T07:00:00Z",
            },
            "until",
            "window_empty",
        ),
    ],
)
async def test_what_can_not_be_is_refused_with_a_remedy(
    site: Site, asked: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(site, **asked)
    (fault,) = refused.value.faults
    assert (fault.field, fault.reason.code) == (field, code)
    assert fault.remedy


async def test_the_way_into_a_lift_is_never_one_way(site: Site) -> None:
    lanes = [lane for lane in site.lanes.values() if lane.lift is None]
    into = next(lane for lane in lanes if {lane.start, lane.end} & site.lift_at.keys())
    with pytest.raises(Refused) as refused:
        read(site, kind="one_way", lanes=[into.id], direction="forward")
    assert [fault.reason.code for fault in refused.value.faults] == ["lift_lane"]


def test_the_lowest_limit_counts_and_a_rule_survives_the_journal() -> None:
    def slow(number: int, speed_m_s: float) -> RoadRule:
        lanes = (LaneId("a"), LaneId("b"))[: number + 1]
        id_ = RuleId(f"R-{number}")
        return RoadRule(id=id_, kind=RuleKind.SPEED_LIMIT, lanes=lanes, speed_m_s=speed_m_s)

    assert together([slow(0, 0.5), slow(1, 0.8)]).limits_m_s == {"a": 0.5, "b": 0.8}
    rule = RoadRule(
        id=RuleId("R-7"),
        kind=RuleKind.ONE_WAY,
        lanes=(LaneId("a"),),
        ends=(NodeId("n"),),
        from_s=30.0,
        until_s=60.0,
    )
    facts = rule.facts(CLOCK)
    moments = {key: facts[key].isoformat() for key in ("from", "until")}
    assert rule_of({**facts, **moments}, CLOCK) == rule
    del facts["from"]  # as versions wrote it in which all rules held at once
    assert rule_of({**facts, "until": moments["until"]}, CLOCK) == replace(rule, from_s=None)


async def test_a_rule_that_begins_in_the_past_holds_at_once(site: Site) -> None:
    rule = read(site, kind="closed", lanes=["a1~a2"], **{"from": "2026-03-01T05:00:00Z"})
    assert rule.from_s is None
    assert rule == read(site, kind="closed", lanes=["a1~a2"])


def test_a_limit_changes_times_and_a_one_way_the_ways(site: Site) -> None:
    book = RoadBook(site)
    spec = cart().spec
    start, end, lane = NodeId("a1"), NodeId("a2"), LaneId("a1~a2")
    before_s = book.of(spec).seconds(start, end)
    book.set_rules(RoadRules(limits_m_s={lane: 0.1}))
    assert book.of(spec).seconds(start, end) == pytest.approx(site.lanes[lane].length_m / 0.1)
    assert book.when_open(spec).seconds(start, end) == before_s
    book.set_rules(RoadRules(one_way={lane: start}))
    assert not book.of(spec).reaches(start, end)
    assert book.of(spec).reaches(end, start)
    book.set_rules(RoadRules())
    assert book.of(spec).seconds(start, end) == before_s


@given(data=st.data())
def test_who_comes_home_is_just_who_could_drive_there_and_back(site: Site, data: Any) -> None:
    """Asked the slow way, node by node, the answer is the same."""
    lanes = data.draw(st.lists(st.sampled_from(list(site.lanes.values())), max_size=6))
    turned = {lane.id: data.draw(st.sampled_from([lane.start, lane.end])) for lane in lanes}
    barred = frozenset(data.draw(st.lists(st.sampled_from(list(site.nodes)), max_size=3)))
    home = data.draw(st.sampled_from(list(site.nodes)))
    rules = Rules(speed_m_s=1.0, width_m=0.5, kind="cart")
    roads = Roads(ruled(site, RoadRules(one_way=turned)), rules, frozenset(), barred)
    slowly = {n for n in site.nodes if roads.reaches(home, n) and roads.reaches(n, home)}
    assert homecomers(roads, home, barred) == slowly
