"""VDMA layouts come in with the ids, directions, vehicle types and curves that they have."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from routing.errors import SiteError
from routing.site import Role
from routing.sites.lif import read_lif
from routing.sites.site_yaml import dump, loads
from tests.folders import SHARED

EXAMPLE = SHARED / "vdma-lif" / "example.lif.json"


def node(key: str, x: float, y: float, *actions: str) -> dict[str, Any]:
    said = [{"actionType": action, "blockingType": "HARD"} for action in actions]
    return {
        "nodeId": key,
        "nodePosition": {"x": x, "y": y},
        "vehicleTypeNodeProperties": [{"vehicleTypeId": "cart", "actions": said}],
    }


def edge(start: str, end: str, *types: str, **facts: Any) -> dict[str, Any]:
    return {
        "edgeId": f"{start}-{end}",
        "startNodeId": start,
        "endNodeId": end,
        "vehicleTypeEdgeProperties": [{"vehicleTypeId": key, **facts} for key in types],
    }


def layout() -> dict[str, Any]:
    """Two carts' ways and one for a tug, with a curve, a station and a charger."""
    quarter = {
        "degree": 2,
        "knotVector": [0, 0, 0, 1, 1, 1],
        "controlPoints": [
            {"x": 10, "y": 0},
            {"x": 20, "y": 0, "weight": math.sqrt(0.5)},
            {"x": 20, "y": 10},
        ],
    }
    return {
        "metaInformation": {"projectIdentification": "Works 7"},
        "layouts": [
            {
                "layoutId": "l",
                "layoutLevelId": "G",
                "layoutVersion": "1",
                "nodes": [
                    node("N 1", 0, 0, "pick"),
                    node("N2", 10, 0),
                    node("N3", 20, 10, "startCharging"),
                ],
                "edges": [
                    edge("N 1", "N2", "cart", "tug", maxSpeed=1.5),
                    edge("N2", "N 1", "cart", "tug", maxSpeed=0.5),
                    edge("N2", "N3", "cart", trajectory=quarter),
                ],
                "stations": [{"stationId": "S1", "interactionNodeIds": ["N 1"]}],
            }
        ],
    }


def read(data: object, folder: Path) -> Any:
    file = folder / "site.lif.json"
    file.write_text(json.dumps(data))
    return read_lif(file)


def test_opposite_edges_become_one_two_way_lane_with_the_lower_limit(tmp_path: Path) -> None:
    site = read(layout(), tmp_path).site
    lane = site.lanes["N_1~N2"]
    assert lane.two_way
    assert lane.speed_limit_m_s == 0.5
    assert lane.kinds == {"cart", "tug"}
    assert not site.lanes["N2~N3"].two_way
    assert loads(dump(site)) == site


def test_a_curve_is_as_long_as_it_is(tmp_path: Path) -> None:
    lane = read(layout(), tmp_path).site.lanes["N2~N3"]
    assert lane.length_m == pytest.approx(math.pi / 2 * 10, rel=1e-3)


def test_stations_and_chargers_become_places(tmp_path: Path) -> None:
    result = read(layout(), tmp_path)
    station, charger = result.site.places["S1"], result.site.places["N3"]
    assert (station.node, station.kind) == ("N_1", "pickup")
    assert charger.roles == {Role.CHARGER}
    assert any("'N 1' is called N_1" in note for note in result.notes)


def test_different_types_each_way_stay_two_lanes_and_that_is_said(tmp_path: Path) -> None:
    data = layout()
    data["layouts"][0]["edges"].append(edge("N3", "N2", "tug"))
    result = read(data, tmp_path)
    assert result.site.lanes["N3~N2"].kinds == {"tug"}
    assert any("two vehicles may meet" in note for note in result.notes)


def test_what_joins_nothing_or_two_levels_is_left_out_and_said(tmp_path: Path) -> None:
    data = layout()
    data["layouts"].append(
        {
            "layoutId": "m",
            "layoutVersion": "1",
            "nodes": [node("M1", 0, 0)],
            "edges": [edge("M1", "N2", "cart"), edge("M1", "M1", "cart")],
            "stations": [],
        }
    )
    result = read(data, tmp_path)
    said = "\n".join(result.notes)
    assert "M1-N2 joins two levels" in said
    assert "M1-M1 has no length" in said
    assert result.site.levels["m"].elevation_m > 0


def test_all_faults_of_a_layout_come_at_once(tmp_path: Path) -> None:
    data = layout()
    data["layouts"][0]["edges"].append(edge("N2", "N9", "cart"))
    data["layouts"][0]["stations"][0]["interactionNodeIds"] = ["N8"]
    data["layouts"][0]["nodes"].append(node("N2", 1, 1))
    with pytest.raises(SiteError) as caught:
        read(data, tmp_path)
    assert all(word in str(caught.value) for word in ("'N9'", "'N8'", "there twice"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"layouts": []}', "[" * 100_000, '{"layouts": NaN}']
)
def test_what_is_no_layout_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.lif.json"
    file.write_text(text)
    with pytest.raises(SiteError):
        read_lif(file)


def test_the_public_example_comes_in() -> None:
    if not EXAMPLE.is_file():
        pytest.skip("needs the VDMA example layout in ../shared/vdma-lif")
    site = read_lif(EXAMPLE).site
    assert list(site.levels) == ["level-001", "level-002"]
    lanes = {str(key): lane for key, lane in site.lanes.items()}
    assert lanes["node-001~node-002"].kinds == {"vehicle-001"}
    assert lanes["node-001~node-002"].speed_limit_m_s == 1.5
    assert {place.name.en for place in site.places.values()} >= {"Station A", "station-002"}
    assert loads(dump(site)) == site
