"""The doors of one air lock take turns: one may be asked to open while all others are shut."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

SETTLE_S = 10.0
"""A door that was asked to open and never answered may still do so for this long."""


class LockDoor(Protocol):
    """What an air lock has to know of each of its doors."""

    @property
    def wished(self) -> bool:
        """Whether somebody wants it open."""
        ...

    @property
    def shut(self) -> bool:
        """Whether it has said that it is shut, and that nobody wants it open."""
        ...

    @property
    def jammed(self) -> bool:
        """Whether it is out of service and not shut."""
        ...

    @property
    def asked_s(self) -> float | None:
        """When it was last asked to open, if it has not answered to that; loop seconds."""
        ...


D = TypeVar("D", bound=LockDoor)


class AirLock(Generic[D]):
    """Says whose turn it is. A door of which nothing has been heard is not known to be shut."""

    def __init__(self, doors: Sequence[D]) -> None:
        self.doors = tuple(doors)
        self._turn: D | None = None

    def others(self, door: D) -> Iterator[D]:
        """All of its doors but one."""
        return (other for other in self.doors if other is not door)

    def may_ask(self, door: D, now_s: float) -> bool:
        """Whether a door may be asked to open now."""
        turn = self._turn
        if turn is not None and not turn.wished and self._is_shut(turn, now_s):
            turn = None
        if turn in (None, door) and all(self._is_shut(one, now_s) for one in self.others(door)):
            turn = door
        elif turn is door:  # another one was opened by hand: wait until it is shut
            return False
        self._turn = turn
        return turn is door

    def blocked_by(self, door: D) -> D | None:
        """Another of its doors that can't be shut, so that this one must stay so."""
        return next((other for other in self.others(door) if other.jammed), None)

    def look_again_s(self, now_s: float) -> float | None:
        """In how many seconds a door that does not answer counts as shut; None = there is none."""
        asked_s = [door.asked_s for door in self.doors if door.asked_s is not None]
        left_s = [at_s + SETTLE_S - now_s for at_s in asked_s if at_s + SETTLE_S > now_s]
        return min(left_s, default=None)

    @staticmethod
    def _is_shut(door: LockDoor, now_s: float) -> bool:
        return door.shut and (door.asked_s is None or now_s - door.asked_s >= SETTLE_S)
