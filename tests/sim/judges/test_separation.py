"""Too near or not: judged for all of a second, by where bodies were."""

import pytest

from sim.judges.separation import Track, nearest_m

STILL = Track(0, 0, 50, 0, 0, 50)


@pytest.mark.parametrize(
    ("other", "apart_m"),
    [
        (Track(7, 0, 50, 7, 0, 50), 7.0),
        (Track(9, 0, 50, 9, 0, 50), None),
        (Track(7, 0, 55, 7, 0, 55), None),
        (Track(-12, 3, 50, 12, 3, 50), 3.0),
        (Track(3, 0, 60, 3, 0, 40), 3.0),
        (Track(-12, 0, 62, 12, 0, 38), 0.0),
        (Track(-20, 0, 50, 20, 0, 62), 6.7),
        (Track(-40, 0, 50, 40, 0, 90), None),
    ],
    ids=[
        "beside it",
        "far enough beside it",
        "above it",
        "past it within the second",
        "down through its height",
        "down and past it",
        "up and away before it is there",
        "high above it when it is there",
    ],
)
def test_nearest_within_a_second(other: Track, apart_m: float | None) -> None:
    for one, another in ((STILL, other), (other, STILL)):
        found = nearest_m(one, another)
        assert found == (apart_m if apart_m is None else pytest.approx(apart_m, abs=0.1))


def test_head_on_both_move() -> None:
    assert nearest_m(Track(0, 0, 50, 24, 1, 50), Track(24, 0, 50, 0, 1, 50)) == pytest.approx(0)
