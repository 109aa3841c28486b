"""Passengers first, where robots share a cabin."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

from dispatcher.traffic.courtesy import JOIN_S, Courtesy
from fleet.clock import Clock
from routing.site import Edge, LiftId, NodeId, Site
from routing.sites.site_yaml import loads
from tests.sim.tower import site

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
LIFT = LiftId("lift")


def tower() -> Site:
    first = 'passengers: {share: 0.5, hours: ["00:00-24:00"]}'
    return loads(site().replace("door_s: 4,", f"door_s: 4, {first},"), "tower")


def edges(floor: Site, *nodes: str) -> list[Edge]:
    return [floor.edge(NodeId(a), NodeId(b)) for a, b in pairwise(nodes)]


async def test_it_rests_once_all_have_left_for_as_long_as_any_had_it() -> None:
    floor = tower()
    courtesy = Courtesy(floor, Clock.starting(NOON), UTC)
    way_in = edges(floor, "f1lobby", "lift@L1", "lift@L2", "f2lobby")
    (out,) = edges(floor, "lift@L2", "f2lobby")
    courtesy.granted(way_in)
    await asyncio.sleep(30)
    assert courtesy.rests(way_in, others=True) is None
    courtesy.granted(way_in, others=True)
    await asyncio.sleep(20)
    courtesy.passed(out, others=True)
    assert courtesy.rests(way_in) is None, "one is still in it"
    await asyncio.sleep(10)
    courtesy.passed(out)
    await asyncio.sleep(59)
    assert courtesy.rests(way_in) == LIFT
    await asyncio.sleep(2)
    assert courtesy.rests(way_in) is None


async def test_nobody_comes_in_late_so_that_the_lift_is_never_always_in_use() -> None:
    floor = tower()
    courtesy = Courtesy(floor, Clock.starting(NOON), UTC)
    way_in = edges(floor, "f1lobby", "lift@L1", "lift@L2", "f2lobby")
    courtesy.granted(way_in)
    await asyncio.sleep(JOIN_S + 1)
    assert courtesy.rests(way_in, others=True) == LIFT
    assert courtesy.rests(way_in) is None, "it was stuck, and is gone"
