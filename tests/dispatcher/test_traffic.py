"""Rights of way on a few nodes: what a vehicle may do must never block another for good."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from dispatcher.traffic import Traffic
from fleet.bus import MemoryBus
from fleet.errors import MissionCancelled
from fleet.facility import Facilities
from fleet.vehicle import VehicleId, VehicleSpec
from routing.site import NodeId, PlaceId
from routing.site_yaml import loads
from tests.dispatcher.ward import cart

FORK = """
site: fork
name: {en: Fork, zh: 岔路}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0
    nodes: {k: [-10, 0], m: [0, 0], a: [20, 20], b: [10, 0], h: [20, 0], w: [0, -10]}
    places:
      home-1: {name: {en: Home 1, zh: 一号位}, at: [25, 0], joins: [h], roles: [parking]}
      home-2: {name: {en: Home 2, zh: 二号位}, at: [0, -20], joins: [w], roles: [parking]}
    lanes:
      - [k, m, a, h]
      - [m, b, h]
      - [m, w]
"""
"""From m, home-1 lies beyond b, or further, beyond a; home-2 lies off m."""
ONE, TWO = VehicleId("cart-1"), VehicleId("cart-2")
RANK = (2, 0.0)


def spec(number: int) -> VehicleSpec:
    return replace(cart(number).spec, home=PlaceId(f"home-{number}"))


def fork(one: str, two: str) -> Traffic:
    site = loads(FORK, "fork")
    traffic = Traffic(site, Facilities(MemoryBus(), site))
    traffic.add(spec(1), NodeId(one))
    traffic.add(spec(2), NodeId(two))
    traffic.start()
    return traffic


async def broken_off(traffic: Traffic, nodes: Sequence[str], *, after: int) -> None:
    """Cart 1 drives along these nodes and is stopped on the way."""
    site = loads(FORK, "fork")
    edges = [site.edge(NodeId(start), NodeId(end)) for start, end in pairwise(nodes)]
    assert await traffic.admit(ONE, edges, RANK)
    with suppress(MissionCancelled):
        async with traffic.drive(ONE, edges, RANK) as clearance:
            clearance.reached(after)
            raise MissionCancelled


async def test_who_is_stopped_where_another_must_pass_goes_on_as_it_would_have() -> None:
    traffic = fork("k", "b")
    await broken_off(traffic, ["k", "m", "a", "h", "home-1"], after=1)
    way = traffic.way_home(ONE)
    assert way.nodes == ("m", "a", "h", "home-1"), "cart 2 stands on the shorter way, and needs m"
    assert await traffic.admit(ONE, way.edges, RANK)


async def test_it_may_roll_on_a_little_and_others_count_on_the_rest() -> None:
    traffic = fork("k", "b")
    await broken_off(traffic, ["k", "m", "a", "h", "home-1"], after=1)
    traffic.found(ONE, NodeId("a"))
    assert traffic.way_home(ONE).nodes == ("a", "h", "home-1")
    site = loads(FORK, "fork")
    home = [("b", "m"), ("m", "w"), ("w", "home-2")]
    edges = [site.edge(NodeId(start), NodeId(end)) for start, end in home]
    assert await traffic.admit(TWO, edges, RANK)


async def test_where_nobody_is_in_the_way_it_takes_the_shortest() -> None:
    traffic = fork("k", "home-2")
    await broken_off(traffic, ["k", "m", "a", "h", "home-1"], after=1)
    assert traffic.way_home(ONE).nodes == ("m", "b", "h", "home-1")


async def test_who_waits_for_an_air_lock_says_who_is_in_it() -> None:
    path = Path(__file__).parents[1] / "sim" / "air_lock.yaml"
    text = path.read_text(encoding="utf-8").replace("bay-2", "home-1").replace("bay-3", "home-2")
    site = loads(text.replace("at: [8, -5], joins: [a2]", "at: [16, -5], joins: [b1]"), "lock")
    traffic = Traffic(site, Facilities(MemoryBus(), site))
    traffic.add(spec(1), NodeId("lock"))
    traffic.add(spec(2), NodeId("a2"))
    traffic.start()
    home = traffic.way_home(TWO).edges
    assert [edge.end for edge in home] == ["lock", "b1", "home-2"]
    assert await traffic.admit(TWO, home, RANK)
    async with traffic.drive(TWO, home, RANK):
        reason = traffic.waits.reason(TWO, 0.0)
    assert reason is not None
    assert reason.code == "waits_for_air_lock"
    assert (reason.facts["lock"], reason.facts["by"]) == ("lock-1", ONE)


LINE = """
site: line
name: {en: Line, zh: 直线}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0
    nodes: {a: [0, 0], b: [5, 0], c: [10, 0], d: [15, 0], e: [20, 0], f: [25, 0], g: [30, 0]}
    places:
      home-1: {name: {en: Home 1, zh: 一号位}, at: [-5, 0], joins: [a], roles: [parking]}
    lanes:
      - [a, b, c, d, e, f, g]
"""


async def test_who_drives_alone_is_told_something_new_at_every_other_node() -> None:
    site = loads(LINE, "line")
    traffic = Traffic(site, Facilities(MemoryBus(), site))
    traffic.add(spec(1), NodeId("home-1"))
    traffic.start()
    edges = [site.edge(NodeId(s), NodeId(e)) for s, e in pairwise(("home-1", *"abcdefg"))]
    told: list[int] = []
    async with asyncio.TaskGroup() as group:
        portals = group.create_task(traffic.run())
        assert await traffic.admit(ONE, edges, RANK)
        async with traffic.drive(ONE, edges, RANK) as clearance:
            for passed in range(len(edges)):
                clearance.reached(passed)
                await asyncio.sleep(1)
                told.append(clearance.released - 1 - passed)
        portals.cancel()
    assert told == [4, 3, 4, 3, 3, 2, 1], "so many edges are ahead of it, as far as there are any"
