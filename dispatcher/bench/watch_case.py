"""Cases of watching without end: rooms on a graph of roads, or points to look at from the air."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import networkx as nx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dispatcher.bench.case_files import find_cases, parse
from routing.errors import Fault, InstanceError

MOST_POINTS, MOST_NODES = 1000, 20_000
KINDS = ("patrol", "watch")

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Metres = Annotated[float, Field(allow_inf_nan=False)]
Passed = Mapping[tuple[int, int], Sequence[tuple[int, float]]]
"""Points that are seen on the way from one point to another, and seconds after setting out."""


@dataclass(frozen=True, slots=True)
class WatchCase:
    """What is to be watched.

    Args:
        names: of the points in the file: nodes of the graph, or numbers of coordinates.
        times_s: (n, n) from point to point, without looks.
        look_s: (n) how long a vehicle stays.
    """

    name: str
    names: tuple[int, ...]
    times_s: tuple[tuple[float, ...], ...]
    look_s: tuple[float, ...]
    passed: Passed


class _Patrol(BaseModel):
    model_config = ConfigDict(frozen=True)
    kind: Literal["patrol"]
    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
    nodes: Annotated[int, Field(ge=1, le=MOST_NODES)]
    edges: list[tuple[int, int, Seconds]]
    points: Annotated[list[int], Field(min_length=1, max_length=MOST_POINTS)]


class _Watch(BaseModel):
    model_config = ConfigDict(frozen=True)
    kind: Literal["watch"]
    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
    xy: Annotated[list[tuple[Metres, Metres]], Field(min_length=1, max_length=MOST_POINTS)]
    speed: Above
    accel: Above
    look_s: Seconds


_FILE: TypeAdapter[_Patrol | _Watch] = TypeAdapter(
    Annotated[_Patrol | _Watch, Field(discriminator="kind")]
)


def find_watch_cases(paths: Iterable[Path]) -> list[WatchCase]:
    """All cases: files, and what is in folders; raises as `find_cases` does."""
    return find_cases(paths, KINDS, read_case)


def read_case(path: Path) -> WatchCase:
    """The case in a file.

    Raises:
        WrongUse: it can't be read.
        InstanceError: it is no case, contradicts itself, or some point can't be reached.
    """
    case = parse(path, KINDS, _FILE)
    return _on_graph(case, path) if isinstance(case, _Patrol) else _from_the_air(case)


# --- a graph


def _on_graph(case: _Patrol, path: Path) -> WatchCase:
    faults = list(_graph_faults(case))
    if faults:
        raise InstanceError(str(path), faults)
    number = {node: n for n, node in enumerate(case.points)}
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(case.points)
    for start, goal, time_s in case.edges:
        known = graph.get_edge_data(start, goal, {"weight": math.inf})["weight"]
        graph.add_edge(start, goal, weight=min(known, time_s))
    rows: list[tuple[float, ...]] = []
    passed: dict[tuple[int, int], tuple[tuple[int, float], ...]] = {}
    for start in case.points:
        reach: Any = nx.single_source_dijkstra(graph, start)
        far_s, ways = cast(tuple[dict[int, float], dict[int, list[int]]], reach)
        for goal in case.points:
            if goal not in far_s:
                remedy = "join them by edges or take one from the points"
                raise InstanceError(str(path), [Fault(0, _no_way(start, goal), remedy)])
            on_way = tuple((number[n], far_s[n]) for n in ways[goal][1:-1] if n in number)
            if on_way:
                passed[number[start], number[goal]] = on_way
        rows.append(tuple(far_s[goal] for goal in case.points))
    looks = (0.0,) * len(rows)
    return WatchCase(case.name, tuple(case.points), tuple(rows), looks, passed)


def _graph_faults(case: _Patrol) -> Iterator[Fault]:
    for k, (start, goal, _) in enumerate(case.edges):
        for node in (start, goal):
            if not 0 <= node < case.nodes:
                remedy = f"nodes are 0 to {case.nodes - 1}"
                yield Fault(0, f"edges.{k} is at node {node}, which there is not", remedy)
    for k, point in enumerate(case.points):
        if not 0 <= point < case.nodes:
            remedy = f"nodes are 0 to {case.nodes - 1}"
            yield Fault(0, f"points.{k} is node {point}, which there is not", remedy)
        if point in case.points[:k]:
            yield Fault(0, f"points.{k} is node {point} once more", "name each point once")


def _no_way(start: int, goal: int) -> str:
    return f"no way from point {start} to point {goal}, so the graph can't be watched as one"


# --- the air


def _from_the_air(case: _Watch) -> WatchCase:
    """Straight flights that stop at each point."""

    def flight_s(one: tuple[float, float], two: tuple[float, float]) -> float:
        way_m, speed, accel = math.dist(one, two), case.speed, case.accel
        if way_m < speed * speed / accel:
            return 2.0 * math.sqrt(way_m / accel)
        return way_m / speed + speed / accel

    rows = tuple(tuple(flight_s(one, two) for two in case.xy) for one in case.xy)
    return WatchCase(case.name, tuple(range(len(rows))), rows, (case.look_s,) * len(rows), {})
