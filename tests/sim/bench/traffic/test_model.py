"""``bench traffic``: the model and its monitor, traces that hold, rows and mistakes."""

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app
from routing.traffic.precedence import Precedence
from routing.traffic.spacetime import Hop, Net
from sim.bench.traffic.graph import Graph, WrongGraph, read_graph
from sim.bench.traffic.model import Ended, Model
from sim.bench.traffic.monitor import Monitor
from sim.bench.traffic.robot import DELAYS
from sim.bench.traffic.schemes import SCHEMES, Scheme
from sim.judges.outcome import percentile
from tests.folders import SHARED

HOSPITALS = SHARED / "benchmarks" / "mapf" / "hospital"
CHECKER = SHARED / "benchmarks" / "checkers" / "check_traffic.py"


def two_levels() -> dict[str, Any]:
    """Two one-lane corridors of three nodes, a room or two at each, joined by a lift."""
    lanes = [(0, 1, 9000), (1, 2, 9000), (3, 4, 9000), (4, 5, 9000)]
    lanes += [(room, room % 6, 4000) for room in range(6, 15)]
    edges = [[a, b, ms, 20 + number] for number, (a, b, ms) in enumerate(lanes)]
    edges += [[b, a, ms, resource] for a, b, ms, resource in edges]
    edges += [[0, 3, 20_000, 50], [3, 0, 20_000, 50]]
    return {"name": "two levels", "nodes": 15, "rooms": list(range(6, 15)), "edges": edges}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(two_levels()), encoding="utf-8")
    return path


def drive(
    graph: Graph,
    *,
    scheme: str = "sipp+tail",
    delays: str = "heavy",
    hours: float = 0.5,
    **more: int,
) -> tuple[Ended, list[dict[str, Any]]]:
    trace: list[dict[str, Any]] = []
    model = Model(
        graph,
        SCHEMES[scheme](graph.net),
        robots=more.get("robots", 5),
        hours=hours,
        seed=more.get("seed", 0),
        delays=DELAYS[delays],
        record=trace.append,
    )
    for _ in model.run():
        pass
    return model.ended(), trace


def judge(raw: dict[str, Any], trace: Iterable[dict[str, Any]]) -> int:
    """Follow a trace by the rules alone; returns its trips."""
    edges = {(a, b): (ms, lane) for a, b, ms, lane in raw["edges"]}
    holds: dict[int, str] = {}
    where: dict[str, tuple[int, int]] = {}
    now_ms = trips = 0
    for record in trace:
        assert record["t"] >= now_ms
        now_ms = record["t"]
        match record:
            case {"robot": name, "at": node}:
                assert holds.setdefault(node, name) == name
                where[name] = node, 0
            case {"robot": name, "depart": [start, end]}:
                assert where[name][0] == start
                for resource in (end, edges[start, end][1]):
                    assert holds.setdefault(resource, name) == name
                where[name] = start, now_ms
            case {"robot": name, "arrive": end}:
                start, left_ms = where[name]
                nominal_ms, lane = edges[start, end]
                assert now_ms - left_ms >= nominal_ms
                del holds[start], holds[lane]
                where[name] = end, now_ms
            case {"robot": name, "trip": room}:
                assert where[name][0] == room
                assert room in raw["rooms"]
                trips += 1
            case _:
                assert record == {"t": now_ms, "end": True}
    return trips


# --- the model


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("delays", DELAYS)
def test_nobody_meets_and_nobody_is_stuck(file: Path, scheme: str, delays: str) -> None:
    ended, trace = drive(read_graph(file), scheme=scheme, delays=delays, robots=8)
    assert judge(two_levels(), trace) == ended.trips > 0
    assert (ended.deadlocks, ended.collisions) == (0, 0)
    assert trace[-1] == {"t": 1_800_000, "end": True}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_seed_gives_the_same_trace(file: Path, scheme: str) -> None:
    graph = read_graph(file)
    _, trace = drive(graph, scheme=scheme, hours=0.2)
    assert drive(graph, scheme=scheme, hours=0.2)[1] == trace
    assert drive(graph, scheme=scheme, hours=0.2, seed=1)[1] != trace


def test_one_robot_more_leaves_the_others_where_they_began(file: Path) -> None:
    graph = read_graph(file)
    few = [r for r in drive(graph, hours=0.01, robots=4)[1] if "at" in r]
    more = [r for r in drive(graph, hours=0.01, robots=5)[1] if "at" in r]
    assert more[:4] == few


def test_one_robot_takes_its_time(file: Path) -> None:
    ended, trace = drive(read_graph(file), robots=1, delays="default")
    assert ended.longest_wait_s == 0
    trips_ms = [(record["t"], "trip" in record) for record in trace if "at" not in record]
    for (done_ms, trip), (next_ms, _) in pairwise(trips_ms[:-1]):
        assert not trip or 20_000 <= next_ms - done_ms <= 40_000


def test_the_first_half_hour_of_a_long_run_does_not_count(file: Path) -> None:
    ended, trace = drive(read_graph(file), hours=1.5)
    late = sum("trip" in record and record["t"] >= 1_800_000 for record in trace)
    assert ended.trips_per_h == pytest.approx(late)
    assert late < ended.trips


class Stubborn(Precedence):
    """Never lets anybody go."""

    thinks = False

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        return []


class Reckless:
    """Sends everybody straight on, whoever is there."""

    thinks = False

    def __init__(self, net: Net) -> None:
        self.net = net
        self.at: dict[int, int] = {}
        self.goals: dict[int, int] = {}

    def place(self, robot: int, node: int, now_ms: int) -> None:
        self.at[robot] = node

    def plan(self, robot: int, goal: int, now_ms: int) -> None:
        self.goals[robot] = goal

    def think_again(self, robot: int, now_ms: int) -> bool:
        return False

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        return [(robot, self.next(robot)) for robot in robots]

    def next(self, robot: int) -> Hop:
        left = self.net.ms_to(self.goals[robot])
        hops = self.net.hops[self.at[robot]]
        ways = [hop for hop in hops if hop.end not in self.net.rooms or left[hop.end] == 0]
        hop = min(ways, key=lambda hop: hop.nominal_ms + left[hop.end])
        self.at[robot] = hop.end
        return hop

    def arrive(self, robot: int, now_ms: int) -> None:
        pass

    def get_unstuck(self, robot: int, now_ms: int) -> bool:
        return False

    def refuges(self) -> list[int]:
        return []

    def halt(self, robot: int, now_ms: int) -> None:
        pass

    def go_on(self, robot: int, now_ms: int) -> None:
        pass

    def close(self, lane: int, now_ms: int) -> None:
        pass

    def open(self, lane: int, now_ms: int) -> None:
        pass


def run(graph: Graph, scheme: Scheme) -> Ended:
    model = Model(graph, scheme, robots=5, hours=0.5, seed=0, delays=DELAYS["default"])
    for _ in model.run():
        pass
    return model.ended()


def test_a_scheme_that_lets_nobody_go_is_a_deadlock(file: Path) -> None:
    graph = read_graph(file)
    ended = run(graph, Stubborn(graph.net))
    assert (ended.trips, ended.deadlocks, ended.collisions) == (0, 1, 0)
    assert 1_760 <= ended.longest_wait_s <= 1_780


class Forgetful(Precedence):
    """Never lets robot 0 go, whose room is in nobody's way."""

    thinks = False

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        return super().release([robot for robot in robots if robot], now_ms)


def test_one_who_is_never_let_go_is_a_deadlock_also_if_all_others_drive(file: Path) -> None:
    graph = read_graph(file)
    ended = run(graph, Forgetful(graph.net))
    assert ended.trips > 0
    assert ended.deadlocks == 1


def test_a_scheme_that_minds_nobody_has_collisions(file: Path) -> None:
    graph = read_graph(file)
    ended = run(graph, Reckless(graph.net))
    assert ended.collisions > 0
    assert ended.deadlocks == 0


def test_the_monitor_knows_where_everybody_is() -> None:
    monitor, hop = Monitor(), Hop(0, 1, 1000, 9)
    monitor.stand(0, 0)
    monitor.stand(1, 2)
    monitor.depart(0, hop)
    monitor.depart(1, Hop(2, 3, 1000, 9))
    assert monitor.collisions == 1, "on one lane"
    with pytest.raises(ValueError, match="is on 0, not on 1"):
        monitor.depart(0, Hop(1, 2, 1000, 8))


def test_percentiles() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile(range(1, 1001), 0.99) == 990
    assert percentile([], 0.99) is None


# --- the command


def traffic(*options: str) -> tuple[int, str, str]:
    answer = CliRunner().invoke(make_app(), ["bench", "traffic", *options])
    return answer.exit_code, answer.stdout, answer.stderr


def test_a_row_names_the_run_and_what_came_of_it(file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    few = ("--robots", "4", "--hours", "0.2", "--seed", "3", "--delays", "long")
    code, out, err = traffic(str(file), *few, "--trace", str(trace), "--json")

    assert code == 0, err
    row = json.loads(out)
    assert list(row) == [
        *("graph", "robots", "hours", "seed", "delays", "scheme", "faults", "outages"),
        *(
            "trips_per_h",
            "deadlocks",
            "collisions",
            "call_ms_p50",
            "call_ms_p99",
            "cpu_ms_per_trip",
            "longest_wait_s",
        ),
    ]
    assert list(row.values())[:6] == ["two levels", 4, 0.2, 3, "long", "sipp+tail"]
    assert row["cpu_ms_per_trip"] > row["call_ms_p50"] > 0
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert judge(two_levels(), lines) == round(row["trips_per_h"] * 0.2)


def test_a_table_for_people(file: Path) -> None:
    code, out, _ = traffic(str(file), "--robots", "2", "--hours", "0.1", "--scheme", "sipp")
    assert code == 0
    assert "trips_per_h" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--robots", "9"), "--robots 9 is not between 1 and 8: two levels has 9 rooms"),
        (("--robots", "0"), "--robots 0 is not between 1 and 8"),
        (("--hours", "0"), "--hours 0 is not above 0"),
        (("--hours", "nan"), "--hours nan"),
        (("--hours", "1e-9"), "--hours 1e-09 is shorter than a second"),
        (("--delays", "rare"), "--delays rare: unknown; choose from default, long, heavy"),
        (("--faults", "all"), "--faults all: unknown; choose from none, some"),
        (("--scheme", "luck"), "--scheme luck: unknown; choose from sipp+tail, sipp, banker"),
        (("--trace", "nowhere/trace.jsonl"), "name a file that can be written"),
    ],
)
def test_wrong_options_are_refused_with_a_remedy(
    file: Path, options: tuple[str, ...], said: str
) -> None:
    few = ("--robots", "2", "--hours", "0.1")
    code, out, err = traffic(str(file), *few, *options)
    assert code == 2
    assert said in err
    assert not out


# --- graph files


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": 0}, "nodes: Input should be greater than 0"),
        ({"rooms": "all"}, "rooms: Input should be"),
        ({"rooms": [6, 99]}, "rooms [99] are none of the 15 nodes"),
        ({"rooms": [6, 6]}, "fewer than two rooms"),
        ({"edges": [[0, 99, 5, 30]]}, "edge [0, 99, 5, 30] is not between two of the 15 nodes"),
        ({"edges": [[0, 1, 0, 30]]}, "edges.0.2: Input should be greater than 0"),
        ({"edges": [[0, 1, 5, 3]]}, "edge [0, 1, 5, 3] has the resource of a node"),
        ({"lift_resources": [9]}, "lift_resources [9] are those of no edge"),
        ({"edges": []}, "no way from room 7 to room 6"),
    ],
)
def test_wrong_graphs_are_refused(file: Path, change: dict[str, Any], said: str) -> None:
    file.write_text(json.dumps(two_levels() | change), encoding="utf-8")
    with pytest.raises(WrongGraph) as error:
        read_graph(file)
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "\xff", '{"name": "x"}'])
def test_what_is_no_graph_at_all_is_refused(file: Path, text: str) -> None:
    file.write_bytes(text.encode("latin-1"))
    code, _, err = traffic(str(file))
    assert code == 2
    assert "is no traffic graph" in err
    assert traffic(str(file.parent / "nothing.json"))[0] == 2
    assert traffic(str(file.parent))[0] == 2


# --- the benchmark's graphs and checker


@pytest.mark.skipif(not CHECKER.exists(), reason="needs the benchmarks in ../shared/benchmarks")
@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_the_checker_agrees(name: str, tmp_path: Path) -> None:
    graph, trace = HOSPITALS / f"hospital-{name}.json", tmp_path / "trace.jsonl"
    few = ("--robots", "12", "--hours", "0.2", "--delays", "heavy", "--trace", str(trace))
    code, out, err = traffic(str(graph), *few, "--json")
    assert code == 0, err
    row = json.loads(out)
    answer = subprocess.run(
        [sys.executable, CHECKER, graph, trace], capture_output=True, text=True, check=False
    )
    found = json.loads(answer.stdout)
    assert found["ok"], found
    assert found["trips_per_h"] == row["trips_per_h"]
