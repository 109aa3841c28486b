"""A master and a strict simulated robot, over the bus within this process."""

import asyncio

from fleet.mission import Clearance
from tests.fleet.vda5050_scene import load, mission, staged, unload, waypoints


async def test_a_mission_with_clearance_for_all_of_its_route_is_one_order() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3", load())
        outcome = await scene.drive(told)
        assert outcome.mission == "M1"
        assert scene.body.node == "n3"
        assert scene.body.loads == ["T-000001"]
        (order,) = scene.orders()
        assert [node["nodeId"] for node in order["nodes"]] == ["n1", "n2", "n3"]
        assert [node["released"] for node in order["nodes"]] == [True, True, True]
        assert scene.vehicle.state().mission is None
        assert scene.vehicle.state().loads == ("T-000001",)


async def test_a_mission_released_step_by_step_stops_nowhere_it_need_not() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        reached: list[int] = []

        def go_on(index: int) -> None:
            reached.append(index)
            clearance.release(min(index + 3, len(told.route)))

        clearance.on_reached(go_on)
        await scene.vehicle.execute(told, clearance)
        assert reached == [1, 2, 3]
        first, second = scene.orders()[:2]
        assert [n["released"] for n in first["nodes"]] == [True, True, False, False]
        assert second["orderUpdateId"] == 1
        assert second["nodes"][0] == first["nodes"][1]
        assert [n["sequenceId"] for n in second["nodes"]] == [2, 4, 6]
        assert scene.body.node == "n4"


async def test_goods_are_carried_from_one_place_to_another() -> None:
    async with staged() as scene:
        await scene.drive(mission("M1", "n1 n2", load()))
        await scene.drive(mission("M2", "n2 n3 n4", unload()))
        assert scene.body.loads == []
        assert scene.body.node == "n4"


async def test_the_horizon_is_replaced_and_the_base_stays() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await scene.until(lambda: len(scene.orders()) == 1)
        await asyncio.sleep(1.0)
        clearance.reroute(waypoints("n2", "m3", "n4")[1:])
        await scene.until(lambda: len(scene.orders()) == 2)
        assert not clearance.complete
        clearance.release(4)
        await driving
        first, second, third = scene.orders()
        assert [n["nodeId"] for n in second["nodes"]] == ["n2", "m3", "n4"]
        assert second["nodes"][0] == first["nodes"][1]
        assert all(n["released"] for n in third["nodes"])
        assert scene.body.node == "n4"
        assert scene.body.loads == ["T-000001"]
