"""Stories of idle robots that wait where they are wanted, and are never in anybody's way."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from routing.site import NodeId
from tests.sim.hospital import SITE, Hospital, hospital, scenario_file
from tests.sim.process import place as restartable

C1, C2 = VehicleId("C1"), VehicleId("C2")
UPSTAIRS = "park-9"
BAY = """\
      ward: {name: Ward, kind: ward, at: [31, 16], joins: [b1]}
      park-9: {name: Bay 9, kind: parking, at: [28, 4], joins: [b1], roles: [parking]}
"""
ON = "planner: {positioning: true}\n"


def with_bay_upstairs(
    folder: Path, more: str = ON, homes: tuple[str, ...] = ("park-1", "park-2")
) -> Path:
    lines = SITE.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(BAY if line.startswith("      ward: ") else line for line in lines)
    site = folder / "site.yaml"
    site.write_text(text, encoding="utf-8")
    path = scenario_file(folder, homes=homes, more=more)
    path.write_text(path.read_text(encoding="utf-8").replace(str(SITE), str(site)))
    return path


async def from_the_ward(here: Hospital, *, times: int, each_s: float = 900.0) -> float:
    """Ask again and again for what begins upstairs; the mean seconds until it has begun there."""
    waited_s: list[float] = []
    for _ in range(times):
        task = await here.deliver("ward", "laboratory")
        asked_s = here.service.clock.now_s()
        await here.until(lambda task=task: here.task(task).stops_done == 1)
        waited_s.append(here.service.clock.now_s() - asked_s)
        await asyncio.sleep(each_s - waited_s[-1])
        assert here.task(task).state is TaskState.DONE
    return sum(waited_s[times // 2 :]) / len(waited_s[times // 2 :])


@pytest.mark.long
async def test_it_waits_upstairs_where_it_is_wanted_and_is_there_sooner(tmp_path: Path) -> None:
    means: list[float] = []
    for more in ("", ON):
        async with hospital(with_bay_upstairs(tmp_path, more)) as here:
            means.append(await from_the_ward(here, times=12))
            nodes = {here.world.ground[one].node for one in (C1, C2)}
            assert (UPSTAIRS in nodes) is (more == ON), "and the other one is at home"
    assert means[1] < means[0] - 15


async def test_it_does_not_wander(tmp_path: Path) -> None:
    async with hospital(with_bay_upstairs(tmp_path)) as here:
        await from_the_ward(here, times=12)
        stood = [here.world.ground[one].node for one in (C1, C2)]
        driven_m = sum(here.world.ground[one].distance_m for one in (C1, C2))
        for one in (C1, C2):
            here.world.ground[one].set_charge(1.0)  # so that none goes to charge
        await asyncio.sleep(3 * 3600)
        assert UPSTAIRS in stood
        assert [here.world.ground[one].node for one in (C1, C2)] == stood
        assert sum(here.world.ground[one].distance_m for one in (C1, C2)) == driven_m


async def test_one_who_is_wanted_nowhere_else_stays_at_home(tmp_path: Path) -> None:
    async with hospital(with_bay_upstairs(tmp_path)) as here:
        for _ in range(6):
            task = await here.deliver("pharmacy", "laboratory")
            await here.until_ended(task)
        await asyncio.sleep(1800)
        assert {here.world.ground[one].node for one in (C1, C2)} == {"park-1", "park-2"}


async def test_it_makes_room_for_a_task_that_leads_to_its_place(tmp_path: Path) -> None:
    async with hospital(with_bay_upstairs(tmp_path)) as here:
        await from_the_ward(here, times=12)
        waits = next(one for one in (C1, C2) if here.world.ground[one].node == UPSTAIRS)
        await here.service.fleet_desk.set_in_service(waits, on=False)
        await here.until(lambda: here.world.ground[waits].node != UPSTAIRS)
        await here.service.fleet_desk.set_in_service(waits, on=True)
        task = await here.deliver("laboratory", UPSTAIRS)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE


@pytest.mark.parametrize("pause_s", [3.0, 20.0, 45.0, 300.0])
async def test_killed_on_the_way_there_and_where_it_waits(tmp_path: Path, pause_s: float) -> None:
    """What was asked before is read from the store, and a place is still for one alone."""
    async with restartable(with_bay_upstairs(tmp_path), tmp_path / "story.sqlite") as here:
        request = {"kind": "delivery", "item": "box", "goods": "food", "from": "ward"}
        for _ in range(6):
            await here.submit(**request, to=["laboratory"], mass_kg=5.0)
            await here.until_all_ended()
            await asyncio.sleep(pause_s)
            await here.restart()
        await asyncio.sleep(2000)
        nodes = [here.world.ground[one].node for one in (C1, C2)]
        assert nodes.count(NodeId(UPSTAIRS)) == 1
