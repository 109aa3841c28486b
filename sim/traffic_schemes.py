"""Schemes of traffic that can be measured: who may set out on which hop, and when."""

from collections.abc import Callable, Iterable
from typing import Protocol

from routing.precedence import Precedence
from routing.spacetime import Hop, Net
from sim.traffic_banker import Banker


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
        """A standing robot is to drive to a room that nobody else stands in or heads for."""
        ...

    def think_again(self, robot: int, now_ms: int) -> bool:
        """A robot has been waiting for a while; True = it has another way or turn now."""
        ...

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        """Who of these waiting robots sets out now, and on which hop."""
        ...

    def arrive(self, robot: int, now_ms: int) -> None:
        """A robot has come to the end of its hop."""
        ...


class Kept(Precedence):
    """A way for each trip when it begins; it is kept to the end."""

    thinks = False


class Renewed(Precedence):
    """The same, and who waits may take another way or an earlier turn."""

    thinks = True


DEFAULT = "sipp+tail"
SCHEMES: dict[str, Callable[[Net], Scheme]] = {
    "sipp+tail": Renewed,
    "sipp": Kept,
    "banker": Banker,
}
