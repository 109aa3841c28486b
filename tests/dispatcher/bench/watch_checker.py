"""What a plan of watching is worth, from its file and its case alone.

It shares no code with the planner: shortest times by Floyd and Warshall, moves looked at one by
one, and idleness by walking through the sights of each point.

    python -m tests.dispatcher.bench.watch_checker CASE.json ANSWER.json...
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CLOSE_S = 1e-4


class Wrong(AssertionError):
    """A plan that no vehicles could drive."""


def shortest(case: Json) -> tuple[list[int], dict[tuple[int, int], float]]:
    """The points of a case, and the least time from a sight of one to a sight of another."""
    if case["kind"] == "watch":
        names, least = list(range(len(case["xy"]))), dict[tuple[int, int], float]()
        for a in names:
            for b in names:
                metres, v, acc = (
                    math.dist(case["xy"][a], case["xy"][b]),
                    case["speed"],
                    case["accel"],
                )
                slow = 2 * math.sqrt(metres / acc)
                moving = slow if metres < v * v / acc else metres / v + v / acc
                least[a, b] = (moving if a != b else 0.0) + case["look_s"]
        return names, least
    nodes = range(case["nodes"])
    far = {(a, b): 0.0 if a == b else math.inf for a in nodes for b in nodes}
    for a, b, seconds in case["edges"]:
        far[a, b] = min(far[a, b], seconds)
    for via in nodes:
        for a in nodes:
            if (first := far[a, via]) < math.inf:
                for b in nodes:
                    far[a, b] = min(far[a, b], first + far[via, b])
    return case["points"], far


def worst_idleness_s(case: Json, answer: Json) -> float:
    """The longest time that any point is unseen from ``steady_from`` to ``horizon``.

    Raises:
        Wrong: too many vehicles, unknown points, or a move faster than the shortest way.
    """
    points, least = shortest(case)
    if len(answer["vehicles"]) > answer["k"]:
        raise Wrong(f"{len(answer['vehicles'])} vehicles instead of {answer['k']}")
    begin_s, end_s = answer["steady_from"], answer["horizon"]
    if not 0 <= begin_s < end_s:
        raise Wrong("nothing is steady")
    sights: dict[int, list[float]] = {point: [] for point in points}
    for number, visits in enumerate(answer["vehicles"]):
        before: tuple[float, int] | None = None
        for at_s, point in visits:
            if point not in sights:
                raise Wrong(f"vehicle {number} is at {point}, which is no point")
            if before is not None and at_s - before[0] < least[before[1], point] - CLOSE_S:
                raise Wrong(f"vehicle {number} is too fast from {before} to {(at_s, point)}")
            before = at_s, point
            sights[point].append(at_s)
    worst_s = 0.0
    for moments in sights.values():
        last_s = begin_s
        for at_s in sorted(moments):
            if begin_s < at_s <= end_s:
                worst_s = max(worst_s, at_s - last_s)
                last_s = at_s
        worst_s = max(worst_s, end_s - last_s)
    return worst_s


if __name__ == "__main__":
    case_file, *answers = map(Path, sys.argv[1:])
    for file in answers:
        found_s = worst_idleness_s(json.loads(case_file.read_text()), json.loads(file.read_text()))
        print(f"{file.name}: {found_s:.3f} s")  # noqa: T201
