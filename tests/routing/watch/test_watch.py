"""Rings: what they promise, against all rings of small problems and against moving vehicles."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import Unreachable
from routing.tours import anneal
from routing.watch.fleet import fewest_vehicles, lower_bound_s
from routing.watch.rings import (
    Ring,
    checked_cost,
    rings,
    rings_within,
    worst_idle_s,
)

Matrix = list[list[float]]


@st.composite
def sites(draw: st.DrawFn, most: int = 6) -> tuple[Matrix, list[float]]:
    """Shortest times between some points, one-way streets included, and looks."""
    n = draw(st.integers(1, most))
    raw = draw(st.lists(st.integers(1, 60), min_size=n * n, max_size=n * n))
    times = np.array(raw, dtype=float).reshape(n, n)
    np.fill_diagonal(times, 0)
    for k in range(n):
        times = np.minimum(times, times[:, [k]] + times[[k]])
    looks = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    return times.tolist(), [float(look) for look in looks]


def town(n: int, seed: int = 0) -> Matrix:
    spots = np.random.default_rng(seed).uniform(0, 1000, (n, 2))
    return np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)).tolist()


def length_s(
    times: Sequence[Sequence[float]], looks: Sequence[float], tour: Sequence[int]
) -> float:
    """By hand: ways and looks; one point alone only takes its look."""
    ways = sum(times[a][b] for a, b in pairwise((*tour, tour[0]))) if len(tour) > 1 else 0.0
    return ways + sum(looks[p] for p in tour)


def partitions(points: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    if not points:
        yield []
        return
    first, rest = points[0], points[1:]
    for mask in range(1 << len(rest)):
        own = (first, *(p for k, p in enumerate(rest) if mask >> k & 1))
        for others in partitions(tuple(p for k, p in enumerate(rest) if not mask >> k & 1)):
            yield [own, *others]


def best_by_hand_s(times: Matrix, looks: list[float], vehicles: int) -> float:
    """The least worst idleness of all rings, all of them tried."""
    shortest: dict[tuple[int, ...], float] = {}
    best = math.inf
    for groups in partitions(tuple(range(len(looks)))):
        if len(groups) > vehicles:
            continue
        for group in groups:
            if group not in shortest:
                tours = ((group[0], *rest) for rest in permutations(group[1:]))
                shortest[group] = min(length_s(times, looks, tour) for tour in tours)
        cars = [1] * len(groups)
        for _ in range(vehicles - len(groups)):
            idle = [shortest[g] / c for g, c in zip(groups, cars, strict=True)]
            cars[idle.index(max(idle))] += 1
        best = min(best, max(shortest[g] / c for g, c in zip(groups, cars, strict=True)))
    return best


@settings(max_examples=40, deadline=None)
@given(sites(), st.integers(1, 4))
def test_no_rings_of_a_small_site_are_better(
    site: tuple[Matrix, list[float]], vehicles: int
) -> None:
    times, looks = site
    found = rings(times, looks, vehicles, rounds=40_000)
    assert worst_idle_s(found) == pytest.approx(best_by_hand_s(times, looks, vehicles), abs=0.002)


@settings(max_examples=40, deadline=None)
@given(sites(9), st.integers(1, 12), st.booleans())
def test_every_point_is_in_one_ring_and_rounds_take_as_long_as_said(
    site: tuple[Matrix, list[float]], vehicles: int, alone: bool
) -> None:
    times, looks = site
    found = rings(times, looks, vehicles, rounds=5_000, alone=alone)
    assert sorted(p for ring in found for p in ring.points) == list(range(len(looks)))
    assert sum(ring.vehicles for ring in found) == (
        min(vehicles, len(looks)) if alone else vehicles
    )
    for ring in found:
        assert ring.round_s == pytest.approx(length_s(times, looks, ring.points))
        assert ring.idle_s == pytest.approx(ring.round_s / ring.vehicles)
        assert not alone or ring.vehicles == 1


@settings(max_examples=40, deadline=None)
@given(sites(), st.integers(1, 4))
def test_the_bound_is_one(site: tuple[Matrix, list[float]], vehicles: int) -> None:
    times, looks = site
    assert lower_bound_s(times, looks, vehicles) <= best_by_hand_s(times, looks, vehicles) + 0.002


def test_the_bound_of_two_vehicles_between_three_corners() -> None:
    """Twice the shortest way would be too much: on a ring of three, two see each in 1.5 ways."""
    times = [[0.0, 10.0, 10.0], [10.0, 0.0, 10.0], [10.0, 10.0, 0.0]]
    (ring,) = rings(times, [0, 0, 0], 2, rounds=1000)
    assert ring.idle_s == 15.0
    assert lower_bound_s(times, [0, 0, 0], 2) == 15.0


@pytest.mark.parametrize("vehicles", [1, 3, 7])
def test_the_same_seed_gives_the_same_rings(vehicles: int) -> None:
    times = town(30)
    first = rings(times, [0.0] * 30, vehicles, rounds=50_000, seed=4)
    assert rings(times, [0.0] * 30, vehicles, rounds=50_000, seed=4) == first


def test_rings_without_a_compiler_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    times = town(9)
    compiled = rings(times, [5.0] * 9, 3, rounds=2_000)
    for name, value in list(vars(anneal).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(anneal, name, value.py_func)
    monkeypatch.setattr("routing.watch.rings.anneal", anneal.anneal)
    assert rings(times, [5.0] * 9, 3, rounds=2_000) == compiled


def test_two_clusters_far_apart_are_two_rings() -> None:
    spots = [(x + far, y) for far in (0, 5000) for x in (0, 100) for y in (0, 100)]
    times = [[math.dist(a, b) for b in spots] for a in spots]
    found = rings(times, [0.0] * 8, 4, rounds=20_000)
    assert worst_idle_s(found) == pytest.approx(200.0)
    assert lower_bound_s(times, [0.0] * 8, 2) == pytest.approx(400.0)
    assert {frozenset(p // 4 for p in ring.points) for ring in found} == {
        frozenset({0}),
        frozenset({1}),
    }


def test_more_time_is_taken_only_as_told_and_is_not_worse() -> None:
    times = town(60, seed=1)
    quick = rings(times, [0.0] * 60, 4, rounds=1_000)
    found = rings_within(times, [0.0] * 60, 4, cpu_s=0.1)
    assert worst_idle_s(found) <= worst_idle_s(quick)


def test_how_many_vehicles_it_would_take() -> None:
    times = town(20)
    looks = [10.0] * 20
    round_s = worst_idle_s(rings(times, looks, 1, rounds=200_000))
    fleet = fewest_vehicles(times, looks, round_s / 3, rounds=200_000)
    assert fleet.least <= fleet.enough == 3
    assert worst_idle_s(fleet.plan) <= round_s / 3 + 1e-6
    assert fewest_vehicles(times, looks, 10 * round_s, rounds=1000).enough == 1
    assert fewest_vehicles(times, looks, 12.0, rounds=20_000).enough == 20


@settings(max_examples=25, deadline=None)
@given(sites(5), st.integers(5, 150))
def test_fewer_vehicles_are_not_enough(site: tuple[Matrix, list[float]], revisit_s: int) -> None:
    times, looks = site
    if max(looks) > revisit_s:
        return
    fleet = fewest_vehicles(times, looks, revisit_s, rounds=20_000)
    assert best_by_hand_s(times, looks, fleet.enough) <= revisit_s + 0.002
    assert fleet.enough == 1 or best_by_hand_s(times, looks, fleet.enough - 1) > revisit_s
    assert fleet.least <= fleet.enough


@pytest.mark.parametrize(
    ("times", "looks", "vehicles", "said"),
    [
        ([], [], 1, "no point"),
        ([[0.0]], [0.0], 0, "at least 1 vehicle, not 0"),
        ([[0.0, 1.0]], [0.0, 0.0], 1, "2 x 2"),
        ([[0.0, -1.0], [1.0, 0.0]], [0.0, 0.0], 1, "0 or more"),
        ([[0.0, math.nan], [1.0, 0.0]], [0.0, 0.0], 1, "0 or more"),
        ([[0.0]], [-1.0], 1, "looks"),
    ],
)
def test_what_makes_no_sense_is_refused(
    times: Matrix, looks: list[float], vehicles: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        rings(times, looks, vehicles, rounds=10)


def test_a_point_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(Unreachable, match="no way from point 1 to point 0"):
        rings([[0.0, 1.0], [math.inf, 0.0]], [0.0, 0.0], 1, rounds=10)


def test_no_rounds_no_time_and_too_short_a_revisit_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 round"):
        rings([[0.0]], [0.0], 1, rounds=0)
    with pytest.raises(ValueError, match="more than 0 processor seconds"):
        rings_within([[0.0]], [0.0], 1, cpu_s=0.0)
    with pytest.raises(ValueError, match="takes 5 s"):
        fewest_vehicles([[0.0]], [5.0], 4.0, rounds=10)
    with pytest.raises(ValueError, match="more than 0 s"):
        fewest_vehicles([[0.0]], [0.0], 0.0, rounds=10)


def test_costs_have_looks_at_the_far_end() -> None:
    cost = checked_cost([[7.0, 1.0], [2.0, 7.0]], [10.0, 20.0])
    assert cost.tolist() == [[10.0, 21.0], [12.0, 20.0]]
    assert Ring(points=(0, 1), vehicles=2, round_s=33.0).idle_s == 16.5
