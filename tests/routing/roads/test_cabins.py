"""Cabins with room: who fits, and where each stands."""

import math
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from shapely import Polygon, affinity

from routing.errors import SiteError
from routing.geometry import Point
from routing.roads.cabins import SPARE_M, cabins
from routing.site import LiftId, NodeId, Site
from routing.sites.site_yaml import loads
from routing.sites.writer import dump
from tests.sim.tower import site

CABIN = NodeId("lift@L1")


def tower(**room: float) -> Site:
    """The tower with another cabin."""
    inside = {"width_m": 2.2, "depth_m": 1.6, "robots": 2} | room
    words = ", ".join(f"{key}: {value}" for key, value in inside.items())
    return loads(
        site().replace("room: {width_m: 2.2, depth_m: 1.6, robots: 2}", f"room: {{{words}}}"), "s"
    )


def shape(size: tuple[float, float], at: Point, yaw_rad: float) -> Polygon:
    width_m, length_m = size
    box = Polygon(
        [(a * length_m / 2, b * width_m / 2) for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    )
    return affinity.translate(
        affinity.rotate(box, yaw_rad, (0, 0), use_radians=True), at.x_m, at.y_m
    )


def test_whoever_fits_touches_nobody_on_the_way_however_the_other_is_turned() -> None:
    floor, luck = tower(), Random(1)
    cabin = cabins(floor)[CABIN]
    middle, door = floor.nodes[CABIN].point, floor.nodes[NodeId("f1lobby")].point
    for _ in range(300):
        sizes: list[tuple[float, float]] = []
        for _ in "ab":
            angle = luck.uniform(0.3, 1.2)
            sizes.append((cabin.largest_m * math.sin(angle), cabin.largest_m * math.cos(angle)))
        assert all(cabin.fits(*size) for size in sizes)
        for own, other in permutations(range(2)):
            stands = shape(sizes[1], cabin.spot(middle, other), luck.uniform(0, math.tau))
            goal, share = cabin.spot(middle, own), luck.random()
            at = Point(
                door.x_m + (goal.x_m - door.x_m) * share, door.y_m + (goal.y_m - door.y_m) * share
            )
            yaw = math.atan2(goal.y_m - door.y_m, goal.x_m - door.x_m)
            comes = shape(sizes[0], at, yaw)
            turns = shape(sizes[0], goal, luck.uniform(0, math.tau))
            assert stands.distance(comes) >= 2 * SPARE_M - 1e-6
            assert stands.distance(turns) >= 2 * SPARE_M - 1e-6


def test_places_lie_side_by_side_along_the_door() -> None:
    floor = tower()
    cabin, middle = cabins(floor)[CABIN], floor.nodes[CABIN].point
    spots = [cabin.spot(middle, place) for place in (0, 1)]
    assert {(round(s.x_m, 6), round(s.y_m, 6)) for s in spots} == {(15.45, -5.0), (16.55, -5.0)}
    assert [cabin.place_at(middle, spot) for spot in spots] == [0, 1]
    assert cabin.place_at(middle, middle) is None
    assert cabin.fits(0.6, 0.7)
    assert not cabin.fits(0.6, 0.8)


def test_a_flat_cabin_takes_only_short_ones() -> None:
    assert not cabins(tower(depth_m=1.0))[CABIN].fits(0.6, 0.7)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("f2lobby: [16, -3]", "f2lobby: [17, -3]"), "not on one straight line"),
        (("f2lobby: [16, -3]", "f2lobby: [16, -4.4]"), "0.60 m from the middle"),
        (("width_m: 2.2", "width_m: 0.15"), "would be 0.07 m wide"),
        (("robots: 2", "robots: 1"), "robots"),
    ],
)
def test_a_cabin_that_nobody_can_share_is_refused(change: tuple[str, str], why: str) -> None:
    with pytest.raises(SiteError) as refused:
        loads(site().replace(*change), "s")
    assert any(why in str(fault) for fault in refused.value.faults)


def test_what_is_written_reads_the_same() -> None:
    floor = tower(robots=3, width_m=4.5)
    again = loads(dump(floor), "s")
    assert again.lifts[LiftId("lift")].room == floor.lifts[LiftId("lift")].room
    assert replace(again.lifts[LiftId("lift")], room=None) == replace(
        floor.lifts[LiftId("lift")], room=None
    )
