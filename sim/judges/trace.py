"""Writes what every body really did as lines that an independent checker can judge.

Each line is a JSON object with ``t`` in whole milliseconds: ``at`` (stands there at the start),
``depart`` (from, to), ``arrive``, ``trip`` (work at a place is done, after at least one move) and,
last, ``end``. Nodes are the numbers of `routing.roads.road_graph`.
"""

import asyncio
import math
from typing import TextIO

from fleet.mission import Action
from fleet.vehicle import VehicleId
from routing.roads.road_graph import RoadGraph
from routing.site import Edge
from sim.world.bodies import GroundBody
from sim.world.world import Observer, World


class Trace(Observer):
    """The trace of one world, streamed to ``out``; create it when the bodies are in place.

    Args:
        graph: its ``fastest_m_s`` is at least the speed of the fastest body.
    """

    def __init__(self, world: World, graph: RoadGraph, out: TextIO) -> None:
        self._numbers, self._rooms, self._out = graph.numbers, frozenset(graph.rooms), out
        self._start_s = asyncio.get_running_loop().time()
        self._moved: dict[VehicleId, bool] = {}
        for body in world.ground.values():
            self._say(body, f'"at":{self._numbers[body.node]}')
        world.observe(self)

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """It takes the lane and the node ahead."""
        self._moved[body.id] = True
        ends = f"{self._numbers[edge.start]},{self._numbers[edge.end]}"
        self._say(body, f'"depart":[{ends}]')

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        """It holds the node alone."""
        self._say(body, f'"arrive":{self._numbers[edge.end]}')

    def acted(self, body: GroundBody, action: Action) -> None:  # noqa: ARG002
        """The first deed in a room after a move ends a trip."""
        room = self._numbers[body.node]
        if room in self._rooms and self._moved.get(body.id, False):
            self._moved[body.id] = False
            self._say(body, f'"trip":{room}')

    def close(self) -> None:
        """Write the last line."""
        self._out.write(f'{{"t":{self._now_ms()},"end":true}}\n')
        self._out.flush()

    def _say(self, body: GroundBody, what: str) -> None:
        self._out.write(f'{{"t":{self._now_ms()},"robot":"{body.id}",{what}}}\n')

    def _now_ms(self) -> int:
        """Milliseconds since the start; bodies arrive on whole ones."""
        return math.floor((asyncio.get_running_loop().time() - self._start_s) * 1000 + 1e-3)
