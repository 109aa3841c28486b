"""Times as people write them: ``45min``, ``24h``, ``"09:30"``."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, PlainValidator

DAY_S = 86_400.0
LONGEST_S = 400 * DAY_S
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": DAY_S}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def seconds(value: object) -> float:
    """The seconds of a duration with its unit, such as ``90s``, ``45min``, ``24h``, ``7d``.

    Raises:
        ValueError: that is no duration; the message says what to write.
    """
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration is a number with s, min, h or d, such as 45min")
    return float(found[1]) * _UNITS[found[2]]


def _longer_than_0(value: object) -> float:
    found = seconds(value)
    if not 0 < found <= LONGEST_S:
        raise ValueError("a duration is above 0 and at most 400 d")
    return found


def _span(value: object) -> tuple[float, float]:
    if isinstance(value, tuple):
        return value  # pyright: ignore[reportUnknownVariableType]
    least, to, most = value.partition(" to ") if isinstance(value, str) else (value, "", "")
    first_s = _longer_than_0(least)
    last_s = _longer_than_0(most) if to else first_s
    if last_s < first_s:
        raise ValueError("the shorter time comes first, such as 5min to 30min")
    return first_s, last_s


def _clock(value: object) -> float:
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a time of day is written in quotes, such as "09:30"')
    return int(found[1]) * 3600.0 + int(found[2]) * 60.0 + int(found[3] or 0)


class Clock(float):
    """Seconds since midnight."""


class Elapsed(float):
    """Seconds since the start."""


def _moment(value: object) -> Clock | Elapsed:
    if isinstance(value, Clock | Elapsed):
        return value
    if isinstance(value, str) and ":" in value:
        return Clock(_clock(value))
    try:
        return Elapsed(seconds(value))
    except ValueError:
        remedy = 'a moment is a time of day in quotes ("09:30") or a time after the start (90min)'
        raise ValueError(remedy) from None


def _text(value: float) -> str:
    return f"{value:g}s"


def _span_text(value: tuple[float, float]) -> str:
    least_s, most_s = value
    return _text(least_s) if least_s == most_s else f"{_text(least_s)} to {_text(most_s)}"


Duration = Annotated[float, BeforeValidator(_longer_than_0), PlainSerializer(_text)]
Span = Annotated[tuple[float, float], PlainValidator(_span), PlainSerializer(_span_text)]
"""From one duration to another, to be drawn between: ``5min to 30min``; or just ``10min``."""
ClockTime = Annotated[float, BeforeValidator(_clock)]
Moment = Annotated[float, PlainValidator(_moment)]


def zone_of(start: datetime) -> str:
    """The name of a time zone that has the offset of ``start``; UTC where there is none."""
    hours, rest = divmod(start.utcoffset() or timedelta(0), timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"


def after_start_s(moment: float, start_of_day_s: float) -> float:
    """Seconds after the start at which a `Moment` comes, for a time of day the first time.

    Args:
        start_of_day_s: time of day at the start.
    """
    if isinstance(moment, Clock):
        return (moment - start_of_day_s) % DAY_S
    return float(moment)


def within(between: tuple[float, float] | None, clock_s: float) -> bool:
    """Whether a time of day lies in a part of the day, which may go over midnight.

    Args:
        between: its ends in seconds since midnight; None = all day.
    """
    if between is None:
        return True
    first, last = between
    if first <= last:
        return first <= clock_s < last
    return clock_s >= first or clock_s < last
