"""When the planner looks for a better plan, and how hard."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.planning import planner
from routing.solving.solver import Budget, Stage
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


async def test_while_nobody_waits_for_a_vehicle_the_plan_is_looked_at_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is begun is only expected anew; a task that is asked for is given out at once."""
    answered_s: list[float] = []
    insert = planner.insert

    def noted(*args: Any) -> Any:
        answered_s.append(asyncio.get_running_loop().time())
        return insert(*args)

    monkeypatch.setattr(planner, "insert", noted)
    async with hospital(scenario_file(tmp_path)) as here:
        first = await here.deliver("ward", "laboratory")
        await here.until(lambda: here.task(first).stops_done == 1)
        loaded_s = asyncio.get_running_loop().time()
        answers = len(answered_s)
        await asyncio.sleep(planner.QUIET_S - 1)
        assert len(answered_s) == answers, "it is on its way, and nothing else is to be done"
        await asyncio.sleep(2)
        assert answered_s[answers:] == [pytest.approx(loaded_s + planner.QUIET_S, abs=1.0)]
        second = await here.deliver("ward", "laboratory")
        await asyncio.sleep(0.1)
        assert here.task(second).vehicle is not None
        await here.until_ended(first)
        await here.until_ended(second)


async def test_a_single_task_that_waits_is_not_searched_for(tmp_path: Path) -> None:
    """It was put where it costs least; the others have been begun since the last answer."""
    homes = ("park-1", "park-2", "park-3")
    async with hospital(scenario_file(tmp_path, homes=homes)) as here:
        for origin, goal in (("laboratory", "ward"), ("ward", "laboratory")) * 2:
            await here.deliver(origin, goal)
            await asyncio.sleep(30)
        assert here.service.solve_times.improvements_ms == []
