"""Visiting orders: who goes first, what is expected when, and that nobody waits in a circle."""

import pytest

from routing.traffic.spacetime import FOREVER, Hop, Step, gaps_between
from routing.traffic.visits import Visits
from routing.traffic.visits_check import Circle, require_no_circle
from tests.routing.traffic.lanes import LANES, both_ways

HOPS = {(h.start, h.end): h for h in both_ways((0, 1, 1000), (1, 2, 1000), (2, 3, 1000))}


def steps(*timed: tuple[int, int, int]) -> list[Step]:
    """Steps ``(start, end, depart_ms)`` on the line 0-1-2-3."""
    return [
        Step(HOPS[start, end], depart_ms, depart_ms + HOPS[start, end].nominal_ms)
        for start, end, depart_ms in timed
    ]


def line(*stands: int) -> Visits:
    """Robots 0, 1, ... on these nodes of the line."""
    visits = Visits()
    for robot, node in enumerate(stands):
        visits.place(robot, node, 0)
    visits.project(0)
    return visits


def following() -> Visits:
    """Robot 0 goes from 1 to 3, robot 1 follows it from 0 to 2."""
    visits = line(1, 0)
    visits.insert(0, steps((1, 2, 0), (2, 3, 1000)))
    visits.project(0)
    visits.insert(1, steps((0, 1, 1000), (1, 2, 2000)))
    visits.project(0)
    return visits


def test_only_who_heads_all_queues_may_go() -> None:
    visits = following()
    assert visits.may_go(0) == HOPS[1, 2]
    assert visits.may_go(1) is None
    with pytest.raises(ValueError, match="does not head"):
        visits.release(1, 0)


def test_order_counts_and_not_the_clock() -> None:
    visits = following()
    visits.release(0, 0)
    assert visits.may_go(1) is None
    assert visits.may_go(0) is None, "it is under way"
    visits.arrive(0, 60_000)
    assert visits.may_go(1) == HOPS[0, 1], "late, but the turn is the same"
    visits.release(1, 60_000)
    visits.arrive(1, 61_000)
    assert visits.may_go(1) is None, "robot 0 still stands ahead"


def test_a_resource_is_held_until_the_next_node_is_reached() -> None:
    visits = following()
    assert visits.free(1)(2) == gaps_between([(0, 2000)])
    assert visits.free(1)(LANES + 1) == gaps_between([(0, 1000)])
    assert visits.free(1)(3) == gaps_between([(1000, FOREVER)])
    assert visits.free(0)(3) == gaps_between([])


def test_projections_follow_what_is_late() -> None:
    visits = following()
    visits.release(0, 500)
    visits.project(500)
    assert [v.arrive_ms for v in visits.way(0)] == [1500, 2500]
    assert [v.depart_ms for v in visits.way(1)] == [1500, 2500]


def test_an_overdue_robot_is_expected_to_be_late_by_as_much_again() -> None:
    visits = following()
    visits.release(0, 0)
    visits.project(1000)
    assert visits.arrival_ms(0) == 2000
    visits.project(4000)
    assert [v.arrive_ms for v in visits.way(0)] == [7000, 8000]
    assert visits.arrival_ms(1) == 9000


def test_a_tail_is_taken_back_and_put_in_again() -> None:
    visits = following()
    visits.release(0, 0)
    visits.project(0)
    tail = visits.cut(1)
    assert [(s.depart_ms, s.arrive_ms) for s in tail] == [(1000, 2000), (2000, 3000)]
    assert visits.goal(1) == visits.stand(1) == 0
    visits.insert(1, tail)
    visits.project(0)
    assert visits.arrival_ms(1) == 3000


def test_what_is_released_is_not_taken_back() -> None:
    visits = following()
    visits.release(0, 0)
    visits.project(0)
    assert [s.hop for s in visits.cut(0)] == [HOPS[2, 3]]
    assert visits.goal(0) == 2


def test_who_is_expected_first_goes_first_whoever_was_planned_first() -> None:
    visits = line(2, 0, 3)
    visits.insert(0, steps((2, 1, 0)))
    visits.project(0)
    visits.cut(0)
    visits.insert(1, steps((0, 1, 0), (1, 0, 1000)))
    visits.project(0)
    visits.insert(0, steps((2, 1, 2000)))
    assert [v.robot for v in visits.queues()[1]] == [1, 0]
    assert visits.may_go(0) is None
    assert visits.may_go(1) == HOPS[0, 1]


def lift() -> Visits:
    """A lift, 50: robot 0 is planned first, but has ten hops to go, so robot 1 rides first."""
    visits = Visits()
    visits.place(0, 14, 0)
    visits.place(1, 0, 0)
    visits.project(0)
    hops = [Hop(node, node - 1, 1000, 60 + node) for node in range(14, 4, -1)]
    way = [Step(hop, 1000 * n, 1000 * n + 1000) for n, hop in enumerate(hops)]
    visits.insert(0, [*way, Step(Hop(4, 3, 1000, 50), 10_000, 11_000)])
    visits.project(0)
    visits.insert(1, [Step(Hop(0, 1, 5000, 50), 0, 5000)])
    visits.project(0)
    return visits


def test_a_lift_is_waited_for_also_if_the_node_behind_it_is_free() -> None:
    visits = lift()
    for node in range(13, 3, -1):
        visits.release(0, 0)
        assert visits.arrive(0, 0) == node
    assert visits.may_go(0) is None, "robot 1 is to ride first"
    visits.release(1, 0)
    assert visits.may_go(0) is None, "robot 1 is in the lift"
    visits.arrive(1, 5000)
    assert visits.may_go(0) == Hop(4, 3, 1000, 50)


def test_who_was_planned_first_is_expected_later_if_another_goes_first() -> None:
    visits = lift()
    visits.release(1, 0)
    visits.project(30_000)
    assert visits.arrival_ms(1) == 55_000
    assert visits.arrival_ms(0) == 56_000
    visits.arrive(1, 31_000)
    visits.project(31_000)
    assert visits.arrival_ms(0) == 42_000


def test_steps_need_times_that_are_up_to_date() -> None:
    visits = line(0)
    visits.insert(0, steps((0, 1, 0)))
    with pytest.raises(ValueError, match="project"):
        visits.insert(0, steps((1, 2, 1000)))


def test_nobody_is_planned_past_where_another_stays() -> None:
    visits = line(0, 1)
    with pytest.raises(ValueError, match="robot 0 is to pass where 1 stays"):
        visits.insert(0, steps((0, 1, 1000)))


def test_robots_that_would_swap_places_are_refused() -> None:
    visits = line(0, 1)
    visits.insert(0, [])
    visits.project(0)
    with pytest.raises(ValueError, match="stays"):
        visits.insert(1, steps((1, 0, 0)))


def test_a_node_has_room_for_one() -> None:
    visits = line(0)
    with pytest.raises(ValueError, match="taken"):
        visits.place(1, 0, 0)
    with pytest.raises(ValueError, match="it is"):
        visits.place(0, 1, 0)


def test_who_does_not_drive_does_not_arrive() -> None:
    with pytest.raises(ValueError, match="not under way"):
        line(0).arrive(0, 0)


# --- circles


def test_a_swap_on_one_lane_is_a_circle() -> None:
    ways = {0: [(0,), (9, 1)], 1: [(1,), (9, 0)]}
    with pytest.raises(Circle, match=r"\[0, 1\]") as found:
        require_no_circle(ways, {0: [0, 1], 1: [1, 0], 9: [0, 1]})
    assert found.value.robots == (0, 1)


def test_a_ring_of_three_is_a_circle_and_with_a_gap_it_is_none() -> None:
    ways = {0: [(0,), (10, 1)], 1: [(1,), (11, 2)], 2: [(2,), (12, 0)]}
    with pytest.raises(Circle):
        require_no_circle(ways, {0: [0, 2], 1: [1, 0], 2: [2, 1]})
    ways[2] = [(2,), (12, 3)]
    require_no_circle(ways, {0: [0], 1: [1, 0], 2: [2, 1], 3: [2]})


def test_a_robot_that_comes_back_is_told_apart_from_itself() -> None:
    ways = {0: [(0,), (9, 1), (9, 0)], 1: [(2,), (8, 1)]}
    require_no_circle(ways, {0: [0, 0], 9: [0, 0], 1: [0, 1], 2: [1], 8: [1]})


def test_crossed_queues_are_a_circle() -> None:
    ways = {0: [(0,), (10, 1), (11, 2)], 1: [(3,), (12, 2), (11, 1)]}
    with pytest.raises(Circle):
        require_no_circle(ways, {1: [0, 1], 2: [1, 0], 11: [0, 1], 10: [0], 12: [1]})
