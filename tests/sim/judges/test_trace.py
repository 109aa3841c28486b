import asyncio
import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fleet.bus import MemoryBus
from fleet.energy import EnergySpec
from fleet.facility import Facilities
from fleet.mission import Action, ActionKind
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.roads.road_graph import RoadGraph, road_graph
from routing.site import LevelId, LiftId, NodeId, PlaceId
from routing.sites import site_yaml
from sim.judges.trace import Trace
from sim.world.bodies import GroundBody
from sim.world.machines import LiftMachine
from sim.world.world import World
from tests.folders import SHARED, SMALL_SITES

CHECKER = SHARED / "benchmarks/checkers/check_traffic.py"
LIFT, L1, L2 = LiftId("lift-1"), LevelId("L1"), LevelId("L2")


def two_levels() -> World:
    path = SMALL_SITES / "two_levels.yaml"
    return World(site_yaml.loads(path.read_text(), path.name), seed=1)


def put(world: World, name: str, node: str) -> GroundBody:
    spec = VehicleSpec(
        id=VehicleId(name),
        name=name,
        medium=Medium.GROUND,
        kind="cart",
        make="test",
        home=PlaceId("park-1"),
        speed_m_s=0.9,
        acceleration_m_s2=0.7,
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"food"}),
        skills=frozenset({"carry"}),
        energy=EnergySpec(capacity_wh=500.0, idle_w=10.0, move_w=100.0),
    )
    return world.add_ground(spec, NodeId(node))


async def drive(body: GroundBody, world: World, *nodes: str) -> None:
    for index, (start, end) in enumerate(pairwise(nodes)):
        edge = world.site.edge(NodeId(start), NodeId(end))
        await body.drive(edge, onward=index < len(nodes) - 2)


async def act(body: GroundBody, kind: ActionKind = ActionKind.LOAD) -> None:
    await body.act(Action(id=f"{body.id}-{kind}", kind=kind, duration_s=20.0))


def judge(folder: Path, graph: RoadGraph) -> dict[str, Any]:
    """What the checker says of ``trace.jsonl`` in ``folder``."""
    if not CHECKER.exists():
        pytest.skip("needs check_traffic.py of the shared benchmarks: put it in ../shared")
    (folder / "graph.json").write_text(json.dumps(graph.to_json()), encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, CHECKER, folder / "graph.json", folder / "trace.jsonl"],
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(answer.stdout)


async def errand(body: GroundBody, world: World, facilities: Facilities) -> None:
    """To the pharmacy, and up to the ward by the lift."""
    await drive(body, world, "park-1", "a1", "pharmacy")
    await act(body)
    await drive(body, world, "pharmacy", "a1", "a2", "a3")
    await facilities.bring_lift(LIFT, L1, body.id)
    await drive(body, world, "a3", "lift-1@L1")
    await facilities.bring_lift(LIFT, L2, body.id)
    await drive(body, world, "lift-1@L1", "lift-1@L2")
    await drive(body, world, "lift-1@L2", "b3", "b2", "b1")
    facilities.release_lift(LIFT, body.id)
    await drive(body, world, "b1", "ward")
    await act(body, ActionKind.UNLOAD)
    await act(body)


async def test_a_trace_tells_moves_and_trips_in_order() -> None:
    world, out = two_levels(), io.StringIO()
    body = put(world, "C1", "park-1")
    trace = Trace(world, road_graph(world.site, 0.9), out)
    await drive(body, world, "park-1", "a1")
    await drive(body, world, "a1", "pharmacy")
    await act(body)
    await act(body, ActionKind.UNLOAD)
    trace.close()
    numbers = road_graph(world.site).numbers
    park, a1, pharmacy = (numbers[NodeId(name)] for name in ("park-1", "a1", "pharmacy"))
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [{k: v for k, v in line.items() if k not in ("t", "robot")} for line in lines] == [
        {"at": park},
        {"depart": [park, a1]},
        {"arrive": a1},
        {"depart": [a1, pharmacy]},
        {"arrive": pharmacy},
        {"trip": pharmacy},
        {"end": True},
    ]
    assert all(type(line["t"]) is int for line in lines)


async def test_the_independent_checker_accepts_two_bodies_and_a_lift(tmp_path: Path) -> None:
    world, bus = two_levels(), MemoryBus()
    graph = road_graph(world.site, 0.9)
    first, second = put(world, "C1", "park-1"), put(world, "C2", "park-2")
    facilities = Facilities(bus, world.site)
    lift = LiftMachine(world, bus, world.site.lifts[LIFT])
    lives = [asyncio.create_task(life.run()) for life in (facilities, lift)]
    with (tmp_path / "trace.jsonl").open("w", encoding="utf-8") as out:
        trace = Trace(world, graph, out)
        await errand(first, world, facilities)
        await asyncio.sleep(1.2345678)
        await drive(second, world, "park-2", "a2", "a1", "park-1")
        await act(second, ActionKind.CHARGE)
        trace.close()
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    result = judge(tmp_path, graph)
    assert result["ok"], result
    assert result["robots"] == 2
    assert result["trips"] == 3


async def test_the_checker_sees_a_collision(tmp_path: Path) -> None:
    """The trace is the truth, also when it is a bad one."""
    world = two_levels()
    graph = road_graph(world.site, 0.9)
    first = put(world, "C1", "a1")
    put(world, "C2", "a2")
    with (tmp_path / "trace.jsonl").open("w", encoding="utf-8") as out:
        trace = Trace(world, graph, out)
        await drive(first, world, "a1", "a2")
        trace.close()
    result = judge(tmp_path, graph)
    assert not result["ok"]
    assert "which C2 holds" in result["why"]
