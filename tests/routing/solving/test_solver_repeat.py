"""The same seed and rounds give the same plan: whatever the hash seed, the Python, the compiler."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256

import pytest

from routing.problems.plan import Plan
from routing.problems.problem import Visit
from routing.solving.solver import Budget, Stage, insert, solve
from tests.folders import ROOT
from tests.routing.rich_day import rich_day

SCRIPT = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None  # it can't be imported
from routing.search.compiled import COMPILED
from tests.routing.solving.test_solver_repeat import digest
print(COMPILED, digest())
"""


def digest() -> str:
    """Of plans for a day with a bit of everything: some as bad as a short search leaves them."""
    day = rich_day()
    tied = {"r1", "aboard", "cut off"}
    all_to_one = tuple(
        Visit(one.id, stop)
        for one in day.requests
        if one.id not in tied
        for stop in range(len(one.stops))
    )
    bad = Plan(routes=((), (), all_to_one))
    rounds = Budget(iterations=12, stages=frozenset({Stage.RUIN_RECREATE}))
    plans = [solve(day, start=bad, budget=rounds, seed=seed) for seed in (0, 1, 5)]
    assert max(plan.cost for plan in plans) < insert(day, bad).cost, "the search had its part"
    told = [
        (
            plan.routes,
            plan.charges,
            plan.cost,
            sorted((k, str(v)) for k, v in plan.unplanned.items()),
        )
        for plan in plans
    ]
    return sha256(repr(told).encode()).hexdigest()


def told_by(python: str, *hidden: str, **environment: str) -> list[str]:
    """Whether another Python had kernels compiled, and its digest."""
    paths = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [python, "-W", "error::RuntimeWarning", "-c", SCRIPT, *hidden],
        cwd=ROOT,
        env={**os.environ, **paths, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.long
@pytest.mark.parametrize("seed", ["0", "4711"])
def test_the_hash_seed_changes_nothing(seed: str) -> None:
    assert told_by(sys.executable, PYTHONHASHSEED=seed) == ["True", digest()]


@pytest.mark.long
def test_without_a_compiler_the_plan_is_the_same() -> None:
    assert told_by(sys.executable, "numba") == ["False", digest()]


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_other_versions_of_python_make_the_same_plan(version: str) -> None:
    """Looked for as `PLANNER_PYTHON_3_12` and so on in the environment, or on the path."""
    named = os.environ.get(f"PLANNER_PYTHON_{version.replace('.', '_')}")
    python = named or shutil.which(f"python{version}")
    needed = "import numpy, ortools, pytest"
    if not python or subprocess.run([python, "-c", needed], capture_output=True).returncode:
        pytest.skip(f"no Python {version} with numpy and ortools here")
    assert told_by(python)[-1] == digest()
