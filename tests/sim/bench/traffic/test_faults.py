"""Robots that break down, closed lanes and lifts that fail: all go on, and the trace shows it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from sim.bench.traffic.faults import FAULTS, HOUR_MS, Faults, Kind, Outage, draw_outages
from sim.bench.traffic.graph import Graph, read_graph
from sim.bench.traffic.model import Ended, Model
from sim.bench.traffic.robot import DELAYS
from sim.bench.traffic.schemes import SCHEMES
from tests.folders import SHARED
from tests.sim.bench.traffic.test_model import judge
from tests.sim.tall_hospital import hospital

ROUGH = Faults(0.4, 0.3, 0.5, (5 * 60_000, 15 * 60_000))
SMALL = hospital(2, [0, 6])


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    path = tmp_path_factory.mktemp("graph") / "small.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    return read_graph(path)


def drive(
    graph: Graph, outages: Sequence[Outage], scheme: str, *, robots: int = 10, hours: float = 0.7
) -> tuple[Ended, list[dict[str, Any]]]:
    trace: list[dict[str, Any]] = []
    model = Model(
        graph,
        SCHEMES[scheme](graph.net),
        robots=robots,
        hours=hours,
        seed=3,
        delays=DELAYS["default"],
        outages=outages,
        record=trace.append,
    )
    for _ in model.run():
        pass
    return model.ended(), trace


def events(trace: list[dict[str, Any]], outage: Outage, graph: Graph) -> list[dict[str, Any]]:
    """What happens with the robot, lane or lift while it is out of order and must not."""
    lanes = {(h.start, h.end): h.lane for hops in graph.net.hops.values() for h in hops}
    at: dict[str, tuple[int, int]] = {}
    found: list[dict[str, Any]] = []
    for record in trace:
        name = record.get("robot", "")
        if "depart" in record:
            at[name] = tuple(record["depart"])
        if not outage.begins_ms < record["t"] < outage.ends_ms:
            continue
        match outage.kind:
            case Kind.ROBOT:
                wrong = name == f"r{outage.number}"
            case Kind.LANE:
                wrong = "depart" in record and lanes[at[name]] == outage.number
            case Kind.LIFT:
                moves = "depart" in record or "arrive" in record
                wrong = moves and lanes[at[name]] == outage.number
        found += [record] if wrong else []
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_go_on_around_what_is_out_of_order_and_after_it(graph: Graph, scheme: str) -> None:
    outages = draw_outages(graph, 10, 3, ROUGH, round(0.7 * HOUR_MS))
    assert {outage.kind for outage in outages} == set(Kind)
    ended, trace = drive(graph, outages, scheme)
    assert judge(SMALL, trace) == ended.trips > 0
    assert (ended.deadlocks, ended.collisions) == (0, 0)
    for outage in outages:
        assert events(trace, outage, graph) == []


def test_without_faults_nothing_is_drawn(graph: Graph) -> None:
    assert draw_outages(graph, 10, 3, FAULTS["none"], HOUR_MS) == []


def test_one_robot_more_leaves_the_others_their_luck(graph: Graph) -> None:
    few = draw_outages(graph, 9, 3, ROUGH, HOUR_MS)
    more = draw_outages(graph, 10, 3, ROUGH, HOUR_MS)
    assert [o for o in more if (o.kind, o.number) != (Kind.ROBOT, 9)] == few
    assert draw_outages(graph, 9, 4, ROUGH, HOUR_MS) != few


def test_what_is_out_of_order_fails_again_only_afterwards(graph: Graph) -> None:
    outages = draw_outages(graph, 10, 3, ROUGH, 50 * HOUR_MS)
    last: dict[tuple[Kind, int], int] = {}
    for outage in sorted(outages, key=lambda o: o.begins_ms):
        key = outage.kind, outage.number
        assert outage.begins_ms > last.get(key, 0)
        assert ROUGH.lasts_ms[0] <= outage.ends_ms - outage.begins_ms <= ROUGH.lasts_ms[1]
        last[key] = outage.ends_ms
    assert {number for kind, number in last if kind is Kind.LIFT} == set(graph.lifts)


def test_a_robot_is_late_by_the_time_it_was_broken_down(graph: Graph) -> None:
    _, smooth = drive(graph, [], "sipp", robots=1, hours=0.1)
    depart = next(record for record in smooth if "depart" in record)
    arrive = next(record for record in smooth if "arrive" in record)
    begins_ms = (depart["t"] + arrive["t"]) // 2
    outage = Outage(begins_ms, begins_ms + 100_000, Kind.ROBOT, 0)
    _, late = drive(graph, [outage], "sipp", robots=1, hours=0.1)
    assert next(record for record in late if "arrive" in record)["t"] == arrive["t"] + 100_000


def test_a_broken_robot_is_not_said_to_wait(graph: Graph) -> None:
    asks_ms = 45_000
    outages = [Outage(1000, asks_ms + 200_000, Kind.ROBOT, 0)]
    ended, trace = drive(graph, outages, "sipp", robots=1, hours=0.1)
    assert next(record for record in trace if "depart" in record)["t"] > asks_ms + 200_000
    assert ended.longest_wait_s < 60


def test_a_lift_that_never_works_is_no_deadlock(graph: Graph) -> None:
    """Both lifts: who is on the wrong floor waits, or is given another goal."""
    outages = [Outage(1, HOUR_MS, Kind.LIFT, lift) for lift in graph.lifts]
    ended, _ = drive(graph, outages, "sipp+tail", robots=8, hours=0.5)
    assert (ended.deadlocks, ended.collisions) == (0, 0)
    assert ended.trips > 40


def test_the_benchmarks_hospitals_are_of_this_kind() -> None:
    folder = SHARED / "benchmarks" / "mapf" / "hospital"
    if not folder.exists():
        pytest.skip("needs the benchmarks in ../shared/benchmarks")
    for name, floors, lifts in (("A", 1, []), ("C", 3, [0, 4, 8, 12])):
        theirs = json.loads((folder / f"hospital-{name}.json").read_text())
        ours = hospital(floors, lifts)
        assert _lanes(theirs) == _lanes(ours)
        assert theirs["rooms"] == ours["rooms"]


def _lanes(raw: dict[str, Any]) -> list[list[tuple[int, int, int]]]:
    lanes: dict[int, list[tuple[int, int, int]]] = {}
    for start, end, ms, resource in raw["edges"]:
        lanes.setdefault(resource, []).append((start, end, ms))
    return sorted(sorted(edges) for edges in lanes.values())
