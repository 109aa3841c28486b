"""Who gets where: what is remembered is what would be found."""

from itertools import product
from pathlib import Path

from dispatcher.air.docks import Docks
from dispatcher.domain.stops import Handling, TaskStop, stops_of_spec
from dispatcher.domain.task import Delivery, Goods, TaskId
from dispatcher.planning.reach import Reach, legs_of, unreachable_stops
from dispatcher.traffic.roadbook import RoadBook
from routing.site import NodeId, PlaceId
from routing.sites.site_yaml import load
from sim.scenario.config import load_scenario
from tests.sim.hospital import SITE, scenario_file


def deliveries(places: list[PlaceId]) -> list[tuple[TaskStop, ...]]:
    return [
        stops_of_spec(
            TaskId(f"T-{number}"),
            Delivery(item="box", goods=Goods.GENERAL, origin=one, drop_offs=(other,), mass_g=500),
            Handling(),
        )
        for number, (one, other) in enumerate(product(places, places))
    ]


def test_what_is_remembered_is_what_would_be_found_also_once_a_home_is_kept_free(
    tmp_path: Path,
) -> None:
    site = load(SITE)
    scenario = load_scenario(scenario_file(tmp_path, homes=("park-1", "park-2")))
    spec = scenario.vehicles[0].to_spec()
    roads = RoadBook(site)
    docks = Docks(site, ())
    reach, wanted = Reach(site, roads, docks), deliveries(list(site.places))
    seen: list[list[bool]] = []
    for home in (site.places[spec.home].node, NodeId("a3")):
        roads.keep_free(home)
        for _ in range(2):  # found, then remembered
            seen.append([reach.all_of(spec, legs_of(stops)) for stops in wanted])
            found = [unreachable_stops(site, roads, docks, spec, stops) for stops in wanted]
            assert seen[-1] == [not missed for missed in found]
    assert True in seen[0]
    assert False in seen[0]
    assert seen[0] != seen[2], "somebody is at home in the middle of the corridor"
