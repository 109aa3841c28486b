"""What the planner is asked: how far ahead, of whom, and under which rules."""

from pathlib import Path

from dispatcher.modelling import Free, Modeller
from dispatcher.roadbook import RoadBook
from dispatcher.stops import Handling
from dispatcher.task import Delivery, Goods, Priority, Task, TaskId, TaskState
from routing.site import PlaceId
from sim.config import load_scenario
from tests.sim.hospital import DRONE, hospital, scenario_file


def carry(key: str, origin: str, to: str, goods: Goods) -> Task:
    drop_offs = (PlaceId(to),)
    spec = Delivery(
        item="box", goods=goods, origin=PlaceId(origin), drop_offs=drop_offs, mass_g=5000
    )
    return Task(
        id=TaskId(key),
        spec=spec,
        priority=Priority.ROUTINE,
        state=TaskState.QUEUED,
        created_s=0.0,
        earliest_s=0.0,
        due_s=3600.0,
    )


class Fleet:
    """The vehicles of a story at home, and a modeller for them."""

    def __init__(self, path: Path) -> None:
        scenario = load_scenario(path)
        self.site = scenario.site
        self.modeller = Modeller(self.site, RoadBook(self.site), Handling())
        self.free = [
            Free(spec=spec, spot=self.site.places[spec.home].node, ready_s=0.0, charge_ratio=1.0)
            for spec in (vehicle.to_spec() for vehicle in scenario.vehicles)
        ]


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


def test_who_could_do_nothing_of_it_is_not_asked(tmp_path: Path) -> None:
    """A drone has no part in what goes by road, and the plan is made all the faster."""
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1", "park-2"), more=DRONE))
    task = carry("T1", "laboratory", "ward", Goods.FOOD)
    model = fleet.modeller.model(0.0, [task], fleet.free)
    assert model.vehicles == ("C1", "C2")
    assert model.first_stop == {"T1": 0}
