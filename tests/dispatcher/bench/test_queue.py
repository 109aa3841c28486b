"""`wardline bench queue`: figures of a long queue, and a loop that does not feel the search."""

import json
from dataclasses import fields

import pytest
from typer.testing import CliRunner

from dispatcher.bench import queue as long_queue
from dispatcher.bench.queue import Figures, queue
from dispatcher.commands.bench import bench
from routing.problems.plan import check
from routing.solving.solver import insert


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the loop and a few repetitions instead of many."""
    for name, value in {"PROBED_S": 0.3, "SEARCH_S": 0.05, "ONE_MORE": 5, "ANEW": 3}.items():
        monkeypatch.setattr(long_queue, name, value)


@pytest.mark.long
@pytest.mark.usefixtures("quick")
def test_a_short_queue_has_all_figures() -> None:
    answer = CliRunner().invoke(bench, ["queue", "--requests", "12", "--vehicles", "3", "--json"])

    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert list(found) == [field.name for field in fields(Figures)]
    assert (found["requests"], found["vehicles"]) == (12, 3)
    assert 0 < found["insert_p50_ms"] <= found["insert_p99_ms"]
    assert found["insert_p50_ms"] < found["replan_p50_ms"] <= found["replan_p99_ms"]
    assert found["lag_p99_ms"] <= found["lag_max_ms"]


@pytest.mark.parametrize("option", ["--requests", "--vehicles"])
@pytest.mark.parametrize("value", ["0", "-3", "1000000", "many"])
def test_numbers_that_make_no_queue_are_refused(option: str, value: str) -> None:
    assert CliRunner().invoke(bench, ["queue", option, value]).exit_code == 2


def test_the_same_seed_gives_the_same_queue_and_all_of_it_can_be_planned() -> None:
    problem = queue(40, 6, seed=3)

    assert problem == queue(40, 6, seed=3)
    assert problem.requests != queue(40, 6, seed=4).requests
    plan = insert(problem)
    assert not plan.unplanned
    assert check(problem, plan) is None
