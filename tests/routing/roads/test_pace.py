"""Delays along the ways, summed for all ways at once."""

import pytest

from routing.roads.pace import Paced
from routing.roads.paths import UNREACHABLE_S, Roads, Rules
from routing.site import Edge, NodeId
from routing.sites.site_yaml import load
from tests.folders import CONFIGS

SITES = CONFIGS / "sites"
RULES = Rules(speed_m_s=1.2, width_m=0.6, kind="cart")


def word(edge: Edge) -> str:
    return edge.lane.id


@pytest.mark.parametrize("site", ["corridor", "riverside"])
def test_each_way_takes_the_sum_of_its_edges(site: str) -> None:
    roads = Roads(load(SITES / f"{site}.yaml"), RULES)
    nodes = list(roads.site.nodes)[::7]
    paced = Paced(roads, word)
    assert paced.times(nodes) == roads.times(nodes)
    ratios = {str(lane): 1.0 + (len(lane) % 5) for lane in list(roads.site.lanes)[::2]}
    paced.set(ratios)
    drive_s = dict(roads.edges)
    table = paced.times(nodes)
    for row, start in enumerate(nodes):
        for column, goal in enumerate(nodes):
            if roads.times([start, goal])[0][1] == UNREACHABLE_S:
                assert table[row][column] == UNREACHABLE_S
                continue
            way = roads.shortest(start, goal)
            late_s = sum(drive_s[e] * (ratios.get(word(e), 1.0) - 1) for e in way.edges)
            assert table[row][column] == pytest.approx(way.seconds + late_s, abs=1.0)


def test_what_is_nowhere_stays_there() -> None:
    roads = Roads(load(SITES / "corridor.yaml"), RULES)
    paced = Paced(roads, word)
    paced.set(dict.fromkeys(map(str, roads.site.lanes), 3.0))
    assert paced.times([None, NodeId("a1")]) == ((UNREACHABLE_S, UNREACHABLE_S), (UNREACHABLE_S, 0))
    assert paced.seconds(NodeId("a1"), NodeId("a1")) == 0
