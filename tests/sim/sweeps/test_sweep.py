"""Sweeps: which runs they are, what they keep, and what they say of two settings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app, told
from dispatcher.errors import ConfigFault, NotFound
from sim.options import WrongUse
from sim.sweeps.figures import FIGURES, paired, spread, values
from sim.sweeps.jobs import run_all, simulate
from sim.sweeps.store import FILE, Run, Store, key_of
from sim.sweeps.sweep import Setting, settings_of, split_values
from sim.sweeps.table import cells, rows_of
from tests.sim.hospital import scenario_file

DEMAND = """
demand:
  - {kind: delivery, total: 3, goods: food, from: [laboratory], to: [ward], mass_kg: [2, 20]}
"""
PLAIN = Setting("", ())


def a_run(source: Path, seed: int = 0, setting: Setting = PLAIN) -> Run:
    text = source.read_text() if source.exists() else ""
    return Run(
        key=key_of([text], setting, seed, 1200.0),
        scenario=str(source),
        site=None,
        setting=setting,
        seed=seed,
        until_s=1200.0,
    )


class TestSettings:
    def test_without_a_change_there_is_one(self) -> None:
        assert settings_of([]) == [PLAIN]

    def test_a_grid_has_every_combination_and_names_what_varies(self) -> None:
        found = settings_of(["load=1,2", "duration=1h", "vehicles.0.count=3,4"])
        assert [setting.label for setting in found] == [
            "load=1 0.count=3",
            "load=1 0.count=4",
            "load=2 0.count=3",
            "load=2 0.count=4",
        ]
        assert found[2].overrides == ("load=2", "duration=1h", "vehicles.0.count=3")

    def test_commas_in_brackets_and_quotes_part_nothing(self) -> None:
        text = "[], [{lift: lift-2, fault: stop}], 'a,b'"
        assert split_values(text) == ["[]", "[{lift: lift-2, fault: stop}]", "'a,b'"]

    @pytest.mark.parametrize("changes", [["load"], ["=1"], ["load=1,"], ["load=1", "load=2"]])
    def test_what_is_no_setting_is_refused(self, changes: list[str]) -> None:
        with pytest.raises(WrongUse, match="write"):
            settings_of(changes)


class TestFigures:
    def test_spread_and_difference_are_those_of_the_seeds_that_both_have(self) -> None:
        first, other = {0: 10.0, 1: 20.0, 2: 99.0}, {0: 13.0, 1: 24.0, 5: 1.0}
        found = paired(first, other)
        assert found is not None
        assert (found.mean, found.higher, found.lower) == (3.5, 2, 0)
        assert found.error == pytest.approx(0.5)
        assert paired({0: 1.0}, {1: 1.0}) is None
        one = spread([1.0, 2.0, 3.0])
        assert one is not None
        assert (one.mean, one.deviation, one.least, one.most) == (2.0, 1.0, 1.0, 3.0)
        assert spread([]) is None


class TestStore:
    def test_it_knows_a_run_by_all_that_decides_it(self, tmp_path: Path) -> None:
        file = tmp_path / "day.yaml"
        file.write_text("scenario: day\n")
        key = a_run(file).key
        assert key == a_run(file).key
        others = {
            a_run(file, seed=1).key,
            key_of([file.read_text()], PLAIN, 0, None),
            a_run(file, setting=Setting("load=2", ("load=2",))).key,
        }
        assert key not in others
        file.write_text("scenario: another\n")
        assert a_run(file).key != key

    def test_what_was_cut_off_is_forgotten_and_the_rest_kept(self, tmp_path: Path) -> None:
        file = tmp_path / "day.yaml"
        file.write_text("scenario: day\n")
        one, two = a_run(file), a_run(file, seed=1)
        Store(tmp_path).add(one, {"on_time_ratio": 1.0})
        kept = (tmp_path / FILE).read_text()
        (tmp_path / FILE).write_text(kept + '{"key": "abc", "summ')
        store = Store(tmp_path)
        assert store.get(one) == {"on_time_ratio": 1.0}
        assert store.get(two) is None
        store.add(two, {"on_time_ratio": 0.5})
        assert Store(tmp_path).get(two) == {"on_time_ratio": 0.5}

    @pytest.mark.parametrize("text", ["my notes\n", "my notes", '{"key": 1}\n'])
    def test_another_file_of_that_name_is_left_alone(self, tmp_path: Path, text: str) -> None:
        (tmp_path / FILE).write_text(text)
        with pytest.raises(ConfigFault, match="--out"):
            Store(tmp_path)
        assert (tmp_path / FILE).read_text() == text


@pytest.mark.long
def test_two_jobs_give_the_same_journals_as_none(tmp_path: Path) -> None:
    file = scenario_file(tmp_path, more=DEMAND)
    runs = [a_run(file, seed) for seed in (0, 1)]
    apart = {run.seed: ended for run, ended in run_all(runs, jobs=2)}
    here = {run.seed: simulate(run) for run in runs}
    for seed, summary in here.items():
        ended = apart[seed]
        assert isinstance(ended, dict)
        assert ended["journal_sha256"] == summary["journal_sha256"]
    rows = rows_of([PLAIN], {PLAIN: here})
    columns, lines = cells(rows)
    assert columns[:3] == ["setting", "runs", "on time %"]
    assert [line[:3] for line in lines] == [["as it is", "2", "100.0"]]
    on_time = next(figure for figure in FIGURES if figure.name == "on_time")
    assert values(on_time, here) == {0: 100.0, 1: 100.0}


@pytest.mark.long
def test_a_run_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    missing = a_run(tmp_path / "nothing.yaml")
    ended = dict(run_all([missing], jobs=1))
    assert "can't be read" in str(ended[missing])


def test_what_went_wrong_in_a_group_of_tasks_is_told_as_it_is() -> None:
    refused, mistake = NotFound("lane", "l-9"), ZeroDivisionError("by zero")
    words = told(ExceptionGroup("two", [ExceptionGroup("one", [refused]), refused, mistake]))
    assert words.startswith("there is no lane 'l-9'\na mistake in wardline itself: ZeroDivision")


class TestCommand:
    @pytest.mark.long
    def test_what_has_run_is_not_run_again(self, tmp_path: Path) -> None:
        file = scenario_file(tmp_path, more=DEMAND)
        words = ["sweep", str(file), "--until", "20min", "--out", str(tmp_path / "out"), "--json"]
        runner = CliRunner()
        first = runner.invoke(make_app(), [*words, "--seeds", "0", "--jobs", "1"])
        assert first.exit_code == 0, first.output
        lines = (tmp_path / "out" / FILE).read_text()
        again = runner.invoke(make_app(), [*words, "--seeds", "0"])
        assert json.loads(again.stdout) == json.loads(first.stdout)
        assert (tmp_path / "out" / FILE).read_text() == lines
        row = json.loads(first.stdout)[0]
        assert row["figures"]["on_time"]["by_seed"] == {"0": 100.0}
        assert "as it is" in (tmp_path / "out" / "sweep.html").read_text()

    @pytest.mark.parametrize(
        ("words", "remedy"),
        [
            (["--seeds", "9-0"], "0-9"),
            (["--seeds", "a-b"], "0-2"),
            (["--set", "load"], "key=value"),
            (["--seeds", "0-999", "--set", "load=1,2,3,4,5,6,7,8,9,10,11"], "fewer"),
            (["--until", "soon"], "--until"),
            (["--set", "vehicles.0.speed=fast"], "speed"),
        ],
    )
    def test_bad_input_says_what_to_do(self, tmp_path: Path, words: list[str], remedy: str) -> None:
        file = scenario_file(tmp_path, more=DEMAND)
        done = CliRunner().invoke(make_app(), ["sweep", str(file), *words])
        assert done.exit_code != 0
        assert remedy in done.output or remedy in str(done.exception)
        assert not (Path("sweeps") / file.stem).exists()
