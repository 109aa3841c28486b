"""Ways on a small ward: widths, one-way lanes, lifts, doors, and the hygiene of zones."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import networkx as nx
import numpy as np
import pytest

from routing.errors import Unreachable
from routing.geometry import GeoPoint, LocalFrame, Point
from routing.roads.paths import UNREACHABLE_S, Roads, Rules, travel_matrix
from routing.site import (
    Door,
    DoorId,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Name,
    Node,
    NodeId,
    Place,
    PlaceId,
    Role,
    Site,
    Zone,
)

L1, L2 = LevelId("L1"), LevelId("L2")
CART = Rules(speed_m_s=1.0, width_m=0.6, kind="cart")


def name(text: str) -> Name:
    return Name(en=text, zh=text)


def node(key: str, x_m: float = 0.0, y_m: float = 0.0, zone: Zone = Zone.CLEAN) -> Node:
    return Node(id=NodeId(key), level=L1, point=Point(x_m, y_m), zone=zone)


def lane(
    start: str,
    end: str,
    length_m: float = 10.0,
    *,
    two_way: bool = True,
    width_m: float = 2.0,
    speed_limit_m_s: float | None = None,
    door: str | None = None,
    lift: str | None = None,
    kinds: frozenset[str] = frozenset(),
) -> Lane:
    return Lane(
        id=LaneId(f"{start}~{end}"),
        start=NodeId(start),
        end=NodeId(end),
        length_m=length_m,
        two_way=two_way,
        width_m=width_m,
        speed_limit_m_s=speed_limit_m_s,
        door=DoorId(door) if door else None,
        lift=LiftId(lift) if lift else None,
        kinds=kinds,
    )


def station(key: str, service_s: float) -> Place:
    return Place(
        id=PlaceId(key),
        name=name(key),
        node=NodeId(key),
        roles=frozenset({Role.DECONTAMINATION}),
        service_s=service_s,
    )


def site(nodes: Iterable[Node], lanes: Iterable[Lane], places: Iterable[Place] = ()) -> Site:
    return Site(
        id="test",
        name=name("test"),
        frame=LocalFrame(GeoPoint(30.0, 114.0)),
        levels={
            L1: Level(id=L1, name=name("1"), elevation_m=0.0),
            L2: Level(id=L2, name=name("2"), elevation_m=4.0),
        },
        nodes={n.id: n for n in nodes},
        lanes={way.id: way for way in lanes},
        places={p.id: p for p in places},
        doors={DoorId("d"): Door(id=DoorId("d"), name=name("d"), level=L1, opening_s=3.0)},
        lifts={
            LiftId("lift"): Lift(
                id=LiftId("lift"), name=name("lift"), cabins={}, speed_m_s=0.5, door_s=4.0
            )
        },
    )


def ids(*keys: str) -> tuple[NodeId, ...]:
    return tuple(NodeId(key) for key in keys)


A, B, C, D = ids("a", "b", "c", "d")


def triangle(*more: Lane) -> Site:
    """Short from a over b to c; long from a to c."""
    return site(
        [node("a"), node("b"), node("c")],
        [lane("a", "b"), lane("b", "c"), lane("a", "c", 25.0), *more],
    )


def test_the_shorter_way_wins() -> None:
    way = Roads(triangle(), CART).shortest(A, C)
    assert way.nodes == (A, B, C)
    assert way.seconds == 20.0
    assert way.length_m == 20.0


def test_a_stay_is_a_way_without_edges() -> None:
    way = Roads(triangle(), CART).shortest(A, A)
    assert (way.nodes, way.seconds) == ((A,), 0.0)


def test_a_closed_lane_is_driven_around() -> None:
    roads = Roads(triangle(), CART, closed=frozenset({LaneId("b~c")}))
    assert roads.shortest(A, C).nodes == (A, C)


def test_an_avoided_node_is_an_end_but_no_passage() -> None:
    roads = Roads(triangle(), CART, avoid=frozenset({B}))
    assert roads.shortest(A, C).nodes == (A, C)
    assert roads.shortest(A, B).nodes == (A, B)
    assert roads.shortest(B, C).nodes == (B, C)


def test_load_steers_around_a_busy_node_but_is_no_driving_time() -> None:
    roads = Roads(triangle(), CART)
    way = roads.shortest(A, C, load={B: 60.0})
    assert (way.nodes, way.seconds) == ((A, C), 25.0)
    way = roads.shortest(A, C, lane_load={LaneId("b~c"): 60.0})
    assert way.nodes == (A, C)


@pytest.mark.parametrize("most_s", [1, 4])
def test_the_way_past_loads_is_the_same_however_far_it_is_searched(most_s: int) -> None:
    dice, moved = random.Random(most_s), 0
    for _ in range(120):
        ids = [NodeId(f"n{n}") for n in range(16)]
        pairs = {tuple(sorted(dice.sample(range(16), 2))) for _ in range(40)}
        lanes = [lane(ids[a], ids[b], float(dice.randint(1, 3))) for a, b in sorted(pairs)]
        zones = [Zone.CONTAMINATED if dice.random() < 0.3 else Zone.CLEAN for _ in ids]
        nodes = [node(id_, zone=zone) for id_, zone in zip(ids, zones, strict=True)]
        washing = [station(id_, 2.0) for id_ in ids if dice.random() < 0.5]
        roads = Roads(site(nodes, lanes, washing), CART, avoid=frozenset(dice.sample(ids, 2)))
        load = {id_: float(dice.randint(1, most_s)) for id_ in dice.sample(ids, 6)}
        lane_load = {one.id: float(dice.randint(1, most_s)) for one in dice.sample(lanes, 6)}
        start, goal = dice.sample(ids, 2)
        clean = dice.random() < 0.5
        if not roads.reaches(start, goal):
            continue
        search = partial(roads.shortest, start, goal, load=load, lane_load=lane_load)
        never = {lanes[0].id: ()}  # with hours nobody knows how dear the way can be at the most
        farther = search(clean_start=clean, shut=never)
        assert search(clean_start=clean) == farther
        moved += farther != roads.shortest(start, goal, clean_start=clean)
    assert moved >= 5


def test_a_parking_place_is_passed_only_when_needed() -> None:
    plain = triangle()
    parking = Place(id=PlaceId("p"), name=name("p"), node=B, roles=frozenset({Role.PARKING}))
    parked = replace(plain, places={parking.id: parking})
    assert Roads(parked, CART).shortest(A, C).nodes == (A, C)
    closed = frozenset({LaneId("a~c")})
    way = Roads(parked, CART, closed=closed).shortest(A, C)
    assert (way.nodes, way.seconds) == ((A, B, C), 20.0)


def test_narrow_lanes_and_foreign_kinds_are_no_roads() -> None:
    narrow = site([node("a"), node("b")], [lane("a", "b", width_m=0.5)])
    with pytest.raises(Unreachable):
        Roads(narrow, CART).seconds(A, B)
    staff = site([node("a"), node("b")], [lane("a", "b", kinds=frozenset({"cabinet"}))])
    with pytest.raises(Unreachable, match="from a to b"):
        Roads(staff, CART).shortest(A, B)


def test_a_one_way_lane_goes_one_way() -> None:
    roads = Roads(site([node("a"), node("b")], [lane("a", "b", two_way=False)]), CART)
    assert roads.seconds(A, B) == 10.0
    assert roads.reachable(A) == {A, B}
    assert roads.reachable(B) == {B}


def test_speed_limits_doors_and_lifts_take_their_time() -> None:
    roads = Roads(
        site(
            [node("a"), node("b"), node("c"), node("d")],
            [
                lane("a", "b", speed_limit_m_s=0.5),
                lane("b", "c", door="d"),
                lane("c", "d", 4.0, lift="lift"),
            ],
        ),
        CART,
    )
    assert roads.seconds(A, B) == 20.0
    assert roads.seconds(B, C) == 13.0
    assert roads.seconds(C, D) == 2 * 4.0 + 4.0 / 0.5
    assert roads.shortest(A, D).length_m == 20.0


def dirty_side() -> Site:
    """Clean a and b; dirty c and station d, whose lane leads straight to b."""
    return site(
        [
            node("a"),
            node("b"),
            node("c", zone=Zone.CONTAMINATED),
            node("d", zone=Zone.CONTAMINATED),
        ],
        [lane("a", "b"), lane("b", "c"), lane("c", "d"), lane("d", "b")],
        [station("d", 180.0)],
    )


def test_out_of_the_dirt_leads_only_through_the_station() -> None:
    roads = Roads(dirty_side(), CART)
    assert roads.shortest(A, C).nodes == (A, B, C)
    back = roads.shortest(C, A)
    assert back.nodes == (C, D, B, A)
    assert back.decontaminations == (1,)
    assert back.seconds == 30.0 + 180.0


def test_with_goods_on_board_there_is_no_way_out() -> None:
    roads = Roads(dirty_side(), CART._replace(decontamination=False))
    with pytest.raises(Unreachable):
        roads.shortest(C, A)


def test_a_vehicle_that_has_been_through_the_station_just_leaves_it() -> None:
    roads = Roads(dirty_side(), CART)
    assert roads.shortest(D, A).decontaminations == (0,)
    way = roads.shortest(D, A, clean_start=True)
    assert (way.decontaminations, way.seconds) == ((), 20.0)
    assert roads.seconds(D, A) == 200.0


def test_a_matrix_rounds_up_and_marks_what_cannot_be_reached() -> None:
    one_way = site([node("a"), node("b")], [lane("a", "b", 10.2, two_way=False)])
    found = travel_matrix(one_way, CART, (A, B))
    assert found.dtype == np.int64
    assert found.tolist() == [[0, 11], [UNREACHABLE_S, 0]]
    assert travel_matrix(one_way, CART, ()).shape == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_networkx_on_random_roads(seed: int) -> None:
    rng = random.Random(f"{seed}:roads")
    keys = [f"n{i}" for i in range(40)]
    pairs = [(a, b) for a in keys for b in keys if a < b and rng.random() < 0.08]
    roads = site(
        [node(key) for key in keys],
        [lane(a, b, rng.uniform(1, 50), two_way=rng.random() < 0.7) for a, b in pairs],
    )
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(keys)
    for edges in roads.edges_from.values():
        for edge in edges:
            graph.add_edge(edge.start, edge.end, weight=edge.lane.length_m)
    ours = Roads(roads, CART)
    for start in keys[:10]:
        theirs = nx.single_source_dijkstra_path_length(graph, start)
        assert ours.reachable(NodeId(start)) == set(theirs)
        for goal, seconds in theirs.items():
            way = ours.shortest(NodeId(start), NodeId(goal))
            assert math.isclose(way.seconds, seconds, abs_tol=1e-9)
            assert way.nodes[-1] == goal
