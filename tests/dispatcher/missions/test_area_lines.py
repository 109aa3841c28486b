"""An area that one flight sees: how much of it, by the union of what its camera has seen."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import shapely
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.stops import TaskStop
from dispatcher.missions.air_rounds import AirRounds
from dispatcher.missions.air_tours import AirTours
from dispatcher.missions.posts import Post, area_of
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.air.airspace import breaches
from routing.air.drawn import DrawnArea
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import PlaceId
from routing.sites.site_yaml import loads
from tests.dispatcher.ward import cart

DRONE = replace(
    cart().spec,
    id=VehicleId("D1"),
    medium=Medium.AIR,
    home=PlaceId("dock"),
    speed_m_s=12.0,
    acceleration_m_s2=2.0,
    climb_m_s=3.0,
    cruise_agl_m=60.0,
)
HEIGHT_M = DRONE.cruise_agl_m
SITE = loads(
    """
site: river
name: {en: River, zh: 江}
anchor: {lat_deg: 30.6, lon_deg: 114.3}
levels:
  ground:
    name: {en: Ground, zh: 地面}
    outdoors: true
    places:
      dock: {name: {en: Dock, zh: 机库}, kind: dock, at: [50, 50], roles: [pad, charger]}
      other: {name: {en: Pad, zh: 起降点}, kind: pad, at: [420, 300], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[0, 0], [1200, 0], [1200, 900], [0, 900]]
  school:
    name: {en: School, zh: 学校}
    kind: no_fly
    outline: [[500, 400], [600, 400], [600, 470], [500, 470]]
  bar:
    name: {en: Bar, zh: 坝}
    kind: no_fly
    outline: [[1000, -50], [1020, -50], [1020, 950], [1000, 950]]
""",
    "river",
)
AIR = SiteAir(SITE, lambda: 43_200.0)
TOURS = AirTours(SITE, AIR)
CLOSED = shapely.union_all([shapely.box(500, 400, 600, 470), shapely.box(1000, -50, 1020, 950)])


def footprints(flight: Sequence[Point]) -> BaseGeometry:
    """What the camera sees along a flight: as wide as it is high, 4 : 3."""
    seen: list[BaseGeometry] = []
    for a, b in pairwise(flight):
        if a.distance_m(b) > 1e-6:
            more = HEIGHT_M * 0.75 / 2 / a.distance_m(b)
            dx, dy = (b.x_m - a.x_m) * more, (b.y_m - a.y_m) * more
            leg = LineString([(a.x_m - dx, a.y_m - dy), (b.x_m + dx, b.y_m + dy)])
            seen.append(leg.buffer(HEIGHT_M / 2, cap_style="flat"))
    return shapely.union_all(seen)


def share(flight: Sequence[Point], shape: BaseGeometry) -> float:
    """Of what may be seen, beside what is closed."""
    target = shape.difference(CLOSED)
    return footprints(flight).intersection(target).area / target.area


def tour(shape: BaseGeometry, spec: VehicleSpec = DRONE) -> tuple[Point, ...]:
    assert isinstance(shape, shapely.Polygon)
    return TOURS.tour(TaskStop(drawn=area_of(shape), work=()), spec)


def length_m(way: Sequence[Point]) -> float:
    return sum(a.distance_m(b) for a, b in pairwise(way))


AREAS = {
    "42 ha beside the fence": shapely.box(0, 250, 700, 850),
    "in a corner": shapely.box(0, 600, 300, 900),
    "around the school": shapely.box(380, 300, 720, 600),
    "bent": shapely.Polygon([(80, 80), (800, 90), (790, 300), (300, 280), (250, 800), (60, 780)]),
    "slanted": shapely.Polygon([(100, 100), (700, 300), (500, 800)]),
    "beside the school": shapely.box(470, 300, 590, 470),
    "little but the school": shapely.box(485, 401, 599, 465),
    "a strip": shapely.box(100, 100, 900, 130),
    "a yard": shapely.box(200, 200, 215, 210),
}


@pytest.mark.parametrize("name", AREAS)
def test_all_of_an_area_is_seen_in_one_flight(name: str) -> None:
    shape = AREAS[name]
    way = tour(shape)
    assert share(way, shape) >= 0.995
    assert breaches(SITE, way, HEIGHT_M) == []
    assert way[0] == way[-1] == Point(50, 50)
    there_m = 2 * shape.distance(shapely.Point(50, 50))
    assert length_m(way) - there_m <= 1.35 * shape.area / HEIGHT_M + 20 * HEIGHT_M


@pytest.mark.parametrize("name", AREAS)
def test_a_round_of_a_watch_sees_all_of_it_too(name: str) -> None:
    area = area_of(AREAS[name])
    ring, look_s = AirRounds(SITE, AIR).ring(Post(number=0, area=area), DRONE, frozenset())
    if len(ring) == 1:
        assert look_s > 0
        x, y, half = ring[0].x_m, ring[0].y_m, 0.6 * HEIGHT_M
        spot = shapely.box(x - half, y - half, x + half, y + half)
        assert spot.covers(AREAS[name])
        return
    assert share([*ring, ring[0]], AREAS[name]) >= 0.99
    assert breaches(SITE, [*ring, ring[0]], HEIGHT_M) == []


def test_areas_of_any_shape_are_seen() -> None:
    dice = random.Random(5)
    for _ in range(25):
        x, y = dice.uniform(150, 800), dice.uniform(150, 700)
        turns = sorted(dice.uniform(0, 2 * math.pi) for _ in range(dice.randint(3, 9)))
        spots = [
            (x + r * math.cos(turn), y + r * math.sin(turn))
            for turn in turns
            for r in (dice.uniform(60, 250),)
        ]
        whole = shapely.make_valid(shapely.Polygon(spots))
        shape = whole.intersection(shapely.box(0, 0, 960, 900))
        if not isinstance(shape, shapely.Polygon) or shape.difference(CLOSED).area < 2000:
            continue
        way = tour(shape)
        assert share(way, shape) >= 0.99, shapely.to_wkt(shape)
        assert breaches(SITE, way, HEIGHT_M) == []


def test_what_no_flight_gets_to_is_refused() -> None:
    with pytest.raises(Unreachable):
        tour(shapely.box(505, 405, 590, 460))
    with pytest.raises(Unreachable):
        tour(shapely.box(900, 300, 1150, 500))


def test_lines_begin_near_the_drone() -> None:
    area = DrawnArea(outline=tuple(Point(x, y) for x, y in [(300, 90), (700, 90), (700, 390)]))
    way = TOURS.tour(TaskStop(drawn=area, work=()), DRONE)
    assert way[1].distance_m(Point(50, 50)) < 350
