import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.air.drawn import (
    AreaFault,
    DrawnArea,
    area_faults,
    from_geojson,
    from_metres,
)
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.site import Site
from routing.sites.site_yaml import loads

SITE = """
site: yard
name: {en: Yard, zh: 院区}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055}
levels:
  yard:
    name: {en: Yard, zh: 院区}
    outdoors: true
    places:
      dock: {name: {en: Dock, zh: 机巢}, at: [0, 0], roles: [pad, charger]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-500, -500], [500, -500], [500, 500], [-500, 500]]
  school:
    name: {en: School, zh: 学校}
    kind: no_fly
    outline: [[100, 100], [200, 100], [200, 200], [100, 200]]
    ceiling_agl_m: 100
  stadium:
    name: {en: Stadium, zh: 体育场}
    kind: no_fly
    outline: [[-200, -200], [-100, -200], [-100, -100], [-200, -100]]
    hours: ["22:00-02:00"]
"""
FRAME = LocalFrame(GeoPoint(30.5928, 114.3055))
SQUARE = [(0.0, 0.0), (80.0, 0.0), (80.0, 80.0), (0.0, 80.0)]


@pytest.fixture(scope="module")
def site() -> Site:
    return loads(SITE, "yard")


def drawn(*corners: tuple[float, float]) -> DrawnArea:
    return DrawnArea(outline=tuple(Point(x, y) for x, y in corners))


def codes(faults: list[AreaFault]) -> list[str]:
    return [fault.code for fault in faults]


def lon_lat(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    geo = [FRAME.to_geo(Point(x, y)) for x, y in corners]
    return [(one.lon_deg, one.lat_deg) for one in geo]


def test_a_good_area_has_no_faults(site: Site) -> None:
    assert area_faults(drawn(*SQUARE), site, 60.0) == []


def test_a_border_that_crosses_itself_is_told_with_the_spot(site: Site) -> None:
    (fault,) = area_faults(drawn((0, 0), (80, 80), (80, 0), (0, 80)), site)
    assert fault.code == "area_crosses_itself"
    assert fault.facts == {"x_m": 40.0, "y_m": 40.0}
    assert "40, 40" in fault.remedy


def test_an_area_outside_the_fence_is_told_with_its_share(site: Site) -> None:
    (fault,) = area_faults(drawn((400, 0), (600, 0), (600, 80), (400, 80)), site)
    assert (fault.code, fault.facts) == ("area_outside_fence", {"percent": 50})


def test_a_hundred_square_kilometres_are_too_much(site: Site) -> None:
    found = area_faults(drawn((0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000)), site)
    assert found[0].code == "area_too_large"
    assert found[0].facts == {"km2": 100.0, "limit_km2": 25.0}


def test_what_is_no_area_at_all_is_told(site: Site) -> None:
    assert codes(area_faults(drawn((0, 0), (80, 0)), site)) == ["area_few_corners"]
    assert codes(area_faults(drawn((0, 0), (80, 0), (0, 0)), site)) == ["area_few_corners"]
    flat = drawn((0, 0), (80, 0), (160, 0), (80, 0.001))
    assert codes(area_faults(flat, site)) == ["area_without_size"]


def test_an_area_all_over_a_school_is_closed(site: Site) -> None:
    inside = drawn((120, 120), (180, 120), (180, 180), (120, 180))
    assert codes(area_faults(inside, site, 60.0)) == ["area_closed"]
    assert codes(area_faults(inside, site, 110.0)) == []


def test_the_wrong_order_of_latitude_and_longitude_is_recognised_and_named() -> None:
    area, faults = from_geojson([lon_lat(SQUARE)], FRAME)
    assert area is not None
    assert not faults
    turned = [(lat, lon) for lon, lat in lon_lat(SQUARE)]
    area, faults = from_geojson([turned], FRAME)
    assert area is None
    assert codes(faults) == ["area_axes_swapped"]
    assert "[114.305, 30.5928]" in faults[0].remedy


def test_an_area_elsewhere_on_earth_is_far_away() -> None:
    area, faults = from_geojson([[(2.35, 48.85), (2.36, 48.85), (2.36, 48.86)]], FRAME)
    assert area is None
    assert codes(faults) == ["area_far_away"]
    area, faults = from_geojson([[(400.0, 99.0), (2.36, 48.85), (2.36, 48.86)]], FRAME)
    assert codes(faults) == ["area_far_away"]


def test_degrees_among_metres_are_recognised() -> None:
    for ring in (lon_lat(SQUARE), [(lat, lon) for lon, lat in lon_lat(SQUARE)]):
        area, faults = from_metres([ring], FRAME)
        assert area is None
        assert codes(faults) == ["area_in_degrees"]


def test_the_closing_corner_of_geojson_is_left_out() -> None:
    ring = lon_lat([*SQUARE, SQUARE[0]])
    area, _ = from_geojson([ring], FRAME)
    assert area is not None
    assert len(area.outline) == 4


corners = st.tuples(st.floats(-2e4, 2e4), st.floats(-2e4, 2e4))


@given(st.lists(corners, max_size=12))
def test_no_border_breaks_the_judge(ring: list[tuple[float, float]]) -> None:
    site = loads(SITE, "yard")
    found = area_faults(drawn(*ring), site, 60.0)
    shape = drawn(*ring).shape if len(set(ring)) > 2 else None
    if not found:
        assert shape is not None
        assert shape.is_valid
        assert shape.area <= 25e6
    assert all(fault.remedy for fault in found)


def test_a_volume_with_hours_is_shut_in_them_alone(site: Site) -> None:
    stadium = next(v for v in site.airspaces.values() if v.hours)
    for clock, shut in ((21.9, False), (22.0, True), (23.9, True), (1.9, True), (2.1, False)):
        assert stadium.in_force(clock * 3600) is shut, clock
    assert not stadium.in_force(20 * 3600, 3600)
    assert stadium.in_force(20 * 3600, 2 * 3600)
    assert stadium.shuts_in_s(20 * 3600) == 2 * 3600
    assert stadium.shuts_in_s(23 * 3600) == 0
