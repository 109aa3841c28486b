"""`wardline bench coverage`: cases in, sorties out, judged by a scorer of somebody else's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dispatcher.bench.coverage import read_case
from dispatcher.cli import make_app
from routing.errors import InstanceError
from routing.survey.case import SurveyPlan
from tests.folders import SHARED
from tests.routing.survey.checker import faults

BENCHMARKS = SHARED / "benchmarks" / "patrol"

FIELD: dict[str, Any] = {
    "name": "field",
    "kind": "coverage",
    "area": [[0, 0], [400, 0], [400, 300], [0, 300]],
    "nofly": [[[150, 100], [250, 100], [250, 200], [150, 200]]],
    "fence": [[-60, -60], [460, -60], [460, 360], [-60, 360]],
    "docks": [[-20, -20], [420, 320]],
    "drones": [{"dock": 0}, {"dock": 1}],
    "wind": [3, -2],
    "required_share": 0.995,
    "speed": 10.0,
    "accel": 2.0,
    "airspeed_max": 15.0,
    "footprint_w": 60.0,
    "footprint_l": 45.0,
    "usable_s": 1260.0,
    "swap_s": 120.0,
    "takeoff_s": 20.0,
    "landing_s": 40.0,
}


class Answer:
    """What the command said, and how it ended."""

    def __init__(self, *arguments: str | Path) -> None:
        result = CliRunner().invoke(make_app(), ["bench", "coverage", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr


@pytest.fixture
def field(tmp_path: Path) -> Path:
    path = tmp_path / "field.json"
    path.write_text(json.dumps(FIELD))
    (tmp_path / "other.json").write_text(json.dumps({"name": "rooms", "kind": "patrol"}))
    return path


def test_a_folder_of_cases_gives_rows_and_sorties(field: Path, tmp_path: Path) -> None:
    out = tmp_path / "plans"
    answer = Answer(field.parent, "--budget-s", "0.2", "--out", out, "--json")
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    assert row["case"] == "field"
    assert row["valid"] is True
    assert row["makespan_s"] > row["bound_s"]
    sorties = json.loads((out / "field.json").read_text())["drones"]
    plan = SurveyPlan(
        sorties=tuple(tuple(tuple(map(tuple, way)) for way in own) for own in sorties),
        finish_s=(row["makespan_s"],) * 2,
        seen=row["covered"],
    )
    found = faults(read_case(field).survey, plan)
    assert [fault for fault in found if "is done at" not in fault] == []


def test_a_table_for_people(field: Path) -> None:
    answer = Answer(field, "--budget-s", "0.1")
    assert answer.code == 0
    assert "makespan s" in answer.out
    assert "field" in answer.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"area": [[0, 0], [400, 300], [400, 0], [0, 300]]}, "area is no area"),
        ({"fence": [[0, 0], [1, 1]]}, "fence"),
        ({"docks": [[-200, 0], [420, 320]]}, "docks.0 is where no drone may be"),
        ({"drones": [{"dock": 2}]}, "docks are 0 to 1"),
        ({"footprint_w": 0.5}, "too wide for one survey"),
        ({"footprint_w": 0}, "footprint_w"),
        ({"speed": "fast"}, "speed"),
        ({"usable_s": 60}, "usable_s is over"),
        ({"usable_s": 90}, "take a dock nearer"),
        ({"required_share": 1.0}, "required_share"),
        ({"kind": "cover"}, "kind"),
    ],
)
def test_a_bad_case_is_named(
    change: dict[str, Any], words: str, field: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(FIELD | change))
    answer = Answer(path, "--budget-s", "0.1")
    assert answer.code == 1
    assert words in answer.err


@pytest.mark.parametrize("east_m", [-200_000, 200_000])
def test_how_wide_an_area_is_does_not_depend_on_where_it_lies(east_m: int, field: Path) -> None:
    def moved(ring: list[list[float]]) -> list[list[float]]:
        return [[x + east_m, y] for x, y in ring]

    rings = {key: moved(FIELD[key]) for key in ("area", "fence", "docks")}
    field.write_text(json.dumps(FIELD | rings | {"nofly": [moved(FIELD["nofly"][0])]}))
    assert read_case(field).survey.area.area == 400 * 300


def test_a_direction_across_the_corners_counts(field: Path) -> None:
    field.write_text(json.dumps(FIELD | {"footprint_w": 1.24}))
    with pytest.raises(InstanceError, match="too wide"):
        read_case(field)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.json",), "there is no file"),
        (("--budget-s", "0", "FIELD"), "--budget-s 0"),
        (("FIELD", "--out", "FIELD/deeper"), "choose another place"),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...], words: str, field: Path) -> None:
    answer = Answer(*(word.replace("FIELD", str(field)) for word in arguments), "--budget-s", "0.1")
    if "--budget-s" in arguments:
        answer = Answer(*(word.replace("FIELD", str(field)) for word in arguments))
    assert answer.code == 2
    assert words in answer.err


@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="needs the cases in ../shared/benchmarks")
@pytest.mark.parametrize("name", ["campus_L", "riverside_U"])
def test_a_public_case_is_valid_to_its_own_scorer(name: str, tmp_path: Path) -> None:
    case = BENCHMARKS / f"coverage_{name}.json"
    answer = Answer(case, "--budget-s", "0.5", "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    command = [sys.executable, BENCHMARKS / "score_coverage.py", case, tmp_path / f"{name}.json"]
    score = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert score["errors"] == []
    assert score["makespan_s"] == pytest.approx(row["makespan_s"], abs=0.2)
    assert score["covered"] == pytest.approx(row["covered"], abs=2e-4)
