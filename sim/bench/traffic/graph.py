"""Graph files of traffic benchmarks: nodes, lanes and rooms, all of them capacity-1 resources.

``nodes`` is their number; node ``n`` is resource ``n``. ``edges`` are ``[from, to, nominal_ms,
resource]``: edges with one resource number exclude each other, such as both directions of a
one-lane stretch or all of a lift. ``rooms`` are the nodes where trips begin and end.
``lift_resources`` are those of lifts; if they are left out, those that join more than two nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from routing.traffic.spacetime import Hop, Net

Count = Annotated[int, Field(ge=0, strict=True)]
Some = Annotated[int, Field(gt=0, strict=True)]


class WrongGraph(ValueError):
    """The file holds no such graph; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A building as traffic sees it."""

    name: str
    net: Net
    rooms: tuple[int, ...]
    """Ascending."""
    lifts: tuple[int, ...]
    """The resources that are lifts, ascending."""
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    """What people call nodes, where that is not their number."""

    @property
    def lanes(self) -> list[int]:
        """All resources between nodes, lifts among them, ascending."""
        return sorted({hop.lane for hops in self.net.hops.values() for hop in hops})


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    nodes: Some
    rooms: tuple[Count, ...]
    edges: tuple[tuple[Count, Count, Some, Count], ...]
    lift_resources: tuple[Count, ...] | None = None

    @model_validator(mode="after")
    def _numbers_fit(self) -> "_File":
        for start, end, nominal_ms, resource in self.edges:
            edge = [start, end, nominal_ms, resource]
            if max(start, end) >= self.nodes or start == end:
                raise ValueError(f"edge {edge} is not between two of the {self.nodes} nodes")
            if resource < self.nodes:
                raise ValueError(f"edge {edge} has the resource of a node; use a higher number")
        if wrong := [room for room in self.rooms if room >= self.nodes]:
            raise ValueError(f"rooms {wrong} are none of the {self.nodes} nodes")
        if len(set(self.rooms)) < 2:
            raise ValueError("there are fewer than two rooms, so nowhere to drive from and to")
        lanes = {resource for *_, resource in self.edges}
        if wrong := [lift for lift in self.lift_resources or () if lift not in lanes]:
            raise ValueError(f"lift_resources {wrong} are those of no edge")
        return self

    def lifts(self) -> tuple[int, ...]:
        """As given, or what joins more than two nodes."""
        if self.lift_resources is not None:
            return tuple(sorted(set(self.lift_resources)))
        joins: dict[int, set[int]] = {}
        for start, end, _, resource in self.edges:
            joins.setdefault(resource, set()).update((start, end))
        return tuple(sorted(lane for lane, nodes in joins.items() if len(nodes) > 2))


def read_graph(path: Path) -> Graph:
    """The graph in a JSON file.

    Raises:
        WrongGraph: it can't be read, is no such graph, or has rooms without a way between them.
    """
    try:
        file = _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WrongGraph(f"{path}: {error.strerror or error}; name a graph file") from error
    except ValidationError as error:
        raise WrongGraph(
            f"{path} is no traffic graph: {_first_fault(error)}; it needs name, nodes (a number), "
            "rooms and edges [from, to, nominal_ms, resource]"
        ) from error
    net = Net((Hop(*edge) for edge in file.edges), file.rooms)
    graph = Graph(file.name, net, tuple(sorted(set(file.rooms))), file.lifts())
    require_ways(path, graph)
    return graph


def require_ways(path: Path, graph: Graph) -> None:
    """Raise WrongGraph unless there is a way between any two rooms that passes no other."""
    for goal in graph.rooms:
        left = graph.net.ms_to(goal)
        cut_off = [room for room in graph.rooms if room not in left]
        if cut_off:
            start, end = (graph.names.get(room, str(room)) for room in (cut_off[0], goal))
            raise WrongGraph(
                f"{path}: no way from room {start} to room {end} that passes no other room; "
                "add edges between them, or drop one from the rooms"
            )


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where: Sequence[object] = fault["loc"]
    return ": ".join([*([".".join(map(str, where))] if where else []), fault["msg"]])
