"""Stories of faults that a scenario brings about: the dispatcher knows them from its wires only."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import Severity, VehicleId, VehicleState
from sim.run import Wishes, run
from sim.scenario.config import load_scenario
from sim.world.multirotor import Multirotor
from tests.sim.hospital import MODELS, Hospital, hospital, scenario_file
from tests.sim.stories.test_drones import SITE as FIELD
from tests.sim.stories.test_drones import VEHICLES as DRONES

C1, D1 = VehicleId("C1"), VehicleId("D1")
ONE = ("park-1",)


def broken(folder: Path, *rows: str, homes: tuple[str, ...] = ONE, more: str = "") -> Path:
    lines = "".join(f"  - {{{row}}}\n" for row in rows)
    return scenario_file(folder, homes=homes, more=f"faults:\n{lines}{more}")


def field(folder: Path, *rows: str) -> Path:
    (folder / "site.yaml").write_text(FIELD, encoding="utf-8")
    path = folder / "field.yaml"
    lines = "".join(f"  - {{{row}}}\n" for row in rows)
    head = "# two drones\nscenario: field\nsite: site.yaml\nduration: 24h\n"
    path.write_text(f"{head}{MODELS}{DRONES}faults: {'' if rows else '[]'}\n{lines}", "utf-8")
    return path


def known(place: Hospital, vehicle: VehicleId = C1) -> VehicleState:
    """What the dispatcher believes of a vehicle."""
    return next(v.state for v in place.service.vehicles() if v.spec.id == vehicle)


def warnings(place: Hospital) -> list[str]:
    return [e.code for e in known(place).errors if e.severity is Severity.WARNING]


async def carried(place: Hospital, *, at_most_s: float = 7200.0) -> float:
    """Have one delivery made, and no more than once; the seconds that it took."""
    since_s = asyncio.get_running_loop().time()
    task = await place.deliver("pharmacy", "ward")
    await place.until_ended(task, at_most_s=at_most_s)
    assert place.task(task).state is TaskState.DONE
    assert place.deeds.loaded == [task]
    assert place.deeds.unloaded == [(task, "ward")]
    return asyncio.get_running_loop().time() - since_s


@pytest.mark.parametrize(
    "link",
    [
        "fault: loss, share: 0.2",
        "fault: reorder, share: 0.3",
        "fault: delay, delay: 3s",
    ],
)
async def test_over_a_bad_link_all_is_done_and_nothing_twice(tmp_path: Path, link: str) -> None:
    path = broken(tmp_path, f"at: 1s, link: any, {link}", homes=("park-1", "park-2"))
    async with hospital(path) as place:
        tasks = [await place.deliver("pharmacy", "ward") for _ in range(2)]
        tasks += [await place.deliver("ward", "laboratory") for _ in range(2)]
        await place.until_ended(*tasks, at_most_s=7200)
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}
        assert sorted(place.deeds.loaded) == sorted(tasks)
        assert len(place.deeds.unloaded) == len(tasks)
        radio = place.simulation.stage.radios[C1]
        assert radio.lost > 0 or "loss" not in link


@pytest.mark.parametrize("at_s", [10, 20, 35, 50, 65, 80, 100, 120])
async def test_a_robot_that_restarts_is_given_its_work_again(tmp_path: Path, at_s: int) -> None:
    """At the door, at its loading, on the lane, before the lift, in the lift ..."""
    path = broken(tmp_path, f"at: {at_s}s, vehicle: C1, fault: reboot, for: 50s")
    journal: list[str] = []
    async with hospital(path, sink=journal.append) as place:
        await carried(place)
        assert not place.open_codes()
    assert any("vehicle_restarted" in line for line in journal)


async def test_an_obstacle_holds_a_robot_up_and_nobody_is_told_but_by_the_robot(
    tmp_path: Path,
) -> None:
    path = broken(tmp_path, "at: 1s, lane: a2~a3, for: 15min")
    async with hospital(path) as place:
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: place.world.ground[C1].halted_for is not None)
        await asyncio.sleep(5)
        assert warnings(place) == ["pathBlocked"]
        assert not known(place).driving
        assert place.open_codes() == set()
        await place.until_ended(task)
        assert asyncio.get_running_loop().time() > 15 * 60
        assert place.deeds.loaded == [task]
        assert warnings(place) == []


async def test_a_stuck_wheel_is_slow_and_reported(tmp_path: Path) -> None:
    async with hospital(broken(tmp_path, "at: 30min, vehicle: C1, fault: stuck_wheel")) as place:
        well_s = await carried(place)
        assert warnings(place) == []
        place.deeds.loaded.clear()
        place.deeds.unloaded.clear()
        await asyncio.sleep(1810 - asyncio.get_running_loop().time())
        assert warnings(place) == ["wheelBlocked"]
        assert await carried(place) > 1.5 * well_s


async def test_a_robot_that_takes_itself_to_be_elsewhere_says_so(tmp_path: Path) -> None:
    path = broken(
        tmp_path,
        "at: 10s, vehicle: C1, fault: wrong_pose, off_m: 3, for: 1min",
        "at: 2min, vehicle: C1, fault: lost_pose, for: 5min",
    )
    async with hospital(path) as place:
        truth = place.world.ground[C1].position().point
        await asyncio.sleep(20)
        believed = known(place).position
        assert believed is not None
        assert believed.point.distance_m(truth) == pytest.approx(3.0, abs=0.01)
        await asyncio.sleep(160)
        assert known(place).position is None
        assert place.open_codes() == {"vehicle_fault"}
        task = await place.deliver("pharmacy", "ward")
        await place.until_ended(task)
        assert asyncio.get_running_loop().time() > 7 * 60
        assert place.open_codes() == set()
        assert known(place).position is not None


async def test_people_in_the_corridor_make_a_robot_late_and_nothing_else(tmp_path: Path) -> None:
    async def takes(chance: float) -> float:
        crowds = f"crowds:\n  - {{lanes: {{level: L1}}, chance: {chance}, delay: 20s}}\n"
        async with hospital(scenario_file(tmp_path, homes=ONE, more=crowds)) as place:
            lasted_s = await carried(place)
            assert known(place).errors == ()
            return lasted_s

    assert await takes(1.0) > await takes(0.0) + 20


async def test_wind_makes_a_drone_late_but_not_lost(tmp_path: Path) -> None:
    async def takes(*rows: str) -> float:
        async with hospital(field(tmp_path, *rows)) as place:
            since_s = asyncio.get_running_loop().time()
            task = await place.deliver("depot", "clinic", goods="general", mass_kg=1.0)
            await place.until_ended(task)
            assert place.task(task).state is TaskState.DONE
            return asyncio.get_running_loop().time() - since_s

    gale = "at: 1s, vehicle: any, fault: wind, wind_m_s: 9, from_deg: 0, for: 2h"
    assert await takes(gale) > await takes() + 10


async def test_a_drone_without_gps_comes_down_where_it_is_and_another_goes(tmp_path: Path) -> None:
    path = field(tmp_path, "at: 30min, vehicle: D1, fault: gps_loss, for: 10min")
    async with hospital(path) as place:
        await place.service.fleet_desk.set_in_service(VehicleId("D2"), on=False)
        await asyncio.sleep(1800 - 28)
        task = await place.deliver("depot", "clinic", goods="general", mass_kg=1.0)
        drone = place.world.aircraft[D1]
        assert isinstance(drone, Multirotor)
        await place.until(lambda: drone.airborne, at_most_s=28)
        await place.until(lambda: not drone.airborne)
        assert asyncio.get_running_loop().time() > 1800 + 12, "it reckons on for a while"
        await asyncio.sleep(30)
        assert place.open_codes() == {"vehicle_fault"}
        assert [error.code for error in known(place, D1).errors] == ["not_on_a_pad"]
        await place.service.fleet_desk.set_in_service(VehicleId("D2"), on=True)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.task(task).vehicle == "D2"


async def test_a_drained_drone_turns_back(tmp_path: Path) -> None:
    path = field(tmp_path, "at: 5min, vehicle: D1, fault: battery, share: 0.06")
    async with hospital(path, forgiven={"reserve"}) as place:
        await place.service.fleet_desk.set_in_service(VehicleId("D2"), on=False)
        await asyncio.sleep(300 - 75)
        task = await place.deliver("depot", "clinic", goods="general", mass_kg=1.0)
        drone = place.world.aircraft[D1]
        await place.until(lambda: drone.airborne, at_most_s=75)
        await place.until(lambda: not drone.airborne)
        await place.service.fleet_desk.set_in_service(VehicleId("D2"), on=True)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


@pytest.mark.long
def test_one_seed_is_one_day_of_faults(tmp_path: Path) -> None:
    """Two runs with random faults of all sorts have one journal, and another seed another."""
    rows = (
        "vehicle: any, fault: reboot, per_day: 48, for: 20s to 2min",
        "vehicle: any, fault: stop, per_day: 24, for: 1min to 5min",
        "link: any, fault: loss, share: 0.3, per_day: 48, for: 1min to 10min",
        "lane: any, per_day: 5, for: 1min to 5min",
        "lift: any, per_day: 24, for: 2min",
    )
    more = (
        "crowds:\n  - {lanes: any, chance: 0.3, delay: 6s}\ndemand:\n"
        "  - {kind: delivery, total: 8, goods: food, from: pharmacy, to: ward}\n"
    )
    path = broken(tmp_path, *rows, homes=("park-1", "park-2"), more=more)
    scenario = load_scenario(path, overrides=["duration=2h", "faults.1.per_day=30"])
    one, two, other = (run(scenario, Wishes(seed=seed)).summary for seed in (3, 3, 4))
    assert one["journal_sha256"] == two["journal_sha256"] != other["journal_sha256"]
    assert one["faults"] == two["faults"]
    for summary in (one, other):
        assert summary["done_ratio"] == 1.0
        assert not any(summary["violations"].values())  # pyright: ignore


async def test_what_was_given_back_is_begun_at_its_first_stop_again(tmp_path: Path) -> None:
    """Its robot rests for a while after that; plans that are made meanwhile know what it has."""
    async with hospital(scenario_file(tmp_path, homes=ONE)) as place:
        robot = place.simulation.stage.robots[C1]
        robot.refuses["pick"] = "lock stuck"
        task = await place.deliver("laboratory", "ward", priority="urgent")
        await place.until(lambda: "action_failed" in str(place.task(task).reason))
        del robot.refuses["pick"]
        others: list[TaskId] = []
        for _ in range(4):
            others.append(await place.deliver("pharmacy", "ward"))
            await asyncio.sleep(2)
        await place.until_ended(task, *others)
        events = await place.service.store.timeline(task)
        begun = [event.facts["stop"] for event in events if event.kind == "stop_begun"]
        assert begun == [0, 0, 1], "it does not go to the ward with nothing on board"
        assert place.task(task).state is TaskState.DONE
