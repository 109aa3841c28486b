"""Pads and air: one drone at a time where they would meet."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from dispatcher.air.docks import Docks
from dispatcher.air.passing import AirTimes
from dispatcher.air.skies import Skies
from fleet.errors import MissionCancelled, MissionFailed
from fleet.mission import Waypoint
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import LevelId, NodeId, PlaceId
from routing.sites.site_yaml import loads
from routing.terrain import Terrain
from tests.dispatcher.ward import cart

D1, D2, D3 = VehicleId("D1"), VehicleId("D2"), VehicleId("D3")
SITE = """
site: field
name: {en: Field, zh: 场地}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  yard:
    name: {en: Yard, zh: 院区}
    outdoors: true
    places:
      dock-1: {name: {en: Dock 1, zh: 坞一}, kind: dock, at: [0, 0], roles: [pad]}
      dock-2: {name: {en: Dock 2, zh: 坞二}, kind: dock, at: [50, 0], roles: [pad]}
      dock-3: {name: {en: Dock 3, zh: 坞三}, kind: dock, at: [100, 0], roles: [pad]}
      depot: {name: {en: Depot, zh: 仓库}, kind: stores, at: [0, 100], roles: [pad]}
      clinic: {name: {en: Clinic, zh: 诊所}, kind: ward, at: [100, 100], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-90, -90], [190, -90], [190, 190], [-90, 190]]
"""
PADS = [NodeId("depot"), NodeId("clinic")]


def drone(number: int, cruise_agl_m: float | None = None) -> VehicleSpec:
    """Drones 1 to 3 cruise at 40, 50 and 60 m, unless told otherwise."""
    return replace(
        cart(number).spec,
        id=VehicleId(f"D{number}"),
        medium=Medium.AIR,
        home=PlaceId(f"dock-{number}"),
        cruise_agl_m=30.0 + 10 * number if cruise_agl_m is None else cruise_agl_m,
    )


def skies_of(*drones: VehicleSpec, ground: Terrain | None = None) -> Skies:
    """A sky over the field with these drones at home."""
    site = replace(loads(SITE, "field"), terrain=ground)
    skies = Skies(site, Docks(site, drones))
    for spec in drones:
        skies.add(spec, NodeId(spec.home))
    return skies


@pytest.fixture
def skies() -> Skies:
    return skies_of(*map(drone, (1, 2, 3)))


def way(*points: tuple[float, float]) -> list[Waypoint]:
    yard = LevelId("yard")
    return [Waypoint(node=NodeId("x"), level=yard, point=Point(*point)) for point in points]


async def test_all_pads_of_a_task_or_none(skies: Skies) -> None:
    await skies.reserve(D1, [NodeId("clinic")], (2, 0.0))
    waiting = asyncio.create_task(skies.reserve(D2, PADS, (2, 1.0)), name="D2")
    await asyncio.sleep(1)
    assert not waiting.done()
    assert skies.free(D3, [NodeId("depot")]), "it keeps nothing while it waits"
    refusal = skies.waits_for(D2)
    assert refusal is not None
    assert (refusal.code, refusal.facts["by"]) == ("waits_for_pad", D1)
    skies.leave(D1)
    await waiting
    assert not skies.free(D1, PADS)


async def test_the_more_urgent_gets_the_pad_first(skies: Skies) -> None:
    await skies.reserve(D1, PADS, (2, 0.0))
    order: list[VehicleId] = []

    async def wait(vehicle: VehicleId, rank: tuple[int, float]) -> None:
        await skies.reserve(vehicle, PADS, rank)
        order.append(vehicle)
        skies.leave(vehicle)

    async with asyncio.TaskGroup() as group:
        group.create_task(wait(D2, (2, 1.0)), name="routine")
        group.create_task(wait(D3, (0, 2.0)), name="stat")
        await asyncio.sleep(1)
        skies.leave(D1)
    assert order == [D3, D2]


async def test_homes_are_always_kept(skies: Skies) -> None:
    assert not skies.free(D2, [NodeId("dock-1")])
    assert skies.free(D1, [NodeId("dock-1")])


async def test_who_leaves_may_keep_a_pad(skies: Skies) -> None:
    await skies.reserve(D1, PADS, (2, 0.0))
    skies.leave(D1, keep=[NodeId("clinic")])
    assert skies.free(D2, [NodeId("depot")])
    assert not skies.free(D2, [NodeId("clinic")])


async def test_a_withdrawn_wait_ends_and_takes_nothing(skies: Skies) -> None:
    await skies.reserve(D1, PADS, (2, 0.0))
    waiting = asyncio.create_task(skies.reserve(D2, PADS, (2, 1.0)), name="D2")
    await asyncio.sleep(1)
    skies.withdraw(D2)
    with pytest.raises(MissionCancelled):
        await waiting
    skies.leave(D1)
    assert skies.free(D3, PADS)
    assert skies.waits_for(D2) is None


async def test_a_killed_wait_takes_nothing_either(skies: Skies) -> None:
    await skies.reserve(D1, PADS, (2, 0.0))
    waiting = asyncio.create_task(skies.reserve(D2, PADS, (2, 1.0)), name="D2")
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    skies.leave(D1)
    assert skies.free(D3, PADS)


@pytest.mark.parametrize(
    ("route", "meets"),
    [
        ([(100.0, 0.0), (100.0, 100.0)], False),
        ([(50.0, 0.0), (0.0, 50.0), (100.0, 100.0)], False),
        ([(50.0, 0.0), (-50.0, 150.0), (100.0, 150.0)], False),
        ([(50.0, 0.0), (0.0, 100.0)], True),
        ([(-50.0, 100.0), (50.0, 100.0)], True),
    ],
    ids=["beside", "across the way", "over nobody's column", "same pad", "over its column"],
)
async def test_flights_wait_only_where_one_climbs_or_lands(
    skies: Skies, route: list[tuple[float, float]], meets: bool
) -> None:
    async with AsyncExitStack() as in_the_air:
        await in_the_air.enter_async_context(skies.fly(D1, way((0.0, 0.0), (0.0, 100.0)), (2, 0.0)))
        other = asyncio.create_task(
            in_the_air.enter_async_context(skies.fly(D2, way(*route), (2, 1.0))), name="D2"
        )
        await asyncio.sleep(1)
        assert other.done() is not meets
        refusal = skies.waits_for(D2)
        assert (refusal.code if refusal else None) == ("waits_for_airspace" if meets else None)
        if meets:
            skies.withdraw(D2)
            await asyncio.wait([other])


@pytest.mark.parametrize(
    ("heights_m", "other_way", "waits"),
    [
        ((60, 60), ((100, 0), (0, 100)), True),
        ((60, 65), ((100, 0), (0, 100)), True),
        ((60, 70), ((100, 0), (0, 100)), False),
        ((60, 60), ((100, 0), (100, 100)), False),
    ],
    ids=["ways cross", "nearly as high", "one above the other", "far apart"],
)
async def test_in_one_layer_of_air_ways_must_not_cross(
    heights_m: tuple[float, float], other_way: tuple[tuple[float, float], ...], waits: bool
) -> None:
    skies = skies_of(*map(drone, (1, 3), heights_m))
    other = asyncio.Event()

    async def fly() -> None:
        async with skies.fly(D3, way(*other_way), (2, 1.0)):
            other.set()

    async with asyncio.TaskGroup() as group:
        async with skies.fly(D1, way((0, 0), (70, 70)), (2, 0.0)):
            group.create_task(fly(), name="D3")
            await asyncio.sleep(1)
            assert other.is_set() is not waits
        await asyncio.wait_for(other.wait(), 1)


@pytest.mark.parametrize(("heights_m", "waits"), [((60, 50), True), ((60, 60), False)])
async def test_layers_are_as_high_as_they_really_are(
    heights_m: tuple[float, float], *, waits: bool
) -> None:
    ground = Terrain(0.0, 0.0, 100.0, np.array([[0.0, 10.0], [0.0, 10.0]]))
    skies = skies_of(*map(drone, (1, 3), heights_m), ground=ground)
    async with skies.fly(D1, way((0, 0), (70, 70)), (2, 0.0)):
        assert (skies.hinders(D3, way((100, 0), (0, 100))) is not None) is waits


async def test_an_urgent_flight_leaves_the_air_behind_it_to_others(skies: Skies) -> None:
    scene = replace(way((150, 0))[0], height_agl_m=40.0)
    route = [*way((0, 0)), scene, scene, *way((0, 0))]
    around = [replace(way((150, 90))[0], height_agl_m=40.0), *way((0, 0))]
    async with skies.fly(D1, [*route[:-1], *around], (0, 0.0), leaves=True) as clearance:
        assert skies.hinders(D2, way((50, 0), (50, 50))) == D1
        clearance.reached(1)
        assert skies.hinders(D2, way((50, 0), (50, 50))) is None
        assert skies.hinders(D2, way((50, 0), (0, 0))) == D1, "it comes down there"
    assert skies.hinders(D2, way((50, 0), (0, 0))) is None


async def test_an_ordinary_flight_keeps_its_air_to_the_end(skies: Skies) -> None:
    route = [*way((0, 0)), *way((150, 0)), *way((150, 90)), *way((0, 0))]
    async with skies.fly(D1, route, (0, 0.0)) as clearance:
        clearance.reached(1)
        assert skies.hinders(D2, way((50, 0), (50, 50))) == D1


async def flown(skies: Skies, vehicle: VehicleId, route: list[Waypoint]) -> None:
    async with skies.fly(vehicle, route, (2, 0.0)):
        pass


async def test_what_a_former_process_gave_stays_given(skies: Skies) -> None:
    route = way((0, 100), (100, 100))
    skies.keep(D1, route, PADS)
    assert not skies.free(D2, PADS)
    crossing = asyncio.create_task(flown(skies, D2, way((50, 0), (100, 100))), name="D2")
    await asyncio.sleep(1)
    assert skies.waits_for(D2) is not None
    async with asyncio.timeout(1), skies.fly(D1, route, (2, 0.0)):
        assert not crossing.done()
    await asyncio.wait_for(crossing, 1)
    skies.leave(D1)
    assert skies.free(D2, PADS)


async def test_work_on_the_ground_keeps_its_pad_and_no_air(skies: Skies) -> None:
    skies.keep(D1, way((0, 100)), [NodeId("depot"), NodeId("dock-1")])
    assert not skies.free(D2, [NodeId("depot")])
    await asyncio.wait_for(flown(skies, D2, way((50, 0), (0, 100))), 1)


async def test_nobody_waits_for_the_dock_of_another(skies: Skies) -> None:
    await skies.reserve(D2, [NodeId("dock-2")], (0, 0.0))
    with pytest.raises(MissionFailed) as failed:
        await skies.reserve(D1, [NodeId("depot"), NodeId("dock-2")], (0, 0.0))
    reason = failed.value.reason
    assert (reason.code, reason.facts["by"]) == ("dock_of_another", D2)
    assert skies.free(D3, [NodeId("depot")])


async def test_who_is_let_through_by_time_alone_need_not_wait_for_another_event() -> None:
    drones = [drone(1), drone(2)]
    site = loads(SITE, "field")
    times = Times()
    skies = Skies(site, Docks(site, drones), cast(AirTimes, times))
    for spec in drones:
        skies.add(spec, NodeId(spec.home))
    over_dock_2 = way((0, 0), (150, 0), (150, 100))
    async with AsyncExitStack() as flying:
        await flying.enter_async_context(skies.fly(D2, way((50, 0), (100, 100)), (2, 0.0)))
        there = asyncio.create_task(
            flying.enter_async_context(skies.fly(D1, over_dock_2, (0, 0.0), passes=1))
        )
        await asyncio.sleep(1)
        assert not there.done()
        times.lands_in_s = 60.0
        refusal = skies.waits_for(D1)
        assert refusal is not None
        assert (refusal.code, refusal.facts["by"]) == ("waits_for_airspace", D2)
        skies.look_again()
        await asyncio.wait_for(there, 1)


class Times:
    """One lands soon or late; the other is past in 10 s."""

    lands_in_s = 0.0

    def soonest_s(self, _vehicle: VehicleId, _pad: object) -> float:
        return self.lands_in_s

    def past_s(self, *_: object) -> float:
        return 10.0


async def test_a_flight_is_cut_short_only_where_nobody_is_in_the_way(skies: Skies) -> None:
    round_ = way((0, 0), (-50, 50), (-50, 150), (0, 150), (0, 0))
    async with skies.fly(D1, round_, (0, 0.0)):
        assert skies.cut_short(D1, Point(-50, 100), Point(0, 150))
        assert skies.hinders(D3, way((100, 0), (-25, 125))) is D1, "the short cut is its own now"
        async with skies.fly(D2, way((50, 0), (50, 60)), (0, 0.0)):
            assert not skies.cut_short(D1, Point(0, 150), Point(50, 60)), "one lands there"
    assert skies.hinders(D3, way((100, 0), (-25, 125))) is None, "it is over with the flight"
    assert not skies.cut_short(D1, Point(0, 150), Point(0, 0))


async def test_nobody_takes_off_into_the_way_of_who_comes_back() -> None:
    skies = skies_of(drone(1, 50), drone(2, 50))
    async with skies.fly(D1, way((100, 100), (100, 0)), (1, 0.0)):
        skies.comes_back(D1, Point(100, 50), NodeId("depot"))
        crossing = skies.fly(D2, way((50, 0), (50, 100)), (2, 0.0))
        waiting = asyncio.create_task(crossing.__aenter__(), name="D2")
        await asyncio.sleep(1)
        assert not waiting.done()
        refusal = skies.waits_for(D2)
        assert refusal is not None
        assert (refusal.code, refusal.facts["by"]) == ("waits_for_airspace", D1)
        assert not skies.turn(D2, way((0, 150), (0, 100))), "nor comes down where it will"
        skies.has_come_back(D1)
    await waiting
    await crossing.__aexit__(None, None, None)


async def test_who_comes_back_keeps_that_air_when_it_is_told_something_else() -> None:
    skies = skies_of(drone(1, 50), drone(2, 50))
    skies.comes_back(D1, Point(100, 50), NodeId("depot"))
    async with skies.fly(D1, way((100, 50), (100, 0)), (1, 0.0)):
        assert skies.hinders(D2, way((50, 0), (50, 100))) == D1
    assert skies.hinders(D2, way((50, 0), (50, 100))) is None
