"""Files of public benchmarks become problems, plans become answers, and bad files become words."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from math import dist
from typing import Any

import pytest

from routing.errors import InstanceError
from routing.instances.allocation import AllocationInstance, read_allocation
from routing.instances.family import Family, family_of
from routing.instances.instance import Objective
from routing.instances.lilim import read_lilim
from routing.instances.schneider import read_schneider
from routing.instances.solomon import read_solomon
from routing.instances.tours import TourInstance
from routing.instances.whole import SCALE, down, up
from routing.problems.plan import Plan, check, cost
from routing.problems.problem import Problem, Visit
from routing.problems.timetable import Charge
from routing.roads.paths import UNREACHABLE_S
from routing.solving.solver import insert

SOLOMON = """R2
\r
VEHICLE\r
NUMBER     CAPACITY\r
  2         30\r
\r
CUSTOMER\r
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME\r
\r
    0      0       0      0      0    100     0\r
    1      3       4     10      7     20     2\r
    2      0      10     20      0     50     1\r
"""

LILIM = """2\t20\t0
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t10\t0\t50\t2\t0\t2
2\t6\t8\t-10\t0\t60\t2\t1\t0
3\t0\t5\t15\t0\t70\t1\t0\t4
4\t0\t9\t-15\t0\t80\t1\t3\t0
"""

SCHNEIDER = """StringID   Type       x          y          demand     ReadyTime  DueDate  Service
D0         d          0.0        0.0        0.0        0.0        200.0      0.0
S0         f          0.0        0.0        0.0        0.0        200.0      0.0
S1         f          3.0        4.0        0.0        0.0        200.0      0.0
C1         c          6.0        8.0        5.0        0.0        30.05      2.0
C2         c          1.0        1.0        5.0        0.0        90.0       2.0

Q Vehicle fuel tank capacity /16.0/
C Vehicle load capacity /10.0/
r fuel consumption rate /1.0/
g inverse refueling rate /3.01/
v average Velocity /1.0/
"""

ALLOCATION: dict[str, Any] = {
    "name": "yard",
    "graph": {
        "waypoints": [{"x": 0, "y": 0}, {"x": 3, "y": 4}, {"x": 3, "y": 10}, {"x": 3, "y": 10}],
        "lanes": [[0, 1], [1, 0], [1, 2], [2, 1], [2, 3, {"lift_s": 20.0}]],
    },
    "robot": {"v": 0.5, "a": 1.0},
    "agents": [{"name": "r0", "start": 0}, {"name": "r1", "start": 2}],
    "deliveries": [
        {"id": "a", "pickup": 1, "dropoff": 3, "earliest_s": 40.5, "pickup_s": 5, "dropoff_s": 5},
        {"id": "b", "pickup": 2, "dropoff": 0, "earliest_s": 0, "pickup_s": 5, "dropoff_s": 5},
    ],
}


def solomon(text: str = SOLOMON) -> TourInstance:
    return read_solomon(text, "solomon.txt", "solomon")


def lilim(text: str = LILIM) -> TourInstance:
    return read_lilim(text, "lilim.txt", "lilim")


def schneider(text: str = SCHNEIDER) -> TourInstance:
    return read_schneider(text, "schneider.txt", "schneider")


def allocation(matrix: object = None, **changes: object) -> AllocationInstance:
    text = json.dumps({**ALLOCATION, **changes})
    return read_allocation(text, "yard.json", json.dumps(matrix) if matrix else None, "m.json")


def priced(problem: Problem, plan: Plan) -> Plan:
    return replace(plan, cost=cost(problem, plan))


# -- good files ----------------------------------------------------------------------------


def test_a_file_is_known_by_its_content() -> None:
    assert family_of(SOLOMON) is Family.SOLOMON
    assert family_of(LILIM) is Family.LILIM
    assert family_of(SCHNEIDER) is Family.SCHNEIDER
    assert family_of(json.dumps(ALLOCATION)) is Family.ALLOCATION
    for other in ("", "hello", '{"routes": [[1]]}', "[]", "2 8 100 2\n0 100\n", "NAME: X\n"):
        assert family_of(other) is None


def test_solomon_in_whole_numbers() -> None:
    problem = solomon().problem(Objective.DISTANCE)
    assert [request.id for request in problem.requests] == ["1", "2"]
    stop = problem.requests[0].stops[0]
    assert (stop.earliest_s, stop.latest_s, stop.service_s) == (7000, 20_000, 2000)
    assert stop.load == (10,)
    assert len(problem.slots) == 2
    assert problem.slots[0].capacity == (30,)
    assert problem.slots[0].shift_end_s == 100_000
    assert problem.slots[0].price == 0
    profile = problem.profiles[0]
    assert profile.seconds is profile.metres
    assert profile.seconds[0] == (0, 5000, 10_000)
    assert profile.seconds[1][2] == 6709, "the square root of 45 is rounded up"


def test_a_vehicle_outweighs_all_ways_and_a_stop_left_out_all_vehicles() -> None:
    problem = lilim().problem(Objective.VEHICLES)
    price = problem.slots[0].price
    assert price > sum(map(sum, problem.profiles[0].metres)) / 4
    assert price * len(problem.slots) < problem.requests[0].drop_penalty


def test_a_pair_is_one_request_and_its_answer_has_the_numbers_of_the_file() -> None:
    instance = lilim()
    problem = instance.problem(Objective.DISTANCE)
    assert [[stop.load for stop in r.stops] for r in problem.requests] == [
        [(10,), (-10,)],
        [(15,), (-15,)],
    ]
    route = (Visit("1", 0), Visit("1", 1))
    plan = Plan(routes=((), (*route, Visit("3", 0), Visit("3", 1))))
    routes = instance.routes_of(plan)
    assert routes == [[1, 2, 3, 4]]
    figures = instance.figures(routes)
    assert figures.ok
    assert figures.vehicles == 1
    assert figures.distance == pytest.approx(5 + 5 + 45**0.5 + 4 + 9, abs=1e-6)


def test_what_the_insertion_makes_keeps_the_rules_of_the_file() -> None:
    for instance in (solomon(), lilim()):
        routes = instance.routes_of(insert(instance.problem(Objective.DISTANCE)))
        assert instance.figures(routes).ok


def test_a_plan_with_a_charge_keeps_the_rules_also_if_the_judge_is_mild() -> None:
    """The judge forgives a charge that is short by less than one second's worth."""
    instance = schneider()
    problem = instance.problem(Objective.DISTANCE)
    battery = problem.slots[0].battery
    assert battery is not None
    missing_j = battery.capacity_j - (battery.now_j - 5000 * battery.per_m_j)
    shortest_s = -(-missing_j // battery.charge_j_s) - 1
    outcomes: list[bool] = []
    for charge_s in (shortest_s - 1, shortest_s, shortest_s + 1):
        charges = (Charge(before=0, charger=1, charge_s=charge_s),)
        plan = Plan(routes=((Visit("C1", 0),), (Visit("C2", 0),)), charges=(charges, ()), cost=0)
        plan = priced(problem, plan)
        assert instance.routes_of(plan) == [["S1", "C1"], ["C2"]]
        outcomes.append(check(problem, plan) is None)
        assert instance.figures(instance.routes_of(plan)).ok
    assert outcomes == [False, True, True]


def test_stations_are_chargers_that_fill_and_have_room_for_all() -> None:
    instance = schneider()
    problem = instance.problem(Objective.VEHICLES)
    assert [charger.node for charger in problem.chargers] == [3, 4]
    assert all(charger.full and charger.places == 2 for charger in problem.chargers)
    assert problem.charge_loaded
    assert len(problem.slots) == 2
    short = instance.figures([["C1"], ["C2"]])
    assert short.why is not None
    assert "battery" in short.why


def test_rounding_never_makes_a_plan_that_fails_in_the_file() -> None:
    """Tight windows at arbitrary places: whatever the judge accepts, the recount accepts."""
    dice = random.Random(4)
    verdicts: list[tuple[bool, bool]] = []
    for _ in range(200):
        spots = [(dice.uniform(0, 9), dice.uniform(0, 9)) for _ in range(6)]
        slack, at = dice.uniform(-0.001, 0.004), 0.0
        rows = ["t", "VEHICLE", "N C", "1 9.5", "CUSTOMER", "..."]
        rows.append(f"0 {spots[0][0]} {spots[0][1]} 0 0 999 0")
        for n, (here, there) in enumerate(pairwise(spots), 1):
            at += dist(here, there)
            rows.append(f"{n} {there[0]} {there[1]} 1.9 0 {at + slack} 0.5")
            at += 0.5
        instance = solomon("\n".join(rows))
        problem = instance.problem(Objective.DISTANCE)
        route = tuple(Visit(request.id, 0) for request in problem.requests)
        plan = priced(problem, Plan(routes=(route,)))
        figures = instance.figures(instance.routes_of(plan))
        verdicts.append((check(problem, plan) is None, figures.ok))
    assert (True, False) not in verdicts
    assert verdicts.count((True, True)) > 20
    assert verdicts.count((False, False)) > 20


def test_times_round_to_the_safe_side() -> None:
    assert (up(16.16), down(16.16)) == (16_160, 16_160), "16.16 * 1000 is 16160.000000000002"
    assert (up(0.0001), down(0.9999)) == (1, 999)
    assert up(1.0) == down(1.0) == SCALE


# -- allocation ----------------------------------------------------------------------------


def test_an_allocation_drives_the_lanes_and_the_lift() -> None:
    instance = allocation()
    problem = instance.problem(Objective.FLOW)
    row = dict(zip(instance.waypoints, problem.profiles[0].seconds[0], strict=True))
    assert row == {0: 0, 1: 10_000, 2: 22_000, 3: 42_000}
    back = problem.profiles[0].seconds[instance.waypoints[3]]
    assert back[0] == UNREACHABLE_S
    assert problem.requests[0].release_s == 40_500


def test_an_allocation_is_counted_like_its_checker_does() -> None:
    instance = allocation()
    figures = instance.figures({"r0": ["a"], "r1": ["b"]})
    a_s = 40.5 + 5 + 12 + 20 + 5  # there at 10, waits until 40.5
    b_s = 5 + 12 + 10 + 5
    assert figures.flow_s == a_s - 40.5 + b_s
    assert figures.makespan_s == a_s
    assert figures.vehicles == 2
    plan = insert(instance.problem(Objective.FLOW))
    assert instance.figures(instance.routes_of(plan)).flow_s == figures.flow_s


def test_a_matrix_beside_it_counts_instead_of_the_lanes() -> None:
    seconds = [[0.0 if a == b else 10.0 * a + b for b in range(4)] for a in range(4)]
    instance = allocation({"waypoints": [0, 1, 2, 3], "seconds": seconds, "soc": []})
    figures = instance.figures({"r0": ["a", "b"], "r1": []})
    assert figures.makespan_s == 40.5 + 5 + 13 + 5 + 32 + 5 + 20 + 5


@pytest.mark.parametrize(
    ("routes", "why"),
    [
        ({"r0": ["a"]}, "1 of 2 deliveries not done: b"),
        ({"r0": ["a", "b", "b"]}, "b is done 2 times"),
        ({"r9": ["a", "b"]}, "no robot r9"),
        ({"r0": ["a", "b", "c"]}, "no delivery c"),
        ({"r0": ["a", "b"]}, "no way"),
    ],
)
def test_an_allocation_that_breaks_a_rule_has_no_figures(
    routes: dict[str, list[str]], why: str
) -> None:
    figures = allocation().figures(routes)
    assert not figures.ok
    assert figures.why is not None
    assert why in figures.why
    assert figures.flow_s is None


# -- answers that break a rule -------------------------------------------------------------


@pytest.mark.parametrize(
    ("instance", "routes", "why"),
    [
        (lilim, [[1, 2]], "2 of 4 customers not visited: 3, 4"),
        (lilim, [[2, 1], [3, 4]], "2 without its pickup 1"),
        (lilim, [[1, 3], [2, 4]], "load 25 after 3"),
        (lilim, [[1, 2], [3, 4, 4]], "4 visited 2 times"),
        (lilim, [[1, 2], [3, 4, 9]], "no stop 9"),
        (lilim, [[1, 2], [3], [4]], "3 vehicles, where there are 2"),
        (solomon, [[2, 1]], "at 1 only at 17.7"),
        (schneider, [["S1", "C1", "S1"], ["C2", "D0"]], "no stop D0"),
    ],
)
def test_an_answer_that_breaks_a_rule_has_no_figures(
    instance: Callable[..., TourInstance], routes: list[list[int | str]], why: str
) -> None:
    text = SOLOMON.replace(" 20     2", " 17     2") if instance is solomon else None
    figures = (instance(text) if text else instance()).figures(routes)
    assert figures.why is not None
    assert why in figures.why
    assert figures.distance is None


# -- bad files -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "old", "new", "line", "says"),
    [
        (
            solomon,
            "    2      0      10     20      0     50     1",
            "    2      0",
            12,
            "2 columns",
        ),
        (solomon, "0     50     1", "0     -5     1", 12, "due date -5"),
        (solomon, "      0     50", "     -9     50", 12, "ready time -9"),
        (solomon, "7     20", "30     20", 11, "due date 20 is not between 30"),
        (solomon, "    2      0      10", "    2      nan    10", 12, "'nan' is no number"),
        (solomon, "    2      0      10", "    2      inf    10", 12, "'inf' is no number"),
        (solomon, "    2      0      10", "    2      0     1e99", 12, "y 1e99"),
        (solomon, "    2      0      10", "    2      0      1O", 12, "'1O' is no number"),
        (solomon, "    2      0", "    1      0", 12, "number 1 is that of line 11"),
        (solomon, "    0      0", "    5      0", 10, "not the depot 0"),
        (solomon, "  2         30", "  2.5       30", 5, "2.5 is no whole number"),
        (solomon, "  2         30", "  0         30", 5, "number of vehicles 0"),
        (solomon, "  2         30", "  2         ", 5, "1 columns"),
        (solomon, "     20      0", "    -20      0", 12, "demand -20"),
        (solomon, SOLOMON[SOLOMON.index("    1      3") :], "", 10, "the file ends here"),
        (lilim, "\t1\t0\n3", "\t1\n3", 4, "8 columns"),
        (lilim, "2\t0\t2\n", "2\t0\t7\n", 3, "the other end of 1 is 7"),
        (lilim, "2\t0\t2\n", "2\t0\t0\n", 3, "neither a pickup nor a delivery"),
        (lilim, "2\t0\t2\n", "2\t0\t1\n", 3, "no such node"),
        (lilim, "2\t1\t0\n", "2\t3\t0\n", 3, "does not name it back"),
        (lilim, "-10", "-11", 3, "loads of 10 and -11"),
        (lilim, "0\t70", "0\t-70", 5, "due date -70"),
        (lilim, "2\t20\t0\n", "2\t20\n", 1, "2 columns"),
        (lilim, "0\t0\t0\t0\t0\t100", "0\t0\t0\t5\t0\t100", 2, "demand 5 is not between 0 and 0"),
        (schneider, "C2         c", "C2         x", 6, "kind 'x'"),
        (schneider, "C2         c", "C1         c", 6, "name C1 is that of line 5"),
        (schneider, "D0         d", "D0         f", 6, "0 depots and 2 customers"),
        (schneider, "/3.01/", "/-1/", 11, "refueling rate g -1"),
        (schneider, "v average Velocity /1.0/\n", "", 11, "without a line for its velocity v"),
        (schneider, "v average Velocity /1.0/", "v average Velocity /0.000001/", 6, "may take"),
        (schneider, "/16.0/", "/much/", 8, "'much' is no number"),
        (schneider, "4.0        0.0        0.0        200.0", "4 0 9 200", 4, "hours of its own"),
    ],
)
def test_a_bad_line_is_named(
    read: Callable[[str], TourInstance], old: str, new: str, line: int, says: str
) -> None:
    good = {"solomon": SOLOMON, "lilim": LILIM, "schneider": SCHNEIDER}[read.__name__]
    assert old in good
    with pytest.raises(InstanceError) as caught:
        read(good.replace(old, new, 1))
    (fault,) = caught.value.faults
    assert says in fault.what
    assert fault.line == line
    assert fault.remedy
    assert str(caught.value).startswith(f"{read.__name__}.txt: line {line}: ")


@pytest.mark.parametrize("read", [solomon, lilim, schneider])
@pytest.mark.parametrize("text", ["", "\n \n", "1 2 3", "VEHICLE", "\x00", "0\n" * 20])
def test_no_file_is_too_strange(read: Callable[[str], TourInstance], text: str) -> None:
    with pytest.raises(InstanceError):
        read(text)


def test_a_file_cut_anywhere_is_read_or_named() -> None:
    for read, good in ((solomon, SOLOMON), (lilim, LILIM), (schneider, SCHNEIDER)):
        for end in range(0, len(good), 3):
            with suppress(InstanceError):
                read(good[:end]).problem(Objective.VEHICLES)


def test_too_many_nodes_are_refused_before_they_fill_the_memory() -> None:
    rows = "".join(f"{n} 1 1 1 0 9 1\n" for n in range(3, 2500))
    with pytest.raises(InstanceError, match="at most 2000 nodes"):
        solomon(SOLOMON + rows)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"agents": []}, "agents = []"),
        ({"name": 7}, "name = 7"),
        ({"robot": {"v": 0}}, "robot.v = 0"),
        ({"robot": {}}, "robot.v: field required"),
        ({"agents": [{"name": "r0", "start": 99}]}, "no waypoint 99: they go from 0 to 3"),
        ({"agents": [{"name": "r0", "start": "0"}]}, "agents.0.start = 0"),
        ({"agents": [{"name": "r", "start": 0}] * 2}, "two of robot r"),
        ({"deliveries": [{**ALLOCATION["deliveries"][0], "earliest_s": -1}]}, "earliest_s = -1"),
        ({"deliveries": [{**ALLOCATION["deliveries"][0], "pickup_s": 1e300}]}, "pickup_s = 1e+300"),
        ({"graph": {**ALLOCATION["graph"], "lanes": [[0]]}}, "graph.lanes.0 = [0]"),
        ({"graph": {**ALLOCATION["graph"], "lanes": [[0, 4]]}}, "no waypoint 4"),
    ],
)
def test_a_bad_allocation_says_where(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InstanceError) as caught:
        allocation(**changes)
    assert says in str(caught.value)
    assert str(caught.value).startswith("yard.json: ")


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ({"waypoints": [0, 1, 2, 3], "seconds": [[0.0] * 4] * 3}, "not a square of 4 x 4"),
        ({"waypoints": [0, 1], "seconds": [[0.0] * 2] * 2}, "waypoint 2, which"),
        ({"waypoints": [0], "seconds": [[-1.0]]}, "seconds.0.0 = -1.0"),
        ({"waypoints": [0]}, "seconds: field required"),
    ],
)
def test_a_bad_matrix_is_named_by_its_own_file(matrix: object, says: str) -> None:
    with pytest.raises(InstanceError) as caught:
        allocation(matrix)
    assert says in str(caught.value)
    assert str(caught.value).startswith("m.json: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the file is empty"),
        ('{"a":\n [1,', "line 2: this is not JSON"),
        ('{"a": NaN}', "NaN is no number"),
        ("[" * 100_000, "this is not JSON"),
        ("[]", "the file = []"),
    ],
)
def test_what_is_no_json_says_where(text: str, says: str) -> None:
    with pytest.raises(InstanceError) as caught:
        read_allocation(text, "yard.json")
    assert says in str(caught.value)


def test_an_objective_of_another_benchmark_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="flow"):
        solomon().problem(Objective.FLOW)
    with pytest.raises(ValueError, match="distance"):
        allocation().problem(Objective.DISTANCE)
