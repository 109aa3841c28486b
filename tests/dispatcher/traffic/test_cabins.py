"""The banker's rule where robots ride together: places, who needs all, and whose way out waits."""

from itertools import pairwise

import networkx as nx

from dispatcher.domain.hygiene import rides_alone
from dispatcher.traffic.boarding import Boarding
from dispatcher.traffic.cabins import Cabins
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.resources import Resources
from fleet.vehicle import VehicleId
from routing.roads.cabins import cabins
from routing.site import Edge, LiftId, NodeId, Site
from routing.sites.site_yaml import loads
from tests.sim.tower import site

LIFT = LiftId("lift")


class Building:
    """Robots with their homes; those who share get a place, the others all."""

    def __init__(
        self,
        *homes: str,
        large: int | None = None,
        mixed: int | None = None,
        passing: bool = False,
    ) -> None:
        self.site: Site = loads(site(passing=passing), "tower")
        self.resources = Resources(self.site)
        self.claims = Claims(self.resources, [n for n in self.site.nodes if "room" in n])
        known = cabins(self.site)
        self.boarding = Boarding(self.claims, known)
        self.homes = homes
        self.graph: nx.Graph[str] = nx.Graph()
        self.graph.add_edges_from((lane.start, lane.end) for lane in self.site.lanes.values())
        places = self.resources.places
        self.fleet = [
            self.claims.enter(
                VehicleId(f"C{number}"),
                NodeId(home),
                NodeId(home),
                (),
                resources=None
                if number == large
                else Cabins(self.resources, self.site, known, places, mixed=number == mixed),
            )
            for number, home in enumerate(homes)
        ]

    def way(self, start: str, goal: str) -> list[Edge]:
        allowed = [n for n in self.graph if n not in self.homes or n in (start, goal)]
        nodes = nx.shortest_path(self.graph.subgraph(allowed), start, goal)
        return [self.site.edge(NodeId(a), NodeId(b)) for a, b in pairwise(nodes)]

    def admit(self, claim: Claim, goal: str) -> bool:
        homeward = tuple(self.way(goal, self.homes[self.fleet.index(claim)]))
        return self.claims.plan(claim, self.way(claim.stand, goal), homeward)

    def drive(self, claim: Claim, node: str) -> None:
        """As far as a node, which must be granted."""
        while claim.stand != node:
            if claim.granted <= claim.passed:
                assert self.boarding.grant(claim), self.claims.holders(claim)
            self.claims.pass_to(claim, claim.passed + 1)

    def place(self, claim: Claim) -> int:
        return claim.held & sum(self.resources.places[LIFT])


def test_two_get_different_places_and_the_second_before_its_way_out_is_free() -> None:
    floor = Building("f1-bay1", "f1-bay3")
    one, other = floor.fleet
    assert floor.admit(one, "f3-room1")
    assert floor.admit(other, "f3-room3")
    floor.drive(one, "lift@L1")
    floor.drive(other, "lift@L1")
    places = [floor.place(claim) for claim in floor.fleet]
    assert sorted(places) == sorted(floor.resources.places[LIFT])
    assert other.granted == other.passed + 1, "the ride, and not yet the way out"
    assert floor.claims.lost() == 0
    assert not floor.boarding.grant(other)
    floor.drive(one, "f3c1")
    floor.drive(other, "f3-room3")


def test_one_comes_up_to_a_door_where_another_is_about_to_come_in() -> None:
    floor = Building("f1-bay1", "f3-bay3")
    up, down = floor.fleet
    assert floor.admit(up, "f3-room1")
    assert floor.admit(down, "f2-room3")
    floor.drive(down, "f3lobby")
    floor.drive(up, "f1lobby")
    assert not floor.boarding.grant(up), "it might stand in the cabin for ever"
    assert floor.boarding.grant(down)
    assert floor.boarding.grant(up)
    assert floor.claims.lost() == 0
    floor.drive(up, "lift@L3")
    assert not floor.boarding.grant(up)
    floor.drive(down, "f2-room3")
    floor.drive(up, "f3-room1")


def test_a_large_one_needs_all_places() -> None:
    floor = Building("f1-bay1", "f1-bay3", large=0)
    large, other = floor.fleet
    assert floor.admit(large, "f3-room1")
    assert floor.admit(other, "f2-room3")
    floor.drive(large, "lift@L1")
    assert floor.place(large) == sum(floor.resources.places[LIFT])
    floor.drive(other, "f1lobby")
    assert not floor.boarding.grant(other)


def test_who_carries_waste_needs_all_places_and_so_does_its_way_home_at_any_time() -> None:
    floor = Building("f1-bay1", "f1-bay3", mixed=0)
    bin_, other = floor.fleet
    view = bin_.resources
    assert isinstance(view, Cabins)
    whole = sum(floor.resources.places[LIFT])
    assert floor.admit(bin_, "f3-room1")
    assert bin_.needs.to_home[-1] & whole == whole
    floor.drive(bin_, "lift@L1")
    assert floor.place(bin_) in floor.resources.places[LIFT]
    floor.drive(bin_, "f3-room1")
    view.alone = rides_alone({"waste"})
    assert floor.admit(bin_, "f1-room1")
    floor.drive(bin_, "lift@L3")
    assert floor.place(bin_) == whole
    assert not rides_alone({"food", "sterile"})
    assert rides_alone({"unknown"})
    assert floor.admit(other, "f1-room3")


def test_its_way_home_needs_them_as_well_where_robots_turn_into_rooms_to_let_others_by() -> None:
    floor = Building("f1-bay1", "f1-bay3", mixed=0, passing=True)
    bin_, _ = floor.fleet
    assert floor.admit(bin_, "f3-room1")
    whole = sum(floor.resources.places[LIFT])
    home = bin_.needs.path[len(bin_.edges) :]
    assert [mask & whole for mask in home if mask & whole] == [whole] * 2
