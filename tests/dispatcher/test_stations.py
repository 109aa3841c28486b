"""How rounds over a post begin, where somebody else has left off."""

import pytest

from dispatcher.stations import turned
from routing.geometry import Point

RING = tuple(Point(x, y) for x, y in [(0, 0), (100, 0), (100, 60), (0, 60), (0, 120), (100, 120)])


@pytest.mark.parametrize(
    ("begin", "wanted"),
    [
        ((), [0, 1, 2, 3, 4, 5]),
        (((0, 0), (100, 0)), [0, 1, 2, 3, 4, 5]),
        (((98, 58), (3, 62)), [2, 3, 4, 5, 0, 1]),
        (((98, 58), (101, 4)), [2, 1, 0, 5, 4, 3]),
        (((2, 119),), [4, 5, 0, 1, 2, 3]),
    ],
)
def test_a_round_begins_and_goes_on_as_another_would_have(
    begin: tuple[tuple[float, float], ...], wanted: list[int]
) -> None:
    found = turned(RING, [Point(x, y) for x, y in begin])
    assert found == tuple(RING[n] for n in wanted)


def test_a_single_point_has_no_way_round() -> None:
    assert turned(RING[:1], [Point(5, 5), Point(6, 6)]) == RING[:1]
