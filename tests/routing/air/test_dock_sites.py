"""Where docks go: as good as trying all, and told as proven."""

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.air.dock_sites import place_docks
from routing.geometry import Point


def spots(luck: random.Random, count: int) -> list[Point]:
    return [Point(luck.uniform(0, 100), luck.uniform(0, 100)) for _ in range(count)]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_no_other_choice_of_sites_reaches_more_calls(seed: int) -> None:
    luck = random.Random(seed)
    sites, calls = spots(luck, 8), spots(luck, 40)
    docks = luck.randrange(1, 4)
    placed = place_docks(sites, calls, docks=docks, radius_m=25)
    best = max(
        sum(any(sites[n].distance_m(call) <= 25 for n in chosen) for call in calls)
        for chosen in combinations(range(8), docks)
    )
    assert placed.proven
    assert placed.share == pytest.approx(best / 40)
    assert len(placed.sites) <= docks


def test_busy_drones_are_put_where_the_calls_are() -> None:
    sites = [Point(0, 0), Point(1000, 0)]
    calls = [Point(0, 10)] * 30 + [Point(1000, 10)] * 10
    placed = place_docks(sites, calls, docks=2, drones=4, busy=0.5, radius_m=50)
    assert placed.drones == (3, 1)
    assert placed.proven
    assert placed.share == pytest.approx((30 * 0.875 + 10 * 0.5) / 40)


def test_nothing_to_place_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one dock"):
        place_docks([Point(0, 0)], [Point(0, 0)], docks=0, radius_m=1)
