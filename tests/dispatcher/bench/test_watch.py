"""`wardline bench watch`: cases in, visits out; what they are worth by a checker of its own."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dispatcher.bench.watch_case import read_case
from dispatcher.cli import make_app
from tests.dispatcher.bench.watch_checker import Wrong, worst_idleness_s
from tests.folders import SHARED

BENCHMARKS = SHARED / "benchmarks" / "patrol"

CORRIDOR: dict[str, Any] = {
    "name": "corridor",
    "kind": "patrol",
    "nodes": 7,
    "edges": [
        *([a, a + 1, 10.0] for a in range(4)),
        *([a + 1, a, 10.0] for a in range(4)),
        *([2, 5, 4.0], [5, 2, 4.0], [4, 6, 3.0], [6, 4, 3.0]),
    ],
    "points": [0, 2, 5, 6],
}
"""0 - 1 - 2 - 3 - 4 with rooms 5 at 2 and 6 at 4; whoever goes from 0 to 6 passes 2."""
FIELD: dict[str, Any] = {
    "name": "field",
    "kind": "watch",
    "xy": [[0, 0], [100, 0], [100, 100], [0, 100], [3, 4]],
    "speed": 10.0,
    "accel": 2.0,
    "look_s": 10.0,
}


class Answer:
    """What a command said, and how it ended."""

    def __init__(self, *arguments: str | Path) -> None:
        result = CliRunner().invoke(make_app(), ["bench", "watch", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "cases"
    (folder / "deep").mkdir(parents=True)
    (folder / "corridor.json").write_text(json.dumps(CORRIDOR))
    (folder / "deep" / "field.json").write_text(json.dumps(FIELD))
    (folder / "area.json").write_text(json.dumps({"name": "area", "kind": "coverage"}))
    (folder / "notes.json").write_text("not JSON")
    return folder


def test_every_visit_is_written_and_is_worth_what_the_row_says(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = Answer(cases, "--budget-s", "0.02", "--out", out, "--vehicles", "1,2,5", "--json").rows
    assert [(row["case"], row["k"]) for row in rows] == [
        (name, k) for name in ("corridor", "field") for k in (1, 2, 5)
    ]
    for row in rows:
        answer = json.loads((out / f"{row['case']}-{row['k']}.json").read_text())
        assert set(answer) == {"case", "k", "vehicles", "steady_from", "horizon"}
        assert len(answer["vehicles"]) == row["k"] == answer["k"]
        case = CORRIDOR if row["case"] == "corridor" else FIELD
        found_s = worst_idleness_s(case, answer)
        assert found_s == pytest.approx(row["worst_idle_s"], abs=0.01)
        assert row["bound_s"] <= row["worst_idle_s"] + 0.01


def test_the_best_rings_of_a_corridor(cases: Path) -> None:
    """There and back with both rooms: 2 (40 + 4 + 3) s, evenly shared by two."""
    one, two = Answer(
        cases / "corridor.json", "--budget-s", "0.02", "--vehicles", "1,2", "--json"
    ).rows
    assert (one["worst_idle_s"], two["worst_idle_s"]) == (94.0, 47.0)


def test_points_that_are_passed_are_seen(cases: Path, tmp_path: Path) -> None:
    Answer(cases, "--budget-s", "0.02", "--out", tmp_path, "--vehicles", "1")
    ((*_, visits),) = [json.loads((tmp_path / "corridor-1.json").read_text())["vehicles"]]
    points = [point for _, point in visits]
    assert points.count(2) > 1.9 * points.count(0)
    assert read_case(cases / "corridor.json").passed[0, 3] == ((1, 20.0),)


def test_random_patrols_are_measured_and_never_later_than_two_tours(
    cases: Path, tmp_path: Path
) -> None:
    common = (cases, "--budget-s", "0.02", "--vehicles", "1,2", "--unpredictable")
    rows = Answer(*common, "--visits", "1000", "--out", tmp_path, "--json").rows
    for row in rows:
        case = CORRIDOR if row["case"] == "corridor" else FIELD
        answer = json.loads((tmp_path / f"{row['case']}-{row['k']}.json").read_text())
        found_s = worst_idleness_s(case, answer)
        assert found_s == pytest.approx(row["worst_idle_s"], abs=0.01)
        assert found_s <= 2 * row["tour_s"] + 0.01
        assert 0 <= row["secret"]["detection"] <= 1
        assert row["secret"]["worst_s"] <= 2 * row["tour_s"] + 0.01
    assert Answer(*common, "--visits", "1000", "--json").rows[0]["secret"] == rows[0]["secret"]
    for row in Answer(*common, "--visits", "1000", "--tours", "1", "--json").rows:
        assert row["worst_idle_s"] <= row["tour_s"] + 0.01


def test_people_get_tables(cases: Path) -> None:
    plain = Answer(cases, "--budget-s", "0.02", "--vehicles", "1")
    assert plain.out.splitlines()[0].split() == [
        *("case", "vehicles", "worst", "idle", "s", "bound", "s", "CPU", "s")
    ]
    random_ = Answer(
        cases / "corridor.json", "--budget-s", "0.02", "--vehicles", "1", "--unpredictable",
        "--visits", "1000",
    )  # fmt: skip
    assert "detection" in random_.out.splitlines()[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"edges": CORRIDOR["edges"][:-1]}, "no way from point 6 to point 0"),
        ({"points": []}, "patrol.points: List should have at least 1 item"),
        ({"points": [0, 0]}, "points.1 is node 0 once more; name each point once"),
        ({"points": [7]}, "points.0 is node 7, which there is not; nodes are 0 to 6"),
        ({"edges": [[0, 9, 1.0]]}, "edges.0 is at node 9"),
        ({"edges": [[0, 1, -1.0]]}, "greater than or equal to 0"),
        ({"edges": [[0, 1]]}, "patrol.edges.0.2: Field required"),
        ({"nodes": 0}, "patrol.nodes"),
        ({"name": "../evil"}, "patrol.name"),
        ({"kind": "response"}, "'patrol', 'watch'"),
    ],
)
def test_a_broken_case_is_named_with_its_fault(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({**CORRIDOR, **change}))
    answer = Answer(path)
    assert answer.code == 1
    assert str(path) in answer.err
    assert said in answer.err


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "it is no JSON"), ("[1]", "write a case of kind"), ("[" * 100_000, "it is no JSON")],
)
def test_what_is_no_case_is_said_so(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "no.json"
    path.write_text(text)
    answer = Answer(path)
    assert answer.code == 1
    assert said in answer.err


def test_an_infinite_time_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "field.json"
    path.write_text(json.dumps({**FIELD, "look_s": math.inf}))
    assert "watch.look_s: Input should be a finite number" in Answer(path).err


@pytest.mark.parametrize("vehicles", ["0", "-1", "two", "1.5", "1001", "", "²"])
def test_no_such_number_of_vehicles(cases: Path, vehicles: str) -> None:
    answer = Answer(cases, "--vehicles", vehicles)
    assert answer.code == 2
    assert "write 1,2,4,8" in answer.err


def test_wrong_use_is_told_before_anything_is_solved(cases: Path, tmp_path: Path) -> None:
    assert "check the path" in Answer(tmp_path / "nowhere.json").err
    (tmp_path / "empty").mkdir()
    assert "name another folder" in Answer(tmp_path / "empty").err
    assert "--budget-s 0" in Answer(cases, "--budget-s", "0").err
    (cases / "copy.json").write_text(json.dumps(CORRIDOR))
    assert "both hold 'corridor'" in Answer(cases).err
    blocked = tmp_path / "file"
    blocked.write_text("")
    answer = Answer(cases / "corridor.json", "--budget-s", "0.01", "--out", blocked)
    assert answer.code == 2
    assert "choose another place" in answer.err


def test_the_same_case_named_twice_is_one(cases: Path) -> None:
    rows = Answer(cases, cases / "corridor.json", "--budget-s", "0.01", "--json").rows
    assert len(rows) == 8


# --- the checker


def test_the_checker_sees_what_is_wrong() -> None:
    good = {
        "k": 1,
        "vehicles": [[[0.0, 0], [20.0, 2], [24.0, 5], [28.0, 2]]],
        "steady_from": 0.0,
        "horizon": 30.0,
    }
    assert worst_idleness_s({**CORRIDOR, "points": [0, 2, 5]}, good) == 30.0
    with pytest.raises(Wrong, match="too fast"):
        worst_idleness_s(CORRIDOR, {**good, "vehicles": [[[0.0, 0], [19.0, 2]]]})
    with pytest.raises(Wrong, match="no point"):
        worst_idleness_s(CORRIDOR, {**good, "vehicles": [[[0.0, 1]]]})
    with pytest.raises(Wrong, match="2 vehicles instead of 1"):
        worst_idleness_s(CORRIDOR, {**good, "vehicles": [[], []]})


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="the development cases are elsewhere")
@pytest.mark.parametrize(
    ("name", "k", "most_s"),
    [
        ("patrol_hospital_A", 8, 67.4),
        ("patrol_psim_DIAG_floor1", 4, 97.3),
        ("watch_air_24", 4, 253.4),
    ],
)
def test_development_cases_are_as_good_as_known(
    name: str, k: int, most_s: float, tmp_path: Path
) -> None:
    file = BENCHMARKS / f"{name}.json"
    (row,) = Answer(
        file, "--budget-s", "0.2", "--vehicles", str(k), "--out", tmp_path, "--json"
    ).rows
    answer = json.loads((tmp_path / f"{row['case']}-{k}.json").read_text())
    assert worst_idleness_s(json.loads(file.read_text()), answer) <= most_s
