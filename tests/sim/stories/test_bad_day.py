"""The worst morning of the outbreak day: two lifts out, and a robot dead in the main corridor."""

import asyncio

import pytest

from dispatcher.domain.task import TaskState
from routing.site import LiftId
from sim.world.bodies import GroundBody
from tests.folders import CONFIGS
from tests.sim.hospital import Hospital, hospital

DAY = CONFIGS / "outbreak-day.yaml"
MORNING = (
    "start=2026-02-03T09:00:00+08:00",
    "faults=[]",
    "events=[]",
    "load=0.5",
    "planner.stages=[]",
)
LIFTS = (LiftId("lift-1"), LiftId("lift-2"))
CROSSING = "l1-e7"
"""The corridor's node between the two that are left: all ways to lift 3 lead over it."""
FREED_S, OUT_S, LATER_S = 2700.0, 7200.0, 5400.0


def at_the_crossing(place: Hospital) -> GroundBody | None:
    bodies = (b for b in place.world.ground.values() if b.node == CROSSING and b.loads)
    return next(bodies, None)


def done(place: Hospital) -> int:
    return sum(task.state is TaskState.DONE for task in place.service.ended_tasks())


@pytest.mark.long
async def test_two_lifts_out_and_a_robot_dead_in_the_main_corridor() -> None:
    async with hospital(DAY, overrides=MORNING) as place:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(600)
        lifts = [place.simulation.stage.lifts[lift] for lift in LIFTS]
        for lift in lifts:
            lift.fail()
        out_s = loop.time()
        await place.until(lambda: at_the_crossing(place) is not None)
        dead = at_the_crossing(place)
        assert dead is not None
        dead.fail("motor_dead")
        stopped_s = loop.time()
        await place.until(lambda: "way_blocked" in place.open_codes(), at_most_s=300)
        (alert,) = [a for a in place.service.alerts() if a.code == "way_blocked"]
        assert (alert.vehicle, alert.facts["node"]) == (dead.id, CROSSING)

        before = done(place)
        await asyncio.sleep(stopped_s + FREED_S - loop.time())
        assert done(place) > before + 2, "the two halves of the house go on"
        assert {"vehicle_fault", "lift_out_of_service", "way_blocked"} <= place.open_codes()
        dead.repair()

        await asyncio.sleep(out_s + OUT_S - loop.time())
        assert "way_blocked" not in place.open_codes()
        early = [*place.service.open_tasks(), *place.service.ended_tasks()]
        for lift in lifts:
            lift.repair()
        await asyncio.sleep(LATER_S)
        assert "lift_out_of_service" not in place.open_codes()
        still = {task.id for task in place.service.open_tasks()}
        assert not still & {task.id for task in early}
        assert all(task.state is TaskState.DONE for task in place.service.ended_tasks())
