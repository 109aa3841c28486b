"""What stands in a body's way on a lane: obstacles until they are gone, people for a moment."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleet.vehicle import VehicleId
from routing.site import Edge, LaneId
from sim.moments import DAY_S, within

CLEAR_M = 0.5
"""Between a body's front and the obstacle that it stops for."""
_NEAREST, _FARTHEST = 0.2, 0.8
"""Shares of a lane between which people step in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Where along a lane a body has to stop.

    Args:
        lasts_s: how long it stands there; None = until the way is free.
    """

    at_m: float
    lasts_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """People on some lanes.

    Args:
        chances: for one drive along one lane, by hour of the day.
        between: seconds since midnight; None = all day.
        mean_s: how long one has to wait for them.
        stream: names its chance.
    """

    lanes: frozenset[LaneId]
    chances: tuple[float, ...]
    between: tuple[float, float] | None
    mean_s: float
    stream: str


class Hindrances:
    """All that stands on the lanes of one world.

    Args:
        seed: of the run; each body has a stream of its own for each crowd.
    """

    def __init__(self, seed: int) -> None:
        self.obstacles: dict[LaneId, None] = {}
        self._seed = seed
        self._crowds: Sequence[Crowd] = ()
        self.clock_s: Callable[[], float] = lambda: 0.0
        """Seconds since midnight."""
        self._streams: dict[tuple[str, VehicleId], random.Random] = {}

    def expect(self, crowds: Sequence[Crowd], clock_s: Callable[[], float]) -> None:
        """Let people walk about.

        Args:
            clock_s: seconds since midnight.
        """
        self._crowds, self.clock_s = crowds, clock_s

    def obstacle(self, edge: Edge, length_m: float) -> Halt | None:
        """Where a body of this length stops for the obstacle in the middle of a lane."""
        if edge.lane.id not in self.obstacles:
            return None
        return Halt(at_m=max(0.0, (edge.lane.length_m - length_m) / 2 - CLEAR_M))

    def people(self, body: VehicleId, edge: Edge) -> Halt | None:
        """Whether somebody will step in the way of a body that sets out along ``edge``."""
        wait_s, share = 0.0, 0.0
        for crowd in self._crowds:
            if edge.lane.id not in crowd.lanes:
                continue
            chance = self._stream(crowd, body)
            met, longs_s = chance.random(), chance.expovariate(1 / crowd.mean_s)
            where = chance.uniform(_NEAREST, _FARTHEST)
            clock_s = self.clock_s() % DAY_S
            if within(crowd.between, clock_s) and met < crowd.chances[int(clock_s // 3600)]:
                wait_s, share = wait_s + longs_s, where
        return Halt(at_m=share * edge.lane.length_m, lasts_s=wait_s) if wait_s > 0 else None

    def _stream(self, crowd: Crowd, body: VehicleId) -> random.Random:
        key = crowd.stream, body
        if key not in self._streams:
            name = f"{self._seed}:crowd:{crowd.stream}:{body}"
            self._streams[key] = random.Random(name)
        return self._streams[key]
