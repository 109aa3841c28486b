"""When it is time to charge, and the reserve that is never planned with."""

from datetime import datetime

import pytest

from dispatcher.domain.charging import ChargePolicy, CheapHours, enough
from tests.dispatcher.ward import cart


@pytest.mark.parametrize(("ratio", "is_enough"), [(0.32, False), (0.33, True)])
def test_a_trip_leaves_the_reserve_and_a_quarter_more(ratio: float, is_enough: bool) -> None:
    """500 Wh, 20 % reserve; 120 W for 25 min = 50 Wh, with a quarter more 62.5 Wh = 12.5 %."""
    assert enough(cart().spec, ratio, move_s=1500, idle_s=0) is is_enough


@pytest.mark.parametrize(
    ("at", "cheap"),
    [("21:59", False), ("22:00", True), ("03:00", True), ("06:00", False), ("13:00", True)],
)
def test_cheap_hours_may_lie_over_midnight(at: str, cheap: bool) -> None:
    hours = CheapHours.of(["22:00-06:00", "12:30-13:30"])
    moment = datetime.fromisoformat(f"2026-02-03T{at}:00+00:00")
    assert hours.now(lambda: moment) is cheap
    assert CheapHours().now(lambda: moment)
    goal = ChargePolicy(cheap=hours).idle_goal(lambda: moment)
    assert goal == ((0.85, 0.95) if cheap else (0.6, pytest.approx(0.775)))


def test_the_day_ends_at_24() -> None:
    hours = CheapHours.of(["18:00-24:00"])
    moment = datetime.fromisoformat("2026-02-03T23:59:00+00:00")
    assert hours.now(lambda: moment)
    assert not hours.now(lambda: moment.replace(hour=0))


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("at night", "is no span of the day"),
        ("22-06", "is no span of the day"),
        ("22:00-06:60", "is no span of the day"),
        ("22:00-25:00", "is no span of the day"),
        ("22:00-24:30", "goes beyond the end of the day"),
        ("24:00-06:00", "goes beyond the end of the day"),
        ("06:00-06:00", "ends where it begins"),
    ],
)
def test_what_is_no_span_of_the_day_is_refused(word: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"'{word}' {why}"):
        CheapHours.of(["12:00-13:00", word])
