"""Rights of way on a few nodes: what a vehicle may do must never block another for good."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from dispatcher.traffic.traffic import Traffic
from fleet.bus import MemoryBus
from fleet.errors import MissionCancelled
from fleet.facility import Facilities
from fleet.vehicle import VehicleId, VehicleSpec
from routing.site import Edge, NodeId, PlaceId
from routing.sites.site_yaml import loads
from tests.dispatcher.ward import cart
from tests.folders import SMALL_SITES

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


ROW = """
site: row
name: {en: Row, zh: 走廊}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0
    nodes: {a: [0, 0], b: [10, 0], c: [20, 0], d: [30, 0]}
    places:
      home-1: {name: {en: Home 1, zh: 一号位}, at: [0, 5], joins: [a], roles: [parking]}
      home-2: {name: {en: Home 2, zh: 二号位}, at: [0, -5], joins: [a], roles: [parking]}
      ward-1: {name: {en: Ward 1, zh: 一病区}, kind: ward, at: [30, 5], joins: [d]}
      ward-2: {name: {en: Ward 2, zh: 二病区}, kind: ward, at: [30, -5], joins: [d]}
    lanes:
      - [a, b, c, d]
"""
"""Homes at one end of a corridor, wards at the other."""


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


async def test_who_has_rolled_on_is_not_let_in_from_where_it_was() -> None:
    traffic = fork("k", "home-2")
    await broken_off(traffic, ["k", "m", "a", "h", "home-1"], after=1)
    edges = traffic.way_home(ONE).edges
    traffic.found(ONE, NodeId("a"))
    assert edges[0].start == "m"
    assert not await traffic.admit(ONE, edges, RANK)
    assert await traffic.admit(ONE, traffic.way_home(ONE).edges, RANK)


async def test_where_nobody_is_in_the_way_it_takes_the_shortest() -> None:
    traffic = fork("k", "home-2")
    await broken_off(traffic, ["k", "m", "a", "h", "home-1"], after=1)
    assert traffic.way_home(ONE).nodes == ("m", "b", "h", "home-1")


async def test_who_waits_for_an_air_lock_says_who_is_in_it() -> None:
    path = SMALL_SITES / "air_lock.yaml"
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


def row(one: str, two: str, text: str = ROW) -> Traffic:
    site = loads(text, "row")
    traffic = Traffic(site, Facilities(MemoryBus(), site))
    traffic.add(spec(1), NodeId(one))
    traffic.add(spec(2), NodeId(two))
    traffic.start()
    return traffic


def along(*nodes: str, text: str = ROW) -> list[Edge]:
    site = loads(text, "row")
    return [site.edge(NodeId(start), NodeId(end)) for start, end in pairwise(nodes)]


async def test_who_has_another_behind_it_and_is_stopped_makes_room_in_its_ward() -> None:
    traffic = row("a", "home-2")
    there, behind = (
        along("a", "b", "c", "d", "ward-1"),
        along("home-2", "a", "b", "c", "d", "ward-2"),
    )
    assert await traffic.admit(ONE, there, RANK)
    assert await traffic.admit(TWO, behind, RANK)
    async with traffic.drive(TWO, behind, RANK) as following:
        with suppress(MissionCancelled):
            async with traffic.drive(ONE, there, RANK) as clearance:
                clearance.reached(1)
                clearance.reached(2)
                assert traffic.stand(ONE) == "c"
                raise MissionCancelled
        following.reached(1)
        assert traffic.way_home(ONE).nodes == ("c", "d", "ward-1"), "its home is behind the other"
        assert await traffic.admit(ONE, traffic.way_home(ONE).edges, RANK, makes_room=True)


async def test_who_stands_in_its_berth_need_not_make_room() -> None:
    traffic = row("ward-1", "home-2")
    assert traffic.way_home(ONE).edges == ()
    assert await traffic.admit(TWO, along("home-2", "a", "b", "c", "d", "ward-1"), RANK)
    assert traffic.way_home(ONE).nodes == ("ward-1", "d", "c", "b", "a", "home-1")


async def test_after_a_restart_two_head_on_find_one_who_goes_aside() -> None:
    """Stopped there by a former process, each has its home beyond the other."""
    facing = ROW.replace("at: [0, -5], joins: [a]", "at: [35, 0], joins: [d]")
    traffic = row("c", "b", facing)
    traffic.find_shelters()
    aside = traffic.way_home(ONE)
    assert aside.nodes[:2] == ("c", "d")
    assert aside.nodes[2] in {"ward-1", "ward-2"}
    assert await traffic.admit(ONE, aside.edges, RANK, makes_room=True)
    assert traffic.way_home(TWO).nodes == ("b", "c", "d", "home-2")
