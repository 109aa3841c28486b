"""The pytest plug-in as a user meets it: a test of theirs, and what pytest prints of it."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from routing.solving import solver
from sim.running import rehearsal
from tests.sim.hospital import scenario_file

pytest_plugins = ["pytester"]

PLUGIN = "sim.pytest_plugin"
INSTALLED = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
MEAL = """
MEAL = dict(item="meal", goods="food", source="laboratory", to="ward", mass_kg=5.0)
"""


class OutcomeOf:
    """Runs a user's test module, which lies beside a scenario file in another folder."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self._folder = pytester.mkdir("theirs")
        scenario_file(self._folder, homes=("park-1", "park-2"))

    def __call__(self, text: str) -> pytest.RunResult:
        (self._folder / "test_theirs.py").write_text(MEAL + text, encoding="utf-8")
        plugin = () if INSTALLED else ("-p", PLUGIN)
        return self._pytester.runpytest_inprocess(*plugin, "-p", "no:asyncio", "theirs")


@pytest.fixture(scope="module")
def loaded() -> None:
    """An inner run forgets what it imports, and numba can be imported only once."""
    assert rehearsal.Rehearsal
    solver.warm_up()


@pytest.fixture
def outcome_of(loaded: None, pytester: pytest.Pytester) -> OutcomeOf:
    return OutcomeOf(pytester)


def test_a_users_tests_pass_and_share_a_fixture_of_theirs(outcome_of: OutcomeOf) -> None:
    result = outcome_of("""
import pytest

@pytest.fixture
def hospital(wardline):
    with wardline.scenario("story.yaml", seed=3, set={"dispatch.load_s": 5.0}) as hospital:
        yield hospital

def test_meals_come_although_the_lift_is_out(hospital):
    hospital.inject(lift="lift-1", fault="stop", lasts="2min")
    meal = hospital.submit("delivery", **MEAL)
    hospital.until(lambda: meal.state == "done", within="30min")
    assert 120 < hospital.now_s < 1800
    assert hospital.scenario.dispatch.load_s == 5.0

def test_nothing_is_left_of_the_test_before(hospital):
    assert hospital.now_s < 1
    assert hospital.submit("delivery", **MEAL).id == "T-000001"
""")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("story.yaml") as hospital:
        meal = hospital.submit("delivery", **MEAL)
        hospital.until_done(meal, within="1min")
""",
            [
                '>*hospital.until_done(meal, within="1min")',
                "E*NotSo: not so within 1min",
                "E*story, seed 0, at 00:01:00*",
                "E*  C1  battery 100%  at *T-000001, stop * of 2; mission M-00000* to *",
                "E*  T-000001  delivery meal (laboratory -> ward); underway by C1*ETA 00:0*",
                "E*alerts: none",
            ],
            id="not in time",
        ),
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("story.yaml") as hospital:
        hospital.submit("delivery", **MEAL)
        hospital.wait(30)
        hospital.inject(vehicle="C1", fault="battery", share=0.0001)
        hospital.wait("5min")
""",
            [
                '>*hospital.wait("5min")',
                "E*RuleBroken: 00:0*energy: C1 has run its battery flat at *",
                "E*C1  battery 0%*",
            ],
            id="a broken rule",
        ),
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("stroy") as hospital:
        pass
""",
            ["E*there is no file 'stroy', and no scenario of ours: any-site, dispensers, *"],
            id="no such scenario",
        ),
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("story.yaml", set={"duratoin": "1h"}) as hospital:
        pass
""",
            ["E*story.yaml: line 1: unknown key 'duratoin' in the file; did you mean 'duration'?"],
            id="no such key",
        ),
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("story.yaml") as hospital:
        hospital.inject(lift="lift-2", fault="stop")
""",
            [
                '>*hospital.inject(lift="lift-2", fault="stop")',
                "E*ConfigFault: inject: there is no lift 'lift-2'; did you mean 'lift-1'?",
            ],
            id="no such lift",
        ),
        pytest.param(
            """
def test_theirs(wardline):
    with wardline.scenario("story.yaml") as hospital:
        hospital.submit("delivery", **{**MEAL, "to": "wrad"})
""",
            ["E*Refused: to.0: unknown_place*send a place's id; did you mean ward?"],
            id="a refused request",
        ),
    ],
)
def test_what_goes_wrong_is_told_at_the_users_own_line(
    outcome_of: OutcomeOf, text: str, said: list[str]
) -> None:
    result = outcome_of(text)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(said)
    result.stdout.no_fnmatch_line("*sim/*.py:*")


def test_it_costs_the_start_of_pytest_nothing_and_changes_no_other_test() -> None:
    heavy = (
        *["asyncio", "numpy", "pydantic", "dispatcher", "routing", "fleet"],
        "sim.scenario.config",
    )
    program = (
        "import sys, pytest; before = set(sys.modules); import sim.pytest_plugin as plugin;"
        f"print(sorted((set(sys.modules) - before) & {set(heavy)}));"
        "print([name for name in vars(plugin) if name.startswith('pytest_')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["[]", "[]"]), done.stderr
