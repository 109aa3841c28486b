"""Random patrols: never late, never frozen, and hard to foretell."""

import math
import random
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.watch.measures import (
    detection,
    entropy,
    gaps_by_point,
    secrecy,
    worst_idle_s,
)
from routing.watch.rings import rings
from routing.watch.unpredictable import (
    Unkept,
    Wander,
    allowed,
    as_if_on_tour,
    most_urgent,
    next_point,
    visits,
    wander,
)


def grid(side: int, step_s: float = 10.0) -> list[list[float]]:
    spots = [(x, y) for x in range(side) for y in range(side)]
    return [[step_s * (abs(a - c) + abs(b - d)) for c, d in spots] for a, b in spots]


def patrol(side: int, tours: float) -> tuple[Wander, float]:
    times = grid(side)
    (tour,) = rings(times, [0.0] * side**2, 1, rounds=100_000)
    return wander(times, [0.0] * side**2, tour.points, tours * tour.round_s), tour.round_s


def by_hand(plan: Wander, here: int, seen_s: list[float], now_s: float) -> set[int]:
    """Allowed points, by driving on from each along each rotation."""
    found: set[int] = set()
    points = range(len(plan.tour))
    for goal in points:
        arrive_s = now_s + plan.cost_s[here, goal]
        if goal == here or arrive_s > seen_s[goal] + plan.revisit_s + 1e-6:
            continue
        for start in points:
            last, at_s, late = goal, arrive_s, False
            seen = [*seen_s[:goal], arrive_s, *seen_s[goal + 1 :]]
            for k in points:
                point = plan.tour[(start + k) % len(plan.tour)]
                at_s += plan.cost_s[last, point]
                late |= at_s > seen[point] + plan.revisit_s + 1e-6
                last = point
            if not late:
                found.add(goal)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(1.0, 2.5),
    st.integers(2, 7),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, 60), min_size=8, max_size=8),
)
def test_what_is_allowed_is_what_a_rotation_can_save(
    seed: int, tours: float, points: int, looks: bool, shortest: bool, held_up_s: list[int]
) -> None:
    chance = np.random.default_rng(seed)
    times = chance.integers(1, 40, (points, points)).astype(float)  # one-way streets
    for k in range(points if shortest else 0):
        times = np.minimum(times, times[:, [k]] + times[[k]])
    look_s = [float(looks * k) for k in range(points)]
    (tour,) = rings(times, look_s, 1, rounds=5_000)
    plan = wander(times, look_s, tour.points, tours * tour.round_s)
    here, seen_s = as_if_on_tour(plan)
    now_s, dice = 0.0, random.Random(seed)
    for wait_s in held_up_s:
        now_s += max(0, wait_s - 50)
        free = set(np.flatnonzero(allowed(plan, here, seen_s, now_s)).tolist())
        assert free == by_hand(plan, here, seen_s.tolist(), now_s)
        if not free:
            break
        goal = next_point(plan, here, seen_s, now_s, dice)
        now_s += float(plan.cost_s[here, goal])
        here, seen_s[goal] = goal, now_s


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.0, 3.0))
def test_no_point_is_ever_late(seed: int, tours: float) -> None:
    plan, round_s = patrol(4, tours)
    seen = list(islice(visits(plan, random.Random(seed)), 800))
    assert worst_idle_s(seen, 16, round_s, seen[-1][0]) <= tours * round_s + 1e-6
    for (_, a), (_, b) in pairwise(seen):
        assert a != b


def test_twice_the_tour_leaves_choices_for_ever() -> None:
    plan, round_s = patrol(4, 2.0)
    found = secrecy(islice(visits(plan, random.Random(1)), 8_000), 16, round_s)
    assert found.worst_s <= 2 * round_s + 1e-6
    assert found.entropy >= 0.75
    assert found.detection >= 0.1


def test_a_tour_without_slack_is_driven_as_it_is() -> None:
    plan, round_s = patrol(4, 1.0)
    seen = list(islice(visits(plan, random.Random(2)), 500))
    gaps = [gap for found in gaps_by_point(seen, 16) for gap in found.tolist()]
    assert gaps == pytest.approx([round_s] * len(gaps))


def test_the_same_chance_gives_the_same_patrol() -> None:
    plan, _ = patrol(3, 2.0)
    one, two = (list(islice(visits(plan, random.Random(7)), 300)) for _ in range(2))
    other = list(islice(visits(plan, random.Random(8)), 300))
    assert one == two != other


def test_who_was_held_up_is_told_and_sent_where_it_is_most_urgent() -> None:
    plan, round_s = patrol(3, 1.2)
    here, seen_s = as_if_on_tour(plan)
    late_s = 3 * round_s
    with pytest.raises(Unkept, match="keeps the revisit time"):
        next_point(plan, here, seen_s, late_s, random.Random(0))
    assert most_urgent(plan, here, seen_s, late_s) == plan.tour[1]


def test_a_site_of_one_point_and_one_of_two() -> None:
    alone = wander([[0.0]], [5.0], [0], 10.0)
    assert list(islice(visits(alone, random.Random(0)), 3)) == [(0.0, 0), (5.0, 0), (10.0, 0)]
    pair = wander([[0.0, 3.0], [3.0, 0.0]], [0.0, 0.0], [0, 1], 12.0)
    assert list(islice(visits(pair, random.Random(0)), 3)) == [(0.0, 0), (3.0, 1), (6.0, 0)]


def test_what_can_not_be_kept_is_refused_with_what_would_do() -> None:
    times = grid(2)
    with pytest.raises(Unkept, match="allow 2 times the tour, 80 s"):
        wander(times, [0.0] * 4, [0, 1, 3, 2], 39.0)
    with pytest.raises(ValueError, match="each of 4 points once"):
        wander(times, [0.0] * 4, [0, 1, 3], 100.0)


# --- measures


def test_a_ring_has_no_entropy_and_is_never_met() -> None:
    gaps = np.full(100, 50.0)
    assert entropy(gaps, 50.0) == 0.0
    assert detection(gaps, 25.0) == 0.0


def test_even_chance_has_full_entropy() -> None:
    gaps = (np.arange(2000) + 0.5) / 2000 * 100.0
    assert entropy(gaps, 50.0) == pytest.approx(1.0)
    assert detection(gaps, 25.0) == pytest.approx(0.25, abs=0.01)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=60, max_size=200), st.integers(1, 40))
def test_detection_by_trying_every_wait(gaps: list[int], stay_s: int) -> None:
    shares = [
        sum(wait < gap <= wait + stay_s for gap in gaps) / longer
        for wait in [0, *gaps]
        if (longer := sum(gap > wait for gap in gaps)) >= 30
    ]
    assume(shares)
    assert detection(np.array(gaps, dtype=float), stay_s) == pytest.approx(min(shares))


def test_idleness_counts_both_ends() -> None:
    seen = [(0.0, 0), (4.0, 1), (6.0, 0), (7.0, 1)]
    assert worst_idle_s(seen, 2, 1.0, 7.0) == 5.0
    assert worst_idle_s(seen, 2, 1.0, 20.0) == 14.0
    assert [gaps.tolist() for gaps in gaps_by_point(seen, 2)] == [[6.0], [3.0]]
    assert math.isclose(worst_idle_s(seen, 3, 0.0, 10.0), 10.0)


def test_a_patrol_too_short_for_its_measures_is_refused() -> None:
    with pytest.raises(ValueError, match="patrol longer"):
        secrecy([(0.0, 0), (1.0, 0)], 1, 1.0)
