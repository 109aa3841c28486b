"""Robots that drive from room to room of a graph all day: the model behind ``bench traffic``.

They begin in rooms drawn by lot. After 20 to 40 s in a room a robot drives to another that nobody
stands in or heads for. A hop takes its nominal time, up to half a second more, and now and then a
delay. All arrivals of a millisecond come before its departures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum, auto
from heapq import heappop, heappush
from time import thread_time_ns
from typing import Any, TypeVar

from sim.traffic_graph import Graph
from sim.traffic_monitor import Monitor
from sim.traffic_robot import Delays, Robot, enlist
from sim.traffic_schemes import Scheme

T = TypeVar("T")
Record = Callable[[dict[str, Any]], None]

SILENCE_MS = 10 * 60_000
WARM_UP_MS, LONG_MS = 30 * 60_000, 60 * 60_000
THINK_EVERY_MS = 2_000


class What(IntEnum):
    """What happens; of one millisecond, in this order."""

    ARRIVES = auto()
    ASKS = auto()
    """Wants to drive to another room."""
    WAITS = auto()
    """Has been waiting for some time."""
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a run."""

    trips: int
    trips_per_h: float
    """Without the first half hour, if there is more than one hour."""
    deadlocks: int
    """1 if for ten minutes nothing happened, somebody wanted to drive and nobody did."""
    collisions: int
    longest_wait_s: float
    """The longest that a robot stood and wanted to go on."""
    call_ms: tuple[float, ...]
    """Processor times of all questions for a way, the first or another."""
    cpu_ms: float
    """Processor time of all that was told to and asked of the scheme."""


class Model:
    """One run; it needs fewer robots than there are rooms."""

    def __init__(
        self,
        graph: Graph,
        scheme: Scheme,
        *,
        robots: int,
        hours: float,
        seed: int,
        delays: Delays,
        record: Record = lambda _: None,
    ) -> None:
        """``record`` is told each record of the trace, in order."""
        self._graph, self._scheme, self._delays, self._record = graph, scheme, delays, record
        self._end_ms = round(hours * 3_600_000)
        self._fleet: list[Robot] = []
        for number in range(robots):
            taken = {robot.node for robot in self._fleet}
            self._fleet.append(enlist(number, seed, graph.rooms, taken))
        self._waiting: dict[int, Robot] = {}
        """Who wants to set out, longest first."""
        self._events: list[tuple[int, What, int]] = []
        self._monitor = Monitor()
        self._trips_ms: list[int] = []
        self._calls_ns: list[int] = []
        self._other_ns = self._last_record_ms = self._longest_wait_ms = self._deadlocks = 0

    def run(self) -> Iterator[int]:
        """Let it happen; yields the time in ms of each moment at which something does."""
        for robot in self._fleet:
            self._monitor.stand(robot.number, robot.node)
            self._scheme.place(robot.number, robot.node, 0)
            self._say(0, robot, at=robot.node)
            self._dwell(robot, 0)
        self._at(self._end_ms, What.END, 0)
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
        skipped_ms = WARM_UP_MS if self._end_ms > LONG_MS else 0
        counted = sum(at_ms >= skipped_ms for at_ms in self._trips_ms)
        return Ended(
            trips=len(self._trips_ms),
            trips_per_h=3.6e6 * counted / max(self._end_ms - skipped_ms, 1),
            deadlocks=self._deadlocks,
            collisions=self._monitor.collisions,
            longest_wait_s=self._longest_wait_ms / 1000,
            call_ms=tuple(ns / 1e6 for ns in self._calls_ns),
            cpu_ms=(sum(self._calls_ns) + self._other_ns) / 1e6,
        )

    # --- what happens

    def _happens(self, what: What, robot: Robot, now_ms: int) -> None:
        match what:
            case What.ARRIVES:
                self._arrive(robot, now_ms)
            case What.ASKS:
                self._begin_trip(robot, now_ms)
            case What.WAITS if robot.number in self._waiting and robot.thinks_ms == now_ms:
                self._ask_way(lambda: self._scheme.think_again(robot.number, now_ms))
                self._think_later(robot, now_ms)
            case _:
                pass

    def _begin_trip(self, robot: Robot, now_ms: int) -> None:
        taken = {other.node for other in self._fleet} | {other.room for other in self._fleet}
        free = [room for room in self._graph.rooms if room not in taken]
        if not free:
            self._dwell(robot, now_ms)
            return
        robot.room = robot.chance.choice(free)
        self._ask_way(lambda: self._scheme.plan(robot.number, robot.room, now_ms))
        self._wait(robot, now_ms)

    def _release(self, now_ms: int) -> None:
        for number, hop in self._tell(lambda: self._scheme.release(self._waiting, now_ms)):
            robot = self._waiting.pop(number)
            self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.waits_since_ms)
            robot.hop = hop
            self._monitor.depart(number, hop)
            self._say(now_ms, robot, depart=[hop.start, hop.end])
            self._at(now_ms + robot.travel_ms(hop, self._delays), What.ARRIVES, number)

    def _arrive(self, robot: Robot, now_ms: int) -> None:
        hop = robot.hop
        if hop is None:
            raise ValueError(f"robot {robot.number} arrives and was on no hop")
        robot.hop, robot.node = None, hop.end
        self._monitor.arrive(robot.number, hop)
        self._tell(lambda: self._scheme.arrive(robot.number, now_ms))
        self._say(now_ms, robot, arrive=hop.end)
        if hop.end != robot.room:
            self._wait(robot, now_ms)
            return
        self._trips_ms.append(now_ms)
        self._say(now_ms, robot, trip=robot.room)
        self._dwell(robot, now_ms)

    def _dwell(self, robot: Robot, now_ms: int) -> None:
        self._at(now_ms + robot.dwell_ms(), What.ASKS, robot.number)

    def _wait(self, robot: Robot, now_ms: int) -> None:
        robot.waits_since_ms = now_ms
        self._waiting[robot.number] = robot
        self._think_later(robot, now_ms)

    def _think_later(self, robot: Robot, now_ms: int) -> None:
        if self._scheme.thinks:
            robot.thinks_ms = now_ms + THINK_EVERY_MS
            self._at(robot.thinks_ms, What.WAITS, robot.number)

    def _watch(self, now_ms: int) -> None:
        silent = now_ms - self._last_record_ms >= SILENCE_MS
        if silent and self._waiting and all(robot.hop is None for robot in self._fleet):
            self._deadlocks = 1

    def _finish(self, now_ms: int) -> None:
        self._watch(now_ms)
        for robot in self._waiting.values():
            self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.waits_since_ms)
        self._record({"t": now_ms, "end": True})

    # --- helpers

    def _at(self, at_ms: int, what: What, number: int) -> None:
        heappush(self._events, (at_ms, what, number))

    def _say(self, now_ms: int, robot: Robot, **what: Any) -> None:
        self._last_record_ms = now_ms
        self._record({"t": now_ms, "robot": f"r{robot.number}", **what})

    def _ask_way(self, call: Callable[[], T]) -> T:
        answer, ns = _timed(call)
        self._calls_ns.append(ns)
        return answer

    def _tell(self, call: Callable[[], T]) -> T:
        answer, ns = _timed(call)
        self._other_ns += ns
        return answer


def _timed(call: Callable[[], T]) -> tuple[T, int]:
    begun_ns = thread_time_ns()
    answer = call()
    return answer, thread_time_ns() - begun_ns
