"""Windows of the day in which a lane or lift is kept for some goods, or shut to all vehicles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DAY_S = 86_400
SHORTEST_S = 900
"""What is kept for some goods for less than this is of no use: they have to come in time."""
GOODS = (
    "sterile",
    "medicine",
    "food",
    "clean_linen",
    "general",
    "specimen",
    "dirty_linen",
    "waste",
    "infectious_waste",
)
"""The words for goods that a window may name; the classes of the dispatcher's tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time of day, and who may pass then.

    Args:
        only: goods that may be on board; with nothing on board everyone may pass. Empty = nobody
            may pass, with or without goods.
        from_s: seconds since midnight, site time.
        to_s: the same; not after ``from_s`` = on the next day.
    """

    only: frozenset[str]
    from_s: int
    to_s: int

    def admits(self, goods: frozenset[str]) -> bool:
        """Whether a vehicle with these goods on board may pass."""
        return bool(self.only) and goods <= self.only

    @property
    def lasts_s(self) -> int:
        """How long it is; a window that ends when it begins is a whole day long."""
        return (self.to_s - self.from_s - 1) % DAY_S + 1

    def times(self, clock_s: float, ahead_s: float = 0.0) -> list[tuple[float, float]]:
        """When it is in force, within a day or so.

        Args:
            clock_s: seconds since midnight now.
            ahead_s: so much earlier it begins.

        Returns:
            Pairs of begin and end, in seconds from now.
        """
        begins = [self.from_s - clock_s + day * DAY_S for day in (-1, 0, 1)]
        spans = [(begin - ahead_s, begin + self.lasts_s) for begin in begins]
        return [(begin, end) for begin, end in spans if end > 0]

    def __str__(self) -> str:
        """``19:00-21:00 only waste``, as `wardline check` tells it."""
        kept = ", ".join(word for word in GOODS if word in self.only)
        return f"{clock(self.from_s)}-{clock(self.to_s)} {f'only {kept}' if kept else 'shut'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassengersFirst:
    """Hours in which people come before robots in a lift.

    Args:
        share: of the time that robots may have it then, above 0 and at most 1.
        hours: pairs of seconds since midnight, site time, over midnight too.
    """

    share: float
    hours: tuple[tuple[int, int], ...]

    def at(self, clock_s: float) -> bool:
        """Whether people come first at a second since midnight."""
        return any((clock_s - a) % DAY_S < (b - a - 1) % DAY_S + 1 for a, b in self.hours)


def faults(windows: Sequence[Window]) -> list[tuple[str, str]]:
    """What is wrong with the windows of one lane or lift, each with its remedy."""
    found = [
        (f"the window {window} has no length", "correct from or to; a whole day is 00:00 to 24:00")
        for window in windows
        if window.from_s == window.to_s
    ]
    if found:
        return found
    found = [
        (f"the window {window} is too short for anybody to pass", "make it 15 minutes or more")
        for window in windows
        if window.only and window.lasts_s < SHORTEST_S
    ]
    for number, window in enumerate(windows):
        for other in windows[:number]:
            if _overlap(window, other):
                what = f"the windows {other} and {window} overlap"
                found.append((what, "let each begin where the other ends"))
    shut_s = sum(window.lasts_s for window in windows if not window.only)
    if not found and shut_s >= DAY_S:
        found.append(("it is shut all day", "leave some hours out, or remove it"))
    return found


def from_clock(hours: int, minutes: int) -> int:
    """Seconds since midnight."""
    return hours * 3600 + minutes * 60


def _overlap(one: Window, other: Window) -> bool:
    return any(
        one.from_s < to_s and from_s < one.from_s + one.lasts_s
        for day in (-DAY_S, 0, DAY_S)
        for from_s, to_s in [(other.from_s + day, other.from_s + day + other.lasts_s)]
    )


def clock(second: int) -> str:
    """A second since midnight as ``19:00``."""
    return f"{second // 3600:02}:{second % 3600 // 60:02}"


def told(windows: Iterable[Window]) -> str:
    """All windows of one thing in words."""
    return "; ".join(map(str, windows))
