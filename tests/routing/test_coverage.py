"""Sweeps are measured: what lies under the footprints, and where the legs lie."""

import math
from collections.abc import Sequence

import pytest
import shapely
from shapely import LineString, Polygon

from routing.airspace import breaches, free_air
from routing.coverage import sweep
from routing.errors import Unreachable
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import AirKind, Airspace, AirspaceId, Name, Site
from tests.routing.polyline import length_m

Ring = Sequence[tuple[float, float]]
WIDTH_M = 48.0
START = Point(-50, -50)

RECTANGLE = [(0, 0), (600, 0), (600, 400), (0, 400)]
TRIANGLE = [(0, 0), (600, 0), (200, 400)]
HEXAGON = [(0, 0), (400, -100), (700, 200), (600, 500), (100, 600), (-100, 300)]
BENT = [(0, 0), (800, 0), (800, 300), (300, 300), (300, 700), (0, 700)]
CUP = [(0, 0), (900, 0), (900, 800), (600, 800), (600, 300), (300, 300), (300, 800), (0, 800)]
STAR = [
    (r * math.cos(n * math.pi / 5), r * math.sin(n * math.pi / 5))
    for n in range(10)
    for r in ((350 if n % 2 else 800),)
]
HOUSE = [(100, 100), (220, 110), (210, 220), (90, 200)]
TOWER = [(50, 50), (150, 80), (100, 160)]


def points(ring: Ring) -> tuple[Point, ...]:
    return tuple(Point(x, y) for x, y in ring)


def measured(flight: Sequence[Point], ring: Ring, holes: Sequence[Ring]) -> float:
    """Share of the area under a disc of half a footprint along the flight; legs must keep in."""
    area = Polygon(ring, holes)
    line = LineString([(p.x_m, p.y_m) for p in flight])
    assert area.buffer(1e-3).covers(line)
    legs = [LineString(leg) for leg in zip(line.coords, line.coords[1:], strict=False)]
    seen = shapely.union_all([leg.buffer(WIDTH_M / 2) for leg in legs])
    return area.intersection(seen).area / area.area


@pytest.mark.parametrize("ring", [RECTANGLE, TRIANGLE, HEXAGON])
def test_a_convex_area_is_seen_whole(ring: Ring) -> None:
    flight = sweep(points(ring), (), WIDTH_M, start=START)
    assert measured(flight, ring, ()) >= 0.99
    assert length_m(flight) <= 1.3 * Polygon(ring).area / WIDTH_M


@pytest.mark.parametrize(("ring", "hole"), [(BENT, HOUSE), (CUP, HOUSE), (STAR, TOWER)])
def test_a_concave_area_with_a_hole_is_seen_whole(ring: Ring, hole: Ring) -> None:
    flight = sweep(points(ring), [points(hole)], WIDTH_M, start=START)
    assert measured(flight, ring, [hole]) >= 0.97
    assert length_m(flight) <= 1.5 * Polygon(ring, [hole]).area / WIDTH_M


def test_lines_follow_a_long_area() -> None:
    flight = sweep(points([(0, 0), (1000, 0), (1000, 90), (0, 90)]), (), WIDTH_M, start=START)
    assert len(flight) == 4
    assert flight[0].x_m < 50


def test_the_sweep_begins_near_the_drone() -> None:
    area = points(RECTANGLE)
    assert sweep(area, (), WIDTH_M, start=Point(0, 0))[0].distance_m(Point(0, 0)) < WIDTH_M
    assert sweep(area, (), WIDTH_M, start=Point(600, 400))[0].distance_m(Point(600, 400)) < WIDTH_M


def test_a_room_smaller_than_the_footprint_is_one_short_leg() -> None:
    flight = sweep(points([(0, 0), (20, 0), (20, 10), (0, 10)]), (), WIDTH_M, start=START)
    assert len(flight) == 2
    assert measured(flight, [(0, 0), (20, 0), (20, 10), (0, 10)], ()) == 1.0


def test_two_yards_behind_a_wall_need_a_way_around_it() -> None:
    yards, wall = (
        points([(0, 0), (500, 0), (500, 200), (0, 200)]),
        points([(200, -10), (260, -10), (260, 210), (200, 210)]),
    )
    with pytest.raises(Unreachable):
        sweep(yards, [wall], WIDTH_M, start=START)
    around = sweep(yards, [wall], WIDTH_M, start=START, way=lambda a, b: (a, Point(230, 300), b))
    assert Point(230, 300) in around


def volume(key: str, kind: AirKind, ring: Ring) -> Airspace:
    return Airspace(id=AirspaceId(key), name=Name(en=key, zh=key), kind=kind, outline=points(ring))


def test_an_area_is_swept_as_far_as_the_air_is_free() -> None:
    school = [(200, 150), (300, 150), (300, 420), (200, 420)]
    volumes = [
        volume("fence", AirKind.GEOFENCE, [(-100, -100), (500, -100), (500, 600), (-100, 600)]),
        volume("school", AirKind.NO_FLY, school),
    ]
    name = Name(en="sky", zh="sky")
    site = Site(
        id="sky",
        name=name,
        frame=LocalFrame(GeoPoint(30.0, 114.0)),
        levels={},
        nodes={},
        lanes={},
        places={},
        airspaces={v.id: v for v in volumes},
    )
    air = free_air(site, 60, 10)
    shape = Polygon(RECTANGLE).intersection(air.shape)
    assert isinstance(shape, Polygon)
    outline = points([(x, y) for x, y in shape.exterior.coords[:-1]])
    flight = sweep(outline, (), WIDTH_M, start=Point(0, 0), way=air.way)
    assert breaches(site, flight, 60) == []
    free = Polygon([(0, 0), (490, 0), (490, 400), (0, 400)]).difference(
        Polygon(school).buffer(10, join_style="mitre")
    )
    seen = LineString([(p.x_m, p.y_m) for p in flight]).buffer(WIDTH_M / 2)
    assert free.intersection(seen).area >= 0.97 * free.area
