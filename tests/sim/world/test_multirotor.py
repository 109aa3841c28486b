"""The body of a drone: exact legs, wind and energy, without a single tick."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fleet.energy import EnergySpec
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import NodeId, PlaceId
from sim.world.multirotor import Multirotor, Wind
from sim.world.world import World
from tests.fleet.mavlink.scene import meadow_site

SPEC = VehicleSpec(
    id=VehicleId("D1"),
    name="Swift",
    medium=Medium.AIR,
    kind="multirotor",
    make="test",
    home=PlaceId("dock-1"),
    speed_m_s=10.0,
    acceleration_m_s2=2.0,
    width_m=1.0,
    length_m=1.0,
    payload_g=0,
    payload_ml=0,
    load_types=frozenset(),
    skills=frozenset(),
    energy=EnergySpec(
        capacity_wh=100.0, idle_w=10.0, move_w=400.0, climb_w=600.0, hover_w=500.0, charge_w=200.0
    ),
    climb_m_s=4.0,
)
ORIGIN = Point(0, 0)


@asynccontextmanager
async def flying(
    *, charge_ratio: float = 1.0, wind: Wind | None = None
) -> AsyncGenerator[tuple[Multirotor, World], None]:
    world = World(meadow_site(), seed=1)
    body = Multirotor(world, SPEC, NodeId("dock-1"), charge_ratio=charge_ratio, wind=wind or Wind())
    async with asyncio.TaskGroup() as group:
        alarms = group.create_task(body.alarms.run())
        await asyncio.sleep(0)
        yield body, world
        alarms.cancel()


async def fly(body: Multirotor, goal: Point, height_m: float) -> float:
    """Fly somewhere; returns the seconds that it took."""
    there = asyncio.Event()
    began_s = asyncio.get_running_loop().time()
    body.fly(goal, height_m, there.set)
    await there.wait()
    return asyncio.get_running_loop().time() - began_s


async def land(body: Multirotor) -> float:
    down = asyncio.Event()
    began_s = asyncio.get_running_loop().time()
    body.land(down.set)
    await down.wait()
    return asyncio.get_running_loop().time() - began_s


async def test_a_leg_takes_what_speed_and_acceleration_say() -> None:
    async with flying() as (body, _):
        assert await fly(body, ORIGIN, 40) == pytest.approx(10)
        assert await fly(body, Point(300, 400), 40) == pytest.approx(500 / 10 + 10 / 2, abs=1e-5)


async def test_it_is_where_its_leg_says_at_every_moment() -> None:
    async with flying() as (body, _):
        await fly(body, ORIGIN, 40)
        leg = asyncio.create_task(fly(body, Point(100, 0), 40))
        await asyncio.sleep(6)
        assert body.position().point.x_m == pytest.approx(0.5 * 2 * 25 + 10)
        assert body.velocity() == pytest.approx((10, 0, 0))
        assert body.position().yaw_rad == pytest.approx(0)
        await leg


async def test_it_lands_slowly_at_the_end() -> None:
    async with flying() as (body, _):
        await fly(body, ORIGIN, 50)
        assert await land(body) == pytest.approx(40 / 4 + 10 / 0.5)
        assert not body.airborne
        assert body.position().height_agl_m == 0


async def test_head_wind_costs_time_and_energy() -> None:
    async def there(wind: Wind) -> tuple[float, float]:
        async with flying(wind=wind) as (body, _):
            await fly(body, ORIGIN, 40)
            full = body.energy_wh
            return await fly(body, Point(500, 0), 40), full - body.energy_wh

    calm_s, calm_wh = await there(Wind())
    against_s, against_wh = await there(Wind(x_m_s=-5))
    across_s, _ = await there(Wind(y_m_s=6))
    with_s, with_wh = await there(Wind(x_m_s=5))
    assert against_s > across_s > calm_s > with_s
    assert against_wh > calm_wh > with_wh


async def test_a_change_of_wind_counts_from_there_on() -> None:
    async with flying() as (body, _):
        await fly(body, ORIGIN, 40)
        leg = asyncio.create_task(fly(body, Point(500, 0), 40))
        await asyncio.sleep(20)
        where = body.position().point
        body.set_wind(Wind(x_m_s=-8))
        assert body.position().point.distance_m(where) < 1e-6
        assert await leg > 100
        assert body.position().point.distance_m(Point(500, 0)) < 1e-6


async def test_energy_is_power_times_time() -> None:
    async with flying() as (body, _):
        await fly(body, ORIGIN, 40)
        assert 100 - body.energy_wh == pytest.approx(600 * 10 / 3600)
        body.hover()
        before = body.energy_wh
        await asyncio.sleep(36)
        assert before - body.energy_wh == pytest.approx(500 * 36 / 3600)


async def test_on_the_ground_only_power_that_is_on_costs() -> None:
    async with flying(charge_ratio=0.5) as (body, _):
        await asyncio.sleep(3600)
        assert body.energy_wh == 50
        body.set_power(electronics=True)
        await asyncio.sleep(3600)
        assert body.energy_wh == pytest.approx(40)
        body.set_power(charger=True)
        await asyncio.sleep(900)
        assert body.energy_wh == pytest.approx(90)
        await asyncio.sleep(3600)
        assert body.energy_wh == 100


async def test_an_empty_battery_ends_the_flight_and_is_counted() -> None:
    async with flying(charge_ratio=0.1) as (body, world):
        body.fly(Point(5000, 0), 40, lambda: None)
        await asyncio.sleep(600)
        assert world.violations["energy"] == 1
        assert body.empty
        assert not body.airborne
        assert body.energy_wh == 0


async def test_it_says_when_a_mark_is_passed() -> None:
    async with flying() as (body, _):
        passed: list[float] = []
        body.at_energy(95.0, lambda: passed.append(asyncio.get_running_loop().time()))
        body.fly(ORIGIN, 40, body.hover)
        await asyncio.sleep(300)
        assert passed == [pytest.approx(10 + (5 - 600 * 10 / 3600) * 3600 / 500)]


async def test_a_fault_in_a_callback_ends_its_owner() -> None:
    world = World(meadow_site(), seed=1)
    body = Multirotor(world, SPEC, NodeId("dock-1"))

    def broken() -> None:
        raise ValueError("a bug")

    body.fly(ORIGIN, 10, broken)
    with pytest.raises(ValueError, match="a bug"):
        await body.alarms.run()


async def test_a_battery_gets_quite_full() -> None:
    async with flying(charge_ratio=0.1) as (body, _):
        body.set_power(charger=True)
        for _ in range(200):
            await asyncio.sleep(body.seconds_to(min(1.0, body.charge_ratio() + 0.0137)))
        assert body.charge_ratio() == 1.0


async def test_a_drained_battery_passes_its_marks_at_once() -> None:
    async with flying() as (body, _):
        passed: list[float] = []
        for mark in (30.0, 20.0, 10.0):
            body.at_energy(mark, lambda mark=mark: passed.append(mark))
        body.set_charge(0.15)
        assert passed == [30.0, 20.0]
        assert body.charge_ratio() == pytest.approx(0.15)
        body.set_power(charger=True)
        await asyncio.sleep(900)
        assert body.charge_ratio() == pytest.approx(0.65), "it charges from there"
