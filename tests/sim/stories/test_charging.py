"""Stories of two robots and one charger, of restarts at it, and of chargers that give nothing."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from sim.world.bodies import GroundBody
from tests.sim.hospital import SITE, hospital, scenario_file
from tests.sim.process import place as restartable

C1, C2 = VehicleId("C1"), VehicleId("C2")
CHARGER = "park-2"
"""The only one; both robots live beside it."""
BAYS = """\
      park-3: {name: Bay 3, kind: parking, at: [13, 4], joins: [a2], roles: [parking]}
      park-4: {name: Bay 4, kind: parking, at: [16, 4], joins: [a2], roles: [parking]}
"""
NO_NET = "dispatch: {charge_below_ratio: 0.0, idle_charge_below_ratio: 0.0}\n"
"""No rule makes a vehicle charge: only the plan does."""


def one_charger(
    folder: Path, more: str = "", homes: tuple[str, ...] = ("park-3", "park-4")
) -> Path:
    lines = SITE.read_text(encoding="utf-8").splitlines(keepends=True)
    site = folder / "site.yaml"
    kept = [line for line in lines if not line.startswith(("      park-1", "      park-3"))]
    text = "".join(kept).replace("    lanes:\n", f"{BAYS}    lanes:\n", 1)
    site.write_text(text, encoding="utf-8")
    path = scenario_file(folder, homes=homes, more=more)
    path.write_text(path.read_text(encoding="utf-8").replace(str(SITE), str(site)))
    return path


def at_charger(body: GroundBody) -> bool:
    return body.charging and body.node == CHARGER


async def test_both_charge_for_their_plans_one_after_the_other(tmp_path: Path) -> None:
    async with hospital(one_charger(tmp_path, NO_NET)) as here:
        bodies = [here.world.ground[one] for one in (C1, C2)]
        for body in bodies:
            body.set_charge(0.23)
        await asyncio.sleep(60)  # so that it is known
        tasks = [await here.deliver("laboratory", "ward", goods="general") for _ in range(6)]
        lowest, charged = 1.0, set[VehicleId]()
        while not all(here.task(task).state.ended for task in tasks):
            await asyncio.sleep(5)
            lowest = min(lowest, *(body.charge_ratio() for body in bodies))
            charged |= {body.id for body in bodies if at_charger(body)}
        assert {here.task(task).state for task in tasks} == {TaskState.DONE}
        assert charged == {C1, C2}
        assert lowest >= bodies[0].spec.energy.reserve_ratio


async def test_the_idle_one_gives_way_to_the_one_that_has_to_charge(tmp_path: Path) -> None:
    async with hospital(one_charger(tmp_path)) as here:
        one, two = (here.world.ground[vehicle] for vehicle in (C1, C2))
        one.set_charge(0.5)
        await here.until(lambda: at_charger(one))
        two.set_charge(0.25)
        await here.until(lambda: at_charger(two), at_most_s=300)
        assert one.charge_ratio() < 0.8, "it had not done yet"
        await here.until(lambda: two.charge_ratio() >= 0.6)
        await here.until(lambda: min(b.charge_ratio() for b in (one, two)) > 0.84, 4 * 3600)


async def test_idle_ones_do_not_change_places_all_the_time(tmp_path: Path) -> None:
    async with hospital(one_charger(tmp_path)) as here:
        one, two = (here.world.ground[vehicle] for vehicle in (C1, C2))
        one.set_charge(0.4)
        two.set_charge(0.4)
        changes, last = 0, None
        for _ in range(360):
            await asyncio.sleep(20)
            holder = next((body.id for body in (one, two) if at_charger(body)), last)
            changes, last = changes + (holder != last), holder
        assert changes <= 3
        assert min(one.charge_ratio(), two.charge_ratio()) > 0.84


@pytest.mark.parametrize("pause_s", [5.0, 20.0, 60.0, 240.0])
async def test_killed_while_one_charges_nobody_is_sent_to_its_charger(
    tmp_path: Path, pause_s: float
) -> None:
    """Before, on the way, and after it has begun: the charger stays its own."""
    async with restartable(one_charger(tmp_path, NO_NET), tmp_path / "story.sqlite") as here:
        bodies = [here.world.ground[one] for one in (C1, C2)]
        for body in bodies:
            body.set_charge(0.23)
        await asyncio.sleep(60)
        request = {"kind": "delivery", "item": "box", "goods": "general", "from": "laboratory"}
        for _ in range(4):
            await here.submit(**request, to=["ward"], mass_kg=5.0)
        await here.until(lambda: any(at_charger(body) for body in bodies) or pause_s < 60)
        for _ in range(3):
            await asyncio.sleep(pause_s)
            await here.restart()
            bound = [body.id for body in bodies if CHARGER in (body.node, body.next_node)]
            assert len(bound) <= 1
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert min(body.charge_ratio() for body in bodies) >= 0.2


async def test_a_robot_that_is_unplugged_by_somebody_is_plugged_in_again(tmp_path: Path) -> None:
    async with hospital(one_charger(tmp_path, homes=("park-3",))) as here:
        body = here.world.ground[C1]
        body.set_charge(0.3)
        await here.until(lambda: at_charger(body))
        body.disconnect_charger()
        await asyncio.sleep(180)
        assert at_charger(body)
        await here.until(lambda: body.charge_ratio() > 0.6)


async def test_after_the_cheap_hours_it_is_unplugged(tmp_path: Path) -> None:
    more = 'start: 2026-02-03T05:00:00+08:00\nplanner: {cheap_hours: ["22:00-06:00"]}\n'
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=more)) as here:
        body = here.world.ground[C1]
        body.set_charge(0.7)
        await here.until(lambda: body.charge_ratio() > 0.95)
        assert body.charging
        await asyncio.sleep(3600)
        assert not body.charging


async def test_in_dear_hours_what_a_task_needs_is_charged_all_the_same(tmp_path: Path) -> None:
    more = 'start: 2026-02-03T08:00:00+08:00\nplanner: {cheap_hours: ["22:00-06:00"]}\n'
    async with hospital(one_charger(tmp_path, more + NO_NET, homes=("park-3",))) as here:
        body = here.world.ground[C1]
        body.set_charge(0.225)
        await asyncio.sleep(60)
        task = await here.deliver("laboratory", "ward", goods="general")
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert 0.2 <= body.charge_ratio() < 0.5
