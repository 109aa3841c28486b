"""``bench simulation``: a hospital of the size that is asked for, and what its day takes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app
from dispatcher.traffic.kinds import rules_of
from fleet.vehicle import Medium
from routing.roads.paths import Roads
from sim.bench.simulation.command import made
from sim.bench.simulation.made_hospital import BAYS, drones_of


@pytest.mark.parametrize("vehicles", [1, 2, 17, 40, 150])
def test_everybody_has_a_home_and_a_way_to_every_ward(vehicles: int) -> None:
    scenario = made(vehicles, 24)
    specs = [vehicle.to_spec() for vehicle in scenario.vehicles]
    assert len(specs) == len({spec.home for spec in specs}) == vehicles
    ground = [spec for spec in specs if spec.medium is Medium.GROUND]
    assert len(ground) == vehicles - drones_of(vehicles)
    site = scenario.site
    homes = frozenset(site.places[spec.home].node for spec in specs)
    roads = Roads(site, rules_of(ground[0]), frozenset(), homes)
    wards = [place.node for place in site.places.values() if place.kind == "ward"]
    for spec in ground[:: BAYS // 2]:
        start = site.places[spec.home].node
        assert all(roads.seconds(start, ward) < 3600 for ward in wards)


@pytest.mark.long
def test_a_run_is_told_and_the_same_run_again_has_the_same_journal(tmp_path: Path) -> None:
    picture = tmp_path / "flame.svg"
    runs = [
        CliRunner().invoke(make_app(), ["bench", "simulation", *options.split(), "--json"])
        for options in ("--vehicles 3 --hours 0.2", f"--vehicles 3 --hours 0.2 --flame {picture}")
    ]
    assert "sim.running.scenario:" in picture.read_text()
    first, again = (json.loads(run.stdout) for run in runs)
    assert first["journal_sha256"] == again["journal_sha256"]
    assert first["vehicles"] == 3
    assert first["tasks"] >= first["done"] >= 1
    assert first["violations"] == 0
    assert first["vehicle_s_per_cpu_s"] > 0


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ("--vehicles 0", "write 40"),
        ("--vehicles 1001", "between 1 and 1000"),
        ("--hours 0", "write 24"),
        ("--hours nan", "write 24"),
        ("--hours 1000", "write 24"),
        ("--flame no/such/folder/day.svg", "there is no folder"),
    ],
)
def test_a_wrong_number_is_told(options: str, remedy: str) -> None:
    ended = CliRunner().invoke(make_app(), ["bench", "simulation", *options.split()])
    assert ended.exit_code == 2
    assert remedy in ended.output
