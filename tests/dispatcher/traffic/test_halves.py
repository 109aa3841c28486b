"""The banker's rule where vehicles pass each other: halves, turning off, rooms to wait in."""

import random
from itertools import pairwise

import networkx as nx
import pytest

from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.halves import Halves
from dispatcher.traffic.resources import Resources
from fleet.vehicle import VehicleId
from routing.roads.passing import KeepRight
from routing.site import Edge, NodeId, Site
from routing.sites.site_yaml import loads
from tests.sim.passage import PASSAGE
from tests.sim.storms.test_passing_storm import building

CART, BED = (0.7, 1.0), (0.9, 2.1)


class Floor:
    """Vehicles of some sizes with their homes."""

    def __init__(self, site: Site, robots: list[tuple[tuple[float, float], str]]) -> None:
        self.site = site
        self.resources = Resources(site)
        self.claims = Claims(self.resources)
        self.homes = [home for _, home in robots]
        self.graph: nx.Graph[str] = nx.Graph()
        self.graph.add_edges_from((lane.start, lane.end) for lane in site.lanes.values())
        self.fleet = [
            self.claims.enter(
                VehicleId(f"v{number}"),
                NodeId(home),
                NodeId(home),
                (),
                resources=Halves(self.resources, KeepRight(site, *size)),
            )
            for number, (size, home) in enumerate(robots)
        ]

    def way(self, start: str, goal: str) -> list[Edge]:
        allowed = [n for n in self.graph if n not in self.homes or n in (start, goal)]
        nodes = nx.shortest_path(self.graph.subgraph(allowed), start, goal)
        return [self.site.edge(NodeId(a), NodeId(b)) for a, b in pairwise(nodes)]

    def homeward(self, claim: Claim, start: str) -> list[Edge]:
        return self.way(start, self.homes[self.fleet.index(claim)])

    def admit(self, claim: Claim, goal: str) -> bool:
        return self.claims.plan(
            claim, self.way(claim.stand, goal), tuple(self.homeward(claim, goal))
        )

    def drive(self, claim: Claim, node: str) -> None:
        """As far as a node, which must be granted."""
        while claim.stand != node:
            while claim.granted <= claim.passed:
                assert self.claims.grant(claim), self.claims.holders(claim)
            self.claims.pass_to(claim, claim.passed + 1)


def passage(*robots: tuple[tuple[float, float], str]) -> Floor:
    return Floor(loads(PASSAGE, "passage"), list(robots))


def test_two_narrow_ones_pass_in_the_only_corridor_and_both_can_turn_back() -> None:
    floor = passage((CART, "bay-1"), (CART, "bay-2"))
    east, west = floor.fleet
    assert floor.admit(east, "far-east")
    assert floor.admit(west, "far-west")
    floor.drive(east, "p3")
    floor.drive(west, "p5")
    floor.drive(east, "p5")
    floor.drive(west, "p3")
    assert not east.held & west.held
    assert floor.claims.lost() == 0
    floor.drive(east, "far-east")
    floor.drive(west, "far-west")


@pytest.mark.parametrize("sizes", [(BED, CART), (CART, BED), (BED, BED)])
def test_a_wide_one_is_not_let_in_against_another(sizes: tuple[tuple[float, float], ...]) -> None:
    floor = passage((sizes[0], "bay-1"), (sizes[1], "bay-2"))
    east, west = floor.fleet
    assert floor.admit(east, "far-east")
    assert floor.admit(west, "far-west")
    floor.drive(east, "p3")
    assert not floor.claims.grant(west)
    floor.drive(east, "far-east")


def test_who_turns_off_needs_all_of_the_node() -> None:
    floor = passage((CART, "bay-1"), (CART, "bay-2"))
    east, west = floor.fleet
    assert floor.admit(east, "mid")
    assert floor.admit(west, "far-west")
    floor.drive(east, "p4")
    floor.drive(west, "p5")
    assert floor.claims.grant(west), "the other one only stands in its half"
    assert not floor.claims.grant(east), "it would cross the way of the other"
    floor.claims.pass_to(west, west.passed + 1)
    floor.drive(west, "p3")
    assert floor.claims.grant(east)


def test_a_drive_that_ends_on_the_way_leaves_all_as_safe_as_it_was() -> None:
    """Its shortest way home leads over the other, so others count on what it would have driven."""
    floor = passage((CART, "bay-1"), (BED, "bay-2"))
    one, bed = floor.fleet
    assert floor.admit(one, "mid")
    floor.drive(one, "mid")
    assert floor.admit(bed, "far-west")
    rest = (*floor.way("mid", "p4"), *floor.way("p4", "mid"), *floor.homeward(one, "mid"))
    floor.claims.stop(one, NodeId("mid"), rest)
    floor.drive(bed, "p6")
    assert floor.claims.lost() == 0, "it may stay in its room until the bed is by"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_random_trips_are_all_driven_and_share_nothing(seed: int) -> None:
    luck = random.Random(seed)
    site = loads(building(), "ring")
    homes = [p.node for p in site.places.values() if p.roles]
    rooms = [p.node for p in site.places.values() if not p.roles]
    floor = Floor(site, [(luck.choice((CART, CART, BED)), home) for home in homes])
    trips = {claim.vehicle: 4 for claim in floor.fleet}
    goals: dict[VehicleId, str] = {}
    for _ in range(20_000):
        busy = [c for c in floor.fleet if trips[c.vehicle] or c.edges or c.stand not in homes]
        if not busy:
            return
        claim = luck.choice(busy)
        if claim.edges and luck.random() < 0.003 and claim.granted == claim.passed:
            rest = (*claim.edges[claim.passed :], *(claim.homeward or ()))
            before = floor.claims.lost()
            floor.claims.stop(claim, claim.stand, tuple(floor.homeward(claim, claim.stand)))
            if floor.claims.lost() & ~before:
                assert floor.claims.rehome(claim, rest)
            assert floor.claims.lost() == 0
        elif claim.passed < claim.granted:
            floor.claims.pass_to(claim, claim.passed + 1)
        elif claim.waiting:
            floor.claims.grant(claim)
        elif claim.edges:
            floor.claims.stop(claim, claim.stand, tuple(floor.homeward(claim, claim.stand)))
            trips[claim.vehicle] -= trips[claim.vehicle] > 0 and claim.stand == goals[claim.vehicle]
        else:
            home = floor.homes[floor.fleet.index(claim)]
            elsewhere = [room for room in rooms if room != claim.stand]
            goals[claim.vehicle] = luck.choice(elsewhere) if trips[claim.vehicle] else home
            if not floor.admit(claim, goals[claim.vehicle]) and claim.stand != home:
                assert floor.claims.plan(claim, claim.homeward or (), ())
        held = [one.held for one in floor.fleet]
        assert not any(one & other for n, one in enumerate(held) for other in held[:n])
        assert floor.claims.lost() == 0
    pytest.fail(f"still to do: {trips}")
