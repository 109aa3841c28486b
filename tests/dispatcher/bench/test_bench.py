"""`wardline bench`: instances in, answers, tables and JSON out; mistakes become messages."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dispatcher.bench import peer, run
from dispatcher.bench.fair import fairly
from dispatcher.bench.files import ALLOCATIONS, TOURS, find
from dispatcher.bench.job import Job, work
from dispatcher.bench.table import Row, cells, mean_cells
from dispatcher.commands.bench import bench
from routing.instances.instance import Objective
from tests.folders import SHARED

BENCHMARKS = SHARED / "benchmarks"

LILIM = """2\t20\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t10\t0\t50\t2\t0\t2
2\t6\t8\t-10\t0\t60\t2\t1\t0
3\t0\t5\t15\t0\t70\t1\t0\t4
4\t0\t9\t-15\t0\t80\t1\t3\t0
"""
SOLOMON = """small

VEHICLE
NUMBER     CAPACITY
  2         30

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0       0      0      0    100     0
    1      3       4     10      7     20     2
    2      0      10     20      0     50     1
"""
ELECTRIC = """StringID Type x y demand ReadyTime DueDate ServiceTime
D0 d 0.0 0.0 0.0 0.0 200.0 0.0
S0 f 0.0 0.0 0.0 0.0 200.0 0.0
C1 c 3.0 4.0 5.0 0.0 90.0 2.0

Q Vehicle fuel tank capacity /16.0/
C Vehicle load capacity /10.0/
r fuel consumption rate /1.0/
g inverse refueling rate /3.01/
v average Velocity /1.0/
"""
ALLOCATION: dict[str, Any] = {
    "name": "yard",
    "graph": {
        "waypoints": [{"x": 0, "y": 0}, {"x": 3, "y": 4}],
        "lanes": [[0, 1], [1, 0]],
    },
    "robot": {"v": 0.5},
    "agents": [{"name": "r0", "start": 0}, {"name": "r1", "start": 1}],
    "deliveries": [
        {"id": "a", "pickup": 0, "dropoff": 1, "earliest_s": 9, "pickup_s": 5, "dropoff_s": 5},
        {"id": "b", "pickup": 1, "dropoff": 0, "earliest_s": 0, "pickup_s": 5, "dropoff_s": 5},
    ],
}
ROUTING = ("--objective", "distance", "--budget-s", "0.1")


class Answer:
    """What a command said, and how it ended."""

    def __init__(self, *arguments: str | Path) -> None:
        result = CliRunner().invoke(bench, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two instances, an allocation and what else lies about in such folders."""
    inner = tmp_path / "inside" / "deeper"
    inner.mkdir(parents=True)
    (tmp_path / "pairs.data").write_text(LILIM)
    (inner / "small.txt").write_bytes(SOLOMON.replace("\n", "\r\n").encode())
    (tmp_path / "yard.json").write_text(json.dumps(ALLOCATION))
    (tmp_path / "pairs.bks.json").write_text('{"routes": [[1, 2]]}')
    (tmp_path / "yard.matrix.json").write_text(
        json.dumps({"waypoints": [0, 1], "seconds": [[0.0, 12.0], [12.0, 0.0]]})
    )
    (tmp_path / "index.json").write_text("[]")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe\x00")
    (tmp_path / "empty.txt").touch()
    (tmp_path / ".hidden").write_text(LILIM)
    return tmp_path


# -- answers -------------------------------------------------------------------------------


@pytest.mark.long
def test_a_folder_is_solved_and_answered_in_json(folder: Path) -> None:
    out = folder / "out" / "today"
    answer = Answer("routing", folder, *ROUTING, "--out", out, "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)
    assert [(row["instance"], row["solver"], row["ok"]) for row in rows] == [
        ("pairs", "wardline", True),
        ("small", "wardline", True),
    ]
    assert set(rows[0]) == {
        *("instance", "solver", "objective", "vehicles", "distance"),
        *("cpu_s", "peak_rss_mb", "ok"),
    }
    assert rows[0]["distance"] == pytest.approx(10 + 2 * 45**0.5 + 4 + 9 - 45**0.5, abs=1e-4)
    assert rows[0]["peak_rss_mb"] > 10
    pairs = json.loads((out / "pairs.json").read_text())
    assert pairs["instance"] == "pairs"
    assert sorted(stop for route in pairs["routes"] for stop in route) == [1, 2, 3, 4]


@pytest.mark.long
def test_an_allocation_is_solved_by_its_matrix(folder: Path) -> None:
    answer = Answer("allocation", folder, "--budget-s", "0.1", "--out", folder / "o", "--json")
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    assert row["flow_s"] == 22 + 22
    assert row["makespan_s"] == 31
    assert {"vehicles", "cpu_s", "peak_rss_mb", "ok"} < set(row)
    written = json.loads((folder / "o" / "yard.json").read_text())
    assert written == {"instance": "yard", "routes": {"r0": ["a"], "r1": ["b"]}}


@pytest.mark.parametrize("text", [LILIM, SOLOMON], ids=["pairs", "windows"])
@pytest.mark.parametrize("name", list(peer.PEERS))
def test_a_peer_solves_the_same_whole_numbers(tmp_path: Path, name: str, text: str) -> None:
    pytest.importorskip(peer.PEERS[name].package)
    (tmp_path / "x.txt").write_text(text)
    jobs = [
        Job(file=tmp_path / "x.txt", solver=solver, objective=objective, budget_s=0.1, seed=0)
        for objective, solver in ((Objective.DISTANCE, name), (Objective.DISTANCE, peer.OURS))
    ]
    theirs, ours = map(work, jobs)
    assert theirs.figures == ours.figures
    assert theirs.figures.ok
    assert 0 < theirs.cpu_s < 1


@pytest.mark.long
def test_people_get_a_table_with_gaps(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(LILIM)
    answer = Answer("routing", tmp_path / "pairs.txt", *ROUTING, "--peers", "ortools")
    assert answer.code == 0
    for word in (
        "instance",
        "distance",
        "gap %",
        "CPU s",
        "pairs",
        "wardline",
        "ortools",
        "1 of 1",
    ):
        assert word in answer.out


def test_a_peer_that_can_not_charge_says_so(tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text(ELECTRIC)
    job = Job(
        file=tmp_path / "e.txt",
        solver="ortools",
        objective=Objective.DISTANCE,
        budget_s=0.1,
        seed=0,
    )
    assert work(job).figures.why == "not supported: recharging"


@pytest.mark.long
def test_an_answer_that_is_not_whole_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(SOLOMON.replace("   100     0", "    14     0"))
    answer = Answer("routing", tmp_path, *ROUTING, "--json")
    (row,) = json.loads(answer.out)
    assert answer.code == 1
    assert row["ok"] is False
    assert row["distance"] is None
    assert "1 of 2 customers not visited: 2" in row["why"]


@pytest.mark.long
@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="needs the files in ../shared/benchmarks")
@pytest.mark.parametrize(
    ("checker", "instance"),
    [
        ("check_routing.py", "routing/pdptw_lilim/lc101.txt"),
        ("check_allocation.py", "allocation/clinic_5x20_now.json"),
    ],
)
def test_the_benchmarks_own_checker_agrees(tmp_path: Path, checker: str, instance: str) -> None:
    file = BENCHMARKS / instance
    command = checker.removeprefix("check_").removesuffix(".py")
    how = ("--objective", "distance") if command == "routing" else ()
    answer = Answer(command, file, *how, "--budget-s", "0.1", "--out", tmp_path, "--json")
    assert answer.code == 0, answer.out
    (row,) = json.loads(answer.out)
    told = subprocess.run(
        [sys.executable, BENCHMARKS / "checkers" / checker, file, tmp_path / f"{file.stem}.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    verdict = json.loads(told.stdout)
    assert verdict["ok"]
    for figure in ("vehicles", "distance") if command == "routing" else ("flow_s", "makespan_s"):
        assert verdict[figure] == row[figure]


@pytest.mark.long
@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="needs the files in ../shared/benchmarks")
def test_every_public_instance_is_found_and_is_a_problem() -> None:
    tours = find([BENCHMARKS / "routing"], TOURS)
    assert not tours.faults
    names = {file.stem for file, _ in tours.instances}
    assert {"lrc1_10_5", "R104", "rc2_2_4", "c103_21"} < names
    assert not names & {"p04", "index", "reference-distance", "X101-FSMFD"}
    allocations = find([BENCHMARKS / "allocation"], ALLOCATIONS)
    assert len(allocations.instances) == len(list((BENCHMARKS / "allocation").glob("*_now.json")))
    for _, instance in (*tours.instances, *allocations.instances):
        for objective in instance.objectives:
            assert instance.problem(objective).requests


# -- mistakes ------------------------------------------------------------------------------


def test_every_bad_file_is_named_with_its_line_and_nothing_is_solved(folder: Path) -> None:
    (folder / "bad.txt").write_text(LILIM.replace("\t1\t0\n3", "\t1\n3"))
    (folder / "worse.txt").write_bytes(LILIM.encode().replace(b"-15", b"\xff15"))
    answer = Answer("routing", folder, *ROUTING, "--out", folder / "out")
    assert answer.code == 1
    assert f"{folder / 'bad.txt'}: line 4: 8 columns" in answer.err
    assert f"{folder / 'worse.txt'}: the file is not text in UTF-8" in answer.err
    assert "save it as UTF-8" in answer.err
    assert not (folder / "out").exists()
    assert answer.out == ""


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("x.txt", None, 2, "there is no file"),
        ("x.txt", b"", 1, "the file is empty; name another file"),
        ("x.txt", b"once upon a time", 1, "this is no instance (Li-Lim"),
        ("x.txt", LILIM.encode("utf-16"), 1, "not text in UTF-8"),
        ("x.json", json.dumps(ALLOCATION).encode(), 2, "use: wardline bench allocation"),
        ("x.json", b'{"deliveries": [', 2, "use: wardline bench allocation"),
    ],
)
def test_a_file_that_is_no_instance_is_named(
    tmp_path: Path, name: str, content: bytes | None, code: int, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    answer = Answer("routing", tmp_path / name, *ROUTING)
    assert answer.code == code
    assert says in answer.err
    assert str(tmp_path / name) in answer.err
    assert answer.err.count("\n") == 1


def test_an_allocation_cut_short_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "yard.json"
    file.write_text(json.dumps(ALLOCATION, indent=1)[:-30])
    answer = Answer("allocation", file)
    assert answer.code == 1
    assert f"{file}: line " in answer.err
    assert "not JSON" in answer.err
    answer = Answer("allocation", tmp_path)
    assert answer.code == 1, "in a folder as well"


def test_a_folder_without_instances_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    answer = Answer("routing", tmp_path, *ROUTING)
    assert answer.code == 2
    assert "holds no instance (Li-Lim, Schneider, Solomon)" in answer.err


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf", "1e9"])
def test_without_time_nothing_is_solved(folder: Path, budget: str) -> None:
    answer = Answer("allocation", folder, "--budget-s", budget)
    assert answer.code == 2
    assert "--budget-s" in answer.err
    assert "between" in answer.err


def test_an_unknown_peer_is_told_who_there_is(folder: Path) -> None:
    answer = Answer("routing", folder, *ROUTING, "--peers", "ortools,cplex")
    assert answer.code == 2
    assert "no peer 'cplex'; choose from pyvrp, vroom, ortools" in answer.err


def test_a_peer_that_is_missing_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_spec("no_such_solver") is None
    monkeypatch.setitem(peer.PEERS, "vroom", peer.Peer("no_such_solver", "nowhere"))
    answer = Answer("routing", folder, *ROUTING, "--peers", "vroom")
    assert answer.code == 2
    assert "vroom is not installed; pip install wardline[bench]" in answer.err


def test_answers_that_would_overwrite_each_other_are_refused(folder: Path) -> None:
    (folder / "inside" / "pairs.txt").write_text(LILIM)
    answer = Answer("routing", folder, *ROUTING, "--out", folder / "out")
    assert answer.code == 2
    assert "both be answered in pairs.json" in answer.err
    file = folder / "pairs.data"
    answer = Answer("routing", file, file, *ROUTING, "--out", file / "x")
    assert answer.code == 2
    assert "can't make" in answer.err


def test_what_is_asked_for_must_be_said() -> None:
    assert Answer("routing", "x.txt", "--budget-s", "1").code == 2
    assert Answer("routing", "x.txt", "--objective", "distance").code == 2
    assert Answer("routing", "x.txt", "--objective", "beauty", "--budget-s", "1").code == 2
    assert Answer("routing", *ROUTING).code == 2


# -- sums and clocks -----------------------------------------------------------------------


def _row(instance: str, solver: str, vehicles: int | None, distance: float | None) -> Row:
    return Row(
        instance=instance,
        solver=solver,
        objective=Objective.VEHICLES,
        vehicles=vehicles,
        distance=distance,
        flow_s=None,
        makespan_s=None,
        cpu_s=1.0,
        peak_rss_mb=100.0,
        why=None if vehicles else "no plan",
    )


def test_gaps_are_over_the_best_of_the_run_with_as_few_vehicles() -> None:
    rows = [
        _row("a", "wardline", 10, 110.0),
        _row("a", "pyvrp", 10, 100.0),
        _row("b", "wardline", 3, 300.0),
        _row("b", "pyvrp", 4, 200.0),
        _row("c", "wardline", 5, 50.0),
        _row("c", "pyvrp", None, None),
    ]
    columns, found = cells(rows)
    gaps = [row[columns.index("gap %")] for row in found]
    assert gaps == ["10.00", "0.00", "0.00", "", "0.00", ""]
    assert found[-1][-1] == "no plan"
    columns, means = mean_cells(rows)
    assert columns[:4] == ("solver", "answers", "vehicles over best", "gap %")
    assert list(means[0][:4]) == ["wardline", "3 of 3", "0.00", "3.33"]
    assert list(means[1][:4]) == ["pyvrp", "2 of 3", "0.50", "0.00"]
    assert run.ours_failed(rows) is False


def test_a_solver_that_sleeps_gets_more_of_the_walls_clock() -> None:
    limits: list[float] = []

    def lazy(limit_s: float) -> str:
        limits.append(limit_s)
        return "answer"

    answer, cpu_s = fairly(60.0, lazy)
    assert answer == "answer"
    assert cpu_s < 60.0
    assert limits == [60.0], "it has ended by itself: more time would not help"
