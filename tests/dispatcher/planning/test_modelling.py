"""What the planner is asked: how far ahead, of whom, and under which rules."""

from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.air.docks import Docks
from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.stops import Handling
from dispatcher.domain.task import Delivery, Goods, Priority, Task, TaskId, TaskState
from dispatcher.planning.free import Free
from dispatcher.planning.modelling import Modeller
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import VehicleId
from routing.problems.plan import timetable
from routing.site import NodeId, PlaceId
from routing.solving.solver import insert
from sim.scenario.config import load_scenario
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
        self.roads, self.hygiene = RoadBook(self.site), Hygiene()
        specs = [vehicle.to_spec() for vehicle in scenario.vehicles]
        chargers = Chargers(self.site, [spec.home for spec in specs])
        docks = Docks(self.site, specs)
        self.modeller = Modeller(self.site, self.roads, docks, Handling(), self.hygiene, chargers)
        self.free = [
            Free(spec=spec, spot=self.site.places[spec.home].node, ready_s=0.0, charge_ratio=1.0)
            for spec in specs
        ]


@pytest.mark.long
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


def test_waste_then_food_is_planned_with_the_wash_in_between(tmp_path: Path) -> None:
    """The plan counts with the way over the station, before the vehicle finds out."""
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1",)))
    food = carry("T1", "laboratory", "ward", Goods.FOOD)
    clean = insert(fleet.modeller.model(0.0, [food], fleet.free).problem)
    fleet.hygiene.carried(VehicleId("C1"), Goods.INFECTIOUS_WASTE)
    model = fleet.modeller.model(0.0, [food], fleet.free)
    washed = insert(model.problem)
    assert washed.routes == clean.routes
    first = timetable(model.problem, washed)[0][0]
    station = fleet.site.places[PlaceId("decon")]
    roads = fleet.roads.of(fleet.free[0].spec)
    there_s = roads.seconds(NodeId(fleet.free[0].spot), station.node)
    back_s = roads.seconds(station.node, NodeId("laboratory"), clean_start=True)
    assert first.arrive_s == pytest.approx(there_s + station.service_s + back_s, abs=3)
    waste = carry("T2", "isolation", "ward", Goods.INFECTIOUS_WASTE)
    assert fleet.modeller.model(0.0, [waste], fleet.free).problem.goods is None


def test_on_the_way_to_a_wash_the_old_goods_are_forgotten(tmp_path: Path) -> None:
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1",)))
    fleet.hygiene.carried(VehicleId("C1"), Goods.INFECTIOUS_WASTE)
    begun = replace(
        carry("T1", "laboratory", "ward", Goods.FOOD),
        state=TaskState.UNDERWAY,
        vehicle=VehicleId("C1"),
    )
    waste = carry("T2", "laboratory", "ward", Goods.INFECTIOUS_WASTE)
    there = [replace(fleet.free[0], spot=NodeId("laboratory"), current=(begun.id, 0))]
    problem = fleet.modeller.model(0.0, [begun, waste], there).problem
    assert problem.goods is not None
    assert problem.slots[0].carried == ()


async def test_the_vehicle_is_washed_where_and_when_the_plan_has_it(tmp_path: Path) -> None:
    """Between waste and food it drives over the station, and people were told when it comes."""
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        waste = await place.deliver("laboratory", "ward", goods="infectious_waste")
        await place.until(lambda: place.task(waste).stops_done == 1)
        food = await place.deliver("laboratory", "ward")
        await place.until(lambda: place.task(food).eta_s is not None)
        told_s = place.task(food).eta_s
        await place.until_ended(waste, food)
        ended_s = place.task(food).ended_s
        assert told_s is not None
        assert ended_s == pytest.approx(told_s, abs=60)
        kinds = [e.kind for e in await place.service.store.events_of(["exposed", "decontaminated"])]
        assert kinds == ["exposed", "decontaminated", "exposed"]


def test_a_low_battery_is_charged_before_the_work_as_far_as_it_must(tmp_path: Path) -> None:
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1", "park-3")))
    tasks = [carry("T1", "laboratory", "ward", Goods.FOOD)]
    for free, charger in zip(fleet.free, ("park-1", "park-2"), strict=True):
        model = fleet.modeller.model(0.0, tasks, [replace(free, charge_ratio=0.21)])
        plan = insert(model.problem)
        ((charge,),) = plan.charges
        assert (charge.before, model.chargers[charge.charger]) == (0, charger)
        assert 0 < charge.charge_s < 300, "not to the full: that takes 24 minutes"
        model = fleet.modeller.model(0.0, tasks, [replace(free, charge_ratio=0.6)])
        assert insert(model.problem).charges == ()


def test_a_battery_that_lasts_is_no_concern(tmp_path: Path) -> None:
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1",)))
    tasks = [carry("T1", "laboratory", "ward", Goods.FOOD)]
    large = replace(fleet.free[0].spec.energy, capacity_wh=2000.0)
    lasting = replace(fleet.free[0], spec=replace(fleet.free[0].spec, energy=large))
    model = fleet.modeller.model(0.0, tasks, [lasting])
    assert (model.problem.slots[0].battery, model.chargers) == (None, ())
    assert model.problem.slots[0].range_m is not None


def test_a_battery_without_end_sets_no_range(tmp_path: Path) -> None:
    """It would be farther than a problem can say: over a million kilometres."""
    fleet = Fleet(scenario_file(tmp_path, homes=("park-1",)))
    energy = replace(fleet.free[0].spec.energy, capacity_wh=1e9, move_w=1.0)
    endless = replace(fleet.free[0], spec=replace(fleet.free[0].spec, energy=energy))
    model = fleet.modeller.model(0.0, [carry("T1", "laboratory", "ward", Goods.FOOD)], [endless])
    assert (model.problem.slots[0].range_m, model.problem.slots[0].battery) == (None, None)
    assert insert(model.problem).unplanned == {}
