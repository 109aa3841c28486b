"""The picture of a site: complete, in bounds, and no label on another."""

import json
import re
from xml.etree import ElementTree

import pytest

from routing.roads.road_graph import road_graph
from routing.site import NodeId, Site
from routing.sites.drawing import draw
from routing.sites.labels import Box, Sheet, around, text_width
from routing.sites.site_yaml import load, loads
from tests.folders import CONFIGS, SHARED

SITES = CONFIGS / "sites"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def corridor() -> Site:
    return load(SITES / "corridor.yaml")


def labels(svg: str) -> list[tuple[str, Box]]:
    """The small texts with a halo: labels on the map, with the ground they cover."""
    found: list[tuple[str, Box]] = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        if text.get("paint-order"):
            x, y, said = float(text.get("x", "")), float(text.get("y", "")), text.text or ""
            found.append((said, Box(x, y - 9, x + text_width(said, 11), y + 2)))
    return found


@pytest.mark.parametrize("name", ["corridor", "riverside"])
def test_no_label_lies_on_another(name: str) -> None:
    placed = labels(draw(load(SITES / f"{name}.yaml")))
    assert len(placed) > 10
    for index, (said, box) in enumerate(placed):
        for other, taken in placed[index + 1 :]:
            assert not box.meets(taken), f"{said} lies on {other}"


def test_every_level_lift_door_place_and_volume_is_drawn(corridor: Site) -> None:
    svg = draw(corridor)
    texts = {text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    for level in corridor.levels.values():
        assert f"{level.name.en}  {level.name.zh}" in texts
    titles = {title.text for title in ElementTree.fromstring(svg).iter(f"{SVG}title")}
    for place in corridor.places.values():
        assert f"{place.name.en} {place.name.zh} ({place.id})" in titles
    assert {"Pharmacy door 药房门", "School 学校", "Campus fence 院区围栏"} <= titles
    assert {"Lift 1", "Pharmacy", "Decontamination"} <= {said for said, _ in labels(svg)}


def test_the_contaminated_zone_is_told_by_more_than_colour(corridor: Site) -> None:
    svg = draw(corridor)
    assert svg.count('fill="url(#hatch)"') == 2  # the room, and the key


def test_a_passing_lane_is_drawn_as_its_two_halves() -> None:
    text = (SITES / "corridor.yaml").read_text(encoding="utf-8")
    passing = text.replace("- [a1, a2, a3, a4]", "- {path: [a1, a2, a3, a4], passing: true}")
    plain, halves = (draw(loads(one, "t")).count('stroke-width="1.4"') for one in (text, passing))
    assert halves == plain + 3


def test_names_come_in_the_language_asked_for(corridor: Site) -> None:
    said = {text for text, _ in labels(draw(corridor, "zh"))}
    assert "药房" in said
    assert "Pharmacy" not in said


def test_a_name_full_of_signs_stays_a_text(corridor: Site) -> None:
    text = (SITES / "corridor.yaml").read_text()
    odd = loads(text.replace("en: Laboratory", 'en: "<b>&\\"Lab"'))
    names = [said for said, _ in labels(draw(odd))]
    assert '<b>&"Lab' in names


def test_a_site_of_one_node_can_be_drawn() -> None:
    tiny = loads(
        "site: t\nname: T\nanchor: {lat_deg: 0, lon_deg: 0}\n"
        "levels: {L: {name: L, nodes: {a: [0, 0]}}}"
    )
    numbers = [float(n) for n in re.findall(r'[xy]="(-?[\d.]+)"', draw(tiny))]
    assert all(-1e5 < number < 1e5 for number in numbers)


def test_a_label_prefers_ground_without_lines_and_never_takes_taken_ground() -> None:
    sheet = Sheet(Box(0, 0, 100, 100))
    sheet.cross(50, 50, 100, 50)
    first = sheet.place(around(50, 50, 20, 10, 6))
    assert first is not None
    assert first.x1 < 50
    sheet.take(Box(0, 0, 100, 100))
    assert sheet.place(around(50, 50, 20, 10, 6)) is None


# -- the road graph ------------------------------------------------------------------------


def test_the_road_graph_numbers_nodes_in_the_order_of_the_site(corridor: Site) -> None:
    graph = road_graph(corridor)
    assert graph.names == tuple(corridor.nodes)
    assert graph.numbers[NodeId("a1")] == 0
    lanes = [lane for lane in corridor.lanes.values() if not lane.lift]
    assert graph.resources == len(corridor.nodes) + len(lanes) + 1
    assert graph.lift_resources == (graph.resources - 1,)


def test_edges_carry_their_time_and_share_the_resource_of_their_lane(corridor: Site) -> None:
    graph = road_graph(corridor, fastest_m_s=2.0)
    number = graph.numbers
    edges = {(a, b): (ms, resource) for a, b, ms, resource in graph.edges}
    a1, a2 = number[NodeId("a1")], number[NodeId("a2")]
    assert edges[a1, a2] == edges[a2, a1]
    assert edges[a1, a2][0] == 2500
    b2, b3 = number[NodeId("b2")], number[NodeId("b3")]
    assert edges[b2, b3][0] == round(50**0.5 / 0.8 * 1000)
    assert (b3, b2) not in edges
    up = edges[number[NodeId("lift-1@L1")], number[NodeId("lift-1@L2")]]
    assert up == (4500, graph.lift_resources[0])
    into = edges[number[NodeId("a4")], number[NodeId("lift-1@L1")]]
    assert into[1] not in graph.lift_resources


def test_rooms_are_places_that_wheels_can_come_to(corridor: Site) -> None:
    graph = road_graph(corridor)
    rooms = {graph.names[number] for number in graph.rooms}
    assert "pharmacy" in rooms
    assert "dock-1" not in rooms


def test_the_exported_graph_has_the_form_of_the_benchmarks(corridor: Site) -> None:
    shared = SHARED / "benchmarks" / "mapf" / "hospital"
    if not shared.is_dir():
        pytest.skip("needs the hospital graphs in ../shared/benchmarks")
    sample = json.loads((shared / "hospital-C.json").read_text())
    ours = json.loads(json.dumps(road_graph(corridor).to_json()))
    assert set(sample) <= set(ours)
    for key, value in sample.items():
        assert type(ours[key]) is type(value), key
    assert ours["format"] == sample["format"]
    assert all(len(edge) == 4 and edge[3] < ours["resources"] for edge in ours["edges"])


def test_a_speed_of_nothing_is_refused(corridor: Site) -> None:
    with pytest.raises(ValueError, match="positive"):
        road_graph(corridor, fastest_m_s=0)
