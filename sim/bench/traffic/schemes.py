"""Schemes of traffic that can be measured: who may set out on which hop, and when."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from routing.traffic.precedence import Precedence
from routing.traffic.spacetime import Hop, Net
from sim.bench.traffic.banker import Banker

OVERDUE_MS = 300_000


class Scheme(Protocol):
    """Decides for all robots of a graph; times are milliseconds since the beginning."""

    @property
    def thinks(self) -> bool:
        """Whether those who wait are to think again now and then."""
        ...

    def place(self, robot: int, node: int, now_ms: int) -> None:
        """A robot stands on a node at the beginning."""
        ...

    def plan(self, robot: int, goal: int, now_ms: int) -> None:
        """A standing robot is to drive to a room that nobody else stands in or heads for.

        Raises:
            NoWay: as things are there is none; it may ask again, also for another room.
        """
        ...

    def think_again(self, robot: int, now_ms: int) -> bool:
        """A robot has been waiting for a while; True = it has another way or turn now."""
        ...

    def get_unstuck(self, robot: int, now_ms: int) -> bool:
        """A robot has been waiting while something is out of order; True = it has another way."""
        ...

    def refuges(self) -> Sequence[int]:
        """Rooms where robots wait, or to which they drive, until they find a way to their goals."""
        ...

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        """Who of these waiting robots sets out now, and on which hop."""
        ...

    def arrive(self, robot: int, now_ms: int) -> None:
        """A robot has come to the end of its hop."""
        ...

    def halt(self, robot: int, now_ms: int) -> None:
        """A robot has broken down; nobody knows for how long."""
        ...

    def go_on(self, robot: int, now_ms: int) -> None:
        """A robot that had broken down drives again."""
        ...

    def close(self, lane: int, now_ms: int) -> None:
        """Nobody may set out on a lane, nobody knows for how long; who is on it arrives."""
        ...

    def open(self, lane: int, now_ms: int) -> None:
        """A lane that was closed can be used again."""
        ...


class Kept(Precedence):
    """A way for each trip when it begins; it is kept to the end, unless something breaks down."""

    thinks = False


class Renewed(Precedence):
    """The same, and who waits may take another way or an earlier turn."""

    thinks = True

    def __init__(self, net: Net) -> None:
        super().__init__(net, overdue_ms=OVERDUE_MS)


DEFAULT = "sipp+tail"
SCHEMES: dict[str, Callable[[Net], Scheme]] = {
    "sipp+tail": Renewed,
    "sipp": Kept,
    "banker": Banker,
}
