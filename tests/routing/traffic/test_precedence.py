"""Plan, think again and release together: robots meet in small nets and all get through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.traffic.precedence import NoWay, Precedence
from routing.traffic.spacetime import FOREVER, Net, Span
from tests.routing.traffic.lanes import both_ways, corridor_with_bay, nets, overlaps


def spans(traffic: Precedence) -> dict[int, list[Span]]:
    """When each resource is held, as projected."""
    return {
        resource: [
            (v.depart_ms, v.leaves_ms if v.hop.end == resource else v.arrive_ms) for v in queue
        ]
        for resource, queue in traffic.visits.queues().items()
    }


def drive(traffic: Precedence, robots: list[int], now_ms: int = 0) -> int:
    """All drive on time until nobody can any more; returns when the last has arrived."""
    under_way: list[tuple[int, int]] = []
    while True:
        for robot, hop in traffic.release(robots, now_ms):
            under_way.append((now_ms + hop.nominal_ms, robot))
        if not under_way:
            return now_ms
        now_ms, robot = min(under_way)
        under_way.remove((now_ms, robot))
        traffic.arrive(robot, now_ms)


def test_two_robots_swap_the_ends_of_a_corridor_by_its_bay() -> None:
    """Each in a room at an end, each to the other's corner: one has to step into the bay."""
    lanes = ((1, 2, 1000), (2, 3, 1000), (2, 5, 1000), (0, 1, 1000), (3, 4, 1000))
    corners = ((6, 1, 1000), (7, 3, 1000))
    traffic = Precedence(Net(both_ways(*lanes, *corners), rooms=[0, 4, 6, 7]))
    traffic.place(0, 0, 0)
    traffic.place(1, 4, 0)
    traffic.plan(0, 7, 0)
    traffic.release([0], 0)
    traffic.plan(1, 6, 0)
    drive(traffic, [1], 0)
    traffic.arrive(0, 30_000)
    assert drive(traffic, [0, 1], 30_000) > 30_000
    assert [traffic.visits.stand(robot) for robot in (0, 1)] == [7, 6]


def test_robots_follow_each_other_a_node_apart() -> None:
    net = Net(both_ways(*((n, n + 1, 1000) for n in range(6))), rooms=[])
    traffic = Precedence(net)
    traffic.place(0, 1, 0)
    traffic.place(1, 0, 0)
    traffic.plan(0, 6, 0)
    traffic.plan(1, 5, 0)
    traffic.visits.project(0)
    assert traffic.visits.arrival_ms(0) == 5000
    assert traffic.visits.arrival_ms(1) == 6000, "it sets out when the node ahead is free"
    assert drive(traffic, [0, 1]) == 6000


def test_who_can_never_get_there_is_told() -> None:
    traffic = Precedence(corridor_with_bay())
    traffic.place(0, 0, 0)
    traffic.place(1, 4, 0)
    with pytest.raises(NoWay, match="robot 0 finds no way from 0 to 4"):
        traffic.plan(0, 4, 0)
    assert list(traffic.visits.way(0)) == []


def detour() -> Precedence:
    """Robot 0 at 1, on its way to room 5 by 3, waits for robot 1, which leaves 3 since 1000 ms."""
    short, long = ((1, 3, 1000), (3, 4, 1000)), ((1, 2, 3000), (2, 4, 3000))
    rooms = ((0, 1, 1000), (4, 5, 1000), (6, 3, 1000), (3, 7, 1000))
    traffic = Precedence(Net(both_ways(*short, *long, *rooms), rooms=[0, 5, 6, 7]))
    traffic.place(0, 0, 0)
    traffic.place(1, 6, 0)
    traffic.plan(1, 7, 0)
    traffic.plan(0, 5, 0)
    traffic.release([0, 1], 0)
    for robot in (0, 1):
        traffic.arrive(robot, 1000)
    traffic.release([0, 1], 1000)
    return traffic


def test_who_waits_goes_round_somebody_who_is_late() -> None:
    traffic = detour()
    assert not traffic.think_again(0, 1500), "robot 1 is on time"
    assert traffic.think_again(0, 30_000)
    assert [v.hop.end for v in traffic.visits.way(0)] == [2, 4, 5]
    assert [(robot, hop.end) for robot, hop in traffic.release([0, 1], 30_000)] == [(0, 2)]


def test_who_drives_or_stays_has_nothing_to_think_about() -> None:
    traffic = detour()
    assert not traffic.think_again(1, 30_000), "it is under way"
    traffic.arrive(1, 30_000)
    assert not traffic.think_again(1, 30_000), "it is there"


def test_a_lift_carries_one_after_the_other_the_other_way() -> None:
    """Rooms 0 and 1 on two levels; each level's lobby has a place to step aside, 4 and 5."""
    lanes = ((0, 2, 1000), (1, 3, 1000), (2, 4, 1000), (3, 5, 1000), (4, 6, 1000), (5, 7, 1000))
    net = Net([*both_ways(*lanes), *both_ways((2, 3, 20_000), first_lane=300)], [0, 1, 6, 7])
    traffic = Precedence(net)
    traffic.place(0, 0, 0)
    traffic.place(1, 1, 0)
    traffic.plan(0, 7, 0)
    traffic.plan(1, 6, 0)
    assert drive(traffic, [0, 1]) == 45_000
    assert [traffic.visits.stand(robot) for robot in (0, 1)] == [7, 6]


@settings(max_examples=50, deadline=None)
@given(nets(), st.data())
def test_nothing_is_ever_held_twice_and_all_arrive(net: Net, data: st.DataObject) -> None:
    """Random trips, delays and second thoughts; ``insert`` itself looks for circles."""
    rooms = sorted(net.rooms)
    traffic, now_ms = Precedence(net, worthwhile_ms=1), 0
    visits = traffic.visits
    robots = list(range(data.draw(st.integers(1, len(rooms) - 1))))
    for robot, room in zip(robots, data.draw(st.permutations(rooms)), strict=False):
        traffic.place(robot, room, 0)
    under_way: list[tuple[int, int]] = []
    trips = data.draw(st.lists(st.sampled_from(robots), max_size=6))
    while True:
        taken = {visits.goal(r) for r in robots} | {r for r in rooms if visits.queues().get(r)}
        free = [room for room in rooms if room not in taken]
        if trips and free and not list(visits.way(trips[-1])):
            traffic.plan(trips.pop(), data.draw(st.sampled_from(free)), now_ms)
        for robot, hop in traffic.release(robots, now_ms):
            late_ms = data.draw(st.sampled_from((0, 0, 300, 20_000)))
            under_way.append((now_ms + hop.nominal_ms + late_ms, robot))
        visits.project(now_ms)
        assert not any(overlaps(found) for found in spans(traffic).values())
        if not under_way:
            break
        traffic.think_again(data.draw(st.sampled_from(robots)), now_ms)
        now_ms, robot = min(under_way)
        under_way.remove((now_ms, robot))
        traffic.arrive(robot, now_ms)
    assert not any(list(visits.way(robot)) for robot in robots), "somebody is stuck"
    assert sum(map(len, visits.queues().values())) == len(robots)


# --- what is out of order


def ring(overdue_ms: int = FOREVER) -> Precedence:
    """Robot 0 in room 0 at 1; room 5 at 4; from 1 to 4 by 2, or longer by 3; room 6 at 2."""
    lanes = ((0, 1, 1000), (1, 2, 1000), (2, 4, 1000), (1, 3, 3000), (3, 4, 3000), (4, 5, 1000))
    net = Net(both_ways(*lanes, (2, 6, 1000)), rooms=[0, 5, 6])
    traffic = Precedence(net, overdue_ms=overdue_ms)
    traffic.place(0, 0, 0)
    return traffic


def go_to(traffic: Precedence, node: int) -> None:
    """Robot 0 drives on to a node."""
    while traffic.visits.stand(0) != node:
        assert traffic.release([0], 0)
        traffic.arrive(0, 0)


def test_who_waits_before_a_closed_lane_goes_round() -> None:
    traffic = ring()
    traffic.plan(0, 5, 0)
    go_to(traffic, 1)
    traffic.close(102, 0)
    assert traffic.release([0], 0) == [], "it does not drive into a dead end"
    assert traffic.get_unstuck(0, 2000)
    assert [v.hop.end for v in traffic.visits.way(0)] == [3, 4, 5]


def test_a_new_trip_goes_round_too_or_is_refused() -> None:
    traffic = ring()
    traffic.close(102, 0)
    traffic.plan(0, 5, 0)
    assert [v.hop.end for v in traffic.visits.way(0)] == [1, 3, 4, 5]

    traffic = ring()
    traffic.close(105, 0)
    with pytest.raises(NoWay):
        traffic.plan(0, 5, 0)
    assert list(traffic.visits.way(0)) == []
    traffic.open(105, 0)
    traffic.plan(0, 5, 0)


def test_who_can_not_get_on_goes_out_of_the_way_and_on_when_it_can() -> None:
    traffic = ring()
    traffic.plan(0, 5, 0)
    go_to(traffic, 2)
    traffic.close(105, 0)
    assert traffic.get_unstuck(0, 0)
    assert traffic.refuges() == [6]
    go_to(traffic, 6)
    assert not traffic.think_again(0, 20_000), "there is no way to its goal"
    traffic.open(105, 20_000)
    assert traffic.think_again(0, 20_000)
    assert traffic.refuges() == []
    go_to(traffic, 5)


def test_a_refuge_is_no_room_that_another_has_or_heads_for() -> None:
    traffic = ring()
    traffic.place(1, 6, 0)
    traffic.plan(0, 5, 0)
    go_to(traffic, 2)
    traffic.close(105, 0)
    assert traffic.get_unstuck(0, 0)
    assert traffic.refuges() == [0]


def test_nobody_waits_for_a_robot_that_broke_down_if_there_is_another_way() -> None:
    traffic = detour()
    traffic.halt(1, 1500)
    assert traffic.visits.stuck(0)
    assert traffic.release([0], 1500) == []
    assert traffic.think_again(0, 1500)
    assert not traffic.visits.stuck(0)
    assert [v.hop.end for v in traffic.visits.way(0)] == [2, 4, 5]


def test_in_an_only_way_one_waits_for_the_repair_and_goes_on_then() -> None:
    traffic = Precedence(Net(both_ways(*((n, n + 1, 1000) for n in range(6))), rooms=[]))
    traffic.place(0, 1, 0)
    traffic.place(1, 0, 0)
    traffic.plan(0, 6, 0)
    traffic.plan(1, 5, 0)
    traffic.halt(0, 0)
    assert not traffic.think_again(1, 0)
    assert traffic.release([0, 1], 0) == []
    traffic.go_on(0, 600_000)
    assert drive(traffic, [0, 1], 600_000) == 606_000


@settings(max_examples=50, deadline=None)
@given(nets(), st.data())
def test_whatever_breaks_all_arrive_once_it_works_again(net: Net, data: st.DataObject) -> None:
    """``insert`` looks for circles; who found a refuge must still get to its goal."""
    rooms = sorted(net.rooms)
    lanes = sorted({hop.lane for hops in net.hops.values() for hop in hops})
    traffic, now_ms = Precedence(net, worthwhile_ms=1), 0
    visits = traffic.visits
    robots = list(range(data.draw(st.integers(1, len(rooms) - 1))))
    goals = dict(zip(robots, data.draw(st.permutations(rooms)), strict=False))
    for robot, room in goals.items():
        traffic.place(robot, room, 0)
    halted, closed = list[int](), list[int]()
    for _ in range(data.draw(st.integers(1, 25))):
        now_ms += data.draw(st.sampled_from((100, 1000, 12_000)))
        match data.draw(st.sampled_from(("plan", "halt", "mend", "close", "open", "drive"))):
            case "plan":
                robot = data.draw(st.sampled_from(robots))
                taken = {visits.stand(r) for r in robots} | set(goals.values())
                free = [r for r in rooms if r not in {*taken, *traffic.refuges()}]
                if free and visits.standing(robot) and visits.stand(robot) == goals[robot]:
                    goal = data.draw(st.sampled_from(free))
                    try:
                        traffic.plan(robot, goal, now_ms)
                        goals[robot] = goal
                    except NoWay:
                        assert halted or closed
            case "halt" if len(halted) < len(robots):
                halted.append(next(r for r in robots if r not in halted))
                traffic.halt(halted[-1], now_ms)
            case "mend" if halted:
                traffic.go_on(halted.pop(), now_ms)
            case "close" if len(closed) < len(lanes):
                lane = data.draw(st.sampled_from([lane for lane in lanes if lane not in closed]))
                closed.append(lane)
                traffic.close(lane, now_ms)
            case "open" if closed:
                traffic.open(closed.pop(), now_ms)
            case _:
                step(traffic, [r for r in robots if r not in halted], now_ms)
        visits.project(now_ms)
        assert not any(overlaps(found) for found in spans(traffic).values())
    for robot in halted:
        traffic.go_on(robot, now_ms)
    for lane in closed:
        traffic.open(lane, now_ms)
    for _ in range(200):
        now_ms += 10_000
        step(traffic, robots, now_ms)
    assert {robot: visits.stand(robot) for robot in robots} == goals


def step(traffic: Precedence, robots: list[int], now_ms: int) -> None:
    """All who are under way arrive, all who stand think, and set out if they may."""
    for robot in robots:
        if not traffic.visits.standing(robot):
            traffic.arrive(robot, now_ms)
    for robot in robots:
        traffic.think_again(robot, now_ms)
    traffic.release(robots, now_ms)


def test_who_is_late_by_far_counts_as_broken_down_until_it_arrives() -> None:
    traffic = ring(overdue_ms=300_000)
    traffic.place(1, 6, 0)
    traffic.plan(1, 5, 0)
    traffic.plan(0, 6, 0)
    assert [robot for robot, _ in traffic.release([0, 1], 0)] == [0, 1]
    traffic.arrive(0, 1000)
    traffic.visits.project(300_000)
    assert not traffic.visits.stuck(0), "it is expected to be late by as much again"
    traffic.visits.project(302_000)
    assert traffic.visits.stuck(0)
    assert traffic.release([0], 302_000) == []
    assert traffic.get_unstuck(0, 302_000)
    assert traffic.refuges() == [0]
    traffic.arrive(1, 302_000)
    assert not traffic.visits.disturbed
    assert traffic.think_again(0, 302_000)
    assert traffic.visits.goal(0) == 6
