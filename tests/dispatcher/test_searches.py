"""When the planner looks for a better plan, and how hard."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher import planner
from routing.solver import Budget, Stage
from tests.sim.hospital import hospital, scenario_file


@pytest.mark.parametrize(("tasks", "by_all"), [(3, False), (8, True)])
async def test_what_a_short_search_has_settled_is_not_searched_longer(
    tasks: int, by_all: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cart has its hands full; more than a few tasks that wait are searched longer."""
    searched: list[frozenset[Stage]] = []
    solve = planner.solve

    def noted(*args: Any, budget: Budget, **more: Any) -> Any:
        searched.append(budget.stages)
        return solve(*args, budget=budget, **more)

    monkeypatch.setattr(planner, "solve", noted)
    soon = "planner: {improve_iterations: 20, improve_period_s: 5}\n"
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=soon)) as here:
        for _ in range(tasks):
            await here.deliver("ward", "laboratory")
            await asyncio.sleep(10)
        await asyncio.sleep(120)
    assert planner.SHORT in searched
    assert any(stages > planner.SHORT for stages in searched) is by_all
