"""Passing lanes and the fleet that is to drive there."""

from pathlib import Path

import pytest

from sim.scenario.check import check_scenario
from sim.scenario.config import load_scenario
from tests.sim.passage import PASSAGE, passage


@pytest.mark.parametrize(
    ("model", "lanes", "said"),
    [
        ("bed", "passing: true", "on lane 'p1~p2' and 5 more: each may be 0.7 m wide there"),
        ("cart", "passing: true, width_m: 1.9", "each may be 0.65 m wide there"),
        ("cart", "passing: true, kinds: [bed]", "no two vehicles of this fleet can pass"),
        ("cart", "passing: true", None),
        ("bed", "passing: true, width_m: 2.4", None),
    ],
)
def test_lanes_too_narrow_for_any_two_vehicles_are_refused(
    tmp_path: Path, model: str, lanes: str, said: str | None
) -> None:
    site = PASSAGE.replace("passing: true", lanes)
    faults = [
        str(fault)
        for fault in check_scenario(passage(tmp_path, (model, "bay-1"), site=site)).faults
    ]
    if said is None:
        assert faults == []
    else:
        (fault,) = faults
        assert said in fault
        assert "leave out passing" in fault


def test_a_robot_that_finds_its_own_way_does_not_keep_right(tmp_path: Path) -> None:
    path = passage(tmp_path, ("cart", "bay-1"))
    assert load_scenario(path).vehicles[0].to_spec().keeps_right
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('version: "2.1"', 'version: "2.1", keeps_right: false'), "utf-8")
    faults = [str(fault) for fault in check_scenario(path).faults]
    assert ["no two vehicles of this fleet can pass" in fault for fault in faults] == [True]
