"""Flights around what may not be flown over, judged by a check that knows no graphs."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from shapely import LineString, Polygon

from routing.air.airspace import air_way, breaches
from routing.errors import Unreachable
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import AirKind, Airspace, AirspaceId, Name, Site
from tests.routing.air.polyline import length_m

Ring = Sequence[tuple[float, float]]


def points(ring: Ring) -> tuple[Point, ...]:
    return tuple(Point(x, y) for x, y in ring)


def volume(
    key: str, kind: AirKind, ring: Ring, *, holes: Sequence[Ring] = (), ceiling_agl_m: float = 120.0
) -> Airspace:
    return Airspace(
        id=AirspaceId(key),
        name=Name(en=key, zh=key),
        kind=kind,
        outline=points(ring),
        holes=tuple(points(hole) for hole in holes),
        ceiling_agl_m=ceiling_agl_m,
    )


def sky(*volumes: Airspace) -> Site:
    name = Name(en="sky", zh="sky")
    return Site(
        id="sky",
        name=name,
        frame=LocalFrame(GeoPoint(30.0, 114.0)),
        levels={},
        nodes={},
        lanes={},
        places={},
        airspaces={v.id: v for v in volumes},
    )


def box(x: float, y: float, wide: float, high: float) -> Ring:
    return [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]


FENCE = volume("fence", AirKind.GEOFENCE, box(0, 0, 1000, 1000))
SCHOOL = volume("school", AirKind.NO_FLY, box(400, 300, 200, 400))
WEST, EAST = Point(200, 500), Point(800, 500)


def test_free_air_is_flown_straight() -> None:
    assert air_way(sky(FENCE), WEST, EAST, height_agl_m=60) == (WEST, EAST)


def test_without_a_fence_only_no_fly_volumes_count() -> None:
    assert air_way(sky(), WEST, EAST, height_agl_m=60) == (WEST, EAST)
    assert len(air_way(sky(SCHOOL), WEST, EAST, height_agl_m=60)) == 4


def test_a_no_fly_volume_is_flown_around_with_its_margin() -> None:
    site = sky(FENCE, SCHOOL)
    way = air_way(site, WEST, EAST, height_agl_m=60, margin_m=10)
    assert len(way) == 4
    assert {way[1].x_m, way[2].x_m} == {390, 610}
    assert length_m(way) == pytest.approx(220 + 2 * math.hypot(190, 210))
    assert breaches(site, way, 60) == []
    assert breaches(site, (WEST, EAST), 60) == ["school"]


def test_above_its_ceiling_a_no_fly_volume_is_free() -> None:
    low = volume("low", AirKind.NO_FLY, box(400, 300, 200, 400), ceiling_agl_m=50)
    assert air_way(sky(FENCE, low), WEST, EAST, height_agl_m=60) == (WEST, EAST)
    assert len(air_way(sky(FENCE, low), WEST, EAST, height_agl_m=40)) == 4


def test_a_wall_across_the_fence_cannot_be_passed() -> None:
    wall = volume("wall", AirKind.NO_FLY, box(400, -10, 100, 1020))
    with pytest.raises(Unreachable):
        air_way(sky(FENCE, wall), WEST, EAST, height_agl_m=60)


def test_nobody_flies_outside_the_fence_or_above_it() -> None:
    with pytest.raises(Unreachable):
        air_way(sky(FENCE), WEST, Point(2000, 500), height_agl_m=60)
    with pytest.raises(Unreachable):
        air_way(sky(FENCE), WEST, EAST, height_agl_m=200)
    assert breaches(sky(FENCE), (WEST, EAST), 200) == ["fence"]
    assert breaches(sky(FENCE), (WEST, Point(2000, 500)), 60) == ["fence"]


def test_a_pad_near_the_fence_is_left_by_the_shortest_leg() -> None:
    site = sky(FENCE, SCHOOL)
    way = air_way(site, Point(2, 500), EAST, height_agl_m=60, margin_m=10)
    assert way[:2] == (Point(2, 500), Point(10, 500))
    assert breaches(site, way, 60) == []


def test_the_inside_of_a_concave_fence_is_followed() -> None:
    bent = volume(
        "bent",
        AirKind.GEOFENCE,
        [(0, 0), (1000, 0), (1000, 1000), (800, 1000), (800, 200), (0, 200)],
    )
    start, goal = Point(100, 100), Point(900, 900)
    way = air_way(sky(bent), start, goal, height_agl_m=60, margin_m=10)
    assert way == (start, Point(810, 190), goal)


def test_a_hole_in_the_fence_is_no_air() -> None:
    ring = volume("ring", AirKind.GEOFENCE, box(0, 0, 1000, 1000), holes=[box(300, 300, 400, 400)])
    way = air_way(sky(ring), WEST, EAST, height_agl_m=60)
    assert len(way) == 4
    assert breaches(sky(ring), (WEST, EAST), 60) == ["ring"]


def test_staying_is_one_point() -> None:
    assert air_way(sky(FENCE), WEST, WEST, height_agl_m=60) == (WEST,)
    assert breaches(sky(FENCE, SCHOOL), (Point(500, 500),), 60) == ["school"]
    assert breaches(sky(FENCE), (), 60) == []


@pytest.mark.parametrize("seed", range(6))
def test_random_obstacles_are_never_entered(seed: int) -> None:
    rng = random.Random(f"{seed}:sky")
    stars = [star(rng, f"star-{n}") for n in range(8)]
    site = sky(FENCE, *stars)
    shapes = [Polygon([(p.x_m, p.y_m) for p in each.outline]) for each in stars]
    flown = 0
    for _ in range(10):
        start = Point(rng.uniform(0, 1000), rng.uniform(0, 1000))
        goal = Point(rng.uniform(0, 1000), rng.uniform(0, 1000))
        try:
            way = air_way(site, start, goal, height_agl_m=60)
        except Unreachable:
            continue
        flown += 1
        assert (way[0], way[-1]) == (start, goal)
        assert breaches(site, way, 60) == []
        assert length_m(way) >= start.distance_m(goal) - 1e-6
        for a, b in pairwise(way[1:-1]):
            leg = LineString([(a.x_m, a.y_m), (b.x_m, b.y_m)])
            assert all(leg.distance(shape) > 9.9 for shape in shapes)
    assert flown >= 3


def star(rng: random.Random, key: str) -> Airspace:
    """A spiky concave shape."""
    x, y = rng.uniform(100, 900), rng.uniform(100, 900)
    ring = [
        (x + r * math.cos(n * math.pi / 5), y + r * math.sin(n * math.pi / 5))
        for n in range(10)
        for r in (rng.uniform(30, 50) if n % 2 else rng.uniform(60, 120),)
    ]
    return volume(key, AirKind.NO_FLY, ring)
