import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.patrols.relay import (
    LEAST_OVERLAP_S,
    Cycle,
    first_share,
    gaps_ahead,
    overlap_s,
    vehicles_needed,
)


@pytest.mark.parametrize(
    ("usable_s", "away_s", "turnaround_s", "needed"),
    [(1260, 60, 120, 2), (1260, 300, 120, 2), (1260, 60, 2400, 4), (1260, 300, 2400, 4)],
)
def test_the_formula_says_how_many_hold_one_post(
    usable_s: float, away_s: float, turnaround_s: float, needed: int
) -> None:
    """N = ceil((usable + R) / (S - h)), S = usable less the ways there and back."""
    stretch_s = usable_s - away_s
    overlap = 30.0
    share = Cycle(stretch_s=stretch_s, away_s=away_s + turnaround_s).share(overlap)
    assert math.ceil(share) == math.ceil((usable_s + turnaround_s) / (stretch_s - overlap))
    assert vehicles_needed([share]) == needed


def test_posts_share_their_vehicles() -> None:
    assert vehicles_needed([1.5]) == 2
    assert vehicles_needed([1.5, 1.5]) == 3
    assert vehicles_needed([]) == 0


def test_no_number_holds_a_post_that_a_battery_does_not_last_for() -> None:
    assert vehicles_needed([Cycle(stretch_s=40, away_s=300).share(45)]) is None


def test_both_rounds_of_a_relief_fit_into_the_revisit_time_and_the_overlap() -> None:
    assert overlap_s(120, 120, 600) == LEAST_OVERLAP_S
    assert overlap_s(200, 180, 300) == 80


def test_first_turns_are_of_unequal_length_so_that_reliefs_never_meet() -> None:
    ends: list[float] = []
    for _ in range(3):
        ends.append(100 + 2400 * first_share(100, 2400, ends))
    assert ends[0] == 2500
    apart = [abs(a - b) for n, a in enumerate(ends) for b in ends[:n]]
    assert min(apart) >= 600


def test_who_is_there_first_takes_what_is_left_first() -> None:
    leaves = [(900.0, ("T-1", 0)), (300.0, ("T-2", 0))]
    assert gaps_ahead(leaves, [200.0, 800.0]) == []
    (gap,) = gaps_ahead(leaves, [350.0, 800.0])
    assert (gap.post, gap.from_s, gap.lasts_s) == (("T-2", 0), 300.0, 50.0)
    missing = gaps_ahead(leaves, [200.0])
    assert [(gap.post, gap.lasts_s) for gap in missing] == [(("T-1", 0), math.inf)]


@given(st.lists(st.floats(0, 1e4), max_size=8), st.lists(st.floats(0, 1e4), max_size=8))
def test_one_more_vehicle_never_makes_a_gap(leaves: list[float], arrivals: list[float]) -> None:
    posts = [(at_s, ("T", number)) for number, at_s in enumerate(leaves)]
    before = sum(min(gap.lasts_s, 1e6) for gap in gaps_ahead(posts, arrivals))
    after = sum(min(gap.lasts_s, 1e6) for gap in gaps_ahead(posts, [*arrivals, 0.0]))
    assert after <= before + 1e-6
