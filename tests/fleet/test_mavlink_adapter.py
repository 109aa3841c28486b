"""A drone behind the adapter: flown by a simulated ArduCopter, byte by byte, in virtual time."""

import asyncio

from fleet.mission import Action, ActionKind, Clearance
from routing.site import NodeId
from tests.fleet.mavlink_scene import meadow


async def test_a_drone_in_its_dock_sleeps_and_is_online() -> None:
    async with meadow(charge_ratio=0.5) as scene:
        await asyncio.sleep(300)
        state = scene.drone.state()
        assert state.fit
        assert not state.airborne
        assert state.last_node == "dock-1"
        assert state.charging
        assert state.charge_ratio is not None
        assert state.charge_ratio > 0.5
        assert scene.heard == []


async def test_a_flight_from_sleep_to_landing() -> None:
    async with meadow() as scene:
        load = Action(id="a1", kind=ActionKind.UNLOAD, duration_s=30, facts={"load_id": "T-1"})
        mission = scene.flight("dock-1", "clinic", actions=(load,))
        clearance = Clearance.whole(mission)
        passed: list[int] = []
        clearance.on_reached(passed.append)
        outcome = await scene.drone.execute(mission, clearance)
        assert outcome.results == {"a1": "done"}
        assert passed == [1]
        state = scene.drone.state()
        assert state.last_node == "clinic"
        assert not state.airborne
        assert state.fit
        clinic = scene.site.nodes[NodeId("clinic")].point
        assert scene.body.position().point.distance_m(clinic) < 0.1
        assert scene.world.violations["energy"] == 0
