"""Open-RMF building maps come in with their true lengths, and with every trap survived."""

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from routing.errors import SiteError
from routing.site import Role, Site
from routing.sites.building import read_building
from routing.sites.imported import Imported
from routing.sites.site_yaml import dump, examine_text, loads
from tests.folders import SHARED

MAPS = SHARED / "maps"
needs_maps = pytest.mark.skipif(
    not MAPS.is_dir(), reason="needs the Open-RMF demo maps in ../shared/maps"
)

LENGTHS_M = {
    "clinic": {"graph-0": 450, "graph-1": 394},
    "hotel": {"graph-0": 192, "graph-1": 67, "graph-2": 190},
    "airport_terminal": {"graph-0": 131, "graph-1": 493, "graph-2": 1186, "graph-4": 124},
    "office": {"": 69},
}
"""Metres of lane in each graph, measured on the maps by other means and rounded to metres."""

TWO_LEVELS = """
name: two
levels:
  L1:
    elevation: 0
    vertices:
      - [0, 0, 0, start, {is_charger: [4, true]}]
      - [100, 0, 0, pantry]
      - [200, 0, 0, "", {lift_cabin: [1, A]}]
      - [100, 0, 0, pantry]
      - [50, -10, 0, ""]
      - [50, 10, 0, ""]
      - [0, 0, 0, cross roads, {is_parking_spot: [4, false]}]
      - [500, 500, 0, nowhere]
    lanes:
      - [0, 1, {bidirectional: [4, true], graph_idx: [2, 0]}]
      - [1, 2, {bidirectional: [4, true], graph_idx: [2, 0], speed_limit: [3, 0.5]}]
      - [1, 2, {bidirectional: [4, true], graph_idx: [2, 3], speed_limit: [3, 0]}]
      - [1, 3, {bidirectional: [4, true], graph_idx: [2, 3]}]
      - [0, 6, {bidirectional: [4, false], graph_idx: [2, 3]}]
      - [3, 2, {bidirectional: [4, true], graph_idx: [2, 3]}]
    doors:
      - [4, 5, {name: [1, name], type: [1, hinged]}]
    measurements:
      - [0, 1, {distance: [3, 10.0]}]
    fiducials: [[0, 0, a], [100, 0, b]]
  L2:
    elevation: 5
    vertices:
      - [0, 0, 0, pantry]
      - [0, 50, 0, "", {lift_cabin: [1, A]}]
    lanes:
      - [0, 1, {bidirectional: [4, true], graph_idx: [2, 0]}]
    measurements:
      - [0, 1, {distance: [3, 10.0]}]
    fiducials: [[0, -50, a], [0, 0, b]]
lifts: {A: {x: 1}, B: {x: 2}}
"""


@cache
def imported(name: str) -> Imported:
    return read_building(MAPS / f"{name}.building.yaml")


def lengths_m(site: Site) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for lane in site.lanes.values():
        for kind in () if lane.lift else lane.kinds or {""}:
            total[kind] += lane.length_m
    return total


@needs_maps
@pytest.mark.parametrize("name", LENGTHS_M)
def test_lanes_have_their_length_in_metres(name: str) -> None:
    found = lengths_m(imported(name).site)
    assert sorted(found) == sorted(LENGTHS_M[name])
    for graph, metres in LENGTHS_M[name].items():
        assert found[graph] == pytest.approx(metres, rel=0.005, abs=0.5)


@needs_maps
@pytest.mark.parametrize("name", [*LENGTHS_M, "campus"])
def test_an_imported_map_survives_being_written_and_read(name: str) -> None:
    site = imported(name).site
    examined = examine_text(dump(site), name)
    assert examined.faults == ()
    assert examined.site is not None
    assert examined.site == site
    assert list(examined.site.nodes) == list(site.nodes)


@needs_maps
def test_the_clinic_has_its_lifts_doors_and_both_waiting_areas() -> None:
    site = imported("clinic").site
    assert len(site.nodes) == 95
    assert len(site.doors) == 13
    assert sorted(site.lifts) == ["lift_1", "lift_25"]
    assert site.lanes["lift_1:L1-L2"].length_m == 10  # pyright: ignore[reportArgumentType]
    waiting = [place for place in site.places if place.startswith("L1_sub_waiting_area_4")]
    assert len(waiting) == 2
    names = Counter(place.name.en for place in site.places.values())
    assert max(names.values()) == 1


@needs_maps
def test_a_place_called_charger_is_one_only_if_the_map_says_so() -> None:
    site = imported("clinic").site
    called = [p for p in site.places.values() if p.id.startswith("deliveryRobot_1_charger")]
    assert called
    assert len(site.with_role(Role.CHARGER)) == 4
    assert not all(Role.CHARGER in place.roles for place in called)


@needs_maps
def test_the_campus_lies_outdoors_around_its_own_middle() -> None:
    result = imported("campus")
    site = result.site
    assert all(level.outdoors for level in site.levels.values())
    assert site.frame.anchor.lat_deg == pytest.approx(1.3004, abs=0.001)
    reach = max(max(abs(n.point.x_m), abs(n.point.y_m)) for n in site.nodes.values())
    assert 50 < reach < 1000
    assert len([lane for lane in site.lanes.values() if lane.two_way]) == 27
    assert any("10 named vertices are on no lane" in note for note in result.notes)


@needs_maps
def test_the_airport_keeps_repeated_names_apart_and_says_what_is_cut_off() -> None:
    site = imported("airport_terminal").site
    assert {"junction_n01", "junction_n01_2"} <= set(map(str, site.nodes))
    examined = examine_text(dump(site), "airport")
    assert any("zone_1" in warning.what for warning in examined.warnings)


@pytest.fixture
def two(tmp_path: Path) -> Imported:
    file = tmp_path / "two.building.yaml"
    file.write_text(TWO_LEVELS)
    return read_building(file)


def test_levels_are_scaled_by_themselves_and_laid_over_one_another(two: Imported) -> None:
    nodes = {str(key): node.point for key, node in two.site.nodes.items()}
    assert (nodes["pantry"].x_m, nodes["pantry"].y_m) == (10, 0)
    above = nodes["pantry_3"]
    assert (above.x_m, above.y_m) == pytest.approx((10, 0), abs=0.01)
    lane = next(lane for lane in two.site.lanes.values() if "pantry_3" in lane.id)
    assert lane.length_m == pytest.approx(10, abs=0.01)


def test_one_stretch_in_two_graphs_is_one_lane_for_both_kinds(two: Imported) -> None:
    lanes = {str(key): lane for key, lane in two.site.lanes.items()}
    shared = lanes["pantry~A@L1"]
    assert shared.kinds == {"graph-0", "graph-3"}
    assert shared.speed_limit_m_s == 0.5
    assert lanes["start~pantry"].kinds == {"graph-0"}


def test_the_lift_joins_levels_and_the_door_is_found_where_the_lane_crosses(two: Imported) -> None:
    lanes = {str(key): lane for key, lane in two.site.lanes.items()}
    assert lanes["A:L1-L2"].length_m == 5
    assert lanes["start~pantry"].door == "name"
    assert lanes["pantry~A@L1"].door is None


def test_what_could_not_be_kept_is_said(two: Imported) -> None:
    notes = "\n".join(two.notes)
    assert "2 lanes without length" in notes
    assert "nowhere" in notes
    assert "left out: B" in notes


def test_the_small_map_reads_back_the_same(two: Imported) -> None:
    assert loads(dump(two.site)) == two.site


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[1, 3, {bid", "[1, 99, {bid", "vertex 99 is not there"),
        ("elevation: 5", "elevation: 0", "same elevation"),
        ("name: two", "coordinate_system: polar", "'polar' is not known"),
        ("[100, 0, 0, pantry]", "[ten, 0, 0, pantry]", "valid number"),
    ],
)
def test_a_broken_map_is_refused_with_its_reason(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "broken.building.yaml"
    file.write_text(TWO_LEVELS.replace(old, new, 1))
    with pytest.raises(SiteError, match=says):
        read_building(file)
