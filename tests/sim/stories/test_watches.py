"""Stories of watches: an area or some places never out of sight, whoever comes and goes."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatcher.domain.shifts import ShiftState
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId
from sim.scenario.fault_plan import PlannedFault
from tests.sim.dock_yard import dock_yard
from tests.sim.hospital import MODELS, Hospital, hospital, scenario_file
from tests.sim.process import Place, place

D1, D2, D3 = (VehicleId(name) for name in ("D1", "D2", "D3"))
AIR = """\
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-200, -100], [500, -100], [500, 500], [-200, 500]]
  stadium:
    name: {en: Stadium, zh: 体育场}
    kind: no_fly
    outline: [[120, 60], [240, 60], [240, 230], [120, 230]]
    hours: ["22:30-23:30"]
  meadow:
    name: {en: Meadow, zh: 草地}
    kind: patrol
    outline: [[0, 150], [200, 150], [200, 280], [0, 280]]
"""
DRONES = MODELS.replace("capacity_wh: 300", "capacity_wh: 150").replace(
    "charge_w: 400}\n    cruise", "charge_w: 900}\n    cruise"
)


def park(folder: Path, drones: int = 3) -> Path:
    return dock_yard(
        folder,
        id_="park",
        name=("Park", "公园"),
        about="A park with three docks to the south of it, and a stadium closed from 22:30 on.",
        air=AIR,
        models=DRONES,
        docks=[(0, 0), (40, 0), (80, 0)],
        heights_m=[48, 56, 64][:drones],
        start="2026-02-03T22:00:00+00:00",
    )


def watch(here: Hospital | Place, minutes: float, **more: Any) -> dict[str, Any]:
    until = here.service.clock.now() + timedelta(minutes=minutes)
    asked = {"kind": "patrol", "area": "meadow", "revisit_s": 240, "until": until.isoformat()}
    return asked | more


async def refusals(here: Hospital, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        await here.submit(**watch(here, 60, **more))
    return [(fault.field, fault.reason.code) for fault in caught.value.faults]


def on_station(here: Hospital) -> list[VehicleId]:
    return [v for one in here.service.watches() for post in one.posts for v in post.on_station]


def figures(here: Hospital, task: TaskId) -> tuple[float, float]:
    found = here.simulation.monitors.watches.figures()
    assert found is not None
    return found.by_task[task]


def fault(vehicle: VehicleId, word: Any, **more: Any) -> PlannedFault:
    return PlannedFault(at_s=0.0, target="vehicle", id=vehicle, fault=word, **more)


@pytest.mark.long
async def test_an_area_is_never_out_of_sight(tmp_path: Path) -> None:
    """Batteries last for some five minutes on station; the stadium's air closes meanwhile."""
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(**watch(here, 55))
        await here.until(lambda: bool(on_station(here)), 120)
        fewest, relieved = 9, {on_station(here)[0]}
        while here.task(task).state is not TaskState.DONE:
            await asyncio.sleep(1)
            flying = on_station(here)
            if not here.task(task).state.ended:
                fewest = min(fewest, len(flying))
                relieved.update(flying)
        assert fewest >= 1, "the next one is there before the last one leaves"
        assert len(relieved) >= 2
        gap_s, worst_s = figures(here, task)
        assert gap_s == 0
        assert worst_s <= 240
        flying = here.world.aircraft.values()
        await here.until(lambda: not any(one.airborne for one in flying), 300)


@pytest.mark.long
async def test_who_is_lost_is_replaced_at_once(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(**watch(here, 12))
        await here.until(lambda: bool(on_station(here)), 120)
        (lost,) = on_station(here)
        here.simulation.inject([fault(lost, "silent", lasts_s=90.0)])
        await here.until(lambda: bool(on_station(here)) and lost not in on_station(here), 90)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert figures(here, task)[0] == 0


async def test_a_weak_battery_goes_home_with_its_reserve(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(**watch(here, 12))
        await here.until(lambda: bool(on_station(here)), 120)
        (weak,) = on_station(here)
        here.simulation.inject([fault(weak, "battery", share=0.3)])
        drone = here.world.aircraft[weak]
        await here.until(lambda: not drone.airborne, 240)
        assert drone.charge_ratio() >= 0.2
        await here.until_ended(task)
        assert figures(here, task)[0] == 0


async def test_a_gap_is_told_before_it_happens(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        await here.submit(**watch(here, 40))
        await here.until(lambda: bool(on_station(here)), 120)
        (first,) = on_station(here)
        for drone in {D1, D2, D3} - {first}:
            await here.service.fleet_desk.set_in_service(drone, on=False)
        await here.until(lambda: "watch_gap_ahead" in here.open_codes(), 60)
        assert on_station(here) == [first]
        await here.service.fleet_desk.set_in_service(D2 if first != D2 else D1, on=True)
        await here.until(lambda: "watch_gap_ahead" not in here.open_codes(), 60)


async def test_who_is_taken_out_of_service_is_relieved_and_comes_home(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        await here.submit(**watch(here, 40))
        await here.until(lambda: bool(on_station(here)), 120)
        (first,) = on_station(here)
        await here.service.fleet_desk.set_in_service(first, on=False)
        await here.until(lambda: not here.world.aircraft[first].airborne, 180)
        await here.until(lambda: bool(on_station(here)), 120)
        assert first not in on_station(here)


async def test_a_watch_that_is_cancelled_has_all_come_home(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(**watch(here, 40))
        await here.until(lambda: bool(on_station(here)), 120)
        await here.service.task_desk.cancel(task)
        assert here.task(task).state is TaskState.CANCELLING
        await here.until_ended(task, at_most_s=180)
        assert here.task(task).state is TaskState.CANCELLED
        assert not any(one.airborne for one in here.world.aircraft.values())
        assert here.service.watches() == []


async def test_cancelled_and_restarted_at_once_a_watch_is_over(tmp_path: Path) -> None:
    async with place(park(tmp_path), tmp_path / "park.sqlite") as here:
        task = await here.submit(**watch(here, 15))
        await asyncio.sleep(75)
        await here.service.task_desk.cancel(task)
        await here.restart()
        await here.until(lambda: here.service.task(task).state is TaskState.CANCELLED, 300)
        flying = here.world.aircraft.values()
        await here.until(lambda: not any(one.airborne for one in flying), 300)
        assert here.service.watches() == []


async def test_who_comes_home_while_the_others_are_looked_at_is_not_called_off_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store takes six seconds for the end of a shift; the posts are looked at meanwhile."""
    commit = TaskBook.commit

    async def slow(book: TaskBook, **what: Any) -> Any:
        if any(shift.state is ShiftState.DONE for shift in what.get("shifts", ())):
            await asyncio.sleep(6)
        return await commit(book, **what)

    monkeypatch.setattr(TaskBook, "commit", slow)
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(**watch(here, 12))
        await here.until(lambda: bool(on_station(here)), 120)
        await here.service.fleet_desk.set_in_service(on_station(here)[0], on=False)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert figures(here, task)[0] == 0


async def test_who_is_commanded_is_given_no_shift_and_is_no_relief(tmp_path: Path) -> None:
    async with hospital(park(tmp_path, drones=2)) as here:
        await here.service.control.stop("Li", [D1])
        task = await here.submit(**watch(here, 30))
        await here.until(lambda: on_station(here) == [D2], 120)
        assert "watch_gap_ahead" in here.open_codes(), "nobody can relieve D2 in time"
        assert not here.world.aircraft[D1].airborne
        await here.service.control.let_go("Li", [D1])
        await here.until(lambda: on_station(here) == [D1], 1200)
        assert here.task(task).state is TaskState.UNDERWAY


async def test_a_watch_from_the_air_does_not_reckon_with_robots(tmp_path: Path) -> None:
    path, site = park(tmp_path), tmp_path / "site.yaml"
    yard = (
        "      shed: {name: {en: Shed, zh: 棚}, kind: parking, at: [0, -40], roles: [parking]}\n"
        "      gate: {name: {en: Gate, zh: 门}, kind: gate, at: [40, -40]}\n"
        "    lanes:\n      - {path: [shed, gate]}\nair:\n"
    )
    site.write_text(site.read_text(encoding="utf-8").replace("air:\n", yard), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write("  - {model: cart, ids: [C1], homes: [shed]}\n")
    async with hospital(path) as here:
        await here.submit(**watch(here, 30))
        await here.until(lambda: bool(on_station(here)), 240)
        for other in {D1, D2, D3} - set(on_station(here)):
            await here.service.fleet_desk.set_in_service(other, on=False)
        await here.until(lambda: "watch_gap_ahead" in here.open_codes(), 60)
        await asyncio.sleep(60)


async def test_a_watch_that_has_not_begun_is_cancelled_at_once(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        begin = (here.service.clock.now() + timedelta(hours=1)).isoformat()
        task = await here.submit(**watch(here, 120, earliest_at=begin))
        await asyncio.sleep(30)
        assert not any(one.airborne for one in here.world.aircraft.values())
        await here.service.task_desk.cancel(task)
        assert here.task(task).state is TaskState.CANCELLED


async def test_what_can_not_be_held_is_refused_before_anything_flies(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        asked = watch(here, 60, revisit_s=40)
        with pytest.raises(Refused, match="it would take") as caught:
            await here.submit(**asked)
        facts = caught.value.faults[0].reason.facts
        needs = facts["needs"]
        assert isinstance(needs, int)
        assert needs > 3 == facts["has"]
        crossing = [[0, 0], [80, 80], [80, 0], [0, 80]]
        assert await refusals(here, area=None, outline=crossing) == [
            ("outline", "area_crosses_itself")
        ]
        outside = [[400, 0], [600, 0], [600, 80], [400, 80]]
        assert await refusals(here, area=None, outline=outside) == [
            ("outline", "area_outside_fence")
        ]
        lat_first = [[30.59, 114.3], [30.591, 114.3], [30.591, 114.301]]
        swapped = {"type": "Polygon", "coordinates": [lat_first]}
        assert await refusals(here, area=None, geojson=swapped) == [
            ("geojson", "area_axes_swapped")
        ]
        huge = [[0, 0], [10_000, 0], [10_000, 10_000], [0, 10_000]]
        assert ("outline", "area_too_large") in await refusals(here, area=None, outline=huge)


async def test_a_second_watch_counts_those_on_the_first(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        await here.submit(**watch(here, 60))
        with pytest.raises(Refused) as caught:
            await here.submit(**watch(here, 60))
        (wrong,) = caught.value.faults
        assert wrong.reason.code == "too_few_for_watch"
        assert wrong.reason.facts["engaged"]


async def test_a_drawn_area_is_covered_once(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        outline = [[10, 160], [150, 160], [150, 260], [10, 260]]
        task = await here.submit(kind="patrol", outline=outline)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE


async def test_places_are_seen_from_the_air(tmp_path: Path) -> None:
    async with hospital(park(tmp_path)) as here:
        task = await here.submit(kind="patrol", points=["dock-3", "dock-2"], by="air", dwell_s=15)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE


async def test_robots_keep_places_in_sight_indoors(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1", "park-2"))
    async with hospital(path) as here:
        until = (here.service.clock.now() + timedelta(minutes=40)).isoformat()
        points = ["pharmacy", "laboratory"]
        task = await here.submit(
            kind="patrol", points=points, revisit_s=300, until=until, dwell_s=10
        )
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert figures(here, task)[0] == 0
        meals = await here.deliver("laboratory", "ward")
        await here.until_ended(meals)


@pytest.mark.parametrize("pause_s", [20.0, 75.0])
async def test_a_watch_goes_on_after_a_restart(tmp_path: Path, pause_s: float) -> None:
    async with place(park(tmp_path), tmp_path / "park.sqlite") as here:
        until = (here.service.clock.now() + timedelta(minutes=9)).isoformat()
        asked = {"kind": "patrol", "area": "meadow", "revisit_s": 240, "until": until}
        task = await here.submit(**asked)
        await asyncio.sleep(pause_s)
        flying = [one.id for one in here.world.aircraft.values() if one.airborne]
        assert len(flying) == 1
        await here.restart()
        await asyncio.sleep(60)
        (view,) = here.service.watches()
        assert view.posts[0].on_station == (flying[0],)
        assert [one.id for one in here.world.aircraft.values() if one.airborne] == flying
        assert (await here.until_all_ended())[task] is TaskState.DONE


def test_shifts_that_have_ended_are_over_for_good() -> None:
    assert [state for state in ShiftState if state.ended] == [ShiftState.DONE, ShiftState.LOST]


async def test_robots_at_random_are_never_late_all_the_same(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1", "park-2"))
    async with hospital(path) as here:
        until = (here.service.clock.now() + timedelta(minutes=30)).isoformat()
        points = ["pharmacy", "laboratory", "park-3"]
        request = {"kind": "patrol", "points": points, "dwell_s": 5, "order": "random"}
        task = await here.submit(**request, revisit_s=400, until=until)
        await here.until_ended(task)
        assert figures(here, task)[0] == 0
