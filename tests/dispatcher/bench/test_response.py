"""`wardline bench response`: the replay keeps its own rules, and says what is wrong with a file."""

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.bench.files import WrongUse
from dispatcher.bench.response import POLICIES, Case, read, run
from dispatcher.cli import make_app


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A town of 3 km with three sites and calls in two places."""
    luck = random.Random(1)

    def call(at_s: float) -> list[float]:
        x, y = luck.choice(((500, 500), (2500, 2500)))
        return [at_s, x + luck.uniform(-400, 400), y + luck.uniform(-400, 400)]

    case = {
        "name": "small",
        "kind": "response",
        "candidate_docks": [[500, 500], [1500, 1500], [2500, 2500]],
        "history": [call(0) for _ in range(40)],
        "test": [call(900 * number) for number in range(40)],
        "launch_s": 20,
        "speed": 18,
        "usable_s": 1800,
        "on_scene_s": 600,
        "on_scene_min_s": 300,
        "recharge_s": 1500,
        "overhead_s": 60,
    }
    path = tmp_path / "response_small.json"
    path.write_text(json.dumps(case))
    return path


def town(file: Path) -> Case:
    return read(file)


def test_with_a_dock_at_each_hot_spot_every_call_is_reached(file: Path) -> None:
    rows = list(run(town(file), docks=2, drones_per_dock=3, patrols=0))
    assert [row.policy for row in rows] == list(POLICIES)
    assert {row.placement_share for row in rows} == {1.0}
    assert all(row.placement_proven for row in rows)
    assert [row.within_120 for row in rows] == [1.0] * 4


def test_who_counts_energy_never_sends_a_drone_that_can_not_return(file: Path) -> None:
    rows = {
        row.policy: row for row in run(town(file), docks=2, drones_per_dock=1, patrols=2, seed=3)
    }
    assert rows["nearest_any"].cannot_return > 0
    assert rows["arrival_energy"].cannot_return == rows["wardline"].cannot_return == 0
    assert rows["wardline"].unanswered == 0


def test_the_command_answers_in_json(file: Path) -> None:
    done = CliRunner().invoke(make_app(), ["bench", "response", str(file.parent), "--json"])
    assert done.exit_code == 0, done.output
    assert [row["case"] for row in json.loads(done.stdout)] == ["small"] * 4


@pytest.mark.parametrize("text", ["{", '{"kind": "coverage"}', '{"kind": "response"}', "[]"])
def test_what_is_no_case_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "response_x.json"
    path.write_text(text)
    with pytest.raises(WrongUse, match=r"response_x\.json"):
        read(path)
    done = CliRunner().invoke(make_app(), ["bench", "response", str(path)])
    assert done.exit_code == 2
