"""The one bridge between the loop's seconds and the calendar."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """An aware moment in whole microseconds since 1970 began, UTC."""
    return (at - _1970) // _MICROSECOND


def _running_s() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns seconds of the event loop into UTC and back.

    Inside the program time is a float: seconds of ``loop.time()``. Only wires, the store and
    screens speak of dates. In a simulated loop the calendar runs with the loop.

    Args:
        epoch: the calendar time of loop second ``loop_s``; aware, kept as UTC.
        loop_s: the loop second that goes with it.
        now_s: says this moment in loop seconds.
    """

    epoch: datetime
    loop_s: float
    now_s: Callable[[], float] = field(default=_running_s, repr=False, compare=False)
    _epoch_us: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "epoch", self.epoch.astimezone(UTC))
        object.__setattr__(self, "_epoch_us", to_us(self.epoch))

    @classmethod
    def starting(cls, epoch: datetime | None = None) -> "Clock":
        """A clock that says ``epoch`` (default: the real time) at this moment of the loop."""
        time = asyncio.get_running_loop().time
        return cls(epoch or datetime.now(UTC), time(), time)

    def now(self) -> datetime:
        """This moment as UTC."""
        return self.to_utc(self.now_s())

    def now_us(self) -> int:
        """This moment in whole microseconds since 1970 began, UTC."""
        return self._epoch_us + round((self.now_s() - self.loop_s) * 1e6)

    def to_utc(self, at_s: float) -> datetime:
        """A loop second as UTC, to the microsecond."""
        return self.epoch + timedelta(seconds=at_s - self.loop_s)

    def to_loop(self, at: datetime) -> float:
        """An aware datetime as loop seconds."""
        return (at - self.epoch).total_seconds() + self.loop_s
