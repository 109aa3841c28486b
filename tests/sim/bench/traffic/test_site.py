"""Sites as traffic graphs: rooms, rides, and what is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app
from routing.sites.site_yaml import loads
from sim.bench.traffic.graph import Graph, WrongGraph
from sim.bench.traffic.model import Model
from sim.bench.traffic.robot import DELAYS
from sim.bench.traffic.schemes import SCHEMES
from sim.bench.traffic.site import read_building, site_graph
from tests.folders import CONFIGS
from tests.sim.tall_hospital import hospital

SITES = CONFIGS / "sites"


@pytest.fixture(scope="module")
def corridor() -> Graph:
    return read_building(SITES / "corridor.yaml")


def test_rooms_are_places_at_the_end_of_one_two_way_lane(corridor: Graph) -> None:
    rooms = {corridor.names[room] for room in corridor.rooms}
    assert {"pharmacy", "laboratory", "ward", "park-1", "park-2", "park-3"} <= rooms
    assert "decon" not in rooms, "it is the way out"


def test_a_ride_is_one_hop_between_lobbies_and_takes_both_doors(corridor: Graph) -> None:
    (lift,) = corridor.lifts
    rides = [hop for hops in corridor.net.hops.values() for hop in hops if hop.lane == lift]
    assert sorted((corridor.names[h.start], corridor.names[h.end]) for h in rides) == [
        ("a4", "b1"),
        ("b1", "a4"),
    ]
    assert all(hop.nominal_ms > 2 * 4000 for hop in rides)
    assert not any("lift" in name for name in corridor.names.values()), "nobody stops inside"


@pytest.mark.parametrize("name", ["corridor", "riverside"])
def test_robots_drive_in_our_own_sites(name: str) -> None:
    graph = read_building(SITES / f"{name}.yaml")
    scheme = SCHEMES["sipp+tail"](graph.net)
    model = Model(graph, scheme, robots=5, hours=0.5, seed=0, delays=DELAYS["default"])
    for _ in model.run():
        pass
    ended = model.ended()
    assert ended.trips > 5
    assert (ended.deadlocks, ended.collisions) == (0, 0)


BARE = """
site: bare
name: {en: Bare, zh: 空}
anchor: {lat_deg: 30.0, lon_deg: 114.0}
connected: false
levels:
  L1:
    name: {en: One, zh: 一}
    elevation_m: 0.0
    nodes: {a: [0, 0], b: [10, 0], c: [30, 0], d: [40, 0]}
    places:
      ward: {name: {en: Ward, zh: 病房}, kind: ward, at: [0, 5], joins: [a]}
      MORE
    lanes:
      - [a, b]
      - [c, d]
"""
STORE = "store: {name: {en: Store, zh: 仓库}, kind: stores, at: [40, 5], joins: [d]}"


def test_a_site_with_too_few_rooms_is_refused() -> None:
    with pytest.raises(WrongGraph, match=r"bare has 1 rooms .* traffic needs two"):
        site_graph(loads(BARE.replace("MORE", "")))


def test_robots_need_no_parking_but_a_room_to_spare(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    text = BARE.replace("MORE", STORE).replace("- [c, d]", "- [b, c, d]")
    path.write_text(text, encoding="utf-8")
    runner, traffic = CliRunner(), ["bench", "traffic", str(path), "--hours", "0.1", "--robots"]
    assert runner.invoke(make_app(), [*traffic, "1"]).exit_code == 0
    refused = runner.invoke(make_app(), [*traffic, "2"])
    assert refused.exit_code == 2
    assert "bare has 2 rooms, and one must be free" in " ".join(refused.stderr.split())


def test_rooms_without_a_way_between_them_are_named(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(BARE.replace("MORE", STORE), encoding="utf-8")
    with pytest.raises(WrongGraph, match=r"no way from room (store|ward) to room (ward|store)"):
        read_building(path)


def test_a_wrong_site_is_named_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("site: wrong\n", encoding="utf-8")
    with pytest.raises(WrongGraph, match=r"wrong\.yaml"):
        read_building(path)
    with pytest.raises(WrongGraph, match="name a site file"):
        read_building(tmp_path / "nothing.yaml")


def test_eight_floors_and_seven_lifts_can_be_driven(tmp_path: Path) -> None:
    path = tmp_path / "tall.json"
    path.write_text(json.dumps(hospital(8, [0, 2, 4, 6, 8, 10, 12])), encoding="utf-8")
    graph = read_building(path)
    assert (len(graph.rooms), len(graph.lifts)) == (208, 7)
