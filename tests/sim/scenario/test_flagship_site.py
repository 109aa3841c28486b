"""Riverside Hospital: a site one can believe in, where every errand of the day has a legal way."""

from collections.abc import Mapping
from functools import cache

import networkx as nx
import pytest
from shapely import LineString, Polygon

from dispatcher.domain.eligibility import why_not
from dispatcher.domain.task import Delivery, Goods
from fleet.vehicle import Medium, VehicleSpec
from routing.geometry import Point
from routing.roads.paths import Roads, Rules
from routing.site import AirKind, AirspaceId, LevelId, NodeId, PlaceId, Role, Site, Zone
from routing.sites.site_yaml import examine
from sim.scenario.config import Scenario, load_scenario
from sim.scenario.demand import demand
from tests.folders import CONFIGS

RIVERSIDE = CONFIGS / "sites" / "riverside.yaml"


@cache
def riverside() -> Site:
    examined = examine(RIVERSIDE)
    assert examined.site is not None, [str(fault) for fault in examined.faults]
    return examined.site


@cache
def outbreak_day() -> Scenario:
    return load_scenario(CONFIGS / "outbreak-day.yaml")


@cache
def roads(kind: str, *, loaded: bool) -> Roads:
    """The roads of a robot of the day; with goods on board it can't be decontaminated."""
    homes = frozenset(riverside().places[PlaceId(v.home)].node for v in ground(outbreak_day()))
    rules = Rules(speed_m_s=1.0, width_m=0.65, kind=kind, decontamination=not loaded)
    return Roads(riverside(), rules, avoid=homes)


def ground(scenario: Scenario) -> list[VehicleSpec]:
    specs = [vehicle.to_spec() for vehicle in scenario.vehicles]
    return [spec for spec in specs if spec.medium is Medium.GROUND]


def node(place: str) -> NodeId:
    return riverside().places[PlaceId(place)].node


def spot(place: str) -> Point:
    return riverside().nodes[node(place)].point


def outline(area: str) -> Polygon:
    ring = riverside().airspaces[AirspaceId(area)].outline
    return Polygon([(point.x_m, point.y_m) for point in ring])


def of_kind(kind: AirKind) -> Mapping[str, Polygon]:
    return {a.id: outline(a.id) for a in riverside().airspaces.values() if a.kind is kind}


def test_it_can_be_used_without_a_single_warning() -> None:
    examined = examine(RIVERSIDE)
    assert [str(fault) for fault in (*examined.faults, *examined.warnings)] == []


def test_it_has_all_that_a_hospital_in_an_outbreak_needs() -> None:
    kinds = {place.kind for place in riverside().places.values()}
    assert kinds >= {
        *("ward", "pharmacy", "laboratory", "kitchen", "laundry", "stores", "sterile"),
        *("isolation", "isolation_room", "theatre", "waste_store", "waste_hub", "depot"),
    }
    names = {place.name.en for place in riverside().places.values()}
    assert {"ICU nurses", "Emergency desk", "Outpatient desk"} <= names
    assert set(riverside().levels) == {"L1", "L2", "L3", "roof", "district"}
    assert {node.zone for node in riverside().nodes.values()} == set(Zone)


def test_everything_has_a_chinese_name_of_its_own() -> None:
    for place in riverside().places.values():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in place.name.zh), place.name


def test_three_lifts_are_clean_and_the_dirty_one_never_leaves_the_contaminated_wing() -> None:
    zones = {
        lift.id: {riverside().nodes[cabin].zone for cabin in lift.cabins.values()}
        for lift in riverside().lifts.values()
    }
    assert zones == {
        "lift-1": {Zone.CLEAN},
        "lift-2": {Zone.CLEAN},
        "lift-3": {Zone.CLEAN},
        "lift-4": {Zone.CONTAMINATED},
    }
    assert [lift.id for lift in riverside().lifts.values() if "roof" in lift.cabins] == ["lift-1"]


def test_at_least_eighteen_robots_have_a_dead_end_of_their_own() -> None:
    site = riverside()
    bays = [place for place in site.with_role(Role.PARKING) if Role.CHARGER in place.roles]
    assert len(bays) >= 18
    assert all(len(site.edges_from[bay.node]) == 1 for bay in bays)
    levels = {site.nodes[bay.node].level for bay in bays}
    assert levels == {"L1", "L2", "L3"}
    assert any(site.nodes[bay.node].zone is Zone.CONTAMINATED for bay in bays)


def test_main_corridors_have_a_lane_for_each_direction() -> None:
    site = riverside()
    for level in (LevelId("L1"), LevelId("L2"), LevelId("L3")):
        prefix = level.lower()
        for column in range(1, 8):
            east = site.edge(NodeId(f"{prefix}-e{column}"), NodeId(f"{prefix}-e{column + 1}"))
            west = site.edge(NodeId(f"{prefix}-w{column + 1}"), NodeId(f"{prefix}-w{column}"))
            assert not east.lane.two_way
            assert not west.lane.two_way
            assert 5 <= east.lane.length_m <= 10


def test_nobody_gets_out_of_the_wing_but_through_decontamination() -> None:
    site = riverside()
    graph: nx.DiGraph[str] = nx.DiGraph()
    for edges in site.edges_from.values():
        graph.add_edges_from((edge.start, edge.end) for edge in edges)
    stations = [place.node for place in site.with_role(Role.DECONTAMINATION)]
    graph.remove_nodes_from(stations)
    dirty = [n.id for n in site.nodes.values() if n.zone > Zone.CLEAN and n.id not in stations]
    for start in dirty:
        if start in graph:
            reached = nx.descendants(graph, start)
            assert not [n for n in reached if site.nodes[NodeId(n)].zone is Zone.CLEAN], start


def test_every_station_leads_straight_into_a_cleaner_zone() -> None:
    site = riverside()
    stations = site.with_role(Role.DECONTAMINATION)
    assert len(stations) >= 2
    zones: set[tuple[Zone, Zone]] = set()
    for station in stations:
        here = site.nodes[station.node].zone
        (edge,) = site.edges_from[station.node]
        zones.add((here, site.nodes[edge.end].zone))
        assert 120 <= station.service_s <= 180
    assert zones == {(Zone.CONTAMINATED, Zone.CLEAN), (Zone.SEMI, Zone.CLEAN)}


def test_with_all_bays_taken_every_place_can_still_be_reached_and_left() -> None:
    site = riverside()
    free = roads("cart", loaded=False)
    start = node("pharmacy")
    there = free.reachable(start)
    for place in site.places.values():
        if site.nodes[place.node].level == "district" or Role.PAD in place.roles:
            continue
        assert place.node in there, place.id
        if Role.PARKING not in place.roles:
            assert start in free.reachable(place.node), place.id


def test_every_errand_of_the_day_has_a_legal_way_for_a_robot_that_can_do_it() -> None:
    scenario = outbreak_day()
    orders = demand(scenario, scenario.site, seed=1) + demand(scenario, scenario.site, seed=2)
    flows = {
        (o.request.get("goods", "medicine"), o.request["from"], to)
        for o in orders
        if "from" in o.request and o.request.get("by") != "air"
        for to in ([o.request["to"]] if isinstance(o.request["to"], str) else o.request["to"])
    }
    assert len(flows) > 100
    for goods, origin, to in sorted(flows):
        carriers = [robot for robot in ground(scenario) if goods in robot.load_types]
        assert carriers, goods
        for robot in carriers[:1]:
            empty, loaded = roads(robot.kind, loaded=False), roads(robot.kind, loaded=True)
            home = node(robot.home)
            assert node(origin) in empty.reachable(home), (robot.id, origin)
            assert node(to) in loaded.reachable(node(origin)), (goods, origin, to)
            assert home in empty.reachable(node(to)), (robot.id, to)


def test_clean_and_soiled_goods_never_share_a_vehicle() -> None:
    clean = {"food", "clean_linen", "sterile", "medicine", "general"}
    soiled = {"dirty_linen", "waste", "infectious_waste"}
    for vehicle in outbreak_day().vehicles:
        loads = set(vehicle.load_types)
        assert not (loads & clean and loads & soiled), vehicle.id


def test_trips_of_the_day_take_minutes_not_hours() -> None:
    empty = roads("cart", loaded=False)
    kitchen = empty.seconds(node("kitchen-1"), node("3a-pantry"))
    isolated = empty.seconds(node("kitchen-1"), node("iso-3"))
    back = empty.seconds(node("iso-3"), node("kitchen-1"))
    assert 60 < kitchen < 240
    assert 60 < isolated < 300
    assert back > isolated + 100  # decontamination


def test_the_depot_is_600_m_away_and_the_school_lies_in_the_way() -> None:
    depot, roof = spot("depot-pad"), spot("roof-pad")
    assert depot.distance_m(roof) == pytest.approx(600, abs=50)
    straight = LineString([(depot.x_m, depot.y_m), (roof.x_m, roof.y_m)])
    assert straight.intersection(outline("no-fly-school")).length > 100


def test_the_substation_lies_between_the_police_and_the_park() -> None:
    dock, park = spot("police-dock-1"), outline("riverside-park")
    straight = LineString([(dock.x_m, dock.y_m), (park.centroid.x, park.centroid.y)])
    assert straight.intersects(outline("no-fly-substation"))


def test_patrol_areas_and_pads_lie_inside_the_fence_and_outside_of_no_fly_zones() -> None:
    fence = outline("fence")
    patrols, barred = of_kind(AirKind.PATROL), of_kind(AirKind.NO_FLY)
    assert len(patrols) == 3
    for area in patrols.values():
        assert fence.contains(area)
        assert not [name for name, zone in barred.items() if zone.intersects(area)]
    for pad in riverside().with_role(Role.PAD):
        point = LineString([(spot(pad.id).x_m, spot(pad.id).y_m)] * 2)
        assert fence.contains(point.centroid)
        assert not [name for name, zone in barred.items() if zone.distance(point) < 20]


def test_the_day_has_eighteen_robots_of_four_makes_and_two_dialects_and_six_drones() -> None:
    vehicles = outbreak_day().vehicles
    robots = [v for v in vehicles if v.medium is Medium.GROUND]
    assert (len(robots), len(vehicles) - len(robots)) == (18, 6)
    assert len({robot.make for robot in robots}) == 4
    versions = {robot.link.vda5050.full_version for robot in robots if robot.link.vda5050}
    assert versions == {"2.0.0", "2.1.0"}
    layers = [v.cruise_agl_m for v in vehicles if v.medium is Medium.AIR]
    assert len(set(layers)) == len(layers)


def test_only_the_couriers_could_fly_what_the_depot_sends() -> None:
    parcel = Delivery(
        item="Test kits",
        goods=Goods.GENERAL,
        origin=PlaceId("depot-pad"),
        drop_offs=(PlaceId("roof-pad"),),
        mass_g=2800,
        by=Medium.AIR,
    )
    able = [v.id for v in outbreak_day().vehicles if not why_not(parcel, v.to_spec())]
    assert able == ["D5", "D6"]
