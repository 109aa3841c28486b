"""Ways through time: shortest when all is free, waiting and giving way when it is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.traffic.spacetime import FOREVER, Hop, Net, Span, Step, find_way
from tests.routing.traffic.lanes import (
    LANES,
    both_ways,
    corridor_with_bay,
    free_from,
    nets,
    overlaps,
)

FREE = free_from({})


def nodes(way: tuple[Step, ...] | None) -> list[int]:
    assert way is not None
    return [way[0].hop.start, *(step.hop.end for step in way)] if way else []


def test_a_free_way_is_the_shortest_one_without_waiting() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 3, 1000), (0, 2, 500), (2, 3, 4000)), rooms=[])
    way = find_way(net, FREE, 0, 3, 70)
    assert nodes(way) == [0, 1, 3]
    assert way is not None
    assert [(s.depart_ms, s.arrive_ms) for s in way] == [(70, 1070), (1070, 2070)]


def test_a_node_is_reached_first_by_the_quicker_of_two_ways() -> None:
    lanes = ((0, 1, 9000), (0, 2, 1000), (2, 1, 1000), (1, 3, 1000))
    assert nodes(find_way(Net(both_ways(*lanes), rooms=[]), FREE, 0, 3, 0)) == [0, 2, 1, 3]


def test_a_gap_that_closes_before_the_arrival_is_left_out() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000)), rooms=[0, 2])
    late_lane_short_gap = {LANES: [(0, 5000)], 1: [(5500, 8000)]}
    way = find_way(net, free_from(late_lane_short_gap), 0, 2, 0)
    assert way is not None
    assert [s.depart_ms for s in way] == [8000, 9000]


def test_who_is_there_already_has_no_steps_to_make() -> None:
    assert find_way(corridor_with_bay(), FREE, 2, 2, 0) == ()


def test_no_way_leads_through_a_room() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000)), rooms=[0, 1, 2])
    assert find_way(net, FREE, 0, 2, 0) is None
    assert nodes(find_way(net, FREE, 0, 1, 0)) == [0, 1]


def test_a_lane_in_use_is_waited_for_at_the_start() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000)), rooms=[0, 2])
    way = find_way(net, free_from({LANES + 1: [(500, 3000)]}), 0, 2, 0)
    assert way is not None
    assert [(s.depart_ms, s.arrive_ms) for s in way] == [(0, 1000), (3000, 4000)]


def test_the_end_of_a_hop_must_be_free_from_the_departure_on() -> None:
    net = Net(both_ways((0, 1, 1000)), rooms=[])
    way = find_way(net, free_from({1: [(0, 700)]}), 0, 1, 0)
    assert way is not None
    assert way[0].depart_ms == 700


def test_a_robot_gives_way_in_the_bay() -> None:
    others = {1: [(6000, 8000)], 2: [(3000, 7000)], 3: [(0, 6000)], LANES + 2: [(3000, 4000)]}
    way = find_way(corridor_with_bay(), free_from(others), 1, 4, 0)
    assert nodes(way) == [1, 2, 5, 2, 3, 4]


def test_where_a_robot_stands_it_can_stay_only_until_the_next_comes() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000)), rooms=[2])
    lane_late = {LANES: [(0, 5000)], 0: [(4000, 9000)]}
    assert find_way(net, free_from(lane_late), 0, 2, 0) is None
    assert find_way(net, free_from({LANES: [(0, 3000)], 0: [(4000, 9000)]}), 0, 2, 0) is not None


def test_the_goal_must_be_free_for_ever() -> None:
    net = Net(both_ways((0, 1, 1000)), rooms=[0, 1])
    way = find_way(net, free_from({1: [(5000, 6000)]}), 0, 1, 0)
    assert way is not None
    assert way[0].depart_ms == 6000
    assert find_way(net, free_from({1: [(5000, FOREVER)]}), 0, 1, 0) is None


def test_a_lift_carries_one_at_a_time_between_any_levels() -> None:
    lift = [Hop(a, b, 20_000, 9) for a in (0, 1, 2) for b in (0, 1, 2) if a != b]
    way = find_way(Net(lift, rooms=[]), free_from({9: [(0, 20_000)]}), 1, 2, 0)
    assert way is not None
    assert [(s.depart_ms, s.arrive_ms) for s in way] == [(20_000, 40_000)]


def test_a_way_that_arrives_too_late_is_none() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000)), rooms=[0, 2])
    assert find_way(net, FREE, 0, 2, 0, by_ms=2000) is not None
    assert find_way(net, FREE, 0, 2, 0, by_ms=1999) is None
    assert find_way(net, free_from({1: [(0, 1)]}), 0, 2, 0, by_ms=2000) is None


def test_a_hop_takes_time() -> None:
    with pytest.raises(ValueError, match="takes time"):
        Net([Hop(0, 1, 0, 9)], rooms=[])


def test_driving_times_to_a_goal_pass_no_room() -> None:
    net = Net(both_ways((0, 1, 1000), (1, 2, 1000), (0, 3, 5000), (3, 2, 5000)), rooms=[1, 2])
    assert net.ms_to(2) == {2: 0, 1: 1000, 3: 5000, 0: 10_000}


SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(nets(), st.data())
def test_ways_keep_clear_of_what_others_hold(net: Net, data: st.DataObject) -> None:
    rooms = sorted(net.rooms)
    resources = {r for hops in net.hops.values() for h in hops for r in (h.end, h.lane)}
    table: dict[int, list[Span]] = {}
    for resource in sorted(resources - set(rooms)):
        at_ms = 0
        for wait, length in data.draw(SPANS):
            taken_ms = at_ms + 500 * (wait + 1)
            at_ms = taken_ms + 500 * length
            table.setdefault(resource, []).append((taken_ms, at_ms))
    start, goal = data.draw(st.permutations(rooms))[:2]

    way = find_way(net, free_from(table), start, goal, 0)

    assert way is not None, "a room is free for ever, and so is the way at the end of the day"
    assert way[0].hop.start == start
    assert way[-1].hop.end == goal
    assert way[-1].arrive_ms >= net.ms_to(goal)[start]
    held: dict[int, list[Span]] = {resource: list(spans) for resource, spans in table.items()}
    leaves = [*(step.arrive_ms for step in way[1:]), FOREVER]
    ready_ms = 0
    for step, leaves_ms in zip(way, leaves, strict=True):
        assert ready_ms <= step.depart_ms
        assert step.arrive_ms == step.depart_ms + step.hop.nominal_ms
        ready_ms = step.arrive_ms
        held.setdefault(step.hop.lane, []).append((step.depart_ms, step.arrive_ms))
        held.setdefault(step.hop.end, []).append((step.depart_ms, leaves_ms))
    assert not any(overlaps(spans) for spans in held.values())
