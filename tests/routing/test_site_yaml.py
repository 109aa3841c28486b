"""Site files: a good one becomes a Site; a bad one says all that is wrong, with lines."""

from pathlib import Path

import pytest

from routing.errors import SiteError
from routing.site import Zone
from routing.site_yaml import load

CORRIDOR = Path(__file__).parents[2] / "configs" / "sites" / "corridor.yaml"


def test_the_example_becomes_a_site_with_lanes_lift_and_zones() -> None:
    site = load(CORRIDOR)
    lanes = {str(lane): site.lanes[lane] for lane in site.lanes}
    assert lanes["a1~a2"].length_m == 5.0
    assert lanes["pharmacy~a1"].door == "d-pharmacy"
    assert lanes["lift-1:L1-L2"].lift == "lift-1"
    assert lanes["lift-1:L1-L2"].length_m == 4.5
    assert not lanes["b2~b3"].two_way
    zones = {str(node): site.nodes[node].zone for node in site.nodes}
    assert zones["b3"] is Zone.SEMI
    assert zones["decon"] is Zone.CONTAMINATED


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        load(tmp_path / "none.yaml")


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(CORRIDOR.read_text().replace("[a1, a2, a3, a4]", "[a1, a2, a9]"))
    with pytest.raises(SiteError) as caught:
        load(file)
    assert any("'a9'" in fault.what and fault.line for fault in caught.value.faults)
