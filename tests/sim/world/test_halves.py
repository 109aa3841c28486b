"""Whoever may be somewhere at the same time by their claims never covers the same ground."""

import math
from dataclasses import dataclass, replace
from itertools import combinations

import pytest

from dispatcher.traffic.halves import Halves
from dispatcher.traffic.resources import Resources
from fleet.vehicle import Position, VehicleSpec
from routing.geometry import Point
from routing.roads.passing import Half, KeepRight
from routing.site import LevelId, NodeId, Site
from routing.sites.site_yaml import loads
from sim.world.outlines import swept
from tests.dispatcher.ward import cart

TIGHT = """\
site: tight
name: {en: Tight, zh: 窄处}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes:
      a: [0, 0]
      b: [SPAN, 0]
      c: [TWICE, 0.3]
      d: [30, 0]
      n: [8, 9]
      s: [SPAN, -5]
      o: [TWICE, 5]
    places:
      home: {name: {en: Home, zh: 停车位}, at: [0, 9], joins: [a], roles: [parking]}
    lanes:
      - {path: [a, b, c, d], passing: true, width_m: WIDE}
      - {path: [n, b, s], passing: true, width_m: 2.0}
      - [c, o]
"""


@dataclass
class Leg:
    """A body at the start of a leg, or standing."""

    spec: VehicleSpec
    at: Point
    yaw_rad: float
    heads_for: Point | None
    held: int
    things: frozenset[str]
    """The nodes, and the lane, that it is on."""
    what: str

    def position(self) -> Position:
        return Position(level=LevelId("L1"), point=self.at, yaw_rad=self.yaw_rad)


def heading(a: Point, b: Point) -> float:
    return math.atan2(b.y_m - a.y_m, b.x_m - a.x_m)


def legs(site: Site, resources: Resources, width_m: float, length_m: float) -> list[Leg]:
    """All that a vehicle of a size can be at, with what it holds then."""
    spec = replace(cart(1).spec, width_m=width_m, length_m=length_m)
    keeps = KeepRight(site, width_m, length_m)
    halves = Halves(resources, keeps)
    every = [edge for edges in site.edges_from.values() for edge in edges]
    found: list[Leg] = []
    for come in every:
        node = come.end
        ground = halves.arrived(come)
        at = keeps.spot(node, keeps.arrived(come)) or site.nodes[node].point
        yaw_rad = heading(site.nodes[come.start].point, site.nodes[node].point)
        name = f"{width_m:g} x {length_m:g} m from {come.start} at {node}"
        found.append(Leg(spec, at, yaw_rad, None, ground, frozenset({node}), name))
        for go in site.edges_from[node]:
            (mask,) = halves.masks([go], ground)
            to = keeps.spot(go.end, keeps.arrived(go)) or site.nodes[go.end].point
            things, what = frozenset({node, go.end, go.lane.id}), f"{name} to {go.end}"
            found.append(Leg(spec, at, heading(at, to), to, ground | mask, things, what))
    return found


@pytest.mark.parametrize("span_m", [2.0, 3.0, 5.0, 9.0])
@pytest.mark.parametrize("wide_m", [1.4, 2.0, 2.6])
def test_who_may_be_there_at_once_never_touches(span_m: float, wide_m: float) -> None:
    text = TIGHT.replace("SPAN", f"{span_m}").replace("TWICE", f"{2 * span_m}")
    site = loads(text.replace("WIDE", f"{wide_m}"), "tight")
    resources = Resources(site)
    sizes = [(0.4, 0.4), (0.7, 1.0), (0.7, 0.7), (1.0, 2.0), (0.55, 1.6)]
    every = [leg for size in sizes for leg in legs(site, resources, *size)]
    together, passes = 0, 0
    for one, other in combinations(every, 2):
        if one.held & other.held or not one.things & other.things:
            continue  # they are kept apart by their claims, or by the site
        together += 1
        passes += one.heads_for is not None and other.heads_for is not None
        gap_m = swept(one).distance(swept(other))
        assert gap_m > 0.02, f"{one.what} and {other.what}: {gap_m:.2f} m"
    assert together > 0
    assert passes > 0 or wide_m < 2, "some drive past each other"


def test_a_vehicle_found_on_the_right_or_left_holds_that_half() -> None:
    site = loads(TIGHT.replace("SPAN", "9").replace("TWICE", "18").replace("WIDE", "2.4"), "tight")
    resources, b = Resources(site), NodeId("b")
    halves = Halves(resources, KeepRight(site, 0.7, 1.0))
    right = Position(level=LevelId("L1"), point=Point(9, -0.5))
    assert halves.found(b, right) == resources.half(b, Half.AHEAD)
    assert halves.found(b, None) == halves.node(b) == resources.half(b, Half.BOTH)
