"""Robots that drive from room to room of a graph all day: the model behind ``bench traffic``.

They begin in rooms drawn by lot. After 20 to 40 s in a room a robot drives to another that nobody
stands in or heads for. A hop takes its nominal time, up to half a second more, and now and then a
delay. All arrivals of a millisecond come before its departures.

Who finds no way stays in its room and draws another goal 20 to 40 s later. At the end all that
is out of order works again and nobody sets out on a new trip: who then can't end the one it is on
is in a deadlock, also if others drove around it all day.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from heapq import heappop, heappush
from time import thread_time_ns
from typing import Any, TypeVar

from routing.traffic.precedence import NoWay
from sim.bench.traffic.faults import Kind, Outage
from sim.bench.traffic.graph import Graph
from sim.bench.traffic.monitor import Monitor
from sim.bench.traffic.robot import THINK_EVERY_MS, Delays, Robot, enlist
from sim.bench.traffic.schemes import Scheme

T = TypeVar("T")
Record = Callable[[dict[str, Any]], None]

SILENCE_MS = 10 * 60_000
WARM_UP_MS, LONG_MS = 30 * 60_000, 60 * 60_000


class What(IntEnum):
    """What happens; of one millisecond, in this order."""

    ARRIVES = auto()
    ENDS = auto()
    """An outage ends."""
    BEGINS = auto()
    """An outage begins."""
    ASKS = auto()
    """Wants to drive to another room."""
    THINK = auto()
    """All who wait look for another way."""
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a run."""

    trips: int
    trips_per_h: float
    """Without the first half hour, if there is more than one hour."""
    deadlocks: int
    """1 if for ten minutes nothing happened although all was in order, somebody wanted to drive
    and nobody did; or if somebody could not end its trip after the end."""
    collisions: int
    longest_wait_s: float
    """The longest that a robot stood and wanted to go on, without the time it was broken down."""
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
        outages: Sequence[Outage] = (),
        record: Record = lambda _: None,
    ) -> None:
        """``record`` is told each record of the trace, in order."""
        self._graph, self._scheme, self._delays, self._record = graph, scheme, delays, record
        self._end_ms = round(hours * 3_600_000)
        self._outages, self._lasting = outages, dict[int, list[Robot]]()
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
        self._other_ns = self._last_news_ms = self._longest_wait_ms = self._deadlocks = 0
        self._over = self._moved = False

    def run(self) -> Iterator[int]:
        """Let it happen; yields the time in ms of each moment at which something does."""
        for robot in self._fleet:
            self._monitor.stand(robot.number, robot.node)
            self._scheme.place(robot.number, robot.node, 0)
            self._say(0, robot, at=robot.node)
            self._dwell(robot, 0)
        for number, outage in enumerate(self._outages):
            self._at(outage.begins_ms, What.BEGINS, number)
        if self._scheme.thinks or self._outages:
            self._at(THINK_EVERY_MS, What.THINK, 0)
        self._at(self._end_ms, What.END, 0)
        while not self._over:
            now_ms = self._events[0][0]
            self._all_of(now_ms)
            yield now_ms
        self._see_all_home()

    def _all_of(self, now_ms: int) -> None:
        """Let all of one moment happen."""
        while self._events and self._events[0][0] == now_ms:
            _, what, number = heappop(self._events)
            self._happens(what, number, now_ms)
        if self._moved:
            self._moved = False
            self._release(now_ms)
        self._watch(now_ms)

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

    def _happens(self, what: What, number: int, now_ms: int) -> None:
        match what:
            case What.ARRIVES if self._fleet[number].due(now_ms):
                self._arrive(self._fleet[number], now_ms)
            case What.BEGINS:
                self._begin_outage(number, now_ms)
            case What.ENDS:
                self._end_outage(number, now_ms)
            case What.ASKS:
                self._begin_trip(self._fleet[number], now_ms)
            case What.THINK:
                self._think(now_ms)
            case What.END if not self._over:
                self._finish(now_ms)
            case _:
                pass

    def _begin_trip(self, robot: Robot, now_ms: int) -> None:
        if self._over:
            return
        if robot.faults:
            self._dwell(robot, now_ms)
            return
        if robot.asks_since_ms is None:
            robot.asks_since_ms = now_ms
        taken = {other.node for other in self._fleet} | {other.room for other in self._fleet}
        taken.update(self._scheme.refuges())
        free = [room for room in self._graph.rooms if room not in taken]
        if not free:
            self._dwell(robot, now_ms)
            return
        robot.room = robot.chance.choice(free)
        try:
            self._ask_way(lambda: self._scheme.plan(robot.number, robot.room, now_ms))
        except NoWay:
            robot.room = robot.node
            self._dwell(robot, now_ms)
            return
        self._wait(robot, robot.asks_since_ms)
        robot.asks_since_ms, self._moved = None, True

    def _think(self, now_ms: int) -> None:
        scheme = self._scheme
        ask = scheme.think_again if scheme.thinks else scheme.get_unstuck
        for robot in list(self._waiting.values()):
            if now_ms >= robot.looks_ms:
                found = self._ask_way(lambda: ask(robot.number, now_ms))  # noqa: B023
                robot.has_looked(now_ms, found=found)
                self._moved |= found
        self._at(now_ms + THINK_EVERY_MS, What.THINK, 0)

    def _release(self, now_ms: int) -> None:
        for number, hop in self._tell(lambda: self._scheme.release(self._waiting, now_ms)):
            robot = self._waiting.pop(number)
            if not self._over:
                self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.waits_since_ms)
            robot.hop = hop
            self._monitor.depart(number, hop)
            self._say(now_ms, robot, depart=[hop.start, hop.end])
            robot.arrives_ms = now_ms + robot.travel_ms(hop, self._delays)
            self._at(robot.arrives_ms, What.ARRIVES, number)

    def _arrive(self, robot: Robot, now_ms: int) -> None:
        hop = robot.hop
        if hop is None:
            raise ValueError(f"robot {robot.number} arrives and was on no hop")
        robot.hop, robot.node, self._moved = None, hop.end, True
        self._monitor.arrive(robot.number, hop)
        self._tell(lambda: self._scheme.arrive(robot.number, now_ms))
        self._say(now_ms, robot, arrive=hop.end)
        if hop.end != robot.room:
            self._wait(robot, now_ms)
            return
        if not self._over:
            self._trips_ms.append(now_ms)
        self._say(now_ms, robot, trip=robot.room)
        self._dwell(robot, now_ms)

    def _dwell(self, robot: Robot, now_ms: int) -> None:
        self._at(now_ms + robot.dwell_ms(), What.ASKS, robot.number)

    def _wait(self, robot: Robot, since_ms: int) -> None:
        robot.waits_since_ms = since_ms
        robot.look_soon()
        self._waiting[robot.number] = robot

    # --- what is out of order

    def _begin_outage(self, number: int, now_ms: int) -> None:
        if self._over:
            return
        outage = self._outages[number]
        if outage.kind is Kind.ROBOT:
            halted = [self._fleet[outage.number]]
        else:
            self._tell(lambda: self._scheme.close(outage.number, now_ms))
            halted = [robot for robot in self._fleet if robot.hop and outage.holds(robot.hop)]
        for robot in halted:
            if not robot.faults:
                self._tell(lambda: self._scheme.halt(robot.number, now_ms))  # noqa: B023
                robot.waited = self._waiting.pop(robot.number, None) is not None
                robot.halted_ms = now_ms
            robot.faults += 1
        self._lasting[number] = halted
        self._let_all_look()
        self._at(outage.ends_ms, What.ENDS, number)

    def _end_outage(self, number: int, now_ms: int) -> None:
        halted = self._lasting.pop(number, None)
        if halted is None:
            return
        outage = self._outages[number]
        if outage.kind is not Kind.ROBOT:
            self._tell(lambda: self._scheme.open(outage.number, now_ms))
        for robot in halted:
            robot.faults -= 1
            if not robot.faults:
                self._tell(lambda: self._scheme.go_on(robot.number, now_ms))  # noqa: B023
                self._go_on(robot, now_ms)
        self._let_all_look()
        self._moved, self._last_news_ms = True, now_ms

    def _let_all_look(self) -> None:
        for robot in self._waiting.values():
            robot.look_soon()

    def _go_on(self, robot: Robot, now_ms: int) -> None:
        lost_ms = now_ms - robot.halted_ms
        if robot.hop is not None:
            robot.arrives_ms += lost_ms
            self._at(robot.arrives_ms, What.ARRIVES, robot.number)
        elif robot.waited:
            self._wait(robot, robot.waits_since_ms + lost_ms)
        elif robot.asks_since_ms is not None:
            robot.asks_since_ms += lost_ms
        robot.waited = False

    # --- the end

    def _watch(self, now_ms: int) -> None:
        silent = now_ms - self._last_news_ms >= SILENCE_MS and not self._lasting
        if silent and self._waiting and all(robot.hop is None for robot in self._fleet):
            self._deadlocks = 1

    def _finish(self, now_ms: int) -> None:
        self._watch(now_ms)
        self._over = True
        for robot in self._fleet:
            if robot.number in self._waiting or (robot.waited and robot.faults):
                until_ms = robot.halted_ms if robot.faults else now_ms
                self._longest_wait_ms = max(self._longest_wait_ms, until_ms - robot.waits_since_ms)
            elif robot.asks_since_ms is not None and not robot.faults:
                self._longest_wait_ms = max(self._longest_wait_ms, now_ms - robot.asks_since_ms)
        self._record({"t": now_ms, "end": True})

    def _see_all_home(self) -> None:
        """Mend everything and let all trips end, without a record; or see a deadlock."""
        now_ms = self._end_ms
        for number in list(self._lasting):
            self._end_outage(number, now_ms)
        self._release(now_ms)
        counted = len(self._calls_ns), self._other_ns
        while self._deadlocks == 0 and any(r.hop or r.number in self._waiting for r in self._fleet):
            if not self._events:
                self._deadlocks = 1
                break
            now_ms = self._events[0][0]
            self._all_of(now_ms)
        del self._calls_ns[counted[0] :]
        self._other_ns = counted[1]

    # --- helpers

    def _at(self, at_ms: int, what: What, number: int) -> None:
        heappush(self._events, (at_ms, what, number))

    def _say(self, now_ms: int, robot: Robot, **what: Any) -> None:
        self._last_news_ms = now_ms
        if not self._over:
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
