import asyncio
from datetime import UTC, datetime, timedelta, timezone

from fleet.clock import Clock, to_us
from sim.loops import run


def test_a_clock_that_starts_in_local_time_speaks_utc() -> None:
    east = timezone(timedelta(hours=8))
    clock = Clock(datetime(2026, 2, 3, 8, tzinfo=east), loop_s=10.0)
    at = clock.to_utc(70.5)
    assert at.isoformat() == "2026-02-03T00:01:00.500000+00:00"
    assert at.tzinfo is UTC
    assert clock.to_loop(datetime(2026, 2, 3, 8, 2, tzinfo=east)) == 130.0


def test_microseconds_are_those_of_the_calendar() -> None:
    async def told() -> tuple[int, int]:
        clock = Clock(datetime(2026, 2, 3, 8, 0, 0, 123_456, tzinfo=UTC), loop_s=-3.5)
        await asyncio.sleep(0.25)
        return clock.now_us(), to_us(clock.now())

    now_us, by_date_us = run(told())
    assert now_us == by_date_us == to_us(datetime(2026, 2, 3, 8, 0, 3, 873_456, tzinfo=UTC))
