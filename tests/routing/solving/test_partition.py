"""Set partitioning: the best choice of routes, against trying out all of them."""

import random
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.solving.partition import Column, select
from tests.routing.random_problems import FEW

Pool = tuple[list[Column], int, list[int], list[int]]


def price_of(pool: Pool, chosen: Sequence[int]) -> int | None:
    """What a choice costs; None = it is none."""
    columns, requests, kinds, drop_price = pool
    picked = [columns[index] for index in chosen]
    done = [request for column in picked for request in column.requests]
    used = [sum(column.kind == kind for column in picked) for kind in range(len(kinds))]
    if len(set(done)) < len(done) or any(a > b for a, b in zip(used, kinds, strict=True)):
        return None
    dropped = (drop_price[request] for request in range(requests) if request not in done)
    return sum(column.price for column in picked) + sum(dropped)


def cheapest(pool: Pool) -> int:
    """By trying out all choices."""
    numbers = range(len(pool[0]))
    choices = (c for size in range(sum(pool[2]) + 1) for c in combinations(numbers, size))
    return min(price for c in choices if (price := price_of(pool, c)) is not None)


def answer(pool: Pool, hint: Sequence[int] | None = None) -> list[int] | None:
    return select(*pool, hint, deterministic_s=5.0, seed=1)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Small ones, with twins, prices that differ by magnitudes, and kinds that nobody is of."""
    requests = draw(st.integers(1, 5))
    kinds = draw(st.lists(st.integers(0, 2), min_size=1, max_size=3))
    columns = draw(
        st.lists(
            st.builds(
                Column,
                kind=st.integers(0, len(kinds) - 1),
                requests=st.permutations(range(requests)).flatmap(
                    lambda order: st.integers(0, requests).map(lambda n: tuple(order[:n]))
                ),
                price=st.sampled_from([0, 1, 5, 7, 30, 900, 10**9]),
            ),
            max_size=9,
        )
    )
    drops = st.sampled_from([0, 6, 40, 10**6, 10**12 + 3, 10**15])
    return columns, requests, kinds, draw(st.lists(drops, min_size=requests, max_size=requests))


@FEW
@given(pools())
def test_it_finds_the_cheapest_choice_of_all(pool: Pool) -> None:
    found = answer(pool)
    nothing = price_of(pool, [])
    best = nothing if found is None else price_of(pool, found)
    assert best == cheapest(pool)
    assert found is None or best != nothing


@FEW
@given(pools(), st.data())
def test_it_only_answers_if_that_is_better_than_the_hint(pool: Pool, data: st.DataObject) -> None:
    hint = data.draw(st.lists(st.integers(0, 8), unique=True, max_size=3))
    hint = [index for index in hint if index < len(pool[0])]
    price = price_of(pool, hint)
    if price is None:
        with pytest.raises(ValueError, match="no choice"):
            answer(pool, hint)
        return
    found = answer(pool, hint)
    assert (found is None) == (price == cheapest(pool))
    assert found is None or price_of(pool, found) == cheapest(pool)


def test_parts_of_two_plans_make_a_better_one() -> None:
    one, other = (
        [Column(0, (0, 1), 10), Column(0, (2, 3), 50)],
        [
            Column(0, (0, 2), 60),
            Column(0, (1, 3), 70),
            Column(0, (2, 3), 20),
        ],
    )
    pool = [*one, *other], 4, [2], [1000] * 4
    assert answer(pool, [0, 1]) == [0, 4]
    assert answer(pool, [0, 4]) is None


def test_no_more_slots_of_a_kind_than_there_are() -> None:
    columns = [Column(0, (0,), 1), Column(0, (1,), 1), Column(1, (1,), 8)]
    assert answer((columns, 2, [1, 1], [100, 100])) == [0, 2]
    assert answer((columns, 2, [1, 0], [100, 101])) == [1]


def test_a_request_that_costs_less_to_drop_is_dropped() -> None:
    columns = [Column(0, (0,), 30), Column(0, (0, 1), 60)]
    assert answer((columns, 2, [1], [100, 20])) == [0]


def test_what_can_not_be_refused_goes_first_however_dear() -> None:
    bound, routine = 10**12, 10**6
    columns = [Column(0, (0,), 10**9), Column(0, tuple(range(1, 50)), 5)]
    assert answer((columns, 50, [1], [bound, *[routine] * 49])) == [0]
    assert answer((columns, 50, [1], [routine, *[routine] * 49])) == [1]


def test_of_two_that_can_not_be_refused_the_dearer_goes_first() -> None:
    columns = [Column(0, (0, 1), 1), Column(0, (2,), 10**9)]
    assert answer((columns, 3, [1], [10**12, 10**12, 3 * 10**12])) == [1]
    assert answer((columns, 3, [1], [10**12, 10**12, 10**12 + 5])) == [0]


def test_an_empty_pool_has_no_answer() -> None:
    assert answer(([], 0, [], [])) is None
    assert answer(([], 2, [1], [5, 5])) is None


def test_no_time_has_no_answer() -> None:
    pool = [Column(0, (0,), 1)], 1, [1], [5]
    assert select(*pool, deterministic_s=0.0) is None
    assert select(*pool, deterministic_s=1.0, cpu_limit_s=-1.0) is None


def test_it_repeats_itself_where_it_can_not_come_to_an_end() -> None:
    pool, hint = crowd()
    first = select(*pool, hint, deterministic_s=0.2, seed=3)
    assert first is not None
    better, known = price_of(pool, first), price_of(pool, hint)
    assert better is not None
    assert known is not None
    assert better < known
    assert select(*pool, hint, deterministic_s=0.2, seed=3) == first


def crowd() -> tuple[Pool, list[int]]:
    """Routes through 60 places on a plane, and a plan of them that is not good."""
    rng = random.Random("crowd")
    spots = [(rng.randint(0, 300), rng.randint(0, 300)) for _ in range(60)]

    def route(kind: int, requests: Sequence[int]) -> Column:
        stops = [(150, 150), *(spots[n] for n in requests), (150, 150)]
        legs = pairwise(stops)
        return Column(
            kind, tuple(requests), sum(abs(a - c) + abs(b - d) for (a, b), (c, d) in legs)
        )

    columns = [route(n % 2, range(4 * n, 4 * n + 4)) for n in range(15)]
    for _ in range(1000):
        x, y = rng.choice(spots)
        near = sorted(range(60), key=lambda n: abs(spots[n][0] - x) + abs(spots[n][1] - y))
        columns.append(route(rng.randint(0, 1), rng.sample(near[:8], rng.randint(2, 5))))
    return (columns, 60, [8, 8], [5000] * 60), list(range(15))
