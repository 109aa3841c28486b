"""The dispatcher dies at any moment of a delivery in two legs, and a new one takes over."""

import asyncio
from pathlib import Path

from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from routing.site import NodeId
from tests.sim.process import place
from tests.sim.stories.leg_site import BLOOD, bloodline

C1, D1, D2 = VehicleId("C1"), VehicleId("D1"), VehicleId("D2")


async def test_killed_again_and_again_the_blood_comes_once(tmp_path: Path) -> None:
    async with place(bloodline(tmp_path), tmp_path / "legs.sqlite") as here:
        second = await here.submit(**BLOOD)
        task = here.service.task(second)
        assert task.leg is not None
        here.accepted.append(task.leg.other)
        for _ in range(10):
            await asyncio.sleep(47)
            await here.restart()
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert here.deeds.loaded.count(second) == 1
        assert here.deeds.unloaded == [(second, NodeId("ward"))]


async def test_between_the_legs_the_second_one_is_still_known_to_have_its_goods(
    tmp_path: Path,
) -> None:
    async with place(bloodline(tmp_path), tmp_path / "legs.sqlite") as here:
        await here.service.fleet_desk.set_in_service(C1, on=False)
        second = await here.submit(**BLOOD)
        leg = here.service.task(second).leg
        assert leg is not None
        await here.until(lambda: here.service.task(leg.other).state is TaskState.DONE)
        await here.restart()
        await asyncio.sleep(400)
        assert [a.code for a in here.service.alerts() if not a.cleared_s] == ["goods_at_pad"]
        await here.service.fleet_desk.set_in_service(C1, on=True)
        assert (await here.until_all_ended())[second] is TaskState.DONE
        assert [a.code for a in here.service.alerts() if not a.cleared_s] == []


async def test_a_drone_in_the_air_keeps_its_pads_over_a_restart(tmp_path: Path) -> None:
    """Another one, that waits for the same pads, would come down where it does."""
    async with place(bloodline(tmp_path, drones=2), tmp_path / "legs.sqlite") as here:
        await here.service.fleet_desk.set_in_service(D1, on=False)
        await here.submit(**BLOOD)
        far = here.world.aircraft[D2]
        await here.until(lambda: far.position().point.x_m > 300)
        await here.service.fleet_desk.set_in_service(D1, on=True)
        await here.submit(**BLOOD, priority="stat")
        await asyncio.sleep(10)
        assert not here.world.aircraft[D1].airborne, "it waits for the depot's pad"
        await here.restart()
        await here.until(lambda: not far.airborne)
        assert not here.world.aircraft[D1].airborne


async def test_goods_that_nobody_will_fetch_are_told_of_again_until_a_person_knows(
    tmp_path: Path,
) -> None:
    async with place(bloodline(tmp_path), tmp_path / "legs.sqlite") as here:
        await here.service.fleet_desk.set_in_service(C1, on=False)
        second = await here.submit(**BLOOD)
        leg = here.service.task(second).leg
        assert leg is not None
        await here.until(lambda: here.service.task(leg.other).state is TaskState.DONE)
        await here.service.task_desk.cancel(second)
        await here.restart()
        await here.restart()
        (alert,) = [a for a in here.service.alerts() if not a.cleared_s]
        assert (alert.code, alert.task) == ("goods_at_pad", second)
        assert alert.facts == {"place": "beside-pad"}
        await here.service.fleet_desk.acknowledge(alert.id, "Li")
        await here.restart()
        assert not [a for a in here.service.alerts() if not a.cleared_s]
