"""Hospitals of any height for traffic: the floor of the benchmark's hospital-C, stacked.

A floor is a corridor of 13 columns. At both ends and in the middle a column is a pair of nodes,
one in each direction, and columns are joined by a lane for each; between them both directions
share one lane. Each column has two rooms. A lift has a lobby at its column on each floor, and all
its rides are one resource.

    python -m tests.sim.tall_hospital FLOORS COLUMN,COLUMN,... > hospital.json

writes the graph file: ``8 0,2,4,6,8,10,12`` is the one with eight floors and seven lifts.
"""

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

COLUMNS = (
    *((0, 1), (2, 3), (4, 5), (6,), (7,), (8,), (9,), (10, 11), (12,), (13,), (14,)),
    *((15, 16), (17, 18)),
)
ROOMS = range(19, 45)
CROSS_MS, COLUMN_MS, DOOR_MS, LOBBY_MS = 2000, 10_000, 6000, 5000
LIFT_MS, LEVEL_MS = 20_000, 8000


def hospital(floors: int, lifts: Sequence[int]) -> dict[str, Any]:
    """The content of a graph file; ``lifts`` are the columns that have one."""
    lanes = _floor(lifts)
    size = ROOMS.stop + len(lifts)
    nodes = floors * size
    edges: list[list[int]] = []
    for floor in range(floors):
        for number, (start, end, ms, both) in enumerate(lanes):
            resource = nodes + floor * len(lanes) + number
            ways = ((start, end), (end, start)) if both else ((start, end),)
            edges += [[floor * size + a, floor * size + b, ms, resource] for a, b in ways]
    first = nodes + floors * len(lanes)
    for number in range(len(lifts)):
        lobbies = [floor * size + ROOMS.stop + number for floor in range(floors)]
        edges += [
            [start, end, LIFT_MS + LEVEL_MS * abs(here - there), first + number]
            for here, start in enumerate(lobbies)
            for there, end in enumerate(lobbies)
            if here != there
        ]
    return {
        "name": f"hospital of {floors} floors, {len(lifts)} lifts",
        "nodes": nodes,
        "rooms": [floor * size + room for floor in range(floors) for room in ROOMS],
        "edges": edges,
        "lift_resources": list(range(first, first + len(lifts))),
    }


def _floor(lifts: Sequence[int]) -> list[tuple[int, int, int, bool]]:
    """Lanes of one floor: from, to, time, whether also back."""
    lanes = [(*column, CROSS_MS, True) for column in COLUMNS if len(column) == 2]
    for west, east in pairwise(COLUMNS):
        if len(west) == len(east) == 1:
            lanes.append((west[0], east[0], COLUMN_MS, True))
        else:
            lanes += [(west[0], east[0], COLUMN_MS, False), (east[-1], west[-1], COLUMN_MS, False)]
    rooms = iter(ROOMS)
    for column in COLUMNS:
        lanes += [(column[0], next(rooms), DOOR_MS, True), (column[-1], next(rooms), DOOR_MS, True)]
    lobbies = enumerate(lifts, ROOMS.stop)
    return lanes + [(COLUMNS[column][0], lobby, LOBBY_MS, True) for lobby, column in lobbies]


if __name__ == "__main__":
    json.dump(hospital(int(sys.argv[1]), [int(n) for n in sys.argv[2].split(",")]), sys.stdout)
