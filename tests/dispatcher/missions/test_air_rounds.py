"""How rounds over a post begin, where somebody else has left off; what tours keep off."""

from dataclasses import replace

import pytest
from shapely import LineString
from shapely import Point as Spot

from dispatcher.air.passing import COLUMN_M
from dispatcher.air.site_air import SiteAir
from dispatcher.domain.stops import TaskStop
from dispatcher.missions.air_rounds import turned
from dispatcher.missions.air_tours import AirTours
from fleet.vehicle import Medium
from routing.geometry import Point
from routing.site import AirspaceId, PlaceId
from routing.sites.site_yaml import loads
from tests.dispatcher.ward import cart

SITE = """
site: park
name: {en: Park, zh: 公园}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  yard:
    name: {en: Yard, zh: 院区}
    outdoors: true
    places:
      dock-1: {name: {en: Dock 1, zh: 坞一}, kind: dock, at: [0, 0], roles: [pad]}
      dock-2: {name: {en: Dock 2, zh: 坞二}, kind: dock, at: [60, 41], roles: [pad]}
      clinic: {name: {en: Clinic, zh: 诊所}, kind: ward, at: [125, 139], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-90, -90], [290, -90], [290, 290], [-90, 290]]
  park:
    name: {en: Park, zh: 公园}
    kind: patrol
    outline: [[20, 20], [160, 20], [160, 160], [20, 160]]
"""

RING = tuple(Point(x, y) for x, y in [(0, 0), (100, 0), (100, 60), (0, 60), (0, 120), (100, 120)])


@pytest.mark.parametrize(
    ("begin", "wanted"),
    [
        ((), [0, 1, 2, 3, 4, 5]),
        (((0, 0), (100, 0)), [0, 1, 2, 3, 4, 5]),
        (((98, 58), (3, 62)), [2, 3, 4, 5, 0, 1]),
        (((98, 58), (101, 4)), [2, 1, 0, 5, 4, 3]),
        (((2, 119),), [4, 5, 0, 1, 2, 3]),
    ],
)
def test_a_round_begins_and_goes_on_as_another_would_have(
    begin: tuple[tuple[float, float], ...], wanted: list[int]
) -> None:
    found = turned(RING, [Point(x, y) for x, y in begin])
    assert found == tuple(RING[n] for n in wanted)


def test_a_single_point_has_no_way_round() -> None:
    assert turned(RING[:1], [Point(5, 5), Point(6, 6)]) == RING[:1]


def test_a_tour_of_a_named_area_keeps_off_the_pads_of_others() -> None:
    site = loads(SITE, "park")
    spec = replace(cart().spec, medium=Medium.AIR, home=PlaceId("dock-1"), cruise_agl_m=40.0)
    stop = TaskStop(area=AirspaceId("park"), work=())
    points = AirTours(site, SiteAir(site, lambda: 0.0)).tour(stop, spec)
    line = LineString([(point.x_m, point.y_m) for point in points])
    apart_m = {
        place.id: line.distance(Spot(at.x_m, at.y_m))
        for place in site.places.values()
        for at in (site.nodes[place.node].point,)
    }
    assert apart_m.pop(PlaceId("dock-1")) == 0
    assert min(apart_m.values()) > COLUMN_M
