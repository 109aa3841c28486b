"""The banker's rule on random buildings: nobody ever shares, and everybody arrives."""

import random
from collections.abc import Sequence
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.resources import Resources
from fleet.vehicle import VehicleId
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import (
    AirLock,
    AirLockId,
    DoorId,
    Edge,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Name,
    Node,
    NodeId,
    Site,
)

L1, L2 = LevelId("L1"), LevelId("L2")


def site(
    edges: list[tuple[str, str]],
    lifts: tuple[tuple[str, str], ...] = (),
    locks: tuple[str, ...] = (),
) -> Site:
    """Nodes joined by one-lane roads; each lift joins two cabins; a lock is one node in doors."""
    doors = {edge: f"door-{n}" for n, edge in enumerate(edges) if set(edge) & set(locks)}
    upstairs = {cabin for _, cabin in lifts}
    names = dict.fromkeys(name for edge in (*edges, *lifts) for name in edge)
    lanes = {
        LaneId(f"{a}~{b}"): Lane(
            id=LaneId(f"{a}~{b}"),
            start=NodeId(a),
            end=NodeId(b),
            length_m=5.0,
            door=DoorId(doors[a, b]) if (a, b) in doors else None,
        )
        for a, b in edges
    }
    for n, (a, b) in enumerate(lifts):
        lane = Lane(
            id=LaneId(f"lift-{n}"),
            start=NodeId(a),
            end=NodeId(b),
            length_m=4.0,
            lift=LiftId(f"lift-{n}"),
        )
        lanes[lane.id] = lane
    name = Name(en="x", zh="x")
    return Site(
        id="test",
        name=name,
        frame=LocalFrame(GeoPoint(0, 0)),
        levels={
            L1: Level(id=L1, name=name, elevation_m=0),
            L2: Level(id=L2, name=name, elevation_m=4),
        },
        nodes={
            NodeId(n): Node(id=NodeId(n), level=L2 if n in upstairs else L1, point=Point(0, 0))
            for n in names
        },
        lanes=lanes,
        places={},
        lifts={
            LiftId(f"lift-{n}"): Lift(
                id=LiftId(f"lift-{n}"), name=name, cabins={L1: NodeId(a), L2: NodeId(b)}
            )
            for n, (a, b) in enumerate(lifts)
        },
        air_locks={
            AirLockId(lock): AirLock(
                id=AirLockId(lock),
                name=name,
                doors=tuple(DoorId(door) for edge, door in doors.items() if lock in edge),
                inside=(NodeId(lock),),
            )
            for lock in locks
        },
    )


class Floor:
    """A site with claims; ways are shortest ones that pass over nobody's home."""

    def __init__(self, site: Site, homes: list[str], dead_ends: Sequence[str] = ()) -> None:
        self.site = site
        self.homes = homes
        self.resources = Resources(site)
        self.claims = Claims(self.resources, [NodeId(node) for node in dead_ends])
        self.graph: nx.Graph[str] = nx.Graph()
        self.graph.add_edges_from((lane.start, lane.end) for lane in site.lanes.values())
        self.fleet = [
            self.claims.enter(VehicleId(f"v{n}"), NodeId(home), NodeId(home), ())
            for n, home in enumerate(homes)
        ]

    def way(self, start: str, goal: str) -> list[Edge]:
        allowed = [n for n in self.graph if n not in self.homes or n in (start, goal)]
        return self.path(*nx.shortest_path(self.graph.subgraph(allowed), start, goal))

    def path(self, *nodes: str) -> list[Edge]:
        return [self.site.edge(NodeId(a), NodeId(b)) for a, b in pairwise(nodes)]

    def homeward(self, claim: Claim, start: str) -> tuple[Edge, ...]:
        return tuple(self.way(start, self.homes[self.fleet.index(claim)]))

    def admit(self, claim: Claim, goal: str) -> bool:
        return self.claims.plan(claim, self.way(claim.stand, goal), self.homeward(claim, goal))

    def break_off(self, claim: Claim) -> None:
        """It stops where it stands; if its way home from there is barred, all count on the rest."""
        before = self.claims.lost()
        ahead, homeward = claim.edges[claim.passed :], claim.homeward or ()
        self.claims.stop(claim, claim.stand, self.homeward(claim, claim.stand))
        if self.claims.lost() & ~before:
            assert self.claims.rehome(claim, (*ahead, *homeward), pause=len(ahead))
        assert not self.claims.lost() & ~before

    def way_out(self, claim: Claim) -> list[Edge]:
        """Where it goes if it is not let in: home, or to its berth."""
        homeward = list(claim.homeward or ())
        return homeward[: claim.pause] if claim.berth else homeward

    def nothing_shared(self) -> None:
        held = [claim.held for claim in self.fleet]
        for n, one in enumerate(held):
            assert not any(one & other for other in held[:n])


CORRIDOR = [("h0", "a"), ("h1", "b"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "room")]


def test_two_never_meet_head_on_in_a_corridor() -> None:
    floor = Floor(site(CORRIDOR), ["h0", "h1"])
    out, back = floor.fleet
    assert floor.admit(out, "room")
    while out.waiting:
        assert floor.claims.grant(out)
    assert out.granted == len(out.edges)
    assert floor.admit(back, "room")
    assert not floor.claims.grant(back)
    assert floor.claims.holders(back) == ["v0"]


def test_a_lift_is_granted_with_the_way_out() -> None:
    edges = [("h0", "a"), ("a", "cab1"), ("cab2", "b"), ("b", "room")]
    floor = Floor(site(edges, (("cab1", "cab2"),)), ["h0"])
    (claim,) = floor.fleet
    assert floor.admit(claim, "room")
    assert floor.claims.grant(claim)
    assert claim.granted == 1
    assert floor.claims.grant(claim)
    assert [edge.end for edge in claim.edges[1 : claim.granted]] == ["cab1", "cab2", "b"]


def test_an_air_lock_is_granted_with_the_way_out_and_to_one_alone() -> None:
    edges = [("h0", "a"), ("a", "lock"), ("lock", "b"), ("b", "room"), ("b", "h1")]
    floor = Floor(site(edges, locks=("lock",)), ["h0", "h1"])
    out, back = floor.fleet
    assert floor.admit(out, "room")
    assert floor.admit(back, "b")
    assert floor.claims.grant(out)
    assert floor.claims.grant(out)
    assert [edge.end for edge in out.edges[1 : out.granted]] == ["lock", "b"]
    assert not floor.claims.grant(back)
    floor.claims.pass_to(out, 3)
    assert not out.held & floor.resources.node(NodeId("lock"))


def test_nobody_counts_on_one_that_is_stuck() -> None:
    floor = Floor(site(CORRIDOR), ["h0", "h1"])
    stuck, other = floor.fleet
    assert floor.admit(stuck, "room")
    for _ in range(2):
        assert floor.claims.grant(stuck)
    floor.claims.pass_to(stuck, 2)
    floor.claims.set_stuck(stuck, True)
    assert not floor.claims.grant(stuck)
    assert floor.claims.could_take(other, floor.way("h1", "b")) is False


@pytest.mark.parametrize("dead_ends", [(), ("room",)])
def test_nobody_enters_a_dead_end_that_another_must_come_out_of(dead_ends: Sequence[str]) -> None:
    floor = Floor(site(CORRIDOR), ["h0", "h1"], dead_ends)
    inside, outside = floor.fleet
    drive_all(floor, inside, "room")
    assert floor.admit(outside, "room")
    assert not floor.claims.grant(outside)
    assert floor.claims.holders(outside) == []
    drive_all(floor, inside, "h0")
    assert floor.claims.grant(outside)


def test_those_whom_a_stuck_one_keeps_from_home_stay_out_of_each_others_way() -> None:
    floor = Floor(site([("h2", "a"), *CORRIDOR]), ["h0", "h1", "h2"])
    inner, stuck, outer = floor.fleet
    for claim, stand in ((inner, "room"), (stuck, "b"), (outer, "c")):
        floor.claims.stop(claim, NodeId(stand), floor.homeward(claim, stand))
    floor.claims.set_stuck(stuck, True)
    assert not floor.admit(outer, "room"), "they would meet head-on, and for good"
    assert floor.admit(outer, "h2")


def test_no_other_way_home_is_counted_on_that_leads_over_one_who_waits_for_it() -> None:
    ring = [("h0", "a"), ("a", "b"), ("b", "c"), ("a", "d"), ("d", "c"), ("c", "h1")]
    floor = Floor(site(ring), ["h0", "h1"])
    one, other = floor.fleet
    floor.claims.stop(one, NodeId("c"), tuple(floor.path("c", "b", "a", "h0")))
    floor.claims.stop(other, NodeId("d"), tuple(floor.path("d", "c", "h1")))
    assert floor.claims.lost() == 0
    assert not floor.claims.rehome(one, tuple(floor.path("c", "d", "a", "h0")))
    assert floor.claims.lost() == 0


@pytest.mark.parametrize("dead_ends", [(), ("room", "room2")])
def test_they_follow_each_other_to_berths_of_their_own(dead_ends: Sequence[str]) -> None:
    floor = Floor(site([*CORRIDOR, ("d", "room2")]), ["h0", "h1"], dead_ends)
    first, second = floor.fleet
    assert floor.admit(first, "room")
    for _ in range(3):
        assert floor.claims.grant(first)
    floor.claims.pass_to(first, 3)
    assert first.stand == "c"
    assert floor.admit(second, "room2")
    assert floor.claims.grant(second) is bool(dead_ends), "else the first must come back past it"


def test_a_berth_is_one_only_while_nobody_else_needs_it() -> None:
    floor = Floor(site([*CORRIDOR, ("d", "room2")]), ["h0", "h1"], ("room", "room2"))
    inside, outside = floor.fleet
    drive_all(floor, inside, "room")
    assert inside.berth
    assert floor.admit(outside, "room")
    assert not inside.berth
    assert not outside.berth, "another is in there"
    drive_all(floor, inside, "room2")
    assert inside.berth
    assert outside.berth


def test_who_is_broken_off_before_its_berth_goes_on_to_it() -> None:
    floor = Floor(site([*CORRIDOR, ("d", "room2")]), ["h0", "h1"], ("room", "room2"))
    first, second = floor.fleet
    assert floor.admit(first, "room")
    for _ in range(3):
        assert floor.claims.grant(first)
    floor.claims.pass_to(first, 3)
    assert floor.admit(second, "room2")
    assert floor.claims.grant(second)
    floor.claims.pass_to(second, 1)
    floor.break_off(first)
    assert [edge.end for edge in floor.way_out(first)] == ["d", "room"]
    assert floor.claims.plan(first, floor.way_out(first), floor.homeward(first, "room"))


def drive_all(floor: Floor, claim: Claim, goal: str) -> None:
    assert floor.admit(claim, goal)
    while claim.waiting:
        assert floor.claims.grant(claim)
    floor.claims.pass_to(claim, len(claim.edges))
    floor.claims.stop(claim, NodeId(goal), floor.homeward(claim, goal))


@st.composite
def buildings(draw: st.DrawFn) -> tuple[Floor, list[str], int]:
    """A random tree of corridors with some loops, rooms at its ends, homes beside it."""
    size = draw(st.integers(4, 10))
    edges = [(f"n{draw(st.integers(0, n - 1))}", f"n{n}") for n in range(1, size)]
    for _ in range(draw(st.integers(0, 3))):
        a, b = draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))
        if a != b and (f"n{a}", f"n{b}") not in edges and (f"n{b}", f"n{a}") not in edges:
            edges.append((f"n{a}", f"n{b}"))
    robots = draw(st.integers(1, 5))
    homes = [f"h{n}" for n in range(robots)]
    edges += [(f"n{draw(st.integers(0, size - 1))}", home) for home in homes]
    rooms = [f"r{n}" for n in range(draw(st.integers(1, 4)))]
    edges += [(f"n{draw(st.integers(0, size - 1))}", room) for room in rooms]
    locks = tuple(f"n{n}" for n in sorted(draw(st.sets(st.integers(0, size - 1), max_size=2))))
    locks = tuple(lock for lock in locks if not beside(lock, edges, locks))
    dead_ends = rooms if draw(st.booleans()) else []
    return Floor(site(edges, locks=locks), homes, dead_ends), rooms, draw(st.integers(0, 2**32))


def beside(lock: str, edges: list[tuple[str, str]], locks: tuple[str, ...]) -> bool:
    """Whether another lock is next to one: they would share a door."""
    return any(lock in edge and (set(edge) - {lock}) & set(locks) for edge in edges)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(buildings(), st.sampled_from([0.0, 0.05, 0.3]))
def test_whatever_they_want_they_get_it_and_share_nothing(
    building: tuple[Floor, list[str], int], breakdowns: float
) -> None:
    """Random trips in random order; who is not let in goes home or to its berth, as it promised.

    Some are broken off on the way, and some break down for a while: once all are whole again,
    none waits for another.
    """
    floor, rooms, seed = building
    luck = random.Random(seed)
    trips = {claim.vehicle: 3 for claim in floor.fleet}
    goals: dict[VehicleId, str] = {}
    for turn in range(3000):
        busy = [c for c in floor.fleet if trips[c.vehicle] or c.edges or c.stand[0] != "h"]
        if not busy:
            return
        claim = luck.choice(busy)
        all_whole = not any(one.stuck for one in floor.fleet)
        if luck.random() < (breakdowns if turn < 1000 else float(claim.stuck)):
            floor.claims.set_stuck(claim, not claim.stuck)
        elif claim.stuck:
            continue
        elif claim.passed < claim.granted:
            floor.claims.pass_to(claim, claim.passed + 1)
        elif claim.edges and claim.granted < len(claim.edges):
            if turn < 1000 and luck.random() < 0.05:
                floor.break_off(claim)
            else:
                floor.claims.grant(claim)
        elif claim.edges:
            stand = claim.edges[-1].end
            floor.claims.stop(claim, stand, floor.homeward(claim, stand))
            trips[claim.vehicle] -= trips[claim.vehicle] > 0 and stand == goals[claim.vehicle]
        else:
            home = floor.homes[floor.fleet.index(claim)]
            elsewhere = [room for room in rooms if room != claim.stand] or [home]
            goals[claim.vehicle] = luck.choice(elsewhere) if trips[claim.vehicle] else home
            if not floor.admit(claim, goals[claim.vehicle]) and (out := floor.way_out(claim)):
                goals[claim.vehicle] = ""
                homeward = floor.homeward(claim, out[-1].end)
                assert floor.claims.plan(claim, out, homeward) or not all_whole
        floor.nothing_shared()
    pytest.fail(f"still to do: {trips}")
