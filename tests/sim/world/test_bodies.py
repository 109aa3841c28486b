import asyncio
import math
from dataclasses import replace

import pytest

from fleet.energy import EnergySpec
from fleet.mission import Action, ActionKind
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import Edge, NodeId, PlaceId, Site, Zone
from routing.sites import site_yaml
from sim.world.bodies import GroundBody
from sim.world.world import World
from tests.folders import SMALL_SITES

ENERGY = EnergySpec(capacity_wh=100.0, idle_w=36.0, move_w=360.0, work_w=720.0, charge_w=3600.0)


@pytest.fixture
def site() -> Site:
    """Five nodes in a row, ten metres apart, then a dirty room with its decontamination."""
    return site_yaml.loads((SMALL_SITES / "corridor.yaml").read_text(), "corridor.yaml")


@pytest.fixture
async def world(site: Site) -> World:
    return World(site, seed=1)


def cart(name: str = "C1", **changes: float) -> VehicleSpec:
    return VehicleSpec(
        id=VehicleId(name),
        name=name,
        medium=Medium.GROUND,
        kind="cart",
        make="test",
        home=PlaceId("park"),
        speed_m_s=changes.get("speed_m_s", 1.0),
        acceleration_m_s2=changes.get("acceleration_m_s2", 0.5),
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"food"}),
        skills=frozenset({"carry"}),
        energy=ENERGY,
    )


def edge(world: World, start: str, end: str) -> Edge:
    return world.site.edge(NodeId(start), NodeId(end))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_leg_takes_the_time_of_a_trapezoid(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    await body.drive(edge(world, "n1", "n2"), onward=False)
    # 2 s and 1 m to speed up, as much to brake, 8 m at 1 m/s in between
    assert now() == pytest.approx(12.0)
    assert body.node == "n2"
    assert body.distance_m == pytest.approx(10.0)


async def test_a_body_that_may_go_on_does_not_brake_at_nodes(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    await body.drive(edge(world, "n1", "n2"), onward=True)
    assert now() == pytest.approx(11.0)
    await body.drive(edge(world, "n2", "n3"), onward=False)
    assert now() == pytest.approx(22.0)


async def test_a_lane_limit_is_kept_even_when_coming_fast(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n2"))
    await body.drive(edge(world, "n2", "n3"), onward=True)
    before = now()
    await body.drive(edge(world, "n3", "n4"), onward=False)
    assert now() - before >= 10.0 / 0.5


async def test_its_pose_is_known_at_any_moment(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    driving = asyncio.create_task(body.drive(edge(world, "n1", "n2"), onward=False))
    await asyncio.sleep(7.0)
    assert body.driving
    assert body.position().point == Point(6.0, 0.0)
    assert body.position().yaw_rad == 0.0
    await driving
    assert body.position().point == Point(10.0, 0.0)


async def test_arrivals_fall_on_whole_milliseconds(world: World) -> None:
    body = world.add_ground(cart(speed_m_s=0.7, acceleration_m_s2=0.3), NodeId("n1"))
    await asyncio.sleep(0.123457)
    await body.drive(edge(world, "n1", "n2"), onward=False)
    assert now() * 1000 == pytest.approx(round(now() * 1000), abs=1e-6)


async def test_a_failed_body_freezes_and_goes_on_after_repair(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    driving = asyncio.create_task(body.drive(edge(world, "n1", "n2"), onward=False))
    await asyncio.sleep(5.0)
    body.fail("motor")
    stopped_at = body.position()
    await asyncio.sleep(600.0)
    assert not body.driving
    assert body.position() == stopped_at
    body.repair()
    await driving
    # 4 m were behind it; the other 6 take 2 + 4 + 2 s from a standing start
    assert now() == pytest.approx(605.0 + 8.0)


async def test_a_slow_body_takes_longer(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    body.slow = 0.5
    await body.drive(edge(world, "n1", "n2"), onward=False)
    assert now() == pytest.approx(21.0)
    with pytest.raises(ValueError, match="slow"):
        body.slow = 0.0


async def test_slowing_down_under_way_counts_from_there(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    driving = asyncio.create_task(body.drive(edge(world, "n1", "n2"), onward=True))
    await asyncio.sleep(6.0)
    body.slow = 0.25
    await driving
    assert now() == pytest.approx(6.0 + 5.0 / 0.25)


async def test_a_cancelled_drive_can_be_taken_up_again(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    driving = asyncio.create_task(body.drive(edge(world, "n1", "n2"), onward=False))
    await asyncio.sleep(5.0)
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    await asyncio.sleep(100.0)
    assert body.position().point.x_m == pytest.approx(4.0)
    with pytest.raises(ValueError, match="on its way"):
        await body.drive(edge(world, "n2", "n1"), onward=False)
    await body.drive(edge(world, "n1", "n2"), onward=False)
    assert body.node == "n2"


async def test_nobody_drives_from_where_he_does_not_stand(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    with pytest.raises(ValueError, match="stands on n1"):
        await body.drive(edge(world, "n2", "n3"), onward=False)


async def test_energy_is_spent_on_standing_driving_and_working(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    await asyncio.sleep(100.0)
    assert body.energy_wh == pytest.approx(100 - 1)
    await body.drive(edge(world, "n1", "n2"), onward=False)
    assert body.energy_wh == pytest.approx(99 - 1.2)
    await body.act(Action(id="a", kind=ActionKind.DISINFECT, duration_s=100.0))
    assert body.energy_wh == pytest.approx(97.8 - 21)


async def test_charging_fills_the_battery_and_stops_at_full(world: World) -> None:
    body = world.add_ground(cart(), NodeId("park"), charge_ratio=0.5)
    assert body.connect_charger()
    await asyncio.sleep(25.0)
    assert body.charge_ratio() == pytest.approx(0.75)
    await asyncio.sleep(1000.0)
    assert body.charge_ratio() == 1.0
    body.disconnect_charger()
    assert not body.charging


async def test_there_is_no_charging_without_a_charger(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    assert not body.connect_charger()


async def test_a_flat_battery_stops_the_body_and_is_a_violation(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"), charge_ratio=0.006)
    driving = asyncio.create_task(body.drive(edge(world, "n1", "n2"), onward=False))
    await asyncio.sleep(60.0)
    assert not driving.done()
    assert body.position().point.x_m == pytest.approx(5.0)
    assert world.violations["energy"] == 1
    body.set_charge(0.5)
    await driving
    assert world.violations["energy"] == 1


async def test_loads_come_and_go_by_name(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    await body.act(
        Action(id="a1", kind=ActionKind.LOAD, duration_s=10, facts={"load_id": "T-000007"})
    )
    assert body.loads == ["T-000007"]
    assert now() == 10.0
    await body.act(
        Action(id="a2", kind=ActionKind.UNLOAD, duration_s=10, facts={"load_id": "T-000007"})
    )
    assert body.loads == []


async def test_a_failure_interrupts_work_without_loss(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    work = asyncio.create_task(body.act(Action(id="a", kind=ActionKind.OBSERVE, duration_s=30)))
    await asyncio.sleep(10.0)
    body.fail("camera")
    await asyncio.sleep(100.0)
    body.repair()
    await work
    assert now() == pytest.approx(130.0)


async def test_exposure_follows_the_zone_until_decontamination(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n5"))
    assert body.exposure is Zone.CLEAN
    await body.drive(edge(world, "n5", "decon"), onward=False)
    assert body.exposure is Zone.CONTAMINATED
    await body.act(Action(id="short", kind=ActionKind.DECONTAMINATE, duration_s=20))
    assert body.exposure is Zone.CONTAMINATED, "cut short"
    await body.act(Action(id="full", kind=ActionKind.DECONTAMINATE, duration_s=180))
    assert body.exposure is Zone.CLEAN


async def test_changes_are_told(world: World) -> None:
    body = world.add_ground(cart(), NodeId("park"))
    seen: list[tuple[float, bool, str]] = []
    body.on_change(lambda: seen.append((now(), body.driving, body.node)))
    await body.drive(edge(world, "park", "n1"), onward=False)
    assert seen[0] == (0.0, True, "park")
    assert seen[-1] == (now(), False, "n1")


async def test_heading_points_along_the_lane(world: World) -> None:
    body = world.add_ground(cart(), NodeId("n1"))
    driving = asyncio.create_task(body.drive(edge(world, "n1", "park"), onward=False))
    await asyncio.sleep(1.0)
    assert body.position().yaw_rad == pytest.approx(math.pi / 2)
    await driving


async def test_many_bodies_cost_little(world: World) -> None:
    """Each drives to and fro for an hour; the virtual hour is over at once."""

    async def shuttle(body: GroundBody) -> None:
        for _ in range(150):
            await body.drive(edge(world, "n1", "n2"), onward=False)
            await body.drive(edge(world, "n2", "n1"), onward=False)

    tireless = replace(ENERGY, capacity_wh=1e6)
    specs = [replace(cart(f"C{n}"), energy=tireless) for n in range(10)]
    bodies = [world.add_ground(spec, NodeId("n1")) for spec in specs]
    async with asyncio.TaskGroup() as group:
        for body in bodies:
            group.create_task(shuttle(body))
    assert now() == pytest.approx(3600.0)
    assert {round(body.distance_m) for body in bodies} == {3000}
