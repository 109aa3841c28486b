"""Robots that drive from room to room of a graph all day: the model behind ``bench traffic``.

They begin in rooms drawn by lot. After 20 to 40 s in a room a robot drives to another that nobody
stands in or heads for. A hop takes its nominal time, up to half a second more, and now and then a
delay. Each robot has its own source of chance, so one robot more leaves the others their luck.

Event by event: all arrivals of a millisecond come before its departures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, auto
from heapq import heappop, heappush
from random import Random
from time import thread_time_ns
from typing import Any, TypeVar

from routing.spacetime import Hop
from sim.traffic_graph import Graph
from sim.traffic_monitor import Monitor
from sim.traffic_schemes import Scheme

T = TypeVar("T")
Record = Callable[[dict[str, Any]], None]

DWELL_MS = 20_000, 40_000
JITTER_MS = 500
SILENCE_MS = 600_000
WARM_UP_MS, LONG_MS = 30 * 60_000, 60 * 60_000
THINK_EVERY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Delays:
    """Now and then a hop takes longer: with probability ``chance``, by ``mean_ms`` at the mean."""

    chance: float
    mean_ms: float


DELAYS = {
    "default": Delays(0.05, 20_000),
    "long": Delays(0.01, 600_000),
    "heavy": Delays(0.30, 60_000),
}


class What(IntEnum):
    """What happens; of one millisecond, in this order."""

    ARRIVES = auto()
    ASKS = auto()
    """Wants to drive to another room."""
    WAITS = auto()
    """Has been waiting for some time."""
    END = auto()


@dataclass(slots=True, eq=False)
class Robot:
    """One robot and its luck."""

    number: int
    chance: Random
    node: int
    """Where it stands, or that it left last."""
    room: int
    """Where its trip ends, or ended."""
    hop: Hop | None = None
    """The hop it is on."""
    waits_since_ms: int = 0
    """Since when it has wanted to set out, if it is one of those who wait."""
    thinks_ms: int = 0
    """When it is to think again, if it still waits then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a run; ``call_ms`` are processor times of all questions to the scheme."""

    trips_per_h: float
    trips: int
    deadlocks: int
    collisions: int
    longest_wait_s: float
    call_ms: tuple[float, ...]


@dataclass(slots=True)
class Model:
    """A run of ``hours`` with ``robots`` robots; fewer than there are rooms."""

    graph: Graph
    scheme: Scheme
    robots: int
    hours: float
    seed: int
    delays: Delays
    record: Record = lambda _: None
    """Is told each record of the trace, in order."""
    _fleet: list[Robot] = field(default_factory=list[Robot], init=False)
    _waiting: dict[int, Robot] = field(default_factory=dict[int, Robot], init=False)
    """Who wants to set out, longest first."""
    _events: list[tuple[int, What, int]] = field(
        default_factory=list[tuple[int, What, int]], init=False
    )
    _monitor: Monitor = field(default_factory=Monitor, init=False)
    _calls_ns: list[int] = field(default_factory=list[int], init=False)
    _trips_ms: list[int] = field(default_factory=list[int], init=False)
    _longest_wait_ms: int = field(default=0, init=False)
    _last_record_ms: int = field(default=0, init=False)
    _deadlocks: int = field(default=0, init=False)

    def run(self) -> Iterator[int]:
        """Let it happen; yields the time in ms after each moment at which something did."""
        end_ms = round(self.hours * 3_600_000)
        self._begin()
        self._at(end_ms, What.END, 0)
        while True:
            now_ms = self._events[0][0]
            while self._events and self._events[0][0] == now_ms:
                _, what, number = heappop(self._events)
                if what is What.END:
                    self._finish(now_ms)
                    return
                self._happens(what, self._fleet[number], now_ms)
            self._release(now_ms)
            self._watch(now_ms)
            yield now_ms

    def ended(self) -> Ended:
        """What came of it, when all has happened."""
        end_ms = round(self.hours * 3_600_000)
        skipped_ms = WARM_UP_MS if end_ms > LONG_MS else 0
        counted = sum(at_ms >= skipped_ms for at_ms in self._trips_ms)
        return Ended(
            trips_per_h=3.6e6 * counted / (end_ms - skipped_ms),
            trips=len(self._trips_ms),
            deadlocks=self._deadlocks,
            collisions=self._monitor.collisions,
            longest_wait_s=self._longest_wait_ms / 1000,
            call_ms=tuple(ns / 1e6 for ns in self._calls_ns),
        )

    # --- what happens

    def _begin(self) -> None:
        for number in range(self.robots):
            chance = Random(f"{self.seed}/{number}")
            taken = {robot.node for robot in self._fleet}
            room = chance.choice(self.graph.rooms)
            while room in taken:
                room = chance.choice(self.graph.rooms)
            robot = Robot(number, chance, node=room, room=room)
            self._fleet.append(robot)
            self._monitor.stand(number, room)
            self._ask(lambda robot=robot: self.scheme.place(robot.number, robot.node, 0))
            self._say(0, robot, at=room)
            self._dwell(robot, 0)

    def _happens(self, what: What, robot: Robot, now_ms: int) -> None:
        match what:
            case What.ARRIVES:
                self._arrive(robot, now_ms)
            case What.ASKS:
                self._begin_trip(robot, now_ms)
            case What.WAITS if robot.number in self._waiting and robot.thinks_ms == now_ms:
                self._ask(lambda: self.scheme.think_again(robot.number, now_ms))
                self._think_later(robot, now_ms)
            case _:
                pass

    def _begin_trip(self, robot: Robot, now_ms: int) -> None:
        taken = {other.node for other in self._fleet} | {other.room for other in self._fleet}
        free = [room for room in self.graph.rooms if room not in taken]
        if not free:
            self._dwell(robot, now_ms)
            return
        robot.room = robot.chance.choice(free)
        self._ask(lambda: self.scheme.plan(robot.number, robot.room, now_ms))
        self._wait(robot, now_ms)

    def _release(self, now_ms: int) -> None:
        for number, hop in self._ask(lambda: self.scheme.release(self._waiting, now_ms)):
            robot = self._waiting.pop(number)
            self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.waits_since_ms)
            robot.hop = hop
            self._monitor.depart(number, hop)
            self._say(now_ms, robot, depart=[hop.start, hop.end])
            self._at(now_ms + hop.nominal_ms + self._extra_ms(robot), What.ARRIVES, number)

    def _extra_ms(self, robot: Robot) -> int:
        """How much longer than nominal a hop takes; draws as often for any delays."""
        jitter_ms = robot.chance.randint(0, JITTER_MS)
        delayed = robot.chance.random() < self.delays.chance
        delay_ms = robot.chance.expovariate(1 / self.delays.mean_ms)
        return jitter_ms + (round(delay_ms) if delayed else 0)

    def _arrive(self, robot: Robot, now_ms: int) -> None:
        hop = robot.hop
        assert hop is not None
        robot.hop, robot.node = None, hop.end
        self._monitor.arrive(robot.number, hop)
        self._ask(lambda: self.scheme.arrive(robot.number, now_ms))
        self._say(now_ms, robot, arrive=hop.end)
        if hop.end != robot.room:
            self._wait(robot, now_ms)
            return
        self._trips_ms.append(now_ms)
        self._say(now_ms, robot, trip=robot.room)
        self._dwell(robot, now_ms)

    def _dwell(self, robot: Robot, now_ms: int) -> None:
        self._at(now_ms + robot.chance.randint(*DWELL_MS), What.ASKS, robot.number)

    def _wait(self, robot: Robot, now_ms: int) -> None:
        robot.waits_since_ms = now_ms
        self._waiting[robot.number] = robot
        self._think_later(robot, now_ms)

    def _think_later(self, robot: Robot, now_ms: int) -> None:
        robot.thinks_ms = now_ms + THINK_EVERY_MS
        self._at(robot.thinks_ms, What.WAITS, robot.number)

    def _watch(self, now_ms: int) -> None:
        """Nothing for ten minutes, somebody wants to drive and nobody does: a deadlock."""
        silent = now_ms - self._last_record_ms >= SILENCE_MS
        if silent and self._waiting and all(robot.hop is None for robot in self._fleet):
            self._deadlocks = 1

    def _finish(self, now_ms: int) -> None:
        self._watch(now_ms)
        for robot in self._waiting.values():
            self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.waits_since_ms)
        self.record({"t": now_ms, "end": True})

    # --- helpers

    def _at(self, at_ms: int, what: What, number: int) -> None:
        heappush(self._events, (at_ms, what, number))

    def _say(self, now_ms: int, robot: Robot, **what: Any) -> None:
        self._last_record_ms = now_ms
        self.record({"t": now_ms, "robot": f"r{robot.number}", **what})

    def _ask(self, call: Callable[[], T]) -> T:
        """Ask the scheme, and note how much processor time it takes."""
        begun_ns = thread_time_ns()
        answer = call()
        self._calls_ns.append(thread_time_ns() - begun_ns)
        return answer
