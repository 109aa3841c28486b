"""How far a plan looks ahead when the queue is long."""

from pathlib import Path

from dispatcher.task import TaskState
from tests.sim.hospital import hospital, scenario_file


async def test_a_long_queue_is_planned_a_few_at_a_time_and_done_in_the_end(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        tasks = [await place.deliver("laboratory", "ward", goods="general") for _ in range(14)]
        await place.until(lambda: any(place.task(t).state is TaskState.UNDERWAY for t in tasks))
        waiting = [place.task(t) for t in tasks if place.task(t).state is TaskState.QUEUED]
        assert len(waiting) > 5
        assert {task.reason.code for task in waiting if task.reason} == {"behind_others"}
        await place.until_ended(*tasks, at_most_s=4 * 3600)
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}


async def test_what_is_urgent_overtakes_a_long_queue(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        linen = [await place.deliver("laboratory", "ward", goods="general") for _ in range(12)]
        stat = await place.deliver("laboratory", "ward", goods="specimen", priority="stat")
        await place.until_ended(stat)
        done = [task for task in linen if place.task(task).state is TaskState.DONE]
        assert len(done) <= 2
