"""What goes wrong in the traffic model: robots break down, lanes are closed, lifts fail.

All of it is drawn before the run, each robot, each lift and the lanes together from a source of
their own. So one robot more leaves all others their luck, and a scheme can't change it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from routing.traffic.spacetime import Hop
from sim.bench.traffic.graph import Graph

HOUR_MS = 3_600_000


class Kind(Enum):
    """What an outage befalls."""

    ROBOT = auto()
    """It stops wherever it is and drives the rest of its hop when it is repaired."""
    LANE = auto()
    """Nobody sets out on it; who is on it arrives."""
    LIFT = auto()
    """The same, but who is inside arrives only after it works again."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Something that does not work for a while."""

    begins_ms: int
    ends_ms: int
    kind: Kind
    number: int
    """The robot, or the resource of the lane or lift."""

    def holds(self, hop: Hop) -> bool:
        """Whether who is on this hop stops, too."""
        return self.kind is Kind.LIFT and hop.lane == self.number


@dataclass(frozen=True, slots=True)
class Faults:
    """How often: mean hours from one end to the next beginning; and how long, evenly drawn."""

    robot_h: float
    """Of each robot."""
    lane_h: float
    """Of the lanes of the whole building together; which one is drawn evenly."""
    lift_h: float
    """Of each lift."""
    lasts_ms: tuple[int, int]


FAULTS: dict[str, Faults | None] = {
    "none": None,
    "some": Faults(5.0, 1.0, 10.0, (10 * 60_000, 40 * 60_000)),
}


def draw_outages(
    graph: Graph, robots: int, seed: int, faults: Faults | None, end_ms: int
) -> list[Outage]:
    """All that begins before the end."""
    if faults is None:
        return []
    found: list[Outage] = []
    for kind, numbers, mean_h in (
        (Kind.ROBOT, range(robots), faults.robot_h),
        (Kind.LIFT, graph.lifts, faults.lift_h),
    ):
        for number in numbers:
            chance = Random(f"{seed}/{kind.name}/{number}")
            for begins_ms, ends_ms in _spells(chance, mean_h, faults, end_ms):
                found.append(Outage(begins_ms, ends_ms, kind, number))
    lanes = [lane for lane in graph.lanes if lane not in graph.lifts]
    chance = Random(f"{seed}/lanes")
    for begins_ms, ends_ms in _spells(chance, faults.lane_h, faults, end_ms, one_by_one=False):
        lane = chance.choice(lanes) if lanes else None
        closed = (o for o in found if o.kind is Kind.LANE and o.number == lane)
        if lane is not None and all(o.ends_ms < begins_ms for o in closed):
            found.append(Outage(begins_ms, ends_ms, Kind.LANE, lane))
    return found


def _spells(
    chance: Random, mean_h: float, faults: Faults, end_ms: int, *, one_by_one: bool = True
) -> Iterator[tuple[int, int]]:
    """Beginnings and ends; each may begin while the one before lasts, unless one by one."""
    at_ms = 0
    while True:
        at_ms += 1 + round(chance.expovariate(1 / (mean_h * HOUR_MS)))
        if at_ms >= end_ms:
            return
        ends_ms = at_ms + chance.randint(*faults.lasts_ms)
        yield at_ms, ends_ms
        if one_by_one:
            at_ms = ends_ms
